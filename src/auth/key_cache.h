/*
 * key_cache - public keys that were read before, ready for the next signature.
 *
 * A key depends on nothing but the octets of p= and its type, by which it is found: what the DNS says now is asked of
 * the DNS, each time, and a record that has changed finds another key or none.
 *
 * OWNS: what is in it; a key that was taken is the taker's until it is given back. THREADS: any; two that take the same
 * key at once have one each. Bounded: KEY_CACHE_MOST keys.
 */
#ifndef POSTERN_AUTH_KEY_CACHE_H
#define POSTERN_AUTH_KEY_CACHE_H

#include "auth/public_key.h"

#define KEY_CACHE_MOST 256

struct key_cache *key_cache_create(void); /* NULL: out of memory */
void key_cache_destroy(struct key_cache *cache);

/* The key of TEXT, p= in base64 without white space. NULL, or what is wrong with it; KEY is to be given back in either
 * case, with the same TEXT. */
const char *key_cache_take(struct key_cache *cache, struct arena *arena, const char *text, bool is_ed25519,
                           struct public_key *key);
void key_cache_give(struct key_cache *cache, const char *text, struct public_key *key);

#endif
