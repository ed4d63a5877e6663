/*
 * srs_keys - reads the lines of the secrets file, and writes them anew for a rotation.
 *
 * A rotation keeps every line as it is, puts a new key and the line "# retired DATE" in front, and leaves out the keys
 * (not the comments) behind a date that is more than max_age days and one ago: what they signed has expired. The one
 * day more is for clocks, and for other machines that got the new file later.
 *
 * A file that we make begins with a key and not with a comment, because PostSRSd 1 takes every line for a key.
 */
#include "srs/srs_keys.h"
#include "srs/srs_keys_file.h"
#include "util/strbuf.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <time.h>

#define DAY 86400
#define RANDOM_BYTES 30 /* 40 characters of base64, without padding */
#define RETIRED "# retired "

/* ---- lines ---- */

/* Cuts a line from the front of REST; its end of line goes as well. */
static bool next_line(struct span *rest, struct span *line)
{
    if (rest->len == 0)
        return false;
    const char *end = memchr(rest->ptr, '\n', rest->len);
    line->ptr = rest->ptr;
    line->len = end ? (size_t)(end - rest->ptr) : rest->len;
    size_t used = line->len + (end != NULL);
    rest->ptr += used;
    rest->len -= used;
    return true;
}

static bool is_secret(struct span line)
{
    line = span_trim(line);
    return line.len > 0 && line.ptr[0] != '#';
}

/* What is wrong with a line, or NULL. */
static const char *fault_of(struct span line)
{
    if (line.len > SRS_KEYS_LINE_MAX)
        return "is longer than 1000 octets";
    return memchr(line.ptr, '\0', line.len) ? "holds a NUL" : NULL;
}

static int check_lines(const char *path, struct span content, struct arena *arena, size_t *count, const char **problem)
{
    struct span line;
    *count = 0;
    for (unsigned number = 1; next_line(&content, &line); number++) {
        const char *fault = fault_of(line);
        if (fault) {
            *problem = arena_printf(arena, "%s:%u: the line %s", path, number, fault);
            return -1;
        }
        *count += is_secret(line);
    }
    if (*count > 0 && *count <= SRS_KEYS_MAX)
        return 0;
    *problem = *count ? arena_printf(arena, "%s: holds more than %d secrets", path, SRS_KEYS_MAX)
                      : arena_printf(arena, "%s: holds no secret", path);
    return -1;
}

/* ---- reading ---- */

struct srs_keys *srs_keys_read(const char *path, struct arena *arena, bool *is_missing, const char **problem)
{
    struct srs_keys_file file;
    struct span line;
    size_t count;
    if (srs_keys_file_read(path, false, arena, &file, is_missing, problem) != 0)
        return NULL;
    if (check_lines(path, file.content, arena, &count, problem) != 0) {
        srs_keys_file_close(&file);
        return NULL;
    }
    struct srs_keys *keys = calloc(1, sizeof *keys);
    struct span *secrets = calloc(count, sizeof *secrets);
    if (!keys || !secrets)
        abort();
    for (struct span rest = file.content; next_line(&rest, &line);) {
        if (!is_secret(line))
            continue;
        line = span_trim(line);
        char *copy = malloc(line.len);
        if (!copy)
            abort();
        memcpy(copy, line.ptr, line.len);
        secrets[keys->count++] = (struct span){copy, line.len};
    }
    keys->secrets = secrets;
    srs_keys_file_close(&file);
    return keys;
}

void srs_keys_free(struct srs_keys *keys)
{
    for (size_t i = 0; keys && i < keys->count; i++)
        srs_keys_wipe(keys->secrets[i]);
    if (keys)
        free(keys->secrets);
    free(keys);
}

/* ---- writing ---- */

/* A new key and the end of its line. */
static int add_key(struct strbuf *out, const char *path, struct arena *arena, const char **problem)
{
    unsigned char bytes[RANDOM_BYTES], text[RANDOM_BYTES / 3 * 4 + 1];
    if (RAND_priv_bytes(bytes, sizeof bytes) != 1) {
        *problem = arena_printf(arena, "%s: there are no random numbers for a key", path);
        return -1;
    }
    EVP_EncodeBlock(text, bytes, sizeof bytes);
    strbuf_puts(out, (const char *)text);
    strbuf_putc(out, '\n');
    OPENSSL_cleanse(bytes, sizeof bytes);
    OPENSSL_cleanse(text, sizeof text);
    return 0;
}

/* strbuf_free(), when nothing can be read from it any more. */
static void wipe(struct strbuf *buf)
{
    if (buf->ptr)
        OPENSSL_cleanse(buf->ptr, buf->len);
    strbuf_free(buf);
}

int srs_keys_create(const char *path, struct arena *arena, const char **problem)
{
    struct strbuf out;
    strbuf_init(&out, 0);
    int status = add_key(&out, path, arena, problem);
    if (status == 0)
        status = srs_keys_file_create(path, (struct span){out.ptr, out.len}, arena, problem);
    wipe(&out);
    return status;
}

/* The day of "# retired YYYY-MM-DD", in days since 1970; false: another line. */
static bool read_retired(struct span line, int64_t *day)
{
    static const char form[] = "0000-00-00";
    line = span_trim(line);
    if (line.len != strlen(RETIRED) + strlen(form) || memcmp(line.ptr, RETIRED, strlen(RETIRED)) != 0)
        return false;
    const char *text = line.ptr + strlen(RETIRED);
    int number[3] = {0, 0, 0}, part = 0;
    for (size_t i = 0; form[i]; i++) {
        if (form[i] == '-' ? text[i] != '-' : text[i] < '0' || text[i] > '9')
            return false;
        if (form[i] == '-')
            part++;
        else
            number[part] = number[part] * 10 + (text[i] - '0');
    }
    struct tm date = {.tm_year = number[0] - 1900, .tm_mon = number[1] - 1, .tm_mday = number[2]};
    *day = timegm(&date) / DAY;
    return true;
}

static void add_retired(struct strbuf *out, int64_t now)
{
    time_t when = (time_t)now;
    struct tm date;
    if (gmtime_r(&when, &date))
        strbuf_printf(out, RETIRED "%04d-%02d-%02d\n", date.tm_year + 1900, date.tm_mon + 1, date.tm_mday);
}

/* The lines of CONTENT that stay. *KEPT counts their secrets. */
static void add_kept(struct strbuf *out, struct span content, int64_t oldest, size_t *kept)
{
    struct span line;
    bool is_old = false;
    int64_t day;
    *kept = 0;
    while (next_line(&content, &line)) {
        bool is_date = read_retired(line, &day);
        if (is_date)
            is_old = day < oldest;
        if (is_old && (is_date || is_secret(line)))
            continue;
        *kept += is_secret(line);
        strbuf_add(out, line);
        strbuf_putc(out, '\n');
    }
}

int srs_keys_rotate(const char *path, struct arena *arena, int64_t max_age, int64_t now, size_t *kept,
                    const char **problem)
{
    struct srs_keys_file file;
    struct strbuf out;
    bool is_missing;
    size_t count;
    if (srs_keys_file_read(path, true, arena, &file, &is_missing, problem) != 0)
        return -1;
    strbuf_init(&out, 0);
    int status = check_lines(path, file.content, arena, &count, problem);
    if (status == 0)
        status = add_key(&out, path, arena, problem);
    if (status == 0) {
        add_retired(&out, now);
        add_kept(&out, file.content, now / DAY - max_age - 1, kept);
        if (*kept >= SRS_KEYS_MAX) {
            *problem = arena_printf(arena, "%s: holds %zu secrets that are still needed, and there may be %d", path,
                                    *kept, SRS_KEYS_MAX);
            status = -1;
        }
    }
    if (status == 0)
        status = srs_keys_file_replace(path, &file, (struct span){out.ptr, out.len}, arena, problem);
    wipe(&out);
    srs_keys_file_close(&file);
    return status;
}
