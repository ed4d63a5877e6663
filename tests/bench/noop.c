/*
 * noop - the smallest filter that libmilter allows: it is shown everything and objects to nothing.
 *
 * contrib/bench measures Postern against it, so it asks for every step, the body included, and leaves the socket as
 * libmilter makes it: what it costs is what any filter costs. Usage: noop unix:PATH | inet:PORT@HOST
 */
#include <libmilter/mfapi.h>
#include <stdio.h>
#include <sys/stat.h>

static sfsistat on_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *address)
{
    (void)ctx;
    (void)host;
    (void)address;
    return SMFIS_CONTINUE;
}

static sfsistat on_text(SMFICTX *ctx, char *text)
{
    (void)ctx;
    (void)text;
    return SMFIS_CONTINUE;
}

static sfsistat on_address(SMFICTX *ctx, char **words)
{
    (void)ctx;
    (void)words;
    return SMFIS_CONTINUE;
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
    (void)ctx;
    (void)name;
    (void)value;
    return SMFIS_CONTINUE;
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *bytes, size_t count)
{
    (void)ctx;
    (void)bytes;
    (void)count;
    return SMFIS_CONTINUE;
}

static sfsistat on_step(SMFICTX *ctx)
{
    (void)ctx;
    return SMFIS_CONTINUE;
}

int main(int argc, char **argv)
{
    static char name[] = "noop";
    struct smfiDesc filter = {
        .xxfi_name = name, .xxfi_version = SMFI_VERSION, .xxfi_connect = on_connect, .xxfi_helo = on_text,
        .xxfi_envfrom = on_address, .xxfi_envrcpt = on_address, .xxfi_header = on_header, .xxfi_eoh = on_step,
        .xxfi_body = on_body, .xxfi_eom = on_step, .xxfi_abort = on_step, .xxfi_close = on_step,
        .xxfi_data = on_step,
    };
    if (argc != 2) {
        fprintf(stderr, "usage: noop unix:PATH | inet:PORT@HOST\n");
        return 64;
    }
    umask(0); /* Postfix's smtpd must be able to connect */
    if (smfi_register(filter) != MI_SUCCESS || smfi_setconn(argv[1]) != MI_SUCCESS || smfi_opensocket(1) != MI_SUCCESS)
        return 1;
    return smfi_main() == MI_SUCCESS ? 0 : 1;
}
