/*
 * dkim_body - the body of a message canonicalized as it streams by (RFC 6376 3.4.3, 3.4.4), counted and hashed.
 *
 * One of these serves all signatures of the same canonicalization: what l= cuts off is a prefix of the whole, so its
 * hash is a snapshot taken on the way. Memory is constant, however long the lines are and however many are empty.
 *
 * The bytes are taken as they are: only CRLF ends a line, only SP and HTAB are white space; NUL, 8-bit bytes and a CR
 * or LF of their own count as any other character. A body that does not end with CRLF is given one.
 *
 * OWNS: what it has is on the arena given. THREADS: none inside. ERRORS: what libcrypto refuses shows as a digest that
 * is not there.
 */
#ifndef POSTERN_AUTH_DKIM_BODY_H
#define POSTERN_AUTH_DKIM_BODY_H

#include "util/arena.h"
#include "util/span.h"
#include <openssl/evp.h>
#include <stdint.h>

#define BODY_HASH_SIZE 32
#define BODY_HASHES_MAX 16 /* different lengths */

struct body_hash;

/* SHA256 must outlive ARENA; NULL: nothing is hashed, only counted. */
struct body_hash *body_hash_create(struct arena *arena, const EVP_MD *sha256, bool is_relaxed);

/* Before the first byte: a hash of the first LENGTH octets is wanted, or of all if it is negative. */
void body_hash_want(struct body_hash *hash, int64_t length);

void body_hash_add(struct body_hash *hash, struct span bytes);

/* Once, behind the last byte. */
void body_hash_end(struct body_hash *hash);

/* After the end: octets of the whole canonical body. */
int64_t body_hash_length(const struct body_hash *hash);

/* After the end: BODY_HASH_SIZE octets. NULL: the body is shorter than LENGTH, nobody wanted it, or libcrypto
 * failed. */
const unsigned char *body_hash_digest(const struct body_hash *hash, int64_t length);

#endif
