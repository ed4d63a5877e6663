/*
 * alias_watch - reads a table again when its file, or a list that it includes, is another one.
 *
 * One thread looks at the files four times a second: it asks stat(2), so a file that was replaced by rename,
 * one edited in place, one behind a changed symbolic link and one on a network disk are all seen. A change is read when
 * it has not gone on for one look, so that a file being written is not read in the middle, and at the latest after 1.2
 * s. A bad version is reported once; the table read before stays until there is another version.
 *
 * Each table is read for itself: a fault in one does not hold up the others.
 */
#include "aliases/alias_set.h"
#include "util/clock.h"
#include "util/log.h"
#include <signal.h>
#include <stdlib.h>

#define LOOK_EVERY_US 250000
#define WAIT_MOST_US 1200000

struct watched {
    struct alias_mark *marks;   /* at the last look; NULL: nothing is under way */
    struct alias_mark *refused; /* of the bad version that was reported; NULL: none */
    size_t count;
    int64_t since;
};

struct alias_watch {
    struct alias_tables *tables;
    struct watched *watched; /* one a table */
    struct alias_set *retired;
    pthread_t thread;
    pthread_mutex_t lock; /* guards stop */
    pthread_cond_t wake;
    bool stop;
};

static void free_retired(struct alias_watch *watch)
{
    for (struct alias_set **at = &watch->retired; *at;) {
        struct alias_set *set = *at;
        if (atomic_load_explicit(&set->readers, memory_order_acquire) > 0) {
            at = &set->next;
            continue;
        }
        *at = set->next;
        for (size_t i = 0; i < set->count; i++) {
            if (--set->tables[i]->refs == 0)
                alias_table_free(set->tables[i]);
        }
        free(set->tables);
        free(set);
    }
}

/* The current set with TABLE in the place of number I. */
static void replace(struct alias_watch *watch, size_t i, struct alias_table *table)
{
    struct alias_tables *tables = watch->tables;
    struct alias_set *old = tables->current, *set = calloc(1, sizeof *set);
    struct alias_table **members = calloc(old->count, sizeof(struct alias_table *));
    if (!set || !members)
        abort();
    set->tables = members;
    set->count = old->count;
    for (size_t k = 0; k < set->count; k++) {
        set->tables[k] = k == i ? table : old->tables[k];
        set->tables[k]->refs++;
    }
    pthread_mutex_lock(&tables->lock);
    tables->current = set;
    pthread_mutex_unlock(&tables->lock);
    old->next = watch->retired;
    watch->retired = old;
}

static void report(void *context, const char *text)
{
    (void)context;
    log_text(LEVEL_ERROR, "%s", text);
}

static void forget(struct alias_mark **marks)
{
    free(*marks);
    *marks = NULL;
}

static void read_again(struct alias_watch *watch, size_t i)
{
    struct watched *watched = &watch->watched[i];
    const char *name = watch->tables->names->items[i];
    struct conf_problems problems = {report, NULL, 0};
    struct alias_table *table = watch->tables->read(name, watch->tables->local_domain, &problems);
    forget(&watched->refused);
    if (table) {
        log_text(LEVEL_INFO, "%s: read again, %zu entries", name, strmap_count(table->map));
        replace(watch, i, table);
        forget(&watched->marks);
    } else {
        log_text(LEVEL_ERROR, "%s: %u %s; what was read before stays in use", name, problems.count,
                 problems.count == 1 ? "problem" : "problems");
        watched->refused = watched->marks;
        watched->marks = NULL;
    }
}

static void look(struct alias_watch *watch, size_t i)
{
    const struct alias_table *table = watch->tables->current->tables[i];
    struct watched *watched = &watch->watched[i];
    size_t size = table->file_count * sizeof(struct alias_mark);
    struct alias_mark *now = calloc(table->file_count, sizeof *now);
    if (!now)
        abort();
    bool changed = alias_table_look(table, now);
    if (changed && watched->refused && memcmp(watched->refused, now, size) == 0)
        changed = false;
    if (!changed) {
        forget(&watched->marks);
        free(now);
        return;
    }
    if (!watched->marks)
        watched->since = clock_monotonic_us();
    bool is_quiet = watched->marks && memcmp(watched->marks, now, size) == 0;
    free(watched->marks);
    watched->marks = now;
    if (is_quiet || clock_monotonic_us() - watched->since >= WAIT_MOST_US)
        read_again(watch, i);
}

static bool wait_or_stop(struct alias_watch *watch)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LOOK_EVERY_US * 1000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&watch->lock);
    if (!watch->stop)
        pthread_cond_timedwait(&watch->wake, &watch->lock, &until);
    bool stop = watch->stop;
    pthread_mutex_unlock(&watch->lock);
    return stop;
}

static void *run(void *context)
{
    struct alias_watch *watch = context;
    while (!wait_or_stop(watch)) {
        for (size_t i = 0; i < watch->tables->names->count; i++)
            look(watch, i);
        free_retired(watch);
    }
    return NULL;
}

struct alias_watch *alias_watch_start(struct alias_tables *tables)
{
    struct alias_watch *watch = calloc(1, sizeof *watch);
    struct watched *watched = calloc(tables->names->count, sizeof *watched);
    pthread_condattr_t attributes;
    sigset_t all, before;
    if (!watch || !watched)
        abort();
    watch->tables = tables;
    watch->watched = watched;
    pthread_mutex_init(&watch->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&watch->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&watch->thread, NULL, run, watch);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0)
        return watch;
    pthread_cond_destroy(&watch->wake);
    pthread_mutex_destroy(&watch->lock);
    free(watched);
    free(watch);
    return NULL;
}

void alias_watch_stop(struct alias_watch *watch)
{
    if (!watch)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->stop = true;
    pthread_cond_signal(&watch->wake);
    pthread_mutex_unlock(&watch->lock);
    pthread_join(watch->thread, NULL);
    free_retired(watch);
    for (size_t i = 0; i < watch->tables->names->count; i++) {
        forget(&watch->watched[i].marks);
        forget(&watch->watched[i].refused);
    }
    pthread_cond_destroy(&watch->wake);
    pthread_mutex_destroy(&watch->lock);
    free(watch->watched);
    free(watch);
}
