/* The verifier, on messages that dkimpy has signed (data/generate.py), changed in all the ways that matter, with keys
 * from the fake dns. Each is fed in pieces of several sizes, to both engines. */
#include "unit.h"

#include "dkim_fixture.h"
#include <stdio.h>
#include <stdlib.h>

static char *read_file(const char *directory, const char *name, size_t *len)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *in = fopen(path, "rb");
    if (!in)
        return NULL;
    char *text = malloc(1 << 20);
    *len = fread(text, 1, (1 << 20) - 1, in);
    text[*len] = '\0';
    fclose(in);
    return text;
}

static const char data[] = TEST_SRCDIR "/tests/unit/auth/data";

/* Test data from elsewhere lies beside the source, if at all. */
static char *read_suite(const char *name, size_t *len)
{
    const char *const directories[] = {getenv("POSTERN_SUITES"), TEST_SRCDIR "/../shared/suites",
                                       TEST_SRCDIR "/../../shared/suites"};
    char *text = NULL;
    for (size_t i = 0; i < 3 && !text; i++)
        text = directories[i] ? read_file(directories[i], name, len) : NULL;
    return text;
}

static void add_keys(char *text)
{
    char *next = text, *line;
    while (text && (line = strsep(&next, "\n"))) {
        char *blank = strchr(line, ' ');
        if (!blank || strchr(line, '('))
            continue;
        *blank = '\0';
        fixture_add_row(line, DNS_ANSWER, blank + 1);
    }
    free(text);
}

static const char *key_of(const char *name)
{
    for (size_t i = 0; i < fixture_row_count; i++) {
        if (strcmp(fixture_rows[i].name, name) == 0)
            return fixture_rows[i].text;
    }
    return NULL;
}

static int set_up(void **state)
{
    (void)state;
    fixture_begin();
    size_t len;
    add_keys(read_file(data, "keys.txt", &len));
    add_keys(read_suite("dkim/keys.txt", &len));
    const char *big = key_of("big._domainkey.example.com");
    assert_non_null(big);
    fixture_add_row("slow._domainkey.example.com", DNS_TIMEOUT, NULL);
    fixture_add_row("broken._domainkey.example.com", DNS_SERVFAIL, NULL);
    fixture_add_row("double._domainkey.example.com", DNS_ANSWER, big);
    fixture_add_row("double._domainkey.example.com", DNS_ANSWER, big);
    fixture_add_row("mixed._domainkey.example.com", DNS_ANSWER, "v=spf1 -all");
    fixture_add_row("mixed._domainkey.example.com", DNS_ANSWER, big);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_end();
    return 0;
}

/* FILE with the first FROM in it replaced by TO, both of any bytes but NUL. */
static char *edited(const char *file, const char *from, const char *to, size_t *len)
{
    char name[64];
    snprintf(name, sizeof name, "%s.eml", file);
    char *text = read_file(data, name, len);
    assert_non_null(text);
    if (from) {
        char *at = memmem(text, *len, from, strlen(from));
        assert_non_null(at);
        memmove(at + strlen(to), at + strlen(from), (size_t)(text + *len - at) - strlen(from));
        memcpy(at, to, strlen(to));
        *len += strlen(to) - strlen(from);
    }
    return text;
}

struct row {
    const char *file, *from, *to;
    const char *expected; /* where libopendkim says something else, that stands behind " | " */
};

static void play(const struct row *table, size_t count)
{
    for (size_t i = 0; i < 2 * count; i++) {
        const struct row *row = &table[i / 2];
        enum verifier_engine_name engine = i % 2 ? VERIFIER_LIBOPENDKIM : VERIFIER_BUILTIN;
        const char *bar = strstr(row->expected, " | "), *expected = row->expected;
        if (bar)
            expected = engine == VERIFIER_LIBOPENDKIM
                           ? bar + 3
                           : arena_spandup(fixture_arena, (struct span){expected, (size_t)(bar - expected)});
        size_t len;
        char *text = edited(row->file, row->from, row->to, &len);
        const char *got = fixture_verify(text, len, &fixture_options, engine);
        if (strcmp(got, expected) != 0)
            print_message("%s, %s -> %s, engine %d: %s\n", row->file, row->from ? row->from : "",
                          row->to ? row->to : "", engine, got);
        assert_string_equal(got, expected);
        free(text);
    }
}

#define PLAY(table) play(table, sizeof table / sizeof *table)

static const char bad_signature[] = "fail big (signature did not verify)",
                  one_from[] = "permerror big (h= does not cover every From field)",
                  bad_body[] = "fail big (body hash did not verify)";

static void as_signed(void **state)
{
    (void)state;
    static const struct row table[] = {
        {"simple-simple", NULL, NULL, "pass big"},
        {"relaxed-relaxed", NULL, NULL, "pass big"},
        {"simple-relaxed", NULL, NULL, "pass big"},
        {"relaxed-simple", NULL, NULL, "pass big"},
        {"8bit-simple", NULL, NULL, "pass big"},
        {"8bit-relaxed", NULL, NULL, "pass big"},
        {"empty-simple", NULL, NULL, "pass big"},
        {"empty-relaxed", NULL, NULL, "pass big"},
        {"ed25519", NULL, NULL, "pass edward"},
        {"two", NULL, NULL, "pass edward; pass big"},
        {"rsa1024", NULL, NULL, "pass small"},
        {"expires", NULL, NULL, "pass big"},
        {"strict-same", NULL, NULL, "pass strict"},
        {"loose-sub", NULL, NULL, "pass big"},
        {"oversigned", NULL, NULL, "pass big"},
        {"outer", NULL, NULL, "pass big; pass small"},
        {"foreign", NULL, NULL, "pass big"},
        {"four", NULL, NULL, "pass big; pass big; pass big; pass big"},
        {"relaxed-relaxed", "==\r\nFrom:", "==\r\n  Abcd==\r\nFrom:", "pass big"}, /* as opendkim folds */
        {"key-spaced", NULL, NULL, "pass spaced"},
        {"key-mixed", NULL, NULL, "pass mixed"},
        {"length-simple", NULL, NULL, "pass big"},
        {"length-relaxed", NULL, NULL, "pass big"},
    };
    PLAY(table);
}

static void changed_on_the_way(void **state)
{
    (void)state;
    const struct row table[] = {
        /* one byte */
        {"simple-simple", "Joe.", "Jon.", bad_body},
        {"relaxed-relaxed", "Joe.", "Jon.", bad_body},
        {"8bit-simple", "h\xfcngrig", "h\xfcngris", bad_body},
        {"simple-simple", "joe@example.com", "jon@example.com", bad_signature},
        {"relaxed-relaxed", "joe@example.com", "jon@example.com", bad_signature},
        {"ed25519", "Joe.", "Jon.", "fail edward (body hash did not verify)"},
        {"ed25519", "<1@", "<2@", "fail edward (signature did not verify)"},
        {"relaxed-relaxed", "q=dns/txt;", "q=dns/txt; z=a;", bad_signature},
        /* white space and folds */
        {"simple-simple", "dinner\r\n\tready", "dinner ready", bad_signature},
        {"relaxed-relaxed", "dinner\r\n\tready", "dinner ready", "pass big"},
        {"simple-simple", "From: Joe", "From:  Joe", bad_signature},
        {"simple-simple", "From: Joe", "From:Joe", bad_signature},
        {"relaxed-relaxed", "From: Joe", "FROM : \r\n \tJoe", "pass big"},
        {"simple-relaxed", "From: Joe", "From:  Joe", bad_signature},
        {"simple-simple", "We  lost", "We lost", bad_body},
        {"relaxed-relaxed", "We  lost", "We lost", "pass big"},
        {"simple-relaxed", "We  lost", "We \t lost", "pass big"},
        {"relaxed-simple", "We  lost", "We lost", bad_body},
        {"relaxed-relaxed", "We  lost", "Welost", bad_body},
        /* the end of the body */
        {"simple-simple", "Joe.\r\n\r\n\r\n", "Joe.\r\n", "pass big"},
        {"relaxed-relaxed", "Joe.\r\n\r\n\r\n", "Joe.\r\n\r\n\r\n\r\n", "pass big"},
        {"simple-simple", "Joe.\r\n\r\n\r\n", "Joe.", "pass big"},
        {"relaxed-relaxed", "Joe.\r\n\r\n\r\n", "Joe.", "pass big"},
        {"relaxed-relaxed", "Joe.\r\n\r\n\r\n", "Joe. \t ", "pass big"},
        {"simple-simple", "Joe.\r\n\r\n\r\n", "Joe.\r\nPS\r\n", bad_body},
        {"empty-simple", "Message-ID", "Message-ID", "pass big"},
        /* more fields */
        {"relaxed-relaxed", "From:", "X-A: b\r\nFrom:", "pass big"},
        {"relaxed-relaxed", "Message-ID:", "Subject: other\r\nMessage-ID:", bad_signature},
        {"relaxed-relaxed", "From: Joe", "Subject: other\r\nFrom: Joe", "pass big"},
        {"oversigned", "From: Joe", "Subject: other\r\nFrom: Joe", bad_signature},
        {"oversigned", "From: Joe", "Reply-To: x@y.example\r\nFrom: Joe", bad_signature},
        {"oversigned", "From: Joe", "FROM: boss@example.com\r\nFrom: Joe", bad_signature},
        {"relaxed-relaxed", "From: Joe", "From: boss@example.com\r\nFrom: Joe", one_from},
        {"relaxed-relaxed", "DKIM-Signature", "from : boss@example.com\r\nDKIM-Signature", one_from},
        {"relaxed-relaxed", "\r\n\r\n", "\r\nFrom: boss@example.com\r\n\r\n", one_from},
        {"simple-simple", "From: Joe", "FROM:\r\nFrom: Joe", one_from},
        {"ed25519", "From: Joe", "From: boss@evil.example\r\nFrom: Joe", "permerror edward (h= does not cover every From field)"},
        /* both at once: one signature of a lower one */
        {"outer", "s=small", "s=smell", "fail big (signature did not verify); permerror smell (no key for signature)"},
        {"two", "Joe.", "Jon.", "fail edward (body hash did not verify); fail big (body hash did not verify)"},
    };
    PLAY(table);
}

static void bytes_that_no_mail_should_hold(void **state)
{
    (void)state;
    static const char spoilt[] = "permerror big (a signed field holds bytes that no field may hold)";
    const struct row table[] = {
        {"relaxed-relaxed", "Is dinner", "Is\rdinner", spoilt},
        {"simple-simple", "Is dinner", "Is dinner\r", spoilt},
        {"relaxed-relaxed", "From: Joe", "From: evil\r@example.com\r\nFrom: Joe", one_from},
        {"relaxed-relaxed", "From: Joe", "X-A: \rb\r\nFrom: Joe", "pass big"},
        {"relaxed-relaxed", "From: Joe", "X;A: b\r\nFrom: Joe", "pass big"},
        {"relaxed-relaxed", "From: Joe", ": b\r\nFrom: Joe", "pass big"},
        {"relaxed-relaxed", "From: Joe", "\xff: b\r\nFrom: Joe", "pass big"},
        {"relaxed-relaxed", "lost the", "lost\r the", "fail big (body hash did not verify) | fail big (the body holds a bare CR)"},
        {"relaxed-relaxed", "lost the", "lost\n the", bad_body},
        {"simple-simple", "lost the", "lost\r the", bad_body},
        {"simple-simple", "Joe.\r\n\r\n\r\n", "Joe.\r", bad_body},
    };
    PLAY(table);
    /* a copy of the signature, in front of it, that the library does not take: same b=, without the l= of the right
     * one */
    size_t len;
    char *text = edited("length-relaxed", "Joe.\r\n\r\n\r\n", "Joe.\r\nBuy this!\r\n", &len);
    char *field = text, *stop = strstr(text, "\r\nFrom:") + 2, *twice = malloc(2 * len + 8), *to = twice;
    assert_memory_equal(field, "DKIM-Signature:", 15);
    for (const char *p = field; p < stop; p++) {
        if (strncmp(p, " l=", 3) == 0)
            p += 2 + strcspn(p + 2, ";") + 1;
        *to++ = *p;
        if (*p == ';' && to[-2] == '1') { /* behind v=1; */
            *to++ = '\r';
            *to++ = ' ';
        }
    }
    memcpy(to, text, len);
    assert_string_equal(fixture_verify_both(twice, (size_t)(to - twice) + len, &fixture_options),
                        "pass big partial not counted; permerror big (the signature holds bytes that no field may hold)");
    free(text);
    free(twice);
    text = edited("relaxed-relaxed", "Is dinner", "Is@dinner", &len);
    *(char *)memchr(strstr(text, "Is@"), '@', 3) = '\0';
    assert_string_equal(fixture_verify_both(text, len, &fixture_options), spoilt);
    free(text);
}

static void what_is_wrong_with_the_signature(void **state)
{
    (void)state;
    const struct row table[] = {
        {"sha1", NULL, NULL, "permerror big (SHA-1 is too weak)"},
        {"rsa512", NULL, NULL, "policy tiny (the key has 512 bits, fewer than 1024)"},
        {"future", NULL, NULL, "permerror big (the signature is of the future)"},
        {"strict-sub", NULL, NULL, "permerror strict (the key is not for subdomains)"},
        {"relaxed-relaxed", "v=1", "v=2", "permerror big (v= is not 1)"},
        {"relaxed-relaxed", "v=1; ", "", "permerror big (v= is missing)"},
        {"relaxed-relaxed", "a=rsa-sha256", "a=rsa-md5", "permerror big (a= is no known algorithm)"},
        {"relaxed-relaxed", "c=relaxed/relaxed", "c=nofws", "permerror big (c= is no known canonicalization)"},
        {"relaxed-relaxed", "d=example.com", "d=example.com(.attacker.com", "permerror  (d= is no domain name)"},
        {"relaxed-relaxed", "d=example.com", "d=", "permerror  (d= is no domain name)"},
        {"relaxed-relaxed", "d=example.com", "d=exam ple.com", "permerror  (d= is no domain name)"},
        {"relaxed-relaxed", "d=example.com", "d=192.0.2.1", "permerror  (d= is no domain name)"},
        {"relaxed-relaxed", "d=example.com", "d=k\xc3\xa4se.example", "permerror  (a byte that may not stand there)"},
        {"relaxed-relaxed", "i=@example.com", "i=@example.org", "permerror big (the domain of i= is not within d=)"},
        {"relaxed-relaxed", "i=@example.com", "i=@notexample.com", "permerror big (the domain of i= is not within d=)"},
        {"relaxed-relaxed", "i=@example.com", "i=example.com", "permerror big (i= is no identity)"},
        {"relaxed-relaxed", "i=@example.com", "i=a=@example.com", "permerror big (i= is no identity)"},
        {"relaxed-relaxed", "s=big", "s=", "permerror  (s= is no selector)"},
        {"relaxed-relaxed", "s=big", "s=a..b", "permerror  (s= is no selector)"},
        {"relaxed-relaxed", "s=big", "s=a(b", "permerror  (s= is no selector)"},
        {"relaxed-relaxed", "s=big", "s=big; s=big", "permerror big (a tag twice)"},
        {"relaxed-relaxed", "q=dns/txt", "q=http", "permerror big (q= is no known way to the key)"},
        {"relaxed-relaxed", "t=1700000000", "t=soon", "permerror big (t= is no time)"},
        {"relaxed-relaxed", "t=1700000000", "t=1700000000; x=1600000000", "permerror big (x= is not after t=)"},
        {"relaxed-relaxed", "t=1700000000", "t=1600000000; x=1600000060", "permerror big (the signature has expired)"},
        {"relaxed-relaxed", "t=1700000000", "t=1700000000; l=-1", "permerror big (l= is no length)"},
        {"relaxed-relaxed", "t=1700000000", "t=1700000000; l=99999", "permerror big (l= is larger than the body)"},
        {"relaxed-relaxed", "h=from", "h=x-from", "permerror big (h= does not name From)"},
        {"relaxed-relaxed", "h=from", "h=from::", "permerror big (h= is no list of field names)"},
        {"relaxed-relaxed", "bh=", "bh=!", "permerror big (bh= is no base64)"},
        {"relaxed-relaxed", "bh=", "bx=", "permerror big (bh= is missing)"},
        {"relaxed-relaxed", "\r\n b=", "\r\n b=!", "permerror big (b= is no base64)"},
        {"rsa512", "==", "==!", "permerror tiny (b= is no base64)"},
        {"relaxed-relaxed", "\r\n b=", "\r\n bb=", "permerror big (b= is missing)"},
        {"relaxed-relaxed", "; d=", "; ; d=", "permerror  (a tag without a value)"},
        {"relaxed-relaxed", "; d=", "; =x; d=", "permerror  (a malformed tag)"},
        {"relaxed-relaxed", "DKIM-Signature:", "X-Signature:", "none"},
        {"self", NULL, NULL, bad_signature},
    };
    PLAY(table);
}

static void what_is_wrong_with_the_key(void **state)
{
    (void)state;
    const struct row table[] = {
        {"key-absent", NULL, NULL, "permerror absent (no key for signature)"},
        {"key-revoked", NULL, NULL, "permerror revoked (the key is revoked)"},
        {"key-notmail", NULL, NULL, "permerror notmail (the key is not for mail)"},
        {"key-sha1only", NULL, NULL, "permerror sha1only (the key is not for SHA-256)"},
        {"key-wrong", NULL, NULL, "fail wrong (signature did not verify)"},
        {"key-notype", NULL, NULL, "permerror notype (the key is of an unknown type)"},
        {"key-nokey", NULL, NULL, "permerror nokey (the key record holds no key)"},
        {"key-late", NULL, NULL, "permerror late (the key record does not begin with its version)"},
        {"key-swapped", NULL, NULL, "permerror swapped (the key is of another type than the signature)"},
        {"key-double", NULL, NULL, "permerror double (several key records)"},
        {"key-slow", NULL, NULL, "temperror slow (the key cannot be had now: timeout)"},
        {"key-broken", NULL, NULL, "temperror broken (the key cannot be had now: servfail)"},
    };
    PLAY(table);
}

static void a_part_of_the_body(void **state)
{
    (void)state;
    static const char *const files[] = {"length-simple", "length-relaxed"};
    struct verifier_options lenient = fixture_options;
    lenient.allow_l = true;
    for (size_t i = 0; i < 2; i++) {
        size_t len;
        char *text = edited(files[i], "Joe.\r\n\r\n\r\n", "Joe.\r\nBuy this!\r\n", &len);
        assert_string_equal(fixture_verify_both(text, len, &fixture_options), "pass big partial not counted");
        assert_string_equal(fixture_verify_both(text, len, &lenient), "pass big partial");
        free(text);
        text = edited(files[i], "Joe.\r\n\r\n\r\n", "Joe.\r\n\r\n", &len);
        assert_string_equal(fixture_verify_both(text, len, &fixture_options), "pass big"); /* blank lines are nobody's */
        free(text);
        text = edited(files[i], "\r\n\r\nHi.", "\r\n\r\nHo.", &len);
        assert_string_equal(fixture_verify_both(text, len, &fixture_options), bad_body);
        free(text);
    }
}

static void the_clock(void **state)
{
    (void)state;
    struct verifier_options exact = fixture_options;
    exact.clock_drift = 0;
    size_t len;
    char *text = edited("expired", NULL, NULL, &len);
    assert_string_equal(fixture_verify_both(text, len, &exact), "permerror big (the signature has expired)");
    free(text);
    struct verifier_options demanding = fixture_options;
    demanding.min_key_bits = 2048;
    text = edited("rsa1024", NULL, NULL, &len);
    assert_string_equal(fixture_verify_both(text, len, &demanding), "policy small (the key has 1024 bits, fewer than 2048)");
    free(text);
    struct verifier_options lenient = fixture_options; /* more lenient than RFC 8301 allows */
    lenient.min_key_bits = 512;
    text = edited("rsa512", NULL, NULL, &len);
    assert_string_equal(fixture_verify_both(text, len, &lenient), "policy tiny (the key has 512 bits, fewer than 1024)");
    free(text);
}

static void many_signatures(void **state)
{
    (void)state;
    size_t len;
    struct verifier_options few = fixture_options;
    few.max_signatures = 2;
    char *text = edited("twenty", NULL, NULL, &len), *flood = malloc(1 << 20), *to = flood;
    const char *log;
    for (int i = 0; i < 1000; i++)
        to += sprintf(to, "DKIM-Signature: v=1; a=rsa-sha256; d=d%d.example; s=s; h=from; bh=YWFh; b=YWFh\r\n", i);
    to += sprintf(to, "From: a@d1.example\r\n\r\nHi.\r\n");
    for (size_t e = 0; e < 2; e++) {
        assert_string_equal(fixture_verify_once(text, len, 1000, &few, fixture_engines[e], &log), "pass big; pass big");
        /* the two of the From domain and below it, though they are last */
        assert_non_null(strstr(log, "big._domainkey.example.com TXT"));
        assert_non_null(strstr(log, "big._domainkey.mail.example.com TXT"));
        assert_null(strstr(log, "other.example"));
        /* a thousand, none of them right: bounded work */
        const char *got = fixture_verify_once(flood, (size_t)(to - flood), 1000, &fixture_options, fixture_engines[e], &log);
        assert_memory_equal(got, "permerror s (no key for signature); ", 36);
        size_t asked = 0;
        for (const char *p = log; (p = strstr(p, " TXT")); p++)
            asked++;
        assert_true(asked <= 16); /* eight, each started and waited for */
    }
    assert_string_equal(fixture_verify_both(text, len, &fixture_options),
                        "pass big; pass big; pass big; pass big; pass big; pass big; pass big; pass big");
    free(text);
    free(flood);
}

static void what_is_never_asked(void **state)
{
    (void)state;
    size_t len;
    const char *log;
    char *text = edited("relaxed-relaxed", "d=example.com", "d=example.com(.attacker.com", &len);
    for (size_t e = 0; e < 2; e++) {
        fixture_verify_once(text, len, 1000, &fixture_options, fixture_engines[e], &log);
        assert_string_equal(log, "");
    }
    free(text);
}

static void a_line_without_end(void **state)
{
    (void)state;
    size_t len, at;
    char *text = edited("relaxed-relaxed", NULL, NULL, &len), *large = malloc(len + (1 << 20));
    at = (size_t)(strstr(text, "Hi.") - text);
    memcpy(large, text, at);
    memset(large + at, 'x', 1 << 20);
    memcpy(large + at + (1 << 20), text + at, len - at);
    assert_string_equal(fixture_verify_once(large, len + (1 << 20), 60000, &fixture_options, VERIFIER_LIBOPENDKIM, NULL),
                        "permerror big (a line of the body is too long)");
    assert_string_equal(fixture_verify_once(large, len + (1 << 20), 60000, &fixture_options, VERIFIER_BUILTIN, NULL), bad_body);
    free(large);
    free(text);
}

/* Every field of the message is signed and h= names one more: what made libopendkim write past its array. */
static void more_names_than_fields(void **state)
{
    (void)state;
    for (int extra = 0; extra < 8; extra++) {
        char text[1024], *to = text;
        to +=
            sprintf(to, "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=big; bh=YWFh; b=YWFh; "
                        "h=from:dkim-signature:a:b:c:d:e:f:g:from:from:from:from:from:from\r\nFrom: a@example.com\r\n");
        for (int i = 0; i < extra; i++)
            to += sprintf(to, "%c: x\r\n", 'a' + i);
        to += sprintf(to, "\r\nHi.\r\n");
        assert_string_equal(fixture_verify_both(text, (size_t)(to - text), &fixture_options), bad_signature);
    }
}

/* A message of the suites with CRLF at the ends of its lines; NULL: not there. */
static char *message_of_suite(const char *name, size_t *len)
{
    char *raw = read_suite(name, len), *text = raw ? malloc(2 * *len) : NULL, *to = text;
    for (size_t i = 0; raw && i < *len; i++) {
        if (raw[i] == '\n')
            *to++ = '\r';
        *to++ = raw[i];
    }
    *len = (size_t)(to - text);
    free(raw);
    return text;
}

static void the_message_of_rfc_8463(void **state)
{
    (void)state;
    size_t len;
    char *text = message_of_suite("dkim/rfc8463-signed.eml", &len);
    if (!text || !key_of("brisbane._domainkey.football.example.com")) {
        free(text);
        skip();
    }
    assert_string_equal(fixture_verify_both(text, len, &fixture_options), "pass brisbane; pass test");
    free(text);
}

static void a_domain_that_is_none(void **state)
{
    (void)state;
    size_t len;
    const char *log;
    char *text = message_of_suite("dkim/bad-domain.eml", &len);
    if (!text)
        skip();
    for (size_t e = 0; e < 2; e++) {
        assert_string_equal(fixture_verify_once(text, len, 1000, &fixture_options, fixture_engines[e], &log),
                            "permerror  (d= is no domain name)");
        assert_string_equal(log, "");
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_signed),
        cmocka_unit_test(changed_on_the_way),
        cmocka_unit_test(bytes_that_no_mail_should_hold),
        cmocka_unit_test(what_is_wrong_with_the_signature),
        cmocka_unit_test(what_is_wrong_with_the_key),
        cmocka_unit_test(a_part_of_the_body),
        cmocka_unit_test(the_clock),
        cmocka_unit_test(many_signatures),
        cmocka_unit_test(what_is_never_asked),
        cmocka_unit_test(a_line_without_end),
        cmocka_unit_test(more_names_than_fields),
        cmocka_unit_test(the_message_of_rfc_8463),
        cmocka_unit_test(a_domain_that_is_none),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
