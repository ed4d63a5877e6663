/*
 * ctl - the subcommands of posternctl, one file each.
 *
 * Each gets its own argv: argv[0] is its name, -c FILE and its other options follow (ctl/options.h reads them). The
 * result is the exit status, as in sysexits.h; what went wrong is on stderr.
 */
#ifndef POSTERN_CTL_CTL_H
#define POSTERN_CTL_CTL_H

int ctl_autoreply(int argc, char **argv);
int ctl_check(int argc, char **argv);
int ctl_dmarc(int argc, char **argv);
int ctl_explain(int argc, char **argv);
int ctl_forwards(int argc, char **argv);
int ctl_queue(int argc, char **argv);
int ctl_reload(int argc, char **argv);
int ctl_spf(int argc, char **argv);
int ctl_srs(int argc, char **argv);
int ctl_status(int argc, char **argv);

#endif
