/* reply - splitting and escaping. Replies were made printable and short by core/template; this is only syntax. */
#include "milter/reply.h"
#include "util/log.h"
#include <string.h>

int reply_split(const char *reply, struct reply_parts *parts)
{
    size_t status = strlen(reply) > 4 ? strcspn(reply + 4, " ") : 0;
    if (status < 5 || status >= sizeof parts->status || reply[3] != ' ' || !reply[4 + status])
        return -1;
    memcpy(parts->code, reply, 3);
    parts->code[3] = '\0';
    memcpy(parts->status, reply + 4, status);
    parts->status[status] = '\0';
    size_t n = 0;
    /* libmilter takes 980 bytes a line. */
    for (const char *p = reply + 4 + status + 1; *p && n < 978; p++) {
        parts->text[n++] = *p;
        if (*p == '%')
            parts->text[n++] = '%';
    }
    parts->text[n] = '\0';
    return 0;
}

const char *reply_without_recipient(struct arena *arena, const char *reply, const char *address)
{
    const char *prefix = arena_printf(arena, "<%s>... ", address);
    size_t len = strlen(prefix), codes = strlen(reply) > 4 ? 4 + strcspn(reply + 4, " ") : 0;
    if (!reply[codes] || strncmp(reply + codes + 1, prefix, len) != 0 || !reply[codes + 1 + len])
        return reply;
    return arena_printf(arena, "%.*s %s", (int)codes, reply, reply + codes + 1 + len);
}

sfsistat reply_send(SMFICTX *ctx, struct outcome outcome, sfsistat otherwise)
{
    struct reply_parts parts;
    if (outcome.action == OUTCOME_CONTINUE)
        return otherwise;
    /* Without a text of ours the MTA still refuses, with its own. */
    if (reply_split(outcome.reply, &parts) != 0 ||
        smfi_setreply(ctx, parts.code, parts.status, parts.text) != MI_SUCCESS)
        log_text(LEVEL_ERROR, "libmilter refuses the reply: %s", outcome.reply);
    return outcome.action == OUTCOME_REJECT ? SMFIS_REJECT : SMFIS_TEMPFAIL;
}
