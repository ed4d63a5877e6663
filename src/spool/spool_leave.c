/*
 * spool_leave - each recipient has a fate of its own, with the reply that decided it, and both are on the disk before
 * this is called, so that a repeated call tells the same.
 *
 * A reply that gave a recipient's own reason goes before what became of the connection later: an entry that is given up
 * because the MTA is down at the end of its time still says "452 4.2.2 mailbox full" where that was the answer before.
 *
 * An owner that cannot do its part now is asked again after retry_first and then each time after as long as it waits
 * already, at most retry_most. After `lifetime` it is asked once more, told that it was the last time, and the entry
 * goes in any case; so it does when the administrator deletes one that is decided. Where nobody owns such an entry (its
 * room is off, perhaps for an hour) it waits in the same way.
 */
#include "spool/spool_leave.h"
#include "spool/spool_tell.h"
#include "util/clock.h"
#include "util/crash.h"
#include "util/log.h"

size_t spool_row_count(const struct spool_row *row, enum spool_fate fate)
{
    size_t n = 0;
    for (size_t i = 0; i < row->count; i++)
        n += row->recipients[i].fate == fate;
    return n;
}

static enum spool_end end_of_fate(enum spool_fate fate)
{
    switch (fate) {
    case SPOOL_FATE_ACCEPTED:
        return SPOOL_SENT;
    case SPOOL_FATE_REFUSED:
        return SPOOL_REFUSED;
    case SPOOL_FATE_GIVEN_UP:
        return SPOOL_GIVEN_UP;
    case SPOOL_FATE_UNKNOWN:
    case SPOOL_FATE_DOUBT:
        return SPOOL_UNKNOWN;
    default:
        return SPOOL_DELETED;
    }
}

static enum spool_end end_of_row(const struct spool_row *row)
{
    static const enum spool_fate strongest_first[] = {SPOOL_FATE_ACCEPTED, SPOOL_FATE_WAITING, SPOOL_FATE_UNKNOWN,
                                                      SPOOL_FATE_GIVEN_UP};
    for (size_t i = 0; i < sizeof strongest_first / sizeof *strongest_first; i++) {
        if (spool_row_count(row, strongest_first[i]) > 0)
            return end_of_fate(strongest_first[i]);
    }
    return SPOOL_REFUSED;
}

/* ---- for the owner ---- */

/* Where the header in BYTES ends, with its empty line; 0: not in there. */
static size_t find_end(struct span bytes)
{
    for (size_t line = 0; line < bytes.len;) {
        const char *end = memchr(bytes.ptr + line, '\n', bytes.len - line);
        size_t len = end ? (size_t)(end - bytes.ptr) - line : 2;
        if (len == 0 || (len == 1 && bytes.ptr[line] == '\r'))
            return line + len + 1;
        line = end ? line + len + 1 : bytes.len;
    }
    return 0;
}

/* PART by part, for one may be the head alone. */
static struct span read_header(struct spool_db *db, struct arena *arena, const struct spool_row *row)
{
    struct strbuf header, bytes;
    strbuf_init(&header, SPOOL_HEADER_MAX);
    strbuf_init(&bytes, 0);
    struct spool_part part = {row->id, row->token, 0, &bytes};
    size_t end = 0;
    while (end == 0 && spool_db_read(db, spool_rows_part, &part) == SQLITE_OK && bytes.len > 0 &&
           header.len < SPOOL_HEADER_MAX) {
        size_t room = SPOOL_HEADER_MAX - header.len;
        strbuf_add(&header, (struct span){bytes.ptr, bytes.len < room ? bytes.len : room});
        end = find_end((struct span){header.ptr, header.len});
        part.part++;
    }
    size_t len = end ? end : header.len;
    struct span copy = {arena_spandup(arena, (struct span){header.ptr, len}), len};
    strbuf_free(&bytes);
    strbuf_free(&header);
    return copy;
}

static bool tell_owner(struct spool_db *db, struct arena *arena, const struct spool_row *row,
                       const struct spool_owner *owner, enum spool_end end, bool is_last)
{
    struct spool_refused *refused = ARENA_ARRAY(arena, struct spool_refused, row->count + 1);
    size_t count = 0;
    for (size_t i = 0; i < row->count; i++) {
        const struct spool_recipient *recipient = &row->recipients[i];
        if (recipient->fate != SPOOL_FATE_ACCEPTED)
            refused[count++] = (struct spool_refused){.forward_path = recipient->path,
                                                      .parameters = recipient->parameters,
                                                      .end = end_of_fate(recipient->fate),
                                                      .reply = recipient->reply ? recipient->reply : row->last_reply};
    }
    const struct spool_left left = {.id = row->id,
                                    .kind = row->kind,
                                    .memo = row->memo,
                                    .reverse_path = row->reverse_path,
                                    .mail_parameters = row->mail_parameters,
                                    .end = end,
                                    .refused = refused,
                                    .refused_count = count,
                                    .header = count ? read_header(db, arena, row) : (struct span){"", 0},
                                    .added = row->added,
                                    .now = clock_wall(),
                                    .is_last = is_last};
    return owner->after(owner->context, &left);
}

/* ---- whether it leaves ---- */

static bool is_last_time(const struct spool_sender *sender, const struct spool_row *row)
{
    return row->decided && (row->next_attempt == SPOOL_NEXT_DELETED ||
                            clock_wall() - row->decided >= spool_seconds(sender->spool->options.lifetime));
}

void spool_leave_later(const struct spool_sender *sender, struct spool_row *row, int64_t began)
{
    const struct spool_options *options = &sender->spool->options;
    int64_t now = clock_wall(), first = spool_seconds(options->retry_first), most = spool_seconds(options->retry_most);
    bool is_new = !row->decided;
    if (is_new || row->decided > now) /* the clock was set back */
        row->decided = now;
    int64_t wait = now - row->decided < most ? now - row->decided : most;
    row->next_attempt = now + (wait > first ? wait : first);
    row->is_claimed = false;
    if (is_new)
        spool_tell_waiting(row, began, end_of_row(row));
}

bool spool_leave(const struct spool_sender *sender, struct arena *arena, struct spool_row *row,
                 const struct spool_owner *owner, int64_t began)
{
    enum spool_end end = end_of_row(row);
    bool has_owner = owner && owner->after, is_last = is_last_time(sender, row);
    bool is_done = has_owner ? tell_owner(sender->spool->db, arena, row, owner, end, is_last) : row->decided == 0;
    crash_test_point("spool.after");
    if (!is_done && !is_last) {
        spool_leave_later(sender, row, began);
        return false;
    }
    if (!is_done && !has_owner)
        log_text(LEVEL_WARNING,
                 "spool %lld: of kind %s, whose owner was missing: what was to follow from its end is lost",
                 (long long)row->id, row->kind);
    for (size_t i = 0; i < row->count && row->count > 1; i++) {
        if (row->recipients[i].fate != SPOOL_FATE_ACCEPTED)
            spool_tell_recipient(row, &row->recipients[i]);
    }
    spool_tell_end(row, began, end, row->last_reply);
    return true;
}
