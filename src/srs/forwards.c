/*
 * forwards - the two forms of the table behind one question.
 *
 * The CSV file is a set of one table, read, shared and watched as the alias tables are (aliases/alias_set.h). Rows in
 * the store are asked for anew each time: what posternctl writes counts at the next message, on every machine.
 *
 * First the address is asked for, then its domain's catch-all. A catch-all may name one of its own addresses; for that
 * one it is no forward but the mailbox, so it stays, and the other targets are forwarded to.
 */
#include "srs/forwards.h"
#include "aliases/alias_set.h"
#include "srs/forward_row.h"
#include "srs/forwards_csv.h"
#include "util/log.h"

struct forwards {
    struct arena *arena;
    struct store *store; /* NULL: tables */
    struct alias_tables tables;
};

const char *forwards_verify_table(const char *table)
{
    enum alias_kind kind;
    const char *path;
    if (!table[0] || strcmp(table, "store") == 0)
        return NULL;
    const char *problem = alias_table_split(table, &kind, &path);
    return strncmp(table, "csv:", 4) == 0 ? problem : "is neither store nor csv:/PATH";
}

struct forwards *forwards_open(const char *table, struct store *store, struct conf_problems *problems)
{
    struct arena *arena = arena_create(1024);
    struct forwards *forwards = ARENA_NEW(arena, struct forwards);
    struct string_list *names = ARENA_NEW(arena, struct string_list);
    const char *why = forwards_verify_table(table);
    forwards->arena = arena;
    if (!why && strcmp(table, "store") == 0) {
        forwards->store = store;
        return forwards;
    }
    if (why) {
        problems->count++;
        problems->report(problems->context, arena_printf(arena, "forwards: table: '%.300s' %s", table, why));
    } else {
        names->items = ARENA_ARRAY(arena, const char *, 1);
        names->items[names->count++] = arena_strdup(arena, table);
        if (alias_tables_open(&forwards->tables, names, NULL, forwards_csv_open, problems) == 0)
            return forwards;
    }
    forwards_close(forwards);
    return NULL;
}

void forwards_close(struct forwards *forwards)
{
    if (!forwards)
        return;
    alias_tables_close(&forwards->tables);
    arena_destroy(forwards->arena);
}

static enum store_outcome find_row(struct forwards *forwards, struct arena *arena, const struct alias_address *address,
                                   int64_t now, struct forward *forward)
{
    struct store_value value;
    char text[ALIAS_ADDRESS_MAX];
    alias_address_print(address, text);
    const char *key = arena_printf(arena, FORWARD_KEY "%s", text);
    enum store_outcome outcome = store_get(forwards->store, arena, key, now, &value);
    if (outcome == STORE_OK && forward_load(arena, value.bytes, forward) != 0) {
        log_text(LEVEL_ERROR, "the forward of %s in the store is damaged; store it again", text);
        return STORE_DOWN;
    }
    return outcome;
}

static enum store_outcome find(struct forwards *forwards, const struct alias_set *set, struct arena *arena,
                               const struct alias_address *address, int64_t now, struct forward *forward)
{
    char key[ALIAS_ADDRESS_MAX];
    if (!set)
        return find_row(forwards, arena, address, now, forward);
    return forwards_csv_find(set->tables[0], arena, alias_key(address, key), forward) ? STORE_OK : STORE_ABSENT;
}

/* What a catch-all says, without ADDRESS among its targets. */
static enum store_outcome without_itself(struct arena *arena, const struct alias_address *address,
                                         struct forward *forward)
{
    char text[ALIAS_ADDRESS_MAX];
    const char **targets = ARENA_ARRAY(arena, const char *, forward->count);
    size_t count = 0;
    alias_address_print(address, text);
    for (size_t i = 0; i < forward->count; i++) {
        if (forward_is_same(text, forward->targets[i]))
            forward->deletes = false;
        else
            targets[count++] = forward->targets[i];
    }
    forward->targets = targets;
    forward->count = count;
    return count > 0 ? STORE_OK : STORE_ABSENT;
}

enum store_outcome forwards_find(struct forwards *forwards, struct arena *arena, const char *text, int64_t now,
                                 struct forward *forward)
{
    struct alias_address address, any = {.local_len = 0};
    *forward = (struct forward){.count = 0};
    if (forward_read_address(span_of(text), &address) != NULL || address.local_len == 0)
        return STORE_ABSENT;
    struct alias_set *set = forwards->store ? NULL : alias_set_take(&forwards->tables);
    enum store_outcome outcome = find(forwards, set, arena, &address, now, forward);
    if (outcome == STORE_ABSENT) {
        memcpy(any.domain, address.domain, sizeof any.domain);
        outcome = find(forwards, set, arena, &any, now, forward);
        if (outcome == STORE_OK)
            outcome = without_itself(arena, &address, forward);
    }
    if (set)
        alias_set_give(set);
    return outcome;
}
