/*
 * spool_db - group commit without a thread of its own.
 *
 * Who wants to write puts a job into a list. If nobody is committing he takes the whole list, runs it as one
 * transaction, which is synced once, and wakes the others; those that come meanwhile form the next group. If a job
 * fails the group is rolled back, and each is run alone, so that one bad job fails only itself. If the transaction does
 * not even begin (the file cannot be opened, or somebody else holds its lock) all fail together: each alone would wait
 * as long as all did, one behind the other.
 *
 * A sync is dear for the processors, in the kernel and for interrupts. Who writes in company (SPOOL_DB_SHARED) waits a
 * little before he takes the list.
 *
 * After each commit the file's name is looked at: was the file moved aside as corrupt meanwhile, the group is written
 * again, into the new one. The same if the group itself found it corrupt: an addition has lost nothing. Who reads, or
 * does something to entries that are there (SPOOL_DB_PRESENT), is told.
 */
#include "spool/spool_db.h"
#include "spool/spool_file.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/sqlite_why.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUP_MAX 64
#define LOG_EVERY_US 60000000
#define SHARING_US 1000

struct job {
    spool_db_task *task;
    void *context;
    enum spool_db_mode mode;
    bool done;
    int result;
    struct job *next;
};

struct spool_db {
    char *directory;
    pthread_mutex_t mutex; /* the list, and who leads */
    pthread_cond_t changed;
    struct job *first, **last;
    bool has_leader;
    struct spool_file writer; /* the leader's */
    bool is_synced;           /* PRAGMA synchronous of the writer */
    pthread_mutex_t reading;
    struct spool_file reader;
    struct spool_known known; /* of both connections */
    _Atomic(uint64_t) failures;
    pthread_mutex_t logging;
    int64_t logged_at; /* monotonic; 0: never */
};

struct spool_db *spool_db_open(const char *directory)
{
    struct spool_db *db = calloc(1, sizeof *db);
    if (!db || !(db->directory = strdup(directory)))
        abort();
    pthread_mutex_init(&db->mutex, NULL);
    pthread_mutex_init(&db->reading, NULL);
    pthread_mutex_init(&db->known.mutex, NULL);
    pthread_mutex_init(&db->logging, NULL);
    pthread_cond_init(&db->changed, NULL);
    db->last = &db->first;
    return db;
}

void spool_db_close(struct spool_db *db)
{
    spool_file_close(&db->reader);
    spool_file_close(&db->writer);
    pthread_cond_destroy(&db->changed);
    pthread_mutex_destroy(&db->logging);
    pthread_mutex_destroy(&db->known.mutex);
    pthread_mutex_destroy(&db->reading);
    pthread_mutex_destroy(&db->mutex);
    free(db->directory);
    free(db);
}

static void complain(struct spool_db *db, const char *problem)
{
    pthread_mutex_lock(&db->logging);
    int64_t now = clock_monotonic_us();
    bool is_due = db->logged_at == 0 || now - db->logged_at >= LOG_EVERY_US;
    if (is_due)
        db->logged_at = now;
    pthread_mutex_unlock(&db->logging);
    if (is_due)
        log_text(LEVEL_ERROR, "spool: the queue cannot be used now: %s", problem);
}

uint64_t spool_db_failures(struct spool_db *db)
{
    return atomic_load_explicit(&db->failures, memory_order_relaxed);
}

static int count_failure(struct spool_db *db, int result)
{
    if (result != SQLITE_OK)
        atomic_fetch_add_explicit(&db->failures, 1, memory_order_relaxed);
    return result;
}

static int ensure_open(struct spool_db *db, struct spool_file *file)
{
    char problem[512];
    if (file->sql && spool_file_is_current(file, db->directory))
        return SQLITE_OK;
    spool_file_close(file);
    if (file == &db->writer)
        db->is_synced = true; /* as spool_file_open() leaves it */
    int result = spool_file_open(file, db->directory, &db->known, problem, sizeof problem);
    if (result != SQLITE_OK && result != SPOOL_FILE_LOST) /* of which more was said than this */
        complain(db, problem);
    return result;
}

/* After a failure: a connection that may be in a bad way is opened anew by the next call. RESULT, or
 * SPOOL_FILE_LOST. */
static int recover(struct spool_db *db, struct spool_file *file, int result)
{
    char problem[512];
    sqlite_why(file->sql, result, problem, sizeof problem);
    if (spool_file_is_damage(result)) {
        spool_file_condemn(file, db->directory, &db->known, problem);
        return SPOOL_FILE_LOST;
    }
    complain(db, problem);
    /* It writes over what was not synced; a new one would take that for written. What was written unsynced before that
     * may be missing from the disk all the same. */
    if (result == SQLITE_IOERR_FSYNC)
        return result;
    switch (result & 0xff) {
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_ERROR:
        spool_file_close(file);
    }
    return result;
}

/* ---- writing ---- */

static int run_jobs(sqlite3 *sql, struct job *jobs, bool *has_begun)
{
    int result = spool_sql(sql, "BEGIN IMMEDIATE", "");
    *has_begun = result == SQLITE_OK;
    if (result != SQLITE_OK)
        return result;
    for (struct job *job = jobs; job && result == SQLITE_OK; job = job->next)
        result = job->task(sql, job->context);
    if (result == SQLITE_OK)
        result = spool_sql(sql, "COMMIT", "");
    return result;
}

/* *HAS_BEGUN: it may be the fault of one of JOBS. *IS_LOST is set if SQLITE_OK is of another file than it began
 * with. */
static int commit_jobs(struct spool_db *db, struct job *jobs, bool *has_begun, bool *is_lost)
{
    bool durable = false;
    for (const struct job *job = jobs; job; job = job->next)
        durable = durable || job->mode != SPOOL_DB_LAZY;
    int result = SQLITE_OK;
    for (int attempt = 0; attempt < 3; attempt++) {
        *has_begun = false;
        *is_lost = *is_lost || attempt > 0;
        result = ensure_open(db, &db->writer);
        if (result == SPOOL_FILE_LOST)
            continue;
        if (result != SQLITE_OK)
            return result;
        if (durable != db->is_synced) {
            result = sqlite3_exec(db->writer.sql, durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL",
                                  NULL, NULL, NULL);
            db->is_synced = result == SQLITE_OK ? durable : db->is_synced;
        }
        if (result == SQLITE_OK)
            result = run_jobs(db->writer.sql, jobs, has_begun);
        if (result == SQLITE_OK && spool_file_is_current(&db->writer, db->directory))
            return SQLITE_OK;
        if (result == SQLITE_OK) { /* written into a file that nobody looks at any more */
            result = SQLITE_CANTOPEN;
            continue;
        }
        if (!sqlite3_get_autocommit(db->writer.sql))
            sqlite3_exec(db->writer.sql, "ROLLBACK", NULL, NULL, NULL);
        result = recover(db, &db->writer, result);
        if (result != SPOOL_FILE_LOST)
            break;
    }
    return result;
}

static int result_of(const struct job *job, int result, bool is_lost)
{
    return result == SQLITE_OK && is_lost && job->mode == SPOOL_DB_PRESENT ? SPOOL_FILE_LOST : result;
}

static void lead(struct spool_db *db, struct job *jobs)
{
    bool has_begun, is_lost = false;
    int result = commit_jobs(db, jobs, &has_begun, &is_lost);
    bool is_worth_it = result != SQLITE_OK && has_begun && jobs->next;
    for (struct job *job = jobs, *next; job; job = next) {
        next = job->next;
        job->next = NULL;
        if (is_worth_it)
            result = commit_jobs(db, job, &has_begun, &is_lost);
        job->result = result_of(job, result, is_lost);
        job->next = next;
    }
}

/* The list, up to GROUP_MAX of it. */
static struct job *take_group(struct spool_db *db)
{
    struct job *jobs = db->first, *job = jobs;
    for (int n = 1; n < GROUP_MAX && job->next; n++)
        job = job->next;
    db->first = job->next;
    job->next = NULL;
    if (!db->first)
        db->last = &db->first;
    return jobs;
}

int spool_db_write(struct spool_db *db, spool_db_task *task, void *context, enum spool_db_mode mode)
{
    struct job own = {.task = task, .context = context, .mode = mode};
    pthread_mutex_lock(&db->mutex);
    *db->last = &own;
    db->last = &own.next;
    while (!own.done) {
        if (db->has_leader) {
            pthread_cond_wait(&db->changed, &db->mutex);
            continue;
        }
        db->has_leader = true;
        if (mode == SPOOL_DB_SHARED) {
            pthread_mutex_unlock(&db->mutex);
            clock_sleep_us(SHARING_US);
            pthread_mutex_lock(&db->mutex);
        }
        struct job *jobs = take_group(db);
        pthread_mutex_unlock(&db->mutex);
        lead(db, jobs);
        pthread_mutex_lock(&db->mutex);
        for (struct job *job = jobs, *next; job; job = next) {
            next = job->next; /* once it is done its owner takes it away */
            job->done = true;
        }
        db->has_leader = false;
        pthread_cond_broadcast(&db->changed);
    }
    pthread_mutex_unlock(&db->mutex);
    return count_failure(db, own.result);
}

/* ---- reading ---- */

int spool_db_read(struct spool_db *db, spool_db_task *task, void *context)
{
    pthread_mutex_lock(&db->reading);
    int result = ensure_open(db, &db->reader);
    if (result == SQLITE_OK)
        result = spool_sql(db->reader.sql, "BEGIN", "");
    if (result == SQLITE_OK)
        result = task(db->reader.sql, context);
    if (db->reader.sql) {
        if (!sqlite3_get_autocommit(db->reader.sql)) /* everything is one snapshot, and nothing is written */
            spool_sql(db->reader.sql, "ROLLBACK", "");
        if (result != SQLITE_OK)
            result = recover(db, &db->reader, result);
    }
    pthread_mutex_unlock(&db->reading);
    return count_failure(db, result);
}
