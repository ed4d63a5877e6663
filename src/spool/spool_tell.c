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

/* END NULL: it has not ended. */
static void tell(const char *event, const struct spool_row *row, int64_t began, const char *end, const char *reply,
                 bool has_next)
{
    struct strbuf paths;
    struct log_field fields[8];
    size_t count = 0;
    join_paths(&paths, row);
    fields[count++] = LOG_NUMBER("id", row->id);
    fields[count++] = LOG_STRING("kind", row->kind);
    fields[count++] = LOG_STRING("to", strbuf_text(&paths));
    if (end)
        fields[count++] = LOG_STRING("end", end);
    fields[count++] = LOG_NUMBER("attempts", row->attempts);
    fields[count++] = LOG_STRING("reply", reply);
    if (has_next)
        fields[count++] = LOG_NUMBER("next", row->next_attempt);
    fields[count++] = LOG_NUMBER("us", clock_monotonic_us() - began);
    log_event(LEVEL_INFO, event, fields, count);
    strbuf_free(&paths);
}

void spool_tell_end(const struct spool_row *row, int64_t began, enum spool_end end, const char *reply)
{
    tell("spool", row, began, names[end], reply, false);
}

void spool_tell_waiting(const struct spool_row *row, int64_t began, enum spool_end end)
{
    tell("spool-decided", row, began, names[end], row->last_reply, true);
}

void spool_tell_failure(const struct spool_row *row, int64_t began)
{
    tell("spool-attempt", row, began, NULL, row->last_reply, true);
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
