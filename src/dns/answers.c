/*
 * answers - a table in front of libunbound.
 *
 * libunbound has a cache of its own, but it sits behind its thread: an answer out of it costs a message through a pipe
 * to that thread, one back, and a wake-up for the waiter, about ten context switches with the prefetch. Mail of one
 * sender comes in crowds, and each asks for the same few records, so the last answers stand here as well.
 *
 * One slot for each hash value and no chains: a newer answer takes the place of an older one. So nothing has to be
 * found out of use, and whoever fills the table with names of his own only makes others pay for libunbound's cache
 * again. It holds at most SLOTS * ENTRY_MAX bytes. An answer lives as long as its TTL, which libunbound counts down in
 * its own cache, says. Failures are not kept: how long a name server is left in peace is libunbound's business.
 */
#include "dns/answers.h"
#include "dns/backend.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 1024
#define ENTRY_MAX 4096 /* bytes of one answer */
#define TTL_MAX 86400  /* seconds; RFC 8767 4 lets a cache cut what is longer */

struct entry {
    enum dns_type type;
    enum dns_outcome outcome;
    int64_t expiry_us;
    char *name;
    char **data; /* NULL behind the last */
    int *lengths;
};

struct answers {
    pthread_mutex_t lock;
    struct entry *slots[SLOTS];
};

struct answers *answers_create(void)
{
    struct answers *answers = calloc(1, sizeof *answers);
    if (!answers)
        abort();
    pthread_mutex_init(&answers->lock, NULL);
    return answers;
}

void answers_destroy(struct answers *answers)
{
    if (!answers)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        free(answers->slots[i]);
    pthread_mutex_destroy(&answers->lock);
    free(answers);
}

/* FNV-1a. */
static struct entry **slot_of(struct answers *answers, const char *name, enum dns_type type)
{
    uint32_t hash = 2166136261u ^ (uint32_t)type;
    for (const unsigned char *p = (const unsigned char *)name; *p; p++)
        hash = (hash ^ *p) * 16777619u;
    return &answers->slots[(hash ^ hash >> 16) % SLOTS];
}

/* All of an entry in one block. NULL: too large. */
static struct entry *entry_create(const char *name, char *const *data, const int *lengths)
{
    size_t count = 0, name_size = strlen(name) + 1;
    size_t size = sizeof(struct entry) + sizeof(char *) + name_size;
    for (; data && data[count] && size <= ENTRY_MAX; count++)
        size += sizeof(char *) + sizeof(int) + (size_t)lengths[count];
    if (size > ENTRY_MAX)
        return NULL;
    struct entry *entry = calloc(1, size);
    if (!entry)
        abort();
    entry->data = (char **)(entry + 1);
    entry->lengths = (int *)(entry->data + count + 1);
    char *to = (char *)(entry->lengths + count);
    for (size_t i = 0; i < count; i++) {
        entry->data[i] = to;
        entry->lengths[i] = lengths[i];
        memcpy(to, data[i], (size_t)lengths[i]);
        to += lengths[i];
    }
    entry->name = memcpy(to, name, name_size);
    return entry;
}

void answers_put(struct answers *answers, const char *name, enum dns_type type, enum dns_outcome outcome,
                 char *const *data, const int *lengths, int64_t ttl_s, int64_t now_us)
{
    if (ttl_s <= 0 || (outcome != DNS_ANSWER && outcome != DNS_NXDOMAIN && outcome != DNS_NODATA))
        return;
    struct entry *entry = entry_create(name, outcome == DNS_ANSWER ? data : NULL, lengths);
    if (!entry)
        return;
    entry->type = type;
    entry->outcome = outcome;
    entry->expiry_us = now_us + (ttl_s < TTL_MAX ? ttl_s : TTL_MAX) * 1000000;
    pthread_mutex_lock(&answers->lock);
    struct entry **slot = slot_of(answers, name, type), *old = *slot;
    *slot = entry;
    pthread_mutex_unlock(&answers->lock);
    free(old);
}

bool answers_get(struct answers *answers, const char *name, enum dns_type type, int64_t now_us, struct arena *arena,
                 struct dns_answer *answer)
{
    pthread_mutex_lock(&answers->lock);
    const struct entry *entry = *slot_of(answers, name, type);
    bool found = entry && entry->type == type && now_us < entry->expiry_us && strcmp(entry->name, name) == 0;
    if (found && answer) {
        *answer = (struct dns_answer){.outcome = entry->outcome};
        if (entry->outcome == DNS_ANSWER)
            rdata_parse_all(arena, type, entry->data, entry->lengths, answer);
    }
    pthread_mutex_unlock(&answers->lock);
    return found;
}
