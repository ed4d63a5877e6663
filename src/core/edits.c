/* edits - a queue of proposals. Values are made harmless on the way in, so that no way out can forget it. */
#include "core/edits.h"
#include "util/smtp_path.h"
#include "util/strbuf.h"
#include <strings.h>

#define VALUE_LIMIT 900 /* octets: a header line stays under the 998 of RFC 5322 2.1.1 */
#define FOLDED_LIMIT 32768 /* octets of a value of several lines */

static const char *make_safe(struct arena *arena, const char *text)
{
    struct strbuf safe;
    strbuf_init(&safe, VALUE_LIMIT);
    strbuf_add_printable(&safe, span_of(text));
    const char *copy = arena_strdup(arena, strbuf_text(&safe));
    strbuf_free(&safe);
    return copy;
}

/* A fold is LF, white space, and something behind it: a line of white space alone would end the header for some. */
static bool is_fold(const char *text)
{
    if (text[0] != '\n' || (text[1] != ' ' && text[1] != '\t'))
        return false;
    text += 1 + strspn(text + 1, " \t");
    return *text != '\0' && *text != '\n';
}

static const char *make_foldable(struct arena *arena, const char *text, bool keep_8bit)
{
    struct strbuf safe;
    size_t line = 0;
    strbuf_init(&safe, FOLDED_LIMIT);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (is_fold(text)) {
            strbuf_putc(&safe, '\n');
            line = 0;
        } else if (line++ < VALUE_LIMIT) {
            bool fine = (c >= 0x20 && c <= 0x7e) || c == '\t' || (c >= 0x80 && keep_8bit);
            strbuf_putc(&safe, fine ? (char)c : '?');
        }
    }
    /* What the limit cut off may have left a fold with nothing behind it. */
    size_t len = safe.len;
    while (safe.truncated && len > 0 && strchr(" \t\n", safe.ptr[len - 1]))
        len--;
    const char *copy = arena_spandup(arena, (struct span){strbuf_text(&safe), len});
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

void edits_add_folded(struct edits *edits, struct arena *arena, const char *name, const char *value)
{
    queue(edits, arena,
          (struct edit){EDIT_ADD_HEADER, arena_strdup(arena, name), 0, make_foldable(arena, value, false)});
}

void edits_change_header(struct edits *edits, struct arena *arena, const char *name, unsigned index, const char *value)
{
    queue(edits, arena,
          (struct edit){EDIT_CHANGE_HEADER, arena_strdup(arena, name), index, make_foldable(arena, value, true)});
}

int edits_delete_header(struct edits *edits, struct arena *arena, const char *name, unsigned index)
{
    size_t queued = 0;
    for (size_t i = 0; i < edits->count; i++)
        queued += edits->items[i].kind == EDIT_DELETE_HEADER && strcasecmp(edits->items[i].name, name) == 0;
    if (queued >= EDITS_DELETIONS_MAX)
        return -1;
    queue(edits, arena, (struct edit){EDIT_DELETE_HEADER, arena_strdup(arena, name), index, NULL});
    return 0;
}

void edits_quarantine(struct edits *edits, struct arena *arena, const char *reason)
{
    queue(edits, arena, (struct edit){EDIT_QUARANTINE, NULL, 0, make_safe(arena, reason)});
}

static bool are_parameters(const char *text)
{
    for (; *text; text++) {
        if (*text < ' ' || *text > '~')
            return false;
    }
    return true;
}

static int queue_address(struct edits *edits, struct arena *arena, enum edit_kind kind, const char *address,
                         const char *parameters)
{
    if (!smtp_path_is_safe(address) || (parameters && !are_parameters(parameters)))
        return -1;
    queue(edits, arena, (struct edit){kind, arena_strdup(arena, parameters), 0, arena_strdup(arena, address)});
    return 0;
}

int edits_change_sender(struct edits *edits, struct arena *arena, const char *reverse_path)
{
    return queue_address(edits, arena, EDIT_CHANGE_SENDER, reverse_path, NULL);
}

int edits_delete_recipient(struct edits *edits, struct arena *arena, const char *address)
{
    return queue_address(edits, arena, EDIT_DELETE_RECIPIENT, address, NULL);
}

int edits_add_recipient(struct edits *edits, struct arena *arena, const char *address, const char *parameters)
{
    return *address ? queue_address(edits, arena, EDIT_ADD_RECIPIENT, address, parameters) : -1;
}

const char *edit_kind_name(enum edit_kind kind)
{
    static const char *const names[] = {"add-header",    "delete-header",    "change-header", "quarantine",
                                        "change-sender", "delete-recipient", "add-recipient"};
    return names[kind];
}
