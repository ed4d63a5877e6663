/*
 * Both engines over the same signed messages: what libopendkim signs with its own canonicalization, and what the plain
 * signer below signs in ways libopendkim never would. Each row says what is right; where libopendkim says something
 * else, that stands behind " | ".
 */
#include "unit.h"

#include "dkim_fixture.h"
#include <opendkim/dkim.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT_MAX 65536

static EVP_PKEY *pair;
static char *pem;
static DKIM_LIB *signer;

static int set_up(void **state)
{
    (void)state;
    fixture_begin();
    unsigned char *der = NULL;
    char base64[2048];
    pair = EVP_RSA_gen(2048);
    int len = i2d_PUBKEY(pair, &der);
    EVP_EncodeBlock((unsigned char *)base64, der, len);
    OPENSSL_free(der);
    fixture_add_row("s._domainkey.d.example", DNS_ANSWER, arena_printf(fixture_arena, "v=DKIM1; p=%s", base64));
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey_traditional(bio, pair, NULL, NULL, 0, NULL, NULL);
    char *text;
    long size = BIO_get_mem_data(bio, &text);
    pem = arena_spandup(fixture_arena, (struct span){text, (size_t)size});
    BIO_free(bio);
    uint64_t now = FIXTURE_NOW - 60;
    signer = dkim_init(NULL, NULL);
    assert_non_null(signer);
    dkim_options(signer, DKIM_OP_SETOPT, DKIM_OPTS_FIXEDTIME, &now, sizeof now);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    dkim_close(signer);
    EVP_PKEY_free(pair);
    fixture_end();
    return 0;
}

struct text { /* may hold NUL */
    char bytes[TEXT_MAX];
    size_t len;
};

static void add(struct text *text, const char *bytes, size_t len)
{
    assert_true(text->len + len < TEXT_MAX);
    memcpy(text->bytes + text->len, bytes, len);
    text->len += len;
    text->bytes[text->len] = '\0';
}

static void check(const char *what, const struct text *text, const char *expected)
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

/* ---- signed by libopendkim ---- */

/* The end of the field that begins at P: behind its CRLF. */
static const char *end_of_field(const char *p)
{
    do
        p = strstr(p, "\r\n") + 2;
    while (*p == ' ' || *p == '\t');
    return p;
}

/* HEADER (fields, each with its CRLF) and BODY, with a signature on top. CANON: 0 to 3, header relaxed + 2 * body
 * relaxed. */
static void sign(const char *header, const char *body, size_t body_len, unsigned canon, ssize_t length,
                 struct text *out)
{
    DKIM_STAT status;
    unsigned char *field;
    size_t len;
    DKIM *dkim = dkim_sign(signer, (const unsigned char *)"id", NULL, (dkim_sigkey_t)pem, (const unsigned char *)"s",
                           (const unsigned char *)"d.example", canon & 1 ? DKIM_CANON_RELAXED : DKIM_CANON_SIMPLE,
                           canon & 2 ? DKIM_CANON_RELAXED : DKIM_CANON_SIMPLE, DKIM_SIGN_RSASHA256, length, &status);
    assert_non_null(dkim);
    if (length >= 0)
        dkim_setpartial(dkim, true);
    for (const char *p = header, *end; *p; p = end) {
        end = end_of_field(p);
        assert_int_equal(dkim_header(dkim, (unsigned char *)p, (size_t)(end - p - 2)), DKIM_STAT_OK);
    }
    assert_int_equal(dkim_eoh(dkim), DKIM_STAT_OK);
    if (body_len > 0)
        assert_int_equal(dkim_body(dkim, (unsigned char *)body, body_len), DKIM_STAT_OK);
    if (body_len > 0 && (body_len < 2 || memcmp(body + body_len - 2, "\r\n", 2) != 0))
        dkim_body(dkim, (unsigned char *)"\r\n", 2); /* or it refuses to sign */
    assert_int_equal(dkim_eom(dkim, NULL), DKIM_STAT_OK);
    assert_int_equal(dkim_getsighdr_d(dkim, strlen("DKIM-Signature: "), &field, &len), DKIM_STAT_OK);
    out->len = 0;
    add(out, "DKIM-Signature: ", 16);
    add(out, (char *)field, len);
    add(out, "\r\n", 2);
    add(out, header, strlen(header));
    add(out, "\r\n", 2);
    add(out, body, body_len);
    dkim_free(dkim);
}

static const char plain[] = "From: A <a@d.example>\r\nTo: b@e.example\r\nSubject: s\r\nDate: today\r\n";

static const char *const headers[] = {
    plain,
    "from : a@d.example\r\nTO:b@e.example\r\nSubject:\r\n",
    "From:  A\r\n\t(refolded\r\n   twice)  \t<a@d.example>\t \r\nTo:\tb@e.example,\r\n c@e.example \r\nSubject: a "
    "\tb\r\n",
    "Subject: one\r\nFrom: a@d.example\r\nSubject: two\r\nTo: b@e.example\r\nSubject: three\r\nTo: c@e.example\r\n",
    "From: =?x?= \xe4\xf6\xfc\xff <a@d.example>\r\nSubject: \xc3\xa4\r\nTo: \x01\x7f\r\n",
    "From: a@d.example\r\nSubject: \r\n \r\n\t\r\nTo:  \r\n  b@e.example\r\n",
};

static const struct {
    const char *bytes;
    size_t len;
} bodies[] = {
#define BODY(text)                                                                                                     \
    {                                                                                                                  \
        text, sizeof(text) - 1                                                                                         \
    }
    BODY(""),
    BODY("\r\n"),
    BODY("\r\n\r\n\r\n\r\n"),
    BODY("Hello,\r\n\r\nthere.\r\n"),
    BODY("no CRLF at the end"),
    BODY(" \t \r\n \r\n"),
    BODY(" leading, trailing \t \r\n\t\ttabs\tand  blanks \r\n\r\n\r\n"),
    BODY("8-bit \xe4\xf6\xfc\x80\xff\r\n\x01\x1f\x7f\r\n"),
    BODY("\r\n\r\nblank lines before\r\n \r\nand within\r\n\t\r\n \t"),
    BODY(".\r\n..\r\n"),
};

static void what_libopendkim_signs(void **state)
{
    (void)state;
    struct text text;
    for (size_t h = 0; h < sizeof headers / sizeof *headers; h++) {
        for (size_t b = 0; b < sizeof bodies / sizeof *bodies; b++) {
            for (unsigned canon = 0; canon < 4; canon++) {
                sign(headers[h], bodies[b].bytes, bodies[b].len, canon, -1, &text);
                check("signed", &text, "pass s");
                add(&text, ".", 1);
                check("body longer", &text, "fail s (body hash did not verify)");
            }
        }
        for (unsigned canon = 0; canon < 4; canon++) {
            sign(headers[h], "Hi.\r\n", 5, canon, -1, &text);
            char *from = memmem(text.bytes, text.len, "d.example>", 10);
            if (!from)
                from = strrchr(text.bytes, '@'); /* the last address of the header */
            from[1] = 'z';
            check("header changed", &text, "fail s (signature did not verify)");
        }
    }
}

static void lengths(void **state)
{
    (void)state;
    static const char body[] = "One  line. \r\n\r\nTwo lines.\r\n\r\n\r\n";
    for (unsigned canon = 0; canon < 4; canon++) {
        struct text text;
        for (ssize_t length = 0; length < 32; length++) {
            char what[32];
            ssize_t whole = canon & 2 ? 25 : 27;
            snprintf(what, sizeof what, "canon %u, l=%zd", canon, length);
            sign(plain, body, sizeof body - 1, canon, length, &text);
            /* libopendkim writes what there is into l= */
            check(what, &text, length < whole ? "pass s partial not counted" : "pass s");
            add(&text, "\r\nmore\r\n", 8);
            check(what, &text, "pass s partial not counted");
        }
        sign(plain, "", 0, canon, 0, &text);
        check("l=0 of nothing", &text, canon & 2 ? "pass s" : "pass s partial not counted");
    }
}

static unsigned roll(unsigned sides)
{
    static uint64_t seed = 88172645463325252u;
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 11) % sides;
}

/* What libopendkim says: in small pieces it stumbles over l= among empty lines and over bare CRs. */
static const char *in_one_piece(const struct text *text)
{
    return fixture_verify_once(text->bytes, text->len, TEXT_MAX, &fixture_options, VERIFIER_LIBOPENDKIM, NULL);
}

/* Bodies of all sorts, and then one octet changed: libopendkim is asked what is right. */
static void random_bodies(void **state)
{
    (void)state;
    static const char *const tokens[] = {"\r\n", "\r\n", "\r\n\r\n", " ", "\t", "  ", "a", "word", "\xff", "\xff\x01"};
    int passed = 0;
    for (int i = 0; i < 250; i++) {
        struct text body = {.len = 0}, text;
        unsigned count = roll(40);
        for (unsigned n = 0; n < count; n++) {
            const char *token = tokens[roll(10)];
            add(&body, token, strlen(token));
        }
        sign(headers[roll(6)], body.bytes, body.len, (unsigned)i % 4, roll(3) ? -1 : (ssize_t)roll(40), &text);
        const char *passes = fixture_verify(text.bytes, text.len, &fixture_options, VERIFIER_BUILTIN);
        assert_memory_equal(passes, "pass s", 6);
        assert_string_equal(passes, in_one_piece(&text));
        if (body.len == 0)
            continue;
        text.bytes[text.len - 1 - roll((unsigned)body.len)] = " \tab\n"[roll(5)];
        const char *ours = fixture_verify(text.bytes, text.len, &fixture_options, VERIFIER_BUILTIN);
        const char *its = in_one_piece(&text);
        if (strstr(its, "holds a bare"))
            continue; /* whatever is signed: see dkim_libopendkim.c */
        if (strncmp(ours, its, 4) != 0)
            print_message("%s, %s\n%.*s\n", ours, its, (int)text.len, text.bytes);
        assert_memory_equal(ours, its, 4);
        passed += strncmp(ours, "pass", 4) == 0;
    }
    assert_true(passed > 20 && passed < 230);
}

/* ---- signed by hand ---- */

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
            add(&name_text, (char[]){c >= 'A' && c <= 'Z' ? (char)(c + 32) : c}, 1);
    }
    for (size_t i = name + 1; i < field->len; i++) {
        char c = field->bytes[i] == '\t' ? ' ' : field->bytes[i];
        if (c == '\r' || c == '\n' || (c == ' ' && (value.len == 0 || value.bytes[value.len - 1] == ' ')))
            continue;
        add(&value, &c, 1);
    }
    if (value.len > 0 && value.bytes[value.len - 1] == ' ')
        value.len--;
    add(out, name_text.bytes, name_text.len);
    add(out, ":", 1);
    add(out, value.bytes, value.len);
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
            add(&whole, text, strlen(text));
        else
            add(&whole, p, 1);
    }
    char *open = strchr(whole.bytes, '['), *at = strchr(whole.bytes, '@'), *close = strchr(whole.bytes, ']');
    add(&bare, whole.bytes, (size_t)(open - whole.bytes));
    add(&bare, close + 1, strlen(close + 1));
    for (const char *p = signed_fields, *end; *p; p = end) {
        struct text one = {.len = 0};
        end = end_of_field(p);
        add(&one, p, (size_t)(end - p - 2));
        if (is_relaxed)
            relax(&one, &input);
        else
            add(&input, one.bytes, one.len);
        add(&input, "\r\n", 2);
    }
    if (is_relaxed)
        relax(&bare, &input);
    else
        add(&input, bare.bytes, bare.len);
    digest(input.bytes, input.len, hash);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(pair, NULL);
    EVP_PKEY_sign_init(context);
    EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING);
    EVP_PKEY_CTX_set_signature_md(context, EVP_sha256());
    assert_int_equal(EVP_PKEY_sign(context, signature, &len, hash, 32), 1);
    EVP_PKEY_CTX_free(context);
    EVP_EncodeBlock((unsigned char *)b, signature, 256);
    out->len = 0;
    add(out, whole.bytes, (size_t)(open - whole.bytes));
    add(out, open + 1, (size_t)(at - open - 1));
    bool is_folded = open[1] == '\r';
    for (size_t i = 0; b[i]; i++) {
        if (is_folded && i % 20 == 19)
            add(out, "\r\n\t ", 4);
        add(out, b + i, 1);
    }
    add(out, at + 1, (size_t)(close - at - 1));
    add(out, close + 1, strlen(close + 1));
    add(out, "\r\n", 2);
    add(out, header, strlen(header));
    add(out, "\r\n", 2);
    add(out, body, strlen(body));
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
            check(table[i].field, &text, table[i].expected);
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
    check("as signed", &text, "pass s | " BAD);
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
    check("b= folded", &text, "pass s | " BAD);
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
            check(table[i].h, &text, table[i].expected);
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
    check("bare CR", &text, "pass s | fail s (body hash did not verify)");
    sign_by_hand("DKIM-Signature: " TAGS " b=[@]", "simple/simple", from, from, "Hi.\r\n", &text);
    add(&text, "\r\r\n", 3);
    assert_string_equal(fixture_verify(text.bytes, text.len, &fixture_options, VERIFIER_BUILTIN),
                        "fail s (body hash did not verify)");
    assert_string_equal(in_one_piece(&text), "fail s (the body holds a bare CR)");
    text.len -= 3;
    add(&text, "\n\r\n\n\n\r\n", 7);
    check("lines of LF", &text, "fail s (body hash did not verify) | fail s (the body holds a bare LF)");
    sign_by_hand("DKIM-Signature: " TAGS " b=[@]", "simple/simple", from, from, "a bare\nLF\r\n", &text);
    check("bare LF, simple", &text, "pass s | fail s (the body holds a bare LF)");
    sign_by_hand("DKIM-Signature: " TAGS " b=[@]", "relaxed/relaxed", from, from, "a bare\nLF\r\n", &text);
    check("bare LF, relaxed", &text, "pass s");
    char *long_line = malloc(40000);
    memset(long_line, 'x', 40000);
    memcpy(long_line + 39997, "\r\n", 3);
    sign_by_hand("DKIM-Signature: " TAGS " b=[@]", "relaxed/relaxed", from, from, long_line, &text);
    check("long line", &text, "pass s");
    free(long_line);
    /* x= by the time of the message, which is years ago */
    snprintf(field, sizeof field, "DKIM-Signature: " TAGS " t=%d; x=%d; b=[@]", FIXTURE_NOW - 10, FIXTURE_NOW + 10);
    sign_by_hand(field, "simple", from, from, "Hi.\r\n", &text);
    check("x= in the past", &text, "pass s | permerror s (signature expired)");
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
        cmocka_unit_test(what_libopendkim_signs),
        cmocka_unit_test(lengths),
        cmocka_unit_test(random_bodies),
        cmocka_unit_test(where_b_may_stand),
        cmocka_unit_test(every_octet_is_signed),
        cmocka_unit_test(which_fields),
        cmocka_unit_test(where_libopendkim_is_wrong),
        cmocka_unit_test(a_large_header),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
