/*
 * reload - `posternctl reload`: asks for it, waits for the end of it, says how it went.
 *
 * The time limit is that of a reload (30 s to check, 30 s to start, 5 s to take over) twice, because one may be under
 * way.
 */
#include "ctl/control.h"
#include "ctl/ctl.h"
#include <stdio.h>

#define TIMEOUT 140000 /* milliseconds */

static int run(const struct ctl_call *call, void *request)
{
    (void)request;
    struct strbuf text;
    strbuf_init(&text, 0);
    int code = ctl_ask(call, "reload", TIMEOUT, &text);
    fputs(strbuf_text(&text), code ? stderr : stdout);
    strbuf_free(&text);
    return code;
}

static const struct ctl_command command = {
    .name = "reload",
    .usage = "usage: posternctl reload [-c FILE] [--control PATH] [-w WORKER]\n"
             "\n"
             "Has posternd read its configuration again. Open SMTP sessions finish on the old one.\n"
             "Exit status: 0 the new configuration is in force; 78 it is bad and the old one stays.\n",
    .shared = CTL_DAEMON,
    .run = run,
};

int ctl_reload(int argc, char **argv)
{
    return ctl_run(&command, NULL, argc, argv);
}
