/* Both engines over what a plain signer has signed, which knows nothing of ours: b= in all places, fields taken in all
 * ways, and all that libopendkim never would sign. */
#include "unit.h"

#include "dkim_signer.h"
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>

static void digest(const char *bytes, size_t len, unsigned char out[32])
{
    assert_int_equal(EVP_Digest(bytes, len, out, NULL, EVP_sha256(), NULL), 1);
}

/* A field in relaxed form, by RFC 6376 3.4.2, one step after the other. */
static void relax(const struct text *field, struct text *out)
{
    size_t name = strcspn(field->bytes, ":");
    struct text value = {.len = 0}, name_text = {.len = 0};
    for (size_t i = 0; i < name; i++) {
        char c = field->bytes[i];
        if (c != ' ')
            text_add(&name_text, (char[]){c >= 'A' && c <= 'Z' ? (char)(c + 32) : c}, 1);
    }
    for (size_t i = name + 1; i < field->len; i++) {
        char c = field->bytes[i] == '\t' ? ' ' : field->bytes[i];
        if (c == '\r' || c == '\n' || (c == ' ' && (value.len == 0 || value.bytes[value.len - 1] == ' ')))
            continue;
        text_add(&value, &c, 1);
    }
    if (value.len > 0 && value.bytes[value.len - 1] == ' ')
        value.len--;
    text_add(out, name_text.bytes, name_text.len);
    text_add(out, ":", 1);
    text_add(out, value.bytes, value.len);
}

/* FIELD is a signature whose "[...]" is the place of b=, "@" in it the value; "#" is bh=, "$" is CANON. SIGNED: the
 * fields h= takes, in that order. The message in OUT has FIELD on top of HEADER. */
static void sign_by_hand(const char *field, const char *canon, const char *signed_fields, const char *header,
                         const char *body, struct text *out)
{
    unsigned char hash[32], signature[256];
    char b[400];
    size_t len = sizeof signature;
    bool is_relaxed = strncmp(canon, "relaxed", 7) == 0;
    struct text input = {.len = 0}, whole = {.len = 0}, bare = {.len = 0};
    digest(body, strlen(body), hash);
    EVP_EncodeBlock((unsigned char *)b, hash, 32);
    for (const char *p = field; *p; p++) {
        const char *text = *p == '#' ? b : canon;
        if (*p == '#' || *p == '$')
            text_add(&whole, text, strlen(text));
        else
            text_add(&whole, p, 1);
    }
    char *open = strchr(whole.bytes, '['), *at = strchr(whole.bytes, '@'), *close = strchr(whole.bytes, ']');
    text_add(&bare, whole.bytes, (size_t)(open - whole.bytes));
    text_add(&bare, close + 1, strlen(close + 1));
    for (const char *p = signed_fields, *end; *p; p = end) {
        struct text one = {.len = 0};
        end = signer_end_of_field(p);
        text_add(&one, p, (size_t)(end - p - 2));
        if (is_relaxed)
            relax(&one, &input);
        else
            text_add(&input, one.bytes, one.len);
        text_add(&input, "\r\n", 2);
    }
    if (is_relaxed)
        relax(&bare, &input);
    else
        text_add(&input, bare.bytes, bare.len);
    digest(input.bytes, input.len, hash);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(signer_pair, NULL);
    EVP_PKEY_sign_init(context);
    EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING);
    EVP_PKEY_CTX_set_signature_md(context, EVP_sha256());
    assert_int_equal(EVP_PKEY_sign(context, signature, &len, hash, 32), 1);
    EVP_PKEY_CTX_free(context);
    EVP_EncodeBlock((unsigned char *)b, signature, 256);
    out->len = 0;
    text_add(out, whole.bytes, (size_t)(open - whole.bytes));
    text_add(out, open + 1, (size_t)(at - open - 1));
    bool is_folded = open[1] == '\r';
    for (size_t i = 0; b[i]; i++) {
        if (is_folded && i % 20 == 19)
            text_add(out, "\r\n\t ", 4);
        text_add(out, b + i, 1);
    }
    text_add(out, at + 1, (size_t)(close - at - 1));
    text_add(out, close + 1, strlen(close + 1));
    text_add(out, "\r\n", 2);
    text_add(out, header, strlen(header));
    text_add(out, "\r\n", 2);
    text_add(out, body, strlen(body));
}

#define TAGS "v=1; a=rsa-sha256; c=$; d=d.example; s=s; h=From; bh=#;"
#define BAD "fail s (signature did not verify)"

static void where_b_may_stand(void **state)
{
    (void)state;
    static const struct {
        const char *field, *expected;
    } table[] = {
        {"DKIM-Signature: " TAGS " b=[@]", "pass s"},
        {"DKIM-Signature: " TAGS " b=[@];", "pass s"},
        {"DKIM-Signature: " TAGS " b=[@] ;",
         BAD}, /* the blank belongs to b= (RFC 6376 3.7), the signer has signed it */
        {"DKIM-Signature: " TAGS " b=[@ ];", "pass s"},
        {"DKIM-Signature: " TAGS " b=[ @]", "pass s"},
        {"DKIM-Signature: " TAGS " b=[\r\n @]", "pass s"},
        {"DKIM-Signature: " TAGS " b=[\r\n\t@\r\n ]; z=a|b", "pass s"},
        {"DKIM-Signature: " TAGS " b=[@ ]", "pass s"},
        {"DKIM-Signature: " TAGS " b=[@];  ", "pass s"},
        {"DKIM-Signature: b=[@]; " TAGS, "pass s"},
        {"DKIM-Signature:b=[@];" TAGS, "pass s"},
        {"DKIM-Signature: v=1; b=[\r\n @]; a=rsa-sha256; c=$; d=d.example; s=s; h=From; bh=#", "pass s"},
        {"DKIM-Signature: v=1; bh=#; b=[@]; a=rsa-sha256; c=$; d=d.example; s=s; h=From", "pass s"},
        {"dkim-SIGNATURE: " TAGS " b=[@]", "pass s"},
        {"DKIM-Signature:\r\n " TAGS "\r\n\tb=[@]", "pass s"},
        {"DKIM-Signature: " TAGS " b =[@]", "pass s | " BAD},
        {"DKIM-Signature: " TAGS " b= [@];", BAD},
        {"DKIM-Signature: " TAGS " xb=1; b=[@]", "pass s | " BAD},
        {"DKIM-Signature: " TAGS " b=[@]; zb=1", "pass s | " BAD},
    };
    static const char from[] = "From:  A\r\n\tB  <a@d.example> \r\n";
    static const char *const canons[] = {"simple", "relaxed"};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        for (size_t c = 0; c < 2; c++) {
            struct text text;
            sign_by_hand(table[i].field, canons[c], from, from, "Hi.\r\n", &text);
            signer_check(table[i].field, &text, table[i].expected);
        }
    }
}

/* Not one octet of the field may be changed but within b=, where only white space may come and go. */
static void every_octet_is_signed(void **state)
{
    (void)state;
    struct text text;
    sign_by_hand("DKIM-Signature: v=1; a=rsa-sha256; c=simple; d=d.example; s=s; h=From; bh=#; xb=abc; b=[@]; n=z",
                 "simple", "From: a@d.example\r\n", "From: a@d.example\r\n", "Hi.\r\n", &text);
    signer_check("as signed", &text, "pass s | " BAD);
    char *b = strstr(text.bytes, "; b=") + 4, *last = strchr(b, ';') - 3, *end = strstr(text.bytes, "\r\nHi.");
    for (char *p = text.bytes; p < end - 1; p++) {
        char saved = *p;
        if (*p == '\r' || *p == '\n' || *p == ':' || (p >= last && p < last + 3))
            continue; /* the last digit of b= has bits that say nothing */
        *p = saved == 'x' ? 'y' : 'x';
        const char *got = fixture_verify_once(text.bytes, text.len, 1000, &fixture_options, VERIFIER_BUILTIN, NULL);
        if (strncmp(got, "pass", 4) == 0)
            print_message("octet %zd (%c)\n", p - text.bytes, saved);
        assert_memory_not_equal(got, "pass", 4);
        *p = saved;
    }
    memmove(b + 13, b + 10, text.len - (size_t)(b + 10 - text.bytes));
    memcpy(b + 10, "\r\n ", 3);
    text.len += 3;
    signer_check("b= folded", &text, "pass s | " BAD);
}

/* Which fields h= takes: the last that is not taken yet (RFC 6376 5.4.2). */
static void which_fields(void **state)
{
    (void)state;
    static const char header[] = "X-A: top\r\nFrom: a@d.example\r\nX-A: middle\r\nx-a : bottom\r\nX-AB: c\r\n";
    static const struct {
        const char *h, *fields, *expected;
    } table[] = {
        {"From", "From: a@d.example\r\n", "pass s"},
        {"from:x-a", "From: a@d.example\r\nx-a : bottom\r\n", "pass s"},
        {"from:x-a", "From: a@d.example\r\nX-A: top\r\n", BAD},
        {"X-A:from:X-a", "x-a : bottom\r\nFrom: a@d.example\r\nX-A: middle\r\n", "pass s"},
        {"x-a:from:x-a", "X-A: middle\r\nFrom: a@d.example\r\nx-a : bottom\r\n", BAD},
        {"x-a:x-a:x-a:From", "x-a : bottom\r\nX-A: middle\r\nX-A: top\r\nFrom: a@d.example\r\n", "pass s"},
        {"x-a:x-a:x-a:x-a:x-a:From:From:none", "x-a : bottom\r\nX-A: middle\r\nX-A: top\r\nFrom: a@d.example\r\n",
         "pass s"},
        {"From : \r\n X-A\r\n :none: x-ab", "From: a@d.example\r\nx-a : bottom\r\nX-AB: c\r\n", "pass s"},
        {"From:x", "From: a@d.example\r\n", "pass s"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        for (size_t c = 0; c < 2; c++) {
            char field[1024];
            struct text text;
            snprintf(field, sizeof field,
                     "DKIM-Signature: v=1; a=rsa-sha256; c=$; d=d.example; s=s;\r\n h=%s; bh=#; b=[@]", table[i].h);
            sign_by_hand(field, c ? "relaxed" : "simple", table[i].fields, header, "Hi.\r\n", &text);
            signer_check(table[i].h, &text, table[i].expected);
        }
    }
}

/* What only the builtin engine does right. */
static void where_libopendkim_is_wrong(void **state)
{
    (void)state;
    static const char from[] = "From: a@d.example\r\n";
    struct text text;
    char field[1024];
    sign_by_hand("DKIM-Signature: " TAGS " b=[@]", "relaxed/relaxed", from, from, "a bare \r CR\r\n", &text);
    signer_check("bare CR", &text, "pass s | fail s (body hash did not verify)");
    sign_by_hand("DKIM-Signature: " TAGS " b=[@]", "simple/simple", from, from, "Hi.\r\n", &text);
    text_add(&text, "\r\r\n", 3);
    assert_string_equal(fixture_verify(text.bytes, text.len, &fixture_options, VERIFIER_BUILTIN),
                        "fail s (body hash did not verify)");
    assert_string_equal(
        fixture_verify_once(text.bytes, text.len, TEXT_MAX, &fixture_options, VERIFIER_LIBOPENDKIM, NULL),
        "fail s (the body holds a bare CR)");
    text.len -= 3;
    text_add(&text, "\n\r\n\n\n\r\n", 7);
    signer_check("lines of LF", &text, "fail s (body hash did not verify) | fail s (the body holds a bare LF)");
    sign_by_hand("DKIM-Signature: " TAGS " b=[@]", "simple/simple", from, from, "a bare\nLF\r\n", &text);
    signer_check("bare LF, simple", &text, "pass s | fail s (the body holds a bare LF)");
    sign_by_hand("DKIM-Signature: " TAGS " b=[@]", "relaxed/relaxed", from, from, "a bare\nLF\r\n", &text);
    signer_check("bare LF, relaxed", &text, "pass s");
    char *long_line = malloc(40000);
    memset(long_line, 'x', 40000);
    memcpy(long_line + 39997, "\r\n", 3);
    sign_by_hand("DKIM-Signature: " TAGS " b=[@]", "relaxed/relaxed", from, from, long_line, &text);
    signer_check("long line", &text, "pass s");
    free(long_line);
    /* x= by the time of the message, which is years ago */
    snprintf(field, sizeof field, "DKIM-Signature: " TAGS " t=%d; x=%d; b=[@]", FIXTURE_NOW - 10, FIXTURE_NOW + 10);
    sign_by_hand(field, "simple", from, from, "Hi.\r\n", &text);
    signer_check("x= in the past", &text, "pass s | permerror s (signature expired)");
}

/* As many fields as a message may have, and many names in h=. SPOILT: every third field holds a bare CR. */
static void play_large_header(bool spoilt, const char *expected)
{
    enum { FIELDS = 19900, SIGNATURES = 16 };
    char *text = malloc(FIELDS * 6 + SIGNATURES * 1200 + 100), *to = text;
    struct verifier_options all = fixture_options;
    all.max_signatures = SIGNATURES;
    for (int i = 0; i < SIGNATURES; i++) {
        to += sprintf(to, "DKIM-Signature: v=1; a=rsa-sha256; d=d.example; s=s; bh=YWFh; b=YWFh; h=from");
        for (int n = 0; n < 250; n++)
            to += sprintf(to, ":%c", "ab"[n % 2]);
        to += sprintf(to, "\r\n");
    }
    to += sprintf(to, "From: a@d.example\r\n");
    for (int i = 0; i < FIELDS; i++)
        to += sprintf(to, i % 3 ? "a:\r\n" : spoilt ? "b:\rx\r\n" : "b:xx\r\n");
    to += sprintf(to, "\r\nHi.\r\n");
    const char *got = fixture_verify_once(text, (size_t)(to - text), 1000, &all, VERIFIER_BUILTIN, NULL);
    assert_memory_equal(got, expected, strlen(expected));
    free(text);
}

static void a_large_header(void **state)
{
    (void)state;
    play_large_header(false, BAD);
    play_large_header(true, "permerror s (a signed field holds bytes that no field may hold)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_b_may_stand), cmocka_unit_test(every_octet_is_signed),
        cmocka_unit_test(which_fields),      cmocka_unit_test(where_libopendkim_is_wrong),
        cmocka_unit_test(a_large_header),
    };
    return cmocka_run_group_tests(tests, signer_begin, signer_end);
}
