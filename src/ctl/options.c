/*
 * options - rows in, a filled request out.
 *
 * getopt_long() does the reading, so that abbreviations, --name=VALUE and options behind arguments work everywhere the
 * same; its table is made of the shared options and the rows. Rows of the two kinds are told apart by their value: a
 * shared option is a letter, a row is ROW_FIRST and its place in the list. What a subcommand requires, and which of its
 * options go together, it checks itself.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "ctl/options.h"
#include "util/clock.h"
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#define DEFAULT_CONFIG POSTERN_SYSCONFDIR "/postern/postern.conf"
#define ROW_FIRST 256 /* above every letter */

static const struct shared_option {
    unsigned flag; /* 0: always */
    struct option option;
} shared_options[] = {{0, {"help", no_argument, NULL, 'h'}},
                      {CTL_JSON, {"json", no_argument, NULL, 'j'}},
                      {CTL_DNS, {"dns", required_argument, NULL, 'd'}},
                      {CTL_DAEMON, {"control", required_argument, NULL, 'C'}}};

#define SHARED_COUNT (sizeof shared_options / sizeof *shared_options)

static void __attribute__((format(printf, 2, 0)))
complain(const struct ctl_call *call, const char *format, va_list args)
{
    fprintf(stderr, "posternctl %s: ", call->command->name);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

int ctl_usage_error(const struct ctl_call *call, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    complain(call, format, args);
    va_end(args);
    fputs(call->command->usage, stderr);
    return EX_USAGE;
}

int ctl_fail(const struct ctl_call *call, int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    complain(call, format, args);
    va_end(args);
    return status;
}

/* ---- values: each returns NULL, or what is wrong with the text ---- */

static const char *read_number(const struct ctl_call *call, const struct ctl_option *row, int64_t *member,
                               const char *text)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (!*text || *end || errno || number < row->min || number > row->max)
        return arena_printf(call->arena, "is no number from %lld to %lld", (long long)row->min, (long long)row->max);
    *member = number;
    return NULL;
}

static const char *read_seconds(const struct ctl_call *call, const struct ctl_option *row, int64_t *member,
                                const char *text)
{
    char *end;
    double ms = strtod(text, &end) * 1000;
    /* Written so that NaN is refused. */
    if (!*text || *end || !(ms >= (double)row->min && ms <= (double)row->max))
        return arena_printf(call->arena, "is no number of seconds from %g to %g", (double)row->min / 1000,
                            (double)row->max / 1000);
    *member = (int64_t)ms;
    return NULL;
}

static const char *read_word(const struct ctl_call *call, const struct ctl_option *row, int *member, const char *text)
{
    const char *known = "";
    for (const struct option_word *word = row->words; word->name; word++) {
        if (strcmp(word->name, text) == 0) {
            *member = word->value;
            return NULL;
        }
        const char *glue = word == row->words ? "" : word[1].name ? ", " : " or ";
        known = arena_printf(call->arena, "%s%s%s", known, glue, word->name);
    }
    return arena_printf(call->arena, "is not known; say %s", known);
}

static const char *read_value(const struct ctl_call *call, const struct ctl_option *row, void *request, int argc)
{
    void *member = (char *)request + row->offset;
    struct string_list *list = member;
    switch (row->type) {
    case CTL_FLAG:
        *(bool *)member = true;
        return NULL;
    case CTL_TEXT:
        *(const char **)member = optarg;
        return NULL;
    case CTL_TEXTS:
        if (!list->items) /* there cannot be more of them than arguments */
            list->items = arena_alloc(call->arena, (size_t)argc * sizeof *list->items);
        list->items[list->count++] = optarg;
        return NULL;
    case CTL_NUMBER:
        return read_number(call, row, member, optarg);
    case CTL_SECONDS:
        return read_seconds(call, row, member, optarg);
    case CTL_TIME:
        return clock_parse(optarg, member) == 0 ? NULL : "is no time; say 2026-11-22T03:00:00Z, or seconds since 1970";
    case CTL_WORD:
        return read_word(call, row, member, optarg);
    case CTL_READ:
        break;
    }
    return row->read(call, request, optarg);
}

/* ---- the command line ---- */

static const struct option *make_table(const struct ctl_call *call)
{
    const struct ctl_command *command = call->command;
    size_t rows = 0, count = 0;
    while (command->options && command->options[rows].name)
        rows++;
    struct option *table = arena_alloc(call->arena, (SHARED_COUNT + rows + 1) * sizeof *table);
    for (size_t i = 0; i < SHARED_COUNT; i++)
        if (!shared_options[i].flag || (command->shared & shared_options[i].flag))
            table[count++] = shared_options[i].option;
    for (size_t i = 0; i < rows; i++)
        table[count++] = (struct option){command->options[i].name,
                                         command->options[i].type == CTL_FLAG ? no_argument : required_argument, NULL,
                                         ROW_FIRST + (int)i};
    table[count] = (struct option){0};
    return table;
}

/* -1: go on; else the status to end with. */
static int take_option(struct ctl_call *call, void *request, int argc, int option)
{
    if (option >= ROW_FIRST) {
        const struct ctl_option *row = &call->command->options[option - ROW_FIRST];
        const char *wrong = read_value(call, row, request, argc);
        return wrong ? ctl_usage_error(call, "--%s: \"%s\" %s", row->name, optarg, wrong) : -1;
    }
    switch (option) {
    case 'c':
        call->config = optarg;
        call->config_is_given = true;
        return -1;
    case 'j':
        call->json = true;
        return -1;
    case 'd':
        call->dns = optarg;
        return -1;
    case 'C':
        call->control = optarg;
        return -1;
    case 'w':
        call->worker = optarg;
        return -1;
    case 'h':
        fputs(call->command->usage, stdout);
        return EX_OK;
    default: /* getopt_long() has said what is wrong */
        fputs(call->command->usage, stderr);
        return EX_USAGE;
    }
}

static int read_arguments(struct ctl_call *call, void *request, int argc, char **argv)
{
    const struct option *table = make_table(call);
    const char *letters = call->command->shared & CTL_DAEMON ? "c:hw:" : "c:h";
    argv[0] = arena_printf(call->arena, "posternctl %s", call->command->name); /* getopt_long() complains as argv[0] */
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, letters, table, NULL)) != -1;) {
        int status = take_option(call, request, argc, option);
        if (status >= 0)
            return status;
    }
    call->arguments = argv + optind;
    call->argument_count = (size_t)(argc - optind);
    if (call->argument_count > call->command->arguments)
        return ctl_usage_error(call, "\"%s\" is one argument too many", call->arguments[call->command->arguments]);
    return -1;
}

int ctl_run(const struct ctl_command *command, void *request, int argc, char **argv)
{
    struct ctl_call call = {.command = command, .arena = arena_create(8192), .config = DEFAULT_CONFIG};
    int status = read_arguments(&call, request, argc, argv);
    if (status < 0)
        status = command->run(&call, request);
    arena_destroy(call.arena);
    return status;
}

struct dns *ctl_open_dns(const struct ctl_call *call)
{
    const char *why = NULL, *server = call->dns;
    struct string_list servers = {server ? 1 : 0, &server};
    struct dns *dns = dns_create(&(struct dns_options){.servers = &servers}, &why);
    if (!dns)
        ctl_fail(call, EX_UNAVAILABLE, "%s", why);
    return dns;
}

/* ---- verbs ---- */

static void print_verbs(const char *name, const struct ctl_verb *verbs)
{
    int width = 0;
    for (const struct ctl_verb *verb = verbs; verb->name; verb++)
        width = (int)strlen(verb->name) > width ? (int)strlen(verb->name) : width;
    printf("usage: %s COMMAND [-c FILE] [options]\n\n", name);
    for (const struct ctl_verb *verb = verbs; verb->name; verb++)
        printf("  %-*s  %s\n", width, verb->name, verb->help);
    printf("\n\"%s COMMAND --help\" tells more about one of them.\n", name);
}

/* Moves the first word that is not -c FILE in front of those that are. That word; "" if there is none, and "-c" if the
 * last -c has no FILE. */
static const char *move_verb_first(int argc, char **argv)
{
    int at = 1;
    while (at < argc && strncmp(argv[at], "-c", 2) == 0)
        at += argv[at][2] ? 1 : 2;
    if (at >= argc)
        return at > argc ? "-c" : "";
    char *verb = argv[at];
    memmove(argv + 2, argv + 1, (size_t)(at - 1) * sizeof *argv);
    return argv[1] = verb;
}

/* One line: what is wrong with WORD, which stands where a verb should, and which verbs there are. */
static void print_wrong_verb(const char *name, const struct ctl_verb *verbs, const char *word)
{
    if (!*word)
        fprintf(stderr, "%s: a command is missing", name);
    else if (strcmp(word, "-c") == 0)
        fprintf(stderr, "%s: -c FILE and a command are missing", name);
    else
        fprintf(stderr, word[0] == '-' ? "%s: \"%s\" must stand behind a command" : "%s: \"%s\" is no command", name,
                word);
    for (const struct ctl_verb *verb = verbs; verb->name; verb++)
        fprintf(stderr, "%s%s", verb == verbs ? "; say " : verb[1].name ? ", " : " or ", verb->name);
    fprintf(stderr, " (\"%s --help\" tells more)\n", name);
}

int ctl_dispatch(const char *name, const struct ctl_verb *verbs, int argc, char **argv)
{
    const char *word = move_verb_first(argc, argv);
    if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
        print_verbs(name, verbs);
        return EX_OK;
    }
    for (const struct ctl_verb *verb = verbs; verb->name; verb++)
        if (strcmp(word, verb->name) == 0)
            return verb->run(argc - 1, argv + 1);
    print_wrong_verb(name, verbs, word);
    return EX_USAGE;
}
