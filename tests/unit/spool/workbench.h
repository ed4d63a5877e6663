/* workbench - a directory, a server, a spool, and an owner that writes down what it was told. */
#ifndef POSTERN_TESTS_WORKBENCH_H
#define POSTERN_TESTS_WORKBENCH_H

#include "smtp_server.h"
#include "spool/spool.h"
#include "util/clock.h"
#include "util/log.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bench {
    char directory[64], submit[64], command[100];
    struct server *server;
    struct spool_options options;
    struct spool *spool;
    struct arena *arena;
    pthread_mutex_t mutex; /* the rest */
    int befores, afters;
    enum spool_end ends[100];
    char memos[100][32];
    bool refuses, puts_off;
    int settles;
    bool is_unsettled;
    int not_yets;      /* so often after() says "not now" before it says true; those are not in afters */
    int not_now;       /* how often it said so */
    int64_t asked_for; /* us, that it takes to say so */
    bool was_last;     /* of the last call */
    char reply[100];   /* what it was told of the first that was refused */
};

static inline bool bench_before(void *context, const char *memo, int64_t now, bool *later)
{
    struct bench *bench = context;
    (void)memo;
    (void)now;
    pthread_mutex_lock(&bench->mutex);
    bench->befores++;
    *later = bench->puts_off;
    bool is_wanted = !bench->refuses;
    pthread_mutex_unlock(&bench->mutex);
    return is_wanted;
}

static inline bool bench_after(void *context, const struct spool_left *left)
{
    struct bench *bench = context;
    pthread_mutex_lock(&bench->mutex);
    bench->was_last = left->is_last;
    snprintf(bench->reply, sizeof bench->reply, "%s",
             left->refused_count && left->refused[0].reply ? left->refused[0].reply : "(none)");
    int64_t pause = bench->not_yets > 0 ? bench->asked_for : 0;
    bool is_now = bench->not_yets == 0;
    if (!is_now) {
        bench->not_yets--;
        bench->not_now++;
        pthread_mutex_unlock(&bench->mutex);
        clock_sleep_us(pause);
        return false;
    }
    if (bench->afters < 100) {
        bench->ends[bench->afters] = left->end;
        snprintf(bench->memos[bench->afters], sizeof bench->memos[0], "%s", left->memo ? left->memo : "(none)");
    }
    bench->afters++;
    pthread_mutex_unlock(&bench->mutex);
    return true;
}

static inline int bench_set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    strcpy(bench->directory, "/tmp/postern-spool-XXXXXX");
    assert_non_null(mkdtemp(bench->directory));
    bench->server = server_start();
    snprintf(bench->submit, sizeof bench->submit, "smtp://127.0.0.1:%d", server_port(bench->server));
    bench->options = (struct spool_options){.directory = bench->directory,
                                            .submit = bench->submit,
                                            .hostname = "mx.example.net",
                                            .max_messages = 1000,
                                            .max_bytes = 100 << 20,
                                            .lifetime = 172800000,
                                            .retry_first = 3600000,
                                            .retry_most = 7200000,
                                            .timeout = 2000};
    bench->arena = arena_create(4096);
    pthread_mutex_init(&bench->mutex, NULL);
    bench->spool = spool_open(&bench->options);
    *state = bench;
    return 0;
}

static inline void bench_open_again(struct bench *bench)
{
    spool_close(bench->spool);
    bench->spool = spool_open(&bench->options);
}

static inline void bench_start(struct bench *bench)
{
    struct spool_owner owners[] = {{.kind = "autoreply", .before = bench_before, .after = bench_after, .context = bench}, {.kind = NULL}};
    assert_int_equal(spool_start(bench->spool, owners), 0);
}

static inline int bench_tear_down(void **state)
{
    struct bench *bench = *state;
    spool_close(bench->spool);
    server_stop(bench->server);
    arena_destroy(bench->arena);
    pthread_mutex_destroy(&bench->mutex);
    snprintf(bench->command, sizeof bench->command, "rm -rf '%s'", bench->directory);
    assert_int_equal(system(bench->command), 0);
    free(bench);
    return 0;
}

static const char *const bench_one[] = {"anne@example.org"};

/* To be changed before it is added. */
static inline struct spool_message bench_message(const char *content)
{
    return (struct spool_message){.kind = "autoreply",
                                  .reverse_path = "",
                                  .forward_paths = bench_one,
                                  .forward_path_count = 1,
                                  .content = span_of(content),
                                  .memo = "memo"};
}

static inline int64_t bench_add(struct bench *bench, const struct spool_message *message)
{
    int64_t id = 0;
    assert_int_equal(spool_add(bench->spool, message, clock_wall(), &id), SPOOL_OK);
    assert_true(id > 0);
    return id;
}

static inline size_t bench_list(struct bench *bench, struct spool_entry **entries)
{
    size_t count;
    const char *problem;
    assert_int_equal(spool_list(bench->spool, bench->arena, entries, &count, &problem), 0);
    return count;
}

/* Waits up to 10 s until COUNT entries left the queue. */
static inline void bench_wait_afters(struct bench *bench, int count)
{
    for (int i = 0; i < 1000; i++) {
        pthread_mutex_lock(&bench->mutex);
        int afters = bench->afters;
        pthread_mutex_unlock(&bench->mutex);
        if (afters >= count)
            return;
        clock_sleep_us(10000);
    }
    fail_msg("%d entries should have left", count);
}

/* Waits up to 10 s until the first entry had ATTEMPTS and waits. */
static inline struct spool_entry *bench_wait_attempts(struct bench *bench, unsigned attempts)
{
    struct spool_entry *entries;
    for (int i = 0; i < 1000; i++) {
        if (bench_list(bench, &entries) > 0 && entries[0].attempts >= attempts && !entries[0].is_being_sent)
            return &entries[0];
        clock_sleep_us(10000);
    }
    fail_msg("%u attempts should have been made", attempts);
    return NULL;
}

static inline void bench_wait_empty(struct bench *bench)
{
    struct spool_entry *entries;
    for (int i = 0; i < 1000 && bench_list(bench, &entries) > 0; i++)
        clock_sleep_us(10000);
    assert_int_equal(bench_list(bench, &entries), 0);
}

static inline void bench_flush(struct bench *bench)
{
    const char *problem;
    assert_true(spool_flush(bench->spool, 0, &problem) >= 0);
}

#endif
