/* input - read until the end, whatever kind of file it is. */
#include "ctl/input.h"
#include "util/strbuf.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

int ctl_read_input(const struct ctl_call *call, const char *path, const char *field, size_t max, struct span *bytes)
{
    struct strbuf text;
    char piece[16384];
    size_t n;
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *in = is_stdin ? stdin : fopen(path, "rb");
    if (!in)
        return ctl_fail(call, EX_NOINPUT, "%s: %s", path, strerror(errno));
    strbuf_init(&text, max);
    while (!text.truncated && (n = fread(piece, 1, sizeof piece, in)) > 0)
        strbuf_add(&text, (struct span){piece, n});
    int status = EX_OK;
    if (ferror(in))
        status = ctl_fail(call, EX_IOERR, "%s: %s", path, strerror(errno));
    else if (text.truncated)
        status = ctl_fail(call, EX_DATAERR, "%s%s%s: it is longer than %zu octets", field ? field : "",
                          field ? ": " : "", path, max);
    *bytes = (struct span){arena_spandup(call->arena, (struct span){strbuf_text(&text), text.len}), text.len};
    strbuf_free(&text);
    if (!is_stdin)
        fclose(in);
    return status;
}
