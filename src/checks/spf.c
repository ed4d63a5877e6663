/*
 * spf - evaluated once a message: at the first recipient, or at the end where something is needed that comes late.
 *
 * It comes late if dmarc has the last word (a forwarded message that fails SPF but is signed by its author's domain
 * must not be lost), if the client is a relay of ours (its Received field says who its client was), and if the result
 * is taken from the header of another filter. Tags and quarantine can be said only at the end as well.
 *
 * Bounces (null reverse-path) are not marked for a HELO name without a record: hardly any has one.
 *
 * A refusal waits for dmarc only if that runs for the session and is carried out no less than this check is: a dmarc
 * that is only monitored must not let mail in. With both in monitor mode the log says what enforcing both would do.
 *
 * What this does not do: evaluate trusted clients and authenticated users (applies_to), or claim "none" for them.
 */
#include "checks/spf.h"
#include "auth/authres.h"
#include "auth/received.h"
#include "auth/sender.h"
#include "core/engine.h"

/* Of the message's DNS budget, in percent: HELO leaves this much to what comes behind it, MAIL FROM this much to DKIM
 * and DMARC. */
#define HELO_LEAVES 75
#define MAIL_FROM_LEAVES 50

#define OPTION(member) offsetof(struct check_spf_options, member)

static const struct option_word engine_words[] = {
    {"builtin", SENDER_BUILTIN}, {"libspf2", SENDER_LIBSPF2}, {NULL, 0}};
static const struct option_word action_words[] = {{"accept", CHECK_SPF_ACCEPT},         {"tag", CHECK_SPF_TAG},
                                                  {"quarantine", CHECK_SPF_QUARANTINE}, {"tempfail", CHECK_SPF_TEMPFAIL},
                                                  {"reject", CHECK_SPF_REJECT},         {NULL, 0}};

#define ACTION(member, preset, text)                                                                                   \
    {.name = #member, .type = OPTION_ENUM, .offset = OPTION(member), .def = preset, .words = action_words, .help = text}
#define PLACEHOLDERS "sender domain explanation client result"

static const struct option_row rows[] = {
    CHECK_OPTION_ROWS(struct check_spf_options, "{ outside }", "accept"),
    {.name = "engine", .type = OPTION_ENUM, .offset = OPTION(engine), .def = "builtin", .words = engine_words,
     .help = "builtin: Postern's own evaluator, which gives the wanted answer to all 203 cases of the RFC 7208 test suite. "
             "libspf2: that library, which gives it to 179 of them (it refuses the prefix length /0 and counts "
             "look-ups in its own way) and can end the worker when memory runs out."},
    AUTHRES_SOURCE_ROW(struct check_spf_options, source),
    {.name = "void_limit", .type = OPTION_INT, .offset = OPTION(void_limit), .def = "2", .max = 20,
     .help = "How many look-ups of one evaluation may have no answer; one more is a permerror (RFC 7208 4.6.4)."},
    ACTION(fail, "reject", "What to do if the domain's record forbids the client (-all; spf.fail)."),
    ACTION(softfail, "tag", "What to do if it probably forbids the client (~all; spf.softfail)."),
    ACTION(neutral, "accept", "What to do if the record says nothing about the client (?all; spf.neutral)."),
    ACTION(none, "tag",
           "What to do with a sender whose domain has no record (spf.none). A bounce whose HELO name has none is always "
           "accepted."),
    ACTION(permerror, "tag",
           "What to do if the record is in error: malformed, more than one, more than 10 look-ups (spf.permerror)."),
    ACTION(temperror, "accept",
           "What to do if name servers do not answer (spf.temperror). With on_error = tempfail, accept means tempfail."),
    {.name = "defer_to_dmarc", .type = OPTION_BOOL, .offset = OPTION(defer_to_dmarc), .def = "yes",
     .help = "With the check dmarc enforced (or both checks monitored): refuse at the end of the message, and only if "
             "DMARC does not pass, so that a forwarded message signed by its author's domain is not lost. no: refuse at "
             "RCPT."},
    {.name = "skip_domains", .type = OPTION_DOMAINS, .offset = OPTION(skip_domains),
     .help = "Domains of senders that are not evaluated: a name, a .suffix, or a file."},
    {.name = "skip_networks", .type = OPTION_NETWORKS, .offset = OPTION(skip_networks),
     .help = "Clients that are not evaluated, such as forwarders you have mail sent to."},
    {.name = "trusted_relays", .type = OPTION_NETWORKS, .offset = OPTION(trusted_relays),
     .help = "Your own relays and backup MX. Their mail is evaluated at its end with the client address and the HELO name "
             "that the relay wrote into the topmost Received field, and not at all if that cannot be read. A relay that "
             "is in trusted_networks is of the class trusted and not looked at."},
    {.name = "reply", .type = OPTION_TEMPLATE, .offset = OPTION(reply), .placeholders = PLACEHOLDERS, .reply_class = "5",
     .def = "550 5.7.23 <{sender}> - SPF: not permitted to send for {domain} {explanation}",
     .help = "The answer to what is refused. {sender} is the reverse-path, {domain} the domain that was looked up, "
             "{explanation} what that domain has to say about it, {client} the client's address, {result} the result."},
    {.name = "reply_error", .type = OPTION_TEMPLATE, .offset = OPTION(reply_error), .placeholders = PLACEHOLDERS,
     .reply_class = "5", .def = "550 5.7.24 <{sender}> - SPF: the record of {domain} is in error",
     .help = "The answer to a permerror that is refused."},
    {.name = "reply_defer", .type = OPTION_TEMPLATE, .offset = OPTION(reply_defer), .placeholders = PLACEHOLDERS,
     .reply_class = "4", .def = "451 4.4.3 <{sender}> - SPF: {result} for {domain} - try again later",
     .help = "The answer to what is put off."},
    {0}};

static const struct check_why whys[] = {
    {"spf.none", "The sender's domain has no SPF record."},
    {"spf.neutral", "The sender's domain does not say whether the client may send for it."},
    {"spf.fail", "The client may not send for the sender's domain."},
    {"spf.softfail", "The client probably may not send for the sender's domain."},
    {"spf.temperror", "The SPF record could not be looked up now."},
    {"spf.permerror", "The SPF record of the sender's domain is in error."},
    {NULL, NULL}};

struct result check_spf_decide(const struct check_spf_options *options, const struct auth_spf *spf)
{
    static const enum result_code codes[] = {RESULT_OK, RESULT_TAG, RESULT_QUARANTINE, RESULT_DEFER, RESULT_REJECT};
    bool waits = options->temperror == CHECK_SPF_ACCEPT && options->common.on_error == ON_ERROR_TEMPFAIL;
    const struct {
        enum auth_result result;
        int action;
        const char *why;
    } table[] = {{AUTH_NONE, spf->is_helo ? CHECK_SPF_ACCEPT : options->none, "spf.none"},
                 {AUTH_NEUTRAL, options->neutral, "spf.neutral"},
                 {AUTH_FAIL, options->fail, "spf.fail"},
                 {AUTH_SOFTFAIL, options->softfail, "spf.softfail"},
                 {AUTH_TEMPERROR, waits ? CHECK_SPF_TEMPFAIL : options->temperror, "spf.temperror"},
                 {AUTH_PERMERROR, options->permerror, "spf.permerror"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        enum result_code code = codes[table[i].action];
        if (table[i].result == spf->result)
            return (struct result){code, code == RESULT_OK ? NULL : table[i].why, NULL};
    }
    return RESULT(RESULT_OK);
}

/* Whose word is evaluated. */
struct subject {
    struct netaddr client;
    const char *helo;
};

static bool is_relay(const struct check_call *call)
{
    const struct check_spf_options *options = call->options;
    return netset_has(options->trusted_relays, &call->session->client);
}

static bool dmarc_decides(const struct check_call *call)
{
    const struct check_spf_options *options = call->options;
    enum session_class class = session_class(call->session);
    enum check_mode mode = plan_mode(call->plan, "dmarc", class);
    return options->defer_to_dmarc &&
           (mode == MODE_ENFORCE || (mode == MODE_MONITOR && plan_mode(call->plan, "spf", class) == MODE_MONITOR));
}

static bool waits_for_the_end(const struct check_call *call)
{
    const struct check_spf_options *options = call->options;
    return options->source == AUTHRES_HEADER_OF_ANOTHER || is_relay(call) || dmarc_decides(call);
}

static void evaluate_identity(const struct check_call *call, const struct subject *subject, const char *address,
                              struct sender_answer *answer)
{
    const struct check_spf_options *options = call->options;
    struct dns_part part = message_dns_part(call->message, *address ? MAIL_FROM_LEAVES : HELO_LEAVES);
    struct sender_query query = {.dns = call->services->dns,       .budget = &part.budget,
                                 .arena = call->arena,             .client = subject->client,
                                 .helo = subject->helo,            .receiver = call->settings->hostname,
                                 .now = call->message->now,        .void_limit = (unsigned)options->void_limit};
    sender_split(call->arena, address, subject->helo, &query.local, &query.domain);
    sender_check((enum sender_engine)options->engine, &query, answer);
    message_dns_settle(call->message, &part);
}

static const struct auth_spf *evaluate(const struct check_call *call, const struct subject *subject)
{
    struct auth_spf *spf = ARENA_NEW(call->arena, struct auth_spf);
    struct sender_answer helo, from;
    evaluate_identity(call, subject, "", &helo);
    spf->helo_result = helo.result;
    spf->helo_domain = helo.domain;
    spf->is_helo = !*call->message->reverse_path;
    const struct sender_answer *deciding = &helo;
    if (!spf->is_helo) {
        evaluate_identity(call, subject, call->message->reverse_path, &from);
        spf->mailfrom_result = from.result;
        spf->mailfrom_domain = from.domain ? from.domain : "";
        spf->is_helo = helo.result == AUTH_FAIL;
        deciding = spf->is_helo ? &helo : &from;
    }
    spf->result = deciding->result;
    spf->domain = deciding->domain;
    spf->reason = deciding->reason;
    spf->explanation = deciding->explanation;
    return spf;
}

static bool is_skipped(const struct check_call *call, const struct subject *subject)
{
    const struct check_spf_options *options = call->options;
    const char *local, *domain;
    char canonical[DOMAIN_MAX + 1];
    sender_split(call->arena, call->message->reverse_path, subject->helo, &local, &domain);
    return subject->client.family == AF_UNSPEC || netset_has(options->skip_networks, &subject->client) ||
           (sender_domain(domain, canonical) == 0 && domain_set_has(options->skip_domains, canonical));
}

/* The client, or behind a relay of ours the relay's client. -1: not known. */
static int find_subject(const struct check_call *call, struct subject *subject)
{
    *subject = (struct subject){call->session->client, call->session->helo};
    if (!is_relay(call))
        return 0;
    const struct header_field *received = message_header(call->message, "Received", 0);
    return received ? received_parse(call->arena, received->value, &subject->client, &subject->helo) : -1;
}

/* NULL: there is no result. */
static const struct auth_spf *find_result(const struct check_call *call)
{
    const struct check_spf_options *options = call->options;
    struct subject subject;
    const struct auth_spf *spf = NULL;
    if (options->source == AUTHRES_HEADER_OF_ANOTHER)
        spf = authres_read_spf(call->arena, call->message);
    else if (find_subject(call, &subject) == 0 && !is_skipped(call, &subject))
        spf = evaluate(call, &subject);
    if (!spf)
        return NULL;
    const char *text = arena_printf(call->arena, "%s %s=%s%s%s%s", auth_result_name(spf->result),
                                    spf->is_helo ? "helo" : "mailfrom", spf->domain ? spf->domain : "",
                                    spf->reason ? " (" : "", spf->reason ? spf->reason : "", spf->reason ? ")" : "");
    facts_set(call->facts, call->arena, "spf", text, spf);
    return spf;
}

static const char *reply_of(const struct check_call *call, const struct auth_spf *spf, const struct template *template)
{
    char client[NETADDR_TEXT_SIZE];
    const struct placeholder values[] = {
        {"sender", span_of(call->message->reverse_path)},
        {"domain", span_of(spf->domain ? spf->domain : "")},
        {"explanation", span_of(spf->explanation ? spf->explanation : "")},
        {"client", span_of(netaddr_format(&call->session->client, client))},
        {"result", span_of(auth_result_name(spf->result))},
        {NULL, {NULL, 0}}};
    /* An explanation that is not there leaves a blank behind. */
    return arena_spandup(call->arena, span_trim(span_of(template_expand(template, call->arena, values))));
}

static struct result judge(const struct check_call *call, const struct auth_spf *spf)
{
    const struct check_spf_options *options = call->options;
    struct result result = check_spf_decide(options, spf);
    if (result.code == RESULT_REJECT)
        result.reply = reply_of(call, spf, spf->result == AUTH_PERMERROR ? options->reply_error : options->reply);
    else if (result.code == RESULT_DEFER)
        result.reply = reply_of(call, spf, options->reply_defer);
    return result;
}

static void prefetch(const struct check_call *call, const char *name)
{
    char domain[DOMAIN_MAX + 1];
    if (sender_domain(name, domain) == 0)
        dns_prefetch(call->services->dns, domain, DNS_TXT);
}

static struct result on_mail(const struct check_call *call)
{
    const struct check_spf_options *options = call->options;
    const char *local, *domain;
    if (!call->services->dns || options->source == AUTHRES_HEADER_OF_ANOTHER)
        return RESULT(RESULT_DUNNO);
    sender_split(call->arena, call->message->reverse_path, call->session->helo, &local, &domain);
    prefetch(call, domain);
    if (call->session->helo && *call->message->reverse_path && !is_relay(call))
        prefetch(call, call->session->helo);
    return RESULT(RESULT_DUNNO);
}

static struct result on_rcpt(const struct check_call *call)
{
    if (waits_for_the_end(call))
        return RESULT(RESULT_DUNNO);
    if (!call->services->dns)
        return (struct result){RESULT_ERROR, NULL, "there is no resolver"};
    if (!*call->state) { /* the first recipient; the slot says so even where there is no result */
        *call->state = call->arena;
        find_result(call);
    }
    const struct fact *known = facts_get(call->facts, "spf");
    struct result result = known ? judge(call, known->value) : RESULT(RESULT_DUNNO);
    return result.code == RESULT_REJECT || result.code == RESULT_DEFER ? result : RESULT(RESULT_DUNNO);
}

static struct result on_eom(const struct check_call *call)
{
    const struct check_spf_options *options = call->options;
    if (!call->services->dns && options->source == AUTHRES_SELF)
        return (struct result){RESULT_ERROR, NULL, "there is no resolver"};
    const struct fact *known = facts_get(call->facts, "spf");
    const struct auth_spf *spf = known ? known->value : *call->state ? NULL : find_result(call);
    if (!spf)
        return RESULT(RESULT_DUNNO);
    struct result result = judge(call, spf);
    if (result.code == RESULT_REJECT && dmarc_decides(call))
        result.code = RESULT_REJECT_UNLESS;
    return result;
}

static unsigned needs_with(const void *of)
{
    const struct check_spf_options *options = of;
    bool reads = options->source == AUTHRES_HEADER_OF_ANOTHER || !netset_is_empty(options->trusted_relays);
    return reads ? NEEDS_HEADER : 0;
}

static const char *const provides[] = {"spf", NULL};

const struct check check_spf = {
    .name = "spf",
    .summary = "Looks whether the client may send for the domain it names (SPF, RFC 7208).",
    .rows = rows,
    .options_size = sizeof(struct check_spf_options),
    .whys = whys,
    .needs = NEEDS_HEADER,
    .needs_with = needs_with,
    .provides = provides,
    .never_objects = 1u << PHASE_MAIL,
    .on_mail = on_mail,
    .on_rcpt = on_rcpt,
    .on_eom = on_eom,
};
