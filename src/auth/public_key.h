/*
 * public_key - the public key of a record p=, and signatures checked with it (RFC 6376 3.6.1, RFC 8463).
 *
 * OWNS: a key is the caller's until public_key_free(). THREADS: any, one at a time for a key. ERRORS: NULL, or what the
 * functions say.
 */
#ifndef POSTERN_AUTH_PUBLIC_KEY_H
#define POSTERN_AUTH_PUBLIC_KEY_H

#include "util/arena.h"
#include "util/span.h"
#include <openssl/evp.h>
#include <stdbool.h>

/* TEXT in base64, which a "=" ends. Bytes on ARENA; what is no digit makes it empty. */
struct span public_key_base64(struct arena *arena, const char *text);

struct public_key {
    EVP_PKEY *handle;
    EVP_PKEY_CTX *context; /* to verify with, from the first time on */
    bool is_ed25519;
    unsigned bits; /* of an RSA modulus */
};

/* DER of p=: a SubjectPublicKeyInfo as all the world writes it, or a bare RSAPublicKey as RFC 6376 has it. NULL or what
 * is wrong with it. */
const char *public_key_read_rsa(struct span der, struct public_key *key);

/* The 32 octets of p=. */
const char *public_key_read_ed25519(struct span octets, struct public_key *key);

void public_key_free(struct public_key *key);

/* Is SIGNATURE one of DIGEST, a SHA-256? RSA: PKCS #1 v1.5. 1: yes, 0: no, -1: libcrypto cannot tell. */
int public_key_verify(struct public_key *key, const EVP_MD *sha256, struct span signature,
                      const unsigned char digest[32]);

#endif
