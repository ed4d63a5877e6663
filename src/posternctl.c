/*
 * posternctl - the administrator's command: one subcommand a file in ctl/.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "ctl/ctl.h"
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is the name of the command */
    const char *help;
} commands[] = {
    {"check", ctl_check, "read the configuration and report every problem in it"},
    {"dmarc", ctl_dmarc, "show what a domain's DMARC records say, or evaluate given results"},
    {"explain", ctl_explain, "say what would be answered to a message, and why"},
    {"reload", ctl_reload, "have posternd read its configuration again"},
    {"spf", ctl_spf, "say what SPF thinks of a client and a sender, and why"},
    {"status", ctl_status, "show what posternd and its workers are doing"},
};

#define COMMAND_COUNT (sizeof commands / sizeof *commands)

static void print_usage(FILE *out)
{
    fputs("usage: posternctl COMMAND [-c FILE] [options]\n\n", out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-8s  %s\n", commands[i].name, commands[i].help);
    fputs("\n\"posternctl COMMAND --help\" tells more about one of them; \"posternctl -V\" prints the version.\n", out);
}

/* `posternctl -c FILE COMMAND` means `posternctl COMMAND -c FILE`: moves the name in front. */
static void move_command_first(int argc, char **argv)
{
    if (argc < 4 || strncmp(argv[1], "-c", 3) != 0)
        return;
    char *option = argv[1], *file = argv[2];
    argv[1] = argv[3];
    argv[2] = option;
    argv[3] = file;
}

int main(int argc, char **argv)
{
    move_command_first(argc, argv);
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "-V") == 0 || strcmp(name, "--version") == 0) {
        printf("posternctl %s\n", PACKAGE_VERSION);
        return EX_OK;
    }
    if (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0) {
        print_usage(stdout);
        return EX_OK;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(name, commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    if (*name)
        fprintf(stderr, "posternctl: \"%s\" is no command\n", name);
    print_usage(stderr);
    return EX_USAGE;
}
