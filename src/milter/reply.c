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

const char *reply_for_sendmail(struct arena *arena, const char *reply)
{
    static const char *const codes[] = {"450", "550", "553"};
    struct reply_parts parts;
    bool adds = false;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        adds = adds || strncmp(reply, codes[i], 3) == 0;
    if (!adds || reply_split(reply, &parts) != 0)
        return reply;
    const char *text = reply + strlen(parts.code) + 1 + strlen(parts.status) + 1;
    const char *end = *text == '<' ? strstr(text, ">... ") : NULL;
    return end && end[5] ? arena_printf(arena, "%s %s %s", parts.code, parts.status, end + 5) : reply;
}

sfsistat reply_send(SMFICTX *ctx, struct outcome outcome, sfsistat otherwise)
{
    struct reply_parts parts;
    if (outcome.action == OUTCOME_CONTINUE)
        return otherwise;
    if (outcome.action == OUTCOME_DISCARD)
        return SMFIS_DISCARD;
    /* Without a text of ours the MTA still refuses, with its own. */
    if (reply_split(outcome.reply, &parts) != 0 ||
        smfi_setreply(ctx, parts.code, parts.status, parts.text) != MI_SUCCESS)
        log_text(LEVEL_ERROR, "libmilter refuses the reply: %s", outcome.reply);
    return outcome.action == OUTCOME_REJECT ? SMFIS_REJECT : SMFIS_TEMPFAIL;
}
