/* Which names end in a forbidden extension, and which only look so. */
#include "unit.h"

#include "mime/filename.h"
#include <stdio.h>
#include <stdlib.h>

#define CLSID "{3050F4D8-98B5-11CF-BB82-00AA00BDCE0B}"

static const char *const listed[] = {"exe", "com", "cmd", "cpl", "hta", "scr", "js", "vbs", "pif", "bat", "tar.gz", "ws"};

static const char *const hits[] = {
    "run.exe", "RUN.EXE", "Run.eXe", ".exe", "a.b.c.exe", "run.txt.exe", "run .exe", "run.exe.", "run.exe...",
    "run.exe ", "run.exe . . ", "run.exe\t", "run.exe\r\n", "run.exe\xc2\xa0", "run.exe\xa0", "run.exe\xe3\x80\x80",
    "run.exe\xe2\x80\x83", "run.exe\xe2\x80\xa8", "x.exe." CLSID, "x.exe" CLSID, "x.exe." CLSID ".", "x.exe.{}.{1}",
    "run.exe\xe2\x90\x80.txt", "run.exe\x01.txt", "run.e\x01xe", "run.exe\x7f.txt", "run.exe\n.txt",
    "a\001run.exe\x02.txt", "run.exe\x01\x02.txt\x03.pdf", "r\xe2\x90\x80u\xe2\x90\x80.\xe2\x90\200e\xe2\x90\200xe",
    "run.\xe2\x80\256exe", "run.e\xe2\x80\x8bxe", "run.exe\xe2\x80\x8f", "run.ex\xe2\x81\240e", "run.\xef\xbb\277exe",
    "run.e\xc2\xadxe", "run.exe\xef\xb8\x8f", "run.\xef\xbd\x85\xef\xbd\x98\xef\xbd\x85", "run\xef\xbc\216exe",
    "run.\xef\xbc\xa5\xef\xbc\xb8\xef\xbc\xa5", "run\xe2\x80\244exe", "run\xef\xb9\222exe", "run\xe3\x80\202exe",
    "run.\xf0\x9d\x90\x9e\xf0\x9d\x90\xb1\xf0\x9d\x90\x9e", "run.\xe2\x93\x94\xe2\x93\xa7\xe2\x93\x94", "run.j\xc5\xbf",
    "x.exe:y", "x.exe::$DATA", "x.exe:y:$DATA", "x.exe.:y", "\"run.exe\"", "'run.exe'", "run.exe\"", "run.exe'.",
    "\xe2\x80\x9crun.exe\xe2\x80\x9d", "<run.exe>", "dir/run.exe", "C:\\dir\\run.exe", "run.exe/", "run.exe\\", "a.zip/run.exe",
    "/run.exe", "../../run.exe", "http://example.net/run.exe", "www.example.com", "run.js", "back.tar.gz", "run.ws",
    "\xff\376run.exe", "\xc3\xa4\xc3\xb6.exe", "run\xe9.exe", "run.exe\xc2\x85", "run.exe \"", "run.exe\xe2\xa0\x80",
};

static const char *const misses[] = {
    "", ".", "...", "exe", "run", "run.txt", "readme.exe.txt", "post.htm_kopija.zip", "run_exe", "run.exe_", "run.exe2",
    "run.exec", "runexe", "run.ex", "run.exe.zip", "run.exe/readme.txt", "run.exe\\readme.txt", "exe.pdf", "com.example.txt",
    "C:\\run.com\\x.pdf", "http://example.com/x.pdf", "http://example.com:80/x.pdf", "x.jsx", "x.json", "x.tar", "x.gz",
    "foo.tar.gzip", "x.pdf:exe", "x.pdf:run", "{exe}", CLSID, ("x." CLSID), "run. exe", "run.e xe", "\xc3\xa4.txt", "run.\xd0\xb5xe",
    "x.exe-signed.pdf", "mail.example.com.txt", "run.exe (1).txt", "run\xc3\xa9xe", "12.30 Uhr", "a.b", "tar.gz", ".zip",
};

static struct strset *extensions;
static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_create(4096);
    extensions = strset_create(arena);
    for (size_t i = 0; i < sizeof listed / sizeof *listed; i++)
        strset_add(extensions, span_of(listed[i]));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_destroy(arena);
    return 0;
}

static void finds_what_is_forbidden(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hits / sizeof *hits; i++) {
        if (!filename_has_extension(hits[i], extensions))
            fail_msg("missed: \"%s\"", hits[i]);
    }
}

static void leaves_the_rest_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof misses / sizeof *misses; i++) {
        if (filename_has_extension(misses[i], extensions))
            fail_msg("hit: \"%s\"", misses[i]);
    }
}

static void long_names_end_where_they_end(void **state)
{
    (void)state;
    size_t len = 1 << 20;
    char *name = malloc(len + 16);
    memset(name, 'a', len);
    strcpy(name + len, ".exe");
    assert_true(filename_has_extension(name, extensions));
    memset(name + len - 3000, 1, 3000); /* many control characters: still quick, still seen through */
    assert_true(filename_has_extension(name, extensions));
    strcpy(name + len, ".txt");
    assert_false(filename_has_extension(name, extensions));
    free(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_is_forbidden),
        cmocka_unit_test(leaves_the_rest_alone),
        cmocka_unit_test(long_names_end_where_they_end),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
