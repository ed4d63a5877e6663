/*
 * posternctl - the administrator's command: one subcommand a file in ctl/.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "ctl/ctl.h"
#include "ctl/options.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const struct ctl_verb verbs[] = {
    {"autoreply", ctl_autoreply, "messages for people who are away, and who was answered"},
    {"check", ctl_check, "read the configuration and report every problem in it"},
    {"dmarc", ctl_dmarc, "show what a domain's DMARC records say, or evaluate given results"},
    {"explain", ctl_explain, "say what would be answered to a message, and why"},
    {"forwards", ctl_forwards, "whose mail Postern sends on, and whereto"},
    {"queue", ctl_queue, "what waits to be sent"},
    {"reload", ctl_reload, "have posternd read its configuration again"},
    {"spf", ctl_spf, "say what SPF thinks of a client and a sender, and why"},
    {"srs", ctl_srs, "rewrite senders of forwarded mail and back, and rotate the secrets"},
    {"status", ctl_status, "show what posternd and its workers are doing"},
    {0},
};

int main(int argc, char **argv)
{
    if (argc > 1 && (strcmp(argv[1], "-V") == 0 || strcmp(argv[1], "--version") == 0)) {
        printf("posternctl %s\n", PACKAGE_VERSION);
        return EX_OK;
    }
    int status = ctl_dispatch("posternctl", verbs, argc, argv);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "posternctl: what is printed cannot be written: %s\n", strerror(errno));
    return status == EX_OK ? EX_IOERR : status;
}
