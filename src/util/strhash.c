/* strhash - FNV-like with a mixing step a byte, begun with a random key. */
#include "util/strhash.h"
#include <pthread.h>
#include <sys/random.h>

static uint64_t hash_key;
static pthread_once_t hash_key_once = PTHREAD_ONCE_INIT;

static void hash_key_init(void)
{
    if (getrandom(&hash_key, sizeof hash_key, GRND_NONBLOCK) != sizeof hash_key)
        hash_key = (uintptr_t)&hash_key * UINT64_C(0x9e3779b97f4a7c15);
}

uint64_t strhash(struct span bytes)
{
    pthread_once(&hash_key_once, hash_key_init);
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ hash_key;
    for (size_t i = 0; i < bytes.len; i++) {
        hash = (hash ^ (unsigned char)bytes.ptr[i]) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return hash ? hash : 1;
}
