/*
 * engine - sections from the rows of settings and checks, a plan from their options, counters from their tokens.
 *
 * Whether the list of checks is sound (no fact read before it is written, no token twice) does not depend on any
 * configuration: tests/unit/core/test_engine.c proves it for the list as it is.
 */
#include "core/engine.h"
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#define SECTIONS_MAX 32

static struct conf_section sections[SECTIONS_MAX];
static size_t section_count;
static pthread_once_t sections_once = PTHREAD_ONCE_INIT;

static void sections_init(void)
{
    size_t count;
    const struct conf_section *settings = settings_sections(&count);
    while (section_count < count) {
        sections[section_count] = settings[section_count];
        section_count++;
    }
    for (size_t i = 0; i < check_count; i++)
        sections[section_count++] =
            (struct conf_section){checks[i]->name, checks[i]->summary, checks[i]->rows, checks[i]->options_size};
}

const struct conf_section *engine_sections(size_t *count)
{
    pthread_once(&sections_once, sections_init);
    *count = section_count;
    return sections;
}

static void plan_build(struct plan *plan, const struct conf *conf, const struct settings *settings)
{
    const struct general_settings *general = settings->general;
    int global_mode = general->mode;
    plan->entries = ARENA_ARRAY(conf_arena(conf), struct plan_entry, check_count);
    plan->needs = plan->core_needs = general->tag_subject ? NEEDS_HEADER : 0;
    for (size_t i = 0; i < check_count; i++) {
        const struct check_options *options = conf_get(conf, checks[i]->name);
        int mode = options->mode == MODE_GLOBAL ? global_mode : options->mode;
        if (mode == MODE_OFF || (checks[i]->is_idle && checks[i]->is_idle(settings, options)))
            continue;
        struct plan_entry *entry = &plan->entries[plan->count++];
        *entry = (struct plan_entry){checks[i], options, mode, checks[i]->needs, NULL};
        if (checks[i]->needs_with)
            entry->needs = checks[i]->needs_with(options);
        entry->error = arena_printf(conf_arena(conf), "%s.error", checks[i]->name);
        plan->needs |= entry->needs;
        plan->edits_envelope |= checks[i]->edits_envelope;
    }
}

/* What the runner itself says of a message that could not be kept. */
static const struct check_why core_whys[] = {
    {"message.too-large", "The message is larger than message { max_size }."},
    {"message.header-too-large", "The header is larger than message { max_header }, or has over 20,000 fields."},
    {"message.no-space", "The message could not be written to message { directory }."},
    {"message.edits-refused", "The MTA did not take the changes that the message needs."},
    {NULL, NULL}};

static void print_whys(FILE *out, const struct check_why *why)
{
    for (; why->token; why++)
        fprintf(out, ".It Sy %s\n%s\n", why->token, why->help);
}

void engine_print_whys(FILE *out)
{
    fputs(".Bl -tag -width Ds\n", out);
    for (size_t i = 0; i < check_count; i++)
        print_whys(out, checks[i]->whys);
    print_whys(out, core_whys);
    fputs(".El\n", out);
}

static void counters_build(struct engine *engine)
{
    struct arena *arena = conf_arena(engine->conf);
    static const char *const always[] = {"message.accept",   "message.tag",    "message.quarantine",
                                         "message.tempfail", "message.reject", "recipient.refused"};
    engine->counters = counters_create(arena);
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        counters_register(engine->counters, always[i]);
    for (const struct check_why *why = core_whys; why->token; why++)
        counters_register(engine->counters, arena_printf(arena, "why.%s", why->token));
    counters_register(engine->counters, "error.message");
    for (size_t i = 0; i < check_count; i++) {
        counters_register(engine->counters, arena_printf(arena, "error.%s", checks[i]->name));
        counters_register(engine->counters, arena_printf(arena, "why.%s.error", checks[i]->name));
        counters_register(engine->counters, arena_printf(arena, "monitor.%s.error", checks[i]->name));
        for (const struct check_why *why = checks[i]->whys; why->token; why++) {
            counters_register(engine->counters, arena_printf(arena, "why.%s", why->token));
            counters_register(engine->counters, arena_printf(arena, "monitor.%s", why->token));
        }
    }
}

struct engine *engine_create(const char *path, struct conf_problems *problems)
{
    size_t count;
    const struct conf_section *all = engine_sections(&count);
    struct conf *conf = path ? conf_load(path, all, count, problems) : conf_defaults(all, count);
    if (!conf)
        return NULL;
    struct engine *engine = ARENA_NEW(conf_arena(conf), struct engine);
    engine->conf = conf;
    settings_resolve(&engine->settings, conf);
    plan_build(&engine->plan, conf, &engine->settings);
    counters_build(engine);
    return engine;
}

void engine_destroy(struct engine *engine)
{
    if (engine)
        conf_destroy(engine->conf);
}

int engine_check_directory(const struct engine *engine, struct conf_problems *problems)
{
    const char *directory = engine->settings.message->directory;
    if (!(engine->plan.needs & NEEDS_CONTENT) || access(directory, W_OK | X_OK) == 0)
        return 0;
    int error = errno;
    struct arena *arena = conf_arena(engine->conf);
    problems->count++;
    problems->report(problems->context, arena_printf(arena, "%s: message: directory: %s: %s",
                                                     conf_where(engine->conf, arena, "message", "directory", NULL),
                                                     directory, strerror(error)));
    return -1;
}

static check_hook *hook_of(const struct check *check, enum phase phase)
{
    switch (phase) {
    case PHASE_CONNECT:
        return check->on_connect;
    case PHASE_HELO:
        return check->on_helo;
    case PHASE_MAIL:
        return check->on_mail;
    case PHASE_RCPT:
        return check->on_rcpt;
    case PHASE_DATA:
        return check->on_data;
    case PHASE_EOH:
        return check->on_eoh;
    case PHASE_EOM:
        return check->on_eom;
    case PHASE_ACCEPTED:
        return check->on_accepted;
    case PHASE_COMMIT:
        return check->on_commit;
    case PHASE_COUNT:
        break;
    }
    return NULL;
}

check_hook *plan_hook(const struct plan_entry *entry, enum phase phase)
{
    return hook_of(entry->check, phase);
}

bool plan_has_hook(const struct plan *plan, enum phase phase)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (hook_of(plan->entries[i].check, phase))
            return true;
    }
    return false;
}

bool check_may_object(const struct check *check, enum phase phase)
{
    return !(check->never_objects & 1u << phase);
}

bool plan_may_object(const struct plan *plan, enum phase phase)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct check *check = plan->entries[i].check;
        if (hook_of(check, phase) && check_may_object(check, phase))
            return true;
    }
    return false;
}

unsigned plan_needs(const struct plan *plan, enum session_class class)
{
    unsigned needs = plan->core_needs;
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->entries[i].options->applies_to & (unsigned)class)
            needs |= plan->entries[i].needs;
    }
    return needs;
}

enum check_mode plan_mode(const struct plan *plan, const char *name, enum session_class class)
{
    for (size_t i = 0; plan && i < plan->count; i++) {
        const struct plan_entry *entry = &plan->entries[i];
        if (strcmp(entry->check->name, name) == 0)
            return entry->options->applies_to & (unsigned)class ? entry->mode : MODE_OFF;
    }
    return MODE_OFF;
}

static void print_classes(FILE *out, unsigned classes)
{
    const char *separator = "";
    for (const struct option_word *word = check_class_words; word->name; word++) {
        if (classes & (unsigned)word->value) {
            fprintf(out, "%s%s", separator, word->name);
            separator = ", ";
        }
    }
}

static void print_entry(FILE *out, const struct plan_entry *entry)
{
    fprintf(out, "  %-12s %-8s ", entry->check->name, entry->mode == MODE_MONITOR ? "monitor" : "enforce");
    print_classes(out, entry->options->applies_to);
    fputc('\n', out);
}

/* The body streams by between the end of the header and that of the message; it is no phase that could refuse. */
static void print_body(FILE *out, const struct plan *plan)
{
    bool any = false;
    fputs("body:\n", out);
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->entries[i].check->on_body) {
            print_entry(out, &plan->entries[i]);
            any = true;
        }
    }
    if (!any)
        fputs("  (nothing)\n", out);
}

void plan_print(const struct plan *plan, FILE *out)
{
    for (enum phase phase = PHASE_CONNECT; phase < PHASE_COUNT; phase++) {
        bool any = false;
        if (phase == PHASE_EOM)
            print_body(out, plan);
        fprintf(out, "%s:\n", phase_name(phase));
        for (size_t i = 0; i < plan->count; i++) {
            if (hook_of(plan->entries[i].check, phase)) {
                print_entry(out, &plan->entries[i]);
                any = true;
            }
        }
        if (!any)
            fputs("  (nothing)\n", out);
    }
    fprintf(out, "keeps: %s\n", plan->needs & NEEDS_CONTENT ? "header and body"
                                : plan->needs               ? "header"
                                                            : "envelope only");
}
