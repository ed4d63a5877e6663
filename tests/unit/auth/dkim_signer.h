/* dkim_signer - a key pair for the tests of DKIM, texts to sign, and what both engines must say of them. */
#ifndef POSTERN_TESTS_DKIM_SIGNER_H
#define POSTERN_TESTS_DKIM_SIGNER_H

#include "dkim_fixture.h"
#include <openssl/evp.h>

#define TEXT_MAX 65536

struct text { /* may hold NUL */
    char bytes[TEXT_MAX];
    size_t len;
};

extern EVP_PKEY *signer_pair; /* its public key is that of s._domainkey.d.example */

/* For cmocka: fixture_begin() and a new key, and back. */
int signer_begin(void **state);
int signer_end(void **state);

void text_add(struct text *text, const char *bytes, size_t len);

/* Both engines must say EXPECTED of TEXT; where libopendkim says something else, that stands behind " | ". WHAT is for
 * people. */
void signer_check(const char *what, const struct text *text, const char *expected);

/* The end of the field that begins at P: behind its CRLF. */
const char *signer_end_of_field(const char *p);

#endif
