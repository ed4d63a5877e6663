/*
 * bounces - with srs { sign_outgoing } the outgoing mail of a domain carries an SRS address as its reverse-path, so a
 * bounce that is addressed to the plain address answers mail that somebody else sent in its name.
 *
 * Only the null reverse-path is a bounce for certain; a few servers bounce as MAILER-DAEMON@, and so do people who
 * write to themselves. Recipients on exempt_recipients keep getting everything. Whether an SRS address is genuine is
 * the check srs's to say.
 *
 * What this does not do: recognise bounces by their content. Automatic replies to the author of the header (they should
 * go to the reverse-path, RFC 3834 4) carry the null reverse-path, too, and are refused likewise.
 */
#include "checks/bounces.h"
#include "srs/forwarding.h"
#include "util/domain.h"
#include <string.h>

#define OPTION(member) offsetof(struct bounces_options, member)
#define WHY_UNSIGNED "bounces.unsigned"

static const struct option_row rows[] = {
    CHECK_OPTION_ROWS(struct bounces_options, "{ outside }", "tempfail"),
    {.name = "require_srs",
     .type = OPTION_BOOL,
     .offset = OPTION(require_srs),
     .def = "no",
     .help = "Whether a bounce (a message with the null reverse-path) to an address in the domains of srs { "
             "sign_outgoing } must be addressed to a signed address. Switch it on some days after sign_outgoing, so that "
             "the bounces of what was sent before still arrive."},
    {.name = "reply",
     .type = OPTION_TEMPLATE,
     .offset = OPTION(reply),
     .def = "550 5.7.1 <{rcpt}> - this message was not sent from here",
     .placeholders = "rcpt client",
     .reply_class = "5",
     .help = "The answer to other bounces. {rcpt} is the recipient, {client} the client's address."},
    {.name = NULL}};

static const struct check_why whys[] = {
    {WHY_UNSIGNED, "A bounce to an address whose outgoing mail is signed, and this is not the signed address."},
    {NULL, NULL}};

/* RECIPIENT gets a bounce if REVERSE_PATH is the null one: may it be for mail of ours? */
static bool is_genuine(const struct forwarding *forwarding, const char *reverse_path, const char *recipient)
{
    char domain[DOMAIN_MAX + 1];
    if (*reverse_path || domain_of_address(recipient, domain) != 0)
        return true;
    return forwarding_is_ours(forwarding, recipient) || !domain_set_has(forwarding->options->sign_outgoing, domain);
}

static struct result on_rcpt(const struct check_call *call)
{
    const struct bounces_options *options = call->options;
    const struct forwarding *forwarding = call->services->forwarding;
    const char *recipient = call->recipient->address;
    char client[NETADDR_TEXT_SIZE];
    if (!forwarding || call->recipient->is_exempt ||
        is_genuine(forwarding, call->message->reverse_path, recipient))
        return RESULT(RESULT_DUNNO);
    const struct placeholder values[] = {{"rcpt", span_of(recipient)},
                                         {"client", span_of(netaddr_format(&call->session->client, client))},
                                         {NULL, {NULL, 0}}};
    return (struct result){RESULT_REJECT, WHY_UNSIGNED, template_expand(options->reply, call->arena, values)};
}

static bool is_idle(const struct settings *settings, const void *options)
{
    (void)settings;
    return !((const struct bounces_options *)options)->require_srs;
}

const struct check check_bounces = {
    .name = "bounces",
    .summary = "Refuses bounces for mail that was not sent from here.",
    .rows = rows,
    .options_size = sizeof(struct bounces_options),
    .whys = whys,
    .is_idle = is_idle,
    .on_rcpt = on_rcpt,
};
