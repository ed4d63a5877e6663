/*
 * authres - the last check: by then all that can be known is known.
 *
 * If our own name is one of trusted_authserv_ids, a filter before us writes under the same name (several machines of a
 * site, or opendkim on this one): its fields are kept, and removing forgeries is its business.
 *
 * A forged field that stays would be believed by whoever reads the message behind us. So a message with more of them
 * than can be deleted (core/edits.h) is refused; nobody sends such a one in good faith.
 *
 * The field of a message that is refused would be read by nobody, so the check does not run for it. It holds what was
 * evaluated; if nothing was, it says "none", so that a reader can rely on the field being there (RFC 8601 2.2).
 */
#include "checks/authres.h"
#include "auth/authres.h"

#define OPTION(member) offsetof(struct authres_options, member)

static const struct option_row rows[] = {
    CHECK_OPTION_ROWS(struct authres_options, "{ outside }", "accept"),
    {.name = "add_header",
     .type = OPTION_BOOL,
     .offset = OPTION(add_header),
     .def = "yes",
     .help = "Add an Authentication-Results field (RFC 8601) with the results of spf, dkim and dmarc at the top of the "
             "message."},
    {.name = "remove_forged",
     .type = OPTION_BOOL,
     .offset = OPTION(remove_forged),
     .def = "yes",
     .help = "Remove every Authentication-Results field that claims to be ours (authserv_id), and those without a "
             "readable name of their own that hold ours. A message with more than 100 of them is refused "
             "(authres.too-many-forged)."},
    {.name = "received_spf",
     .type = OPTION_BOOL,
     .offset = OPTION(received_spf),
     .def = "no",
     .help = "Add a Received-SPF field (RFC 7208 9.1) as well."},
    {0}};

#define WHY_FORGED "authres.too-many-forged"

static const struct check_why whys[] = {
    {WHY_FORGED, "More than 100 Authentication-Results fields of the message claim to be ours."}, {NULL, NULL}};

static bool is_shared(const struct message *message)
{
    const struct general_settings *general = message->settings->general;
    for (size_t i = 0; general->trusted_authserv_ids && i < general->trusted_authserv_ids->count; i++) {
        if (authres_same_id(message->settings->authserv_id, general->trusted_authserv_ids->items[i]))
            return true;
    }
    return false;
}

unsigned authres_remove_forged(struct edits *edits, struct arena *arena, const struct message *message, const char *id)
{
    unsigned forged[EDITS_DELETIONS_MAX + 1], count = 0, index = 0;
    for (size_t i = 0; i < message->header_count && count <= EDITS_DELETIONS_MAX; i++) {
        if (!span_equals_nocase(span_trim(message->headers[i].name), AUTHRES_HEADER))
            continue;
        index++;
        if (authres_claims(arena, message->headers[i].value, id))
            forged[count++] = index;
    }
    for (unsigned i = count < EDITS_DELETIONS_MAX ? count : EDITS_DELETIONS_MAX; i-- > 0;)
        edits_delete_header(edits, arena, AUTHRES_HEADER, forged[i]);
    return count;
}

/* False: there are more than can be removed. */
static bool remove_forged(const struct check_call *call, const char *id)
{
    unsigned count = authres_remove_forged(call->edits, call->arena, call->message, id);
    if (count)
        facts_set(call->facts, call->arena, "authres.forged", arena_printf(call->arena, "%u", count), NULL);
    return count <= EDITS_DELETIONS_MAX;
}

static struct result on_eom(const struct check_call *call)
{
    const struct authres_options *options = call->options;
    const struct message *message = call->message;
    const char *id = call->settings->authserv_id;
    const struct auth_spf *spf = call_value(call, "spf");
    bool too_many = options->remove_forged && !is_shared(message) && !remove_forged(call, id);
    if (options->add_header)
        edits_add_folded(call->edits, call->arena, AUTHRES_HEADER,
                         authres_write(call->arena, id, spf, call_value(call, "dkim"), call_value(call, "dmarc")));
    if (options->received_spf && spf)
        edits_add_folded(call->edits, call->arena, "Received-SPF",
                         authres_write_received_spf(call->arena, id, spf, &call->session->client, message->reverse_path,
                                                    call->session->helo));
    if (too_many)
        return (struct result){RESULT_REJECT, WHY_FORGED,
                               "554 5.6.0 Too many Authentication-Results fields in the name of this server"};
    return RESULT(RESULT_DUNNO);
}

static unsigned needs_with(const void *of)
{
    const struct authres_options *options = of;
    return options->remove_forged ? NEEDS_HEADER : 0;
}

static const char *const provides[] = {"authres.forged", NULL};
static const char *const needs_facts[] = {"spf", "dkim", "dmarc", NULL};

const struct check check_authres = {
    .name = "authres",
    .summary = "Writes the field Authentication-Results (RFC 8601) and removes forged ones.",
    .rows = rows,
    .options_size = sizeof(struct authres_options),
    .whys = whys,
    .needs = NEEDS_HEADER,
    .needs_with = needs_with,
    .provides = provides,
    .needs_facts = needs_facts,
    .on_eom = on_eom,
};
