/*
 * scan_again - the same bytes as programs see them that read the header differently from GMime.
 *
 * A multipart is read once more with each boundary that somebody might take from its Content-Type, with a guessed one
 * if there is none, and from where a boundary stands again behind the last one. AGAIN_MAX times a message in all.
 */
#include "mime/params.h"
#include "mime/scan_private.h"
#include <stdio.h>
#include <stdlib.h>

#define AGAIN_MAX 64 /* second readings of a message; a forwarded folder of encoded messages needs one each */
#define OTHERS_MAX 16 /* other boundaries of one multipart */

bool scan_mentions(struct span value, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= value.len; i++) {
        if (strncasecmp(value.ptr + i, word, len) == 0)
            return true;
    }
    return false;
}

struct boundaries {
    const char *used; /* by GMime; NULL if it took the part for a leaf */
    char *others[OTHERS_MAX];
    size_t count;
};

static void add_boundary(struct boundaries *found, struct span value)
{
    value = span_trim(value);
    if (value.len == 0 || value.len > 200 || memchr(value.ptr, '"', value.len) || memchr(value.ptr, '\n', value.len) ||
        (found->used && span_equals(value, found->used)) || found->count == OTHERS_MAX)
        return;
    for (size_t i = 0; i < found->count; i++) {
        if (span_equals(value, found->others[i]))
            return;
    }
    found->others[found->count++] = strndup(value.ptr, value.len);
}

/* A boundary as it stands, without a comment behind it, and without single quotes around it. */
static int collect_boundary(void *context, const struct param *param)
{
    struct boundaries *found = context;
    struct span value = span_trim(param->value);
    if (!span_equals_nocase(param->name, "boundary"))
        return 0;
    add_boundary(found, value);
    const char *comment = param->quoted ? NULL : memchr(value.ptr, '(', value.len);
    if (comment)
        add_boundary(found, (struct span){value.ptr, (size_t)(comment - value.ptr)});
    if (value.len > 2 && value.ptr[0] == '\'' && value.ptr[value.len - 1] == '\'')
        add_boundary(found, (struct span){value.ptr + 1, value.len - 2});
    return found->count == OTHERS_MAX;
}

/* The first line of SOURCE that could be a delimiter: for a multipart whose boundary was never told. */
static void guess_boundary(struct boundaries *found, const struct source *source)
{
    char head[4096];
    ssize_t n = source_read(source, 0, head, sizeof head);
    const char *at = head, *end = head + (n > 0 ? n : 0);
    while (at && end - at > 2 && memcmp(at, "--", 2) != 0) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        at = newline ? newline + 1 : NULL;
    }
    const char *line_end = at && end - at > 2 ? memchr(at, '\n', (size_t)(end - at)) : NULL;
    if (line_end)
        add_boundary(found, (struct span){at + 2, (size_t)(line_end - at - 2)});
}

bool scan_may_look_again(struct scan *scan, const char *prefix)
{
    if (scan->again++ < AGAIN_MAX)
        return true;
    if (scan->again == AGAIN_MAX + 1)
        scan_report_trouble(scan, SCAN_OVER_LIMIT, prefix, NULL);
    return false;
}

static void scan_with_boundary(struct scan *scan, const struct source *source, const char *boundary,
                               const char *prefix, unsigned level)
{
    char type[300];
    snprintf(type, sizeof type, "multipart/mixed; boundary=\"%s\"", boundary);
    scan_structure(scan, source, type, prefix, level);
}

void scan_other_boundaries(struct scan *scan, const struct strbuf *types, const char *used,
                                 const struct source *source, const char *prefix, unsigned level)
{
    struct boundaries found = {.used = used};
    for (size_t at = 0; at < types->len && found.count < OTHERS_MAX; at += strlen(types->ptr + at) + 1) {
        if (!scan_mentions(span_of(types->ptr + at), "multipart"))
            continue;
        params_each(span_of(types->ptr + at), collect_boundary, &found);
        params_each_torn(span_of(types->ptr + at), collect_boundary, &found);
        if (!used && found.count == 0)
            guess_boundary(&found, source);
    }
    for (size_t i = 0; i < found.count; i++) {
        if (!scan->stopped && scan_may_look_again(scan, prefix))
            scan_with_boundary(scan, source, found.others[i], prefix, level + 1);
        free(found.others[i]);
    }
}

void scan_reopened(struct scan *scan, const struct outline *outline, const char *prefix, unsigned level)
{
    struct boundaries found = {0};
    struct source rest = outline->source;
    if (!outline->reopened_boundary || scan->stopped)
        return;
    rest.start += outline->reopened_at;
    rest.len -= outline->reopened_at;
    add_boundary(&found, span_of(outline->reopened_boundary));
    if (found.count > 0 && scan_may_look_again(scan, prefix))
        scan_with_boundary(scan, &rest, found.others[0], prefix, level + 1);
    free(found.others[0]);
}
