/*
 * dmarc_rows - the options of the check dmarc.
 */
#include "auth/authres.h"
#include "checks/dmarc.h"

#define OPTION(member) offsetof(struct check_dmarc_options, member)

static const struct option_word org_words[] = {{"treewalk", TREEWALK_DNS}, {"psl", TREEWALK_PSL}, {NULL, 0}};
static const struct option_word multiple_words[] = {
    {"evaluate", CHECK_DMARC_EVALUATE}, {"reject", CHECK_DMARC_REJECT_SEVERAL}, {NULL, 0}};
static const struct option_word refuse_words[] = {
    {"reject", CHECK_DMARC_REJECT}, {"accept", CHECK_DMARC_ACCEPT}, {NULL, 0}};
static const struct option_word policy_words[] = {{"reject", CHECK_DMARC_REJECT},
                                                  {"quarantine", CHECK_DMARC_QUARANTINE},
                                                  {"tag", CHECK_DMARC_TAG},
                                                  {"accept", CHECK_DMARC_ACCEPT},
                                                  {NULL, 0}};
static const struct option_word none_words[] = {{"accept", CHECK_DMARC_ACCEPT}, {"tag", CHECK_DMARC_TAG}, {NULL, 0}};
static const struct option_word temperror_words[] = {
    {"accept", CHECK_DMARC_ACCEPT}, {"tempfail", CHECK_DMARC_TEMPFAIL}, {NULL, 0}};

#define ACTION(member, preset, set, text)                                                                              \
    {                                                                                                                  \
        .name = #member, .type = OPTION_ENUM, .offset = OPTION(member), .def = preset, .words = set, .help = text      \
    }

const struct option_row dmarc_rows[] = {
    CHECK_OPTION_ROWS(struct check_dmarc_options, "{ outside }", "accept"),
    AUTHRES_SOURCE_ROW(struct check_dmarc_options, source),
    ACTION(
        org_domain, "treewalk", org_words,
        "How the organizational domain is found. treewalk: by asking for the DMARC records of the parents, at most 8 "
        "names (RFC 9989). psl: with the public suffix list of the system (RFC 7489)."),
    ACTION(
        multiple_from, "evaluate", multiple_words,
        "From fields that name several author domains. evaluate: each is evaluated and the strictest decides. reject: "
        "refuse the message (dmarc.multiple-from)."),
    ACTION(
        no_from, "reject", refuse_words,
        "A message without an author domain that could be evaluated: no From field, no domain name in it, or more than "
        "can be looked at. reject: refuse it (dmarc.no-from). accept: leave it to the other checks."),
    ACTION(reject, "reject", policy_words, "What to do if the policy is reject and the message fails (dmarc.reject)."),
    ACTION(quarantine, "quarantine", policy_words,
           "What to do if the policy is quarantine and the message fails (dmarc.quarantine). quarantine: the MTA holds "
           "it."),
    ACTION(none, "accept", none_words, "What to do if the policy is none and the message fails (dmarc.none)."),
    ACTION(
        temperror, "accept", temperror_words,
        "What to do if a name server does not answer and the result depends on it (dmarc.temperror). With on_error = "
        "tempfail, accept means tempfail."),
    ACTION(permerror, "accept", none_words,
           "What to do if the author's domain has several DMARC records or a malformed one (dmarc.permerror). Such a "
           "record is never enforced."),
    {.name = "honour_pct",
     .type = OPTION_BOOL,
     .offset = OPTION(honour_pct),
     .def = "no",
     .help = "Apply the policy to pct percent of the failing messages only, and one level weaker to the others, as RFC "
             "7489 had it. RFC 9989 has no pct."},
    {.name = "never_enforce",
     .type = OPTION_DOMAINS,
     .offset = OPTION(never_enforce),
     .help = "Author domains whose policy is not carried out: names, .suffixes, or files. They are still evaluated. It "
             "goes before always_enforce, but only if all author domains of the message are on the list."},
    {.name = "never_enforce_networks",
     .type = OPTION_NETWORKS,
     .offset = OPTION(never_enforce_networks),
     .help =
         "Clients whose mail is evaluated, but for which no policy is carried out, such as a mailing list's host that "
         "one must receive from."},
    {.name = "always_enforce",
     .type = OPTION_DOMAINS,
     .offset = OPTION(always_enforce),
     .help =
         "Author domains whose mail is refused if it is not aligned, whatever their DMARC record asks for, and also "
         "without one (dmarc.always-enforce)."},
    {.name = "reply",
     .type = OPTION_TEMPLATE,
     .offset = OPTION(reply),
     .placeholders = "domain policy_domain client",
     .reply_class = "5",
     .def = "550 5.7.1 <{domain}> - DMARC policy of {policy_domain}: reject",
     .help =
         "The answer to what is refused. {domain} is the author domain, {policy_domain} where its record was found, or "
         "our own name if always_enforce decided."},
    {.name = "reply_temperror",
     .type = OPTION_TEMPLATE,
     .offset = OPTION(reply_temperror),
     .placeholders = "domain client",
     .reply_class = "4",
     .def = "451 4.7.1 <{domain}> - DMARC cannot be evaluated now, try again later",
     .help = "The answer with temperror = tempfail."},
    {.name = "reply_from",
     .type = OPTION_TEMPLATE,
     .offset = OPTION(reply_from),
     .placeholders = "reason client",
     .reply_class = "5",
     .def = "550 5.6.0 From field cannot be used for DMARC: {reason}",
     .help = "The answer with no_from = reject and multiple_from = reject. {reason} says what is wrong."},
    {0}};
