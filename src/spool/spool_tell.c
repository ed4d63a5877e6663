/* spool_tell - fields in the order in which people read them. */
#include "spool/spool_tell.h"
#include "util/clock.h"
#include "util/log.h"

#define PATHS_LIMIT 4096 /* bytes of all recipients together; the log cuts earlier */

static void join_paths(struct strbuf *text, const struct spool_row *row)
{
    strbuf_init(text, PATHS_LIMIT);
    for (size_t i = 0; i < row->count; i++)
        strbuf_printf(text, "%s%s", i ? "," : "", row->recipients[i].path);
}

static const char *const names[] = {[SPOOL_SENT] = "sent",
                                    [SPOOL_GIVEN_UP] = "given-up",
                                    [SPOOL_REFUSED] = "refused",
                                    [SPOOL_DELETED] = "deleted",
                                    [SPOOL_UNKNOWN] = "unknown"};

void spool_tell_end(const struct spool_row *row, int64_t began, enum spool_end end, const char *reply)
{
    struct strbuf paths;
    join_paths(&paths, row);
    struct log_field fields[] = {
        LOG_NUMBER("id", row->id),
        LOG_STRING("kind", row->kind),
        LOG_STRING("to", strbuf_text(&paths)),
        LOG_STRING("end", names[end]),
        LOG_NUMBER("attempts", row->attempts),
        LOG_STRING("reply", reply),
        LOG_NUMBER("us", clock_monotonic_us() - began),
    };
    log_event(LEVEL_INFO, "spool", fields, sizeof fields / sizeof *fields);
    strbuf_free(&paths);
}

void spool_tell_waiting(const struct spool_row *row, int64_t began, enum spool_end end)
{
    struct strbuf paths;
    join_paths(&paths, row);
    struct log_field fields[] = {
        LOG_NUMBER("id", row->id),
        LOG_STRING("kind", row->kind),
        LOG_STRING("to", strbuf_text(&paths)),
        LOG_STRING("end", names[end]),
        LOG_NUMBER("attempts", row->attempts),
        LOG_STRING("reply", row->last_reply),
        LOG_NUMBER("next", row->next_attempt),
        LOG_NUMBER("us", clock_monotonic_us() - began),
    };
    log_event(LEVEL_INFO, "spool-decided", fields, sizeof fields / sizeof *fields);
    strbuf_free(&paths);
}

void spool_tell_failure(const struct spool_row *row, int64_t began)
{
    struct strbuf paths;
    join_paths(&paths, row);
    struct log_field fields[] = {
        LOG_NUMBER("id", row->id),
        LOG_STRING("kind", row->kind),
        LOG_STRING("to", strbuf_text(&paths)),
        LOG_NUMBER("attempts", row->attempts),
        LOG_STRING("reply", row->last_reply),
        LOG_NUMBER("next", row->next_attempt),
        LOG_NUMBER("us", clock_monotonic_us() - began),
    };
    log_event(LEVEL_INFO, "spool-attempt", fields, sizeof fields / sizeof *fields);
    strbuf_free(&paths);
}

void spool_tell_recipient(const struct spool_row *row, const struct spool_recipient *recipient)
{
    struct log_field fields[] = {
        LOG_NUMBER("id", row->id),
        LOG_STRING("kind", row->kind),
        LOG_STRING("to", recipient->path),
        LOG_STRING("end", recipient->fate == SPOOL_FATE_REFUSED    ? "refused"
                          : recipient->fate == SPOOL_FATE_GIVEN_UP ? "given-up"
                          : recipient->fate == SPOOL_FATE_UNKNOWN  ? "unknown"
                                                                   : "deleted"),
        LOG_STRING("reply", recipient->reply),
    };
    log_event(LEVEL_INFO, "spool-recipient", fields, sizeof fields / sizeof *fields);
}
