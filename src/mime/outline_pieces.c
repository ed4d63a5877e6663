/*
 * outline_pieces - the outline as bytes: which pieces of the source it is made of, and how they are read.
 *
 * A cut never brings bytes to the start of a line that did not stand there.
 */
#include "mime/outline.h"
#include <string.h>
#include <unistd.h>

#define BODY_WHOLE 16384 /* bodies up to this are shown whole */
#define BODY_START 1024  /* of longer ones so much, and the last two bytes */

ssize_t source_read(const struct source *source, uint64_t at, void *buffer, size_t len)
{
    if (at >= source->len)
        return 0;
    if (len > source->len - at)
        len = (size_t)(source->len - at);
    if (source->content)
        return content_read_at(source->content, source->start + at, buffer, len);
    return pread(source->fd, buffer, len, (off_t)(source->start + at));
}

void outline_show(struct outline *outline, uint64_t at, uint64_t len)
{
    struct outline_piece *last = outline->piece_count ? &outline->pieces[outline->piece_count - 1] : NULL;
    if (len == 0)
        return;
    if (last && last->at + last->len == at) {
        last->len += len;
    } else {
        if (outline->piece_count == outline->piece_room)
            outline->pieces = arena_grow(outline->arena, outline->pieces, &outline->piece_room,
                                         outline->piece_count + 1, sizeof *outline->pieces);
        outline->pieces[outline->piece_count++] = (struct outline_piece){outline->shown_len, at, len};
    }
    outline->shown_len += len;
}

void outline_show_body(struct outline *outline, uint64_t at, uint64_t end)
{
    char block[4096];
    if (end - at <= BODY_WHOLE) {
        outline_show(outline, at, end - at);
        return;
    }
    ssize_t n = source_read(&outline->source, at + BODY_START, block, sizeof block);
    const char *newline = n > 0 ? memchr(block, '\n', (size_t)n) : NULL;
    outline_show(outline, at, BODY_START + (newline ? (uint64_t)(newline - block) + 1 : 0));
    outline_show(outline, end - 2, 2);
}

void outline_note_face(struct outline *outline, uint64_t at, uint64_t end)
{
    if (end - at < 10)
        return;
    if (outline->face_count == outline->face_room)
        outline->faces = arena_grow(outline->arena, outline->faces, &outline->face_room, outline->face_count + 1,
                                    sizeof *outline->faces);
    outline->faces[outline->face_count++] = (struct outline_range){at, end - at};
}

void outline_free(struct outline *outline)
{
    arena_destroy(outline->arena);
}

/* ---- the outline as bytes ---- */

/* The piece with the byte at SHOWN, or the last one before it. */
static const struct outline_piece *find_piece(const struct outline *outline, uint64_t shown)
{
    size_t low = 0, high = outline->piece_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (outline->pieces[middle].shown <= shown)
            low = middle;
        else
            high = middle;
    }
    return outline->piece_count ? &outline->pieces[low] : NULL;
}

ssize_t outline_read(const struct outline *outline, uint64_t shown, void *buffer, size_t len)
{
    char *to = buffer;
    size_t done = 0;
    while (done < len && shown < outline->shown_len) {
        size_t want = len - done;
        ssize_t n;
        if (shown < outline->prefix_len) {
            n = (ssize_t)(want < outline->prefix_len - shown ? want : outline->prefix_len - shown);
            memcpy(to + done, outline->prefix + shown, (size_t)n);
        } else {
            const struct outline_piece *piece = find_piece(outline, shown);
            uint64_t inside = shown - piece->shown;
            if (want > piece->len - inside)
                want = (size_t)(piece->len - inside);
            n = source_read(&outline->source, piece->at + inside, to + done, want);
        }
        if (n <= 0)
            return n < 0 && done == 0 ? -1 : (ssize_t)done;
        done += (size_t)n;
        shown += (uint64_t)n;
    }
    return (ssize_t)done;
}

uint64_t outline_place(const struct outline *outline, uint64_t shown)
{
    const struct outline_piece *piece = find_piece(outline, shown);
    if (!piece || shown < outline->prefix_len || shown < piece->shown)
        return 0;
    return piece->at + (shown - piece->shown);
}
