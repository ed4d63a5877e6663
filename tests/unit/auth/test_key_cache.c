/* Keys that were read before: found again by their text and type, one for each who asks at once, and bounded. */
#include "unit.h"

#include "auth/key_cache.h"
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static EVP_MD *sha256;
static char rsa_text[512];
static unsigned char signature[128], digest[32] = {1};

static void to_base64(const void *bytes, size_t len, char *text)
{
    EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
}

static int set_up(void **state)
{
    (void)state;
    unsigned char *der = NULL;
    size_t len = sizeof signature;
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    EVP_PKEY *pair = EVP_RSA_gen(1024);
    int der_len = i2d_PUBKEY(pair, &der);
    to_base64(der, (size_t)der_len, rsa_text);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(pair, NULL);
    bool is_signed = EVP_PKEY_sign_init(context) == 1 &&
                     EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
                     EVP_PKEY_CTX_set_signature_md(context, sha256) == 1 &&
                     EVP_PKEY_sign(context, signature, &len, digest, sizeof digest) == 1;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(pair);
    OPENSSL_free(der);
    return is_signed ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    EVP_MD_free(sha256);
    return 0;
}

static struct public_key take(struct key_cache *cache, const char *text, bool is_ed25519)
{
    struct arena *arena = arena_create(1024);
    struct public_key key;
    assert_null(key_cache_take(cache, arena, text, is_ed25519, &key));
    arena_destroy(arena);
    return key;
}

static int verify(struct public_key *key, const unsigned char *of)
{
    return public_key_verify(key, sha256, (struct span){(const char *)signature, sizeof signature}, of);
}

static void a_key_verifies_again_and_again(void **state)
{
    (void)state;
    struct key_cache *cache = key_cache_create();
    EVP_PKEY *handle = NULL;
    unsigned char other[32] = {2};
    for (int round = 0; round < 4; round++) {
        struct public_key key = take(cache, rsa_text, false);
        assert_true(round == 0 || key.handle == handle);
        assert_int_equal(key.bits, 1024);
        handle = key.handle;
        assert_int_equal(verify(&key, digest), 1);
        assert_int_equal(verify(&key, other), 0);
        assert_int_equal(verify(&key, digest), 1);
        key_cache_give(cache, rsa_text, &key);
        assert_null(key.handle);
    }
    key_cache_destroy(cache);
}

static void two_at_once_have_one_each(void **state)
{
    (void)state;
    struct key_cache *cache = key_cache_create();
    struct public_key first = take(cache, rsa_text, false), second = take(cache, rsa_text, false);
    EVP_PKEY *one = first.handle, *two = second.handle;
    assert_ptr_not_equal(one, two);
    key_cache_give(cache, rsa_text, &first);
    key_cache_give(cache, rsa_text, &second);
    first = take(cache, rsa_text, false);
    second = take(cache, rsa_text, false);
    assert_true((first.handle == one && second.handle == two) || (first.handle == two && second.handle == one));
    key_cache_give(cache, rsa_text, &first);
    key_cache_give(cache, rsa_text, &second);
    key_cache_destroy(cache);
}

/* 32 octets may be a key of either type only by their record. */
static void types_are_kept_apart(void **state)
{
    (void)state;
    struct key_cache *cache = key_cache_create();
    struct arena *arena = arena_create(1024);
    char text[64];
    struct public_key key, other;
    to_base64("12345678901234567890123456789012", 32, text);
    key = take(cache, text, true);
    key_cache_give(cache, text, &key);
    assert_string_equal(key_cache_take(cache, arena, text, false, &other), "the key is no RSA key");
    key_cache_give(cache, text, &other);
    assert_non_null(key_cache_take(cache, arena, rsa_text, true, &other));
    key_cache_give(cache, rsa_text, &other);
    key = take(cache, text, true);
    assert_true(key.is_ed25519);
    key_cache_give(cache, text, &key);
    arena_destroy(arena);
    key_cache_destroy(cache);
}

static void the_number_of_keys_is_bounded(void **state)
{
    (void)state;
    enum { COUNT = 4 * KEY_CACHE_MOST };
    struct key_cache *cache = key_cache_create();
    struct arena *arena = arena_create(4096);
    static EVP_PKEY *handles[COUNT];
    size_t found = 0;
    char text[64];
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < COUNT; i++) {
            unsigned char octets[32] = {(unsigned char)i, (unsigned char)(i >> 8), 1};
            to_base64(octets, sizeof octets, text);
            struct public_key key = take(cache, text, true);
            if (round == 0) {
                handles[i] = key.handle;
                EVP_PKEY_up_ref(key.handle); /* so that no other key gets its address */
                key_cache_give(cache, text, &key);
            } else {
                found += key.handle == handles[i];
                public_key_free(&key);
            }
        }
    }
    assert_in_range(found, KEY_CACHE_MOST / 2, KEY_CACHE_MOST);
    for (unsigned i = 0; i < COUNT; i++)
        EVP_PKEY_free(handles[i]);
    arena_destroy(arena);
    key_cache_destroy(cache);
}

static void *hammer(void *cache)
{
    struct arena *arena = arena_create(4096);
    size_t good = 0;
    for (int i = 0; i < 300; i++) {
        struct public_key key;
        good += key_cache_take(cache, arena, rsa_text, false, &key) == NULL && verify(&key, digest) == 1;
        key_cache_give(cache, rsa_text, &key);
    }
    arena_destroy(arena);
    return (void *)good;
}

static void threads(void **state)
{
    (void)state;
    struct key_cache *cache = key_cache_create();
    pthread_t all[6];
    void *good;
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(pthread_create(&all[i], NULL, hammer, cache), 0);
    for (size_t i = 0; i < 6; i++) {
        pthread_join(all[i], &good);
        assert_int_equal((size_t)good, 300);
    }
    key_cache_destroy(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_verifies_again_and_again),
        cmocka_unit_test(two_at_once_have_one_each),
        cmocka_unit_test(types_are_kept_apart),
        cmocka_unit_test(the_number_of_keys_is_bounded),
        cmocka_unit_test(threads),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
