/*
 * spool_admin - what the administrator asks for, from any process that may read and write the file.
 *
 * Deleting only marks: the sender's process takes the entry out, because the owner's callback lives there. A flush
 * likewise is a time of zero, which the sender sees within a second.
 */
#include "spool/spool_file.h"
#include "spool/spool_private.h"
#include "spool/spool_rows.h"

static const char *problem_of(int result)
{
    if (result == SPOOL_FILE_LOST)
        return "what was in it is lost: it was corrupt and is moved aside, or it was emptied (the log has more). "
               "The next call begins a new one";
    return sqlite3_errstr(result);
}

int spool_list(struct spool *spool, struct arena *arena, struct spool_entry **entries, size_t *count,
               const char **problem)
{
    struct spool_listing listing = {.arena = arena};
    int result = spool_db_read(spool->db, spool_rows_list, &listing);
    if (result != SQLITE_OK) {
        *problem = problem_of(result);
        return -1;
    }
    *entries = listing.entries;
    *count = listing.count;
    return 0;
}

static int read_content(struct spool *spool, struct arena *arena, int64_t id, uint64_t size, struct span *content)
{
    struct strbuf part;
    char *bytes = arena_alloc(arena, size + 1);
    size_t len = 0;
    int result = SQLITE_OK;
    strbuf_init(&part, 0);
    for (int64_t n = 0; result == SQLITE_OK; n++) {
        struct spool_part reading = {.id = id, .part = n, .bytes = &part};
        result = spool_db_read(spool->db, spool_rows_part, &reading);
        if (part.len == 0 || part.len > size - len)
            break;
        memcpy(bytes + len, part.ptr, part.len);
        len += part.len;
    }
    strbuf_free(&part);
    *content = (struct span){bytes, len};
    return result;
}

int spool_show(struct spool *spool, struct arena *arena, int64_t id, struct spool_entry *entry, struct span *content,
               const char **problem)
{
    struct spool_listing listing = {.arena = arena, .id = id};
    int result = id > 0 ? spool_db_read(spool->db, spool_rows_list, &listing) : SQLITE_OK;
    if (result == SQLITE_OK && listing.count == 0)
        return 1;
    if (result == SQLITE_OK) {
        *entry = listing.entries[0];
        result = read_content(spool, arena, id, entry->bytes, content);
    }
    if (result == SQLITE_OK)
        return content->len == entry->bytes ? 0 : 1; /* 1: it has left meanwhile */
    *problem = problem_of(result);
    return -1;
}

static int mark(struct spool *spool, int64_t id, int64_t next_attempt, const char **problem)
{
    struct spool_marking marking = {.id = id, .next_attempt = next_attempt};
    int result = spool_db_write(spool->db, spool_rows_mark, &marking, SPOOL_DB_PRESENT);
    if (result != SQLITE_OK) {
        *problem = problem_of(result);
        return -1;
    }
    spool_wake_all(spool);
    return marking.changed;
}

int spool_flush(struct spool *spool, int64_t id, const char **problem)
{
    return mark(spool, id, SPOOL_NEXT_NOW, problem);
}

int spool_delete(struct spool *spool, int64_t id, const char **problem)
{
    return mark(spool, id, SPOOL_NEXT_DELETED, problem);
}
