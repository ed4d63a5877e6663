/* From a message to a reply in the spool and a mark in the memory, with a real store and a real spool that sends
 * nothing. */
#include "unit.h"
#include "autoreply/answer.h"
#include "autoreply/memory.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NOW 1800000000
#define DAY 86400

struct desk {
    char directory[64];
    struct arena *arena;
    struct conf *conf;
    struct settings settings;
    struct general_settings general;
    struct spool_settings spool_settings;
    struct state *state;
    struct domain_set *srs_domains;
    struct responding *responding;
    struct answer_options options;
};

static void fail_on_problem(void *context, const char *text)
{
    (void)context;
    fail_msg("%s", text);
}

static void open_services(struct desk *desk)
{
    struct conf_problems problems = {fail_on_problem, NULL, 0};
    desk->state = state_open(&desk->settings, "postern.conf", &problems);
    assert_non_null(desk->state);
    desk->responding = responding_open(&desk->settings, desk->srs_domains, desk->state);
}

static void close_services(struct desk *desk)
{
    responding_close(desk->responding);
    state_close(desk->state);
}

static void desk_open(struct desk *desk)
{
    size_t count;
    const struct conf_section *sections = settings_sections(&count);
    *desk = (struct desk){.directory = "/tmp/postern-answer-XXXXXX", .arena = arena_create(4096)};
    assert_non_null(mkdtemp(desk->directory));
    desk->conf = conf_defaults(sections, count);
    settings_resolve(&desk->settings, desk->conf);
    desk->general = *desk->settings.general;
    desk->general.state_directory = desk->directory;
    desk->general.store = arena_printf(desk->arena, "sqlite:%s/store.db", desk->directory);
    struct domain_set *local = domain_set_create(desk->arena);
    assert_null(domain_set_add(local, "example.net"));
    desk->general.local_domains = local;
    desk->srs_domains = domain_set_create(desk->arena);
    assert_null(domain_set_add(desk->srs_domains, "srs.example.org"));
    desk->settings.general = &desk->general;
    desk->spool_settings = *desk->settings.spool;
    desk->settings.spool = &desk->spool_settings;
    open_services(desk);
    static const struct string_list nothing = {0, NULL};
    desk->options = (struct answer_options){SILENCE_AUTH_NOT_FAIL, &nothing, &nothing, {0, 0, 0}};
}

static void desk_close(struct desk *desk)
{
    char command[128];
    close_services(desk);
    conf_destroy(desk->conf);
    arena_destroy(desk->arena);
    snprintf(command, sizeof command, "rm -r %s", desk->directory);
    assert_int_equal(system(command), 0);
}

static void store_responder(struct desk *desk, const char *mailbox, const char *more)
{
    const char *json = arena_printf(desk->arena,
                                    "{\"mailbox\":\"%s\",\"active\":\"a\",\"messages\":[{\"name\":\"a\","
                                    "\"body\":\"I am away.\"%s}]}",
                                    mailbox, more);
    assert_int_equal(store_put(desk->responding->store, arena_printf(desk->arena, RESPONDER_KEY "%s", mailbox),
                               span_of(json), 0, NOW),
                     STORE_OK);
}

static struct answer ask(struct desk *desk, const char *sender, int64_t now, bool is_trial)
{
    static const struct header_field headers[] = {{{"To", 2}, {" anna@example.net", 17}},
                                                  {{"Subject", 7}, {" Hello", 6}}};
    const struct answer_question question = {.options = &desk->options,
                                             .sender = sender,
                                             .written_to = "anna@example.net",
                                             .mailbox = "anna@example.net",
                                             .headers = headers,
                                             .header_count = 2,
                                             .is_own_user = true,
                                             .now = now,
                                             .is_trial = is_trial};
    return answer_find(desk->responding, desk->arena, &question);
}

static size_t spooled(struct desk *desk)
{
    struct spool_entry *entries;
    size_t count;
    const char *problem;
    assert_int_equal(spool_list(desk->responding->spool, desk->arena, &entries, &count, &problem), 0);
    return count;
}

struct remembered {
    size_t count;
    char key[STORE_KEY_MAX + 1];
    char value[200];
    int64_t expires;
};

static bool note_mark(void *context, const char *key, const struct store_value *value)
{
    struct remembered *remembered = context;
    remembered->count++;
    remembered->expires = value->expires;
    snprintf(remembered->key, sizeof remembered->key, "%s", key);
    snprintf(remembered->value, sizeof remembered->value, "%.*s", (int)value->bytes.len, value->bytes.ptr);
    return true;
}

static struct remembered memory_of(struct desk *desk)
{
    struct remembered remembered = {.count = 0};
    assert_int_equal(store_each(desk->responding->store, MEMORY_KEY, NOW, note_mark, &remembered), STORE_OK);
    return remembered;
}

static bool is_reserved(struct desk *desk)
{
    struct remembered remembered = memory_of(desk);
    struct memory_mark mark;
    assert_int_equal(remembered.count, 1);
    assert_int_equal(memory_mark_parse(desk->arena, span_of(remembered.value), &mark), 0);
    return mark.is_reserved;
}

/* What the spool's sender does before its first attempt. */
static void confirm_all(struct desk *desk, int64_t days)
{
    struct remembered remembered = memory_of(desk);
    struct memory_mark mark;
    bool later;
    assert_int_equal(memory_mark_parse(desk->arena, span_of(remembered.value), &mark), 0);
    const char *memo = answer_memo(desk->arena, remembered.key, mark.token, mark.at, days);
    assert_true(answer_before(desk->responding, memo, mark.at, &later));
}

static void nobody_is_away(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk);
    assert_int_equal(ask(&desk, "w@sender.example", NOW, false).outcome, ANSWER_NOBODY);
    store_responder(&desk, "anna@example.net", ",\"start\":\"2099-01-01T00:00:00\"");
    struct answer answer = ask(&desk, "w@sender.example", NOW, false);
    assert_int_equal(answer.outcome, ANSWER_NOBODY);
    assert_non_null(strstr(answer.text, "2099"));
    assert_int_equal(spooled(&desk), 0);
    assert_int_equal(memory_of(&desk).count, 0);
    desk_close(&desk);
}

static void once_in_seven_days(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk);
    store_responder(&desk, "anna@example.net", "");
    assert_int_equal(ask(&desk, "w@sender.example", NOW, true).outcome, ANSWER_REPLY);
    assert_int_equal(memory_of(&desk).count, 0); /* a trial leaves nothing behind */
    assert_int_equal(spooled(&desk), 0);
    static const struct {
        int64_t at;
        enum answer_outcome outcome;
    } rows[] = {
        {0, ANSWER_REPLY},           {1, ANSWER_SILENCE},       {7 * DAY - 1, ANSWER_SILENCE},
        {7 * DAY, ANSWER_REPLY},     {7 * DAY + 1, ANSWER_SILENCE},
        {3 * DAY, ANSWER_SILENCE}, /* the clock jumped back */
        {14 * DAY - 1, ANSWER_SILENCE}, {14 * DAY, ANSWER_REPLY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct answer answer = ask(&desk, "W@Sender.Example", NOW + rows[i].at, false);
        assert_int_equal(answer.outcome, rows[i].outcome);
        if (answer.outcome == ANSWER_SILENCE)
            assert_string_equal(answer.why, "autoreply.remembered");
        else
            confirm_all(&desk, 7);
    }
    assert_int_equal(spooled(&desk), 3);
    assert_false(is_reserved(&desk));
    assert_int_equal(memory_of(&desk).expires, NOW + 21 * DAY);
    desk_close(&desk);
}

static void a_text_of_its_own_days(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk);
    store_responder(&desk, "anna@example.net", ",\"days\":1");
    assert_int_equal(ask(&desk, "w@sender.example", NOW, false).outcome, ANSWER_REPLY);
    assert_true(is_reserved(&desk));
    assert_int_equal(memory_of(&desk).expires, NOW + MEMORY_RESERVED_SECONDS);
    confirm_all(&desk, 1);
    assert_int_equal(ask(&desk, "w@sender.example", NOW + DAY - 1, false).outcome, ANSWER_SILENCE);
    assert_int_equal(ask(&desk, "w@sender.example", NOW + DAY, false).outcome, ANSWER_REPLY);
    desk_close(&desk);
}

static void a_full_spool_remembers_nothing(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk);
    store_responder(&desk, "anna@example.net", "");
    close_services(&desk);
    desk.spool_settings.max_messages = 1;
    open_services(&desk);
    assert_int_equal(ask(&desk, "one@sender.example", NOW, false).outcome, ANSWER_REPLY);
    struct answer answer = ask(&desk, "two@sender.example", NOW, false);
    assert_int_equal(answer.outcome, ANSWER_TROUBLE);
    assert_string_equal(answer.text, "the spool is full");
    assert_int_equal(memory_of(&desk).count, 1);
    desk_close(&desk);
}

/* Mail that another machine of ours has forwarded: the person in the SRS address is who is meant. */
static void srs_addresses_of_ours(void **state)
{
    (void)state;
    static const struct {
        const char *sender, *why;
    } rows[] = {
        {"SRS0=abcd=XY=remote.example=boss@example.net", "autoreply.excluded"},
        {"SRS1=ijkl=mid.example==abcd=XY=quiet.example=bob@example.net", "autoreply.excluded"},
        {"SRS0=abcd=XY=example.net=anna@example.net", "autoreply.own-address"},
        {"SRS0=abcd=XY=remote.example=noreply@example.net", "autoreply.system-sender"},
        {"SRS0=abcd=XY=remote.example=noreply@srs.example.org", "autoreply.system-sender"},
        {"SRS0=abcd=XY=example.net=anna@srs.example.org", "autoreply.own-address"},
        {"SRS0=abcd=XY=remote.example=boss@other.example", NULL}, /* what that means is theirs to say */
        {"SRS0=abcd=XY=remote.example=bob@example.net", NULL},
    };
    static const char *noreply[] = {"noreply"};
    static const struct string_list patterns = {1, noreply};
    struct desk desk;
    desk_open(&desk);
    desk.options.noreply = &patterns;
    store_responder(&desk, "anna@example.net", ",\"excluded\":[\"boss@remote.example\",\"@quiet.example\"]");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct answer answer = ask(&desk, rows[i].sender, NOW, true);
        if (rows[i].why ? !answer.why || strcmp(answer.why, rows[i].why) != 0 : answer.outcome != ANSWER_REPLY)
            fail_msg("%s: %s", rows[i].sender, answer.why ? answer.why : answer.text);
    }
    desk_close(&desk);
}

/* What posternctl leaves of a mailbox that was deleted answers nobody. */
static void a_deleted_one_is_nobody(void **state)
{
    (void)state;
    struct desk desk;
    bool down = false;
    desk_open(&desk);
    assert_int_equal(store_put(desk.responding->store, RESPONDER_KEY "anna@example.net",
                               span_of("{\"mailbox\":\"anna@example.net\",\"generation\":1,\"messages\":[]}"),
                               NOW + DAY, NOW),
                     STORE_OK);
    assert_int_equal(answer_mailboxes(desk.responding, desk.arena, "anna@example.net", NOW, &down).count, 0);
    struct answer answer = ask(&desk, "w@sender.example", NOW, true);
    assert_int_equal(answer.outcome, ANSWER_NOBODY);
    assert_string_equal(answer.text, "nothing is stored for this mailbox");
    desk_close(&desk);
}

static void a_damaged_responder_is_trouble(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk);
    store_responder(&desk, "anna@example.net", ",\"subjekt\":\"x\"");
    struct answer answer = ask(&desk, "w@sender.example", NOW, false);
    assert_int_equal(answer.outcome, ANSWER_TROUBLE);
    assert_non_null(strstr(answer.text, "subjekt"));
    /* a zone that the system does not know any more is no damage */
    store_responder(&desk, "anna@example.net", ",\"zone\":\"Europe/Atlantis\"");
    answer = ask(&desk, "w@sender.example", NOW, false);
    assert_int_equal(answer.outcome, ANSWER_NOBODY);
    assert_non_null(strstr(answer.text, "Europe/Atlantis"));
    desk_close(&desk);
}

/* ---- many at once ---- */

struct race {
    struct desk *desk;
    pthread_barrier_t barrier;
    _Atomic int replies;
};

static void *run_racer(void *context)
{
    struct race *race = context;
    struct arena *arena = arena_create(4096);
    const struct answer_question question = {.options = &race->desk->options,
                                             .sender = "w@sender.example",
                                             .written_to = "anna@example.net",
                                             .mailbox = "anna@example.net",
                                             .headers = (const struct header_field[]){
                                                 {{"To", 2}, {" anna@example.net", 17}}},
                                             .header_count = 1,
                                             .is_own_user = true,
                                             .now = NOW};
    pthread_barrier_wait(&race->barrier);
    race->replies += answer_find(race->desk->responding, arena, &question).outcome == ANSWER_REPLY;
    arena_destroy(arena);
    return NULL;
}

static void sixteen_at_once(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk);
    store_responder(&desk, "anna@example.net", "");
    struct race race = {.desk = &desk};
    pthread_t threads[16];
    pthread_barrier_init(&race.barrier, NULL, 16);
    for (int i = 0; i < 16; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_racer, &race), 0);
    for (int i = 0; i < 16; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&race.barrier);
    assert_int_equal(race.replies, 1);
    assert_int_equal(spooled(&desk), 1);
    desk_close(&desk);
}

/* ---- the spool's callbacks ---- */

static const char *put_mark(struct desk *desk, const char *token, bool reserved)
{
    const struct memory_mark mark = {token, reserved, NOW};
    assert_int_equal(store_put(desk->responding->store, "seen/k", span_of(memory_mark_print(desk->arena, &mark)),
                               reserved ? NOW + 900 : NOW + 7 * DAY, NOW),
                     STORE_OK);
    return answer_memo(desk->arena, "seen/k", token, NOW, 7);
}

#define MINE "00112233445566778899aabbccddeeff"
#define OTHER "ffeeddccbbaa99887766554433221100"

static void before_an_attempt(void **state)
{
    (void)state;
    struct desk desk;
    bool later = true;
    desk_open(&desk);
    /* killed before it was confirmed */
    const char *memo = put_mark(&desk, MINE, true);
    assert_true(answer_before(desk.responding, memo, NOW + 10, &later));
    assert_false(later);
    assert_false(is_reserved(&desk));
    assert_int_equal(memory_of(&desk).expires, NOW + 7 * DAY);
    assert_true(answer_before(desk.responding, memo, NOW + 20, &later)); /* safe to repeat */
    /* the reservation was over before the spool got there, and nobody else came */
    assert_int_equal(store_delete(desk.responding->store, "seen/k", NOW), STORE_OK);
    assert_true(answer_before(desk.responding, memo, NOW + 3600, &later));
    assert_int_equal(memory_of(&desk).expires, NOW + 7 * DAY);
    /* the MTA was down until the days were over: the days begin when it leaves */
    assert_true(answer_before(desk.responding, memo, NOW + 8 * DAY, &later));
    assert_int_equal(memory_of(&desk).expires, NOW + 15 * DAY);
    /* somebody else answered meanwhile */
    put_mark(&desk, OTHER, false);
    assert_false(answer_before(desk.responding, memo, NOW + 3600, &later));
    assert_false(answer_before(desk.responding, "no memo", NOW, &later));
    assert_false(answer_before(desk.responding, NULL, NOW, &later));
    desk_close(&desk);
}

static const char *reserve_key(struct desk *desk, const char *key, const char *token)
{
    const struct memory_mark mark = {token, true, NOW};
    assert_int_equal(store_put(desk->responding->store, key, span_of(memory_mark_print(desk->arena, &mark)), NOW + 900, NOW),
                     STORE_OK);
    return answer_memo(desk->arena, key, token, NOW, 7);
}

static bool is_confirmed(struct desk *desk, const char *key)
{
    struct store_value value;
    struct memory_mark mark;
    assert_int_equal(store_get(desk->responding->store, desk->arena, key, NOW, &value), STORE_OK);
    assert_int_equal(memory_mark_parse(desk->arena, value.bytes, &mark), 0);
    assert_int_equal(value.expires, mark.is_reserved ? NOW + 900 : NOW + 7 * DAY);
    return !mark.is_reserved;
}

/* All of them or none: what is not as it usually is, is left to answer_before(). */
static void before_several(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk);
    const char *memos[3] = {reserve_key(&desk, "seen/1", MINE), reserve_key(&desk, "seen/2", MINE), NULL};
    assert_false(answer_before_all(desk.responding, memos, 3, NOW + 10));
    memos[2] = "no memo";
    assert_false(answer_before_all(desk.responding, memos, 3, NOW + 10));
    memos[2] = answer_memo(desk.arena, "seen/3", MINE, NOW, 7); /* not there */
    assert_false(answer_before_all(desk.responding, memos, 3, NOW + 10));
    reserve_key(&desk, "seen/3", OTHER);
    assert_false(answer_before_all(desk.responding, memos, 3, NOW + 10));
    assert_false(is_confirmed(&desk, "seen/1") || is_confirmed(&desk, "seen/2") || is_confirmed(&desk, "seen/3"));
    assert_true(answer_before_all(desk.responding, memos, 2, NOW + 10));
    assert_true(is_confirmed(&desk, "seen/1") && is_confirmed(&desk, "seen/2"));
    assert_false(is_confirmed(&desk, "seen/3"));
    assert_false(answer_before_all(desk.responding, memos, 2, NOW + 10)); /* they are not reserved any more */
    desk_close(&desk);
}

/* The worker's thread confirms while the sender's looks: the reply must not be taken for somebody else's. */
static _Atomic bool meanwhile_is_over;

static void *confirm_meanwhile(void *context)
{
    struct desk *desk = context;
    for (int i = 0; i < 4000; i++)
        put_mark(desk, MINE, i % 2 == 0);
    meanwhile_is_over = true;
    return NULL;
}

static void confirmed_by_two_at_once(void **state)
{
    (void)state;
    struct desk desk;
    pthread_t thread;
    bool later;
    desk_open(&desk);
    const char *memo = put_mark(&desk, MINE, true);
    struct arena *own = desk.arena;
    desk.arena = arena_create(4096); /* the thread's */
    assert_int_equal(pthread_create(&thread, NULL, confirm_meanwhile, &desk), 0);
    while (!meanwhile_is_over)
        assert_true(answer_before(desk.responding, memo, NOW, &later));
    pthread_join(thread, NULL);
    arena_destroy(desk.arena);
    desk.arena = own;
    desk_close(&desk);
}

static void at_the_end(void **state)
{
    (void)state;
    static const struct {
        enum spool_end end;
        const char *token;
        size_t remembered;
    } rows[] = {{SPOOL_SENT, MINE, 1},     {SPOOL_UNKNOWN, MINE, 1}, {SPOOL_REFUSED, MINE, 0},
                {SPOOL_GIVEN_UP, MINE, 0}, {SPOOL_DELETED, MINE, 0}, {SPOOL_REFUSED, OTHER, 1}};
    struct desk desk;
    desk_open(&desk);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_mark(&desk, rows[i].token, false);
        assert_true(answer_after(desk.responding, &(struct spool_left){.memo = answer_memo(desk.arena, "seen/k", MINE, NOW, 7),
                                                           .end = rows[i].end,
                                                           .now = NOW + 60}));
        assert_int_equal(memory_of(&desk).count, rows[i].remembered);
    }
    desk_close(&desk);
}

/* The store is down when a reply is refused: its memory is released when it is back. */
static void at_the_end_without_the_store(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk);
    struct spool_left left = {.memo = put_mark(&desk, MINE, false), .end = SPOOL_REFUSED, .now = NOW + 60};
    const char *aside = arena_printf(desk.arena, "%s.aside", desk.directory);
    assert_int_equal(rename(desk.directory, aside), 0);
    assert_false(answer_after(desk.responding, &left));
    left.is_last = true; /* which is said in the log, and changes nothing */
    assert_false(answer_after(desk.responding, &left));
    left.end = SPOOL_SENT; /* and here there is nothing to be done */
    assert_true(answer_after(desk.responding, &left));
    left.end = SPOOL_REFUSED;
    left.is_last = false;
    assert_int_equal(rename(aside, desk.directory), 0);
    bool is_done = false;
    for (int i = 0; i < 100 && !is_done; i++, usleep(50000)) /* it is tried again once a second */
        is_done = answer_after(desk.responding, &left);
    assert_true(is_done);
    assert_int_equal(memory_of(&desk).count, 0);
    desk_close(&desk);
}

static void which_mailboxes(void **state)
{
    (void)state;
    struct desk desk;
    bool down = false;
    desk_open(&desk);
    store_responder(&desk, "anna@example.net", "");
    struct answer_mailboxes got = answer_mailboxes(desk.responding, desk.arena, "Anna+tag@EXAMPLE.net", NOW, &down);
    assert_int_equal(got.count, 1);
    assert_string_equal(got.items[0], "anna@example.net");
    assert_int_equal(answer_mailboxes(desk.responding, desk.arena, "ben@example.net", NOW, &down).count, 0);
    assert_int_equal(answer_mailboxes(desk.responding, desk.arena, "postmaster", NOW, &down).count, 0);
    assert_false(down);
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_away),
        cmocka_unit_test(once_in_seven_days),
        cmocka_unit_test(a_text_of_its_own_days),
        cmocka_unit_test(a_full_spool_remembers_nothing),
        cmocka_unit_test(srs_addresses_of_ours),
        cmocka_unit_test(a_deleted_one_is_nobody),
        cmocka_unit_test(a_damaged_responder_is_trouble),
        cmocka_unit_test(sixteen_at_once),
        cmocka_unit_test(before_an_attempt),
        cmocka_unit_test(before_several),
        cmocka_unit_test(confirmed_by_two_at_once),
        cmocka_unit_test(at_the_end),
        cmocka_unit_test(at_the_end_without_the_store),
        cmocka_unit_test(which_mailboxes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
