/*
 * apply - deletions first, because an inserted field of the same name would shift their numbers; then changes; then
 * insertions from the last to the first, for each goes on top of the one before.
 *
 * A header edit that the MTA did not offer cannot be done: the message passes without it, and the log says so. One that
 * cannot quarantine still gets the mark in the header. A message whose envelope cannot be changed as it must be would
 * go astray, so it is not accepted.
 *
 * The new reverse-path goes without ESMTP arguments: Postfix keeps RET and ENVID as they were, and Sendmail does not
 * take them well.
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
    case EDIT_CHANGE_HEADER:
        return SMFIF_CHGHDRS;
    case EDIT_QUARANTINE:
        return SMFIF_QUARANTINE;
    case EDIT_CHANGE_SENDER:
        return SMFIF_CHGFROM;
    case EDIT_DELETE_RECIPIENT:
        return SMFIF_DELRCPT;
    case EDIT_ADD_RECIPIENT:
        return SMFIF_ADDRCPT;
    }
    return 0;
}

/* libmilter wants the texts as char *, and where the MTA takes the leading space from us, it must be there. */
static char *value_of(struct arena *arena, const struct edit *edit, struct negotiated negotiated)
{
    return arena_printf(arena, "%s%s", negotiated.steps & SMFIP_HDR_LEADSPC ? " " : "", edit->value);
}

static int apply_envelope(SMFICTX *ctx, struct arena *arena, const struct edit *edit, struct negotiated negotiated)
{
    char *path = arena_printf(arena, "<%s>", edit->value);
    if (edit->kind == EDIT_CHANGE_SENDER)
        return smfi_chgfrom(ctx, path, NULL);
    if (edit->kind == EDIT_DELETE_RECIPIENT)
        return smfi_delrcpt(ctx, path);
    if (edit->name && negotiated.actions & SMFIF_ADDRCPT_PAR)
        return smfi_addrcpt_par(ctx, path, arena_strdup(arena, edit->name));
    return smfi_addrcpt(ctx, path);
}

static int apply_one(SMFICTX *ctx, struct arena *arena, const struct edit *edit, struct negotiated negotiated)
{
    if (!(negotiated.actions & action_of(edit->kind))) {
        bool is_envelope = edit->kind >= EDIT_CHANGE_SENDER;
        log_text(is_envelope ? LEVEL_ERROR : LEVEL_WARNING, "the MTA did not offer the edit %s: %s",
                 edit_kind_name(edit->kind), is_envelope ? "the message is not accepted" : "it is left out");
        return is_envelope ? MI_FAILURE : MI_SUCCESS;
    }
    char *name = arena_strdup(arena, edit->name);
    switch (edit->kind) {
    case EDIT_DELETE_HEADER:
        return smfi_chgheader(ctx, name, (int)edit->index, NULL);
    case EDIT_CHANGE_HEADER:
        return smfi_chgheader(ctx, name, (int)edit->index, value_of(arena, edit, negotiated));
    case EDIT_ADD_HEADER:
        return smfi_insheader(ctx, 0, name, value_of(arena, edit, negotiated));
    case EDIT_QUARANTINE:
        return smfi_quarantine(ctx, arena_strdup(arena, edit->value));
    case EDIT_CHANGE_SENDER:
    case EDIT_DELETE_RECIPIENT:
    case EDIT_ADD_RECIPIENT:
        return apply_envelope(ctx, arena, edit, negotiated);
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
    static const enum edit_kind order[] = {EDIT_DELETE_HEADER, EDIT_CHANGE_HEADER, EDIT_ADD_HEADER,
                                           EDIT_CHANGE_SENDER, EDIT_DELETE_RECIPIENT, EDIT_ADD_RECIPIENT,
                                           EDIT_QUARANTINE};
    for (size_t i = 0; i < sizeof order / sizeof *order && !message->edits.discards; i++) {
        if (apply_kind(ctx, message, order[i], negotiated) != 0)
            return -1;
    }
    return 0;
}
