/*
 * forwards - `posternctl forwards`: its verbs, what they share, and list.
 *
 * The rows in the store can be made ready before postern.conf names them; that they do nothing yet is said. A csv:
 * table belongs to whoever writes the file: it is shown, and no verb changes it.
 */
#include "ctl/forwards.h"
#include "ctl/ctl.h"
#include "ctl/json.h"
#include "srs/forwards_csv.h"
#include "util/clock.h"
#include <stdlib.h>
#include <sysexits.h>

static void warn_unless_used(const struct ctl_call *call, const char *table)
{
    if (!table)
        fprintf(stderr, "posternctl %s: warning: forwards { table } is empty, so nothing is forwarded; it must be \"store\"\n",
                call->command->name);
}

int forwards_open_rows(const struct ctl_call *call, struct ctl_state *state)
{
    int status = ctl_state_open(call, state);
    if (status != EX_OK)
        return status;
    const char *table = state->engine->settings.forwards->table;
    if (table && strcmp(table, "store") != 0)
        return ctl_fail(call, EX_CONFIG, "the forward table is %s, which is not changed from here: change the file itself",
                        table);
    warn_unless_used(call, table);
    return EX_OK;
}

const char *forwards_looked_up_as(const struct ctl_call *call, const struct ctl_state *state,
                                  const struct alias_address *address)
{
    struct alias_address asked = *address;
    char text[ALIAS_ADDRESS_MAX];
    if (address->local_len == 0) {
        memcpy(asked.local, "x", 2); /* what is said of the domain does not depend on who is asked for */
        asked.local_len = 1;
    }
    alias_address_print(&asked, text);
    const char *canonical = aliases_canonical(state->kept->aliases, call->arena, text);
    if (!canonical)
        return "no address";
    if (address->local_len > 0)
        return strcmp(canonical, text) == 0 ? NULL : canonical;
    canonical = strrchr(canonical, '@');
    return strcmp(canonical + 1, address->domain) == 0 ? NULL : canonical;
}

cJSON *forwards_json(const char *address, const struct forward *forward)
{
    cJSON *object = cJSON_CreateObject();
    json_add_text(object, "address", address);
    cJSON *targets = cJSON_AddArrayToObject(object, "targets");
    for (size_t i = 0; i < forward->count; i++)
        cJSON_AddItemToArray(targets, cJSON_CreateString(forward->targets[i]));
    cJSON_AddBoolToObject(object, "delete", forward->deletes);
    return object;
}

/* ---- list ---- */

struct item {
    const char *address;
    struct forward forward;
};

struct collection {
    const struct ctl_call *call;
    struct item *items;
    size_t count, capacity;
    int status; /* EX_DATAERR once a row was damaged */
};

static void collect(void *context, const char *address, const struct forward *forward)
{
    struct collection *all = context;
    all->items = arena_grow(all->call->arena, all->items, &all->capacity, all->count + 1, sizeof *all->items);
    all->items[all->count++] = (struct item){address, *forward};
}

static bool collect_row(void *context, const char *key, const struct store_value *value)
{
    struct collection *all = context;
    struct forward forward;
    const char *address = arena_strdup(all->call->arena, key + strlen(FORWARD_KEY));
    if (forward_load(all->call->arena, value->bytes, &forward) == 0)
        collect(all, address, &forward);
    else
        all->status = ctl_fail(all->call, EX_DATAERR, "what is stored for %s is damaged", address);
    return true;
}

static int by_address(const void *a, const void *b)
{
    return strcmp(((const struct item *)a)->address, ((const struct item *)b)->address);
}

static void print_json(const struct collection *all)
{
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < all->count; i++)
        cJSON_AddItemToArray(array, forwards_json(all->items[i].address, &all->items[i].forward));
    json_print(stdout, array);
}

static void print_text(const struct collection *all)
{
    if (all->count == 0 && all->status == EX_OK)
        puts("the forward table is empty");
    else if (all->count > 0)
        printf("%-32s %-6s  %s\n", "ADDRESS", "COPY", "TARGETS");
    for (size_t i = 0; i < all->count; i++) {
        const struct forward *forward = &all->items[i].forward;
        printf("%-32s %-6s ", all->items[i].address, forward->deletes ? "none" : "stays");
        for (size_t k = 0; k < forward->count; k++)
            printf(" %s", forward->targets[k]);
        putchar('\n');
    }
}

static int collect_file(const char *table, struct collection *all)
{
    struct conf_problems problems = {conf_print_problem, NULL, 0};
    struct alias_table *read = forwards_csv_open(table, NULL, &problems);
    if (!read)
        return ctl_fail(all->call, EX_DATAERR, "%s cannot be used; a daemon that has read an earlier version goes on with it",
                        table);
    forwards_csv_each(read, all->call->arena, collect, all);
    alias_table_free(read);
    return EX_OK;
}

static int collect_rows(const struct ctl_call *call, struct ctl_state *state, struct collection *all)
{
    int status = ctl_state_open_store(call, state);
    if (status == EX_OK && store_each(state->store, FORWARD_KEY, clock_wall(), collect_row, all) != STORE_OK)
        status = ctl_store_is_down(call);
    return status;
}

static int run_list(const struct ctl_call *call, void *context)
{
    struct ctl_state state;
    struct collection all = {.call = call};
    (void)context;
    int status = ctl_state_open_settings(call, &state);
    if (status == EX_OK) {
        const char *table = state.engine->settings.forwards->table;
        warn_unless_used(call, table);
        bool is_file = table && strcmp(table, "store") != 0;
        status = is_file ? collect_file(table, &all) : collect_rows(call, &state, &all);
    }
    if (status == EX_OK) {
        if (all.count > 0)
            qsort(all.items, all.count, sizeof *all.items, by_address);
        if (call->json)
            print_json(&all);
        else
            print_text(&all);
        status = all.status;
    }
    ctl_state_close(&state);
    return status;
}

int forwards_list(int argc, char **argv)
{
    static const struct ctl_command command = {
        .name = "forwards list",
        .usage = "usage: posternctl forwards list [-c FILE] [--json]\n"
                 "  What the forward table holds, a csv: file as well as the rows in the store: each address, whether it\n"
                 "  gets a copy itself, and whereto its mail is sent on.\n",
        .shared = CTL_JSON,
        .only_reads = true,
        .run = run_list,
    };
    return ctl_run(&command, NULL, argc, argv);
}

static const struct ctl_verb verbs[] = {
    {"list", forwards_list, "whose mail is sent on, and whereto"},
    {"add", forwards_add, "send mail to an address on to others"},
    {"delete", forwards_delete, "send it on no more, or not to some of them"},
    {"import", forwards_import, "store the forwards of a CSV file, all or none"},
    {0},
};

int ctl_forwards(int argc, char **argv)
{
    return ctl_dispatch("posternctl forwards", verbs, argc, argv);
}
