/*
 * libFuzzer: a forward table as CSV. What is taken of it is sound: addresses are in their one form and found again,
 * targets are some, bounded, distinct and of a kind that SMTP carries, and a row of the store says the same.
 */
#include "srs/forward_row.h"
#include "srs/forwards_csv.h"
#include "util/log.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *context, const char *text)
{
    (void)context;
    if (!*text)
        abort();
}

static void must(bool is_so)
{
    if (!is_so)
        abort();
}

static void compare(const struct forward *a, const struct forward *b)
{
    must(a->count == b->count && a->deletes == b->deletes);
    for (size_t i = 0; i < a->count; i++)
        must(strcmp(a->targets[i], b->targets[i]) == 0);
}

struct context {
    const struct alias_table *table;
    struct arena *arena;
    size_t count;
};

static void visit(void *user, const char *text, const struct forward *forward)
{
    struct context *context = user;
    struct alias_address address, target;
    struct forward again;
    char printed[ALIAS_ADDRESS_MAX], key[ALIAS_ADDRESS_MAX];
    context->count++;
    must(forward_read_address(span_of(text), &address) == NULL);
    alias_address_print(&address, printed);
    must(strcmp(printed, text) == 0);
    must(forward->count > 0 && forward->count <= FORWARDS_TARGETS_MAX);
    for (size_t i = 0; i < forward->count; i++) {
        must(forward_read_target(&address, span_of(forward->targets[i]), &target) == NULL);
        for (size_t k = 0; k < i && k < 5; k++)
            must(!forward_is_same(forward->targets[k], forward->targets[i]));
    }
    must(forwards_csv_find(context->table, context->arena, alias_key(&address, key), &again));
    compare(forward, &again);
    must(forward_load(context->arena, forward_print(context->arena, forward), &again) == 0);
    compare(forward, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct log_options quiet = {"fuzz", LOG_TO_STDERR, LOG_AS_KV, LEVEL_ERROR, 0};
    struct conf_problems problems = {ignore, NULL, 0};
    struct arena *arena = arena_create(4096);
    struct forward forward;
    log_open(&quiet);
    char *copy = malloc(size ? size : 1); /* of its own, so that a byte too far is seen */
    if (!copy)
        abort();
    if (size)
        memcpy(copy, data, size);
    struct alias_table *table = forwards_csv_of("table", (struct span){copy, size}, &problems);
    must((table == NULL) == (problems.count > 0));
    if (table) {
        struct context context = {table, arena, 0};
        forwards_csv_each(table, arena, visit, &context);
        must(context.count == strmap_count(table->map));
    }
    forward_load(arena, (struct span){copy, size}, &forward);
    alias_table_free(table);
    free(copy);
    arena_destroy(arena);
    return 0;
}
