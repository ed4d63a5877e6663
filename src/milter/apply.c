/*
 * apply - deletions first, because an inserted field of the same name would shift their numbers; then changes; then
 * insertions from the last to the first, for each goes on top of the one before.
 *
 * An MTA that did not offer quarantine (SMFIF_QUARANTINE) still gets the mark in the header; the log says so.
 */
#include "milter/apply.h"
#include "util/log.h"
#include <stdio.h>

/* libmilter wants the texts as char *, and where the MTA takes the leading space from us, it must be there. */
static char *value_of(struct arena *arena, const struct edit *edit, struct negotiated negotiated)
{
    return arena_printf(arena, "%s%s", negotiated.steps & SMFIP_HDR_LEADSPC ? " " : "", edit->value);
}

static int apply_one(SMFICTX *ctx, struct arena *arena, const struct edit *edit, struct negotiated negotiated)
{
    char *name = arena_strdup(arena, edit->name);
    switch (edit->kind) {
    case EDIT_DELETE_HEADER:
        return smfi_chgheader(ctx, name, (int)edit->index, NULL);
    case EDIT_CHANGE_HEADER:
        return smfi_chgheader(ctx, name, (int)edit->index, value_of(arena, edit, negotiated));
    case EDIT_ADD_HEADER:
        return smfi_insheader(ctx, 0, name, value_of(arena, edit, negotiated));
    case EDIT_QUARANTINE:
        if (!(negotiated.actions & SMFIF_QUARANTINE)) {
            log_text(LEVEL_WARNING, "the MTA cannot quarantine; the message is only marked");
            return MI_SUCCESS;
        }
        return smfi_quarantine(ctx, arena_strdup(arena, edit->value));
    }
    return MI_FAILURE;
}

static int apply_kind(SMFICTX *ctx, const struct message *message, enum edit_kind kind, struct negotiated negotiated)
{
    const struct edits *edits = &message->edits;
    for (size_t i = 0; i < edits->count; i++) {
        const struct edit *edit = &edits->items[kind == EDIT_ADD_HEADER ? edits->count - 1 - i : i];
        if (edit->kind == kind && apply_one(ctx, message->arena, edit, negotiated) != MI_SUCCESS) {
            log_text(LEVEL_ERROR, "%s: the MTA refuses the edit %s",
                     message->queue_id ? message->queue_id : message->session->id, edit_kind_name(kind));
            return -1;
        }
    }
    return 0;
}

int apply_edits(SMFICTX *ctx, const struct message *message, struct negotiated negotiated)
{
    static const enum edit_kind order[] = {EDIT_DELETE_HEADER, EDIT_CHANGE_HEADER, EDIT_ADD_HEADER, EDIT_QUARANTINE};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        if (apply_kind(ctx, message, order[i], negotiated) != 0)
            return -1;
    }
    return 0;
}
