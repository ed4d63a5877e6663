/*
 * options - how every subcommand of posternctl reads its command line.
 *
 * A subcommand describes itself once, as a struct ctl_command: its name, its usage text, its options as rows that point
 * into a request of its own, and the function that does the work. ctl_run() reads the arguments into the request and
 * calls it. -c FILE and -h, --help are understood by all of them, what else they share is asked for with
 * ctl_shared_options. A subcommand with verbs of its own (`queue list`) is a list of struct ctl_verb for
 * ctl_dispatch().
 *
 * OWNS: struct ctl_call and its arena live until `run` has returned; texts are those of argv.
 * THREADS: one; getopt_long() is global. ERRORS: the exit status as in sysexits.h; what is wrong is said on stderr.
 */
#ifndef POSTERN_CTL_OPTIONS_H
#define POSTERN_CTL_OPTIONS_H

#include "conf/conf.h"
#include "dns/dns.h"
#include "util/arena.h"

enum ctl_shared_options {
    CTL_JSON = 1,  /* --json */
    CTL_DNS = 2,   /* --dns SERVER[@PORT] */
    CTL_DAEMON = 4 /* --control PATH and -w WORKER: it speaks with posternd */
};

struct ctl_command;

/* One call of a subcommand: what all of them share. */
struct ctl_call {
    const struct ctl_command *command;
    struct arena *arena;
    const char *config; /* -c; the installed file if it was not given */
    bool config_is_given;
    bool json;
    const char *dns;     /* --dns; NULL: the servers of resolv.conf */
    const char *control; /* --control; NULL: as the configuration says */
    const char *worker;  /* -w; NULL: spawn_find_worker() knows */
    char **arguments;    /* what is no option */
    size_t argument_count;
};

enum ctl_option_type {              /* the member it fills     how it is written */
                       CTL_FLAG,    /* bool                    no value; true if it is there */
                       CTL_TEXT,    /* const char *            any text */
                       CTL_TEXTS,   /* struct string_list      any text; each time the option is given, one more */
                       CTL_NUMBER,  /* int64_t                 a whole number within min..max */
                       CTL_SECONDS, /* int64_t, milliseconds   seconds, with decimals; min..max in milliseconds */
                       CTL_TIME,    /* int64_t                 as clock_parse() reads it */
                       CTL_WORD,    /* int                     one of `words` */
                       CTL_READ     /* what `read` makes of it */
};

struct ctl_option {
    const char *name; /* without its dashes; NULL ends the rows */
    enum ctl_option_type type;
    size_t offset; /* of the member in the request */
    int64_t min, max;
    const struct option_word *words; /* a row without a name ends them */
    /* READ: NULL, or what is wrong with VALUE, as "is no address". */
    const char *(*read)(const struct ctl_call *call, void *request, const char *value);
};

struct ctl_command {
    const char *name;                 /* "spf", "queue list" */
    const char *usage;                /* whole lines */
    unsigned shared;                  /* enum ctl_shared_options, ORed */
    bool only_reads;                  /* so that nobody need be told that nothing was changed */
    size_t arguments;                 /* how many there may be that are no options */
    const struct ctl_option *options; /* NULL: none of its own */
    int (*run)(const struct ctl_call *call, void *request);
};

/* Reads ARGV (ARGV[0] is not looked at) into REQUEST, which holds the defaults, and runs COMMAND. */
int ctl_run(const struct ctl_command *command, void *request, int argc, char **argv);

/* "posternctl NAME: WHAT", and the usage. Returns EX_USAGE. */
int ctl_usage_error(const struct ctl_call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "posternctl NAME: WHAT". Returns STATUS. */
int ctl_fail(const struct ctl_call *call, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A resolver of its own, which asks --dns. NULL: the reason is on stderr, the status is EX_UNAVAILABLE. */
struct dns *ctl_open_dns(const struct ctl_call *call);

/* A subcommand or, under it, a verb. */
struct ctl_verb {
    const char *name;                  /* NULL ends the list */
    int (*run)(int argc, char **argv); /* argv[0] is the name */
    const char *help;
};

/* Runs the verb that ARGV[1] names; -h, --help lists them, and if it names none, one line does. ARGV[0] is not looked
 * at. NAME is what stands before the verb: "posternctl", "posternctl queue". `NAME -c FILE VERB` means `NAME VERB -c
 * FILE`, at any depth. */
int ctl_dispatch(const char *name, const struct ctl_verb *verbs, int argc, char **argv);

#endif
