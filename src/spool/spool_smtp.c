/*
 * spool_smtp - the dialogue. Where PIPELINING is offered (RFC 2920) the envelope and DATA go out together, for a
 * message behind another one together with the final dot of that, which for a small message is most of what it costs;
 * with many recipients they go one by one. What a server says ahead of its turn must never count as the answer to
 * something it has not seen: before each group and before the final dot nothing may have come that was not asked for.
 *
 * What was announced and is not to be sent after all is taken back by hanging up: the server waits for content then.
 */
#include "spool/spool_content.h"
#include "spool/spool_lines.h"
#include <stdio.h>
#include <stdlib.h>

#define COMMAND_MAX 8192
#define FAREWELL_MS 1000

struct spool_smtp {
    struct spool_wire *wire;
    struct spool_mta mta;
    struct spool_reply reply; /* the latest */
    bool is_ahead;            /* the commands up to DATA were sent; only their replies are to be read */
    const struct spool_recipient *announced; /* with the final dot before it; NULL: nobody */
    bool is_broken;
    char text[512]; /* of the latest reply, or the problem */
};

static int broken(struct spool_smtp *smtp, const char *problem)
{
    smtp->is_broken = true;
    snprintf(smtp->text, sizeof smtp->text, "%s", problem);
    return -1;
}

/* The code of the reply, or -1: the connection is of no use any more. 421 is both. */
static int read_reply(struct spool_smtp *smtp)
{
    if (spool_wire_receive(smtp->wire, &smtp->reply) != 0)
        return broken(smtp, spool_wire_problem(smtp->wire));
    spool_reply_text(&smtp->reply, smtp->text, sizeof smtp->text);
    if (smtp->reply.code == 421)
        smtp->is_broken = true;
    return smtp->reply.code;
}

/* 0: nothing has come. Else what read_reply() says: a farewell, or nonsense. */
static int hear(struct spool_smtp *smtp)
{
    if (!spool_wire_has_input(smtp->wire))
        return 0;
    int code = read_reply(smtp);
    return code == 421 || code < 0 ? code : broken(smtp, "the server spoke out of turn");
}

static int send_line(struct spool_smtp *smtp, const struct strbuf *line)
{
    int code = smtp->is_broken ? -1 : hear(smtp);
    if (code != 0)
        return code;
    if (line->truncated)
        return broken(smtp, "the command would be too long");
    if (spool_wire_send(smtp->wire, (struct span){line->ptr, line->len}) != 0)
        return broken(smtp, spool_wire_problem(smtp->wire));
    return 0;
}

static int command(struct spool_smtp *smtp, const struct strbuf *line)
{
    int code = send_line(smtp, line);
    return code == 0 ? read_reply(smtp) : code;
}

static int say(struct spool_smtp *smtp, const char *word, const char *argument)
{
    struct strbuf line;
    strbuf_init(&line, COMMAND_MAX);
    strbuf_printf(&line, "%s%s%s\r\n", word, argument ? " " : "", argument ? argument : "");
    int code = command(smtp, &line);
    strbuf_free(&line);
    return code;
}

static bool greet(struct spool_smtp *smtp, const char *hostname)
{
    int code = say(smtp, "EHLO", hostname);
    if (code >= 500 && !smtp->is_broken)
        code = say(smtp, "HELO", hostname);
    if (code < 200 || code > 299)
        return false;
    smtp->mta.hello = smtp->reply;
    smtp->mta.offers = spool_reply_offers(&smtp->reply);
    smtp->mta.can_pipeline = spool_reply_offers_keyword(&smtp->reply, span_of("PIPELINING"));
    return true;
}

struct spool_smtp *spool_smtp_open(const struct spool_endpoint *endpoint, const char *hostname, int64_t timeout,
                                   const _Atomic(int64_t) *stopped_at, char *problem, size_t size)
{
    struct spool_wire *wire = spool_wire_open(endpoint, timeout, stopped_at, problem, size);
    if (!wire)
        return NULL;
    struct spool_smtp *smtp = calloc(1, sizeof *smtp);
    if (!smtp)
        abort();
    smtp->wire = wire;
    if (greet(smtp, hostname))
        return smtp;
    snprintf(problem, size, "%.250s", smtp->text);
    spool_smtp_close(smtp);
    return NULL;
}

bool spool_smtp_has_announced(const struct spool_smtp *smtp)
{
    return smtp->announced != NULL;
}

void spool_smtp_close(struct spool_smtp *smtp)
{
    if (!smtp)
        return;
    if (!smtp->is_broken && !smtp->announced) { /* else it waits for content, and cutting it takes that back */
        spool_wire_limit(smtp->wire, FAREWELL_MS);
        say(smtp, "QUIT", NULL);
    }
    spool_wire_close(smtp->wire);
    free(smtp);
}

static int say_mail(struct spool_smtp *smtp, const struct spool_delivery *delivery)
{
    struct strbuf line;
    if (smtp->is_ahead)
        return read_reply(smtp);
    strbuf_init(&line, COMMAND_MAX);
    spool_lines_mail(&smtp->mta, &line, delivery);
    int code = command(smtp, &line);
    strbuf_free(&line);
    return code;
}

static int say_rcpt(struct spool_smtp *smtp, const struct spool_recipient *recipient)
{
    struct strbuf line;
    if (smtp->is_ahead)
        return read_reply(smtp);
    strbuf_init(&line, COMMAND_MAX);
    spool_lines_rcpt(&smtp->mta, &line, recipient);
    int code = command(smtp, &line);
    strbuf_free(&line);
    return code;
}

static int say_data(struct spool_smtp *smtp)
{
    return smtp->is_ahead ? read_reply(smtp) : say(smtp, "DATA", NULL);
}

/* What say_mail(), say_rcpt() and say_data() would say, at once; from then on they only listen. */
static void say_ahead(struct spool_smtp *smtp, const struct spool_delivery *delivery)
{
    struct strbuf group;
    if (smtp->announced && smtp->announced != delivery->recipients)
        broken(smtp, "another message was announced");
    smtp->is_ahead = smtp->announced != NULL;
    smtp->announced = NULL;
    if (smtp->is_ahead || smtp->is_broken)
        return;
    strbuf_init(&group, COMMAND_MAX);
    if (spool_lines_group(&smtp->mta, &group, delivery))
        smtp->is_ahead = send_line(smtp, &group) == 0;
    strbuf_free(&group);
}

/* ---- one message ---- */

static void settle(struct spool_delivery *delivery, enum spool_fate from, enum spool_fate to, const char *reply)
{
    delivery->reply = arena_strdup(delivery->arena, reply);
    for (size_t i = 0; i < delivery->count; i++) {
        if (delivery->recipients[i].fate == from) {
            delivery->recipients[i].fate = to;
            delivery->recipients[i].reply = delivery->reply;
        }
    }
}

/* A 5xx decides; everything else may be better next time. */
static enum spool_fate fate_of(int code)
{
    return code >= 500 ? SPOOL_FATE_REFUSED : SPOOL_FATE_WAITING;
}

static enum spool_end_of_step end_step(struct spool_smtp *smtp)
{
    if (!smtp->is_broken)
        return SPOOL_STEP_DONE;
    return spool_wire_was_stopped(smtp->wire) ? SPOOL_STEP_STOPPED : SPOOL_STEP_BROKEN;
}

/* After a refusal in the middle: the server forgets the transaction. */
static enum spool_end_of_step give_way(struct spool_smtp *smtp)
{
    if (!smtp->is_broken && say(smtp, "RSET", NULL) / 100 != 2)
        smtp->is_broken = true;
    return smtp->is_broken ? SPOOL_STEP_BROKEN : SPOOL_STEP_DONE;
}

/* How many were accepted (they are in DOUBT now); -1: the connection is broken. */
static int offer_recipients(struct spool_smtp *smtp, struct spool_delivery *delivery)
{
    int accepted = 0;
    for (size_t i = 0; i < delivery->count; i++) {
        struct spool_recipient *recipient = &delivery->recipients[i];
        if (recipient->fate != SPOOL_FATE_WAITING)
            continue;
        int code = say_rcpt(smtp, recipient);
        delivery->reply = recipient->reply = arena_strdup(delivery->arena, smtp->text);
        if (smtp->is_broken)
            return -1;
        if (code / 100 == 2) {
            recipient->fate = SPOOL_FATE_DOUBT;
            accepted++;
        } else if (!(code == 552 && accepted > 0)) { /* "too many": RFC 5321 section 4.5.3.1.10 */
            recipient->fate = fate_of(code);
        }
    }
    return accepted;
}

/* From the 354 to the final dot. 0; else nothing was sent that counts. */
static int send_up_to_dot(struct spool_smtp *smtp, struct spool_delivery *delivery, struct strbuf *block)
{
    const char *problem = spool_content_send(smtp->wire, delivery, block);
    if (problem)
        return broken(smtp, problem);
    int code = hear(smtp);
    if (code != 0) {
        smtp->is_broken = true;
        return code;
    }
    return delivery->before_dot(delivery->context) ? 0 : broken(smtp, "the queue cannot be written");
}

/* The envelope behind this message, in the same group as its final dot: an MTA is asked for the next one while it
 * answers for the last. */
static void announce(struct spool_smtp *smtp, struct strbuf *block, const struct spool_delivery *next)
{
    if (next && !spool_lines_unfit(&smtp->mta, next) && spool_lines_group(&smtp->mta, block, next))
        smtp->announced = next->recipients;
}

/* From the 354 to the reply to the final dot. */
static enum spool_end_of_step send_data(struct spool_smtp *smtp, struct spool_delivery *delivery)
{
    struct strbuf block;
    strbuf_init(&block, 3 * SPOOL_BLOCK_SIZE + COMMAND_MAX + 32);
    if (send_up_to_dot(smtp, delivery, &block) != 0) {
        strbuf_free(&block);
        settle(delivery, SPOOL_FATE_DOUBT, SPOOL_FATE_WAITING, smtp->text);
        return end_step(smtp);
    }
    spool_wire_may_stop(smtp->wire, false);
    strbuf_puts(&block, ".\r\n");
    announce(smtp, &block, delivery->next);
    const char *problem = spool_content_send_block(smtp->wire, &block);
    strbuf_free(&block);
    int code = problem ? broken(smtp, problem) : read_reply(smtp);
    spool_wire_may_stop(smtp->wire, true);
    if (code / 100 == 3) { /* an answer to something else; what became of the message it does not say */
        broken(smtp, "the server answered the final dot with 3xx");
        code = -1;
    }
    settle(delivery, SPOOL_FATE_DOUBT,
           code < 0          ? SPOOL_FATE_DOUBT
           : code / 100 == 2 ? SPOOL_FATE_ACCEPTED
                             : fate_of(code),
           smtp->text);
    return smtp->is_broken ? SPOOL_STEP_BROKEN : SPOOL_STEP_DONE;
}

/* Nobody is to get it: the replies to what was said ahead are read, and the server forgets the transaction. */
static enum spool_end_of_step take_back(struct spool_smtp *smtp, size_t replies)
{
    int code = 0;
    for (size_t i = 0; i < replies && smtp->is_ahead && !smtp->is_broken; i++)
        code = read_reply(smtp);
    if (!smtp->is_broken && code / 100 == 3) /* it waits for content */
        broken(smtp, "the server took DATA without a recipient");
    return smtp->is_broken ? end_step(smtp) : give_way(smtp);
}

static size_t count_waiting(const struct spool_delivery *delivery)
{
    size_t n = 0;
    for (size_t i = 0; i < delivery->count; i++)
        n += delivery->recipients[i].fate == SPOOL_FATE_WAITING;
    return n;
}

enum spool_end_of_step spool_smtp_deliver(struct spool_smtp *smtp, struct spool_delivery *delivery)
{
    const char *problem = spool_lines_unfit(&smtp->mta, delivery);
    if (problem) {
        settle(delivery, SPOOL_FATE_WAITING, SPOOL_FATE_REFUSED, problem);
        return SPOOL_STEP_DONE;
    }
    size_t tried = count_waiting(delivery);
    say_ahead(smtp, delivery);
    int code = smtp->is_broken ? -1 : say_mail(smtp, delivery);
    if (code / 100 != 2 || smtp->is_broken) {
        settle(delivery, SPOOL_FATE_WAITING, fate_of(code), smtp->text);
        return take_back(smtp, tried + 1);
    }
    int accepted = offer_recipients(smtp, delivery);
    if (accepted < 0) {
        settle(delivery, SPOOL_FATE_DOUBT, SPOOL_FATE_WAITING, smtp->text);
        return end_step(smtp);
    }
    if (accepted == 0)
        return take_back(smtp, 1);
    code = say_data(smtp);
    if (code != 354) {
        if (code / 100 == 2) /* it would take the content for commands */
            broken(smtp, "the server answered DATA with 2xx");
        settle(delivery, SPOOL_FATE_DOUBT, fate_of(code), smtp->text);
        return smtp->is_broken ? end_step(smtp) : give_way(smtp);
    }
    return send_data(smtp, delivery);
}
