/*
 * ctl - the subcommands of posternctl, one file each.
 *
 * Each gets its own argv (argv[0] is its name) and the configuration's path from before the subcommand, NULL if none
 * was given; -c may stand behind the name as well. The result is the exit status, as in sysexits.h.
 */
#ifndef POSTERN_CTL_CTL_H
#define POSTERN_CTL_CTL_H

#define CTL_CONF POSTERN_SYSCONFDIR "/postern/postern.conf"

struct ctl_command {
    const char *name;
    const char *usage; /* its arguments */
    const char *help;  /* one line */
    int (*run)(const char *conf, int argc, char **argv);
};

int ctl_check(const char *conf, int argc, char **argv);
int ctl_explain(const char *conf, int argc, char **argv);
int ctl_reload(const char *conf, int argc, char **argv);
int ctl_status(const char *conf, int argc, char **argv);

#endif
