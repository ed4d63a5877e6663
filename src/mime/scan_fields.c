/*
 * scan_fields - each field read again from the raw bytes: GMime keeps one value and stops at NUL; we want all.
 */
#include "mime/scan_fields.h"
#include "mime/scan_private.h"
#include <stdlib.h>

#define FIELD_MAX 65536
#define FIELD_USUAL 2048 /* read at first */

/* In ROOM the N bytes from the start of a field on: its value, folds included. False: they do not hold all of it. */
static bool find_value(const char *room, size_t n, struct span *value)
{
    const char *colon = n > 0 ? memchr(room, ':', n) : NULL;
    if (!colon)
        return false;
    const char *end = colon;
    while ((end = memchr(end + 1, '\n', (size_t)(room + n - end - 1))) && end + 1 < room + n) {
        if (end[1] != ' ' && end[1] != '\t')
            break;
    }
    bool is_whole = end && end + 1 < room + n;
    if (!end)
        end = room + n;
    *value = (struct span){colon + 1, (size_t)(end - colon - 1)};
    return is_whole;
}

/* The raw value of the field that HEADER came from, folds included. */
static struct span raw_value(const struct outline *outline, GMimeHeader *header, char *room)
{
    gint64 offset = g_mime_header_get_offset(header);
    if (offset < 0 || (uint64_t)offset < outline->prefix_len) {
        const char *value = g_mime_header_get_raw_value(header);
        return span_of(value ? value : "");
    }
    struct span value = {"", 0};
    for (size_t size = FIELD_USUAL; size <= FIELD_MAX; size *= FIELD_MAX / FIELD_USUAL) {
        ssize_t n = source_read(&outline->source, outline_place(outline, (uint64_t)offset), room, size);
        value = (struct span){"", 0};
        if (n <= 0 || find_value(room, (size_t)n, &value))
            break;
    }
    return value;
}

static void take_encoding(struct fields *fields, struct span value)
{
    bool base64 = scan_mentions(value, "base64"), quoted = scan_mentions(value, "quoted"),
         uu = scan_mentions(value, "uue");
    fields->base64 |= base64;
    fields->quoted |= quoted;
    fields->uu |= uu;
    fields->identity |= !base64 && !quoted && !uu;
}

static void take_field(struct fields *fields, struct span name, struct span value)
{
    names_add_field(&fields->names, name, value);
    if (span_equals_nocase(name, "Content-Transfer-Encoding"))
        take_encoding(fields, value);
    if (span_equals_nocase(name, "Content-Type")) {
        for (size_t i = 0; i < value.len; i++) {
            if (value.ptr[i])
                strbuf_putc(&fields->types, value.ptr[i]);
        }
        strbuf_putc(&fields->types, '\0');
    }
}

void scan_read_text_fields(const struct outline *outline, struct fields *fields)
{
    *fields = (struct fields){0};
    strbuf_init(&fields->types, 0);
    for (size_t i = 0; i < outline->text_field_count; i++) {
        const struct outline_range *range = &outline->text_fields[i];
        char *room = arena_alloc(outline->arena, range->len + 1);
        ssize_t n = source_read(&outline->source, range->at, room, range->len);
        struct span value;
        find_value(room, n > 0 ? (size_t)n : 0, &value);
        const char *colon = n > 0 ? memchr(room, ':', (size_t)n) : NULL;
        if (colon)
            take_field(fields, (struct span){room, (size_t)(colon - room)}, value);
    }
    names_join(&fields->names);
}

void scan_read_fields(const struct outline *outline, GMimeObject *object, struct fields *fields)
{
    GMimeHeaderList *list = g_mime_object_get_header_list(object);
    int count = g_mime_header_list_get_count(list);
    char *room = malloc(FIELD_MAX);
    if (!room)
        abort();
    *fields = (struct fields){0};
    strbuf_init(&fields->types, 0);
    for (int i = 0; i < count; i++) {
        GMimeHeader *header = g_mime_header_list_get_header_at(list, i);
        struct span name = span_of(g_mime_header_get_name(header));
        if (!names_field_matters(name))
            continue;
        take_field(fields, name, raw_value(outline, header, room));
    }
    names_join(&fields->names);
    free(room);
}

void scan_free_fields(struct fields *fields)
{
    names_free(&fields->names);
    strbuf_free(&fields->types);
}

bool scan_is_type(const struct fields *fields, const char *type)
{
    for (size_t at = 0; at < fields->types.len; at += strlen(fields->types.ptr + at) + 1) {
        struct span value = span_trim(span_of(fields->types.ptr + at));
        if (value.len >= strlen(type) && strncasecmp(value.ptr, type, strlen(type)) == 0)
            return true;
    }
    return false;
}

bool scan_is_a_message(const struct fields *fields)
{
    return scan_is_type(fields, "message/rfc822") || scan_is_type(fields, "message/global") ||
           scan_is_type(fields, "message/news") || scan_is_type(fields, "message/rfc2822") ||
           scan_is_type(fields, "message/partial");
}
