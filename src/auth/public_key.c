/*
 * public_key - OpenSSL's own way from DER to a key (d2i_PUBKEY) tries every decoder it has and takes four times as long
 * as the check of the signature. The DER of an RSA key is a handful of bytes around two numbers: they are read here,
 * strictly (definite lengths in their shortest form, nothing behind the end), and given to OpenSSL as numbers.
 *
 * A modulus whose first bit is set and that has no zero before it is negative in DER; there are such keys, everybody
 * takes them for positive, and so do we. Exponents over 64 bits are refused: they buy nobody anything but time.
 */
#include "auth/public_key.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#define EXPONENT_OCTETS 8
#define ED25519_OCTETS 32

struct span public_key_base64(struct arena *arena, const char *text)
{
    unsigned char *bytes = arena_alloc(arena, strlen(text) / 4 * 3 + 3);
    size_t len = 0;
    unsigned value = 0, digits = 0;
    for (; *text && *text != '='; text++) {
        char c = *text;
        unsigned digit;
        if (c >= 'A' && c <= 'Z')
            digit = (unsigned)(c - 'A');
        else if (c >= 'a' && c <= 'z')
            digit = (unsigned)(c - 'a' + 26);
        else if (c >= '0' && c <= '9')
            digit = (unsigned)(c - '0' + 52);
        else if (c == '+' || c == '/')
            digit = c == '+' ? 62 : 63;
        else
            return (struct span){"", 0};
        value = value << 6 | digit;
        if (++digits % 4 != 1)
            bytes[len++] = (unsigned char)(value >> (6 - 2 * ((digits - 1) % 4)));
    }
    return (struct span){(const char *)bytes, len};
}

/* ---- DER ---- */

#define DER_INTEGER 0x02
#define DER_BIT_STRING 0x03
#define DER_SEQUENCE 0x30

/* The contents of the element of type TAG that FROM begins with, which is taken off it. */
static bool take(struct span *from, unsigned char tag, struct span *contents)
{
    const unsigned char *p = (const unsigned char *)from->ptr;
    if (from->len < 2 || p[0] != tag)
        return false;
    size_t len = p[1], head = 2;
    if (len >= 0x80) {
        size_t octets = len - 0x80;
        if (octets == 0 || octets > 2 || from->len < 2 + octets)
            return false;
        len = octets == 1 ? p[2] : (size_t)p[2] << 8 | p[3];
        if (len < (octets == 1 ? 0x80u : 0x100u))
            return false;
        head += octets;
    }
    if (from->len - head < len)
        return false;
    *contents = (struct span){from->ptr + head, len};
    from->ptr += head + len;
    from->len -= head + len;
    return true;
}

/* The RSAPublicKey in a SubjectPublicKeyInfo. */
static bool unwrap(struct span der, struct span *inner)
{
    static const char rsa[] = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"; /* 1.2.840.113549.1.1.1 */
    static const char null[] = "\x05";
    const size_t oid = sizeof rsa - 1;
    struct span outer, algorithm, bits;
    if (!take(&der, DER_SEQUENCE, &outer) || der.len > 0 || !take(&outer, DER_SEQUENCE, &algorithm) ||
        !take(&outer, DER_BIT_STRING, &bits) || outer.len > 0)
        return false;
    if (algorithm.len < oid || memcmp(algorithm.ptr, rsa, oid) != 0)
        return false;
    if (algorithm.len != oid && !(algorithm.len == oid + 2 && memcmp(algorithm.ptr + oid, null, 2) == 0))
        return false;
    if (bits.len < 1 || bits.ptr[0] != 0) /* bits that are not used */
        return false;
    *inner = (struct span){bits.ptr + 1, bits.len - 1};
    return true;
}

static bool read_numbers(struct span der, struct span *modulus, struct span *exponent)
{
    struct span outer;
    return take(&der, DER_SEQUENCE, &outer) && der.len == 0 && take(&outer, DER_INTEGER, modulus) &&
           take(&outer, DER_INTEGER, exponent) && outer.len == 0;
}

static void skip_zeros(struct span *number)
{
    while (number->len > 0 && number->ptr[0] == '\0') {
        number->ptr++;
        number->len--;
    }
}

static bool is_odd(struct span number)
{
    return number.len > 0 && number.ptr[number.len - 1] & 1;
}

/* ---- keys ---- */

static EVP_PKEY *make_rsa(struct span modulus, struct span exponent, unsigned *bits)
{
    EVP_PKEY *key = NULL;
    BIGNUM *n = BN_bin2bn((const unsigned char *)modulus.ptr, (int)modulus.len, NULL);
    BIGNUM *e = BN_bin2bn((const unsigned char *)exponent.ptr, (int)exponent.len, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (n && e && builder && context && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1 && (params = OSSL_PARAM_BLD_to_param(builder)) &&
        EVP_PKEY_fromdata_init(context) == 1 && EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) == 1)
        *bits = (unsigned)BN_num_bits(n);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    BN_free(e);
    BN_free(n);
    return key;
}

const char *public_key_read_rsa(struct span der, struct public_key *key)
{
    struct span inner, modulus, exponent;
    *key = (struct public_key){.handle = NULL};
    if (!unwrap(der, &inner))
        inner = der;
    if (!read_numbers(inner, &modulus, &exponent))
        return "the key is no RSA key";
    skip_zeros(&modulus);
    skip_zeros(&exponent);
    bool is_one = exponent.len == 1 && exponent.ptr[0] == 1;
    if (!is_odd(modulus) || !is_odd(exponent) || is_one || exponent.len > EXPONENT_OCTETS)
        return "the numbers of the key are none of RSA";
    key->handle = make_rsa(modulus, exponent, &key->bits);
    return key->handle ? NULL : "the key is refused by libcrypto";
}

const char *public_key_read_ed25519(struct span octets, struct public_key *key)
{
    *key = (struct public_key){.is_ed25519 = true};
    if (octets.len != ED25519_OCTETS)
        return "the key is no Ed25519 key";
    key->handle = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, (const unsigned char *)octets.ptr, octets.len);
    return key->handle ? NULL : "the key is refused by libcrypto";
}

void public_key_free(struct public_key *key)
{
    EVP_PKEY_CTX_free(key->context);
    EVP_PKEY_free(key->handle);
    key->context = NULL;
    key->handle = NULL;
}

/* ---- signatures ---- */

/* A context in which any number of signatures can be verified; NULL: there is none. */
static EVP_PKEY_CTX *make_context(EVP_PKEY *key, const EVP_MD *sha256)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    if (context && EVP_PKEY_verify_init(context) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
        EVP_PKEY_CTX_set_signature_md(context, sha256) == 1)
        return context;
    EVP_PKEY_CTX_free(context);
    return NULL;
}

static int verify_rsa(struct public_key *key, const EVP_MD *sha256, struct span signature,
                      const unsigned char digest[32])
{
    if (!key->context)
        key->context = make_context(key->handle, sha256);
    if (!key->context)
        return -1;
    return EVP_PKEY_verify(key->context, (const unsigned char *)signature.ptr, signature.len, digest, 32) == 1;
}

/* The digest is the message here (RFC 8463 3). */
static int verify_ed25519(EVP_PKEY *key, struct span signature, const unsigned char digest[32])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int verdict = -1;
    if (context && EVP_DigestVerifyInit_ex(context, NULL, NULL, NULL, NULL, key, NULL) == 1)
        verdict = EVP_DigestVerify(context, (const unsigned char *)signature.ptr, signature.len, digest, 32) == 1;
    EVP_MD_CTX_free(context);
    return verdict;
}

int public_key_verify(struct public_key *key, const EVP_MD *sha256, struct span signature,
                      const unsigned char digest[32])
{
    int verdict = key->is_ed25519 ? verify_ed25519(key->handle, signature, digest)
                                  : verify_rsa(key, sha256, signature, digest);
    if (verdict != 1)
        ERR_clear_error();
    return verdict;
}
