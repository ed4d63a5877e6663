/*
 * tally - a list searched from its start: there are a few dozen counters and someone asks every few seconds.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "master/tally.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#define ENTRIES_MAX 4096 /* a worker gone mad must not grow the master */

static struct tally_entry *entry_of(struct tally *tally, struct span name)
{
    for (size_t i = 0; i < tally->count; i++)
        if (span_equals(name, tally->entries[i].name))
            return &tally->entries[i];
    if (tally->count == ENTRIES_MAX)
        return NULL;
    if (tally->count == tally->capacity) {
        tally->capacity = tally->capacity ? tally->capacity * 2 : 64;
        tally->entries = realloc(tally->entries, tally->capacity * sizeof *tally->entries);
        if (!tally->entries)
            abort();
    }
    struct tally_entry *entry = &tally->entries[tally->count++];
    *entry = (struct tally_entry){strndup(name.ptr, name.len), 0};
    if (!entry->name)
        abort();
    return entry;
}

/* Cuts the next "name=value" off *REST. False at the end; lines without '=' are passed over. */
static bool next_pair(const char **rest, struct span *name, struct span *value)
{
    while (**rest) {
        const char *line = *rest, *end = strchrnul(line, '\n');
        *rest = *end ? end + 1 : end;
        const char *equals = memchr(line, '=', (size_t)(end - line));
        if (!equals)
            continue;
        *name = (struct span){line, (size_t)(equals - line)};
        *value = (struct span){equals + 1, (size_t)(end - equals - 1)};
        return true;
    }
    return false;
}

void tally_add_report(struct tally *tally, const char *report)
{
    struct span name, value;
    while (next_pair(&report, &name, &value)) {
        if (name.len == 0 || span_equals(name, "sessions") || span_equals(name, "config") ||
            span_equals(name, "checksum"))
            continue;
        char *end;
        errno = 0;
        unsigned long long number =
            value.len && *value.ptr >= '0' && *value.ptr <= '9' ? strtoull(value.ptr, &end, 10) : (end = NULL, 0);
        if (errno || end != value.ptr + value.len)
            continue;
        struct tally_entry *entry = entry_of(tally, name);
        if (entry)
            entry->value += number;
    }
}

void tally_print(const struct tally *tally, struct strbuf *out)
{
    for (size_t i = 0; i < tally->count; i++)
        strbuf_printf(out, "counter.%s=%llu\n", tally->entries[i].name, (unsigned long long)tally->entries[i].value);
}

void tally_free(struct tally *tally)
{
    for (size_t i = 0; i < tally->count; i++)
        free(tally->entries[i].name);
    free(tally->entries);
    *tally = (struct tally){0};
}

struct span tally_find(const char *report, const char *wanted)
{
    struct span name, value;
    while (next_pair(&report, &name, &value))
        if (span_equals(name, wanted))
            return value;
    return (struct span){NULL, 0};
}
