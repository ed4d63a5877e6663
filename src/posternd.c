/*
 * posternd - the master program: options, going into the background, and the wiring of master/.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "master/daemon.h"
#include "master/master.h"
#include "master/spawn.h"
#include "util/log.h"
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

static const char usage[] =
    "usage: posternd [-f] [-c FILE] [-p PIDFILE] [-w WORKER]\n"
    "       posternd -t [-c FILE]\n"
    "       posternd -T options|plan [-c FILE]\n"
    "       posternd -V | -h\n"
    "\n"
    "The milter Postern for Postfix and Sendmail: holds the socket and keeps its worker running.\n"
    "\n"
    "  -c FILE          the configuration (default " POSTERN_SYSCONFDIR "/postern/postern.conf)\n"
    "  -f               stay in the foreground; otherwise go into the background once the first worker is ready\n"
    "  -p PIDFILE       write the process id there\n"
    "  -t               check the configuration, print every problem, exit 78 if there is one\n"
    "  -T options       print every option with type, default, range and meaning\n"
    "  -T plan          print, phase by phase, which check runs in which order\n"
    "  -w WORKER        the worker program (default: postern-worker beside this program, or if there is none\n"
    "                   " POSTERN_LIBEXECDIR "/postern-worker)\n"
    "  -V               print the version\n"
    "  -h, --help       print this text\n"
    "\n"
    "Signals: SIGHUP reloads the configuration, SIGTERM and SIGINT drain and end; a second one ends at once.\n";

struct arguments {
    const char *config, *pid_file, *worker, *print;
    bool foreground, check;
};

/* -1: go on; else the status to end with. */
static int parse_arguments(int argc, char **argv, struct arguments *arguments)
{
    static const struct option longs[] = {{"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {0}};
    *arguments = (struct arguments){.config = POSTERN_SYSCONFDIR "/postern/postern.conf"};
    for (int c; (c = getopt_long(argc, argv, "c:fhp:tT:w:V", longs, NULL)) != -1;) {
        switch (c) {
        case 'c':
            arguments->config = optarg;
            break;
        case 'f':
            arguments->foreground = true;
            break;
        case 'p':
            arguments->pid_file = optarg;
            break;
        case 't':
            arguments->check = true;
            break;
        case 'T':
            arguments->print = optarg;
            break;
        case 'w':
            arguments->worker = optarg;
            break;
        case 'V':
            printf("posternd %s\n", PACKAGE_VERSION);
            return EX_OK;
        case 'h':
            fputs(usage, stdout);
            return EX_OK;
        default:
            fputs("posternd: try \"posternd --help\"\n", stderr);
            return EX_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "posternd: \"%s\" is no option; try \"posternd --help\"\n", argv[optind]);
        return EX_USAGE;
    }
    if (arguments->print && strcmp(arguments->print, "options") != 0 && strcmp(arguments->print, "plan") != 0) {
        fprintf(stderr, "posternd: -T prints \"options\" or \"plan\", not \"%s\"\n", arguments->print);
        return EX_USAGE;
    }
    if (arguments->check && arguments->print) {
        fputs("posternd: -t and -T are two questions; ask one at a time\n", stderr);
        return EX_USAGE;
    }
    return -1;
}

/* The daemon leaves the directory it was started in. A file that is not there keeps its name, for the message. */
static char *absolute_path(const char *path)
{
    char directory[PATH_MAX], *absolute = NULL;
    if (path[0] == '/' || !getcwd(directory, sizeof directory))
        absolute = strdup(path);
    else if (asprintf(&absolute, "%s/%s", directory, path) < 0)
        absolute = NULL;
    if (!absolute)
        abort();
    return absolute;
}

static int run_worker_instead(const struct arguments *arguments, const char *worker)
{
    const char *argv[] = {worker, arguments->check ? "-t" : "-T", "-c", arguments->config, NULL, NULL};
    if (arguments->print) {
        argv[2] = arguments->print;
        argv[3] = "-c";
        argv[4] = arguments->config;
    }
    execv(worker, (char **)argv);
    fprintf(stderr, "posternd: cannot run the worker program %s: %s\n", worker, strerror(errno));
    return EX_OSERR;
}

static void on_ready(void *context)
{
    int *report = context;
    if (*report >= 0)
        daemon_report(*report, 0);
    *report = -1;
}

static int run(const struct arguments *arguments, const char *worker)
{
    int report = -1;
    if (!arguments->foreground && (report = daemon_start()) < 0)
        return EX_OSERR;
    struct master_options options = {.config = arguments->config,
                                     .worker = worker,
                                     .pid_file = arguments->pid_file,
                                     .on_ready = on_ready,
                                     .context = &report};
    struct master *master;
    struct strbuf why;
    strbuf_init(&why, 0);
    int code = master_open(&master, &options, &why);
    for (char *line, *rest = why.ptr; why.len && (line = strsep(&rest, "\n"));)
        if (*line)
            fprintf(stderr, "posternd: %s\n", line);
    strbuf_free(&why);
    if (code == 0)
        code = master_run(master);
    if (report >= 0)
        daemon_report(report, code);
    return code;
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    int code = parse_arguments(argc, argv, &arguments);
    if (code >= 0)
        return code;
    char worker[PATH_MAX];
    struct strbuf why;
    strbuf_init(&why, 0);
    if (spawn_find_worker(arguments.worker, worker, sizeof worker, &why) < 0) {
        fprintf(stderr, "posternd: %s\n", strbuf_text(&why));
        strbuf_free(&why);
        return EX_OSERR;
    }
    strbuf_free(&why);
    if (arguments.check || arguments.print)
        return run_worker_instead(&arguments, worker);
    char *config = absolute_path(arguments.config), *program = absolute_path(worker);
    char *pid_file = arguments.pid_file ? absolute_path(arguments.pid_file) : NULL;
    arguments.config = config;
    arguments.pid_file = pid_file;
    code = run(&arguments, program);
    free(config);
    free(program);
    free(pid_file);
    return code;
}
