/* explain_print - the story for eyes and for machines. Bytes of the client are escaped in both. */
#include "ctl/explain.h"
#include "ctl/json.h"
#include "util/strbuf.h"

static const char *verdict_name(const struct verdict *verdict)
{
    return disposition_name(verdict->disposition == DISPOSITION_TAG ? DISPOSITION_ACCEPT : verdict->disposition);
}

static void print_safe(FILE *out, const char *text)
{
    struct strbuf safe;
    strbuf_init(&safe, 4096);
    strbuf_add_printable(&safe, span_of(text));
    fputs(strbuf_text(&safe), out);
    strbuf_free(&safe);
}

static void print_step(FILE *out, const struct explain_step *step)
{
    struct strbuf what;
    strbuf_init(&what, 4096);
    strbuf_printf(&what, "%-8s", phase_name(step->phase));
    if (step->argument) {
        bool is_path = step->phase != PHASE_HELO;
        strbuf_puts(&what, is_path ? "<" : "");
        strbuf_add_printable(&what, span_of(step->argument));
        strbuf_puts(&what, is_path ? ">" : "");
    }
    fprintf(out, "  %-42s ", strbuf_text(&what));
    print_safe(out, step->reply);
    if (step->verdict)
        fprintf(out, "\n  %-42s check %s, why %s", "", step->verdict->check, step->verdict->why);
    fputc('\n', out);
    strbuf_free(&what);
}

static void print_facts(FILE *out, const struct facts *facts)
{
    for (size_t i = 0; i < facts->count; i++) {
        fprintf(out, "  %s = ", facts->items[i].name);
        print_safe(out, facts->items[i].text ? facts->items[i].text : "");
        fputc('\n', out);
    }
}

static void print_edits(FILE *out, const struct edits *edits)
{
    for (size_t i = 0; i < edits->count; i++) {
        const struct edit *edit = &edits->items[i];
        fprintf(out, "  %s", edit_kind_name(edit->kind));
        bool is_envelope = edit->kind >= EDIT_CHANGE_SENDER;
        if (edit->name && !is_envelope)
            fprintf(out, " %s", edit->name);
        if (edit->index)
            fprintf(out, " #%u", edit->index);
        if (edit->value)
            fprintf(out, is_envelope ? " <%s>" : ": %s", edit->value);
        if (edit->name && is_envelope)
            fprintf(out, " %s", edit->name);
        fputc('\n', out);
    }
}

/* Those that would have done more with other options. */
static void print_checks(FILE *out, const struct explanation *story)
{
    for (size_t i = 0; i < check_count; i++) {
        bool is_asked;
        const char *why = explain_check(story, checks[i], &is_asked);
        if (why)
            fprintf(out, "  %s: %s%s\n", checks[i]->name, is_asked ? "" : "not asked, ", why);
    }
}

static void print_verdict(FILE *out, const struct verdict *verdict)
{
    fprintf(out, "verdict: %s", disposition_name(verdict->disposition));
    if (verdict->check)
        fprintf(out, " at %s, check %s, why %s", phase_name(verdict->phase), verdict->check, verdict->why);
    fputc('\n', out);
}

void explain_print_text(FILE *out, const struct explanation *story)
{
    char client[NETADDR_TEXT_SIZE];
    const struct plan *plan = &story->engine->plan;
    fprintf(out, "client %s%s%s, class %s\n", netaddr_format(&story->session->client, client),
            story->session->client_name ? " " : "", story->session->client_name ? story->session->client_name : "",
            session_class_name(session_class(story->session)));
    fputs("answers:\n", out);
    for (size_t i = 0; i < story->step_count; i++)
        print_step(out, &story->steps[i]);
    fputs("facts:\n", out);
    print_facts(out, &story->session->facts);
    print_facts(out, &story->session->greeting_facts);
    print_facts(out, &story->message->facts);
    fputs("edits:\n", out);
    print_edits(out, &story->message->edits);
    fputs("checks not asked, or only monitoring:\n", out);
    print_checks(out, story);
    print_verdict(out, &story->verdict);
    fprintf(out, "time: %lld us", (long long)story->elapsed_us);
    for (size_t i = 0; i < plan->count; i++)
        fprintf(out, "%s%s %lld", i ? ", " : " (", plan->entries[i].check->name,
                (long long)story->message->check_us[i]);
    fputs(plan->count ? ")\n" : "\n", out);
}

static void add_facts(cJSON *object, const struct facts *facts)
{
    for (size_t i = 0; i < facts->count; i++)
        json_add_text(object, facts->items[i].name, facts->items[i].text);
}

static void add_recipients(cJSON *root, const struct explanation *story)
{
    cJSON *list = cJSON_AddArrayToObject(root, "recipients");
    for (size_t i = 0; i < story->step_count; i++) {
        if (story->steps[i].phase != PHASE_RCPT)
            continue;
        cJSON *item = cJSON_CreateObject();
        json_add_text(item, "address", story->steps[i].argument);
        json_add_text(item, "reply", story->steps[i].reply);
        if (story->steps[i].verdict)
            json_add_text(item, "why", story->steps[i].verdict->why);
        cJSON_AddItemToArray(list, item);
    }
}

static void add_phases(cJSON *root, const struct explanation *story)
{
    cJSON *list = cJSON_AddArrayToObject(root, "phases");
    for (size_t i = 0; i < story->step_count; i++) {
        cJSON *item = cJSON_CreateObject();
        json_add_text(item, "phase", phase_name(story->steps[i].phase));
        if (story->steps[i].argument)
            json_add_text(item, "argument", story->steps[i].argument);
        json_add_text(item, "reply", story->steps[i].reply);
        cJSON_AddItemToArray(list, item);
    }
}

static void add_edits(cJSON *root, const struct edits *edits)
{
    cJSON *list = cJSON_AddArrayToObject(root, "edits");
    for (size_t i = 0; i < edits->count; i++) {
        cJSON *item = cJSON_CreateObject();
        json_add_text(item, "edit", edit_kind_name(edits->items[i].kind));
        if (edits->items[i].name)
            json_add_text(item, "name", edits->items[i].name);
        if (edits->items[i].index)
            cJSON_AddNumberToObject(item, "index", edits->items[i].index);
        if (edits->items[i].value)
            json_add_text(item, "value", edits->items[i].value);
        cJSON_AddItemToArray(list, item);
    }
}

static void add_checks(cJSON *root, const struct explanation *story)
{
    cJSON *list = cJSON_AddArrayToObject(root, "checks");
    for (size_t i = 0; i < check_count; i++) {
        bool is_asked;
        const char *why = explain_check(story, checks[i], &is_asked);
        if (!why)
            continue;
        cJSON *item = cJSON_CreateObject();
        json_add_text(item, "check", checks[i]->name);
        cJSON_AddBoolToObject(item, "asked", is_asked);
        json_add_text(item, "why", why);
        cJSON_AddItemToArray(list, item);
    }
}

void explain_print_json(FILE *out, const struct explanation *story)
{
    const struct verdict *verdict = &story->verdict;
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "verdict", verdict_name(verdict));
    json_add_text(root, "phase", verdict->check ? phase_name(verdict->phase) : NULL);
    json_add_text(root, "check", verdict->check);
    json_add_text(root, "why", verdict->why);
    json_add_text(root, "reply", verdict->reply);
    json_add_text(root, "class", session_class_name(session_class(story->session)));
    add_recipients(root, story);
    add_phases(root, story);
    cJSON *facts = cJSON_AddObjectToObject(root, "facts");
    add_facts(facts, &story->session->facts);
    add_facts(facts, &story->session->greeting_facts);
    add_facts(facts, &story->message->facts);
    add_edits(root, &story->message->edits);
    add_checks(root, story);
    cJSON_AddNumberToObject(root, "elapsed_us", (double)story->elapsed_us);
    json_print(out, root);
}
