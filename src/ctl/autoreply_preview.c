/*
 * autoreply preview - the reply that a message would get, or why it gets none.
 *
 * It asks what the daemon asks (answer_find() in a trial): the message in force, the checklist, the memory. Nothing is
 * reserved, counted or queued. SPF, DKIM and DMARC are not evaluated here, and require_auth and applies_to are not
 * applied; posternctl explain does that.
 */
#include "autoreply/answer.h"
#include "checks/autoreply.h"
#include "checks/srs.h"
#include "core/message.h"
#include "ctl/autoreply.h"
#include "ctl/json.h"
#include "ctl/message_file.h"
#include "util/clock.h"
#include <errno.h>
#include <stdlib.h>
#include <sysexits.h>

struct request {
    const char *from, *to;
    int64_t now;
};

/* A message as a person would write it, for whoever gives none. */
static FILE *ordinary_message(const struct ctl_call *call, const char *from, const char *to)
{
    const char *text = arena_printf(
        call->arena, "From: <%s>\nTo: <%s>\nSubject: Hello\nMessage-ID: <preview@localhost>\n\nHello\n", from, to);
    return fmemopen((void *)(uintptr_t)text, strlen(text), "r");
}

static FILE *open_message(const struct ctl_call *call, const struct request *request, const char *to)
{
    if (call->argument_count < 2)
        return ordinary_message(call, request->from, to);
    return strcmp(call->arguments[1], "-") == 0 ? stdin : fopen(call->arguments[1], "rb");
}

static void print_text(const struct ctl_call *call, const char *mailbox, const struct answer *answer)
{
    if (answer->message)
        fprintf(stderr, "posternctl %s: %s: \"%s\" is in force\n", call->command->name, mailbox, answer->message);
    if (answer->outcome == ANSWER_REPLY) {
        for (size_t i = 0; i < answer->reply.len; i++) { /* without the CR of mail */
            if (answer->reply.ptr[i] != '\r')
                putchar(answer->reply.ptr[i]);
        }
        return;
    }
    fputs("no reply: ", stdout);
    if (answer->why)
        printf("%s: ", answer->why);
    fputs(answer->text, stdout);
    if (answer->point)
        printf(" (point %u of the checklist)", answer->point);
    putchar('\n');
}

static void print_json(const char *mailbox, const struct answer *answer)
{
    bool is_reply = answer->outcome == ANSWER_REPLY;
    cJSON *object = cJSON_CreateObject();
    json_add_text(object, "mailbox", mailbox);
    json_add_text(object, "message", answer->message);
    cJSON_AddBoolToObject(object, "reply", is_reply);
    json_add_text(object, "why", answer->why);
    if (answer->point)
        cJSON_AddNumberToObject(object, "point", answer->point);
    else
        cJSON_AddNullToObject(object, "point");
    json_add_text(object, "text", is_reply ? NULL : answer->text);
    json_add_lines(object, "content", is_reply ? answer->reply : (struct span){NULL, 0});
    json_print(stdout, object);
}

struct responding *autoreply_responding(const struct ctl_state *state)
{
    const struct srs_check_options *srs = conf_get(state->engine->conf, check_srs.name);
    struct arena *arena = conf_arena(state->engine->conf);
    return responding_open(&state->engine->settings, forwarding_collect_domains(&srs->forwarding, arena), state->kept);
}

static int answer(const struct ctl_call *call, const struct ctl_state *state, const struct request *request,
                  const char *mailbox, const struct message *message)
{
    const struct autoreply_options *check = conf_get(state->engine->conf, check_autoreply.name);
    struct answer_options options = autoreply_answer_options(check);
    options.require_auth = SILENCE_AUTH_OFF;
    const struct answer_question question = {.options = &options,
                                             .sender = message->reverse_path,
                                             .written_to = request->to ? request->to : call->arguments[0],
                                             .mailbox = mailbox,
                                             .headers = message->headers,
                                             .header_count = message->header_count,
                                             .now = message->now,
                                             .is_trial = true};
    struct responding *responding = autoreply_responding(state);
    struct answer answer = answer_find(responding, call->arena, &question);
    responding_close(responding);
    if (answer.outcome == ANSWER_REPLY)
        autoreply_warn_of_mode(call, state);
    if (answer.outcome == ANSWER_TROUBLE)
        return ctl_fail(call, EX_TEMPFAIL, "%s", answer.text);
    if (call->json)
        print_json(mailbox, &answer);
    else
        print_text(call, mailbox, &answer);
    return EX_OK;
}

static int preview(const struct ctl_call *call, const struct ctl_state *state, const struct request *request, FILE *in)
{
    const char *mailbox;
    char *rest = NULL;
    size_t rest_len;
    int status = autoreply_mailbox(call, state, call->arguments[0], &mailbox);
    if (status != EX_OK)
        return status;
    if (request->to && !autoreply_means(call, state, request->to, mailbox))
        return ctl_fail(call, EX_DATAERR, "--to: \"%s\" is no address of the mailbox %s", request->to, mailbox);
    const struct plan everything = {.core_needs = NEEDS_HEADER};
    struct session *session = session_create();
    struct message *message = message_begin(session, &state->engine->settings, &everything, request->from,
                                            request->now == AUTOREPLY_LAST ? clock_wall() : request->now);
    if (message_file_header(in, message, &rest, &rest_len) != 0)
        status = ctl_fail(call, EX_IOERR, "%s: %s", call->argument_count > 1 ? call->arguments[1] : "a message",
                          strerror(errno));
    else if (message->error)
        status = ctl_fail(call, EX_DATAERR, "the header is too large: the message would be refused");
    else
        status = answer(call, state, request, mailbox, message);
    free(rest);
    message_end(&message);
    session_destroy(session);
    return status;
}

static int run(const struct ctl_call *call, void *context)
{
    const struct request *request = context;
    struct ctl_state state;
    if (call->argument_count == 0)
        return ctl_usage_error(call, "MAILBOX is missing");
    if (!request->from)
        return ctl_usage_error(call, "--from is missing");
    FILE *in = open_message(call, request, request->to ? request->to : call->arguments[0]);
    if (!in)
        return ctl_fail(call, EX_NOINPUT, "%s: %s", call->argument_count > 1 ? call->arguments[1] : "a message",
                        strerror(errno));
    int status = ctl_state_open(call, &state);
    if (status == EX_OK)
        status = preview(call, &state, request, in);
    ctl_state_close(&state);
    if (in != stdin)
        fclose(in);
    return status;
}

static const struct ctl_option options[] = {
    {.name = "from", .type = CTL_TEXT, .offset = offsetof(struct request, from)},
    {.name = "to", .type = CTL_TEXT, .offset = offsetof(struct request, to)},
    {.name = "now", .type = CTL_TIME, .offset = offsetof(struct request, now)},
    {0},
};

int autoreply_preview(int argc, char **argv)
{
    static const struct ctl_command command = {
        .name = "autoreply preview",
        .usage =
            "usage: posternctl autoreply preview [-c FILE] MAILBOX --from SENDER [--to ADDR] [--now TIME] [--json]\n"
            "           [FILE|-]\n"
            "  Prints the reply that the message in FILE (without one: an ordinary one) would get if SENDER sent it "
            "to\n"
            "  ADDR (MAILBOX), or why it gets none. Nothing is sent, and nobody remembered.\n",
        .shared = CTL_JSON,
        .arguments = 2,
        .options = options,
        .only_reads = true,
        .run = run,
    };
    struct request request = {NULL, NULL, AUTOREPLY_LAST};
    return ctl_run(&command, &request, argc, argv);
}
