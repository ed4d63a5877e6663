/* edits - a queue of proposals. Values are made harmless on the way in, so that no way out can forget it. */
#include "core/edits.h"
#include "util/strbuf.h"

#define VALUE_LIMIT 900 /* octets: a header line stays under the 998 of RFC 5322 2.1.1 */

static const char *make_safe(struct arena *arena, const char *text)
{
    struct strbuf safe;
    strbuf_init(&safe, VALUE_LIMIT);
    strbuf_add_printable(&safe, span_of(text));
    const char *copy = arena_strdup(arena, strbuf_text(&safe));
    strbuf_free(&safe);
    return copy;
}

static void queue(struct edits *edits, struct arena *arena, struct edit edit)
{
    edits->items = arena_grow(arena, edits->items, &edits->capacity, edits->count + 1, sizeof edit);
    edits->items[edits->count++] = edit;
}

void edits_add_header(struct edits *edits, struct arena *arena, const char *name, const char *value)
{
    queue(edits, arena, (struct edit){EDIT_ADD_HEADER, arena_strdup(arena, name), 0, make_safe(arena, value)});
}

void edits_delete_header(struct edits *edits, struct arena *arena, const char *name, unsigned index)
{
    queue(edits, arena, (struct edit){EDIT_DELETE_HEADER, arena_strdup(arena, name), index, NULL});
}

void edits_quarantine(struct edits *edits, struct arena *arena, const char *reason)
{
    queue(edits, arena, (struct edit){EDIT_QUARANTINE, NULL, 0, make_safe(arena, reason)});
}

const char *edit_kind_name(enum edit_kind kind)
{
    static const char *const names[] = {"add-header", "delete-header", "quarantine"};
    return names[kind];
}
