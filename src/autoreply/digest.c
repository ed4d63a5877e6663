/*
 * digest - libcrypto's SHA-256. Two texts or senders under one key would mean a reply too few or too many, so there is
 * no going on without it.
 */
#include "autoreply/digest.h"
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_MD *sha256; /* looked for in libcrypto's providers once: that takes longer than a short text's digest */

static void find_sha256(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!sha256)
        abort();
}

void digest_hex(struct span bytes, char hex[DIGEST_HEX + 1])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    pthread_once(&once, find_sha256);
    if (EVP_Digest(bytes.ptr, bytes.len, digest, &size, sha256, NULL) != 1 || size != DIGEST_HEX / 2)
        abort();
    for (unsigned int i = 0; i < size; i++) {
        hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    hex[DIGEST_HEX] = '\0';
}
