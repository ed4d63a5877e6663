/* What copies of forwarded mail need: an MTA of their own, additions all or none, and an end for each recipient. */
#include "unit.h"

#include "workbench.h"
#include <sqlite3.h>

#define TEXT "Subject: hello\r\n\r\nbody\r\n"

/* ---- an owner that keeps what it was told ---- */

struct ledger {
    struct bench *bench;
    pthread_mutex_t mutex;
    int count;
    struct spool_left last; /* copied to the bench's arena */
    struct spool_refused refused[8];
    const struct spool_message *reply; /* added by after(), once */
};

static bool keep(void *context, const struct spool_left *left)
{
    struct ledger *ledger = context;
    struct arena *arena = ledger->bench->arena;
    pthread_mutex_lock(&ledger->mutex);
    ledger->last = *left;
    ledger->last.kind = arena_strdup(arena, left->kind);
    ledger->last.memo = arena_strdup(arena, left->memo);
    ledger->last.reverse_path = arena_strdup(arena, left->reverse_path);
    ledger->last.mail_parameters = arena_strdup(arena, left->mail_parameters);
    ledger->last.header = (struct span){arena_spandup(arena, left->header), left->header.len};
    ledger->last.refused = ledger->refused;
    for (size_t i = 0; i < left->refused_count && i < 8; i++)
        ledger->refused[i] = (struct spool_refused){arena_strdup(arena, left->refused[i].forward_path),
                                                    arena_strdup(arena, left->refused[i].parameters),
                                                    left->refused[i].end, arena_strdup(arena, left->refused[i].reply)};
    const struct spool_message *reply = ledger->reply;
    ledger->reply = NULL;
    ledger->count++;
    pthread_mutex_unlock(&ledger->mutex);
    if (reply)
        assert_int_equal(spool_add(ledger->bench->spool, reply, clock_wall(), NULL), SPOOL_OK);
    return true;
}

static void ledger_start(struct ledger *ledger, struct bench *bench)
{
    struct spool_owner owners[] = {{.kind = "copy", .after = keep, .context = ledger}, {.kind = NULL}};
    *ledger = (struct ledger){.bench = bench};
    pthread_mutex_init(&ledger->mutex, NULL);
    assert_int_equal(spool_start(bench->spool, owners), 0);
}

static void ledger_wait(struct ledger *ledger, int count)
{
    int got = -1;
    for (int i = 0; i < 1000 && got < count; i++) {
        if (i > 0)
            clock_sleep_us(10000);
        pthread_mutex_lock(&ledger->mutex);
        got = ledger->count;
        pthread_mutex_unlock(&ledger->mutex);
    }
    assert_int_equal(got, count);
}

static void assert_refused(const struct ledger *ledger, size_t n, const char *path, enum spool_end end,
                           const char *reply)
{
    assert_true(n < ledger->last.refused_count);
    assert_string_equal(ledger->refused[n].forward_path, path);
    assert_int_equal(ledger->refused[n].end, end);
    if (!reply)
        assert_null(ledger->refused[n].reply);
    else if (!ledger->refused[n].reply || !strstr(ledger->refused[n].reply, reply))
        fail_msg("%s: %s", path, ledger->refused[n].reply ? ledger->refused[n].reply : "no reply");
}

static struct spool_message copy_for(const char *const *paths, size_t count)
{
    struct spool_message message = bench_message(TEXT);
    message.kind = "copy";
    message.forward_paths = paths;
    message.forward_path_count = count;
    return message;
}

/* ---- an MTA for each entry ---- */

static void sends_to_each_mta(void **state)
{
    struct bench *bench = *state;
    struct server *other = server_start();
    char submit[64];
    snprintf(submit, sizeof submit, "smtp://127.0.0.1:%d", server_port(other));
    for (int i = 0; i < 10; i++) {
        struct spool_message message = bench_message(i % 2 ? "X-For: other\r\n\r\n" : "X-For: usual\r\n\r\n");
        message.submit = i % 2 ? submit : NULL;
        bench_add(bench, &message);
    }
    bench_start(bench);
    bench_wait_afters(bench, 10);
    bench_wait_empty(bench);
    assert_int_equal(server_count_content(bench->server, "X-For: usual"), 5);
    assert_int_equal(server_count_content(other, "X-For: other"), 5);
    assert_int_equal(server_messages(bench->server), 5);
    assert_int_equal(server_messages(other), 5);
    assert_int_equal(server_count(bench->server, "CONNECT"), 1);
    assert_int_equal(server_count(other, "CONNECT"), 1);
    struct spool_message message = bench_message(TEXT);
    message.submit = submit; /* and one that comes while both senders are there */
    bench_add(bench, &message);
    bench_wait_afters(bench, 11);
    assert_int_equal(server_messages(other), 6);
    server_stop(other);
}

static void refuses_what_is_no_url(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    message.submit = "http://127.0.0.1";
    assert_int_equal(spool_add(bench->spool, &message, 1, NULL), SPOOL_FAILED);
    message.submit = "";
    assert_int_equal(spool_add(bench->spool, &message, 1, NULL), SPOOL_FAILED);
    struct spool_entry *entries;
    assert_int_equal(bench_list(bench, &entries), 0);
}

/* One MTA hangs in the middle of a conversation, nobody is at the port of another: the third gets its mail at once. */
static void is_held_up_by_nobody(void **state)
{
    struct bench *bench = *state;
    struct server *hangs = server_start();
    char submit[64];
    bench->options.timeout = 60000;
    bench_open_again(bench);
    server_rule(hangs, "DATA", 0, "HANG");
    snprintf(submit, sizeof submit, "smtp://127.0.0.1:%d", server_port(hangs));
    struct spool_message message = bench_message(TEXT);
    bench_start(bench);
    message.submit = submit;
    bench_add(bench, &message);
    message.submit = "smtp://127.0.0.1:1";
    bench_add(bench, &message);
    for (int i = 0; i < 1000 && server_count(hangs, "DATA") == 0; i++)
        clock_sleep_us(10000);
    message.submit = NULL;
    int64_t began = clock_monotonic_us();
    bench_add(bench, &message);
    bench_add(bench, &message);
    bench_wait_afters(bench, 2);
    assert_true(clock_monotonic_us() - began < 3000000);
    assert_int_equal(server_messages(bench->server), 2);
    struct spool_entry *entries;
    assert_int_equal(bench_list(bench, &entries), 2);
    bench_open_again(bench); /* which lets go of the one that hangs */
    assert_int_equal(bench_list(bench, &entries), 2);
    assert_int_equal(entries[0].attempts, 0);
    assert_non_null(strstr(entries[1].last_reply, "cannot connect"));
    server_stop(hangs);
}

/* ---- all or none ---- */

static ssize_t read_from(const void *source, uint64_t offset, void *buffer, size_t len)
{
    const char *text = source;
    size_t left = strlen(text) - offset, n = len < left ? len : left;
    n = n < 7 ? n : 7; /* a file may give less than it was asked for */
    memcpy(buffer, text + offset, n);
    return (ssize_t)n;
}

static ssize_t read_half(const void *source, uint64_t offset, void *buffer, size_t len)
{
    return offset > 10 ? -1 : read_from(source, offset, buffer, len);
}

/* It breaks when it is read for the second time, in the transaction. */
static ssize_t read_once(const void *source, uint64_t offset, void *buffer, size_t len)
{
    (void)buffer;
    int *reads = *(int *const *)source;
    memset(buffer, 'x', len);
    return offset == 0 && ++*reads > 1 ? -1 : (ssize_t)len;
}

static void adds_all_or_none(void **state)
{
    struct bench *bench = *state;
    struct spool_message both[2] = {bench_message(TEXT), bench_message(TEXT)};
    struct spool_entry *entries;
    int64_t ids[2] = {0, 0}, now = clock_wall();
    int reads = 0, *reads_at = &reads;
    bench->options.max_messages = 3;
    bench->options.max_bytes = 90; /* 24 each */
    bench_open_again(bench);
    assert_int_equal(spool_add_all(bench->spool, both, 0, now, ids), SPOOL_OK);
    both[1].reverse_path = "a b";
    assert_int_equal(spool_add_all(bench->spool, both, 2, now, ids), SPOOL_FAILED);
    both[1] = bench_message("");
    both[1].read_at = read_half;
    both[1].source = TEXT;
    both[1].source_size = strlen(TEXT);
    assert_int_equal(spool_add_all(bench->spool, both, 2, now, ids), SPOOL_FAILED);
    both[1].read_at = read_once;
    both[1].source = &reads_at;
    assert_int_equal(spool_add_all(bench->spool, both, 2, now, ids), SPOOL_FAILED);
    assert_true(reads > 1);
    assert_int_equal(bench_list(bench, &entries), 0);
    both[1] = bench_message(TEXT);
    assert_int_equal(spool_add_all(bench->spool, both, 2, now, ids), SPOOL_OK);
    assert_int_equal(bench_list(bench, &entries), 2);
    assert_true(entries[0].id == ids[0] && entries[1].id == ids[1]);
    assert_int_equal(spool_add_all(bench->spool, both, 2, now, ids), SPOOL_FULL); /* one would fit */
    both[0].content = both[1].content = span_of("");
    assert_int_equal(spool_add_all(bench->spool, both, 2, now, ids), SPOOL_FULL);
    both[0].content = span_of(TEXT TEXT);
    assert_int_equal(spool_add_all(bench->spool, both, 1, now, ids), SPOOL_FULL);
    assert_int_equal(bench_list(bench, &entries), 2);
    both[0].content = span_of(TEXT);
    assert_int_equal(spool_add_all(bench->spool, both, 1, now, ids), SPOOL_OK);
}

/* ---- content ---- */

static void puts_the_head_in_front(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message("Subject: hello\r\n\r\n.body");
    struct spool_entry entry;
    struct span content;
    const char *problem;
    message.head = span_of("X-Trace: 1\r\n");
    int64_t id = bench_add(bench, &message);
    assert_int_equal(spool_show(bench->spool, bench->arena, id, &entry, &content, &problem), 0);
    assert_true(span_equals(content, "X-Trace: 1\r\nSubject: hello\r\n\r\n.body"));
    message.read_at = read_from;
    message.source = "Subject: \xc3\xa4\r\n\r\nfrom a source\r\n";
    message.source_size = strlen(message.source);
    bench_add(bench, &message);
    bench_start(bench);
    bench_wait_afters(bench, 2);
    const struct server_message *got = server_message(bench->server, 0);
    assert_string_equal(got->content, "X-Trace: 1\r\nSubject: hello\r\n\r\n..body\r\n");
    assert_string_equal(got->mail, "MAIL FROM:<> SIZE=35");
    got = server_message(bench->server, 1);
    assert_string_equal(got->content, "X-Trace: 1\r\nSubject: \xc3\xa4\r\n\r\nfrom a source\r\n");
    assert_string_equal(got->mail, "MAIL FROM:<> BODY=8BITMIME SIZE=42");
}

static ssize_t read_letters(const void *source, uint64_t offset, void *buffer, size_t len)
{
    (void)source;
    memset(buffer, 'a' + (int)(offset / 1000000 % 26), len);
    return (ssize_t)len;
}

/* However large a message is, SQLite takes little more than its cache. */
static void takes_little_memory(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message("");
    bench->options.max_bytes = 1 << 30;
    bench_open_again(bench);
    message.read_at = read_letters;
    message.source_size = 50 << 20;
    sqlite3_memory_highwater(1);
    bench_add(bench, &message);
    assert_true(sqlite3_memory_highwater(0) < 4 << 20);
    struct spool_entry *entries;
    assert_int_equal(bench_list(bench, &entries), 1);
    assert_int_equal(entries[0].bytes, 50 << 20);
}

/* ---- the end of each recipient ---- */

static void tells_the_end_of_each(void **state)
{
    struct bench *bench = *state;
    static const char *const four[] = {"a@x.example", "b@x.example", "c@x.example", "d@x.example"};
    static const char *const each[] = {"NOTIFY=NEVER", "NOTIFY=FAILURE ORCPT=rfc822;b", NULL, NULL};
    struct ledger ledger;
    struct spool_message message = copy_for(four, 4);
    message.reverse_path = "me@example.net";
    message.mail_parameters = "RET=HDRS";
    message.each_rcpt_parameters = each;
    message.head = span_of("X-Trace: 1\r\n");
    server_rule(bench->server, "RCPT", 2, "550-5.1.1 who\r\n550 5.1.1 is this?");
    server_rule(bench->server, "RCPT", 3, "452 4.2.2 full");
    server_rule(bench->server, "RCPT", 5, "452 4.2.2 still full"); /* c's second attempt */
    ledger_start(&ledger, bench);
    int64_t now = clock_wall(), id;
    assert_int_equal(spool_add(bench->spool, &message, now, &id), SPOOL_OK);
    bench_wait_attempts(bench, 1);
    bench_flush(bench);
    bench_wait_attempts(bench, 2);
    assert_int_equal(ledger.count, 0);
    bench->options.lifetime = 1000;
    bench_open_again(bench); /* what was found out survives a worker */
    clock_sleep_us(1100000);
    server_rule(bench->server, "MAIL", 0, "421 4.3.2 bye");
    ledger_start(&ledger, bench);
    bench_flush(bench);
    ledger_wait(&ledger, 1);
    bench_wait_empty(bench);
    assert_int_equal(ledger.last.id, id);
    assert_int_equal(ledger.last.end, SPOOL_SENT);
    assert_int_equal(ledger.last.refused_count, 2);
    assert_refused(&ledger, 0, "b@x.example", SPOOL_REFUSED, "550-5.1.1 who / 5.1.1 is this?");
    assert_string_equal(ledger.refused[0].parameters, "NOTIFY=FAILURE ORCPT=rfc822;b");
    assert_refused(&ledger, 1, "c@x.example", SPOOL_GIVEN_UP, "421 4.3.2 bye");
    assert_null(ledger.refused[1].parameters);
    assert_string_equal(ledger.last.kind, "copy");
    assert_string_equal(ledger.last.memo, "memo");
    assert_string_equal(ledger.last.reverse_path, "me@example.net");
    assert_string_equal(ledger.last.mail_parameters, "RET=HDRS");
    assert_true(span_equals(ledger.last.header, "X-Trace: 1\r\nSubject: hello\r\n\r\n"));
    assert_int_equal(ledger.last.added, now);
    assert_true(ledger.last.now >= now + 1);
    assert_int_equal(server_messages(bench->server), 1); /* who had it was never sent to again */
    assert_string_equal(server_message(bench->server, 0)->rcpts, "RCPT TO:<a@x.example> NOTIFY=NEVER\n"
                                                                 "RCPT TO:<d@x.example>\n");
    assert_int_equal(server_count(bench->server, "RCPT"), 5);
}

/* The MTA is not there at the end: its last word about the mailbox counts more. */
static void tells_the_last_word(void **state)
{
    struct bench *bench = *state;
    static const char *const two[] = {"a@x.example", "b@x.example"};
    struct ledger ledger;
    struct spool_message message = copy_for(two, 2);
    server_rule(bench->server, "RCPT", 1, "452 4.2.2 full");
    server_rule(bench->server, "DOT", 0, "451 4.3.0 not now");
    ledger_start(&ledger, bench);
    bench_add(bench, &message);
    bench_wait_attempts(bench, 1);
    bench->options.lifetime = 1000;
    bench->options.submit = "smtp://127.0.0.1:1";
    bench_open_again(bench);
    clock_sleep_us(1100000);
    ledger_start(&ledger, bench);
    bench_flush(bench);
    ledger_wait(&ledger, 1);
    assert_int_equal(ledger.last.end, SPOOL_GIVEN_UP);
    assert_int_equal(ledger.last.refused_count, 2);
    assert_refused(&ledger, 0, "a@x.example", SPOOL_GIVEN_UP, "452 4.2.2 full");
    assert_refused(&ledger, 1, "b@x.example", SPOOL_GIVEN_UP, "451 4.3.0 not now");
    message.head = span_of("X: y\r\n"); /* one that the MTA never saw */
    assert_int_equal(spool_add(bench->spool, &message, clock_wall() - 10, NULL), SPOOL_OK);
    bench_flush(bench);
    ledger_wait(&ledger, 2);
    assert_refused(&ledger, 1, "b@x.example", SPOOL_GIVEN_UP, "cannot connect");
}

static void tells_of_none(void **state)
{
    struct bench *bench = *state;
    static const char *const one[] = {"a@x.example"};
    struct ledger ledger;
    const char *problem;
    struct spool_message message = copy_for(one, 1);
    int64_t id = bench_add(bench, &message);
    assert_int_equal(spool_delete(bench->spool, id, &problem), 1);
    ledger_start(&ledger, bench);
    ledger_wait(&ledger, 1);
    assert_int_equal(ledger.last.end, SPOOL_DELETED);
    assert_int_equal(ledger.last.refused_count, 1);
    assert_refused(&ledger, 0, "a@x.example", SPOOL_DELETED, NULL);
    bench_add(bench, &message);
    ledger_wait(&ledger, 2);
    assert_int_equal(ledger.last.end, SPOOL_SENT);
    assert_int_equal(ledger.last.refused_count, 0);
    assert_int_equal(ledger.last.header.len, 0);
    server_rule(bench->server, "DOT", 0, "CUT");
    message.once = true;
    bench_add(bench, &message);
    ledger_wait(&ledger, 3);
    assert_int_equal(ledger.last.end, SPOOL_UNKNOWN);
    assert_int_equal(ledger.last.refused_count, 1);
    assert_refused(&ledger, 0, "a@x.example", SPOOL_UNKNOWN, "cut");
}

/* The header ends at its empty line wherever the pieces end, or after 64 kB. */
static void bounds_the_header(void **state)
{
    struct bench *bench = *state;
    static const char *const one[] = {"a@x.example"};
    static char large[80000];
    struct ledger ledger;
    struct {
        const char *head, *content, *expected;
    } rows[] = {
        {"A: b\r\n", "C: d\r\n\r\nx\r\n\r\ny", "A: b\r\nC: d\r\n\r\n"},
        {"A: b\r\n", "\r\nbody\r\n", "A: b\r\n\r\n"},
        {"", "\r\nbody\r\n\r\n", "\r\n"},
        {"", "A: b\n\nbody\n\n", "A: b\n\n"},
        {"", "A: b\r\n", "A: b\r\n"},
        {"", "", ""},
    };
    server_rule(bench->server, "MAIL", 0, "550 no");
    ledger_start(&ledger, bench);
    struct spool_message message = copy_for(one, 1);
    int count = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        message.head = span_of(rows[i].head);
        message.content = span_of(rows[i].content);
        bench_add(bench, &message);
        ledger_wait(&ledger, ++count);
        assert_true(span_equals(ledger.last.header, rows[i].expected));
    }
    memset(large, 'x', sizeof large - 1);
    message.head = span_of("A: b\r\n");
    message.content = span_of(large);
    bench_add(bench, &message);
    ledger_wait(&ledger, ++count);
    assert_int_equal(ledger.last.header.len, SPOOL_HEADER_MAX);
    assert_memory_equal(ledger.last.header.ptr, "A: b\r\nxxx", 9);
}

static void may_add_in_after(void **state)
{
    struct bench *bench = *state;
    static const char *const one[] = {"a@x.example"}, *const back[] = {"me@example.net"};
    struct ledger ledger;
    struct spool_message message = copy_for(one, 1), report = copy_for(back, 1);
    report.content = span_of("Subject: report\r\n\r\n");
    server_rule(bench->server, "RCPT", 1, "550 5.1.1 who?");
    ledger_start(&ledger, bench);
    ledger.reply = &report;
    bench_add(bench, &message);
    ledger_wait(&ledger, 2);
    bench_wait_empty(bench);
    assert_int_equal(server_count_content(bench->server, "Subject: report"), 1);
    assert_int_equal(ledger.last.end, SPOOL_SENT);
}

/* ---- a queue of the version before ---- */

static const char version_1[] =
    "CREATE TABLE entry(id INTEGER PRIMARY KEY AUTOINCREMENT, token INTEGER NOT NULL, kind TEXT NOT NULL,"
    " reverse_path TEXT NOT NULL, mail_parameters TEXT, needs_smtputf8 INTEGER NOT NULL, is_8bit INTEGER NOT NULL,"
    " once INTEGER NOT NULL, memo TEXT, added INTEGER NOT NULL, next_attempt INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL DEFAULT 0, is_being_sent INTEGER NOT NULL DEFAULT 0,"
    " last_reply TEXT, bytes INTEGER NOT NULL);"
    "CREATE INDEX entry_next ON entry(next_attempt, id);"
    "CREATE INDEX entry_added ON entry(added);"
    "CREATE TABLE recipient(entry INTEGER NOT NULL, number INTEGER NOT NULL, path TEXT NOT NULL, parameters TEXT,"
    " fate INTEGER NOT NULL DEFAULT 0, reply TEXT, PRIMARY KEY(entry, number)) WITHOUT ROWID;"
    "CREATE INDEX recipient_doubt ON recipient(entry) WHERE fate = 1;"
    "CREATE TABLE content(entry INTEGER NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL,"
    " UNIQUE(entry, part));"
    "CREATE TABLE total(messages INTEGER NOT NULL, bytes INTEGER NOT NULL);"
    "INSERT INTO total VALUES(0, 0);"
    "CREATE TRIGGER entry_in AFTER INSERT ON entry BEGIN"
    " UPDATE total SET messages = messages + 1, bytes = bytes + new.bytes; END;"
    "CREATE TRIGGER entry_out AFTER DELETE ON entry BEGIN"
    " DELETE FROM recipient WHERE entry = old.id; DELETE FROM content WHERE entry = old.id;"
    " UPDATE total SET messages = messages - 1, bytes = bytes - old.bytes; END;"
    "PRAGMA user_version = 1;"
    "INSERT INTO entry(token, kind, reverse_path, needs_smtputf8, is_8bit, once, memo, added, next_attempt, bytes)"
    " VALUES(1, 'copy', '', 0, 0, 1, 'doubt', strftime('%s', 'now'), 1, 6),"
    " (2, 'copy', '', 0, 0, 0, 'waits', strftime('%s', 'now'), 1, 300000),"
    " (3, 'copy', '', 0, 0, 0, 'half', strftime('%s', 'now'), 1, 6);"
    "INSERT INTO recipient(entry, number, path, fate, reply) VALUES(1, 0, 'a@x.example', 1, '250 ok'),"
    " (2, 0, 'b@x.example', 0, NULL), (3, 0, 'c@x.example', 2, '250 ok'), (3, 1, 'd@x.example', 0, NULL),"
    " (3, 2, 'e@x.example', 3, '550 no');"
    "INSERT INTO content VALUES(1, 0, x'413a620d0a0d'), (2, 0, CAST(printf('%.262144c', 'y') AS BLOB)),"
    " (2, 1, CAST(printf('%.37856c', 'z') AS BLOB)), (3, 0, x'413a620d0a0d');";

static void brings_version_1_along(void **state)
{
    struct bench *bench = *state;
    sqlite3 *db;
    char path[100];
    struct ledger ledger;
    snprintf(path, sizeof path, "%s/spool.db", bench->directory);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, version_1, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_stmt *old; /* of a worker of that version that is draining: what it adds fails */
    assert_int_equal(sqlite3_prepare_v2(
                         db,
                         "INSERT INTO entry(token, kind, reverse_path, mail_parameters, needs_smtputf8, is_8bit, once,"
                         " memo, added, next_attempt, bytes) VALUES(random(), 'copy', '', NULL, 0, 0, 0, 'late',"
                         " strftime('%s', 'now'), 1, 2)",
                         -1, &old, NULL),
                     SQLITE_OK);
    struct spool_entry *entries;
    assert_int_equal(bench_list(bench, &entries), 3);
    assert_int_equal(sqlite3_exec(db, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(old), SQLITE_DONE);
    sqlite3_finalize(old);
    assert_int_equal(sqlite3_exec(db, "INSERT INTO content(entry, part, bytes) VALUES(4, 0, x'0d0a')", NULL, NULL, NULL),
                     SQLITE_ERROR); /* as a whole */
    sqlite3_close(db);
    ledger_start(&ledger, bench);
    ledger_wait(&ledger, 3);
    bench_wait_empty(bench);
    assert_int_equal(server_messages(bench->server), 2);
    assert_int_equal(server_message(bench->server, 0)->len, 300002);
    assert_string_equal(server_message(bench->server, 1)->rcpts, "RCPT TO:<d@x.example>\n");
    struct spool_message message = bench_message(TEXT);
    assert_int_equal(bench_add(bench, &message), 4); /* ids go on */
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, bench_set_up, bench_tear_down)

int main(void)
{
    log_open(&(struct log_options){"test", LOG_TO_STDERR, LOG_AS_KV, LEVEL_ERROR, 0});
    const struct CMUnitTest tests[] = {
        TEST(sends_to_each_mta),     TEST(refuses_what_is_no_url), TEST(is_held_up_by_nobody),
        TEST(adds_all_or_none),      TEST(puts_the_head_in_front), TEST(takes_little_memory),
        TEST(tells_the_end_of_each), TEST(tells_the_last_word),    TEST(tells_of_none),
        TEST(bounds_the_header),     TEST(may_add_in_after),       TEST(brings_version_1_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
