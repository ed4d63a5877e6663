/* memory: one key a sender, whatever hangs around his address, and keys that cannot run into each other. */
#include "unit.h"

#include "autoreply/memory.h"
#include "store/store.h"
#include <stdio.h>
#include <stdlib.h>

static bool own_domain(void *context, const char *domain)
{
    (void)context;
    return strcmp(domain, "own.example") == 0 || strcmp(domain, "xn--bcher-kva.example") == 0;
}

#define LONG_TOKEN "abcdefghijklmnopqrstuvwx"

static const char *long_sender(void *context, struct arena *arena, const char *token)
{
    (void)context;
    (void)arena;
    return strcmp(token, LONG_TOKEN) == 0 ? "Long.Sender@otherdomain.com" : NULL;
}

static const struct memory_ours ours = {own_domain, long_sender, NULL};

#define LONG "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij"
#define UMLAUTS "\xc3\xbc.\xc3\xbc.\xc3\xbc.\xc3\xbc.\xc3\xbc.\xc3\xbc.\xc3\xbc.\xc3\xbc.\xc3\xbc.\xc3\xbc."
#define A_LABELS "xn--tda.xn--tda.xn--tda.xn--tda.xn--tda.xn--tda.xn--tda.xn--tda.xn--tda.xn--tda."

static const struct {
    const char *sender, *expected; /* NULL: no address */
} senders[] = {
    /* case, domains */
    {"Bob@Remote.EXAMPLE", "bob@remote.example"},
    {"bob@remote.example.", "bob@remote.example"},
    {"bob@B\xc3\xbc"
     "cher.example",
     "bob@xn--bcher-kva.example"},
    {"\"bob\"@remote.example", "bob@remote.example"},
    {"\"b o b\"@remote.example", "\"b o b\"@remote.example"},
    {"\"b\\ob\"@remote.example", "bob@remote.example"},
    {"j\xc3\xb6rg@remote.example", "j\xc3\xb6rg@remote.example"},
    {"b..o.b.@remote.example", "\"b..o.b.\"@remote.example"},
    {"bob+tag@remote.example", "bob+tag@remote.example"},
    {"list-bounces+owner=own.example@lists.example", "list-bounces+owner=own.example@lists.example"},
    /* BATV */
    {"prvs=0123456789=bob@remote.example", "bob@remote.example"},
    {"PRVS=0123ABCDEF=Bob@remote.example", "bob@remote.example"},
    {"prvs=9123456789=bob@remote.example", "bob@remote.example"},
    {"prvs=bob/0123456789@remote.example", "bob@remote.example"},
    {"prvs=a/b/0123456789@remote.example", "a/b@remote.example"},
    {"btv1==012345678910==bob@remote.example", "bob@remote.example"},
    {"btv1==012345678910==@remote.example", "btv1==012345678910==@remote.example"},
    {"prvs=abcdefghij=bob@remote.example", "prvs=abcdefghij=bob@remote.example"},
    {"prvs=hello=bob@remote.example", "prvs=hello=bob@remote.example"},
    {"prvs=0123456789=@remote.example", "prvs=0123456789=@remote.example"},
    {"prvs=@remote.example", "prvs=@remote.example"},
    {"prvs@remote.example", "prvs@remote.example"},
    {"prvs=/0123456789@remote.example", "prvs=/0123456789@remote.example"},
    /* SRS of ours, with all separators; that of others is theirs */
    {"SRS0=vmyz=2W=otherdomain.com=test@own.example", "test@otherdomain.com"},
    {"SRS0+vmyz=2W=otherdomain.com=Test@own.example", "test@otherdomain.com"},
    {"srs0-vmyz=2w=OtherDomain.com=test@own.example", "test@otherdomain.com"},
    {"SRS0=+3/5=2W=somedomain.com=hash234@own.example", "hash234@somedomain.com"},
    {"SRS0=vmyz=2W=otherdomain.com=a=b=c@own.example", "a=b=c@otherdomain.com"},
    {"SRS1=JO9m=example.com==vmyz=2W=otherdomain.com=test@own.example", "test@otherdomain.com"},
    {"SRS1+JO9m=example.com=+vmyz=2W=otherdomain.com=test@own.example", "test@otherdomain.com"},
    {"SRS1-JO9m=example.com=-9KJ+=2W=otherdomain.com=test@own.example", "test@otherdomain.com"},
    {"SRS0=vmyz=2W=otherdomain.com=test@b\xc3\xbc"
     "cher.example",
     "test@otherdomain.com"},
    {"SRS0=vmyz=2W=otherdomain.com=test@their.example", "srs0=vmyz=2w=otherdomain.com=test@their.example"},
    {"SRS1=JO9m=example.com==vmyz=2W=otherdomain.com=test@their.example",
     "srs1=jo9m=example.com==vmyz=2w=otherdomain.com=test@their.example"},
    /* the long form: the sender that is kept, or at least nothing that changes from day to day */
    {"SRS0=vmyz=2W==" LONG_TOKEN "@own.example", "long.sender@otherdomain.com"},
    {"srs0+vmyz=2W==ABCDEFGHIJKLMNOPQRSTUVWX@own.example", "long.sender@otherdomain.com"},
    {"SRS0=vmyz=2W==bcdefghijklmnopqrstuvwxy@own.example", "srs0==bcdefghijklmnopqrstuvwxy@own.example"},
    {"SRS0-aaaa=3W==BCDEFGHIJKLMNOPQRSTUVWXY@own.example", "srs0==bcdefghijklmnopqrstuvwxy@own.example"},
    {"SRS0=vmyz=2W==" LONG_TOKEN "y@own.example", "srs0=vmyz=2w==" LONG_TOKEN "y@own.example"},
    {"SRS0=vmyz=2W==" LONG_TOKEN "@their.example", "srs0=vmyz=2w==" LONG_TOKEN "@their.example"},
    {"SRS1=JO9m=example.com==vmyz=2W==" LONG_TOKEN "@own.example", "srs1=jo9m=example.com==vmyz=2w==" LONG_TOKEN "@own.example"},
    /* one in the other */
    {"SRS0=vmyz=2W=otherdomain.com=prvs=0123456789=bob@own.example", "bob@otherdomain.com"},
    {"prvs=0123456789=SRS0=vmyz=2W=otherdomain.com=bob@own.example", "bob@otherdomain.com"},
    {"SRS0=aaaa=2W=own.example=SRS0=bbbb=2W=otherdomain.com=bob@own.example", "bob@otherdomain.com"},
    /* not quite SRS */
    {"SRS0@own.example", "srs0@own.example"},
    {"SRS0=@own.example", "srs0=@own.example"},
    {"SRS0=vmyz=2W=otherdomain.com=@own.example", "srs0=vmyz=2w=otherdomain.com=@own.example"},
    {"SRS0=vmyz=2W==test@own.example", "srs0=vmyz=2w==test@own.example"},
    {"SRS0==2W=otherdomain.com=test@own.example", "srs0==2w=otherdomain.com=test@own.example"},
    {"SRS0=vmyz=2W=bad..domain=test@own.example", "\"srs0=vmyz=2w=bad..domain=test\"@own.example"},
    {"SRS0vmyz=2W=otherdomain.com=test@own.example", "srs0vmyz=2w=otherdomain.com=test@own.example"},
    {"SRS1=JO9m=example.com=vmyz=2W=otherdomain.com=test@own.example",
     "srs1=jo9m=example.com=vmyz=2w=otherdomain.com=test@own.example"},
    {"SRS1=JO9m=@own.example", "srs1=jo9m=@own.example"},
    /* no address */
    {"", NULL},
    {"bob", NULL},
    {"@remote.example", NULL},
    {"bob@", NULL},
    {"bob@[192.0.2.1]", NULL},
    {"bob@192.0.2.1", NULL},
    {"a@b@remote.example", NULL},
    {"bo b@remote.example", NULL},
    {"bob\r\n@remote.example", NULL},
    {"\"bob\r\nX: y\"@remote.example", NULL},
    {"\"bob@remote.example", NULL},
    {"\"bob\\\"@remote.example", NULL},
    {"b\xff"
     "b@remote.example",
     NULL},
    {"b\xc2\x85"
     "b@remote.example",
     NULL},
    {"bob@rem\xff"
     "ote.example",
     NULL},
    {LONG LONG LONG LONG LONG "@remote.example", NULL},
    /* too long as it is printed: A-labels, quotes, what an SRS address of ours held */
    {LONG LONG LONG "@" UMLAUTS UMLAUTS "example", NULL},
    {LONG LONG "@" UMLAUTS "example", LONG LONG "@" A_LABELS "example"},
    {"SRS0=aaaa=2W=" UMLAUTS UMLAUTS "\xc3\xbc.\xc3\xbc.example=" LONG LONG "@own.example",
     "srs0=aaaa=2w=" UMLAUTS UMLAUTS "\xc3\xbc.\xc3\xbc.example=" LONG LONG "@own.example"},
};

static void senders_are_folded(void **state)
{
    (void)state;
    struct arena *arena = arena_create(4096);
    for (size_t i = 0; i < sizeof senders / sizeof *senders; i++) {
        const char *found = memory_sender(arena, senders[i].sender, &ours);
        if (!found != !senders[i].expected || (found && strcmp(found, senders[i].expected) != 0))
            fail_msg("%s: %s, wanted %s", senders[i].sender, found ? found : "NULL",
                     senders[i].expected ? senders[i].expected : "NULL");
    }
    assert_string_equal(memory_sender(arena, "SRS0=a=b=c.example=d@own.example", NULL),
                        "srs0=a=b=c.example=d@own.example");
    arena_destroy(arena);
}

/* What it says of an address it says of that again. */
static void senders_stay(void **state)
{
    (void)state;
    struct arena *arena = arena_create(4096);
    for (size_t i = 0; i < sizeof senders / sizeof *senders; i++) {
        const char *expected = senders[i].expected;
        if (expected)
            assert_string_equal(memory_sender(arena, expected, &ours), expected);
    }
    arena_destroy(arena);
}

/* SRS within SRS: ten are undone, the rest is the sender's name. */
static void nesting_ends(void **state)
{
    (void)state;
    struct arena *arena = arena_create(4096);
    char sender[400] = "";
    for (unsigned i = 0; i < 12; i++)
        strcat(sender, "SRS0=a=b=own.example=");
    strcat(sender, "x@own.example");
    assert_string_equal(memory_sender(arena, sender, &ours),
                        "srs0=a=b=own.example=srs0=a=b=own.example=x@own.example");
    arena_destroy(arena);
}

static void keys_are_split_safely(void **state)
{
    (void)state;
    struct arena *arena = arena_create(4096);
    struct responder responder = {.mailbox = "owner@example.net", .generation = 3};
    const char *sender, *fingerprint;
    const char *key = memory_key(arena, &responder, "a/b%c@remote.example", "0123456789abcdef");
    assert_string_equal(key, "seen/owner@example.net/3/a%2Fb%25c@remote.example/0123456789abcdef");
    assert_int_equal(memory_key_parse(arena, key, &sender, &fingerprint), 0);
    assert_string_equal(sender, "a/b%c@remote.example");
    assert_string_equal(fingerprint, "0123456789abcdef");
    assert_string_equal(memory_key(arena, &responder, "a/b%c@remote.example", NULL),
                        "seen/owner@example.net/3/a%2Fb%25c@remote.example/");
    assert_string_equal(memory_key(arena, &responder, NULL, NULL), "seen/owner@example.net/3/");
    assert_string_equal(memory_key(arena, &responder, "\x01\x7f@x", "f"), "seen/owner@example.net/3/%01%7F@x/f");
    responder.generation = 30; /* no prefix of generation 3 */
    assert_string_equal(memory_key(arena, &responder, NULL, NULL), "seen/owner@example.net/30/");
    arena_destroy(arena);
}

static void long_parts_end_in_a_hash(void **state)
{
    (void)state;
    struct arena *arena = arena_create(4096);
    struct responder responder = {.mailbox = "owner@example.net"};
    char one[400], two[400];
    memset(one, 'x', sizeof one);
    strcpy(one + 300, "1@remote.example");
    memcpy(two, one, sizeof two);
    two[300] = '2';
    const char *key = memory_key(arena, &responder, one, "f"), *sender, *fingerprint;
    assert_true(strlen(key) < STORE_KEY_MAX);
    assert_string_not_equal(key, memory_key(arena, &responder, two, "f"));
    assert_string_equal(key, memory_key(arena, &responder, one, "f"));
    assert_true(strlen(key) <= strlen("seen/owner@example.net/0//f") + 256);
    assert_int_equal(memory_key_parse(arena, key, &sender, &fingerprint), 0);
    assert_memory_equal(sender, one, 100);
    /* 256 bytes stand as they are, the 257th makes the difference */
    one[256] = '\0';
    assert_non_null(strstr(memory_key(arena, &responder, one, "f"), one));
    memset(one, '/', 86); /* three octets each: longer than 256 now */
    key = memory_key(arena, &responder, one, "f");
    assert_int_equal(memory_key_parse(arena, key, &sender, &fingerprint), 0);
    assert_non_null(strstr(key, "%:"));
    /* a character of two octets is not torn: "x", then 0xc3 0xbc without end */
    strcpy(one, "x");
    for (size_t i = 1; i < 301; i += 2)
        memcpy(one + i, "\xc3\xbc", 3);
    key = memory_key(arena, &responder, one, NULL);
    const char *mark = strstr(key, "%:");
    assert_non_null(mark);
    assert_int_equal((unsigned char)mark[-1], 0xbc);
    arena_destroy(arena);
}

static void other_keys_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "seen/",
                                      "seen/a/1/b",
                                      "seen/a/1/b/c/d",
                                      "seen/a/x/b/c",
                                      "seen/a//b/c",
                                      "seen//1/b/c",
                                      "seen/a/1//c",
                                      "seen/a/1/b/",
                                      "seen/a/1/%/c",
                                      "seen/a/1/%2/c",
                                      "seen/a/1/%zz/c",
                                      "seen/a/1/%00/c",
                                      "seen/a/1/x%00y/c",
                                      "seen/a/1/x%:12/c",
                                      "SEEN/a/1/b/c",
                                      "responder/a/1/b/c",
                                      "seen/a/1/%2f/c",
                                      "seen/a/-1/b/c"};
    struct arena *arena = arena_create(4096);
    const char *sender, *fingerprint;
    assert_int_equal(memory_key_parse(arena, "seen/a/1/b/c", &sender, &fingerprint), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (memory_key_parse(arena, bad[i], &sender, &fingerprint) == 0)
            fail_msg("taken: %s", bad[i]);
    }
    arena_destroy(arena);
}

static void marks_come_back(void **state)
{
    (void)state;
    struct arena *arena = arena_create(4096);
    struct memory_mark mark = {memory_token(arena), true, 1793516400}, found;
    assert_int_equal(strlen(mark.token), 32);
    assert_string_not_equal(mark.token, memory_token(arena));
    for (int i = 0; i < 2; i++) {
        const char *text = memory_mark_print(arena, &mark);
        assert_int_equal(memory_mark_parse(arena, span_of(text), &found), 0);
        assert_string_equal(found.token, mark.token);
        assert_int_equal(found.is_reserved, mark.is_reserved);
        assert_int_equal(found.at, mark.at);
        mark.is_reserved = false;
    }
    arena_destroy(arena);
}

static void other_marks_are_refused(void **state)
{
    (void)state;
#define TOKEN "0123456789abcdef0123456789abcdef"
    static const char *const bad[] = {"",
                                      "reserved",
                                      "reserved ",
                                      "reserved " TOKEN,
                                      "reserved " TOKEN " ",
                                      "reserved " TOKEN " x",
                                      "reserved " TOKEN " -1",
                                      "reserved " TOKEN " 1 ",
                                      "reserved " TOKEN " 9999999999999999999",
                                      "reserved 0123 1",
                                      "reserved " TOKEN "0 1",
                                      "Reserved " TOKEN " 1",
                                      "reserved 0123456789ABCDEF0123456789ABCDEF 1",
                                      "given " TOKEN " 1"};
    struct arena *arena = arena_create(4096);
    struct memory_mark mark;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (memory_mark_parse(arena, span_of(bad[i]), &mark) == 0)
            fail_msg("taken: %s", bad[i]);
    }
    struct span nul = {"reserved " TOKEN " 1\0002", 9 + 32 + 4};
    assert_int_equal(memory_mark_parse(arena, nul, &mark), -1);
    nul.len -= 2;
    assert_int_equal(memory_mark_parse(arena, nul, &mark), 0);
    arena_destroy(arena);
}

static void days_are_seconds(void **state)
{
    (void)state;
    assert_int_equal(memory_until(1793516400, 7), 1793516400 + 604800);
    assert_int_equal(memory_until(0, 1), 86400);
    assert_int_equal(memory_until(1793516400, 30), INT64_C(1796108400));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(senders_are_folded),
        cmocka_unit_test(senders_stay),
        cmocka_unit_test(nesting_ends),
        cmocka_unit_test(keys_are_split_safely),
        cmocka_unit_test(long_parts_end_in_a_hash),
        cmocka_unit_test(other_keys_are_refused),
        cmocka_unit_test(marks_come_back),
        cmocka_unit_test(other_marks_are_refused),
        cmocka_unit_test(days_are_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
