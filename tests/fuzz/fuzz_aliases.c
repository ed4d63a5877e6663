/*
 * libFuzzer: the first byte chooses a form, up to the first 0xff is a table, behind it an address a line. Whatever is
 * in the table, what comes out of it is bounded and sound: canonical is canonical, and no target is empty.
 */
#include "aliases/alias_lookup.h"
#include "aliases/alias_reader.h"
#include "util/log.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *context, const char *text)
{
    (void)context;
    if (!*text)
        abort();
}

static struct alias_table *read_table(enum alias_kind kind, struct span text, struct conf_problems *problems)
{
    static alias_parser *const readers[] = {
        [ALIAS_VIRTUAL] = alias_virtual_read, [ALIAS_LOCAL] = alias_local_read, [ALIAS_CSV] = alias_csv_read};
    struct arena *arena = arena_create(4096);
    struct alias_table *table = ARENA_NEW(arena, struct alias_table);
    struct alias_load load = {.table = table, .local_domain = "example.net", .path = "table", .problems = problems};
    *table = (struct alias_table){.arena = arena, .kind = kind, .map = strmap_create(), .includes = strmap_create()};
    strbuf_init(&load.value, 0);
    char *copy = malloc(text.len ? text.len : 1); /* of its own, so that a byte too far is seen */
    if (!copy)
        abort();
    memcpy(copy, text.ptr, text.len);
    struct alias_reader *reader = alias_reader_of((struct span){copy, text.len});
    readers[kind](&load, reader);
    alias_reader_close(reader);
    free(copy);
    strbuf_free(&load.value);
    return table;
}

static void ask(struct aliases *aliases, const char *text)
{
    struct arena *arena = arena_create(4096);
    const char *canonical = aliases_canonical(aliases, arena, text);
    struct aliases_targets targets = aliases_expand(aliases, arena, text);
    if (canonical) {
        const char *again = aliases_canonical(aliases, arena, canonical);
        if (!again || strcmp(again, canonical) != 0)
            abort();
    } else if (targets.count > 0) {
        abort();
    }
    if (targets.count > ALIASES_TARGETS_MAX || targets.route_count > ALIASES_TARGETS_MAX)
        abort();
    for (size_t i = 0; i < targets.route_count; i++) {
        if (targets.route_flags[i] & ~(unsigned)(ROUTE_IS_KEY_VIRTUAL | ROUTE_IS_KEY_LOCAL))
            abort();
        if (!aliases_canonical(aliases, arena, targets.routes[i]))
            abort();
    }
    arena_destroy(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct log_options quiet = {"fuzz", LOG_TO_STDERR, LOG_AS_KV, LEVEL_ERROR, 0};
    struct conf_problems problems = {ignore, NULL, 0};
    log_open(&quiet);
    if (size == 0)
        return 0;
    const uint8_t *cut = memchr(data + 1, 0xff, size - 1);
    size_t len = cut ? (size_t)(cut - data - 1) : size - 1;
    struct aliases aliases = {.delimiters = "+", .local_domain = "example.net", .domains = strmap_create()};
    struct alias_table *table = read_table(data[0] % 3, (struct span){(const char *)data + 1, len}, &problems);
    struct alias_set set = {.tables = &table, .count = 1};
    pthread_mutex_init(&aliases.tables.lock, NULL);
    aliases.tables.current = &set;
    ask(&aliases, "info@example.net");
    for (size_t at = len + 2; at < size;) {
        char line[600];
        const uint8_t *end = memchr(data + at, '\n', size - at);
        size_t n = end ? (size_t)(end - data) - at : size - at;
        snprintf(line, sizeof line, "%.*s", (int)(n < 590 ? n : 590), (const char *)data + at);
        ask(&aliases, line);
        at += n + 1;
    }
    pthread_mutex_destroy(&aliases.tables.lock);
    strmap_destroy(aliases.domains);
    alias_table_free(table);
    return 0;
}
