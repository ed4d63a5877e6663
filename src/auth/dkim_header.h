/*
 * dkim_header - the hash of the signed header fields and of the signature itself (RFC 6376 3.4.1, 3.4.2, 3.7, 5.4.2).
 *
 * OWNS: nothing. THREADS: any. ERRORS: false: libcrypto failed.
 */
#ifndef POSTERN_AUTH_DKIM_HEADER_H
#define POSTERN_AUTH_DKIM_HEADER_H

#include "auth/field_index.h"
#include "auth/signature.h"
#include <openssl/evp.h>

#define HEADER_HASH_SIZE 32

/* FIELDS holds the clean fields of the message, among them FIELD, from which SIGNATURE was read without a problem. */
bool header_hash(const EVP_MD *sha256, const struct field_index *fields, const struct signature *signature,
                 const struct header_field *field, unsigned char digest[HEADER_HASH_SIZE]);

#endif
