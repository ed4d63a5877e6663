/*
 * callbacks - small and alike: copy what libmilter shows for the moment, call the runner, answer.
 *
 * libmilter's order of events is looser than SMTP's: an abort may or may not follow a refusal, close may come without
 * connect, MAIL may come while a message is open. So message_end() is called wherever a message could end, and may be
 * called again.
 *
 * Macros are read in the callback that needs them, never kept: the MTA clears them between stages.
 */
#include "milter/callbacks.h"
#include "core/runner.h"
#include "milter/apply.h"
#include "milter/reply.h"
#include "util/clock.h"
#include "util/log.h"
#include <ctype.h>
#include <stdatomic.h>
#include <stdlib.h>

struct connection {
    struct session *session;
    struct message *message;
    struct negotiated negotiated;
    bool is_sendmail; /* by its version at connect, which begins with a digit; Postfix's begins with its name */
};

static const struct engine *engine; /* one configuration for the worker's life */
static _Atomic unsigned open_sessions;

void callbacks_engine(const struct engine *the_engine)
{
    engine = the_engine;
}

unsigned callbacks_sessions(void)
{
    return atomic_load(&open_sessions);
}

/* NULL where the MTA does not say. */
static const char *macro(SMFICTX *ctx, const char *name)
{
    char copy[32];
    snprintf(copy, sizeof copy, "%s", name);
    const char *value = smfi_getsymval(ctx, copy);
    return value && *value ? value : NULL;
}

static struct connection *connection_open(SMFICTX *ctx)
{
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection)
        return NULL;
    connection->session = session_create();
    if (smfi_setpriv(ctx, connection) != MI_SUCCESS) {
        session_destroy(connection->session);
        free(connection);
        return NULL;
    }
    atomic_fetch_add(&open_sessions, 1);
    return connection;
}

/* The one of CTX. After QUIT_NC (close, and the MTA goes on with another client on the same descriptor) there is none,
 * and any event may come first. NULL: out of memory. */
static struct connection *connection_of(SMFICTX *ctx)
{
    struct connection *connection = smfi_getpriv(ctx);
    return connection ? connection : connection_open(ctx);
}

/* The message that is open in CTX, or NULL. */
static struct message *message_of(SMFICTX *ctx)
{
    struct connection *connection = connection_of(ctx);
    return connection ? connection->message : NULL;
}

/* CONTINUE, or nothing at all where the MTA was told not to wait for an answer. */
static sfsistat go_on(const struct connection *connection, unsigned long no_reply)
{
    return connection->negotiated.steps & no_reply ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

/* The macros that we read, stage by stage; what the MTA sends of its own accord may be less. */
static void ask_for_macros(SMFICTX *ctx)
{
    static const struct {
        int stage;
        const char *names;
    } wanted[] = {{SMFIM_CONNECT, "i j v"},
                  {SMFIM_HELO, "{tls_version}"},
                  {SMFIM_ENVFROM, "i {auth_authen} {tls_version}"},
                  {SMFIM_ENVRCPT, "i {rcpt_mailer}"},
                  {SMFIM_DATA, "i"},
                  {SMFIM_EOM, "i"}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        char names[64];
        snprintf(names, sizeof names, "%s", wanted[i].names);
        smfi_setsymlist(ctx, wanted[i].stage, names);
    }
}

static sfsistat on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps, unsigned long f2,
                             unsigned long f3, unsigned long *want_actions, unsigned long *want_steps,
                             unsigned long *want_f2, unsigned long *want_f3)
{
    (void)f2;
    (void)f3;
    struct connection *connection = connection_open(ctx);
    if (!connection)
        return SMFIS_REJECT;
    connection->negotiated = negotiate(&engine->plan, (struct negotiated){actions, steps});
    if (actions & SMFIF_SETSYMLIST)
        ask_for_macros(ctx);
    *want_actions = connection->negotiated.actions;
    *want_steps = connection->negotiated.steps;
    *want_f2 = *want_f3 = 0;
    return SMFIS_CONTINUE;
}

static sfsistat on_connect(SMFICTX *ctx, char *name, _SOCK_ADDR *address)
{
    struct connection *connection = connection_of(ctx);
    if (!connection)
        return SMFIS_TEMPFAIL;
    struct session *session = connection->session;
    session->client = netaddr_of_sockaddr((const struct sockaddr *)address);
    if (name && name[0] != '[' && strcmp(name, "unknown") != 0)
        session->client_name = arena_strdup(session->arena, name);
    const char *version = macro(ctx, "v");
    connection->is_sendmail = version && isdigit((unsigned char)version[0]);
    /* Postfix plays an SMTP session for mail of sendmail(1), from port 0, and for mail that it takes from its queue
     * again; there the queue id is known at connect. Sendmail always has one by then. */
    session->is_local = !address || (version && !connection->is_sendmail && macro(ctx, "i")) ||
                        (netaddr_is_loopback(&session->client) && session->client.port == 0);
    runner_connect(engine, session);
    return go_on(connection, SMFIP_NR_CONN);
}

static sfsistat on_helo(SMFICTX *ctx, char *helo)
{
    struct connection *connection = connection_of(ctx);
    if (!connection)
        return SMFIS_TEMPFAIL;
    runner_helo(engine, connection->session, helo);
    return go_on(connection, SMFIP_NR_HELO);
}

static void note(const char **member, struct arena *arena, const char *value)
{
    if (value && (!*member || strcmp(*member, value) != 0))
        *member = arena_strdup(arena, value);
}

static sfsistat on_mail(SMFICTX *ctx, char **args)
{
    struct connection *connection = connection_of(ctx);
    if (!connection)
        return SMFIS_TEMPFAIL;
    struct session *session = connection->session;
    message_end(&connection->message);
    session_identify(session, macro(ctx, "{auth_authen}"), macro(ctx, "{tls_version}"));
    connection->message = message_begin(session, &engine->settings, &engine->plan, args[0], clock_wall());
    connection->message->parameters = message_join_parameters(connection->message, args + 1);
    note(&connection->message->queue_id, connection->message->arena, macro(ctx, "i"));
    struct outcome outcome = runner_mail(engine, session, connection->message);
    return reply_send(ctx, outcome, go_on(connection, SMFIP_NR_MAIL));
}

static sfsistat on_rcpt(SMFICTX *ctx, char **args)
{
    struct connection *connection = connection_of(ctx);
    struct message *message = message_of(ctx);
    if (!message)
        return SMFIS_TEMPFAIL;
    note(&message->queue_id, message->arena, macro(ctx, "i"));
    /* {rcpt_mailer} "error" does not mean that the MTA has refused it: Postfix says so of every recipient in a virtual
     * alias domain. Those that it did refuse are not shown, for we did not ask for them (SMFIP_RCPT_REJ). */
    struct recipient *recipient = message_add_rcpt(message, args[0], macro(ctx, "{rcpt_mailer}"));
    if (recipient)
        recipient->parameters = message_join_parameters(message, args + 1);
    struct outcome outcome = runner_rcpt(engine, connection->session, message, recipient);
    if (connection->is_sendmail && outcome.action != OUTCOME_CONTINUE)
        outcome.reply = reply_for_sendmail(message->arena, outcome.reply);
    return reply_send(ctx, outcome, SMFIS_CONTINUE);
}

static sfsistat on_data(SMFICTX *ctx)
{
    struct connection *connection = connection_of(ctx);
    struct message *message = message_of(ctx);
    if (!message)
        return SMFIS_TEMPFAIL;
    note(&message->queue_id, message->arena, macro(ctx, "i"));
    struct outcome outcome = runner_data(engine, connection->session, message);
    return reply_send(ctx, outcome, go_on(connection, SMFIP_NR_DATA));
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
    struct connection *connection = connection_of(ctx);
    struct message *message = message_of(ctx);
    if (!connection)
        return SMFIS_TEMPFAIL;
    /* What is no longer kept must not be copied either: a header may have no end. */
    if (message && message->keeps_header && !message->error) {
        if (!(connection->negotiated.steps & SMFIP_HDR_LEADSPC))
            value = arena_printf(message->arena, " %s", value);
        message_add_header(message, span_of(name), span_of(value));
    }
    return go_on(connection, SMFIP_NR_HDR);
}

static sfsistat on_eoh(SMFICTX *ctx)
{
    struct connection *connection = connection_of(ctx);
    struct message *message = message_of(ctx);
    if (!message)
        return SMFIS_TEMPFAIL;
    note(&message->queue_id, message->arena, macro(ctx, "i"));
    message_end_header(message);
    runner_eoh(engine, connection->session, message);
    return go_on(connection, SMFIP_NR_EOH);
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *bytes, size_t len)
{
    struct connection *connection = connection_of(ctx);
    struct message *message = message_of(ctx);
    if (!connection)
        return SMFIS_TEMPFAIL;
    if (message)
        runner_body(engine, connection->session, message, (struct span){(const char *)bytes, len});
    if (connection->negotiated.steps & SMFIP_SKIP &&
        (!message || runner_is_decided(engine, connection->session, message)))
        return SMFIS_SKIP;
    return go_on(connection, SMFIP_NR_BODY);
}

static sfsistat on_eom(SMFICTX *ctx)
{
    struct connection *connection = connection_of(ctx);
    struct message *message = message_of(ctx);
    if (!message)
        return SMFIS_TEMPFAIL;
    note(&message->queue_id, message->arena, macro(ctx, "i"));
    struct outcome outcome = runner_eom(engine, connection->session, message);
    bool edits_failed =
        outcome.action == OUTCOME_CONTINUE && apply_edits(ctx, message, connection->negotiated) != 0;
    outcome = runner_finish(engine, connection->session, message, edits_failed);
    sfsistat answer = reply_send(ctx, outcome, SMFIS_CONTINUE);
    message_end(&connection->message);
    return answer;
}

static sfsistat on_abort(SMFICTX *ctx)
{
    struct connection *connection = smfi_getpriv(ctx);
    if (connection)
        message_end(&connection->message);
    return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *ctx)
{
    struct connection *connection = smfi_getpriv(ctx);
    if (!connection)
        return SMFIS_CONTINUE;
    smfi_setpriv(ctx, NULL);
    message_end(&connection->message);
    session_destroy(connection->session);
    free(connection);
    atomic_fetch_sub(&open_sessions, 1);
    return SMFIS_CONTINUE;
}

struct smfiDesc callbacks_description(void)
{
    static char name[] = "postern";
    return (struct smfiDesc){.xxfi_name = name,
                             .xxfi_version = SMFI_VERSION,
                             .xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE | SMFIF_SETSYMLIST |
                                           SMFIF_CHGFROM | SMFIF_ADDRCPT | SMFIF_ADDRCPT_PAR | SMFIF_DELRCPT,
                             .xxfi_connect = on_connect,
                             .xxfi_helo = on_helo,
                             .xxfi_envfrom = on_mail,
                             .xxfi_envrcpt = on_rcpt,
                             .xxfi_header = on_header,
                             .xxfi_eoh = on_eoh,
                             .xxfi_body = on_body,
                             .xxfi_eom = on_eom,
                             .xxfi_abort = on_abort,
                             .xxfi_close = on_close,
                             .xxfi_data = on_data,
                             .xxfi_negotiate = on_negotiate};
}
