/* Where an address leads: through tables and aliases, around loops, and not further than the bounds. */
#include "unit.h"

#include "../aliases/tables.h"
#include "srs/routes.h"

#define SIZE(array) (sizeof(array) / sizeof *(array))

static const char VIRTUAL[] = "a@here.example b@here.example, x@remote.example\n"
                              "self@here.example self@here.example, x@remote.example\n"
                              "loop1@here.example loop2@here.example\n"
                              "loop2@here.example loop1@here.example\n"
                              "totable@here.example moved@here.example, carol@here.example\n"
                              "@catch.example catcher@remote.example\n"
                              "@second.example @here.example\n";
static const char LOCAL[] = "keeper: keeper, k@remote.example\nplain: p@remote.example, alice\n";

struct world {
    struct tables *tables;
    struct forwards *forwards;
    struct routes_source source;
    struct domain_set *local;
};

static void report(void *context, const char *text)
{
    (void)context;
    fail_msg("%s", text);
}

static void world_open(struct world *world, const char *forwards)
{
    static const char *const local[] = {"here.example", "mx.here.example", "catch.example", "second.example"};
    struct conf_problems problems = {report, NULL, 0};
    world->tables = tables_begin();
    world->local = domain_set_create(world->tables->arena);
    for (size_t i = 0; i < SIZE(local); i++)
        domain_set_add(world->local, local[i]);
    world->tables->options.local_domain = "mx.here.example";
    world->tables->options.local_domains = world->local;
    tables_add(world->tables, "virtual", "virtual", VIRTUAL);
    tables_add(world->tables, "aliases", "aliases", LOCAL);
    if (!tables_open(world->tables))
        fail_msg("%s", strbuf_text(&world->tables->problems));
    const char *path = tables_write(world->tables, "forwards.csv", forwards);
    world->forwards = forwards_open(arena_printf(world->tables->arena, "csv:%s", path), NULL, &problems);
    assert_non_null(world->forwards);
    world->source = (struct routes_source){world->forwards, world->tables->aliases, world->local, NULL};
}

static void world_close(struct world *world)
{
    forwards_close(world->forwards);
    tables_end(world->tables);
}

/* "> leaves", "= is itself", "* expands more"; then T by_table, S stays, D direct, C cut. */
static const char *describe(struct world *world, const char *address)
{
    struct routes routes;
    struct arena *arena = world->tables->arena;
    assert_int_equal(routes_find(&world->source, arena, address, 1800000000, &routes), STORE_OK);
    const char *text = "";
    for (size_t i = 0; i < routes.count; i++)
        text = arena_printf(arena, "%s%s%s%s%s ", text, routes.items[i].leaves ? ">" : "",
                            routes.items[i].is_self ? "=" : "", routes.items[i].expands_more ? "*" : "",
                            routes.items[i].address);
    return arena_printf(arena, "%s%s%s%s%s", text, routes.by_table ? "T" : "", routes.stays ? "S" : "",
                        routes.is_direct ? "D" : "", routes.is_cut ? "C" : "");
}

static void where_an_address_leads(void **state)
{
    (void)state;
    static const char FORWARDS[] = "moved@here.example,m@remote.example,1\n"
                                   "copy@here.example,c@remote.example,0\n"
                                   "chain@here.example,moved@here.example,1\n"
                                   "round1@here.example,round2@here.example,1\n"
                                   "round2@here.example,round1@here.example,1\n"
                                   "stays@here.example,a@here.example,0\n"
                                   "tolocal@here.example,keeper@mx.here.example,1\n"
                                   "literal@here.example,x@[192.0.2.1],1\n"
                                   "@all.example,all@remote.example,1\n";
    static const struct {
        const char *address, *expected;
    } rows[] = {
        {"alice@here.example", "=alice@here.example SD"},
        {"Alice+tag@Here.Example", "=Alice+tag@Here.Example SD"},
        {"x@remote.example", ">=x@remote.example SD"},
        {"postmaster", "=postmaster SD"},
        {"a@here.example", "b@here.example >x@remote.example "},
        {"self@here.example", "=*self@here.example >x@remote.example S"},
        {"other@catch.example", ">catcher@remote.example "},
        {"a@second.example", "b@here.example >x@remote.example "},
        {"keeper@mx.here.example", "=*keeper@mx.here.example SD"},
        {"plain@mx.here.example", ">p@remote.example alice@mx.here.example "},
        {"moved@here.example", ">m@remote.example T"},
        {"Moved+tag@here.example", ">m@remote.example T"},
        {"copy@here.example", "=copy@here.example >c@remote.example TS"},
        {"chain@here.example", ">m@remote.example T"},
        {"round1@here.example", "T"},
        {"totable@here.example", ">m@remote.example carol@here.example T"},
        {"stays@here.example", "=stays@here.example b@here.example >x@remote.example TS"},
        {"tolocal@here.example", "*keeper@mx.here.example T"},
        {"literal@here.example", ">x@[192.0.2.1] T"},
        {"who@all.example", ">all@remote.example T"},
    };
    struct world world;
    world_open(&world, FORWARDS);
    for (size_t i = 0; i < SIZE(rows); i++) {
        const char *text = describe(&world, rows[i].address);
        if (strcmp(text, rows[i].expected) != 0)
            fail_msg("%s: \"%s\" and not \"%s\"", rows[i].address, text, rows[i].expected);
    }
    world_close(&world);
}

/* A loop of aliases means nothing; mail in one goes nowhere, and the MTA says so itself. */
static void loops_and_bounds(void **state)
{
    (void)state;
    struct world world;
    struct strbuf table;
    struct routes routes;
    strbuf_init(&table, 1 << 20);
    for (int i = 0; i < 30; i++)
        strbuf_printf(&table, "deep%d@here.example,deep%d@here.example,1\n", i, i + 1);
    for (int i = 0; i < 15; i++)
        strbuf_printf(&table, "wide@here.example,w%d@here.example,1\n", i);
    for (int i = 0; i < 15; i++)
        for (int j = 0; j < 99; j++)
            strbuf_printf(&table, "w%d@here.example,t%d.%d@remote.example,1\n", i, i, j);
    world_open(&world, strbuf_text(&table));
    assert_non_null(strstr(describe(&world, "loop1@here.example"), "C"));
    assert_non_null(strstr(describe(&world, "deep0@here.example"), "C"));
    assert_string_equal(describe(&world, "deep15@here.example"), "deep30@here.example T");
    routes_find(&world.source, world.tables->arena, "wide@here.example", 1800000000, &routes);
    assert_int_equal(routes.count, ALIASES_TARGETS_MAX);
    assert_true(routes.is_cut);
    strbuf_free(&table);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_an_address_leads),
        cmocka_unit_test(loops_and_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
