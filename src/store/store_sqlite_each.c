/*
 * store_sqlite_each - pages of rows, in the order of their keys. Each is read in a transaction of its own, so that the
 * log can be written back between two and a slow callback keeps nobody.
 */
#include "store/store_sqlite.h"

#define PAGE_BYTES (256 * 1024) /* of one step, or one row if that is longer */

/* A page of store_each(): rows copied, so that no statement is open while the callback runs. */
struct page {
    struct arena *arena;
    struct page_row {
        const char *key;
        struct store_value value;
    } rows[256];
    size_t count;
    struct store_identity file; /* that the rows are from */
    struct span next;           /* where the page behind it begins; ptr NULL: this was the last */
};

/* The first key behind all that begin with PREFIX. */
static struct span behind_prefix(struct arena *arena, const char *prefix)
{
    size_t len = strlen(prefix);
    while (len > 0 && (unsigned char)prefix[len - 1] == 0xff)
        len--;
    if (len == 0) {
        char *last = arena_alloc(arena, STORE_KEY_MAX + 1);
        memset(last, 0xff, STORE_KEY_MAX + 1);
        return (struct span){last, STORE_KEY_MAX + 1};
    }
    char *next = arena_spandup(arena, (struct span){prefix, len});
    next[len - 1]++;
    return (struct span){next, len};
}

static enum store_outcome read_page(struct sqlite_store *store, struct store_call *call, struct span from,
                                    struct span to, struct page *page)
{
    struct sqlite_connection *connection = store_sqlite_take(store, call, SQLITE_APART);
    if (!connection)
        return STORE_DOWN;
    page->file = connection->identity;
    sqlite3_stmt *row = store_sqlite_statement(connection, SQL_PAGE);
    store_sqlite_bind(row, 1, from);
    store_sqlite_bind(row, 2, to);
    size_t bytes = 0, seen = 0;
    int code = SQLITE_ROW;
    while (bytes < PAGE_BYTES && seen < 256 && (code = sqlite3_step(row)) == SQLITE_ROW) {
        struct span key = store_sqlite_column(row, 0), value = store_sqlite_column(row, 1);
        bytes += key.len + value.len;
        seen++;
        /* The key itself and a NUL behind it: no key is between the two. */
        page->next = (struct span){arena_spandup(page->arena, key), key.len + 1};
        int64_t expires = sqlite3_column_int64(row, 2);
        if (store_has_expired(expires, call->now) || memchr(key.ptr, '\0', key.len))
            continue;
        page->rows[page->count++] =
            (struct page_row){page->next.ptr, {{arena_spandup(page->arena, value), value.len}, expires}};
    }
    enum store_outcome outcome = STORE_OK;
    if (code == SQLITE_DONE)
        page->next.ptr = NULL;
    else if (code != SQLITE_ROW)
        outcome = store_sqlite_failed(store, connection, call, code);
    sqlite3_reset(row);
    store_sqlite_give(store, connection);
    return outcome;
}

enum store_outcome store_sqlite_each(void *self, struct store_call *call, const char *prefix, int64_t timeout,
                                     store_visitor *visit, void *context)
{
    struct arena *arena = arena_create(16384), *previous = NULL;
    struct span to = behind_prefix(arena, prefix), from = span_of(prefix);
    struct store_identity file = {0, 0};
    enum store_outcome outcome = STORE_OK;
    bool go_on = true;
    while (go_on && outcome == STORE_OK && from.ptr) {
        struct page page = {.arena = arena_create(16384)};
        call->deadline = store_deadline(timeout);
        outcome = read_page(self, call, from, to, &page);
        arena_destroy(previous); /* `from` was in it */
        previous = page.arena;
        if (outcome == STORE_OK && file.inode && !store_identity_equals(file, page.file)) /* the rest is gone */
            outcome = store_call_fail(call, "the store's file was moved or deleted meanwhile");
        file = page.file;
        for (size_t i = 0; i < page.count && go_on && outcome == STORE_OK; i++)
            go_on = visit(context, page.rows[i].key, &page.rows[i].value);
        from = page.next;
    }
    arena_destroy(previous);
    arena_destroy(arena);
    return outcome;
}
