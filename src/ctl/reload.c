/*
 * reload - `posternctl reload`: asks for it, waits for the end of it, says how it went.
 *
 * The time limit is that of a reload (30 s to check, 30 s to start) twice, because one may be under way.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "ctl/control.h"
#include "ctl/ctl.h"
#include <stdio.h>

#define TIMEOUT 130000 /* milliseconds */

static const char usage[] = "usage: posternctl reload [-c FILE] [--control PATH] [-w WORKER]\n"
                            "\n"
                            "Has posternd read its configuration again. Open SMTP sessions finish on the old one.\n"
                            "Exit status: 0 the new configuration is in force; 78 it is bad and the old one stays.\n";

int ctl_reload(int argc, char **argv)
{
    struct ctl_options options;
    int code = ctl_parse_options(argc, argv, usage, false, &options);
    if (code >= 0)
        return code;
    struct strbuf text;
    strbuf_init(&text, 0);
    code = ctl_ask(&options, "reload", TIMEOUT, &text);
    fputs(strbuf_text(&text), code ? stderr : stdout);
    if (code && text.len)
        fputs("posternctl: the old configuration stays in force\n", stderr);
    strbuf_free(&text);
    return code;
}
