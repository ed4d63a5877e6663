/*
 * conf - option rows, and the configuration file read into them.
 *
 * A section is a struct of the caller's and the rows that describe its members. The same rows give the parser, the
 * error messages, `-T options`, the annotated postern.conf and the manual page, so none of them can drift.
 * libconfuse reads the file; its cfg_t never leaves this room. This room knows no check: it is given the sections.
 *
 * OWNS: a struct conf owns its arena, and every value in the sections' structs lives there.
 * THREADS: conf_load() one at a time in a process (libconfuse's lexer is global); afterwards a conf is read-only.
 */
#ifndef POSTERN_CONF_CONF_H
#define POSTERN_CONF_CONF_H

#include "util/arena.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum option_type {              /* the member it fills                  how it is written */
                   OPTION_BOOL, /* bool                                 yes | no (also true/false, on/off) */
                   OPTION_INT,  /* int64_t                              decimal, within min..max */
                   OPTION_SIZE, /* uint64_t, bytes                      number and optional k, M, G (powers of 1024) */
                   OPTION_DURATION, /* int64_t, milliseconds                number and ms, s, m, h, d (no unit: seconds)
                                     */
                   OPTION_MODE,     /* int64_t                              octal file mode, "0660" */
                   OPTION_STRING,   /* const char *, NULL when empty        text */
                   OPTION_ENUM,     /* int                                  one of `words` */
                   OPTION_FLAGS,    /* unsigned, OR of the values           list of `words` */
                   OPTION_STRINGS,  /* const struct string_list *           list of texts */
                   OPTION_NETWORKS, /* const struct netset *                list of addresses and CIDR networks, or
                                       files */
                   OPTION_DOMAINS,  /* const struct domain_set *            list of names and .suffixes, or files */
                   OPTION_WORDS,    /* const struct strset *                list of words, lower-cased, or files */
                   OPTION_TEMPLATE  /* const struct template *              an SMTP reply with placeholders */
};
/* A list is never NULL. '=' replaces the default's entries, '+=' adds to them. In the types that say "or files" an
 * entry that begins with '/' names a file with one entry a line; '#' starts a comment, empty lines do not count. */

struct option_word {
    const char *name;
    int value;
};

struct option_row {
    const char *name; /* NULL ends the rows */
    enum option_type type;
    size_t offset; /* of the member in the section's struct */
    /* As it would stand in the file; lists as { "a", "b" }; a text may go without its quotes. NULL or "" = empty: NULL,
     * 0 or the empty list. A TEMPLATE can be empty only if it is empty by default. */
    const char *def;
    int64_t min, max;                /* INT, SIZE (bytes), DURATION (ms); max 0 = no upper bound */
    const struct option_word *words; /* ENUM, FLAGS; ended by a NULL name */
    const char *placeholders;        /* TEMPLATE: the allowed ones, "helo rcpt client" */
    const char *reply_class;         /* TEMPLATE: the first digits its SMTP code may have, "5", "4" or "45" */
    /* What else must be true of one value (for lists: of each entry): NULL, or what is wrong with it, to be read
     * behind the value ("is no file mode"). Called while parsing, so the message has file and line; not called for a
     * STRING that is empty. May be NULL. */
    const char *(*verify)(const char *value);
    const char *help; /* what it does, in one or more whole sentences; units and effects included */
};

struct string_list {
    size_t count;
    const char **items;
};

struct conf_section {
    const char *name;    /* "" = the top level of the file */
    const char *summary; /* one sentence, for the manual and the annotated file */
    const struct option_row *rows;
    size_t size; /* of the struct the rows describe */
};

struct conf;

/* Where problems go: one call each, "FILE:LINE: text" without a newline. */
struct conf_problems {
    void (*report)(void *context, const char *text);
    void *context;
    unsigned count; /* counted by conf */
};

/* A `report` that prints to stderr, whatever the context. */
void conf_print_problem(void *context, const char *text);

/* Reads PATH, and what it names with include("file"), a relative name being relative to the file that includes. Every
 * problem that can be found is reported, those of a file in the order of its lines; NULL if there was one. A default
 * that cannot be parsed is one ("default of helo: max: ..."). SECTIONS must outlive the result. */
struct conf *conf_load(const char *path, const struct conf_section *sections, size_t count,
                       struct conf_problems *problems);

/* All options at their defaults; for tests and for commands that run without a file. NULL only if a row's default
 * cannot be parsed, which is a fault of the program and goes to the log. */
struct conf *conf_defaults(const struct conf_section *sections, size_t count);

void conf_destroy(struct conf *conf);

/* The struct of the section of that name, of the size its conf_section says; never NULL for a section that exists. */
const void *conf_get(const struct conf *conf, const char *section);

/* The arena of the configuration: what else must live exactly as long. */
struct arena *conf_arena(const struct conf *conf);

/* "FILE:LINE" of the option's value, for messages about it after the file was read; maybe on ARENA. ENTRY: of a list of
 * texts, the one that is meant; else NULL. For a default it is conf_path(). */
const char *conf_where(const struct conf *conf, struct arena *arena, const char *section, const char *option,
                       const char *entry);

/* The file as it was given, and its SHA-256 in hex (includes and list files not counted). "" for defaults. */
const char *conf_path(const struct conf *conf);
const char *conf_checksum(const struct conf *conf);

/* Output made of the rows. */
void conf_print_options(FILE *out, const struct conf_section *sections, size_t count);   /* -T options, a table */
void conf_print_annotated(FILE *out, const struct conf_section *sections, size_t count); /* conf/postern.conf */
void conf_print_mdoc(FILE *out, const struct conf_section *sections, size_t count);      /* postern.conf.5, options */

#endif
