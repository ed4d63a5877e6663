/*
 * caps - counters of fixed windows: one of this minute, and a table of those of this hour.
 *
 * A domain or mailbox is known by a hash with a secret start, and has one of PROBES places in a table of fixed size. If
 * all are taken the one with the smallest count gives way: who floods has a large one, and stays.
 */
#include "autoreply/caps.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/random.h>

#define PLACES 8192 /* a power of two */
#define PROBES 8

struct place {
    uint64_t hash; /* 0: free */
    int64_t hour, count;
};

struct caps {
    pthread_mutex_t mutex; /* guards all below but the seed */
    uint64_t seed;
    int64_t minute, count;
    struct place places[PLACES];
};

struct caps *caps_create(void)
{
    struct caps *caps = calloc(1, sizeof *caps);
    if (!caps)
        abort();
    pthread_mutex_init(&caps->mutex, NULL);
    if (getrandom(&caps->seed, sizeof caps->seed, 0) != (ssize_t)sizeof caps->seed)
        caps->seed = (uint64_t)(uintptr_t)caps;
    return caps;
}

void caps_destroy(struct caps *caps)
{
    if (caps)
        pthread_mutex_destroy(&caps->mutex);
    free(caps);
}

/* FNV-1a. KIND keeps a domain and a mailbox of the same text apart. */
static uint64_t hash_of(const struct caps *caps, char kind, const char *text)
{
    uint64_t hash = (caps->seed ^ (unsigned char)kind) * 1099511628211u;
    for (const char *p = text; *p; p++)
        hash = (hash ^ (unsigned char)*p) * 1099511628211u;
    hash ^= hash >> 29;
    return hash ? hash : 1;
}

/* Its place, emptied if it is of another hour or another name. */
static struct place *place_of(struct caps *caps, char kind, const char *text, int64_t hour)
{
    uint64_t hash = hash_of(caps, kind, text);
    struct place *best = NULL;
    for (unsigned i = 0; i < PROBES; i++) {
        struct place *place = &caps->places[(hash + i) % PLACES];
        if (place->hour != hour)
            place->count = 0;
        if (place->hash == hash) {
            best = place;
            break;
        }
        if (!best || place->count < best->count)
            best = place;
    }
    if (best->hash != hash)
        best->count = 0;
    best->hash = hash;
    best->hour = hour;
    return best;
}

const char *caps_take(struct caps *caps, const struct caps_limits *limits, const char *mailbox,
                      const char *sender_domain, int64_t now)
{
    const char *passed = NULL;
    pthread_mutex_lock(&caps->mutex);
    if (caps->minute != now / 60) {
        caps->minute = now / 60;
        caps->count = 0;
    }
    /* One place after the other: the second could take the first one's away. */
    bool domain_is_full = limits->per_sender_domain_per_hour > 0 &&
                          place_of(caps, 'd', sender_domain, now / 3600)->count >= limits->per_sender_domain_per_hour;
    bool mailbox_is_full = limits->per_mailbox_per_hour > 0 &&
                           place_of(caps, 'm', mailbox, now / 3600)->count >= limits->per_mailbox_per_hour;
    if (limits->per_minute > 0 && caps->count >= limits->per_minute)
        passed = "max_per_minute";
    else if (domain_is_full)
        passed = "max_per_sender_domain_per_hour";
    else if (mailbox_is_full)
        passed = "max_per_mailbox_per_hour";
    if (!passed) {
        caps->count++;
        place_of(caps, 'd', sender_domain, now / 3600)->count++;
        place_of(caps, 'm', mailbox, now / 3600)->count++;
    }
    pthread_mutex_unlock(&caps->mutex);
    return passed;
}
