/*
 * loader - what the files of this room share while a configuration is read. Not for other rooms.
 *
 * OWNS: see the members. THREADS: one loader at a time in a process.
 */
#ifndef POSTERN_CONF_LOADER_H
#define POSTERN_CONF_LOADER_H

#include "conf/conf.h"
#include "util/span.h"
#include "util/strset.h"
#include <sys/types.h>

/* Where a value was read. */
struct taken {
    const char *value, *file;
    int line;
};

/* One option of the configuration that is being read. */
struct slot {
    const struct conf_section *section;
    const struct option_row *row;
    void *member;     /* in the section's struct */
    void *set;        /* list types: the set that MEMBER points to, still to be filled */
    size_t capacity;  /* STRINGS: of the vector */
    const char *file; /* where this pass found it first; NULL: not yet */
    int line;
    struct taken *taken; /* STRINGS: of each entry; other lists: none; else of the last value. Not of the defaults. */
    size_t taken_count, taken_capacity;
};

struct opened { /* a section, and where it was found first */
    void *values;
    struct slot *slots;
    const char *file;
    int line;
};

/* A file in memory; what is wrong in it is overwritten with blanks before libconfuse sees it. */
struct conf_source {
    const char *path; /* as messages name it; in the loader's arena */
    char *text;       /* malloc'ed; conf_source_free() */
    size_t len;
    dev_t device;
    ino_t inode;
    bool unbalanced;                  /* its braces cannot be trusted */
    const struct conf_source *parent; /* that included it */
};

struct loader {
    struct arena *arena;   /* of the configuration: values */
    struct arena *scratch; /* gone after loading: names, messages */
    const struct conf_section *sections;
    size_t count;
    struct opened *opened; /* parallel to sections */
    struct conf_problems *problems;
    unsigned found;          /* problems, repeated ones too */
    struct strset *known;    /* the texts of all problems */
    struct problem *problem; /* KEPT of them, to be told */
    size_t kept, capacity;
    struct conf_source *source;
    bool defaults; /* it is the rows' defaults that are being read */
};

/* --- problem.c --- */

/* "FILE:LINE: section: NAME: text". LINE 0, a NULL SECTION and an empty NAME are left out. */
void problem_report(struct loader *loader, const char *file, int line, const struct conf_section *section,
                    struct span name, const char *format, ...) __attribute__((format(printf, 6, 7)));

#define PROBLEMS_MAX 500 /* that are told; a file of rubbish has one in each line */

/* Hands the problems to the caller, file by file in the order of their lines. Once, at the end. */
void problem_tell(struct loader *loader);

/* TEXT in quotes, cut where it is long; in the scratch arena. */
const char *problem_quote(struct loader *loader, struct span text);

/* " (did you mean 'x'?)" or where else NAME would be right, or "". */
const char *problem_suggest_option(struct loader *loader, const struct conf_section *section, struct span name);
const char *problem_suggest_section(struct loader *loader, struct span name);

/* --- source.c --- */

/* The regular file PATH, of at most LIMIT bytes. NULL, or why it cannot be read. */
const char *conf_source_read(struct loader *loader, const char *path, size_t limit, struct conf_source *source);
void conf_source_free(struct conf_source *source);
void conf_source_blank(struct conf_source *source, size_t start, size_t end);

/* --- scan.c --- */

/* Reports what is wrong with the structure of SOURCE, and blanks it out. */
void scan_source(struct loader *loader, struct conf_source *source);

/* --- slot.c --- */

const struct conf_section *slot_find_section(const struct loader *loader, struct span name);
struct slot *slot_find(const struct loader *loader, const struct conf_section *section, struct span name);
struct opened *slot_opened(const struct loader *loader, const struct conf_section *section);
bool slot_is_list(enum option_type type);

/* One value, or one entry of a list, from LINE of the current source. */
void slot_take(struct loader *loader, struct slot *slot, int line, const char *value);

/* --- value.c --- */

/* A single value of a type that is no list, into MEMBER. NULL, or what is wrong, to be read behind the value. */
const char *value_parse(struct arena *arena, const struct option_row *row, const char *text, void *member);
const struct option_word *value_find_word(const struct option_row *row, struct span name);

/* --- list.c --- */

void list_begin(struct arena *arena, struct slot *slot);
const char *list_add(struct arena *arena, struct slot *slot, const char *entry);
bool list_takes_files(enum option_type type);

/* --- listfile.c --- */

/* Adds the entries of the file PATH, which LINE of the current source names. */
void listfile_read(struct loader *loader, struct slot *slot, int line, const char *path);

/* --- describe.c: rows in words; results in ARENA --- */

const char *describe_type(const struct option_row *row);
const char *describe_range(struct arena *arena, const struct option_row *row);   /* NULL: none */
const char *describe_default(struct arena *arena, const struct option_row *row); /* as it stands in the file */
const char *describe_duration(struct arena *arena, int64_t ms);
const char *describe_size(struct arena *arena, uint64_t bytes);

/* --- checksum.c --- */

const char *checksum_hex(struct arena *arena, const void *bytes, size_t len);

#endif
