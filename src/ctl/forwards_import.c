/*
 * forwards import - the forwards of a CSV file into the store, all of them or none.
 *
 * The file is read as a csv: table would be, so that both say the same of it, line by line. Then every address is asked
 * of the alias tables: one that mail is never looked up by would be stored for nothing. What an address had before is
 * replaced by what the file says of it.
 */
#include "ctl/forwards.h"
#include "ctl/input.h"
#include "ctl/json.h"
#include "srs/forwards_csv.h"
#include "util/clock.h"
#include <stdlib.h>
#include <sysexits.h>

#define TOLD_MAX 20 /* addresses that are refused one by one; the rest is counted */

struct request {
    bool replace;
};

struct import {
    const struct ctl_call *call;
    struct ctl_state *state;
    struct store_change *changes;
    size_t count, capacity, given; /* GIVEN: what the file has, sorted by key; behind it what is deleted */
    size_t problems;
};

static void add_change(struct import *import, const char *key, struct span value)
{
    import->changes =
        arena_grow(import->call->arena, import->changes, &import->capacity, import->count + 1, sizeof *import->changes);
    import->changes[import->count++] = (struct store_change){.key = key, .value = value};
}

static void take(void *context, const char *text, const struct forward *forward)
{
    struct import *import = context;
    struct arena *arena = import->call->arena;
    struct alias_address address;
    const char *other = "no address";
    if (forward_read_address(span_of(text), &address) == NULL)
        other = forwards_looked_up_as(import->call, import->state, &address);
    if (other && import->problems++ < TOLD_MAX)
        ctl_fail(import->call, EX_DATAERR, "%s: mail to it is looked up as %s; name that", text, other);
    add_change(import, arena_printf(arena, FORWARD_KEY "%s", text), forward_print(arena, forward));
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct store_change *)a)->key, ((const struct store_change *)b)->key);
}

static bool take_stored(void *context, const char *key, const struct store_value *value)
{
    struct import *import = context;
    const struct store_change wanted = {.key = key};
    (void)value;
    if (import->given == 0 || !bsearch(&wanted, import->changes, import->given, sizeof wanted, by_key))
        add_change(import, arena_strdup(import->call->arena, key), (struct span){NULL, 0});
    return true;
}

static void say(const struct import *import)
{
    size_t deleted = import->count - import->given;
    if (import->call->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddNumberToObject(object, "imported", (double)import->given);
        cJSON_AddNumberToObject(object, "deleted", (double)deleted);
        json_print(stdout, object);
        return;
    }
    printf("%zu %s imported, %zu deleted\n", import->given, import->given == 1 ? "address" : "addresses", deleted);
}

static int import_table(struct import *import, const struct alias_table *table, bool replace)
{
    struct store *store = import->state->kept->store;
    forwards_csv_each(table, import->call->arena, take, import);
    if (import->problems > TOLD_MAX)
        ctl_fail(import->call, EX_DATAERR, "%zu more addresses likewise", import->problems - TOLD_MAX);
    if (import->problems > 0)
        return ctl_fail(import->call, EX_DATAERR, "nothing was changed");
    import->given = import->count;
    if (import->count > 0)
        qsort(import->changes, import->count, sizeof *import->changes, by_key);
    if (replace && store_each(store, FORWARD_KEY, clock_wall(), take_stored, import) != STORE_OK)
        return ctl_store_is_down(import->call);
    if (!ctl_store_answers(import->call, import->state))
        return ctl_store_is_down(import->call);
    if (ctl_state_apply(import->call, import->state, import->changes, import->count) != STORE_OK)
        return ctl_store_is_silent(import->call, import->state, "posternctl forwards list");
    say(import);
    return EX_OK;
}

static int run(const struct ctl_call *call, void *context)
{
    const struct request *request = context;
    struct ctl_state state = {.engine = NULL};
    struct conf_problems problems = {conf_print_problem, NULL, 0};
    struct import import = {.call = call, .state = &state};
    struct span text;
    const char *path = call->argument_count ? call->arguments[0] : "-";
    int status = ctl_read_input(call, path, NULL, ALIAS_FILE_MAX, &text);
    if (status != EX_OK)
        return status;
    status = forwards_open_rows(call, &state);
    if (status == EX_OK) {
        struct alias_table *table = forwards_csv_of(strcmp(path, "-") == 0 ? "(standard input)" : path, text, &problems);
        if (table)
            status = import_table(&import, table, request->replace);
        else
            status = ctl_fail(call, EX_DATAERR, "nothing was changed");
        alias_table_free(table);
    }
    ctl_state_close(&state);
    return status;
}

int forwards_import(int argc, char **argv)
{
    static const struct ctl_option options[] = {
        {.name = "replace", .type = CTL_FLAG, .offset = offsetof(struct request, replace)},
        {0},
    };
    static const struct ctl_command command = {
        .name = "forwards import",
        .usage = "usage: posternctl forwards import [-c FILE] [FILE|-] [--replace] [--json]\n"
                 "  Stores the forwards of a CSV file with lines ADDRESS,TARGET,DELETE, each instead of what its address had:\n"
                 "  all of them or, if one line is wrong, none. With --replace, addresses that are not in it are deleted.\n",
        .shared = CTL_JSON,
        .arguments = 1,
        .options = options,
        .run = run,
    };
    struct request request = {false};
    return ctl_run(&command, &request, argc, argv);
}
