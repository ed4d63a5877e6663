/*
 * ask_aliases - what addresses mean, for tests/live/test_aliases.py and for measuring.
 *
 * ask_aliases [-t TABLE]... [-a ALIAS=DOMAIN]... [-d LOCAL_DOMAIN] [-l LOCAL]... [-r DELIMITERS] [-b]
 * Reads addresses, one a line; writes "canonical<TAB>route,route<TAB>cut|-". -b: says how long reading and look-ups
 * took.
 */
#include "aliases/aliases.h"
#include "util/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void problem(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "%s\n", text);
}

static void list_add(struct string_list *list, const char *item)
{
    list->items = realloc(list->items, (list->count + 1) * sizeof *list->items);
    if (!list->items)
        abort();
    list->items[list->count++] = item;
}

static void answer(struct aliases *aliases, const char *line)
{
    struct arena *arena = arena_create(4096);
    const char *canonical = aliases_canonical(aliases, arena, line);
    struct aliases_targets targets = aliases_expand(aliases, arena, line);
    printf("%s\t", canonical ? canonical : "");
    for (size_t i = 0; i < targets.route_count; i++)
        printf("%s%s", i ? "," : "", targets.routes[i]);
    printf("\t%s\n", targets.is_cut ? "cut" : "-");
    fflush(stdout);
    arena_destroy(arena);
}

static void measure(struct aliases *aliases, const char *line)
{
    enum { TIMES = 200000 };
    int64_t start = clock_monotonic_us();
    for (int i = 0; i < TIMES; i++) {
        struct arena *arena = arena_create(1024);
        if (!aliases_canonical(aliases, arena, line))
            abort();
        arena_destroy(arena);
    }
    int64_t middle = clock_monotonic_us();
    for (int i = 0; i < TIMES; i++) {
        struct arena *arena = arena_create(4096);
        aliases_expand(aliases, arena, line);
        arena_destroy(arena);
    }
    printf("%s: canonical %.2f us, expand %.2f us\n", line, (double)(middle - start) / TIMES,
           (double)(clock_monotonic_us() - middle) / TIMES);
}

int main(int argc, char **argv)
{
    struct string_list tables = {0, NULL}, domains = {0, NULL};
    struct conf_problems problems = {problem, NULL, 0};
    struct arena *arena = arena_create(4096);
    struct domain_set *local = domain_set_create(arena);
    struct aliases_options options = {&tables, &domains, NULL, NULL, local};
    bool is_measured = false;
    int option;
    while ((option = getopt(argc, argv, "t:a:d:l:r:b")) != -1) {
        if (option == 't')
            list_add(&tables, optarg);
        else if (option == 'a')
            list_add(&domains, optarg);
        else if (option == 'd')
            options.local_domain = optarg;
        else if (option == 'l')
            domain_set_add(local, optarg);
        else if (option == 'r')
            options.recipient_delimiter = optarg;
        else if (option == 'b')
            is_measured = true;
        else
            return 64;
    }
    int64_t start = clock_monotonic_us();
    struct aliases *aliases = aliases_open(&options, &problems);
    if (!aliases)
        return 78;
    if (is_measured)
        printf("read in %.3f s\n", (double)(clock_monotonic_us() - start) / 1e6);
    char line[4096];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (is_measured)
            measure(aliases, line);
        else
            answer(aliases, line);
    }
    aliases_close(aliases);
    arena_destroy(arena);
    free(tables.items);
    free(domains.items);
    return 0;
}
