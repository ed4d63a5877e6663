/*
 * alias_table - one table as it was read: what each key means, and which files that came from.
 *
 * Keys are "local@domain", "local" or "@domain": lower case, canonical, without quotes. A value is a row of targets,
 * each a letter for its kind, text and a NUL:
 *   'A' local@domain  as written but for the domain, which is canonical
 *   'D' @domain       the same local part there ("%1@domain" of Sendmail's virtusertable likewise)
 *   'I' /path         the list of that name, a key of INCLUDES
 *   'P'               what has no place here: a command, a file, what is no address; once, however many there are
 *   'C'               the same for what is beyond a bound
 * A key may have no target at all. Tables of another room's form have values of
 * their own.
 *
 * OWNS: its maps. THREADS: built by one, then immutable.
 */
#ifndef POSTERN_ALIASES_ALIAS_TABLE_H
#define POSTERN_ALIASES_ALIAS_TABLE_H

#include "aliases/alias_address.h"
#include "aliases/aliases.h"
#include "util/strmap.h"
#include <sys/stat.h>

#define ALIAS_FILE_MAX ((uint64_t)256 << 20) /* bytes of a table */
#define ALIAS_LINE_MAX ((size_t)1 << 20)     /* bytes of a line with those that continue it */
#define ALIAS_INCLUDES_MAX 1000              /* :include: lists of a table */
#define ALIAS_INCLUDE_MAX ((uint64_t)16 << 20)
#define ALIAS_PROBLEMS_MAX 20 /* told of a file; the rest is counted */

enum alias_kind { ALIAS_VIRTUAL, ALIAS_LOCAL, ALIAS_CSV };

/* What a file looked like; all 0: it is not there. */
struct alias_mark {
    uint64_t device, inode, size;
    int64_t changed_s, changed_ns, written_s, written_ns;
};

struct alias_file {
    const char *path;
    struct alias_mark mark;
};

struct alias_table {
    struct arena *arena; /* of what follows */
    enum alias_kind kind;
    struct strmap *map, *includes;
    struct alias_file *files; /* the table and its lists */
    size_t file_count, file_capacity;
    unsigned refs; /* of the sets it is in; the watch's alone */
};

/* "virtual:/PATH" -> its kind and path. NULL, or what is wrong with it. */
const char *alias_table_split(const char *name, enum alias_kind *kind, const char **path);

typedef struct alias_table *alias_table_read_function(const char *name, const char *local_domain,
                                                      struct conf_problems *problems);

/* Reads the table NAME. NULL after the problems were reported; warnings go to the log. LOCAL_DOMAIN: of names without
 * one, canonical; NULL: none. */
alias_table_read_function alias_table_read;
void alias_table_free(struct alias_table *table);

/* Does a file of TABLE look otherwise than it did? MARKS (one a file) gets what they look like now. */
bool alias_table_look(const struct alias_table *table, struct alias_mark *marks);
struct alias_mark alias_mark_of(const struct stat *status);

/* ---- for the parsers ---- */

struct alias_reader; /* a file under way, alias_reader.h */
struct alias_load;

/* Reads READER to its end into load->table. */
typedef void alias_parser(struct alias_load *load, struct alias_reader *reader);

/* A table of another room's form: from a file, and from BYTES that are called LABEL in messages. As
 * alias_table_read(). */
struct alias_table *alias_table_read_with(const char *path, alias_parser *parse, struct conf_problems *problems);
struct alias_table *alias_table_of(const char *label, struct span bytes, alias_parser *parse,
                                   struct conf_problems *problems);

struct alias_load {
    struct alias_table *table;
    const char *local_domain, *path;
    struct conf_problems *problems;
    unsigned told_problems, told_warnings;
    size_t problem_count, warning_count;
    struct strbuf value; /* the row of targets under construction */
    size_t targets;      /* in it */
    bool misses_cut, misses_part; /* it has the mark already */
};

/* "FILE:LINE: text", a problem: the table is not used; a warning: what the line says is left out. */
void alias_problem(struct alias_load *load, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void alias_warning(struct alias_load *load, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The right side of a line: puts its targets into load->value. */
void alias_targets_read(struct alias_load *load, unsigned line, struct span text);

/* A line says that ADDRESS (folded here) means TARGETS. Further lines of an address: with MANY their targets count too,
 * without the first one's alone, and it is a warning if they are others. */
void alias_entry_take(struct alias_load *load, unsigned line, struct alias_address *address, struct span targets,
                      bool many);

/* Marks load->value: something was left out, KIND 'P' or 'C'. */
void alias_targets_miss(struct alias_load *load, char kind);

/* Calls READ_ENTRY for each logical line of READER; a line that ends the reading is a problem. */
void alias_lines_read(struct alias_load *load, struct alias_reader *reader,
                      void (*read_entry)(struct alias_load *load, unsigned line, struct span text));

/* The field that *REST, a CSV record, begins with, without its quotes and the white space around it: *FIELD points into
 * *REST or into ROOM. *REST is what is behind SEPARATOR, ptr NULL if this was the last. NULL, or what is wrong. */
const char *alias_csv_field(struct span *rest, char separator, struct strbuf *room, struct span *field);

/* The key of ADDRESS (folded) in OUT. */
struct span alias_key(const struct alias_address *address, char out[ALIAS_ADDRESS_MAX]);

alias_parser alias_virtual_read, alias_local_read, alias_csv_read;

#endif
