/*
 * apply - deletions first, because an inserted field of the same name would shift their numbers.
 *
 * What the MTA did not offer cannot be done: the message passes without it, and the log says so. One that cannot
 * quarantine still gets the mark in the header.
 */
#include "milter/apply.h"
#include "util/log.h"
#include <stdio.h>

static unsigned long action_of(enum edit_kind kind)
{
    switch (kind) {
    case EDIT_ADD_HEADER:
        return SMFIF_ADDHDRS;
    case EDIT_DELETE_HEADER:
        return SMFIF_CHGHDRS;
    case EDIT_QUARANTINE:
        return SMFIF_QUARANTINE;
    }
    return 0;
}

static int apply_one(SMFICTX *ctx, const struct edit *edit, struct negotiated negotiated)
{
    char value[1024], name[128], reason[1024];
    if (!(negotiated.actions & action_of(edit->kind))) {
        log_text(LEVEL_WARNING, "the MTA did not offer the edit %s: it is left out", edit_kind_name(edit->kind));
        return MI_SUCCESS;
    }
    snprintf(name, sizeof name, "%s", edit->name ? edit->name : "");
    switch (edit->kind) {
    case EDIT_DELETE_HEADER:
        return smfi_chgheader(ctx, name, (int)edit->index, NULL);
    case EDIT_ADD_HEADER:
        snprintf(value, sizeof value, "%s%s", negotiated.steps & SMFIP_HDR_LEADSPC ? " " : "", edit->value);
        return smfi_insheader(ctx, 0, name, value);
    case EDIT_QUARANTINE:
        snprintf(reason, sizeof reason, "%s", edit->value);
        return smfi_quarantine(ctx, reason);
    }
    return MI_FAILURE;
}

int apply_edits(SMFICTX *ctx, const struct message *message, struct negotiated negotiated)
{
    for (int deletions = 1; deletions >= 0; deletions--) {
        for (size_t i = 0; i < message->edits.count; i++) {
            const struct edit *edit = &message->edits.items[i];
            if ((edit->kind == EDIT_DELETE_HEADER) == deletions && apply_one(ctx, edit, negotiated) != MI_SUCCESS) {
                log_text(LEVEL_ERROR, "%s: the MTA refuses the edit %s",
                         message->queue_id ? message->queue_id : message->session->id, edit_kind_name(edit->kind));
                return -1;
            }
        }
    }
    return 0;
}
