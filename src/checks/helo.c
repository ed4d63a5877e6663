/*
 * helo - first what kind of thing the client said, then which rule objects to that kind.
 *
 * A switched-off rule lets in what it would have refused: with bare_ip = no a bare address is not refused for its
 * syntax instead, and with localhost = no "localhost" is not refused for having no dot. With syntax = no a malformed
 * name is still refused as not-fqdn when it has no dot, and a malformed literal as the option literals says, so that
 * a name cannot slip through the other rules by being malformed.
 *
 * A name whose last label is all digits ("mail.123", "1.2.3") is malformed: no top level domain is numeric (RFC 3696
 * 2), and programs take such names for addresses. A literal with leading zeros is malformed too, because
 * half of the world reads them as octal.
 *
 * The look-up of `unresolvable` waits for the first recipient, so authenticated clients and refused sessions do not
 * pay for it, and holds for the rest of the message.
 *
 * What this does not do: compare the name with the client's reverse name, or guess at dynamic addresses by patterns
 * in names. Both refuse much legitimate mail.
 */
#include "checks/helo.h"
#include "util/clock.h"
#include <ctype.h>

#define FACT_RULE "helo.rule"
#define FACT_LOOKUP "helo.lookup"

static const struct option_word literal_words[] = {
    {"reject", HELO_LITERALS_REJECT}, {"match", HELO_LITERALS_MATCH}, {"accept", HELO_LITERALS_ACCEPT}, {NULL, 0}};

#define SWITCH(field, preset, text)                                                                                    \
    {.name = #field, .type = OPTION_BOOL, .offset = offsetof(struct helo_options, field), .def = preset, .help = text}

static const struct option_row rows[] = {
    CHECK_OPTION_ROWS(struct helo_options, "{ outside }", "accept"),
    SWITCH(missing, "yes", "Refuse a client that sent neither HELO nor EHLO (helo.missing)."),
    SWITCH(syntax, "yes",
           "Refuse what is no host name (helo.syntax): labels of letters, digits, hyphens and underscores, up to 63 "
           "octets each and 253 in all, the last one not of digits alone; internationalized names are fine. A "
           "malformed address literal counts as well."),
    SWITCH(bare_ip, "yes", "Refuse an address without brackets, such as 192.0.2.1 (helo.bare-ip)."),
    {.name = "literals", .type = OPTION_ENUM, .offset = offsetof(struct helo_options, literals), .def = "reject",
     .words = literal_words,
     .help = "What to do with an address literal such as [192.0.2.1]. reject: refuse it (helo.literal), because an "
             "address does not name a server. match: accept it if it is the client's own address, else refuse it. "
             "accept: accept it."},
    SWITCH(localhost, "yes",
           "Refuse localhost, localhost.localdomain and every name under them (helo.localhost). With no they are "
           "accepted, whether they have a dot or not."),
    SWITCH(not_fqdn, "yes", "Refuse a name without a dot, such as www (helo.not-fqdn)."),
    {.name = "banned", .type = OPTION_DOMAINS, .offset = offsetof(struct helo_options, banned), .def = "",
     .help = "Refuse these names (helo.banned): a name, a .suffix for all names under it, or a file with one of them "
             "a line."},
    SWITCH(self, "yes",
           "Refuse our own host name and the local_domains when a stranger uses them (helo.self). Trusted and "
           "authenticated clients may."),
    SWITCH(unresolvable, "no",
           "Refuse a name that has neither an A nor an AAAA nor an MX record (helo.unresolvable). Off, because many "
           "honest servers name themselves with a private name. When the DNS gives no answer within the timeout of "
           "section dns, on_error decides."),
    {.name = "reply", .type = OPTION_TEMPLATE, .offset = offsetof(struct helo_options, reply),
     .def = "550 5.7.1 <{rcpt}>... Access denied - bogus HELO [{helo}]", .placeholders = "rcpt helo client",
     .reply_class = "5",
     .help = "The answer to each RCPT. {rcpt} is the recipient, {helo} what the client called itself, {client} its "
             "address."},
    {.name = NULL}};

static const struct check_why whys[] = {
    {"helo.missing", "The client sent neither HELO nor EHLO."},
    {"helo.syntax", "The client's name is no host name."},
    {"helo.bare-ip", "The client named itself by an address without brackets."},
    {"helo.literal", "The client named itself by an address literal."},
    {"helo.localhost", "The client named itself localhost or a name under it."},
    {"helo.banned", "The client's name is on the administrator's list."},
    {"helo.not-fqdn", "The client's name is not fully qualified."},
    {"helo.self", "A stranger called itself by our name or one of our domains."},
    {"helo.unresolvable", "The client's name has no A, AAAA or MX record."},
    {NULL, NULL}};

const char *helo_rule_why(enum helo_rule rule)
{
    return rule == HELO_OK ? NULL : whys[rule - HELO_MISSING].token;
}

enum name_kind { KIND_NONE, KIND_LITERAL, KIND_BAD_LITERAL, KIND_ADDRESS, KIND_NAME, KIND_MALFORMED };

struct client_name {
    enum name_kind kind;
    struct netaddr address;      /* of a literal */
    char name[DOMAIN_MAX + 1];   /* canonical, of KIND_NAME */
};

static bool last_label_is_digits(const char *canonical)
{
    const char *dot = strrchr(canonical, '.'), *label = dot ? dot + 1 : canonical;
    return label[strspn(label, "0123456789")] == '\0';
}

/* An address without brackets, the tag of an IPv6 literal or a trailing dot forgiven. */
static bool is_address(struct span text)
{
    char copy[NETADDR_TEXT_SIZE];
    struct netaddr unused;
    if (text.len > 5 && strncasecmp(text.ptr, "IPv6:", 5) == 0)
        text = (struct span){text.ptr + 5, text.len - 5};
    if (text.len > 0 && text.ptr[text.len - 1] == '.')
        text.len--;
    if (text.len >= sizeof copy)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return netaddr_parse(copy, &unused) == 0;
}

/* RFC 5321 4.1.3: "[192.0.2.1]" or "[IPv6:2001:db8::1]"; the tag is what tells the families apart. */
static bool literal_parse(struct span text, struct netaddr *address)
{
    char copy[NETADDR_TEXT_SIZE];
    if (text.len < 3 || text.ptr[text.len - 1] != ']')
        return false;
    text = (struct span){text.ptr + 1, text.len - 2};
    bool tagged = text.len > 5 && strncasecmp(text.ptr, "IPv6:", 5) == 0;
    if (tagged)
        text = (struct span){text.ptr + 5, text.len - 5};
    if (text.len >= sizeof copy)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return netaddr_parse(copy, address) == 0 && tagged == (strchr(copy, ':') != NULL);
}

static void name_classify(const char *helo, struct client_name *name)
{
    struct span text = span_of(helo ? helo : "");
    if (text.len == 0)
        name->kind = KIND_NONE;
    else if (text.ptr[0] == '[')
        name->kind = literal_parse(text, &name->address) ? KIND_LITERAL : KIND_BAD_LITERAL;
    else if (is_address(text))
        name->kind = KIND_ADDRESS;
    else if (domain_canonical(text, name->name) == 0 && !last_label_is_digits(name->name))
        name->kind = KIND_NAME;
    else
        name->kind = KIND_MALFORMED;
}

static bool is_localhost(const char *canonical)
{
    return domain_is_within(canonical, "localhost") || domain_is_within(canonical, "localhost.localdomain");
}

static enum helo_rule judge_literal(const struct helo_options *options, const struct client_name *name,
                                    const struct netaddr *client)
{
    if (name->kind == KIND_BAD_LITERAL && options->syntax)
        return HELO_SYNTAX;
    bool own = name->kind == KIND_LITERAL && netaddr_equal(&name->address, client);
    bool fine = options->literals == HELO_LITERALS_ACCEPT || (options->literals == HELO_LITERALS_MATCH && own);
    return fine ? HELO_OK : HELO_LITERAL;
}

static enum helo_rule judge_name(const struct helo_options *options, const struct helo_facts *facts, const char *name)
{
    bool is_ours = (facts->hostname && strcmp(name, facts->hostname) == 0) ||
                   (facts->local_domains && domain_set_has(facts->local_domains, name));
    if (options->localhost && is_localhost(name))
        return HELO_LOCALHOST;
    if (options->banned && domain_set_has(options->banned, name))
        return HELO_BANNED;
    if (options->not_fqdn && !strchr(name, '.') && !is_localhost(name))
        return HELO_NOT_FQDN;
    if (options->self && facts->is_stranger && is_ours)
        return HELO_SELF;
    if (options->unresolvable && facts->lookup == HELO_RESOLVES_NOT)
        return HELO_UNRESOLVABLE;
    return HELO_OK;
}

enum helo_rule helo_judge(const struct helo_options *options, const struct helo_facts *facts)
{
    struct client_name name;
    name_classify(facts->helo, &name);
    switch (name.kind) {
    case KIND_NONE:
        return options->missing ? HELO_MISSING : HELO_OK;
    case KIND_LITERAL:
    case KIND_BAD_LITERAL:
        return judge_literal(options, &name, &facts->client);
    case KIND_ADDRESS:
        return options->bare_ip ? HELO_BARE_IP : HELO_OK;
    case KIND_MALFORMED:
        if (options->syntax)
            return HELO_SYNTAX;
        return options->not_fqdn && !strchr(facts->helo, '.') ? HELO_NOT_FQDN : HELO_OK;
    case KIND_NAME:
        break;
    }
    return judge_name(options, facts, name.name);
}

enum helo_lookup helo_combine(const enum dns_outcome *outcomes, size_t count)
{
    enum helo_lookup lookup = HELO_RESOLVES_NOT;
    for (size_t i = 0; i < count; i++) {
        if (outcomes[i] == DNS_ANSWER)
            return HELO_RESOLVES;
        if (outcomes[i] != DNS_NXDOMAIN && outcomes[i] != DNS_NODATA)
            lookup = HELO_LOOKUP_FAILED;
    }
    return lookup;
}

static struct helo_facts gather(const struct check_call *call)
{
    const struct session *session = call->session;
    return (struct helo_facts){.helo = session->helo,
                               .client = session->client,
                               .is_stranger = session_class(session) == CLASS_OUTSIDE,
                               .hostname = call->settings->hostname,
                               .local_domains = call->settings->general->local_domains,
                               .lookup = HELO_NOT_LOOKED_UP};
}

static struct result on_helo(const struct check_call *call)
{
    struct helo_facts facts = gather(call);
    const char *why = helo_rule_why(helo_judge(call->options, &facts));
    const struct fact *before = call_fact(call, FACT_RULE);
    /* A client may say EHLO without end: what has not changed takes no memory. */
    if (!before || before->value != why)
        facts_set(call->facts, call->arena, FACT_RULE, why ? why + strlen("helo.") : "ok", why);
    return RESULT(RESULT_DUNNO);
}

/* The look-ups run at the same time; all together stay within the timeout, and none takes the time of those behind. */
static enum helo_lookup look_up(const struct check_call *call, const char *name)
{
    static const enum dns_type types[] = {DNS_A, DNS_AAAA, DNS_MX};
    enum dns_outcome outcomes[3];
    struct dns *dns = call->services->dns;
    struct dns_budget *whole = call->message->dns_budget, part = *whole;
    int64_t end = clock_monotonic_us() + whole->timeout_us;
    dns_prefetch(dns, name, DNS_AAAA);
    dns_prefetch(dns, name, DNS_MX);
    if (part.deadline_us > end)
        part.deadline_us = end;
    for (size_t i = 0; i < 3; i++) {
        part.timeout_us = (part.deadline_us - clock_monotonic_us()) / (int64_t)(3 - i);
        outcomes[i] = dns_query(dns, &part, call->arena, name, types[i])->outcome;
        whole->queries_left = part.queries_left;
        if (outcomes[i] == DNS_ANSWER)
            return HELO_RESOLVES;
    }
    return helo_combine(outcomes, 3);
}

/* The outcome for this message, from the DNS the first time. */
static enum helo_lookup lookup_of(const struct check_call *call)
{
    static const char *const texts[] = {"none", "resolves", "unresolvable", "failed"};
    static const enum helo_lookup values[] = {HELO_NOT_LOOKED_UP, HELO_RESOLVES, HELO_RESOLVES_NOT, HELO_LOOKUP_FAILED};
    const struct fact *known = call_fact(call, FACT_LOOKUP);
    if (known)
        return *(const enum helo_lookup *)known->value;
    struct client_name name;
    name_classify(call->session->helo, &name);
    if (name.kind != KIND_NAME)
        return HELO_NOT_LOOKED_UP;
    enum helo_lookup lookup = call->services->dns ? look_up(call, name.name) : HELO_LOOKUP_FAILED;
    facts_set(call->facts, call->arena, FACT_LOOKUP, texts[lookup], &values[lookup]);
    return lookup;
}

static struct result refuse(const struct check_call *call, const char *why)
{
    const struct helo_options *options = call->options;
    char client[NETADDR_TEXT_SIZE];
    const struct placeholder values[] = {
        {"rcpt", span_of(call->recipient->address)},
        {"helo", span_of(call->session->helo ? call->session->helo : "")},
        {"client", span_of(netaddr_format(&call->session->client, client))},
        {NULL, {NULL, 0}}};
    return (struct result){RESULT_REJECT, why, template_expand(options->reply, call->arena, values)};
}

static struct result on_rcpt(const struct check_call *call)
{
    const struct helo_options *options = call->options;
    if (call->session->is_local || call->recipient->is_exempt)
        return RESULT(RESULT_DUNNO); /* a local submission has no HELO */
    struct helo_facts facts = gather(call);
    const struct fact *judged = call_fact(call, FACT_RULE);
    if (!judged) { /* there was no HELO that could have been judged */
        const char *rule = helo_rule_why(helo_judge(options, &facts));
        facts_set(call->facts, call->arena, FACT_RULE, rule ? rule + strlen("helo.") : "ok", rule);
        judged = call_fact(call, FACT_RULE);
    }
    const char *why = judged->value;
    if (why == helo_rule_why(HELO_SELF) && !facts.is_stranger)
        why = NULL; /* authenticated since */
    if (why)
        return refuse(call, why);
    if (!options->unresolvable)
        return RESULT(RESULT_OK);
    facts.lookup = lookup_of(call);
    if (facts.lookup == HELO_LOOKUP_FAILED)
        return (struct result){RESULT_ERROR, NULL, "the DNS gave no answer about the HELO name"};
    why = helo_rule_why(helo_judge(options, &facts));
    return why ? refuse(call, why) : RESULT(RESULT_OK);
}

static const char *const provides[] = {FACT_RULE, FACT_LOOKUP, NULL};

const struct check check_helo = {
    .name = "helo",
    .summary = "Refuses clients that do not name themselves with a fully qualified host name.",
    .rows = rows,
    .options_size = sizeof(struct helo_options),
    .whys = whys,
    .provides = provides,
    .on_helo = on_helo,
    .on_rcpt = on_rcpt,
};
