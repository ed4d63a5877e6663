/*
 * explain - plays the MTA for one message file: connect, HELO, MAIL, RCPT for each recipient, DATA, header, body, end.
 *
 * It builds the engine that the worker builds and calls the runner that the worker calls, so the answer is the
 * daemon's. Nothing is written anywhere: log lines go nowhere but for errors, edits are only shown.
 */
#include "ctl/explain.h"
#include "ctl/ctl.h"
#include "ctl/message_file.h"
#include "ctl/options.h"
#include "services.h"
#include "util/clock.h"
#include "util/log.h"
#include <errno.h>
#include <sysexits.h>
#include <unistd.h>

struct request {
    const char *client_ip, *client_name, *helo, *from, *login, *tls, *file;
    struct string_list to;
    int64_t now;
    bool is_local;
};

/* "--to a b c message.eml": what holds an @ but is no file is another recipient, the one that is left the message.
 * EX_OK, or EX_USAGE and said. */
static int check_request(const struct ctl_call *call, struct request *request)
{
    size_t i = 0;
    if (!request->client_ip && !request->is_local)
        return ctl_usage_error(call, "--client-ip is missing");
    if (!request->from)
        return ctl_usage_error(call, "--from is missing");
    if (request->to.count == 0)
        return ctl_usage_error(call, "--to is missing");
    for (; i < call->argument_count && strchr(call->arguments[i], '@') && access(call->arguments[i], F_OK) != 0; i++)
        request->to.items[request->to.count++] = call->arguments[i];
    if (i < call->argument_count)
        request->file = call->arguments[i++];
    if (i < call->argument_count)
        return ctl_usage_error(call, "one message at a time: %s", call->arguments[i]);
    return EX_OK;
}

static void close_engine(struct engine *engine)
{
    services_close(engine);
    engine_destroy(engine);
}

static struct engine *open_engine(const struct ctl_call *call)
{
    struct conf_problems problems = {conf_print_problem, NULL, 0};
    const char *path = call->config;
    if (!call->config_is_given && access(path, F_OK) != 0) {
        fprintf(stderr, "posternctl explain: %s is not there, explaining with the defaults\n", path);
        path = NULL;
    }
    struct engine *engine = engine_create(path, &problems);
    if (!engine)
        return NULL;
    /* The spool belongs to the daemon's user; whoever explains may be somebody else. */
    if (access(engine->settings.content_limits.directory, W_OK | X_OK) != 0)
        engine->settings.content_limits.directory = "/tmp";
    engine->services.is_trial = true;
    if (services_open(engine, &problems) == EX_OK)
        return engine;
    close_engine(engine);
    return NULL;
}

static void add_step(struct explanation *story, enum phase phase, const char *argument, struct outcome outcome,
                     const struct verdict *verdict)
{
    struct arena *arena = story->message ? story->message->arena : story->session->arena;
    story->steps = arena_grow(arena, story->steps, &story->step_capacity, story->step_count + 1, sizeof *story->steps);
    const char *fine = phase == PHASE_DATA ? "354" : phase == PHASE_CONNECT ? "220" : "250";
    bool refused = outcome.action != OUTCOME_CONTINUE;
    story->steps[story->step_count++] =
        (struct explain_step){phase, argument, refused ? outcome.reply : fine, refused ? verdict : NULL};
}

struct playing {
    const struct engine *engine;
    struct session *session;
    struct message *message;
};

static bool is_decided(void *context)
{
    const struct playing *playing = context;
    return runner_is_decided(playing->engine, playing->session, playing->message);
}

static void add_body(void *context, struct span bytes)
{
    const struct playing *playing = context;
    runner_body(playing->engine, playing->session, playing->message, bytes);
}

/* DATA to the end. 0, or -1 with errno. */
static int play_content(struct playing *playing, struct explanation *story, FILE *in)
{
    char *rest;
    size_t rest_len;
    struct message *message = playing->message;
    struct outcome outcome = runner_data(playing->engine, playing->session, message);
    add_step(story, PHASE_DATA, NULL, outcome, &message->verdict);
    if (outcome.action != OUTCOME_CONTINUE)
        return 0;
    if (message_file_header(in, message, &rest, &rest_len) != 0)
        return -1;
    message_end_header(message);
    runner_eoh(playing->engine, playing->session, message);
    const struct message_file_sink sink = {add_body, is_decided, playing};
    if (message_file_body(in, rest, rest_len, &sink) != 0)
        return -1;
    outcome = runner_eom(playing->engine, playing->session, message);
    add_step(story, PHASE_EOM, NULL, outcome, &message->verdict);
    return 0;
}

/* True if somebody is left to send it to. */
static bool play_recipients(struct playing *playing, struct explanation *story, const struct request *request)
{
    bool any = false;
    for (size_t i = 0; i < request->to.count; i++) {
        struct recipient *recipient = message_add_rcpt(playing->message, request->to.items[i], NULL);
        struct outcome outcome = runner_rcpt(playing->engine, playing->session, playing->message, recipient);
        any |= outcome.action == OUTCOME_CONTINUE;
        if (!recipient) { /* too many were refused already */
            add_step(story, PHASE_RCPT, request->to.items[i], outcome, NULL);
            continue;
        }
        struct verdict *verdict = ARENA_NEW(playing->message->arena, struct verdict);
        *verdict = recipient->verdict;
        add_step(story, PHASE_RCPT, recipient->address, outcome, verdict);
        if (outcome.action != OUTCOME_CONTINUE)
            verdict_strengthen(&story->verdict, verdict);
    }
    return any;
}

static int play(struct playing *playing, struct explanation *story, const struct request *request, FILE *in)
{
    struct session *session = playing->session;
    runner_connect(playing->engine, session);
    if (request->helo)
        runner_helo(playing->engine, session, request->helo);
    /* An MTA tells of these at MAIL, so HELO is judged without them. */
    session_identify(session, request->login && *request->login ? request->login : NULL, request->tls);
    struct message *message = playing->message =
        message_begin(session, &playing->engine->settings, &playing->engine->plan, request->from, request->now);
    story->message = message;
    add_step(story, PHASE_CONNECT, NULL, (struct outcome){OUTCOME_CONTINUE, NULL}, NULL);
    if (request->helo)
        add_step(story, PHASE_HELO, session->helo, (struct outcome){OUTCOME_CONTINUE, NULL}, NULL);
    struct outcome outcome = runner_mail(playing->engine, session, message);
    add_step(story, PHASE_MAIL, message->reverse_path, outcome, &message->verdict);
    if (outcome.action == OUTCOME_CONTINUE) {
        if (!play_recipients(playing, story, request))
            return 0; /* the verdict is that of the recipients */
        if (play_content(playing, story, in) != 0)
            return -1;
    }
    story->verdict = message->verdict;
    return 0;
}

static struct session *open_session(const struct request *request)
{
    struct session *session = session_create();
    if (!request->is_local && netaddr_parse(request->client_ip, &session->client) != 0) {
        session_destroy(session);
        return NULL;
    }
    session->is_local = request->is_local;
    session->client_name = request->client_name;
    return session;
}

static int explain(const struct ctl_call *call, const struct request *request, FILE *in)
{
    struct log_options quiet = {"posternctl", LOG_TO_STDERR, LOG_AS_KV, LEVEL_ERROR, 0};
    log_open(&quiet);
    struct engine *engine = open_engine(call);
    if (!engine)
        return EX_CONFIG;
    struct session *session = open_session(request);
    int status = EX_USAGE;
    if (session) {
        struct playing playing = {engine, session, NULL};
        struct explanation story = {.engine = engine, .session = session};
        int64_t start = clock_monotonic_us();
        status = play(&playing, &story, request, in) == 0 ? EX_OK : EX_IOERR;
        story.elapsed_us = clock_monotonic_us() - start;
        if (status != EX_OK)
            ctl_fail(call, status, "%s: %s", request->file, strerror(errno));
        else if (call->json)
            explain_print_json(stdout, &story);
        else
            explain_print_text(stdout, &story);
        message_end(&playing.message);
        session_destroy(session);
    } else {
        ctl_usage_error(call, "--client-ip: \"%s\" is no IP address", request->client_ip);
    }
    close_engine(engine);
    return status;
}

static int run(const struct ctl_call *call, void *context)
{
    struct request *request = context;
    int status = check_request(call, request);
    if (status != EX_OK)
        return status;
    FILE *in = strcmp(request->file, "-") == 0 ? stdin : fopen(request->file, "rb");
    if (!in)
        return ctl_fail(call, EX_NOINPUT, "%s: %s", request->file, strerror(errno));
    status = explain(call, request, in);
    if (in != stdin)
        fclose(in);
    return status;
}

static const struct ctl_option options[] = {
    {.name = "client-ip", .type = CTL_TEXT, .offset = offsetof(struct request, client_ip)},
    {.name = "client-name", .type = CTL_TEXT, .offset = offsetof(struct request, client_name)},
    {.name = "helo", .type = CTL_TEXT, .offset = offsetof(struct request, helo)},
    {.name = "from", .type = CTL_TEXT, .offset = offsetof(struct request, from)},
    {.name = "to", .type = CTL_TEXTS, .offset = offsetof(struct request, to)},
    {.name = "auth", .type = CTL_TEXT, .offset = offsetof(struct request, login)},
    {.name = "tls", .type = CTL_TEXT, .offset = offsetof(struct request, tls)},
    {.name = "now", .type = CTL_TIME, .offset = offsetof(struct request, now)},
    {.name = "local", .type = CTL_FLAG, .offset = offsetof(struct request, is_local)},
    {0},
};

static const struct ctl_command command = {
    .name = "explain",
    .usage =
        "usage: posternctl explain [-c FILE] --client-ip IP [--client-name NAME] --helo NAME --from ADDR --to ADDR...\n"
        "           [--auth LOGIN] [--tls VERSION] [--local] [--now TIME] [--json] [FILE|-]\n"
        "  FILE is the message (default: standard input). --from '<>' is the null reverse-path; no --helo means that\n"
        "  the client sent none; --local is mail of sendmail(1). TIME is seconds since 1970 or 2026-11-22T03:00:00Z.\n",
    .shared = CTL_JSON,
    .arguments = SIZE_MAX,
    .options = options,
    .run = run,
};

int ctl_explain(int argc, char **argv)
{
    struct request request = {.file = "-", .now = clock_wall()};
    return ctl_run(&command, &request, argc, argv);
}
