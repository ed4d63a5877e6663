/*
 * scan - the structure of a message, as GMime sees it, and the names in its headers.
 *
 * outline.c passes over the bytes first and counts; GMime then parses the outline and keeps offsets; we walk over its
 * objects, read each Content-* field again from the raw bytes (GMime keeps one value and stops at NUL; we want all),
 * and hand each leaf to scan_part.c. Where a header can be read in more than one way (Content-Type twice, two
 * boundaries, an encoded message/rfc822), the body is looked at once more in the other way: AGAIN_MAX times a message.
 *
 * Not done: parts that message/partial spreads over several messages (their names are seen), external bodies
 * (likewise), encrypted and signed-and-enveloped S/MIME or OpenPGP content.
 */
#include "mime/scan.h"
#include "mime/content_stream.h"
#include "mime/params.h"
#include "mime/scan_private.h"
#include <stdlib.h>

#define FIELD_MAX 65536
#define FIELD_USUAL 2048 /* read at first */

void scan_init(void)
{
    g_mime_init();
    scan_part_init();
}

char *scan_join(const char *prefix, const char *name)
{
    struct strbuf path;
    strbuf_init(&path, 0);
    strbuf_puts(&path, prefix);
    strbuf_puts(&path, *prefix ? "/" : "");
    strbuf_puts(&path, name);
    return path.ptr;
}

void scan_report_name(struct scan *scan, const char *prefix, const char *name)
{
    if (scan->stopped || !scan->sink->name)
        return;
    char *path = scan_join(prefix, name);
    scan->stopped = scan->sink->name(scan->sink->context, path, name) != 0;
    free(path);
}

void scan_report_trouble(struct scan *scan, enum scan_trouble trouble, const char *prefix, const char *label)
{
    if (scan->stopped || !scan->sink->trouble)
        return;
    char *path = scan_join(label && *label ? prefix : "", label && *label ? label : prefix);
    scan->stopped = scan->sink->trouble(scan->sink->context, trouble, path) != 0;
    free(path);
}

/* ---- fields ---- */

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

struct fields {
    struct names names;
    struct strbuf types;               /* the values of all Content-Type fields, each ended by NUL */
    bool base64, quoted, uu, identity; /* encodings that any Content-Transfer-Encoding names */
};

static void take_encoding(struct fields *fields, struct span value)
{
    bool base64 = scan_mentions(value, "base64"), quoted = scan_mentions(value, "quoted"), uu = scan_mentions(value, "uue");
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

/* Of a message that is one text. */
static void read_text_fields(const struct outline *outline, struct fields *fields)
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

static void read_fields(const struct outline *outline, GMimeObject *object, struct fields *fields)
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

static void free_fields(struct fields *fields)
{
    names_free(&fields->names);
    strbuf_free(&fields->types);
}

/* ---- walking ---- */

struct walk {
    struct scan *scan;
    const struct outline *outline;
};

static void walk_object(const struct walk *walk, GMimeObject *object, const char *prefix, unsigned level);

/* Reports what NAMES has; the label of the part in paths. */
static const char *report_names(struct scan *scan, const char *prefix, const struct names *names, const char *otherwise)
{
    for (size_t i = 0; i < names->count; i++)
        scan_report_name(scan, prefix, names->list[i]);
    if (names->overflow)
        scan_report_trouble(scan, SCAN_OVER_LIMIT, prefix, names->list[0]);
    return names->count ? names->list[0] : otherwise;
}

static void walk_message(const struct walk *walk, GMimeObject *object, const struct fields *fields, const char *prefix,
                         unsigned level)
{
    const char *label = report_names(walk->scan, prefix, &fields->names, "message");
    GMimeMessage *message = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
    GMimeObject *inner = message ? g_mime_message_get_mime_part(message) : NULL;
    char *path = scan_join(prefix, label);
    if (inner)
        walk_object(walk, inner, path, level + 1);
    free(path);
}

static void walk_multipart(const struct walk *walk, GMimeObject *object, const struct fields *fields,
                           const char *prefix, unsigned level)
{
    report_names(walk->scan, prefix, &fields->names, NULL);
    int count = g_mime_multipart_get_count(GMIME_MULTIPART(object));
    for (int i = 0; i < count && !walk->scan->stopped; i++)
        walk_object(walk, g_mime_multipart_get_part(GMIME_MULTIPART(object), i), prefix, level + 1);
    GMimeHeader *type = g_mime_header_list_get_header(g_mime_object_get_header_list(object), "Content-Type");
    gint64 offset = type ? g_mime_header_get_offset(type) : -1;
    if (offset < 0)
        return;
    uint64_t at = outline_place(walk->outline, (uint64_t)offset);
    struct source rest = walk->outline->source;
    rest.start += at;
    rest.len -= at;
    scan_other_boundaries(walk->scan, &fields->types, g_mime_object_get_content_type_parameter(object, "boundary"),
                         &rest, prefix, level);
}

static bool is_type(const struct fields *fields, const char *type)
{
    for (size_t at = 0; at < fields->types.len; at += strlen(fields->types.ptr + at) + 1) {
        struct span value = span_trim(span_of(fields->types.ptr + at));
        if (value.len >= strlen(type) && strncasecmp(value.ptr, type, strlen(type)) == 0)
            return true;
    }
    return false;
}

/* Of a message the encoding is not to be believed: RFC 2046 section 5.2.1 has none, and many programs ask for none. */
static bool is_a_message(const struct fields *fields)
{
    return is_type(fields, "message/rfc822") || is_type(fields, "message/global") || is_type(fields, "message/news") ||
           is_type(fields, "message/rfc2822") || is_type(fields, "message/partial");
}

/* The body of a leaf in the source. */
static struct source body_of(const struct walk *walk, GMimePart *leaf)
{
    struct source body = walk->outline->source;
    GMimeDataWrapper *content = g_mime_part_get_content(leaf);
    GMimeStream *stream = content ? g_mime_data_wrapper_get_stream(content) : NULL;
    if (!stream || stream->bound_end < stream->bound_start) {
        body.len = 0;
        return body;
    }
    uint64_t start = outline_place(walk->outline, (uint64_t)stream->bound_start);
    /* the end may be where a cut ends: the byte at the end tells the place, not the one before it */
    uint64_t end =
        stream->bound_end > stream->bound_start ? outline_place(walk->outline, (uint64_t)stream->bound_end) : start;
    body.start += start;
    body.len = end > start ? end - start : 0;
    return body;
}

static void walk_leaf(const struct walk *walk, struct source body, const struct fields *fields, const char *prefix,
                      unsigned level)
{
    static const GMimeContentEncoding encodings[] = {GMIME_CONTENT_ENCODING_BASE64,
                                                     GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE,
                                                     GMIME_CONTENT_ENCODING_UUENCODE, GMIME_CONTENT_ENCODING_DEFAULT};
    struct scan *scan = walk->scan;
    const bool named[] = {fields->base64, fields->quoted, fields->uu,
                          fields->identity || !(fields->base64 || fields->quoted || fields->uu) || is_a_message(fields)};
    struct part part = {.body = body, .prefix = prefix, .names = &fields->names};
    part.label = report_names(scan, prefix, &fields->names, "attachment");
    part.message = is_a_message(fields);
    part.text = fields->types.len == 0 || is_type(fields, "text/");
    part.level = level;
    bool first = true;
    for (size_t i = 0; i < 4 && !scan->stopped; i++) {
        if (!named[i] || (!first && !scan_may_look_again(scan, prefix)))
            continue;
        part.encoding = encodings[i];
        scan_part(scan, &part);
        first = false;
    }
    scan_other_boundaries(scan, &fields->types, NULL, &part.body, prefix, level);
}

static void walk_object(const struct walk *walk, GMimeObject *object, const char *prefix, unsigned level)
{
    struct fields fields;
    if (walk->scan->stopped || !object)
        return;
    read_fields(walk->outline, object, &fields);
    if (GMIME_IS_MESSAGE_PART(object))
        walk_message(walk, object, &fields, prefix, level);
    else if (GMIME_IS_MULTIPART(object))
        walk_multipart(walk, object, &fields, prefix, level);
    else if (GMIME_IS_PART(object))
        walk_leaf(walk, body_of(walk, GMIME_PART(object)), &fields, prefix, level);
    free_fields(&fields);
}

static void walk_text(const struct walk *walk, const char *prefix, unsigned level)
{
    struct fields fields;
    struct source body = walk->outline->source;
    body.start += walk->outline->text_at;
    body.len -= walk->outline->text_at;
    read_text_fields(walk->outline, &fields);
    walk_leaf(walk, body, &fields, prefix, level);
    free_fields(&fields);
}

static void walk_outline(struct scan *scan, const struct outline *outline, const char *prefix, unsigned level)
{
    struct walk walk = {scan, outline};
    if (outline->is_text) {
        walk_text(&walk, prefix, level);
        return;
    }
    GMimeStream *stream = content_stream_new(outline);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    g_mime_parser_set_persist_stream(parser, TRUE);
    g_mime_parser_set_format(parser, GMIME_FORMAT_MESSAGE);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
    if (message) {
        walk_object(&walk, g_mime_message_get_mime_part(message), prefix, level);
        g_object_unref(message);
    } else { /* no header that makes sense: all of it is text */
        scan_text(scan, &outline->source, prefix, level);
    }
    g_object_unref(parser);
    g_object_unref(stream);
    for (size_t i = 0; i < outline->face_count && !scan->stopped; i++) {
        struct source face = outline->source;
        face.start += outline->faces[i].at;
        face.len = outline->faces[i].len;
        scan_text(scan, &face, prefix, level);
    }
}

void scan_structure(struct scan *scan, const struct source *source, const char *forced_type, const char *prefix,
                    unsigned level)
{
    const struct scan_limits *limits = scan->limits;
    struct outline outline;
    if (level > limits->max_levels || scan->parts >= limits->max_parts) {
        scan_report_trouble(scan, SCAN_OVER_LIMIT, prefix, NULL);
        return;
    }
    outline_build(&outline, source, forced_type, limits->max_parts - scan->parts, limits->max_levels - level);
    scan->parts += outline.parts;
    if (outline.failed)
        scan_report_trouble(scan, SCAN_FAILED, prefix, NULL);
    else if (outline.over)
        scan_report_trouble(scan, SCAN_OVER_LIMIT, prefix, NULL);
    else
        walk_outline(scan, &outline, prefix, level);
    if (!outline.failed && !outline.over)
        scan_reopened(scan, &outline, prefix, level);
    outline_free(&outline);
}

int scan_message(const struct content *content, const struct scan_limits *limits, struct archive_scanner *archives,
                 const struct scan_sink *sink)
{
    struct scan scan = {.limits = limits, .archives = archives, .sink = sink};
    struct source source = {.content = content, .fd = -1, .start = 0, .len = content_size(content)};
    scan_structure(&scan, &source, NULL, "", 0);
    return 0;
}
