/* explain_checks - the rules by which the runner leaves a check out, or does not do what it says, put into words. */
#include "ctl/explain.h"

static const struct plan_entry *find_entry(const struct plan *plan, const struct check *check)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->entries[i].check == check)
            return &plan->entries[i];
    }
    return NULL;
}

/* Why CHECK is not in the plan. */
static const char *explain_absence(const struct engine *engine, const struct check *check)
{
    const struct check_options *options = conf_get(engine->conf, check->name);
    if (options->mode == MODE_OFF)
        return "mode = off";
    if (options->mode == MODE_GLOBAL && engine->settings.general->mode == MODE_OFF)
        return "mode = off at the top level";
    return "its options give it nothing to do";
}

static const char *explain_monitor(const struct plan_entry *entry)
{
    return entry->options->mode == MODE_GLOBAL ? "mode = monitor at the top level: what it says is logged, not done"
                                               : "mode = monitor: what it says is logged, not done";
}

/* Has CHECK nothing to do but what an accepted message causes elsewhere? */
static bool is_for_accepted(const struct check *check)
{
    return check->on_accepted && !check->on_mail && !check->on_rcpt && !check->on_eom;
}

const char *explain_check(const struct explanation *story, const struct check *check, bool *is_asked)
{
    const struct engine *engine = story->engine;
    const struct plan_entry *entry = find_entry(&engine->plan, check);
    enum session_class class = session_class(story->session);
    *is_asked = false;
    if (!entry)
        return explain_absence(engine, check);
    if (!(entry->options->applies_to & (unsigned)class))
        return arena_printf(story->message->arena, "applies_to does not name %s", session_class_name(class));
    if (is_for_accepted(check) && story->verdict.disposition >= DISPOSITION_TEMPFAIL)
        return "the message is not accepted";
    if (check->on_accepted && !check->acts_on_held && story->verdict.disposition == DISPOSITION_QUARANTINE)
        return "the message is held in quarantine";
    *is_asked = true;
    return entry->mode == MODE_MONITOR ? explain_monitor(entry) : NULL;
}
