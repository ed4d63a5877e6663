/* Every way to put a file name into a message, and every way to make a message too much. */
#include "unit.h"

#include "core/content.h"
#include "mime/scan.h"
#include "util/clock.h"
#include "util/strbuf.h"
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define DATA TEST_SRCDIR "/tests/unit/mime/data/"

static struct archive_scanner *scanner;
static struct scan_limits limits;
static const struct content_limits content_limits = {"/tmp", 1 << 20, 64 << 20, 0};

static struct strbuf paths, names, troubles, sizes;
static unsigned stop_after, seen;

static int take_name(void *context, const char *path, const char *name)
{
    (void)context;
    strbuf_printf(&paths, "%s\n", path);
    strbuf_printf(&names, "%s\n", name);
    return ++seen == stop_after;
}

static int take_size(void *context, const char *path, uint64_t bytes)
{
    (void)context;
    strbuf_printf(&sizes, "%s=%llu\n", path, (unsigned long long)bytes);
    return 0;
}

static int take_trouble(void *context, enum scan_trouble trouble, const char *path)
{
    (void)context;
    strbuf_printf(&troubles, "%d %s\n", (int)trouble, path);
    return 0;
}

static const struct scan_sink sink = {NULL, take_name, take_size, take_trouble};

static void forget(void)
{
    strbuf_free(&paths);
    strbuf_free(&names);
    strbuf_free(&troubles);
    strbuf_free(&sizes);
    seen = 0;
}

static int setup(void **state)
{
    (void)state;
    scanner = archive_scanner_create("/tmp");
    scan_init();
    strbuf_init(&paths, 0);
    strbuf_init(&names, 0);
    strbuf_init(&troubles, 0);
    strbuf_init(&sizes, 0);
    limits = (struct scan_limits){1000, 50, true, {4, 1000, 10 << 20, 5000}, "/tmp"};
    return scanner ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    forget();
    archive_scanner_destroy(scanner);
    return 0;
}

static void scan_bytes(const char *bytes, size_t len)
{
    forget();
    struct content *content = content_create(&content_limits);
    assert_int_equal(content_append(content, (struct span){bytes, len}), 0);
    assert_int_equal(scan_message(content, &limits, scanner, &sink), 0);
    content_destroy(content);
}

static bool has_line(const struct strbuf *lines, const char *wanted)
{
    size_t len = strlen(wanted);
    for (const char *at = strbuf_text(lines); (at = strstr(at, wanted)); at++) {
        if ((at == lines->ptr || at[-1] == '\n') && at[len] == '\n')
            return true;
    }
    return false;
}

struct row {
    const char *message;
    const char *expected; /* a path */
};

#define MULTI "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b\r\n"
#define END "\r\n\r\ndata\r\n--b--\r\n"

static const struct row rows[] = {
    {"Content-Disposition: attachment; filename=run.exe\r\n\r\nx", "run.exe"},
    {"Content-Type: application/x; name=\"run.exe\"\r\n\r\nx", "run.exe"},
    {MULTI "Content-Disposition: attachment; filename=\"run.exe\"" END, "run.exe"},
    {MULTI "Content-Type: application/octet-stream; name=run.exe" END, "run.exe"},
    {MULTI "Content-Type: application/octet-stream\r\n\tname=run.exe" END, "run.exe"},
    {MULTI "content-disposition : attachment; FileName = \"run.exe\"" END, "run.exe"},
    {MULTI "Content-Disposition: attachment; filename=run me.exe" END, "run me.exe"},
    {MULTI "Content-Disposition: attachment; filename=run.exe blah" END, "run.exe"},
    {MULTI "Content-Disposition: attachment; filename=\"run.exe" END, "run.exe"},
    {MULTI "Content-Disposition: attachment; filename=\"run.exe; size=4" END, "run.exe"},
    {MULTI "Content-Disposition: attachment; filename=\"run\".exe" END, "run.exe"},
    {MULTI "Content-Disposition: attachment; filename=(c)run.exe(d)" END, "run.exe"},
    {MULTI "Content-Disposition: attachment; filename=a.txt; filename=run.exe" END, "run.exe"},
    {MULTI "Content-Disposition: attachment; filename=run.exe; filename=a.txt" END, "run.exe"},
    {MULTI "Content-Disposition: attachment; filename=a.txt\r\nContent-Disposition: attachment; filename=run.exe" END, "run.exe"},
    {MULTI "Content-Disposition: attachment; filename=a.txt\r\nContent-Type: x/y; name=run.exe" END, "run.exe"},
    {MULTI "Content-Disposition: attachment; filename=a.txt; filename*=utf-8''run%2eexe" END, "run.exe"},
    {MULTI "Content-Disposition: attachment; filename*=utf-8'de'%c3%a4.exe" END, "\xc3\xa4.exe"},
    {MULTI "Content-Disposition: attachment; filename*=iso-8859-1''%e4.exe" END, "\xc3\xa4.exe"},
    {MULTI "Content-Disposition: attachment; filename*=utf-16le''r%00u%00n%00.%00e%00x%00e%00" END, "run.exe"},
    {MULTI "Content-Disposition: attachment; filename*=\"utf-8''run%2Eexe\"" END, "run.exe"},
    {MULTI "Content-Disposition: attachment; filename*=run.exe" END, "run.exe"},
    {MULTI "Content-Disposition: attachment; filename*=nonsense'run.exe" END, "nonsense'run.exe"},
    {MULTI "Content-Disposition: attachment; filename*0=\"run\"; filename*1=\".exe\"" END, "run.exe"},
    {MULTI "Content-Disposition: attachment; filename*1=\".exe\";\r\n filename*0=\"run\"" END, "run.exe"},
    {MULTI "Content-Disposition: attachment; filename*0=run; filename*2=.exe" END, "run.exe"},
    {MULTI "Content-Disposition: attachment; filename*0=run.exe; filename*2=.txt" END, "run.exe"},
    {MULTI "Content-Disposition: attachment; filename*0=ru; filename*1=n.exe; filename*3=.txt" END, "run.exe"},
    {MULTI "Content-Disposition: attachment; filename*0*=utf-8''run%2e; filename*1=exe" END, "run.exe"},
    {MULTI "Content-Disposition: attachment; filename*0=run; filename*1*=%2eexe" END, "run.exe"},
    {MULTI "Content-Disposition: attachment; filename*0*=iso-8859-1''%e4; filename*1*=.exe" END, "\xc3\xa4.exe"},
    {MULTI "Content-Disposition: attachment; filename*0=run; filename*1=.txt; filename*1=.exe" END, "run.exe"},
    {MULTI "Content-Type: x/y; name*0=run; name*1=.exe" END, "run.exe"},
    {MULTI "Content-Disposition: attachment; filename=\"=?utf-8?B?cnVuLmV4ZQ==?=\"" END, "run.exe"},
    {MULTI "Content-Disposition: attachment; filename==?utf-8?Q?run=2eexe?=" END, "run.exe"},
    {MULTI "Content-Type: x/y; name=\"=?utf-8?Q?run?=\r\n =?utf-8?Q?=2Eexe?=\"" END, "run.exe"},
    {MULTI "Content-Type: x/y; name=\"=?utf-8?B?cnVuLmV4ZQ\"" END, "run.exe"},
    {MULTI "Content-Type: x/y; name=\"=?iso-8859-1?Q?=E4_b.exe?=\"" END, "\xc3\xa4 b.exe"},
    {MULTI "Content-Type: x/y; name=\"ru\r\n n.exe\"" END, "run.exe"},
    {MULTI "Content-Type: x/y; name=\"run\\.exe\"" END, "run.exe"},
    {MULTI "Content-Type: x/y; name=\"C:\\tmp\\run.exe\"" END, "C:\\tmp\\run.exe"},
    {MULTI "Content-Type: x/y; name=run%2Eexe" END, "run.exe"},
    {MULTI "Content-Description: run.exe" END, "run.exe"},
    {MULTI "Content-Description: =?utf-8?Q?run=2Eexe?=" END, "run.exe"},
    {MULTI "Content-Description: My photo.scr" END, "My photo.scr"},
    {MULTI "Content-Type: message/external-body; access-type=x; name=run.exe" END, "run.exe"},
    {MULTI "Content-Type: message/partial; id=1; number=1; name=run.exe" END, "run.exe"},
    {MULTI "Content-Type: message/rfc822\r\n\r\nSubject: x\r\nContent-Type: x/y; name=run.exe" END, "message/run.exe"},
    {MULTI "Content-Type: message/rfc822; name=in.eml\r\n\r\n" MULTI "Content-Type: x/y; name=run.exe" END, "in.eml/run.exe"},
    {MULTI "Content-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\nContent-Type: x/y; name=run.exe\r\n\r\n--c--" END, "run.exe"},
    {MULTI "Content-Type: x/y; name=run.exe\r\n\r\nno end", "run.exe"},
    {MULTI "Content-Type: x/y; name=run.exe", "run.exe"},
    {MULTI "Content-Type: x/y; name=run.exe\r\n--b--\r\n", "run.exe"},
    {"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: x/y; name=run.exe\n\nx\n--b--\n", "run.exe"},
    {"Content-Type: multipart/mixed; boundary=\"b b\"\r\n\r\n--b b  \r\nContent-Type: x/y; name=run.exe\r\n\r\nx\r\n--b b--\r\n", "run.exe"},
    {"Content-Type: multipart/mixed; boundary=a\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: x/y; name=run.exe" END, "run.exe"},
    {"Content-Type: multipart/mixed; boundary=b\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n--b\r\nContent-Type: x/y; name=run.exe" END, "run.exe"},
    {"Content-Type: multipart/mixed; boundary=a; boundary=b\r\n\r\n--b\r\nContent-Type: x/y; name=run.exe" END, "run.exe"},
    {"Content-Type: text/plain\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: x/y; name=run.exe" END, "run.exe"},
    {"Content-Type: multipart/mixed; boundary=b\r\nContent-Type: text/plain\r\n\r\n--b\r\nContent-Type: x/y; name=run.exe" END, "run.exe"},
    {"\r\nbegin 644 run.exe\r\n#86)C\r\n", "run.exe"},
    {"garbage before all\r\nSubject: x\r\nContent-Type: x/y; name=run.exe\r\n\r\nx", "run.exe"},
    {"From someone Sat Jan  1\r\nSubject: x\r\nContent-Type: x/y; name=run.exe\r\n\r\nx", "run.exe"},
    {"Subject: x\r\n\r\nlook:\r\nbegin 644 run.exe\r\n#86)C\r\n`\r\nend\r\n", "run.exe"},
    {"Subject: x\r\n\r\nbegin 0755 run me.exe\n#86)C\n`\nend\n", "run me.exe"},
    {"Content-Type: text/html\r\n\r\n<pre>\r\nbegin 644 run.exe\r\n", "run.exe"},
    {"Content-Type: multipart/mixed; boundary=b\r\n\r\nbegin 644 run.exe\r\n#86)C\r\n`\r\nend\r\n--b\r\n\r\nx\r\n--b--\r\n", "run.exe"},
    {MULTI "Content-Type: x/y" END "begin 644 run.exe\r\n#86)C\r\n`\r\nend\r\n", "run.exe"},
    {MULTI "Content-Type: application/octet-stream\r\n\r\nbegin 644 run.exe\r\n#86)C\r\n" END, "run.exe"},
    {"Content-Transfer-Encoding: base64\r\n\r\nYmVnaW4gNjQ0IHJ1bi5leGUKIzg2KUMKYAplbmQK\r\n", "run.exe"},
    {"Content-Transfer-Encoding: quoted-printable\r\n\r\nbeg=\r\nin 644 run=2Eexe\r\n#86)C\r\n", "run.exe"},
    {"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 run.exe\r\n#86)C\r\n`\r\nend\r\n", "run.exe"},
    {"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nQ29udGVudC1UeXBlOiB4L3k7IG5hbWU9cnVuLmV4ZQ0KDQp4\r\n", "attachment/run.exe"},
    {"Content-Type: x/y; name=in.eml\r\nContent-Transfer-Encoding: base64\r\n\r\nQ29udGVudC1UeXBlOiB4L3k7IG5hbWU9cnVuLmV4ZQ0KDQp4\r\n", "in.eml/run.exe"},
    {"Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nContent-Type: x/y; name=run.exe" END, "message/run.exe"},
};

static void finds_every_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        scan_bytes(rows[i].message, strlen(rows[i].message));
        if (!has_line(&paths, rows[i].expected))
            fail_msg("row %zu: %s\nfound:\n%s", i, rows[i].message, strbuf_text(&paths));
        if (paths.len > 2000 || troubles.len > 0)
            fail_msg("row %zu: %s %s", i, strbuf_text(&paths), strbuf_text(&troubles));
    }
}

static void leaves_prose_alone(void **state)
{
    (void)state;
    static const char *const quiet[] = {
        "Subject: run.exe\r\n\r\nrun.exe is attached\r\n",
        "Subject: x\r\n\r\nLet us\r\nbegin with run.exe\r\nbegin 64 x\r\nbegin 999 run.exe\r\n begin 644 run.exe\r\n",
        MULTI "Content-Description: The new version of run.exe is here" END,
        MULTI "Content-Description: Newsletter of example.com" END,
        MULTI "Content-Description: www.example.com" END,
        MULTI "X-Content-Disposition: attachment; filename=run.exe" END,
    };
    for (size_t i = 0; i < sizeof quiet / sizeof *quiet; i++) {
        scan_bytes(quiet[i], strlen(quiet[i]));
        if (seen)
            fail_msg("%s\nfound: %s", quiet[i], strbuf_text(&paths));
    }
}

static void a_nul_is_shown(void **state)
{
    (void)state;
    static const char message[] = "Content-Type: x/y; name=\"run.exe\0.txt\"\r\n\r\nx";
    scan_bytes(message, sizeof message - 1);
    assert_true(has_line(&paths, "run.exe\xe2\x90\x80.txt"));
}

/* ---- attachments ---- */

static struct strbuf load(const char *name)
{
    struct strbuf all;
    char block[4096], path[512];
    size_t n;
    snprintf(path, sizeof path, DATA "%s", name);
    strbuf_init(&all, 64 << 20);
    FILE *from = fopen(path, "rb");
    assert_non_null(from);
    while ((n = fread(block, 1, sizeof block, from)) > 0)
        strbuf_add(&all, (struct span){block, n});
    fclose(from);
    return all;
}

static void add_base64(struct strbuf *to, struct span bytes)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.len; i += 3) {
        unsigned bits = 0;
        for (size_t j = 0; j < 3; j++)
            bits = bits << 8 | (i + j < bytes.len ? (unsigned char)bytes.ptr[i + j] : 0);
        for (int shift = 18; shift >= 0; shift -= 6)
            strbuf_putc(to, alphabet[bits >> shift & 63]);
        if (i + 3 > bytes.len)
            memcpy(to->ptr + to->len - (i + 3 - bytes.len), "==", i + 3 - bytes.len);
        if (i / 3 % 19 == 18)
            strbuf_puts(to, "\r\n");
    }
    strbuf_puts(to, "\r\n");
}

static void scan_attached(const char *header, struct span bytes, const char *junk)
{
    struct strbuf message;
    strbuf_init(&message, 200 << 20);
    strbuf_printf(&message, MULTI "%sContent-Transfer-Encoding: base64\r\n\r\n%s", header, junk);
    add_base64(&message, bytes);
    strbuf_puts(&message, "--b--\r\n");
    scan_bytes(message.ptr, message.len);
    strbuf_free(&message);
}

static void opens_archives_by_content(void **state)
{
    (void)state;
    static const struct {
        const char *header, *expected;
    } kinds[] = {
        {"Content-Type: application/zip; name=in.rar\r\n", "in.rar/doc/run.exe"},
        {"Content-Type: application/octet-stream\r\n", "attachment/doc/run.exe"},
        {"Content-Type: text/plain; name=letter.txt\r\n", "letter.txt/doc/run.exe"},
        {"Content-Type: image/png\r\n", "attachment/doc/run.exe"},
        {"", "attachment/doc/run.exe"},
    };
    struct strbuf rar = load("stored5.rar");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        scan_attached(kinds[i].header, (struct span){rar.ptr, rar.len}, i % 2 ? "*-\r\n!!\r\n" : "");
        if (!has_line(&paths, kinds[i].expected))
            fail_msg("%s: %s", kinds[i].header, strbuf_text(&paths));
        assert_true(has_line(&names, "run.exe"));
    }
    limits.open_archives = false;
    scan_attached("", (struct span){rar.ptr, rar.len}, "");
    assert_int_equal(seen, 0);
    limits.open_archives = true;
    strbuf_free(&rar);
    struct strbuf zip = load("enc.zip"), all;
    scan_attached("Content-Type: x/y; name=in.zip\r\n", (struct span){zip.ptr, zip.len}, "");
    assert_true(has_line(&paths, "in.zip/run.exe"));
    assert_true(has_line(&troubles, "1 in.zip"));
    strbuf_init(&all, 1 << 20); /* behind 100 kB of something else: only its end tells */
    for (int i = 0; i < 100000; i++)
        strbuf_putc(&all, "JFIF"[i % 4]);
    strbuf_add(&all, (struct span){zip.ptr, zip.len});
    scan_attached("Content-Type: image/jpeg; name=in.jpg\r\n", (struct span){all.ptr, all.len}, "");
    if (!has_line(&paths, "in.jpg/run.exe"))
        fail_msg("%s %s", strbuf_text(&paths), strbuf_text(&troubles));
    strbuf_free(&all);
    strbuf_free(&zip);
    scan_attached("Content-Type: x/y; name=run.exe.gz\r\n", (struct span){"\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0", 20}, "");
    assert_true(has_line(&paths, "run.exe.gz/run.exe"));
}

static void tells_sizes(void **state)
{
    (void)state;
    char bytes[1000];
    memset(bytes, 7, sizeof bytes);
    for (size_t len = 998; len <= 1000; len++) {
        char line[64];
        scan_attached("Content-Type: x/y; name=a.bin\r\n", (struct span){bytes, len}, "");
        snprintf(line, sizeof line, "a.bin=%zu", len);
        if (!has_line(&sizes, line))
            fail_msg("%s: %s", line, strbuf_text(&sizes));
    }
    char *large = calloc(1, 300000);
    scan_attached("Content-Type: x/y; name=a.bin\r\n", (struct span){large, 300000}, "");
    assert_true(has_line(&sizes, "a.bin=300000"));
    free(large);
    static const char quoted[] = "Content-Type: x/y; name=a\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na=3Db=\r\nc";
    scan_bytes(quoted, sizeof quoted - 1);
    assert_true(has_line(&sizes, "a=4"));
    static const char text[] = "Content-Type: text/plain\r\n\r\nhello\r\n";
    scan_bytes(text, sizeof text - 1);
    assert_int_equal(sizes.len, 0);
}

/* ---- winmail.dat ---- */

static void put(struct strbuf *to, uint32_t number, int bytes)
{
    for (; bytes > 0; bytes--, number >>= 8)
        strbuf_putc(to, (char)number);
}

static void add_attribute(struct strbuf *to, int level, uint32_t id, struct span data)
{
    put(to, (uint32_t)level, 1);
    put(to, id, 4);
    put(to, (uint32_t)data.len, 4);
    strbuf_add(to, data);
    put(to, 0, 2);
}

static struct strbuf make_tnef(struct span inner)
{
    struct strbuf tnef, list;
    strbuf_init(&tnef, 0);
    strbuf_init(&list, 0);
    put(&tnef, 0x223e9f78, 4);
    put(&tnef, 1, 2);
    add_attribute(&tnef, 1, 0x00069006, (struct span){"\0\0\1\0", 4});
    add_attribute(&tnef, 2, 0x00069002, (struct span){"12345678901234", 14});
    add_attribute(&tnef, 2, 0x00018010, (struct span){"RUN~1.EXE", 10});
    add_attribute(&tnef, 2, 0x0006800f, inner);
    put(&list, 3, 4);
    put(&list, 0x00030003, 4); /* a number */
    put(&list, 7, 4);
    put(&list, 0x8001001e, 4); /* a named property */
    strbuf_add(&list, (struct span){"0123456789abcdef", 16});
    put(&list, 1, 4);
    put(&list, 6, 4);
    strbuf_add(&list, (struct span){"a\0b\0\0\0\0\0", 8});
    put(&list, 1, 4);
    put(&list, 3, 4);
    strbuf_add(&list, (struct span){"xy\0\0", 4});
    put(&list, 0x3707001f, 4); /* the long name */
    put(&list, 1, 4);
    put(&list, 18, 4);
    strbuf_add(&list, (struct span){"l\0o\0n\0g\0.\0e\0x\0e\0\0\0\0\0", 20});
    add_attribute(&tnef, 2, 0x00069005, (struct span){list.ptr, list.len});
    strbuf_free(&list);
    return tnef;
}

static void opens_winmail(void **state)
{
    (void)state;
    struct strbuf rar = load("stored.rar");
    struct strbuf tnef = make_tnef((struct span){rar.ptr, rar.len});
    scan_attached("Content-Type: application/ms-tnef; name=winmail.dat\r\n", (struct span){tnef.ptr, tnef.len}, "");
    assert_true(has_line(&paths, "winmail.dat/RUN~1.EXE"));
    assert_true(has_line(&paths, "winmail.dat/long.exe"));
    assert_true(has_line(&paths, "winmail.dat/RUN~1.EXE/doc/run.exe"));
    assert_int_equal(troubles.len, 0);
    struct strbuf outer = make_tnef((struct span){tnef.ptr, tnef.len});
    scan_attached("", (struct span){outer.ptr, outer.len}, "");
    assert_true(has_line(&paths, "attachment/RUN~1.EXE/long.exe"));
    for (size_t len = 6; len < tnef.len; len++) /* cut anywhere: no harm, and said so */
        scan_attached("", (struct span){tnef.ptr, len}, "");
    scan_attached("", (struct span){tnef.ptr, tnef.len - 30}, "");
    assert_true(has_line(&troubles, "2 attachment"));
    strbuf_free(&outer);
    strbuf_free(&tnef);
    strbuf_free(&rar);
}

static void opens_uuencoded_archives(void **state)
{
    (void)state;
    struct strbuf rar = load("stored.rar"), message;
    strbuf_init(&message, 0);
    strbuf_puts(&message, "Subject: x\r\n\r\nhello\r\nbegin 644 in.dat\r\n");
    for (size_t i = 0; i < rar.len; i += 45) {
        size_t n = rar.len - i < 45 ? rar.len - i : 45;
        strbuf_putc(&message, (char)(32 + n));
        for (size_t j = i; j < i + n; j += 3) {
            unsigned bits = 0;
            for (size_t k = 0; k < 3; k++)
                bits = bits << 8 | (j + k < rar.len ? (unsigned char)rar.ptr[j + k] : 0);
            for (int shift = 18; shift >= 0; shift -= 6)
                strbuf_putc(&message, (char)((bits >> shift & 63) ? 32 + (bits >> shift & 63) : '`'));
        }
        strbuf_puts(&message, "\r\n");
    }
    strbuf_puts(&message, "`\r\nend\r\n");
    scan_bytes(message.ptr, message.len);
    assert_true(has_line(&paths, "in.dat/doc/run.exe"));
    strbuf_free(&message);
    strbuf_free(&rar);
}

/* ---- too much of it ---- */

static long peak_kb(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* Appends PIECE COUNT times to a message that starts with START, scans it, and returns the growth of the peak in kB. */
static long scan_many(const char *start, const char *piece, size_t count, const char *end)
{
    forget();
    struct content *content = content_create(&content_limits);
    struct strbuf block;
    strbuf_init(&block, 0);
    size_t len = strlen(piece), per_block = 65536 / len + 1;
    for (size_t i = 0; i < per_block; i++)
        strbuf_puts(&block, piece);
    content_append(content, span_of(start));
    for (; count > 0; count -= count < per_block ? count : per_block)
        content_append(content, (struct span){block.ptr, len * (count < per_block ? count : per_block)});
    content_append(content, span_of(end));
    strbuf_free(&block);
    malloc_trim(0);
    FILE *reset = fopen("/proc/self/clear_refs", "w"); /* forgets the peak so far */
    if (reset) {
        fputs("5", reset);
        fclose(reset);
    }
    long before = peak_kb();
    int64_t from = clock_monotonic_us();
    assert_int_equal(scan_message(content, &limits, scanner, &sink), 0);
    if (clock_monotonic_us() - from > 5000000)
        fail_msg("%s... took %lld us", start, (long long)(clock_monotonic_us() - from));
    content_destroy(content);
    return peak_kb() - before;
}

static void bounds_hold(void **state)
{
    (void)state;
    static const char b64[] = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB\r\n";
    static const struct {
        const char *what, *start, *piece, *end;
        size_t count;
        bool over;
        const char *expected;
    } cases[] = {
        {"50 MB attachment", MULTI "Content-Type: x/y; name=run.exe\r\nContent-Transfer-Encoding: base64\r\n\r\n", b64, "--b--\r\n", 650000, false, "run.exe"},
        {"50 MB of text", "Subject: x\r\n\r\n", b64, "begin 644 run.exe\r\n", 650000, false, "run.exe"},
        {"50 MB before the parts", "Content-Type: multipart/mixed; boundary=b\r\n\r\n", b64, "--b\r\nContent-Type: x/y; name=run.exe" END, 650000, false, "run.exe"},
        {"50 MB behind the parts", MULTI "Content-Type: x/y; name=run.exe" END, b64, "", 650000, false, "run.exe"},
        {"no boundary", "Content-Type: multipart/mixed\r\n\r\n", b64, "begin 644 run.exe\r\n", 650000, false, "run.exe"},
        {"100000 parts", "Content-Type: multipart/mixed; boundary=b\r\n\r\n", "--b\r\n\r\nx\r\n", "", 100000, true, NULL},
        {"10000 levels", "Content-Type: message/rfc822\r\n\r\n", "Content-Type: message/rfc822\r\n\r\n", "", 10000, true, NULL},
        {"10000 multiparts", "Content-Type: multipart/mixed; boundary=b\r\n\r\n", "--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n", "", 10000, true, NULL},
        {"10 MB line", "Subject: x\r\n\r\n", "xxxxxxxxxx", "\r\nbegin 644 run.exe\r\n", 1000000, false, "run.exe"},
        {"10 MB of dashes", MULTI, "----------", "\r\n--b\r\nContent-Type: x/y; name=run.exe" END, 1000000, false, "run.exe"},
        {"10 MB of bare CR", "Subject: x\r\n\r\n", "x\r", "", 5000000, false, NULL},
        {"10 MB of short dashes", MULTI, "--\r\n", "--b\r\nContent-Type: x/y; name=run.exe" END, 2500000, false, "run.exe"},
        {"10 MB header field", "Subject: ", "xxxxxxxxxx", "\r\nContent-Type: x/y; name=run.exe\r\n\r\n", 1000000, false, "run.exe"},
        {"10 MB of header fields", "X: y\r\n", "X: y\r\n", "Content-Type: x/y; name=run.exe\r\n\r\n", 1700000, false, "run.exe"},
        {"10 MB Content-Type", "Content-Type: x/y", "; a=b", "\r\n\r\n", 2000000, true, NULL},
        {"many Content-Types", "X: y\r\n", "Content-Type: x/y\r\n", "\r\n", 500000, true, NULL},
        {"digest without end", "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n", "\r\n", "", 1000000, false, NULL},
        {"begins without end", "Subject: x\r\n\r\n", "begin 644 a\r\n", "begin 644 run.exe\r\n", 20000, false, "run.exe"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        long grown = scan_many(cases[i].start, cases[i].piece, cases[i].count, cases[i].end);
        bool over = strstr(strbuf_text(&troubles), "0 ") != NULL;
        if (over != cases[i].over || (cases[i].expected && !has_line(&paths, cases[i].expected)))
            fail_msg("%s: over %d, troubles %s, %u names", cases[i].what, over, strbuf_text(&troubles), seen);
#ifndef __SANITIZE_ADDRESS__
        if (grown > 20000)
            fail_msg("%s: %ld kB more", cases[i].what, grown);
#endif
        (void)grown;
    }
}

static void limits_are_exact(void **state)
{
    (void)state;
    limits.max_parts = 10;
    scan_many("Content-Type: multipart/mixed; boundary=b\r\n\r\n", "--b\r\n\r\nx\r\n", 9, "--b--\r\n");
    assert_int_equal(troubles.len, 0);
    scan_many("Content-Type: multipart/mixed; boundary=b\r\n\r\n", "--b\r\n\r\nx\r\n", 10, "--b--\r\n");
    assert_true(has_line(&troubles, "0 "));
    limits.max_parts = 1000;
    limits.max_levels = 5;
    scan_many("Subject: x\r\n", "Content-Type: message/rfc822\r\n\r\n", 5, "Content-Type: x/y; name=a\r\n\r\n");
    assert_int_equal(troubles.len, 0);
    assert_true(has_line(&paths, "message/message/message/message/message/a"));
    scan_many("Subject: x\r\n", "Content-Type: message/rfc822\r\n\r\n", 6, "Content-Type: x/y; name=a\r\n\r\n");
    assert_true(has_line(&troubles, "0 "));
    limits.max_levels = 50;
}

static void the_sink_can_stop(void **state)
{
    (void)state;
    static const char message[] = MULTI "Content-Type: x/y; name=a\r\n\r\nx\r\n--b\r\nContent-Type: x/y; name=b" END;
    stop_after = 1;
    scan_bytes(message, sizeof message - 1);
    assert_int_equal(seen, 1);
    stop_after = 0;
    scan_bytes(message, sizeof message - 1);
    assert_int_equal(seen, 2);
}

static void counts_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        size_t count;
    } lists[] = {
        {"", 0}, {"a@example.net", 1}, {"A <a@example.net>, \"b, c\" <b@example.net>", 2},
        {"friends: a@example.net, b@example.net;, c@example.net", 3}, {"undisclosed-recipients:;", 0},
        {"a@example.net,\r\n b@example.net", 2},
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        assert_int_equal(scan_count_addresses(&lists[i].value, 1), lists[i].count);
    const char *both[] = {lists[1].value, lists[2].value};
    assert_int_equal(scan_count_addresses(both, 2), 3);
    struct strbuf many;
    strbuf_init(&many, 64 << 20);
    for (int i = 0; i < 50000; i++)
        strbuf_puts(&many, "someone@example.net, ");
    const char *value = many.ptr;
    assert_int_equal(scan_count_addresses(&value, 1), 50000);
    memset(many.ptr, ':', many.len);
    scan_count_addresses(&value, 1); /* groups in groups in groups: comes back */
    strbuf_free(&many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_every_name),
        cmocka_unit_test(leaves_prose_alone),
        cmocka_unit_test(a_nul_is_shown),
        cmocka_unit_test(opens_archives_by_content),
        cmocka_unit_test(tells_sizes),
        cmocka_unit_test(opens_winmail),
        cmocka_unit_test(opens_uuencoded_archives),
        cmocka_unit_test(bounds_hold),
        cmocka_unit_test(limits_are_exact),
        cmocka_unit_test(the_sink_can_stop),
        cmocka_unit_test(counts_addresses),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
