/*
 * srs_hash - libcrypto's HMAC.
 *
 * The fields are not separated in what is hashed, because Mail::SRS and PostSRSd do not separate them. So a letter can
 * be moved from one field to the next without the hash taking notice; whoever reads an address must not conclude from
 * the hash that the fields end where they ended. It is no worse than what everybody can have anyway, an SRS address for
 * a sender of his choice, by sending a message from there.
 *
 * Hashes are compared without case, because relays write local parts in lower case (a bounce may be all that comes
 * back), and in both alphabets, because others write "+" and "/". That leaves about 5 bits a character.
 */
#include "srs/srs_hash.h"
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

static pthread_once_t is_ready = PTHREAD_ONCE_INIT;
static EVP_MAC *hmac; /* looking it up costs more than using it */

static void prepare(void)
{
    hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
}

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int add_field(EVP_MAC_CTX *context, struct span field, bool ignores_case)
{
    unsigned char piece[256];
    for (size_t done = 0; done < field.len;) {
        size_t n = field.len - done < sizeof piece ? field.len - done : sizeof piece;
        for (size_t i = 0; i < n; i++)
            piece[i] = (unsigned char)(ignores_case ? fold(field.ptr[done + i]) : field.ptr[done + i]);
        if (EVP_MAC_update(context, piece, n) != 1)
            return 0;
        done += n;
    }
    return 1;
}

void srs_hash_bytes(struct span secret, const struct span *fields, size_t count, bool ignores_case,
                    unsigned char bytes[SRS_HASH_BYTES])
{
    char digest[] = "SHA1";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                 OSSL_PARAM_construct_end()};
    size_t size = 0;
    pthread_once(&is_ready, prepare);
    EVP_MAC_CTX *context = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
    if (!context || EVP_MAC_init(context, (const unsigned char *)secret.ptr, secret.len, params) != 1)
        abort();
    for (size_t i = 0; i < count; i++) {
        if (!add_field(context, fields[i], ignores_case))
            abort();
    }
    if (EVP_MAC_final(context, bytes, &size, SRS_HASH_BYTES) != 1 || size != SRS_HASH_BYTES)
        abort();
    EVP_MAC_CTX_free(context);
}

void srs_hash_text(struct span secret, const struct span *fields, size_t count, char text[SRS_HASH_TEXT + 1])
{
    unsigned char bytes[SRS_HASH_BYTES], encoded[SRS_HASH_TEXT + 2];
    srs_hash_bytes(secret, fields, count, true, bytes);
    EVP_EncodeBlock(encoded, bytes, SRS_HASH_BYTES);
    for (size_t i = 0; i < SRS_HASH_TEXT; i++)
        text[i] = encoded[i] == '+' ? '-' : encoded[i] == '/' ? '_' : (char)encoded[i];
    text[SRS_HASH_TEXT] = '\0';
}

bool srs_hash_matches(struct span secret, const struct span *fields, size_t count, struct span given)
{
    char text[SRS_HASH_TEXT + 1], folded[SRS_HASH_TEXT];
    if (given.len == 0 || given.len > SRS_HASH_TEXT)
        return false;
    srs_hash_text(secret, fields, count, text);
    for (size_t i = 0; i < given.len; i++) {
        char c = given.ptr[i];
        folded[i] = c == '+' ? '-' : c == '/' ? '_' : fold(c);
        text[i] = fold(text[i]);
    }
    return CRYPTO_memcmp(text, folded, given.len) == 0;
}
