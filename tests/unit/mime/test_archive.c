/* Names out of archives of every kind, the limits, and what happens to an archive on which libarchive spins. */
#include "unit.h"

#include "mime/archive.h"
#include "util/clock.h"
#include "util/strbuf.h"
#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>


#define DATA TEST_SRCDIR "/tests/unit/mime/data/"

static struct archive_scanner *scanner;
static const struct archive_limits generous = {.max_depth = 4, .max_entries = 1000, .max_expanded = 10 << 20, .time_ms = 8000};

static int setup(void **state)
{
    (void)state;
    scanner = archive_scanner_create("/tmp");
    return scanner ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    archive_scanner_destroy(scanner);
    return 0;
}

/* ---- making archives ---- */

struct member {
    const char *name;
    const void *data;
    size_t len;
};

#define TEXT(name) {name, "hello", 5}

static struct strbuf file;

static la_ssize_t keep(struct archive *a, void *context, const void *bytes, size_t len)
{
    (void)a, (void)context;
    strbuf_add(&file, (struct span){bytes, len});
    return (la_ssize_t)len;
}

/* An archive in memory; the caller frees it. FILTER 0 for none. */
static struct strbuf make(int format, int filter, const struct member *members, size_t count)
{
    strbuf_init(&file, 64 << 20);
    struct archive *a = archive_write_new();
    assert_int_equal(archive_write_set_format(a, format), ARCHIVE_OK);
    if (format == ARCHIVE_FORMAT_ZIP)
        archive_write_set_options(a, "zip:compression=deflate");
    if (filter)
        assert_true(archive_write_add_filter(a, filter) >= ARCHIVE_WARN);
    archive_write_set_bytes_in_last_block(a, 1);
    assert_int_equal(archive_write_open(a, NULL, NULL, keep, NULL), ARCHIVE_OK);
    for (size_t i = 0; i < count; i++) {
        struct archive_entry *entry = archive_entry_new();
        archive_entry_set_pathname(entry, members[i].name);
        archive_entry_set_size(entry, (la_int64_t)members[i].len);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        assert_true(archive_write_header(a, entry) >= ARCHIVE_WARN);
        if (members[i].len)
            assert_int_equal(archive_write_data(a, members[i].data, members[i].len), members[i].len);
        archive_entry_free(entry);
    }
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    archive_write_free(a);
    return file;
}

static struct strbuf load(const char *name)
{
    struct strbuf all;
    char block[4096];
    size_t n;
    strbuf_init(&all, 64 << 20);
    FILE *from = fopen(name, "rb");
    if (!from)
        fail_msg("%s: %s", name, strerror(errno));
    while ((n = fread(block, 1, sizeof block, from)) > 0)
        strbuf_add(&all, (struct span){block, n});
    fclose(from);
    return all;
}

/* ---- scanning ---- */

static struct strbuf found; /* "path\npath\n" */
static unsigned found_count, stop_after;

static int note(void *context, const char *path)
{
    (void)context;
    strbuf_printf(&found, "%s\n", path);
    return ++found_count == stop_after;
}

static int memory_file(const char *bytes, size_t len)
{
    int fd = memfd_create("archive", 0);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    return fd;
}

static enum archive_status scan(const char *bytes, size_t len, const struct archive_limits *limits)
{
    strbuf_free(&found);
    strbuf_init(&found, 1 << 20);
    found_count = 0;
    int fd = memory_file(bytes, len);
    enum archive_status status = archive_scan(scanner, fd, limits, note, NULL);
    close(fd);
    return status;
}

static enum archive_status scan_and_free(struct strbuf made, const struct archive_limits *limits)
{
    enum archive_status status = scan(made.ptr, made.len, limits);
    strbuf_free(&made);
    return status;
}

static bool has(const char *path)
{
    char line[512];
    snprintf(line, sizeof line, "%s\n", path);
    const char *at = strstr(strbuf_text(&found), line);
    return at && (at == found.ptr || at[-1] == '\n');
}

/* ---- tests ---- */

static const struct member two[] = {TEXT("readme.txt"), TEXT("doc/run.exe")};

static void lists_every_format(void **state)
{
    (void)state;
    static const int rows[][2] = {
        {ARCHIVE_FORMAT_ZIP, 0}, {ARCHIVE_FORMAT_7ZIP, 0}, {ARCHIVE_FORMAT_TAR_USTAR, 0}, {ARCHIVE_FORMAT_TAR_GNUTAR, 0},
        {ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, 0}, {ARCHIVE_FORMAT_CPIO_POSIX, 0}, {ARCHIVE_FORMAT_CPIO_SVR4_NOCRC, 0},
        {ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP}, {ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_BZIP2},
        {ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_XZ}, {ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_ZSTD},
        {ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_LZMA}, {ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_LZ4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct strbuf made = make(rows[i][0], rows[i][1], two, 2);
        assert_true(archive_is_likely(made.ptr, made.len, NULL, 0));
        enum archive_status status = scan_and_free(made, &generous);
        if (status != ARCHIVE_DONE || !has("doc/run.exe") || !has("readme.txt") || found_count != 2)
            fail_msg("format %x filter %d: status %d, %s", rows[i][0], rows[i][1], status, strbuf_text(&found));
    }
    assert_int_equal(scan_and_free(make(ARCHIVE_FORMAT_ISO9660, 0, two, 2), &generous), ARCHIVE_DONE);
    assert_non_null(strstr(found.ptr, "doc/run.exe\n"));
}

static void lists_the_samples(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum archive_status status;
        const char *path;
    } rows[] = {
        {"stored.rar", ARCHIVE_DONE, "doc/run.exe"},          {"stored5.rar", ARCHIVE_DONE, "doc/run.exe"},
        {"stored.lzh", ARCHIVE_DONE, "doc/run.exe"},          {"stored.cab", ARCHIVE_DONE, "doc/run.exe"},
        {"encrypted.rar", ARCHIVE_ENCRYPTED, "doc/run.exe"},  {"encrypted5.rar", ARCHIVE_ENCRYPTED, "doc/run.exe"},
        {"enc.zip", ARCHIVE_ENCRYPTED, "run.exe"},            {"enc.7z", ARCHIVE_ENCRYPTED, "run.exe"},
        {"hdr.7z", ARCHIVE_ENCRYPTED, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[512];
        snprintf(path, sizeof path, DATA "%s", rows[i].name);
        struct strbuf sample = load(path);
        assert_true(archive_is_likely(sample.ptr, sample.len, NULL, 0));
        enum archive_status status = scan_and_free(sample, &generous);
        if (status != rows[i].status || (rows[i].path && !has(rows[i].path)))
            fail_msg("%s: status %d, %s", rows[i].name, status, strbuf_text(&found));
    }
}

static void opens_archives_in_archives(void **state)
{
    (void)state;
    struct strbuf inner = make(ARCHIVE_FORMAT_ZIP, 0, two, 2);
    for (unsigned depth = 2; depth <= 5; depth++) { /* the name says nothing of what is inside */
        struct member wrapped[] = {TEXT("a.txt"), {"in.dat", inner.ptr, inner.len}};
        static const int formats[] = {ARCHIVE_FORMAT_7ZIP, ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FORMAT_ZIP};
        struct strbuf outer = make(formats[depth % 3], 0, wrapped, 2);
        enum archive_status status = scan(outer.ptr, outer.len, &generous);
        char path[256] = "";
        for (unsigned i = 1; i < depth; i++)
            strcat(path, "in.dat/");
        strcat(path, "doc/run.exe");
        assert_int_equal(status, depth > 4 ? ARCHIVE_OVER_LIMIT : ARCHIVE_DONE);
        assert_int_equal(has(path), depth <= 4);
        strbuf_free(&inner);
        inner = outer;
    }
    strbuf_free(&inner);
}

static void names_a_single_compressed_file(void **state)
{
    (void)state;
    struct member one = {"x", "hello hello hello", 17};
    struct strbuf gz = make(ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_GZIP, &one, 1);
    struct member in_tar = {"dir/run.exe.gz", gz.ptr, gz.len};
    assert_int_equal(scan_and_free(make(ARCHIVE_FORMAT_TAR_USTAR, 0, &in_tar, 1), &generous), ARCHIVE_DONE);
    assert_true(has("dir/run.exe.gz/run.exe"));
    struct strbuf named; /* the same stream with an original name in its header */
    strbuf_init(&named, 0);
    strbuf_add(&named, (struct span){gz.ptr, 10});
    named.ptr[3] |= 8;
    strbuf_add(&named, (struct span){"run.exe", 8});
    strbuf_add(&named, (struct span){gz.ptr + 10, gz.len - 10});
    assert_int_equal(scan_and_free(named, &generous), ARCHIVE_DONE);
    assert_true(has("run.exe"));
    struct strbuf zip = make(ARCHIVE_FORMAT_ZIP, 0, two, 2);
    struct member packed = {"x", zip.ptr, zip.len};
    assert_int_equal(scan_and_free(make(ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_XZ, &packed, 1), &generous), ARCHIVE_DONE);
    assert_true(has("doc/run.exe"));
    strbuf_free(&zip);
    strbuf_free(&gz);
}

/* Replaces each (or only the LAST) OLD by NEW, of the same length. */
static void swap_name(struct strbuf *zip, const char *old, const char *new, bool first, bool last)
{
    size_t len = strlen(old);
    char *at = memmem(zip->ptr, zip->len, old, len);
    assert_non_null(at);
    char *next = memmem(at + 1, zip->len - (size_t)(at + 1 - zip->ptr), old, len);
    assert_non_null(next);
    if (first)
        memcpy(at, new, len);
    if (last)
        memcpy(next, new, len);
}

static void a_zip_cannot_hide_a_name(void **state)
{
    (void)state;
    struct member one = TEXT("readme.txt");
    struct strbuf zip = make(ARCHIVE_FORMAT_ZIP, 0, &one, 1);
    swap_name(&zip, "readme.txt", "runner.exe", true, false); /* local header only */
    scan(zip.ptr, zip.len, &generous);
    assert_true(has("runner.exe") && has("readme.txt"));
    strbuf_free(&zip);

    zip = make(ARCHIVE_FORMAT_ZIP, 0, &one, 1);
    swap_name(&zip, "readme.txt", "runner.exe", false, true); /* central directory only */
    scan(zip.ptr, zip.len, &generous);
    assert_true(has("runner.exe") && has("readme.txt"));
    memset(zip.ptr + zip.len - 22, 'x', 22); /* no end record any more */
    scan(zip.ptr, zip.len, &generous);
    assert_true(has("runner.exe") && has("readme.txt"));
    strbuf_free(&zip);

    zip = make(ARCHIVE_FORMAT_ZIP, 0, &one, 1);
    swap_name(&zip, "readme.txt", "a.exe\0.txt", true, true);
    scan(zip.ptr, zip.len, &generous);
    assert_true(has("a.exe\xe2\x90\x80.txt"));
    strbuf_free(&zip);
}

static void a_zip_behind_other_data_is_found(void **state)
{
    (void)state;
    struct strbuf inner = make(ARCHIVE_FORMAT_ZIP, 0, two, 2), zip, all;
    struct member wrapped = {"in.zip", inner.ptr, inner.len};
    zip = make(ARCHIVE_FORMAT_ZIP, 0, &wrapped, 1);
    for (int mangled = 0; mangled < 2; mangled++) {
        strbuf_init(&all, 1 << 20);
        for (int i = 0; i < 50000; i++)
            strbuf_putc(&all, "JFIF"[i % 4]);
        strbuf_add(&all, (struct span){zip.ptr, zip.len});
        assert_false(archive_is_likely(all.ptr, 40000, NULL, 0));
        assert_true(archive_is_likely(all.ptr, 40000, all.ptr + all.len - 200, 200));
        if (mangled)
            memset(all.ptr + all.len - 22, 'x', 22);
        enum archive_status status = scan_and_free(all, &generous);
        assert_true(has("in.zip"));
        if (!has("in.zip/doc/run.exe"))
            fail_msg("mangled %d: status %d, %s", mangled, status, strbuf_text(&found));
    }
    strbuf_free(&zip);
    strbuf_free(&inner);
}

static void names_need_not_be_ascii(void **state)
{
    (void)state;
    struct member odd[] = {TEXT("\xc3\xa4\xe6\x97\xa5.exe"), TEXT("caf\xe9.exe")};
    scan_and_free(make(ARCHIVE_FORMAT_TAR_USTAR, 0, odd, 2), &generous);
    assert_true(has("\xc3\xa4\xe6\x97\xa5.exe") && has("caf\xe9.exe"));
    scan_and_free(make(ARCHIVE_FORMAT_ZIP, 0, odd, 2), &generous);
    assert_true(has("\xc3\xa4\xe6\x97\xa5.exe") && has("caf\xe9.exe"));
}

static void the_limits_hold(void **state)
{
    (void)state;
    struct member many[50];
    char names[50][16];
    for (int i = 0; i < 50; i++) {
        snprintf(names[i], sizeof names[i], "%d.txt", i);
        many[i] = (struct member)TEXT(names[i]);
    }
    struct archive_limits limits = generous;
    limits.max_entries = 20;
    assert_int_equal(scan_and_free(make(ARCHIVE_FORMAT_ZIP, 0, many, 50), &limits), ARCHIVE_OVER_LIMIT);
    assert_int_equal(found_count, 20);
    limits.max_entries = 50;
    assert_int_equal(scan_and_free(make(ARCHIVE_FORMAT_ZIP, 0, many, 50), &limits), ARCHIVE_DONE);

    char *zeros = calloc(1, 1 << 20);
    struct member bomb = {"bomb", zeros, 1 << 20};
    struct strbuf tar = make(ARCHIVE_FORMAT_TAR_USTAR, 0, &bomb, 1);
    struct member packed = {"in.tar", tar.ptr, tar.len};
    struct strbuf zip = make(ARCHIVE_FORMAT_ZIP, 0, &packed, 1);
    limits = generous;
    limits.max_expanded = 1 << 19;
    assert_int_equal(scan(zip.ptr, zip.len, &limits), ARCHIVE_OVER_LIMIT);
    assert_true(has("in.tar"));
    assert_int_equal(scan(zip.ptr, zip.len, &generous), ARCHIVE_DONE);
    assert_true(has("in.tar/bomb"));
    limits = generous;
    limits.max_depth = 1;
    assert_int_equal(scan_and_free(zip, &limits), ARCHIVE_OVER_LIMIT);
    struct member flat = {"big", zeros, 1 << 20}; /* a member that is no archive costs nothing */
    limits = generous;
    limits.max_expanded = 1000;
    assert_int_equal(scan_and_free(make(ARCHIVE_FORMAT_ZIP, 0, &flat, 1), &limits), ARCHIVE_DONE);
    strbuf_free(&tar);
    free(zeros);
}

static void says_what_is_no_archive(void **state)
{
    (void)state;
    static const char text[] = "Just a letter, nothing more. It mentions PK and Rar! only by name.";
    assert_false(archive_is_likely(text, sizeof text, NULL, 0));
    assert_int_equal(scan(text, sizeof text, &generous), ARCHIVE_NONE);
    assert_int_equal(scan("", 0, &generous), ARCHIVE_NONE);
    struct strbuf seven = make(ARCHIVE_FORMAT_7ZIP, 0, two, 2);
    assert_int_equal(scan(seven.ptr, seven.len / 2, &generous), ARCHIVE_UNREADABLE);
    strbuf_free(&seven);
    struct strbuf tar = make(ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_XZ, two, 2);
    assert_int_equal(scan(tar.ptr, tar.len / 2, &generous), ARCHIVE_UNREADABLE);
    strbuf_free(&tar);
}

static void the_visitor_can_stop(void **state)
{
    (void)state;
    stop_after = 1;
    assert_int_equal(scan_and_free(make(ARCHIVE_FORMAT_ZIP, 0, two, 2), &generous), ARCHIVE_STOPPED);
    assert_int_equal(found_count, 1);
    stop_after = 0;
}

static void a_spinning_library_is_stopped(void **state)
{
    (void)state;
    struct strbuf rar = load(DATA "spin5.rar-head");
    char *zeros = calloc(1, 2 << 20);
    strbuf_add(&rar, (struct span){zeros, 2 << 20});
    free(zeros);
    struct archive_limits limits = generous;
    limits.time_ms = 300;
    int64_t start = clock_monotonic_us();
    assert_int_equal(scan_and_free(rar, &limits), ARCHIVE_OVER_LIMIT);
    int64_t took = clock_monotonic_us() - start;
    assert_in_range(took, 290000, 1500000);
}

static int count_path(void *context, const char *path)
{
    (void)path;
    ++*(unsigned *)context;
    return 0;
}

static void *scan_again_and_again(void *context)
{
    const struct strbuf *zip = context;
    intptr_t wrong = 0;
    for (int i = 0; i < 20; i++) {
        unsigned names = 0;
        int fd = memory_file(zip->ptr, zip->len);
        wrong += archive_scan(scanner, fd, &generous, count_path, &names) != ARCHIVE_DONE || names != 2;
        close(fd);
    }
    return (void *)wrong;
}

static int open_descriptors(void)
{
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static void threads_scan_at_once(void **state)
{
    (void)state;
    pthread_t threads[8];
    struct strbuf zip = make(ARCHIVE_FORMAT_ZIP, 0, two, 2);
    int before = open_descriptors();
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, scan_again_and_again, &zip), 0);
    for (int i = 0; i < 8; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_ptr_equal(wrong, NULL);
    }
    assert_int_equal(open_descriptors(), before);
    strbuf_free(&zip);
}

/* The pid of the one child that this process has. */
static pid_t server_pid(void)
{
    char path[64];
    int pid = 0;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *from = fopen(path, "r");
    assert_non_null(from);
    assert_int_equal(fscanf(from, "%d", &pid), 1);
    fclose(from);
    return pid;
}

static int descriptors_of(pid_t pid)
{
    char path[64];
    int count = -2; /* . and .. */
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static void the_server_holds_nothing_of_ours(void **state)
{
    (void)state;
    for (int i = 0; i < 200 && descriptors_of(server_pid()) > 5; i++)
        usleep(10000); /* the last child may not be buried yet */
    assert_in_range(descriptors_of(server_pid()), 2, 5); /* 0, 1, 2, control, signals */
    kill(server_pid(), SIGTERM); /* what systemd sends to all of us does not end it */
    assert_int_equal(scan_and_free(make(ARCHIVE_FORMAT_ZIP, 0, two, 2), &generous), ARCHIVE_DONE);
}

static void a_dead_server_is_noticed(void **state)
{
    (void)state;
    kill(server_pid(), SIGKILL);
    int64_t start = clock_monotonic_us();
    assert_int_equal(scan_and_free(make(ARCHIVE_FORMAT_ZIP, 0, two, 2), &generous), ARCHIVE_TROUBLE);
    assert_in_range(clock_monotonic_us() - start, 0, 2000000);
    errno = 0;
    assert_null(archive_scanner_create("/nonexistent"));
    assert_int_equal(errno, ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_every_format),
        cmocka_unit_test(lists_the_samples),
        cmocka_unit_test(opens_archives_in_archives),
        cmocka_unit_test(names_a_single_compressed_file),
        cmocka_unit_test(a_zip_cannot_hide_a_name),
        cmocka_unit_test(a_zip_behind_other_data_is_found),
        cmocka_unit_test(names_need_not_be_ascii),
        cmocka_unit_test(the_limits_hold),
        cmocka_unit_test(says_what_is_no_archive),
        cmocka_unit_test(the_visitor_can_stop),
        cmocka_unit_test(a_spinning_library_is_stopped),
        cmocka_unit_test(threads_scan_at_once),
        cmocka_unit_test(the_server_holds_nothing_of_ours),
        cmocka_unit_test(a_dead_server_is_noticed),
    };
    int failed = cmocka_run_group_tests(tests, setup, teardown);
    strbuf_free(&found);
    return failed;
}
