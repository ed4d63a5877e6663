/*
 * scan - the structure of a message, as GMime sees it, and the names in its headers.
 *
 * outline.c passes over the bytes first and counts; GMime then parses the outline and keeps offsets; we walk over its
 * objects, have the Content-* fields of each read from the raw bytes (scan_fields.c), and hand each leaf to
 * scan_part.c. Where a header can be read in more than one way (Content-Type twice, two boundaries, an encoded
 * message/rfc822), the body is looked at once more in the other way: AGAIN_MAX times a message.
 *
 * Not done: parts that message/partial spreads over several messages (their names are seen), external bodies
 * (likewise), encrypted and signed-and-enveloped S/MIME or OpenPGP content.
 */
#include "mime/scan.h"
#include "mime/content_stream.h"
#include "mime/scan_fields.h"
#include "mime/scan_private.h"
#include <stdlib.h>

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
                          fields->identity || !(fields->base64 || fields->quoted || fields->uu) ||
                              scan_is_a_message(fields)};
    struct part part = {.body = body, .prefix = prefix, .names = &fields->names};
    part.label = report_names(scan, prefix, &fields->names, "attachment");
    part.message = scan_is_a_message(fields);
    part.text = fields->types.len == 0 || scan_is_type(fields, "text/");
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
    scan_read_fields(walk->outline, object, &fields);
    if (GMIME_IS_MESSAGE_PART(object))
        walk_message(walk, object, &fields, prefix, level);
    else if (GMIME_IS_MULTIPART(object))
        walk_multipart(walk, object, &fields, prefix, level);
    else if (GMIME_IS_PART(object))
        walk_leaf(walk, body_of(walk, GMIME_PART(object)), &fields, prefix, level);
    scan_free_fields(&fields);
}

static void walk_text(const struct walk *walk, const char *prefix, unsigned level)
{
    struct fields fields;
    struct source body = walk->outline->source;
    body.start += walk->outline->text_at;
    body.len -= walk->outline->text_at;
    scan_read_text_fields(walk->outline, &fields);
    walk_leaf(walk, body, &fields, prefix, level);
    scan_free_fields(&fields);
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
