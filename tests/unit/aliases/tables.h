/* Files and tables for the tests of this folder. */
#ifndef POSTERN_TESTS_ALIASES_TABLES_H
#define POSTERN_TESTS_ALIASES_TABLES_H

#include "aliases/aliases.h"
#include "util/strbuf.h"

#define TABLES_MAX 4

/* A directory of the test's own; what is opened in it; what was reported. */
struct tables {
    char directory[64];
    struct arena *arena;
    struct strbuf problems; /* each with a line feed behind it */
    struct aliases_options options;
    struct string_list names, domains;
    const char *name_items[TABLES_MAX], *domain_items[TABLES_MAX];
    struct aliases *aliases;
};

struct tables *tables_begin(void);
void tables_end(struct tables *tables);

/* The path of NAME there, after writing TEXT into it by rename. Its first '%' signs become the directory. */
const char *tables_write(struct tables *tables, const char *name, const char *text);

/* Adds "FORM:PATH" of a file that is written. */
void tables_add(struct tables *tables, const char *form, const char *name, const char *text);

/* Opens; false: it said no. */
bool tables_open(struct tables *tables);

/* "canonical" and "route route (cut)" of an address; "-" for none. */
const char *tables_canonical(struct tables *tables, const char *address);
const char *tables_expand(struct tables *tables, const char *address);
const char *tables_items(struct tables *tables, const char *address);

#endif
