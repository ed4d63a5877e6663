/* content: in memory, in a file, on the way from one to the other, and at its limits. */
#include "unit.h"

#include "core/content.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static char directory[64];

static int set_up(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/postern-content-XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

/* Fails unless the directory is empty again: no message leaves a file behind. */
static int tear_down(void **state)
{
    (void)state;
    return rmdir(directory);
}

static struct content_limits limits_of(uint64_t memory, uint64_t total, uint64_t size)
{
    return (struct content_limits){.directory = directory, .memory = memory, .memory_total = total, .size = size};
}

static char byte_at(uint64_t offset)
{
    return (char)(offset * 31 + offset / 251);
}

/* LEN more bytes of the pattern, in one piece. */
static int append(struct content *content, size_t len)
{
    char *bytes = malloc(len + 1);
    for (size_t i = 0; i < len; i++)
        bytes[i] = byte_at(content_size(content) + i);
    int error = content_append(content, (struct span){bytes, len});
    free(bytes);
    return error;
}

static bool reads_well(const struct content *content, uint64_t offset, size_t len)
{
    char *bytes = malloc(len + 1);
    uint64_t size = content_size(content), expected = offset >= size ? 0 : size - offset < len ? size - offset : len;
    ssize_t n = content_read_at(content, offset, bytes, len);
    bool well = n == (ssize_t)expected;
    for (ssize_t i = 0; i < n && well; i++)
        well = bytes[i] == byte_at(offset + (uint64_t)i);
    free(bytes);
    return well;
}

static bool is_in_memory(const struct content *content)
{
    return content_memory(content).ptr != NULL;
}

static void test_switch(void **state)
{
    (void)state;
    struct content_limits limits = limits_of(10000, 1 << 20, 0);
    struct content *content = content_create(&limits);
    assert_int_equal(content_size(content), 0);
    assert_int_equal(content_memory(content).len, 0);
    assert_non_null(content_memory(content).ptr);
    assert_true(reads_well(content, 0, 10));
    assert_int_equal(append(content, 0), 0);
    assert_int_equal(append(content, 9999), 0);
    assert_int_equal(append(content, 1), 0);
    assert_true(is_in_memory(content));
    assert_int_equal(content_memory(content).len, 10000);
    assert_int_equal(append(content, 1), 0);
    assert_false(is_in_memory(content));
    assert_int_equal(content_size(content), 10001);
    assert_true(reads_well(content, 0, 20000));
    assert_true(reads_well(content, 9990, 11));
    content_destroy(content);
    content_destroy(NULL);
}

/* Pieces of all sizes, read across the border between the file and what is gathered for it. */
static void test_border(void **state)
{
    (void)state;
    struct content_limits limits = limits_of(1000, 1 << 20, 0);
    struct content *content = content_create(&limits);
    for (size_t i = 0; i < 400; i++)
        assert_int_equal(append(content, i * 97 % 2000), 0);
    assert_int_equal(append(content, 200000), 0); /* larger than the gathering buffer */
    assert_int_equal(append(content, 100), 0);
    uint64_t size = content_size(content);
    assert_true(reads_well(content, 0, size));
    assert_true(reads_well(content, size - 150, 1000)); /* 50 of the file, 100 gathered */
    assert_true(reads_well(content, size - 100, 100));
    assert_true(reads_well(content, size - 1, 10));
    assert_true(reads_well(content, size, 10));
    assert_true(reads_well(content, size + 1000, 10));
    for (uint64_t at = 0; at < size; at += 7919)
        assert_true(reads_well(content, at, 3000));
    content_destroy(content);
}

static void test_size_limit(void **state)
{
    (void)state;
    struct content_limits limits = limits_of(1000, 1 << 20, 5000);
    struct content *content = content_create(&limits);
    assert_int_equal(append(content, 5001), CONTENT_TOO_LARGE);
    assert_int_equal(content_size(content), 0);
    assert_int_equal(append(content, 4000), 0);
    assert_int_equal(append(content, 1001), CONTENT_TOO_LARGE);
    assert_int_equal(content_size(content), 4000);
    assert_int_equal(append(content, 1000), 0);
    assert_int_equal(append(content, 1), CONTENT_TOO_LARGE);
    assert_true(reads_well(content, 0, 5000));
    content_destroy(content);
}

/* The budget of all messages: when it is spent, new bytes go to files, and it is given back. */
static void test_total(void **state)
{
    (void)state;
    struct content_limits limits = limits_of(100000, 100000, 0);
    struct content *first = content_create(&limits), *second = content_create(&limits);
    assert_int_equal(append(first, 90000), 0);
    assert_true(is_in_memory(first));
    assert_int_equal(append(second, 20000), 0);
    assert_false(is_in_memory(second));
    assert_true(reads_well(second, 0, 20000));
    content_destroy(first);
    content_destroy(second);
    struct content *third = content_create(&limits);
    assert_int_equal(append(third, 90000), 0);
    assert_true(is_in_memory(third));
    content_destroy(third);
}

static void test_no_directory(void **state)
{
    (void)state;
    struct content_limits limits = limits_of(1000, 1 << 20, 0);
    limits.directory = "/nonexistent/postern";
    struct content *content = content_create(&limits);
    assert_int_equal(append(content, 1000), 0);
    assert_int_equal(append(content, 1), CONTENT_NO_SPACE);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(content_size(content), 1000); /* what it had it keeps */
    assert_true(reads_well(content, 0, 1000));
    content_destroy(content);
}

/* A file that cannot grow stands for a full disk. */
static void test_full_disk(void **state)
{
    (void)state;
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){100000, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct content_limits limits = limits_of(1000, 1 << 20, 0);
    struct content *content = content_create(&limits);
    int error = 0;
    for (int i = 0; i < 100 && !error; i++)
        error = append(content, 5000);
    int why = errno;
    uint64_t size = content_size(content);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(error, CONTENT_NO_SPACE);
    assert_int_equal(why, EFBIG);
    assert_int_equal(size % 5000, 0);
    assert_true(reads_well(content, 0, size));
    content_destroy(content);
}

static void *fill_and_read(void *object)
{
    const struct content_limits *limits = object;
    size_t wrong = 0;
    for (size_t round = 0; round < 20; round++) {
        struct content *content = content_create(limits);
        for (size_t i = 0; i < 40; i++)
            wrong += append(content, 700 + i) != 0;
        wrong += !reads_well(content, 0, 100000);
        content_destroy(content);
    }
    return (void *)wrong;
}

static void test_threads(void **state)
{
    (void)state;
    struct content_limits limits = limits_of(20000, 60000, 0);
    pthread_t threads[8];
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fill_and_read, &limits), 0);
    for (size_t i = 0; i < 8; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_int_equal((size_t)wrong, 0);
    }
    /* the budget is whole again */
    struct content *content = content_create(&limits);
    assert_int_equal(append(content, 20000), 0);
    assert_true(is_in_memory(content));
    content_destroy(content);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_switch),     cmocka_unit_test(test_border),
                                       cmocka_unit_test(test_size_limit), cmocka_unit_test(test_total),
                                       cmocka_unit_test(test_no_directory), cmocka_unit_test(test_full_disk),
                                       cmocka_unit_test(test_threads)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
