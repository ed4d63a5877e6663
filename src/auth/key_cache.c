/*
 * key_cache - idle keys in sets of a few, the set by a hash of the text.
 *
 * With a key stand the numbers of Montgomery that libcrypto makes at its first use, and a context in which all names of
 * algorithms are looked up: together more than the check of a signature costs. Neither is shared by two threads, so a
 * key is taken out and put back, and where one is taken twice at once there are two afterwards.
 *
 * A key that is put back into a full set takes the place of the one that has been there longest. Who sends signatures
 * of many keys of his own makes others read theirs again, as without the cache, and no more.
 */
#include "auth/key_cache.h"
#include "util/strhash.h"
#include <pthread.h>
#include <stdlib.h>

#define WAYS 4
#define SETS (KEY_CACHE_MOST / WAYS)

struct idle {
    char *text; /* NULL: the place is free */
    struct public_key key;
};

struct key_cache {
    pthread_mutex_t lock;
    struct idle sets[SETS][WAYS]; /* of each the oldest first */
};

struct key_cache *key_cache_create(void)
{
    struct key_cache *cache = calloc(1, sizeof *cache);
    if (cache)
        pthread_mutex_init(&cache->lock, NULL);
    return cache;
}

static void drop(struct idle *idle)
{
    free(idle->text);
    public_key_free(&idle->key);
}

void key_cache_destroy(struct key_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < KEY_CACHE_MOST; i++)
        drop(&cache->sets[i / WAYS][i % WAYS]);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

static struct idle *set_of(struct key_cache *cache, const char *text)
{
    return cache->sets[strhash(span_of(text)) % SETS];
}

/* Takes the place at NUMBER out of SET. */
static struct idle remove_at(struct idle *set, size_t number)
{
    struct idle removed = set[number];
    memmove(&set[number], &set[number + 1], (WAYS - number - 1) * sizeof *set);
    set[WAYS - 1] = (struct idle){.text = NULL};
    return removed;
}

static bool find(struct key_cache *cache, const char *text, bool is_ed25519, struct public_key *key)
{
    struct idle *set = set_of(cache, text), found = {.text = NULL};
    pthread_mutex_lock(&cache->lock);
    for (size_t i = 0; i < WAYS && !found.text; i++) {
        if (set[i].text && set[i].key.is_ed25519 == is_ed25519 && strcmp(set[i].text, text) == 0)
            found = remove_at(set, i);
    }
    pthread_mutex_unlock(&cache->lock);
    free(found.text);
    *key = found.key;
    return key->handle != NULL;
}

const char *key_cache_take(struct key_cache *cache, struct arena *arena, const char *text, bool is_ed25519,
                           struct public_key *key)
{
    if (find(cache, text, is_ed25519, key))
        return NULL;
    struct span bytes = public_key_base64(arena, text);
    return is_ed25519 ? public_key_read_ed25519(bytes, key) : public_key_read_rsa(bytes, key);
}

void key_cache_give(struct key_cache *cache, const char *text, struct public_key *key)
{
    struct idle idle = {key->handle ? strdup(text) : NULL, *key}, old = {.text = NULL};
    if (!idle.text) {
        public_key_free(key);
        return;
    }
    struct idle *set = set_of(cache, text);
    size_t place = 0;
    pthread_mutex_lock(&cache->lock);
    while (place < WAYS && set[place].text)
        place++;
    if (place == WAYS) {
        old = remove_at(set, 0);
        place = WAYS - 1;
    }
    set[place] = idle;
    pthread_mutex_unlock(&cache->lock);
    drop(&old);
    *key = (struct public_key){.handle = NULL};
}
