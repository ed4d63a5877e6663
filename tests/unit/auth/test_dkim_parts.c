/* The parts of the builtin engine of DKIM: the body against a slow and plain reading of RFC 6376 3.4.3 and 3.4.4, and
 * public keys in all their forms. */
#include "unit.h"

#include "auth/dkim_body.h"
#include "auth/public_key.h"
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

static uint64_t seed = 88172645463325252u;

static unsigned roll(unsigned sides)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 11) % sides;
}

/* ---- the body ---- */

/* One line in relaxed form. */
static size_t relax(const char *line, size_t len, char *out)
{
    size_t n = 0;
    while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t'))
        len--;
    for (size_t i = 0; i < len; i++) {
        char c = line[i] == '\t' ? ' ' : line[i];
        if (c != ' ' || i == 0 || (line[i - 1] != ' ' && line[i - 1] != '\t'))
            out[n++] = c;
    }
    return n;
}

/* The whole canonical body in OUT, which has room for LEN + 4. IN has room for two more. */
static size_t canonical(char *in, size_t len, bool is_relaxed, char *out)
{
    size_t n = 0;
    if (len > 0 && (len < 2 || memcmp(in + len - 2, "\r\n", 2) != 0)) {
        memcpy(in + len, "\r\n", 2);
        len += 2;
    }
    for (size_t at = 0; at < len;) {
        size_t line = (size_t)((char *)memmem(in + at, len - at, "\r\n", 2) - (in + at));
        if (is_relaxed) {
            n += relax(in + at, line, out + n);
        } else {
            memcpy(out + n, in + at, line);
            n += line;
        }
        memcpy(out + n, "\r\n", 2);
        n += 2;
        at += line + 2;
    }
    while (n >= 2 && memcmp(out + n - 2, "\r\n", 2) == 0)
        n -= 2;
    if (n > 0 || !is_relaxed) {
        memcpy(out + n, "\r\n", 2);
        n += 2;
    }
    return n;
}

static void check_body(const EVP_MD *sha256, const char *body, size_t len, bool is_relaxed)
{
    struct arena *arena = arena_create(1024);
    struct body_hash *hash = body_hash_create(arena, sha256, is_relaxed);
    struct body_hash *count = body_hash_create(arena, NULL, is_relaxed);
    char *copy = malloc(len + 2), *expected = malloc(len + 4);
    memcpy(copy, body, len);
    int64_t size = (int64_t)canonical(copy, len, is_relaxed, expected);
    int64_t wanted[6] = {-1, 0, size, size + 1, (int64_t)roll((unsigned)size + 2), (int64_t)roll((unsigned)size + 2)};
    for (size_t i = roll(2); i < 6; i++)
        body_hash_want(hash, wanted[i]);
    body_hash_want(hash, -1);
    for (size_t at = 0; at < len;) {
        size_t piece = 1 + roll(roll(3) ? 8 : 20000);
        piece = piece < len - at ? piece : len - at;
        char *exact = malloc(piece); /* of its own, so that a sanitizer sees a step beyond it */
        memcpy(exact, body + at, piece);
        body_hash_add(hash, (struct span){exact, piece});
        body_hash_add(count, (struct span){exact, piece});
        free(exact);
        at += piece;
    }
    body_hash_end(hash);
    body_hash_end(count);
    assert_int_equal(body_hash_length(hash), size);
    assert_int_equal(body_hash_length(count), size);
    assert_null(body_hash_digest(count, -1));
    assert_null(body_hash_digest(hash, size + 1));
    for (size_t i = 0; i < 6; i++) {
        unsigned char digest[BODY_HASH_SIZE];
        if (wanted[i] > size)
            continue;
        EVP_Digest(expected, (size_t)(wanted[i] < 0 ? size : wanted[i]), digest, NULL, sha256, NULL);
        assert_non_null(body_hash_digest(hash, wanted[i]));
        assert_memory_equal(body_hash_digest(hash, wanted[i]), digest, sizeof digest);
    }
    free(copy);
    free(expected);
    arena_destroy(arena);
}

static size_t random_body(char *body, size_t max)
{
    static const char *const tokens[] = {"\r\n", "\r\n", " ", "\t", "\r", "\n", "a", "word", "\x1f\x7f\xff", " \r\n"};
    size_t len = 0, count = roll(60);
    bool is_long = roll(4) == 0;
    for (size_t i = 0; i < count && len + 5000 < max; i++) {
        unsigned which = roll(12);
        if (which < 10) {
            memcpy(body + len, tokens[which], strlen(tokens[which]));
            len += strlen(tokens[which]);
        } else if (which == 10) {
            body[len++] = '\0';
        } else {
            size_t run = roll(is_long ? 5000 : 20);
            memset(body + len, "x\r \n"[roll(8) ? 0 : roll(4)], run);
            len += run;
        }
    }
    return len;
}

static void any_body_in_any_pieces(void **state)
{
    (void)state;
    EVP_MD *sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    char *body = malloc(1 << 20);
    for (int i = 0; i < 6000; i++)
        check_body(sha256, body, random_body(body, 1 << 20), i % 2);
    free(body);
    EVP_MD_free(sha256);
}

static void bodies_one_should_not_forget(void **state)
{
    (void)state;
    EVP_MD *sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    static const char *const bodies[] = {
        "",        "\r\n",  "\r\n\r\n\r\n", " ",       " \r\n",       "\t\r\n \r\n", "\r",     "\n",      "\r\r\n",
        " \r",     "a",     "a\r",          "a \r\n",  "a\r\n \tb",   "a\r\n\r\n b", "a \r b", "a\r\n\r", "a \t b\t",
        "a\r \nb", "\r\na", "\n\r\n\r\n",   "a\r\r\n", "a \r\n \r\n", " \r\na"};
    for (size_t i = 0; i < 200 * (sizeof bodies / sizeof *bodies); i++)
        check_body(sha256, bodies[i / 200], strlen(bodies[i / 200]), i % 2);
    /* RFC 6376 3.4.4 and 3.4.3: the hashes of an empty body. */
    static const char *const empty[] = {"frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=",
                                        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="};
    for (int is_relaxed = 0; is_relaxed < 2; is_relaxed++) {
        struct arena *arena = arena_create(1024);
        struct body_hash *hash = body_hash_create(arena, sha256, is_relaxed);
        body_hash_want(hash, -1);
        body_hash_end(hash);
        assert_memory_equal(body_hash_digest(hash, -1), public_key_base64(arena, empty[is_relaxed]).ptr, 32);
        arena_destroy(arena);
    }
    EVP_MD_free(sha256);
}

/* However many empty lines wait, and however long a line is, the memory is the same. */
static void constant_memory(void **state)
{
    (void)state;
    EVP_MD *sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    char *blanks = malloc(1 << 20), *blob = malloc(1 << 20);
    for (size_t i = 0; i < 1 << 20; i++)
        blanks[i] = "\r\n"[i % 2];
    memset(blob, ' ', 1 << 20);
    struct arena *arena = arena_create(1024);
    struct body_hash *hash = body_hash_create(arena, sha256, true);
    body_hash_want(hash, -1);
    body_hash_add(hash, (struct span){"a", 1});
    for (int i = 0; i < 32; i++) {
        body_hash_add(hash, (struct span){blanks, 1 << 20});
        body_hash_add(hash, (struct span){blob, 1 << 20});
    }
    body_hash_add(hash, (struct span){"b", 1});
    body_hash_end(hash);
    assert_int_equal(body_hash_length(hash), 1 + 32 * (1 << 20) + 2 + 2);
    assert_true(arena_size(arena) < 40000);
    arena_destroy(arena);
    free(blanks);
    free(blob);
    EVP_MD_free(sha256);
}

/* ---- keys ---- */

/* An element of DER: TAG, the length, CONTENTS. */
static size_t wrap(unsigned char *out, unsigned char tag, const void *contents, size_t len)
{
    size_t head = len < 0x80 ? 2 : len < 0x100 ? 3 : 4;
    unsigned char copy[2048];
    memcpy(copy, contents, len);
    out[0] = tag;
    out[1] = head == 2 ? (unsigned char)len : (unsigned char)(0x80 + head - 2);
    if (head == 4)
        out[2] = (unsigned char)(len >> 8);
    if (head > 2)
        out[head - 1] = (unsigned char)len;
    memcpy(out + head, copy, len);
    return head + len;
}

static size_t bare_key(unsigned char *out, const void *n, size_t n_len, const void *e, size_t e_len)
{
    unsigned char both[2048];
    size_t len = wrap(both, 2, n, n_len);
    len += wrap(both + len, 2, e, e_len);
    return wrap(out, 0x30, both, len);
}

static const char *read_rsa(const void *der, size_t len)
{
    struct public_key key;
    char *exact = malloc(len ? len : 1);
    memcpy(exact, der, len);
    const char *problem = public_key_read_rsa((struct span){exact, len}, &key);
    assert_int_equal(problem == NULL, key.handle != NULL);
    public_key_free(&key);
    free(exact);
    return problem ? problem : "fine";
}

static void rsa_keys(void **state)
{
    (void)state;
    EVP_PKEY *pair = EVP_RSA_gen(1024);
    EVP_MD *sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    unsigned char *spki = NULL, bare[2048], signature[128], digest[32] = {1};
    int len = i2d_PUBKEY(pair, &spki);
    size_t bare_len = (size_t)len - 22, signature_len = sizeof signature; /* what stands before it in 1024 bits */
    memcpy(bare, spki + 22, bare_len);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(pair, NULL);
    EVP_PKEY_sign_init(context);
    EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING);
    EVP_PKEY_CTX_set_signature_md(context, sha256);
    assert_int_equal(EVP_PKEY_sign(context, signature, &signature_len, digest, sizeof digest), 1);
    for (int is_bare = 0; is_bare < 2; is_bare++) {
        struct public_key key;
        struct span der = {is_bare ? (char *)bare : (char *)spki, is_bare ? bare_len : (size_t)len};
        assert_null(public_key_read_rsa(der, &key));
        assert_int_equal(key.bits, 1024);
        assert_int_equal(public_key_verify(&key, sha256, (struct span){(char *)signature, 128}, digest), 1);
        assert_int_equal(public_key_verify(&key, sha256, (struct span){(char *)signature, 127}, digest), 0);
        assert_int_equal(public_key_verify(&key, sha256, (struct span){"", 0}, digest), 0);
        digest[31] ^= 1;
        assert_int_equal(public_key_verify(&key, sha256, (struct span){(char *)signature, 128}, digest), 0);
        digest[31] ^= 1;
        signature[64] ^= 1;
        assert_int_equal(public_key_verify(&key, sha256, (struct span){(char *)signature, 128}, digest), 0);
        signature[64] ^= 1;
        public_key_free(&key);
    }
    /* cut anywhere, with something behind it, with any octet of its frame changed */
    for (int cut = 0; cut < len; cut++)
        assert_string_not_equal(read_rsa(spki, (size_t)cut), "fine");
    unsigned char more[2048];
    memcpy(more, spki, (size_t)len);
    more[len] = 0;
    assert_string_not_equal(read_rsa(more, (size_t)len + 1), "fine");
    for (int at = 0; at < 28; at++) {
        more[at] ^= 0x10;
        assert_string_not_equal(read_rsa(more, (size_t)len), "fine");
        more[at] ^= 0x10;
    }
    assert_string_equal(read_rsa(more, (size_t)len), "fine");
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(pair);
    EVP_MD_free(sha256);
    OPENSSL_free(spki);
}

static void numbers_that_are_none_of_rsa(void **state)
{
    (void)state;
    unsigned char out[2048], n[129];
    static const unsigned char e[] = {1, 0, 1}, padded[] = {0, 0, 1, 0, 1}, one[] = {1}, zero_one[] = {0, 1},
                               even[] = {4};
    static const unsigned char three[] = {3}, huge[] = {1, 0, 0, 0, 0, 0, 0, 0, 1},
                               eight[] = {0xff, 0, 0, 0, 0, 0, 0, 1};
    memset(n, 0xa5, sizeof n);
    assert_string_equal(read_rsa(out, bare_key(out, n, 128, e, 3)), "fine"); /* negative, taken for positive */
    n[0] = 0;
    assert_string_equal(read_rsa(out, bare_key(out, n, 129, e, 3)), "fine");
    assert_string_equal(read_rsa(out, bare_key(out, n, 129, padded, 5)), "fine");
    assert_string_equal(read_rsa(out, bare_key(out, n, 129, three, 1)), "fine");
    assert_string_equal(read_rsa(out, bare_key(out, n, 129, eight, 8)), "fine");
    static const char bad[] = "the numbers of the key are none of RSA";
    assert_string_equal(read_rsa(out, bare_key(out, n, 129, one, 1)), bad);
    assert_string_equal(read_rsa(out, bare_key(out, n, 129, zero_one, 2)), bad);
    assert_string_equal(read_rsa(out, bare_key(out, n, 129, even, 1)), bad);
    assert_string_equal(read_rsa(out, bare_key(out, n, 129, huge, 9)), bad);
    assert_string_equal(read_rsa(out, bare_key(out, n, 129, e, 0)), bad);
    assert_string_equal(read_rsa(out, bare_key(out, n, 1, e, 3)), bad);
    assert_string_equal(read_rsa(out, bare_key(out, n, 0, e, 3)), bad);
    n[128] = 0xa4;
    assert_string_equal(read_rsa(out, bare_key(out, n, 129, e, 3)), bad);
    assert_string_equal(read_rsa("", 0), "the key is no RSA key");
    assert_string_equal(read_rsa("\x30\x84\xff\xff\xff\xff", 6), "the key is no RSA key");
    assert_string_equal(read_rsa("\x30\x80\x02\x01\x23\x02\x01\x03", 8), "the key is no RSA key");
    assert_string_equal(read_rsa("\x30\x81\x06\x02\x01\x23\x02\x01\x03", 9),
                        "the key is no RSA key"); /* a length too long */
    assert_string_equal(read_rsa("\x30\x06\x02\x01\x23\x02\x01\x03", 8), "fine");
}

static void ed25519_keys(void **state)
{
    (void)state;
    struct public_key key;
    char octets[33] = "12345678901234567890123456789012";
    assert_null(public_key_read_ed25519((struct span){octets, 32}, &key));
    public_key_free(&key);
    assert_string_equal(public_key_read_ed25519((struct span){octets, 31}, &key), "the key is no Ed25519 key");
    assert_string_equal(public_key_read_ed25519((struct span){octets, 33}, &key), "the key is no Ed25519 key");
}

static void base64(void **state)
{
    (void)state;
    struct arena *arena = arena_create(1024);
    static const struct {
        const char *text, *bytes;
    } table[] = {{"Zm9vYmFy", "foobar"},  {"Zm9vYmE=", "fooba"},    {"Zm9vYg==", "foob"},
                 {"Zm9vYg", "foob"},      {"+/+/", "\xfb\xff\xbf"}, {"", ""},
                 {"Zm9v====Zm9v", "foo"}, {"Zm9v Zm9v", ""},        {"Zm9v-", ""}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct span bytes = public_key_base64(arena, table[i].text);
        assert_int_equal(bytes.len, strlen(table[i].bytes));
        assert_memory_equal(bytes.ptr, table[i].bytes, bytes.len);
    }
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_body_in_any_pieces),
        cmocka_unit_test(bodies_one_should_not_forget),
        cmocka_unit_test(constant_memory),
        cmocka_unit_test(rsa_keys),
        cmocka_unit_test(numbers_that_are_none_of_rsa),
        cmocka_unit_test(ed25519_keys),
        cmocka_unit_test(base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
