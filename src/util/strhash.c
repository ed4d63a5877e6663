/*
 * strhash - sixteen bytes a step, each step a multiplication to 128 bits whose halves are folded (the construction of
 * wyhash), begun with random keys. The rest of less than sixteen bytes is padded with zeros; the length goes in first,
 * so that padding is not mistaken for bytes.
 */
#include "util/strhash.h"
#include <pthread.h>
#include <sys/random.h>

static uint64_t hash_keys[3];
static pthread_once_t hash_key_once = PTHREAD_ONCE_INIT;

static void hash_key_init(void)
{
    if (getrandom(hash_keys, sizeof hash_keys, GRND_NONBLOCK) == sizeof hash_keys)
        return;
    for (size_t i = 0; i < sizeof hash_keys / sizeof *hash_keys; i++)
        hash_keys[i] = ((uintptr_t)&hash_keys + i) * UINT64_C(0x9e3779b97f4a7c15);
}

static inline uint64_t fold(uint64_t a, uint64_t b)
{
    __extension__ const unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t strhash(struct span bytes)
{
    pthread_once(&hash_key_once, hash_key_init);
    uint64_t hash = hash_keys[0] ^ bytes.len, word[2];
    const char *at = bytes.ptr;
    size_t left = bytes.len;
    for (; left >= sizeof word; at += sizeof word, left -= sizeof word) {
        memcpy(word, at, sizeof word);
        hash = fold(word[0] ^ hash_keys[1], word[1] ^ hash);
    }
    word[0] = word[1] = 0;
    if (left > 0)
        memcpy(word, at, left);
    hash = fold(fold(word[0] ^ hash_keys[1], word[1] ^ hash), hash_keys[2]);
    return hash ? hash : 1;
}
