/*
 * spool - the room's door: what is asked of it from outside, and the life of its thread.
 *
 * What comes in is looked at once, here: an address with a CR in it would be a command of its own in the dialogue with
 * the MTA. Nobody should hand such a thing over; if somebody does, nothing is queued.
 */
#include "spool/spool_private.h"
#include "spool/spool_rows.h"
#include "util/clock.h"
#include "util/crash.h"
#include "util/log.h"
#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define COMPLAIN_EVERY_US 60000000
#define TIMEOUT_DEFAULT 300000 /* ms */
#define PATH_MAX_OCTETS 1000   /* RFC 5321 says 256; what an MTA took from others we pass on */

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct spool *spool_open(const struct spool_options *options)
{
    pthread_once(&curl_once, start_curl);
    struct spool *spool = calloc(1, sizeof *spool);
    if (!spool)
        return NULL;
    struct arena *arena = spool->arena = arena_create(4096);
    spool->options = *options;
    if (spool->options.timeout <= 0)
        spool->options.timeout = TIMEOUT_DEFAULT; /* 0 would be no limit to libcurl */
    spool->options.directory = arena_strdup(arena, options->directory);
    spool->options.submit = arena_strdup(arena, options->submit);
    spool->options.hostname = arena_strdup(arena, options->hostname);
    spool->endpoint_problem = spool_url_parse(arena, spool->options.submit, spool->options.hostname, &spool->endpoint);
    spool->db = spool_db_open(spool->options.directory);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&spool->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&spool->mutex, NULL);
    return spool;
}

void spool_complain(struct spool *spool, const char *format, ...)
{
    pthread_mutex_lock(&spool->mutex);
    int64_t now = clock_monotonic_us();
    bool is_due = spool->complained_at == 0 || now - spool->complained_at >= COMPLAIN_EVERY_US;
    if (is_due)
        spool->complained_at = now;
    pthread_mutex_unlock(&spool->mutex);
    if (!is_due)
        return;
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    log_text(LEVEL_ERROR, "spool: %s", text);
}

/* ---- adding ---- */

/* Between < and > of a command: nothing that ends it, but for what stands in quotes. "" is the null reverse-path. */
static bool is_path(const char *text)
{
    bool is_quoted = false;
    if (!text || strlen(text) > PATH_MAX_OCTETS)
        return false;
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p < 0x20 || *p == 0x7f)
            return false;
        if (*p == '"')
            is_quoted = !is_quoted;
        else if (is_quoted && *p == '\\' && p[1] >= 0x20 && p[1] != 0x7f)
            p++;
        else if (!is_quoted && strchr(" <>", *p))
            return false;
    }
    return !is_quoted;
}

static bool is_parameters(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)(text ? text : ""); *p; p++) {
        if (*p < 0x20 || *p == 0x7f)
            return false;
    }
    return !text || strlen(text) <= 2 * PATH_MAX_OCTETS;
}

static bool is_sound(const struct spool_message *message)
{
    bool is_good = message->forward_path_count > 0 && is_path(message->reverse_path) &&
                   is_parameters(message->mail_parameters) && is_parameters(message->rcpt_parameters);
    for (size_t i = 0; i < message->forward_path_count && is_good; i++)
        is_good = is_path(message->forward_paths[i]) && message->forward_paths[i][0] &&
                  (!message->each_rcpt_parameters || is_parameters(message->each_rcpt_parameters[i]));
    return is_good;
}

static bool has_8bit(struct span content)
{
    for (size_t i = 0; i < content.len; i++) {
        if ((unsigned char)content.ptr[i] >= 0x80)
            return true;
    }
    return false;
}

static bool is_internationalised(const struct spool_message *message)
{
    bool is_so = message->needs_smtputf8 || has_8bit(span_of(message->reverse_path));
    for (size_t i = 0; i < message->forward_path_count && !is_so; i++)
        is_so = has_8bit(span_of(message->forward_paths[i]));
    return is_so;
}

enum spool_outcome spool_add(struct spool *spool, const struct spool_message *message, int64_t now, int64_t *id)
{
    if (!is_sound(message)) {
        spool_complain(spool, "a message of kind %s was not queued: its addresses or parameters are no SMTP",
                       message->kind);
        return SPOOL_FAILED;
    }
    struct spool_adding adding = {
        .message = message,
        .max_messages = spool->options.max_messages,
        .max_bytes = spool->options.max_bytes,
        .now = now,
        .is_8bit = has_8bit(message->content),
        .needs_smtputf8 = is_internationalised(message),
    };
    if (spool_db_write(spool->db, spool_rows_add, &adding, true) != SQLITE_OK)
        return SPOOL_FAILED;
    if (adding.is_full) {
        spool_complain(spool, "the queue is full (max_messages %llu, max_bytes %llu): nothing more is queued",
                       (unsigned long long)spool->options.max_messages, (unsigned long long)spool->options.max_bytes);
        return SPOOL_FULL;
    }
    crash_test_point("spool.added");
    if (id)
        *id = adding.id;
    spool_wake(spool);
    return SPOOL_OK;
}

/* ---- the thread ---- */

void spool_wake(struct spool *spool)
{
    pthread_mutex_lock(&spool->mutex);
    spool->is_woken = true;
    pthread_cond_signal(&spool->changed);
    pthread_mutex_unlock(&spool->mutex);
}

static const struct spool_owner *copy_owners(struct arena *arena, const struct spool_owner *owners)
{
    size_t count = 0;
    while (owners && owners[count].kind)
        count++;
    struct spool_owner *copy = ARENA_ARRAY(arena, struct spool_owner, count + 1);
    for (size_t i = 0; i < count; i++) {
        copy[i] = owners[i];
        copy[i].kind = arena_strdup(arena, owners[i].kind);
    }
    return copy;
}

int spool_start(struct spool *spool, const struct spool_owner *owners)
{
    if (spool->has_thread)
        return EALREADY;
    spool->owners = copy_owners(spool->arena, owners);
    sigset_t all, before;
    sigfillset(&all); /* signals are for others, and a server that hangs up is an error like any other */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    atomic_store(&spool->is_sending, true);
    int error = pthread_create(&spool->thread, NULL, spool_sender, spool);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    spool->has_thread = error == 0;
    if (error)
        atomic_store(&spool->is_sending, false);
    return error;
}

void spool_stop(struct spool *spool)
{
    int64_t never = 0;
    atomic_compare_exchange_strong(&spool->stopped_at, &never, clock_monotonic_us());
    spool_wake(spool);
}

bool spool_is_at_rest(struct spool *spool)
{
    if (atomic_load(&spool->is_sending))
        return false;
    if (spool->has_thread && atomic_load(&spool->stopped_at) != 0) {
        pthread_join(spool->thread, NULL);
        spool->has_thread = false;
    }
    return true;
}

void spool_close(struct spool *spool)
{
    if (!spool)
        return;
    spool_stop(spool);
    if (spool->has_thread)
        pthread_join(spool->thread, NULL);
    spool_db_close(spool->db);
    pthread_cond_destroy(&spool->changed);
    pthread_mutex_destroy(&spool->mutex);
    arena_destroy(spool->arena);
    free(spool);
}
