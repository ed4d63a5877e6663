#include "unit.h"

#include "dkim_signer.h"
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>

EVP_PKEY *signer_pair;

int signer_begin(void **state)
{
    (void)state;
    fixture_begin();
    unsigned char *der = NULL;
    char base64[2048];
    signer_pair = EVP_RSA_gen(2048);
    int len = i2d_PUBKEY(signer_pair, &der);
    EVP_EncodeBlock((unsigned char *)base64, der, len);
    OPENSSL_free(der);
    fixture_add_row("s._domainkey.d.example", DNS_ANSWER, arena_printf(fixture_arena, "v=DKIM1; p=%s", base64));
    return 0;
}

int signer_end(void **state)
{
    (void)state;
    EVP_PKEY_free(signer_pair);
    fixture_end();
    return 0;
}

void text_add(struct text *text, const char *bytes, size_t len)
{
    assert_true(text->len + len < TEXT_MAX);
    memcpy(text->bytes + text->len, bytes, len);
    text->len += len;
    text->bytes[text->len] = '\0';
}

void signer_check(const char *what, const struct text *text, const char *expected)
{
    const char *bar = strstr(expected, " | ");
    for (size_t e = 0; e < 2; e++) {
        const char *got = fixture_verify(text->bytes, text->len, &fixture_options, fixture_engines[e]);
        const char *wanted = expected;
        if (bar)
            wanted = e == 1 ? bar + 3 : arena_spandup(fixture_arena, (struct span){expected, (size_t)(bar - expected)});
        if (strcmp(got, wanted) != 0)
            print_message("engine %zu, %s: %s\n%.*s\n", e, what, got, (int)text->len, text->bytes);
        assert_string_equal(got, wanted);
    }
}

const char *signer_end_of_field(const char *p)
{
    do
        p = strstr(p, "\r\n") + 2;
    while (*p == ' ' || *p == '\t');
    return p;
}
