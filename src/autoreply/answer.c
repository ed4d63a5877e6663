/*
 * answer - the reasons in their order: nothing in force, the checklist, the memory, the caps. Then the reply.
 *
 * The memory is read before it is written: most messages of a remembered sender cost one look-up and no lock. What
 * decides between two at once is the reservation. Each attempt has a token of its own; only who holds the token may
 * confirm or release the memory (answer_spooled.c).
 */
#include "autoreply/answer.h"
#include "autoreply/compose.h"
#include "autoreply/memory.h"
#include "util/clock.h"
#include "util/crash.h"

#define MAILBOXES_MAX 100
#define KEPT_MOST 16384 /* bytes of what is stored for a mailbox */

struct answer_mailboxes answer_mailboxes(struct responding *responding, struct arena *arena, const char *address,
                                         int64_t now, bool *down)
{
    struct aliases_targets targets = aliases_expand(responding->aliases, arena, address);
    const char **items = ARENA_ARRAY(arena, const char *, targets.count + 1);
    struct span *stored = ARENA_ARRAY(arena, struct span, targets.count + 1);
    size_t count = 0;
    for (size_t i = 0; i < targets.count && count < MAILBOXES_MAX; i++) {
        struct store_value value;
        struct arena *scratch = arena_create(1024);
        const char *key = arena_printf(scratch, RESPONDER_KEY "%s", targets.items[i]);
        enum store_outcome outcome =
            strlen(key) > STORE_KEY_MAX ? STORE_ABSENT : store_get(responding->store, scratch, key, now, &value);
        if (outcome == STORE_OK && !value.expires) {
            items[count] = targets.items[i];
            if (value.bytes.len <= KEPT_MOST)
                stored[count] = (struct span){arena_spandup(arena, value.bytes), value.bytes.len};
            count++;
        }
        arena_destroy(scratch);
        *down |= outcome == STORE_DOWN;
    }
    return (struct answer_mailboxes){items, stored, count};
}

/* ---- one answer in the making ---- */

struct attempt {
    struct responding *responding;
    struct arena *arena;
    const struct answer_question *question;
    struct responder responder;
    const struct responder_message *message;
    const char *sender; /* as it is remembered */
    const char *key;    /* of the memory */
    const char *token;
};

static struct answer say(enum answer_outcome outcome, const char *why, unsigned point, const char *text)
{
    return (struct answer){.outcome = outcome, .why = why, .point = point, .text = text};
}

static struct answer trouble(const char *text)
{
    return say(ANSWER_TROUBLE, NULL, 0, text);
}

/* What is stored for the mailbox. REPLY: go on. */
static struct answer load(struct attempt *attempt)
{
    const struct answer_question *question = attempt->question;
    struct store_value value = {question->stored, 0};
    struct responder_problem problem;
    const char *key = arena_printf(attempt->arena, RESPONDER_KEY "%s", question->mailbox), *why = NULL;
    switch (value.bytes.ptr ? STORE_OK
                            : store_get(attempt->responding->store, attempt->arena, key, question->now, &value)) {
    case STORE_OK:
        if (!value.expires)
            break;
        return say(ANSWER_NOBODY, NULL, 0, "nothing is stored for this mailbox");
    case STORE_ABSENT:
        return say(ANSWER_NOBODY, NULL, 0, "nothing is stored for this mailbox");
    default:
        return trouble("the store does not answer");
    }
    if (responder_load(attempt->arena, value.bytes, &attempt->responder, &problem) != 0)
        return trouble(arena_printf(attempt->arena, "what is stored for %s is damaged: %s", question->mailbox,
                                    problem.text));
    attempt->message = responder_in_force(attempt->arena, &attempt->responder, question->now, &why);
    return attempt->message ? say(ANSWER_REPLY, NULL, 0, "") : say(ANSWER_NOBODY, NULL, 0, why);
}

/* Does ADDRESS mean the mailbox, or is it the owner's other one? */
static bool is_own_address(void *context, const char *address)
{
    const struct attempt *attempt = context;
    struct arena *scratch = arena_create(1024);
    struct aliases *aliases = attempt->responding->aliases;
    struct aliases_targets targets = aliases_expand(aliases, scratch, address);
    bool is_own = false;
    for (size_t i = 0; i < targets.count && !is_own; i++)
        is_own = strcmp(targets.items[i], attempt->question->mailbox) == 0;
    if (!is_own && attempt->message->from) {
        const char *canonical = aliases_canonical(aliases, scratch, address);
        const char *from = aliases_canonical(aliases, scratch, attempt->message->from);
        is_own = canonical && from && strcmp(canonical, from) == 0;
    }
    arena_destroy(scratch);
    return is_own;
}

static struct answer find_silence(struct attempt *attempt)
{
    const struct answer_question *question = attempt->question;
    const struct answer_options *options = question->options;
    /* Who stands in an SRS address of ours is excluded, or the owner himself, in that form too. */
    attempt->sender = responding_sender(attempt->responding, attempt->arena, question->sender, question->now);
    const char *plain = attempt->sender ? attempt->sender : question->sender;
    const struct silence_question asked = {
        .sender = question->sender,
        .sender_canonical = responding_canonical(attempt->responding, attempt->arena, plain),
        .mailbox = question->mailbox,
        .message = attempt->message,
        .headers = question->headers,
        .header_count = question->header_count,
        .is_own_address = is_own_address,
        .context = attempt,
        .require_auth = (enum silence_auth)options->require_auth,
        .spf = question->spf,
        .dkim = question->dkim,
        .dmarc = question->dmarc,
        .is_own_user = question->is_own_user,
        .is_trusted = question->is_trusted,
        .silence_on = options->silence_on,
        .noreply = options->noreply};
    struct silence silence = silence_find(attempt->arena, &asked);
    if (silence.why)
        return say(ANSWER_SILENCE, silence.why, silence.point, silence.text);
    if (!attempt->sender)
        return say(ANSWER_SILENCE, WHY_BAD_SENDER, 0, "the sender is no address");
    return say(ANSWER_REPLY, NULL, 0, "");
}

static struct answer remembered(const struct attempt *attempt, const struct store_value *value)
{
    struct memory_mark mark;
    char at[CLOCK_TEXT_SIZE] = "?", until[CLOCK_TEXT_SIZE];
    if (memory_mark_parse(attempt->arena, value->bytes, &mark) == 0)
        clock_format(mark.at, at);
    clock_format(value->expires, until);
    return say(ANSWER_SILENCE, WHY_REMEMBERED, 11,
               arena_printf(attempt->arena, "%s was answered at %s, and will be again from %s", attempt->sender, at, until));
}

static struct answer ask_memory(struct attempt *attempt)
{
    struct store_value value;
    attempt->key = memory_key(attempt->arena, &attempt->responder, attempt->sender,
                              responder_fingerprint(attempt->arena, attempt->message));
    switch (store_get(attempt->responding->store, attempt->arena, attempt->key, attempt->question->now, &value)) {
    case STORE_OK:
        return remembered(attempt, &value);
    case STORE_ABSENT:
        return say(ANSWER_REPLY, NULL, 0, "");
    default:
        return trouble("the store does not answer");
    }
}

static struct answer ask_caps(struct attempt *attempt)
{
    const char *at = strrchr(attempt->sender, '@');
    const char *passed = caps_take(attempt->responding->caps, &attempt->question->options->caps,
                                   attempt->question->mailbox, at ? at + 1 : "", attempt->question->now);
    if (!passed)
        return say(ANSWER_REPLY, NULL, 0, "");
    return say(ANSWER_SILENCE, WHY_CAP, 30, arena_printf(attempt->arena, "%s is reached", passed));
}

/* ---- the order of events ---- */

static struct span reservation_of(const struct attempt *attempt)
{
    const struct memory_mark mark = {attempt->token, true, attempt->question->now};
    return span_of(memory_mark_print(attempt->arena, &mark));
}

/* That nobody is remembered was just read: what is left to the store is that nobody else was faster. */
static struct answer reserve(struct attempt *attempt)
{
    struct store *store = attempt->responding->store;
    struct store_value there;
    int64_t now = attempt->question->now;
    enum store_outcome outcome = store_swap(store, attempt->key, (struct span){NULL, 0}, reservation_of(attempt),
                                            now + MEMORY_RESERVED_SECONDS, now);
    if (outcome == STORE_PRESENT)
        outcome = store_put_if_absent(store, attempt->arena, attempt->key, reservation_of(attempt),
                                      now + MEMORY_RESERVED_SECONDS, now, &there);
    switch (outcome) {
    case STORE_OK:
        return say(ANSWER_REPLY, NULL, 0, "");
    case STORE_PRESENT:
        return remembered(attempt, &there);
    default:
        return trouble("the store does not answer");
    }
}

static struct answer queue(struct attempt *attempt, struct span reply, bool needs_utf8)
{
    const char *forward_paths[] = {attempt->question->sender};
    const struct spool_message message = {.kind = ANSWER_KIND,
                                          .reverse_path = "",
                                          .forward_paths = forward_paths,
                                          .forward_path_count = 1,
                                          .rcpt_parameters = "NOTIFY=NEVER",
                                          .needs_smtputf8 = needs_utf8,
                                          .once = true,
                                          .company = attempt->question->company,
                                          .content = reply,
                                          .memo = answer_memo(attempt->arena, attempt->key, attempt->token, attempt->question->now,
                                                              attempt->message->days)};
    struct answer answer = say(ANSWER_REPLY, NULL, 0, "queued");
    switch (spool_add(attempt->responding->spool, &message, attempt->question->now, &answer.spool_id)) {
    case SPOOL_OK:
        return answer;
    case SPOOL_FULL:
        return trouble("the spool is full");
    default:
        return trouble("the spool cannot be written");
    }
}

/* Reserve and queue; answer_before() confirms. The reservation is given back if there is nothing to confirm. */
static struct answer carry_out(struct attempt *attempt, struct span reply, bool needs_utf8)
{
    struct store *store = attempt->responding->store;
    int64_t now = attempt->question->now;
    struct answer answer = reserve(attempt);
    if (answer.outcome != ANSWER_REPLY)
        return answer;
    crash_test_point("autoreply.reserved");
    answer = queue(attempt, reply, needs_utf8);
    if (answer.outcome != ANSWER_REPLY) {
        store_swap(store, attempt->key, reservation_of(attempt), (struct span){NULL, 0}, 0, now);
        return answer;
    }
    crash_test_point("autoreply.spooled");
    return answer;
}

static struct answer reply(struct attempt *attempt)
{
    const struct answer_question *question = attempt->question;
    bool needs_utf8 = false;
    attempt->token = memory_token(attempt->arena);
    const struct compose_request request = {.responder = &attempt->responder,
                                            .message = attempt->message,
                                            .written_to = responding_from(attempt->responding, attempt->arena,
                                                                  question->written_to, question->mailbox),
                                            .to = question->sender,
                                            .headers = question->headers,
                                            .header_count = question->header_count,
                                            .now = question->now,
                                            .hostname = attempt->responding->settings->hostname,
                                            .token = attempt->token};
    struct span content = compose_reply(attempt->arena, &request, &needs_utf8);
    if (!content.ptr)
        return say(ANSWER_SILENCE, WHY_BAD_SENDER, 0, "there is no address to answer or to answer from");
    struct answer answer = say(ANSWER_REPLY, NULL, 0, "would be queued");
    if (!question->is_trial)
        answer = carry_out(attempt, content, needs_utf8);
    if (answer.outcome == ANSWER_REPLY)
        answer.reply = content;
    return answer;
}

struct answer answer_find(struct responding *responding, struct arena *arena, const struct answer_question *question)
{
    static struct answer (*const steps[])(struct attempt *) = {load, find_silence, ask_memory};
    struct attempt attempt = {.responding = responding, .arena = arena, .question = question};
    struct answer answer = say(ANSWER_REPLY, NULL, 0, "");
    for (size_t i = 0; i < sizeof steps / sizeof *steps && answer.outcome == ANSWER_REPLY; i++)
        answer = steps[i](&attempt);
    if (answer.outcome == ANSWER_REPLY && !question->is_trial)
        answer = ask_caps(&attempt);
    if (answer.outcome == ANSWER_REPLY)
        answer = reply(&attempt);
    answer.message = attempt.message ? attempt.message->name : NULL;
    return answer;
}
