/*
 * srs - holds the keys for whoever asks, and the senders that are too long.
 *
 * The keys in use are one object with a count of who uses it; a call takes it, works without a lock, and gives it back.
 * A call that finds the last look at the file half a second old looks itself (one at a time, the others go on with what
 * there is), so there is no thread. A file that changed is read when it looks the same twice or its time is over a
 * second ago: an editor that writes it in place is not interrupted in the middle, for an address signed with half a key
 * could never be undone.
 *
 * The row of a long sender ends with the last day on which its address is valid, and a day more for the other machines'
 * clocks. It is synced before the address is given away; a row that is there for long enough is not written again. What
 * counts on reading is the address's own time stamp; an expired row would only be one more way to say the same.
 */
#include "srs/srs.h"
#include "srs/srs_address.h"
#include "srs/srs_keys.h"
#include "util/clock.h"
#include "util/log.h"
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

#define DAY 86400
#define LOOK_EVERY_US 500000
#define QUIET_S 1

/* What tells one version of the file from another. */
struct mark {
    dev_t device;
    ino_t inode;
    mode_t mode;
    uid_t owner;
    off_t size;
    struct timespec modified, changed;
    bool is_there;
};

struct key_set {
    struct srs_keys *keys;
    unsigned users; /* under the lock; srs itself is one */
};

struct srs {
    struct srs_options options;
    char *path;
    struct store *store;
    pthread_mutex_t lock; /* guards what follows */
    struct key_set *current;
    bool is_looking;
    int64_t looked; /* us, monotonic */
    /* only for who is looking: */
    struct mark used, seen, refused; /* of the keys in use; at the last look; of the bad version that was reported */
};

/* ---- the file ---- */

static struct mark mark_of(const char *path)
{
    struct stat status;
    struct mark mark;
    memset(&mark, 0, sizeof mark); /* marks are compared as bytes */
    if (lstat(path, &status) != 0)
        return mark;
    mark.device = status.st_dev;
    mark.inode = status.st_ino;
    mark.mode = status.st_mode;
    mark.owner = status.st_uid;
    mark.size = status.st_size;
    mark.modified = status.st_mtim;
    mark.changed = status.st_ctim;
    mark.is_there = true;
    return mark;
}

static bool is_same(const struct mark *a, const struct mark *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static struct key_set *read_keys(const char *path, struct arena *arena, bool *is_missing, const char **problem)
{
    struct srs_keys *keys = srs_keys_read(path, arena, is_missing, problem);
    if (!keys)
        return NULL;
    struct key_set *set = calloc(1, sizeof *set);
    if (!set)
        abort();
    set->keys = keys;
    set->users = 1;
    return set;
}

/* Under the lock. */
static void give_back(struct key_set *set)
{
    if (--set->users > 0)
        return;
    srs_keys_free(set->keys);
    free(set);
}

/* The new keys, or NULL if those in use stay. */
static struct key_set *look(struct srs *srs)
{
    struct mark now = mark_of(srs->path);
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    bool is_quiet = is_same(&now, &srs->seen) || (now.is_there && wall.tv_sec - now.changed.tv_sec > QUIET_S);
    srs->seen = now;
    if (is_same(&now, &srs->used) || is_same(&now, &srs->refused) || !is_quiet)
        return NULL;
    struct arena *arena = arena_create(1024);
    const char *problem = NULL;
    bool is_missing;
    struct key_set *set = read_keys(srs->path, arena, &is_missing, &problem);
    if (set) {
        srs->used = now;
        log_text(LEVEL_INFO, "%s: read again, %zu %s", srs->path, set->keys->count,
                 set->keys->count == 1 ? "secret" : "secrets");
    } else {
        srs->refused = now;
        log_text(LEVEL_ERROR, "%s; the secrets read before stay in use", problem);
    }
    arena_destroy(arena);
    return set;
}

static struct key_set *take_keys(struct srs *srs)
{
    int64_t now = clock_monotonic_us();
    pthread_mutex_lock(&srs->lock);
    if (!srs->is_looking && now - srs->looked >= LOOK_EVERY_US) {
        srs->is_looking = true;
        srs->looked = now;
        pthread_mutex_unlock(&srs->lock);
        struct key_set *fresh = look(srs);
        pthread_mutex_lock(&srs->lock);
        srs->is_looking = false;
        if (fresh) {
            give_back(srs->current);
            srs->current = fresh;
        }
    }
    struct key_set *set = srs->current;
    set->users++;
    pthread_mutex_unlock(&srs->lock);
    return set;
}

static void return_keys(struct srs *srs, struct key_set *set)
{
    pthread_mutex_lock(&srs->lock);
    give_back(set);
    pthread_mutex_unlock(&srs->lock);
}

/* *MARK is of what was read, or of something before it: then it is read once more. */
static struct key_set *open_keys(const char *path, bool may_create, struct mark *mark, struct arena *arena,
                                 const char **problem)
{
    bool is_missing;
    *mark = mark_of(path);
    struct key_set *set = read_keys(path, arena, &is_missing, problem);
    if (set || !is_missing || !may_create)
        return set;
    int made = srs_keys_create(path, arena, problem);
    if (made < 0)
        return NULL;
    if (made == 0)
        log_text(LEVEL_INFO, "%s: there were no secrets for SRS, one was made", path);
    *mark = mark_of(path);
    return read_keys(path, arena, &is_missing, problem);
}

struct srs *srs_open(const struct srs_options *options, struct store *store, bool may_create, struct arena *arena,
                     const char **problem)
{
    struct mark mark;
    struct key_set *set = open_keys(options->secrets_file, may_create, &mark, arena, problem);
    if (!set)
        return NULL;
    struct srs *srs = calloc(1, sizeof *srs);
    char *path = strdup(options->secrets_file);
    if (!srs || !path)
        abort();
    srs->options = *options;
    srs->options.secrets_file = srs->path = path;
    srs->store = store;
    srs->current = set;
    srs->used = srs->seen = mark;
    srs->looked = clock_monotonic_us();
    pthread_mutex_init(&srs->lock, NULL);
    return srs;
}

void srs_close(struct srs *srs)
{
    if (!srs)
        return;
    give_back(srs->current);
    pthread_mutex_destroy(&srs->lock);
    free(srs->path);
    free(srs);
}

size_t srs_key_count(struct srs *srs)
{
    struct key_set *set = take_keys(srs);
    size_t count = set->keys->count;
    return_keys(srs, set);
    return count;
}

/* ---- addresses ---- */

static struct srs_codec codec_of(const struct srs *srs, const struct key_set *set)
{
    return (struct srs_codec){.secrets = set->keys->secrets,
                              .secret_count = set->keys->count,
                              .hash_length = srs->options.hash_length,
                              .hash_minimum = srs->options.hash_minimum,
                              .separator = srs->options.separator,
                              .max_age = srs->options.max_age};
}

static const char *row_of(struct arena *arena, const char *token)
{
    return arena_printf(arena, "srs/%s", token);
}

/* SENDER is an address: the codec has taken it apart before. Kept as RFC 5321 writes it. */
static enum srs_outcome keep(struct srs *srs, struct arena *arena, const char *token, const char *sender, int64_t now)
{
    struct srs_address parts;
    if (!srs_address_split(arena, sender, &parts))
        return SRS_NONE;
    sender = srs_address_join(arena, &parts, NULL);
    int64_t expires = (now / DAY + srs->options.max_age + 2) * DAY;
    const char *row = row_of(arena, token);
    struct store_value there;
    if (!srs->store)
        return SRS_DOWN;
    enum store_outcome outcome = store_get(srs->store, arena, row, now, &there);
    if (outcome == STORE_OK && span_equals(there.bytes, sender) && there.expires >= expires)
        return SRS_OK;
    if (outcome != STORE_DOWN)
        outcome = store_put(srs->store, row, span_of(sender), expires, now);
    return outcome == STORE_OK && store_sync(srs->store) == STORE_OK ? SRS_OK : SRS_DOWN;
}

enum srs_outcome srs_forward(struct srs *srs, struct arena *arena, const char *sender, const char *domain, int64_t now,
                             bool is_trial, const char **result)
{
    char token[SRS_TOKEN_LENGTH + 1];
    *result = NULL;
    if (strlen(sender) > SRS_SENDER_MAX)
        return SRS_TOO_LONG;
    struct key_set *set = take_keys(srs);
    const struct srs_codec codec = codec_of(srs, set);
    enum srs_outcome outcome = srs_codec_forward(&codec, arena, sender, domain, now, result);
    bool needs_token = outcome == SRS_TOO_LONG && srs_codec_make_token(&codec, arena, sender, token) == SRS_OK;
    if (needs_token)
        outcome = srs_codec_forward_token(&codec, arena, token, domain, now, result);
    return_keys(srs, set);
    if (needs_token && outcome == SRS_OK && !is_trial)
        outcome = keep(srs, arena, token, sender, now);
    if (outcome != SRS_OK)
        *result = NULL;
    return outcome;
}

enum srs_outcome srs_find_sender(struct store *store, struct arena *arena, const char *token, int64_t now,
                                 const char **sender)
{
    struct store_value there;
    struct srs_address parts;
    enum store_outcome outcome = STORE_ABSENT;
    *sender = NULL;
    if (!store)
        return SRS_DOWN;
    if (strlen(token) == SRS_TOKEN_LENGTH)
        outcome = store_get(store, arena, row_of(arena, token), now, &there);
    if (outcome != STORE_OK)
        return outcome == STORE_ABSENT ? SRS_UNKNOWN : SRS_DOWN;
    if (strlen(there.bytes.ptr) != there.bytes.len || !srs_address_split(arena, there.bytes.ptr, &parts))
        return SRS_UNKNOWN; /* not what we wrote */
    *sender = there.bytes.ptr;
    return SRS_OK;
}

enum srs_outcome srs_reverse(struct srs *srs, struct arena *arena, const char *address, int64_t now,
                             const char **result)
{
    struct key_set *set = take_keys(srs);
    const struct srs_codec codec = codec_of(srs, set);
    enum srs_outcome outcome = srs_codec_reverse(&codec, arena, address, now, result);
    return_keys(srs, set);
    if (outcome != SRS_UNKNOWN)
        return outcome;
    return srs_find_sender(srs->store, arena, *result, now, result);
}
