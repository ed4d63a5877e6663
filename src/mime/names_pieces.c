/*
 * names_pieces - continuations (RFC 2231 3): name*0, name*1 and so on, of one part.
 *
 * They are joined by index over gaps, up to the first gap, and in the order they stand in; of pieces with the same
 * index once the first and once the last is taken.
 */
#include "mime/names_private.h"
#include <stdlib.h>

#define PIECES_MAX 500

struct piece {
    bool filename; /* filename, not name */
    bool encoded;
    int index;
    unsigned order;
    struct strbuf value;
};

struct name_pieces {
    struct piece list[PIECES_MAX];
    unsigned count;
};

void names_keep_piece(struct names *names, const struct param *param, bool filename)
{
    if (!names->pieces)
        names->pieces = calloc(1, sizeof *names->pieces);
    if (!names->pieces)
        abort();
    struct name_pieces *pieces = names->pieces;
    if (pieces->count == PIECES_MAX) {
        names->overflow = true;
        return;
    }
    struct piece *piece = &pieces->list[pieces->count];
    *piece = (struct piece){filename, param->encoded, param->index, pieces->count, {0}};
    piece->value = names_unfold(param->value, param->quoted, false);
    pieces->count++;
}

enum join { JOIN_FIRST, JOIN_LAST, JOIN_AS_WRITTEN, JOIN_TO_GAP };

static int by_index(const void *a, const void *b)
{
    const struct piece *const *x = a, *const *y = b;
    if ((*x)->index != (*y)->index)
        return (*x)->index < (*y)->index ? -1 : 1;
    return (*x)->order < (*y)->order ? -1 : 1;
}

static bool skipped(struct piece *const *pieces, unsigned i, unsigned count, enum join how)
{
    if (how == JOIN_AS_WRITTEN)
        return false;
    if (how == JOIN_LAST)
        return i + 1 < count && pieces[i + 1]->index == pieces[i]->index;
    return i > 0 && pieces[i - 1]->index == pieces[i]->index;
}

static void join(struct names *names, struct piece *const *pieces, unsigned count, enum join how)
{
    struct strbuf bytes, utf8;
    struct span charset = {"", 0};
    bool started = false;
    int expected = 0;
    strbuf_init(&bytes, 0);
    strbuf_init(&utf8, 0);
    for (unsigned i = 0; i < count; i++) {
        if (skipped(pieces, i, count, how))
            continue;
        if (how == JOIN_TO_GAP && pieces[i]->index != expected++)
            break;
        struct span text = {strbuf_text(&pieces[i]->value), pieces[i]->value.len};
        if (pieces[i]->encoded && !started)
            charset = names_take_charset(&text);
        started = true;
        if (pieces[i]->encoded)
            names_percent_decode(&bytes, text);
        else
            strbuf_add(&bytes, text);
    }
    struct span joined = {strbuf_text(&bytes), bytes.len};
    text_to_utf8(&utf8, charset, joined);
    names_add_buf(names, &utf8);
    names_add_text(names, joined);
    strbuf_free(&bytes);
}

static void join_kind(struct names *names, bool filename)
{
    struct piece *pieces[PIECES_MAX];
    unsigned count = 0;
    for (unsigned i = 0; i < names->pieces->count; i++) {
        if (names->pieces->list[i].filename == filename)
            pieces[count++] = &names->pieces->list[i];
    }
    if (count == 0)
        return;
    join(names, pieces, count, JOIN_AS_WRITTEN);
    qsort(pieces, count, sizeof *pieces, by_index);
    join(names, pieces, count, JOIN_FIRST);
    join(names, pieces, count, JOIN_LAST);
    join(names, pieces, count, JOIN_TO_GAP);
}

void names_join(struct names *names)
{
    if (!names->pieces)
        return;
    join_kind(names, true);
    join_kind(names, false);
}

void names_pieces_free(struct names *names)
{
    for (unsigned i = 0; names->pieces && i < names->pieces->count; i++)
        strbuf_free(&names->pieces->list[i].value);
    free(names->pieces);
}
