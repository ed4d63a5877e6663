/*
 * control - the client side of the control socket, and the options that its subcommands share.
 *
 * OWNS: nothing. THREADS: none inside. ERRORS: sysexits codes; the reasons are written to stderr.
 */
#ifndef POSTERN_CTL_CONTROL_H
#define POSTERN_CTL_CONTROL_H

#include "util/strbuf.h"

struct ctl_options {
    const char *config;  /* -c */
    const char *control; /* --control; NULL = as the configuration says */
    const char *worker;  /* -w; NULL = the installed one */
    bool json;           /* --json */
};

/* Parses ARGV behind the subcommand (ARGV[0]). -1: go on; else the status to end with. USAGE is printed for --help;
 * WITH_JSON: the subcommand knows --json. */
int ctl_parse_options(int argc, char **argv, const char *usage, bool with_json, struct ctl_options *options);

/* Sends COMMAND and reads the answer for at most TIMEOUT milliseconds. Returns 0 or the code that posternd answered,
 * with the text behind the first line in TEXT; or EX_UNAVAILABLE (nobody there), EX_TEMPFAIL (too slow), EX_NOPERM,
 * EX_CONFIG (no control path found), EX_PROTOCOL, with the reason on stderr and no TEXT. */
int ctl_ask(const struct ctl_options *options, const char *command, int timeout, struct strbuf *text);

#endif
