/*
 * checksum - SHA-256 of the configuration file, so that an administrator can see which one a daemon runs with.
 */
#include "conf/loader.h"
#include <openssl/evp.h>

const char *checksum_hex(struct arena *arena, const void *bytes, size_t len)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    if (EVP_Digest(bytes, len, digest, &size, EVP_sha256(), NULL) != 1)
        return ""; /* a libcrypto without SHA-256: the checksum is for display only */
    char *hex = arena_alloc(arena, 2 * (size_t)size + 1);
    for (unsigned int i = 0; i < size; i++) {
        hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    return hex;
}
