/* arena, strbuf, strset */
#include "unit.h"

#include "util/arena.h"
#include "util/strbuf.h"
#include "util/strset.h"
#include <stdio.h>

static char order[8];

static void note(void *object)
{
    strncat(order, object, sizeof order - strlen(order) - 1);
}

static void test_arena(void **state)
{
    (void)state;
    struct arena *arena = arena_create(256);
    unsigned char *pieces[200];
    for (size_t i = 0; i < 200; i++) {
        size_t size = 1 + i * 7 % 600; /* some larger than a block */
        pieces[i] = arena_alloc(arena, size);
        assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        for (size_t at = 0; at < size; at++)
            assert_int_equal(pieces[i][at], 0);
        memset(pieces[i], (int)i, size);
    }
    for (size_t i = 0; i < 200; i++) { /* nobody wrote into anybody else's */
        assert_int_equal(pieces[i][0], i & 0xff);
        assert_int_equal(pieces[i][i * 7 % 600], i & 0xff);
    }
    assert_true(arena_size(arena) >= 200 * 250);
    arena_destroy(arena);
    arena_destroy(NULL);
}

static void test_arena_copies(void **state)
{
    (void)state;
    struct arena *arena = arena_create(64);
    assert_null(arena_strdup(arena, NULL));
    assert_string_equal(arena_strdup(arena, "text"), "text");
    assert_string_equal(arena_spandup(arena, (struct span){"textual", 4}), "text");
    assert_string_equal(arena_spandup(arena, (struct span){NULL, 0}), "");
    assert_memory_equal(arena_spandup(arena, (struct span){"a\0b", 3}), "a\0b", 4);
    assert_string_equal(arena_printf(arena, "%s-%d", "x", 7), "x-7");
    const char *wide = arena_printf(arena, "%0500d", 1);
    assert_int_equal(strlen(wide), 500);
    arena_destroy(arena);
}

static void test_arena_grow(void **state)
{
    (void)state;
    struct arena *arena = arena_create(64);
    int *vector = NULL;
    size_t capacity = 0;
    for (int i = 0; i < 1000; i++) {
        vector = arena_grow(arena, vector, &capacity, (size_t)i + 1, sizeof *vector);
        assert_true(capacity > (size_t)i);
        vector[i] = i;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(vector[i], i);
    assert_ptr_equal(arena_grow(arena, vector, &capacity, 10, sizeof *vector), vector);
    arena_destroy(arena);
}

static void test_arena_destructors(void **state)
{
    (void)state;
    struct arena *arena = arena_create(64);
    order[0] = '\0';
    arena_on_destroy(arena, note, "a");
    arena_on_destroy(arena, note, "b");
    arena_on_destroy(arena, note, "c");
    assert_string_equal(order, "");
    arena_destroy(arena);
    assert_string_equal(order, "cba");
}

static void test_strbuf(void **state)
{
    (void)state;
    struct strbuf buf;
    strbuf_init(&buf, 0);
    assert_string_equal(strbuf_text(&buf), "");
    strbuf_puts(&buf, "one ");
    strbuf_putc(&buf, '2');
    strbuf_printf(&buf, " %d", 3);
    strbuf_add(&buf, (struct span){NULL, 0});
    assert_string_equal(strbuf_text(&buf), "one 2 3");
    strbuf_printf(&buf, "%0700d", 4); /* longer than the buffer on the stack */
    assert_int_equal(buf.len, 707);
    assert_false(buf.truncated);
    strbuf_free(&buf);
    assert_string_equal(strbuf_text(&buf), "");
    strbuf_free(&buf);
}

static void test_strbuf_limit(void **state)
{
    (void)state;
    struct strbuf buf;
    strbuf_init(&buf, 10);
    strbuf_puts(&buf, "0123456789");
    assert_false(buf.truncated);
    strbuf_putc(&buf, 'x');
    assert_true(buf.truncated);
    assert_string_equal(strbuf_text(&buf), "0123456789");
    strbuf_free(&buf);
    strbuf_init(&buf, 10);
    strbuf_printf(&buf, "%s", "0123456789abc");
    assert_string_equal(strbuf_text(&buf), "0123456789");
    assert_true(buf.truncated);
    strbuf_free(&buf);
}

static void test_strbuf_printable(void **state)
{
    (void)state;
    struct strbuf buf;
    strbuf_init(&buf, 0);
    strbuf_add_printable(&buf, (struct span){"a \0\r\n\t\x1f\x7f\x80\xff~", 11});
    assert_string_equal(strbuf_text(&buf), "a ????????~");
    strbuf_free(&buf);
}

static void count_visit(void *context, const char *member)
{
    *(size_t *)context += strlen(member);
}

static void test_strset(void **state)
{
    (void)state;
    struct arena *arena = arena_create(1024);
    struct strset *set = strset_create(arena);
    char text[16];
    assert_false(strset_has(set, span_of("a")));
    for (int i = 0; i < 5000; i++) {
        snprintf(text, sizeof text, "m%05d", i);
        assert_true(strset_add(set, span_of(text)));
        assert_false(strset_add(set, span_of(text)));
    }
    assert_int_equal(strset_count(set), 5000);
    for (int i = 0; i < 5000; i++) {
        snprintf(text, sizeof text, "m%05d", i);
        assert_true(strset_has(set, span_of(text)));
        text[0] = 'M';
        assert_false(strset_has(set, span_of(text)));
    }
    size_t bytes = 0;
    strset_each(set, count_visit, &bytes);
    assert_int_equal(bytes, 5000 * 6);
    /* bytes, not strings */
    assert_true(strset_add(set, (struct span){"x\0y", 3}));
    assert_false(strset_has(set, span_of("x")));
    assert_false(strset_has(set, (struct span){"x\0z", 3}));
    assert_true(strset_add(set, span_of("")));
    assert_true(strset_has(set, (struct span){NULL, 0}));
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena),        cmocka_unit_test(test_arena_copies),
        cmocka_unit_test(test_arena_grow),   cmocka_unit_test(test_arena_destructors),
        cmocka_unit_test(test_strbuf),       cmocka_unit_test(test_strbuf_limit),
        cmocka_unit_test(test_strbuf_printable), cmocka_unit_test(test_strset)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
