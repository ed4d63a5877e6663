/*
 * srs_rows - the options of the check srs.
 *
 * What can be said of a value alone is said here; the secrets and the socket are opened with the services.
 */
#include "checks/srs.h"
#include "spool/spool.h"
#include "srs/socketmap.h"
#include "util/domain.h"
#include <string.h>

#define DAY_MS 86400000
#define OPTION(member) offsetof(struct srs_check_options, member)
#define TRAVELS(member) .offset = offsetof(struct srs_check_options, forwarding.member)

static const struct option_word mixed_words[] = {{"split", FORWARDING_SPLIT},
                                                 {"rewrite", FORWARDING_REWRITE},
                                                 {NULL, 0}};

/* An SRS address has to leave room for "SRS0=hash=TT==token" and the whole path its limit of 256 octets. */
#define SRS_DOMAIN_MAX 180

static const char *verify_domain(const char *value)
{
    char canonical[DOMAIN_MAX + 1];
    if (domain_canonical(span_of(value), canonical) != 0 || strcmp(canonical, value) != 0)
        return "is no domain name in lower case, as A-labels";
    return strlen(value) > SRS_DOMAIN_MAX ? "is longer than 180 octets, so no SRS address fits before it" : NULL;
}

static const char *verify_map(const char *value)
{
    char canonical[DOMAIN_MAX + 1];
    const char *equals = strchr(value, '=');
    if (!equals || domain_canonical((struct span){value, (size_t)(equals - value)}, canonical) != 0)
        return "is not of the form RECIPIENT-DOMAIN=SRS-DOMAIN";
    return verify_domain(equals + 1);
}

static const char *verify_file(const char *value)
{
    return value[0] == '/' ? NULL : "is no absolute path";
}

static const char *verify_separator(const char *value)
{
    return strlen(value) == 1 && strchr("=+-", *value) ? NULL : "is none of =, + and -";
}

static const char *verify_address(const char *value)
{
    struct netaddr address;
    return netaddr_parse(value, &address) == 0 ? NULL : "is no IP address";
}

const struct option_row srs_rows[] = {
    CHECK_OPTION_ROWS(struct srs_check_options, "{ outside, trusted, authenticated, local }", "tempfail"),
    {.name = "domain", .type = OPTION_STRING, TRAVELS(domain), .verify = verify_domain,
     .help = "The domain of rewritten senders. Its MX must be this host, the MTA must take its SRS addresses, and its "
             "SPF record must permit this host. Empty: no sender is rewritten."},
    {.name = "domain_map", .type = OPTION_STRINGS, TRAVELS(domain_map), .verify = verify_map,
     .help = "Other domains for the mail of some recipients: \"example.org=srs.example.org\" for what recipients at "
             "example.org send on."},
    {.name = "secrets_file", .type = OPTION_STRING, TRAVELS(secrets_file), .verify = verify_file,
     .help = "The secrets that SRS addresses are signed with, one a line; the first signs, all verify. Not readable by "
             "others. Machines that shall undo each other's addresses need the same file. Empty: srs-secrets in "
             "state_directory. If there is none, one is made."},
    {.name = "hash_length", .type = OPTION_INT, TRAVELS(hash_length), .def = "4", .min = 4, .max = 8,
     .help = "Characters of the signature in an address."},
    {.name = "hash_minimum", .type = OPTION_INT, TRAVELS(hash_minimum), .def = "4", .min = 4, .max = 8,
     .help = "Characters that a signature must have at least to be believed. Raise it max_age after hash_length."},
    {.name = "separator", .type = OPTION_STRING, TRAVELS(separator), .def = "=", .verify = verify_separator,
     .help = "What stands behind SRS0 and SRS1: =, + or -. Not the recipient_delimiter of the MTA."},
    {.name = "max_age", .type = OPTION_DURATION, TRAVELS(max_age), .def = "21d", .min = DAY_MS,
     .max = (int64_t)365 * DAY_MS, .help = "How long a bounce may take to come back. Whole days."},
    {.name = "spf_aware", .type = OPTION_BOOL, TRAVELS(spf_aware), .def = "no",
     .help = "Leave the sender alone if its SPF record permits every one of own_addresses."},
    {.name = "own_addresses", .type = OPTION_STRINGS, TRAVELS(own_addresses), .verify = verify_address,
     .help = "The IP addresses that our mail leaves from. They count as this host when it hands mail on to itself."},
    {.name = "mixed", .type = OPTION_ENUM, TRAVELS(mixed), .def = "split", .words = mixed_words,
     .help = "A message that somebody here gets and somebody elsewhere. split: what is delivered here keeps its "
             "reverse-path, what leaves goes as a copy through the spool. rewrite: one rewritten reverse-path for all, "
             "without copies."},
    {.name = "submit", .type = OPTION_STRING, TRAVELS(submit), .def = "smtp://127.0.0.1:10026",
     .verify = spool_verify_url,
     .help = "The MTA's port for copies, with final addresses in them: no filters, no address mapping, this host only."},
    {.name = "max_hops", .type = OPTION_INT, TRAVELS(max_hops), .def = "5", .min = 1, .max = 100,
     .help = "How often a message may have been sent on already. The same recipient never sends it on twice."},
    {.name = "forward_tagged", .type = OPTION_BOOL, TRAVELS(forward_tagged), .def = "yes",
     .help = "Whether a message that a check has marked as suspicious is sent on where somebody here gets it as well."},
    {.name = "reverse_any_sender", .type = OPTION_BOOL, TRAVELS(reverse_any_sender), .def = "no",
     .help = "Whether anybody may write to an SRS address. no: only bounces, from the null reverse-path, MAILER-DAEMON or "
             "postmaster."},
    {.name = "sign_outgoing", .type = OPTION_DOMAINS, TRAVELS(sign_outgoing),
     .help = "Domains whose mail leaves with an SRS address as its reverse-path, too, when our own users send it: then "
             "bounces for mail that others sent in their name are recognised (bounces { require_srs })."},
    {.name = "socketmap", .type = OPTION_STRING, TRAVELS(socketmap), .verify = socketmap_verify_socket,
     .help = "Where Postfix's canonical maps may ask (socketmap_table(5)): \"unix:/run/postern/srs.sock\" or "
             "\"inet:PORT@ADDRESS\". The names are forward and reverse. Empty: no server."},
    {.name = "socketmap_group", .type = OPTION_STRING, TRAVELS(socketmap_group),
     .help = "The group of that unix socket; the daemon's user must belong to it. Empty: left as it is."},
    {.name = "socketmap_mode", .type = OPTION_MODE, TRAVELS(socketmap_mode), .def = "0660",
     .help = "The mode of that unix socket."},
    {.name = "reply_forged", .type = OPTION_TEMPLATE, .offset = OPTION(reply_forged),
     .def = "550 5.1.1 <{rcpt}> - no such address: this SRS address was not made here", .placeholders = "rcpt from",
     .reply_class = "5", .help = "The answer to a forged SRS address. {rcpt} is the recipient, {from} the sender."},
    {.name = "reply_expired", .type = OPTION_TEMPLATE, .offset = OPTION(reply_expired),
     .def = "550 5.7.1 <{rcpt}> - this SRS address has expired", .placeholders = "rcpt from", .reply_class = "5",
     .help = "The answer to one that is older than max_age, with the same placeholders."},
    {.name = "reply_unknown", .type = OPTION_TEMPLATE, .offset = OPTION(reply_unknown),
     .def = "550 5.1.1 <{rcpt}> - no such address", .placeholders = "rcpt from", .reply_class = "5",
     .help = "The answer to one that stands for nobody."},
    {.name = "reply_not_a_bounce", .type = OPTION_TEMPLATE, .offset = OPTION(reply_not_a_bounce),
     .def = "550 5.7.1 <{rcpt}> - only bounces may be sent to this address", .placeholders = "rcpt from",
     .reply_class = "5", .help = "The answer to anybody else who writes to a genuine one."},
    {.name = "reply_loop", .type = OPTION_TEMPLATE, .offset = OPTION(reply_loop),
     .def = "554 5.4.6 <{rcpt}> - forwarding loop: this message was sent on from here before",
     .placeholders = "rcpt from", .reply_class = "5",
     .help = "The answer to a message that comes back. {rcpt} is who sends it on."},
    {.name = NULL}};
