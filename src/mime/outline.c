/*
 * outline - one quick pass over the bytes, before GMime.
 *
 * GMime builds an object for each part and field, keeps the text around parts in memory and looks at each line. So it
 * gets an outline of the message instead: every delimiter line, every field that begins with "Content", every empty
 * line, and of each body the first and the last bytes only. The outline knows where its bytes stand in the message, so
 * the bodies that GMime names can be read there. Parts and levels are counted here, and a message with too many never
 * reaches GMime, which recurses. The pass is quick because in bodies it only looks for '-'.
 *
 * Where this pass and GMime could see the structure differently, this one is the more generous: every boundary that
 * any Content-Type of the message declared is a delimiter to the end, whatever it was popped from.
 * A cut never brings bytes to the start of a line that did not stand there.
 *
 * A message that is one text, as most are that persons write, is told apart here and never reaches GMime: its objects
 * cost ten times what there is to do.
 */
#include "mime/names.h"
#include "mime/outline_window.h"
#include "mime/params.h"
#include "util/strset.h"
#include <ctype.h>
#include <gmime/gmime.h>
#include <stdlib.h>
#include <unistd.h>

#define FIELDS_MAX 20000           /* fields shown, all headers together */
#define FIELD_BYTES_MAX 65536      /* of one field that is shown */
#define HEADER_BYTES_MAX (4 << 20) /* of all that are shown */

struct frame {
    const char *boundary;
    unsigned depth;
};

struct pass {
    struct outline *outline;
    unsigned max_parts, max_levels;
    struct outline_window window;
    struct strset *boundaries;
    struct frame *frames;
    size_t frame_count, frame_room;
    unsigned depth;
    bool closed; /* a multipart has had its last delimiter */
    bool digest; /* a multipart/digest was seen: a part without a type may be a message */
    /* the header under way */
    struct strbuf types, encodings; /* values of Content-Type and Content-Transfer-Encoding, each ended by NUL */
    struct strbuf *collecting;
    bool shown_field;
    bool may_be_text; /* so far it is one header, whose fields that matter are well formed */
    unsigned headers; /* taken */
    uint64_t fields, field_bytes, header_bytes;
};

/* ---- structure ---- */

static void declare(struct pass *pass, struct span boundary, bool push)
{
    if (boundary.len == 0 || boundary.len > 1000 || pass->outline->over)
        return;
    strset_add(pass->boundaries, boundary);
    if (!push)
        return;
    if (pass->frame_count == pass->frame_room)
        pass->frames = arena_grow(pass->outline->arena, pass->frames, &pass->frame_room, pass->frame_count + 1,
                                  sizeof *pass->frames);
    pass->frames[pass->frame_count++] = (struct frame){arena_spandup(pass->outline->arena, boundary), pass->depth};
}

static int declare_param(void *context, const struct param *param)
{
    if (span_equals_nocase(param->name, "boundary"))
        declare(context, param->value, false);
    return 0;
}

static void go_deeper(struct pass *pass)
{
    pass->depth++;
    if (pass->depth > pass->outline->levels)
        pass->outline->levels = pass->depth;
    pass->outline->over |= pass->depth > pass->max_levels;
}

enum delimiter { NOT_DELIMITER, DELIMITER, DELIMITER_LAST };

/* Where no frame has BOUNDARY any more, GMime reads on as text; other programs take it for a part. */
static void return_to(struct pass *pass, struct span boundary, bool last)
{
    struct outline *outline = pass->outline;
    for (size_t i = pass->frame_count; i > 0; i--) {
        if (!span_equals(boundary, pass->frames[i - 1].boundary))
            continue;
        pass->depth = pass->frames[i - 1].depth;
        pass->frame_count = last ? i - 1 : i;
        pass->closed |= last;
        if (last && pass->depth > 0)
            pass->depth--;
        return;
    }
    if (!last && !outline->reopened_boundary && pass->closed) {
        outline->reopened_boundary = arena_spandup(outline->arena, boundary);
        outline->reopened_at = outline_position(&pass->window);
    }
}

static enum delimiter check_delimiter(struct pass *pass, struct span line)
{
    if (line.len < 3 || line.ptr[0] != '-' || line.ptr[1] != '-')
        return NOT_DELIMITER;
    struct span rest = {line.ptr + 2, line.len - 2};
    while (rest.len > 0 && rest.ptr[rest.len - 1] && strchr(" \t\r\n", rest.ptr[rest.len - 1]))
        rest.len--;
    struct span shorter = {rest.ptr, rest.len >= 2 ? rest.len - 2 : 0};
    bool last = rest.len > 2 && memcmp(rest.ptr + shorter.len, "--", 2) == 0 && strset_has(pass->boundaries, shorter);
    if (!last && !strset_has(pass->boundaries, rest))
        return NOT_DELIMITER;
    return_to(pass, last ? shorter : rest, last);
    if (!last)
        pass->outline->over |= ++pass->outline->parts > pass->max_parts;
    return last ? DELIMITER_LAST : DELIMITER;
}

enum body { BODY_LEAF, BODY_FACE, BODY_HEADER };

static bool is_encoded(const struct pass *pass)
{
    GMimeContentEncoding encoding = g_mime_content_encoding_from_string(strbuf_text(&pass->encodings));
    return encoding == GMIME_CONTENT_ENCODING_BASE64 || encoding == GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE ||
           encoding == GMIME_CONTENT_ENCODING_UUENCODE;
}

/* What follows a header with the Content-Type values in `types`. */
static enum body judge_header(struct pass *pass)
{
    enum body body = BODY_LEAF;
    if (pass->types.len == 0)
        return pass->digest ? BODY_HEADER : BODY_LEAF;
    GMimeContentType *type = g_mime_content_type_parse(NULL, pass->types.ptr);
    const char *subtype = g_mime_content_type_get_media_subtype(type);
    for (size_t i = 0; i < pass->types.len; i += strlen(pass->types.ptr + i) + 1)
        params_each(span_of(pass->types.ptr + i), declare_param, pass);
    if (g_mime_content_type_is_type(type, "multipart", "*")) {
        body = BODY_FACE;
        go_deeper(pass);
        for (size_t i = 0; i < pass->types.len; i += strlen(pass->types.ptr + i) + 1) {
            GMimeContentType *each = g_mime_content_type_parse(NULL, pass->types.ptr + i);
            const char *boundary = g_mime_content_type_get_parameter(each, "boundary");
            declare(pass, span_of(boundary), true);
            g_object_unref(each);
        }
        pass->digest |= g_mime_content_type_is_type(type, "multipart", "digest");
    } else if (g_mime_content_type_is_type(type, "message", "*") && subtype && !is_encoded(pass) &&
               (strcasecmp(subtype, "rfc822") == 0 || strcasecmp(subtype, "rfc2822") == 0 ||
                strcasecmp(subtype, "global") == 0 || strcasecmp(subtype, "news") == 0)) {
        body = BODY_HEADER;
        go_deeper(pass);
    }
    g_object_unref(type);
    return body;
}

/* Notes a field that matters, for a message that may be one text. */
static void note_text_field(struct pass *pass, struct span line)
{
    struct outline *outline = pass->outline;
    size_t name = 0;
    while (name < line.len && (isalnum((unsigned char)line.ptr[name]) || line.ptr[name] == '-'))
        name++;
    bool is_of_content = name > 7 && strncasecmp(line.ptr, "content", 7) == 0; /* other fields are no affair of GMime's */
    if (!is_of_content || name == line.len || line.ptr[name] != ':' ||
        outline->text_field_count == OUTLINE_TEXT_FIELDS)
        pass->may_be_text = false;
    else
        outline->text_fields[outline->text_field_count++] = (struct outline_range){outline_position(&pass->window), 0};
}

static void take_text_line(struct pass *pass, struct span line)
{
    struct outline *outline = pass->outline;
    if (outline->text_field_count > 0)
        outline->text_fields[outline->text_field_count - 1].len += line.len;
    pass->may_be_text &= memchr(line.ptr, '\0', line.len) == NULL;
}

/* Is every type that the header names one of text? */
static bool types_are_text(const struct pass *pass)
{
    for (size_t i = 0; i < pass->types.len; i += strlen(pass->types.ptr + i) + 1) {
        struct span value = span_trim(span_of(pass->types.ptr + i));
        if (value.len < 6 || strncasecmp(value.ptr, "text/", 5) != 0 || !isalpha((unsigned char)value.ptr[5]))
            return false;
    }
    return true;
}

static void start_field(struct pass *pass, struct span line)
{
    const char *colon = memchr(line.ptr, ':', line.len);
    struct span name = span_trim((struct span){line.ptr, colon ? (size_t)(colon - line.ptr) : 0});
    pass->collecting = NULL;
    pass->field_bytes = 0;
    pass->shown_field = names_field_matters(name);
    if (!pass->shown_field)
        return;
    pass->outline->over |= ++pass->fields > FIELDS_MAX;
    if (pass->may_be_text)
        note_text_field(pass, line);
    if (span_equals_nocase(name, "Content-Type"))
        pass->collecting = &pass->types;
    else if (span_equals_nocase(name, "Content-Transfer-Encoding"))
        pass->collecting = &pass->encodings;
    if (pass->collecting && pass->collecting->len > 0)
        strbuf_putc(pass->collecting, '\0');
}

static void take_field_line(struct pass *pass, struct span line)
{
    bool folded = line.ptr[0] == ' ' || line.ptr[0] == '\t';
    const char *from = line.ptr;
    if (!pass->window.midline && !folded) {
        start_field(pass, line);
        const char *colon = memchr(line.ptr, ':', line.len);
        from = colon ? colon + 1 : line.ptr;
    }
    if (!pass->shown_field)
        return;
    outline_show(pass->outline, outline_position(&pass->window), line.len);
    if (pass->may_be_text)
        take_text_line(pass, line);
    pass->field_bytes += line.len;
    pass->header_bytes += line.len;
    pass->outline->over |= pass->field_bytes > FIELD_BYTES_MAX || pass->header_bytes > HEADER_BYTES_MAX;
    if (pass->collecting)
        strbuf_add(pass->collecting, (struct span){from, line.len - (size_t)(from - line.ptr)});
}

/* Reads a header to its empty line, or to a delimiter, which is left. */
static enum body take_header(struct pass *pass)
{
    strbuf_free(&pass->types);
    strbuf_free(&pass->encodings);
    pass->shown_field = false;
    pass->collecting = NULL;
    pass->window.midline = false;
    bool cut = true; /* by a delimiter or the end, not by an empty line */
    while (!pass->outline->over) {
        struct span line = outline_peek_line(&pass->window);
        bool empty = line.len == 0 || line.ptr[0] == '\n' || (line.len == 2 && memcmp(line.ptr, "\r\n", 2) == 0);
        if (!pass->window.midline && empty) {
            outline_show(pass->outline, outline_position(&pass->window), line.len);
            pass->window.at += line.len;
            cut = line.len == 0;
            break;
        }
        if (line.len == 0 || (!pass->window.midline && line.len > 2 && memcmp(line.ptr, "--", 2) == 0 &&
                              strset_has(pass->boundaries, span_trim((struct span){line.ptr + 2, line.len - 2}))))
            break;
        take_field_line(pass, line);
        pass->window.midline = line.ptr[line.len - 1] != '\n';
        pass->window.at += line.len;
    }
    pass->window.midline = false;
    pass->may_be_text &= ++pass->headers == 1 && !cut && types_are_text(pass);
    pass->outline->text_at = outline_position(&pass->window);
    enum body body = judge_header(pass);
    return cut && body == BODY_HEADER ? BODY_LEAF : body;
}

/* Reads a body to the next delimiter, and over it. What follows, or -1 at the end. */
static int take_body(struct pass *pass, bool face)
{
    uint64_t start = outline_position(&pass->window);
    while (outline_seek_dashes(&pass->window)) {
        struct span line = outline_peek_line(&pass->window);
        enum delimiter delimiter = check_delimiter(pass, line);
        uint64_t at = outline_position(&pass->window);
        pass->window.at += line.len;
        pass->window.midline = line.ptr[line.len - 1] != '\n';
        if (delimiter == NOT_DELIMITER)
            continue;
        outline_show_body(pass->outline, start, at);
        if (face)
            outline_note_face(pass->outline, start, at);
        outline_show(pass->outline, at, line.len);
        pass->window.midline = false;
        return delimiter == DELIMITER ? BODY_HEADER : BODY_FACE;
    }
    outline_show_body(pass->outline, start, outline_position(&pass->window));
    if (face)
        outline_note_face(pass->outline, start, outline_position(&pass->window));
    return -1;
}

/* A message starts with its header; programs step over empty lines in front of it. */
static void skip_empty_lines(struct pass *pass)
{
    for (struct span line = outline_peek_line(&pass->window); line.len > 0; line = outline_peek_line(&pass->window)) {
        if (line.ptr[0] != '\n' && !(line.len == 2 && memcmp(line.ptr, "\r\n", 2) == 0))
            return;
        pass->window.at += line.len;
    }
}

void outline_build(struct outline *outline, const struct source *source, const char *forced_type, unsigned max_parts,
                   unsigned max_levels)
{
    *outline = (struct outline){.source = *source, .arena = arena_create(16384), .prefix = "", .parts = 1};
    struct pass pass = {.outline = outline, .max_parts = max_parts, .max_levels = max_levels};
    pass.may_be_text = !forced_type;
    pass.boundaries = strset_create(outline->arena);
    pass.window = (struct outline_window){.source = &outline->source,
                                          .room = source->len < OUTLINE_WINDOW ? source->len : OUTLINE_WINDOW};
    pass.window.bytes = malloc(pass.window.room + 1);
    if (!pass.window.bytes)
        abort();
    strbuf_init(&pass.types, 8 * FIELD_BYTES_MAX);
    strbuf_init(&pass.encodings, FIELD_BYTES_MAX);
    int next = BODY_HEADER;
    if (forced_type) {
        outline->prefix = arena_printf(outline->arena, "Content-Type: %s\r\n\r\n", forced_type);
        outline->shown_len = outline->prefix_len = strlen(outline->prefix);
        strbuf_puts(&pass.types, forced_type);
        next = judge_header(&pass);
    } else {
        skip_empty_lines(&pass);
    }
    while (next >= 0 && !outline->over && !pass.window.failed)
        next = next == BODY_HEADER ? (int)take_header(&pass) : take_body(&pass, next == BODY_FACE);
    strbuf_free(&pass.types);
    strbuf_free(&pass.encodings);
    free(pass.window.bytes);
    outline->failed = pass.window.failed;
    outline->is_text = pass.may_be_text && pass.headers == 1 && outline->parts == 1 && outline->face_count == 0 &&
                       !outline->reopened_boundary && !outline->over && !outline->failed;
}
