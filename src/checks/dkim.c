/*
 * dkim - the header at its end, the body as it streams by, the result at the end of the message.
 *
 * A signature that fails says no more than no signature at all (RFC 6376 6.1): lists and gateways break honest ones.
 * So every action is `accept` unless the administrator knows better; what a failure means is for the domain's DMARC
 * record to say. The action is chosen by the best result: one signature that passes is enough.
 */
#include "checks/dkim.h"
#include "auth/authres.h"
#include "auth/dkim_verify.h"
#include "util/strbuf.h"

#define DMARC_KEEPS 25 /* percent of the message's DNS budget */
#define OPTION(member) offsetof(struct check_dkim_options, member)

static const struct option_word action_words[] = {
    {"accept", CHECK_DKIM_ACCEPT},     {"tag", CHECK_DKIM_TAG},       {"quarantine", CHECK_DKIM_QUARANTINE},
    {"tempfail", CHECK_DKIM_TEMPFAIL}, {"reject", CHECK_DKIM_REJECT}, {NULL, 0}};

static const struct option_word engine_words[] = {
    {"builtin", VERIFIER_BUILTIN}, {"libopendkim", VERIFIER_LIBOPENDKIM}, {NULL, 0}};

#define ACTION(member, text)                                                                                           \
    {                                                                                                                  \
        .name = #member, .type = OPTION_ENUM, .offset = OPTION(member), .def = "accept", .words = action_words,        \
        .help = text                                                                                                   \
    }

static const struct option_row rows[] = {
    CHECK_OPTION_ROWS(struct check_dkim_options, "{ outside }", "accept"),
    {.name = "engine",
     .type = OPTION_ENUM,
     .offset = OPTION(engine),
     .def = "builtin",
     .words = engine_words,
     .help = "builtin: Postern's own verifier, which follows RFC 6376 octet by octet. libopendkim: that library, which "
             "costs several times the CPU time, fails whatever has a bare CR (or, in simple, a bare LF) in its body, "
             "gives up at a line of more than 256 kB, and judges t= and x= by the clock on the wall (so that "
             "posternctl explain --now tells another story)."},
    AUTHRES_SOURCE_ROW(struct check_dkim_options, source),
    {.name = "max_signatures",
     .type = OPTION_INT,
     .offset = OPTION(max_signatures),
     .def = "8",
     .min = 1,
     .max = VERIFIER_SIGNATURES_MAX,
     .help =
         "How many signatures of a message are verified and reported: those of the From domain first, then those of "
         "the domains above and below it, then the others in the order of the header."},
    {.name = "min_key_bits",
     .type = OPTION_INT,
     .offset = OPTION(min_key_bits),
     .def = "1024",
     .min = 512,
     .max = 4096,
     .help =
         "A signature made with an RSA key of fewer bits is policy and never passes. RFC 8301 demands at least 1024 "
         "(with fewer none passes, whatever stands here) and advises 2048."},
    {.name = "allow_l",
     .type = OPTION_BOOL,
     .offset = OPTION(allow_l),
     .def = "no",
     .help =
         "Let a signature that leaves out the end of the body (l=) count for DMARC. With no it is still reported as "
         "pass, with policy.unsigned-rest=yes in Authentication-Results, but anybody could have added what it leaves "
         "out."},
    {.name = "clock_drift",
     .type = OPTION_DURATION,
     .offset = OPTION(clock_drift),
     .def = "5m",
     .max = VERIFIER_DRIFT_MAX * 1000LL,
     .help = "How far the signer's clock may differ from ours when we look at when a signature was made and when it "
             "expires."},
    ACTION(none, "What to do with a message without a signature (dkim.none)."),
    ACTION(neutral, "What to do if the best signature cannot be judged here (dkim.neutral)."),
    ACTION(fail, "What to do if no signature passes and the best one does not fit the message (dkim.fail)."),
    ACTION(policy, "What to do if no signature passes and the best one is made with a key too short (dkim.policy)."),
    ACTION(temperror,
           "What to do if no signature passes and a key could not be had because name servers did not answer "
           "(dkim.temperror). With on_error = tempfail, accept means tempfail."),
    ACTION(permerror,
           "What to do if no signature passes and the best one is malformed, expired, made with SHA-1, or has "
           "no key (dkim.permerror)."),
    {.name = "reply",
     .type = OPTION_TEMPLATE,
     .offset = OPTION(reply),
     .placeholders = "result reason domain client",
     .reply_class = "5",
     .def = "550 5.7.20 No passing DKIM signature found ({result} {domain} {reason})",
     .help =
         "The answer to what is refused. {result} is the best result, {domain} and {reason} are of the signature that "
         "has it."},
    {.name = "reply_defer",
     .type = OPTION_TEMPLATE,
     .offset = OPTION(reply_defer),
     .placeholders = "result reason domain client",
     .reply_class = "4",
     .def = "451 4.7.20 No passing DKIM signature found now ({result} {domain} {reason}) - try again later",
     .help = "The answer to what is put off."},
    {0}};

/* In the order of enum auth_result. */
static const struct check_why whys[] = {
    {"dkim.none", "The message is not signed."},
    {"dkim.neutral", "The best signature cannot be judged here."},
    {"dkim.fail", "The best signature does not fit the message."},
    {"dkim.policy", "The best signature is made with a key too short."},
    {"dkim.temperror", "The key of the best signature could not be had now."},
    {"dkim.permerror", "The best signature is malformed, expired, made with SHA-1, or has no key."},
    {NULL, NULL}};

struct result check_dkim_decide(const struct check_dkim_options *options, enum auth_result result)
{
    static const enum result_code codes[] = {RESULT_OK, RESULT_TAG, RESULT_QUARANTINE, RESULT_DEFER, RESULT_REJECT};
    bool waits = options->temperror == CHECK_DKIM_ACCEPT && options->common.on_error == ON_ERROR_TEMPFAIL;
    const struct {
        enum auth_result result;
        int action;
        const char *why;
    } table[] = {{AUTH_NONE, options->none, "dkim.none"},
                 {AUTH_NEUTRAL, options->neutral, "dkim.neutral"},
                 {AUTH_FAIL, options->fail, "dkim.fail"},
                 {AUTH_SOFTFAIL, options->fail, "dkim.fail"}, /* from the header of another filter */
                 {AUTH_POLICY, options->policy, "dkim.policy"},
                 {AUTH_TEMPERROR, waits ? CHECK_DKIM_TEMPFAIL : options->temperror, "dkim.temperror"},
                 {AUTH_PERMERROR, options->permerror, "dkim.permerror"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (table[i].result == result)
            return (struct result){codes[table[i].action], table[i].action == CHECK_DKIM_ACCEPT ? NULL : table[i].why,
                                   NULL};
    }
    return RESULT(RESULT_OK);
}

static const struct verifier_options *verifier_options_of(const struct check_call *call)
{
    const struct check_dkim_options *options = call->options;
    struct verifier_options *copy = ARENA_NEW(call->arena, struct verifier_options);
    *copy = (struct verifier_options){.engine = (enum verifier_engine_name)options->engine,
                                      .max_signatures = (unsigned)options->max_signatures,
                                      .min_key_bits = (unsigned)options->min_key_bits,
                                      .allow_l = options->allow_l,
                                      .clock_drift = options->clock_drift / 1000};
    return copy;
}

static struct result on_eoh(const struct check_call *call)
{
    const struct check_dkim_options *options = call->options;
    if (options->source == AUTHRES_SELF && call->services->verifier)
        *call->state = verifier_begin(call->services->verifier, verifier_options_of(call), call->arena, call->message,
                                      call->services->dns);
    return RESULT(RESULT_DUNNO);
}

static void on_body(const struct check_call *call, struct span bytes)
{
    if (*call->state)
        verifier_body(*call->state, bytes);
}

/* "pass d=example.net s=one; fail d=example.org s=two (body hash did not verify)" */
static const char *describe(struct arena *arena, const struct auth_dkim *dkim)
{
    struct strbuf text;
    strbuf_init(&text, 2048);
    for (size_t i = 0; i < dkim->count; i++) {
        const struct auth_dkim_signature *signature = &dkim->signatures[i];
        strbuf_printf(&text, "%s%s d=%s s=%s", i ? "; " : "", auth_result_name(signature->result), signature->domain,
                      signature->selector);
        if (signature->is_partial)
            strbuf_puts(&text, " partial");
        if (signature->reason)
            strbuf_printf(&text, " (%s)", signature->reason);
    }
    const char *copy = dkim->count ? arena_strdup(arena, strbuf_text(&text)) : "none";
    strbuf_free(&text);
    return copy;
}

static const char *reply_of(const struct check_call *call, const struct auth_dkim *dkim,
                            const struct template *template)
{
    const struct auth_dkim_signature *best = NULL;
    char client[NETADDR_TEXT_SIZE];
    for (size_t i = 0; i < dkim->count && !best; i++) {
        if (dkim->signatures[i].result == dkim->result)
            best = &dkim->signatures[i];
    }
    const struct placeholder values[] = {{"result", span_of(auth_result_name(dkim->result))},
                                         {"domain", span_of(best ? best->domain : "")},
                                         {"reason", span_of(best && best->reason ? best->reason : "")},
                                         {"client", span_of(netaddr_format(&call->session->client, client))},
                                         {NULL, {NULL, 0}}};
    return template_expand(template, call->arena, values);
}

static const struct auth_dkim *finish(const struct check_call *call)
{
    struct dns_part part = message_dns_part(call->message, DMARC_KEEPS);
    const struct auth_dkim *dkim = verifier_finish(*call->state, call->services->dns, &part.budget);
    message_dns_settle(call->message, &part);
    return dkim;
}

static struct result on_eom(const struct check_call *call)
{
    const struct check_dkim_options *options = call->options;
    const struct auth_dkim *dkim;
    if (options->source == AUTHRES_HEADER_OF_ANOTHER)
        dkim = authres_read_dkim(call->arena, call->message);
    else if (*call->state)
        dkim = finish(call);
    else
        return (struct result){RESULT_ERROR, NULL, "the verifier could not be started"};
    if (!dkim)
        return RESULT(RESULT_DUNNO);
    facts_set(call->facts, call->arena, "dkim", describe(call->arena, dkim), dkim);
    struct result result = check_dkim_decide(options, dkim->result);
    if (result.code == RESULT_REJECT)
        result.reply = reply_of(call, dkim, options->reply);
    else if (result.code == RESULT_DEFER)
        result.reply = reply_of(call, dkim, options->reply_defer);
    return result;
}

static unsigned needs_with(const void *of)
{
    const struct check_dkim_options *options = of;
    return options->source == AUTHRES_SELF ? NEEDS_HEADER | NEEDS_BODY : NEEDS_HEADER;
}

static const char *const provides[] = {"dkim", NULL};

const struct check check_dkim = {
    .name = "dkim",
    .summary = "Verifies DKIM signatures (RFC 6376), for DMARC and for Authentication-Results.",
    .rows = rows,
    .options_size = sizeof(struct check_dkim_options),
    .whys = whys,
    .needs = NEEDS_HEADER | NEEDS_BODY,
    .needs_with = needs_with,
    .provides = provides,
    .on_eoh = on_eoh,
    .on_body = on_body,
    .on_eom = on_eom,
};
