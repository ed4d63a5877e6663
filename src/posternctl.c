/* posternctl - the administrator's command: finds the subcommand and runs it. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "ctl/ctl.h"
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const struct ctl_command commands[] = {
    {"check", "[FILE]", "read the configuration and report every problem in it", ctl_check},
    {"explain", "--client-ip IP --helo NAME --from ADDR --to ADDR... [MESSAGE]",
     "say what would be answered to a message, and why", ctl_explain},
    {"reload", "", "have posternd read its configuration again", ctl_reload},
    {"status", "[--json]", "show workers, sessions and counters", ctl_status},
};

static void usage(FILE *out)
{
    fputs("usage: posternctl [-c FILE] COMMAND [ARGUMENTS]\n\n", out);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(out, "  %-8s %s\n           %s\n", commands[i].name, commands[i].usage, commands[i].help);
    fprintf(out, "\n  -c FILE  the configuration (default: %s)\n  -V       print the version\n\nSee posternctl(8).\n",
            CTL_CONF);
}

int main(int argc, char **argv)
{
    const char *conf = NULL;
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "-c") == 0 && i + 1 < argc) {
            conf = argv[++i];
        } else if (strcmp(argv[i], "-V") == 0 || strcmp(argv[i], "--version") == 0) {
            puts("posternctl " PACKAGE_VERSION);
            return EX_OK;
        } else if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0) {
            usage(stdout);
            return EX_OK;
        } else {
            fprintf(stderr, "posternctl: no such option: %s\n", argv[i]);
            usage(stderr);
            return EX_USAGE;
        }
    }
    if (i == argc) {
        usage(stderr);
        return EX_USAGE;
    }
    for (size_t c = 0; c < sizeof commands / sizeof *commands; c++) {
        if (strcmp(argv[i], commands[c].name) == 0)
            return commands[c].run(conf, argc - i, argv + i);
    }
    fprintf(stderr, "posternctl: no such command: %s\n", argv[i]);
    usage(stderr);
    return EX_USAGE;
}
