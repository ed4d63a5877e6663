/*
 * autoreply_row - from an argument to the row of the store that is meant, and what is in it.
 *
 * The daemon asks the alias tables first and reads the rows of the mailboxes that a recipient means in the end. So a
 * row is never read again once its address has become an alias of others. What is shown, switched off or deleted is
 * that row nevertheless, as long as there is one: else it could never be got rid of, and what was done to it would be
 * done to somebody else's. What is stored, remembered or previewed concerns the mailbox that the alias means.
 *
 * A row may be damaged: somebody else wrote it, or a later version. Or it is none at all, as Redis can hold anything
 * under a name; the store then says no more than that it cannot say. Another row shows that it answers. SQLite has no
 * such rows, and when it cannot say it is not asked again: a file found corrupt would be a new and empty one by then.
 */
#include "ctl/autoreply.h"
#include "util/clock.h"
#include <sysexits.h>

/* ---- which row ---- */

/* The addresses as one text, some of them if they are many. */
static const char *join(struct arena *arena, const struct aliases_targets *targets)
{
    const char *text = "";
    for (size_t i = 0; i < targets->count && i < 5; i++)
        text = arena_printf(arena, "%s%s%s", text, i ? ", " : "", targets->items[i]);
    return targets->count > 5 ? arena_printf(arena, "%s and %zu more", text, targets->count - 5) : text;
}

static bool has(const struct aliases_targets *targets, const char *address)
{
    for (size_t i = 0; i < targets->count; i++) {
        if (strcmp(targets->items[i], address) == 0)
            return true;
    }
    return false;
}

bool autoreply_means(const struct ctl_call *call, const struct ctl_state *state, const char *address,
                     const char *mailbox)
{
    struct aliases_targets targets = aliases_expand(state->kept->aliases, call->arena, address);
    return has(&targets, mailbox);
}

const char *autoreply_unused(const struct ctl_call *call, const struct ctl_state *state, const char *mailbox,
                             struct aliases_targets *targets)
{
    *targets = aliases_expand(state->kept->aliases, call->arena, mailbox);
    if (has(targets, mailbox))
        return NULL;
    if (targets->count == 0)
        return "never used: the address is an alias now, and means no mailbox";
    return arena_printf(call->arena, "never used: the address is an alias of %s now", join(call->arena, targets));
}

static int canonical_of(const struct ctl_call *call, const struct ctl_state *state, const char *argument,
                        const char **canonical)
{
    *canonical = aliases_canonical(state->kept->aliases, call->arena, argument);
    if (!*canonical)
        return ctl_fail(call, EX_DATAERR, "mailbox: \"%s\" is no address", argument);
    if (strlen(*canonical) > STORE_KEY_MAX - strlen(RESPONDER_KEY))
        return ctl_fail(call, EX_DATAERR, "mailbox: \"%s\" is too long", argument);
    return EX_OK;
}

int autoreply_mailbox(const struct ctl_call *call, const struct ctl_state *state, const char *argument,
                      const char **mailbox)
{
    const char *canonical;
    int status = canonical_of(call, state, argument, &canonical);
    if (status != EX_OK)
        return status;
    struct aliases_targets targets = aliases_expand(state->kept->aliases, call->arena, canonical);
    *mailbox = canonical;
    if (has(&targets, canonical))
        return EX_OK;
    if (targets.is_cut)
        return ctl_fail(call, EX_DATAERR, "mailbox: %s is an alias in a loop, or of too many addresses", canonical);
    if (targets.count == 0)
        return ctl_fail(call, EX_DATAERR, "mailbox: %s is an alias that means no mailbox", canonical);
    if (targets.count > 1)
        return ctl_fail(call, EX_DATAERR, "mailbox: %s is an alias of several: %s", canonical,
                        join(call->arena, &targets));
    *mailbox = targets.items[0];
    fprintf(stderr, "posternctl %s: %s means the mailbox %s\n", call->command->name, canonical, *mailbox);
    return EX_OK;
}

int autoreply_row_of(const struct ctl_call *call, const struct ctl_state *state, const char *argument,
                     const char **mailbox)
{
    struct aliases_targets targets;
    struct responder responder;
    struct autoreply_row row;
    int status = canonical_of(call, state, argument, mailbox);
    if (status != EX_OK)
        return status;
    const char *unused = autoreply_unused(call, state, *mailbox, &targets);
    if (!unused)
        return EX_OK;
    autoreply_read(call, state, *mailbox, &responder, &row);
    if (row.kind == AUTOREPLY_ROW_DOWN)
        return ctl_store_is_down(call);
    if (row.kind == AUTOREPLY_ROW_NONE || row.kind == AUTOREPLY_ROW_TRACE)
        return autoreply_mailbox(call, state, argument, mailbox);
    fprintf(stderr, "posternctl %s: warning: what is stored for %s is %s\n", call->command->name, *mailbox, unused);
    return EX_OK;
}

static int open_as(const struct ctl_call *call, struct ctl_state *state, const char **mailbox,
                   int (*find)(const struct ctl_call *, const struct ctl_state *, const char *, const char **))
{
    *state = (struct ctl_state){.engine = NULL};
    if (call->argument_count == 0)
        return ctl_usage_error(call, "MAILBOX is missing");
    int status = ctl_state_open(call, state);
    return status == EX_OK ? find(call, state, call->arguments[0], mailbox) : status;
}

int autoreply_open(const struct ctl_call *call, struct ctl_state *state, const char **mailbox)
{
    return open_as(call, state, mailbox, autoreply_mailbox);
}

int autoreply_open_row(const struct ctl_call *call, struct ctl_state *state, const char **mailbox)
{
    return open_as(call, state, mailbox, autoreply_row_of);
}

/* ---- what is in it ---- */

static enum autoreply_row_kind kind_of(const struct ctl_call *call, const struct store_value *value,
                                       struct responder *responder, const char **damage)
{
    struct responder_problem problem;
    if (value->expires != 0) /* see trace_of(); it may be damaged as well */
        return responder_load(call->arena, value->bytes, responder, &problem) == 0 ? AUTOREPLY_ROW_TRACE
                                                                                   : AUTOREPLY_ROW_NONE;
    if (responder_load(call->arena, value->bytes, responder, &problem) == 0)
        return AUTOREPLY_ROW_SOUND;
    *damage = problem.text;
    return AUTOREPLY_ROW_DAMAGED;
}

void autoreply_read(const struct ctl_call *call, const struct ctl_state *state, const char *mailbox,
                    struct responder *responder, struct autoreply_row *row)
{
    struct store_value value;
    const char *key = arena_printf(call->arena, RESPONDER_KEY "%s", mailbox);
    *row = (struct autoreply_row){.kind = AUTOREPLY_ROW_NONE};
    *responder = (struct responder){.mailbox = mailbox};
    enum store_outcome outcome = store_get(state->kept->store, call->arena, key, clock_wall(), &value);
    bool may_be_foreign = outcome == STORE_DOWN && ctl_store_is_redis(call, state);
    if (may_be_foreign && ctl_store_answers(call, state)) /* it may have come back just now */
        outcome = store_get(state->kept->store, call->arena, key, clock_wall(), &value);
    if (outcome == STORE_DOWN) {
        may_be_foreign = may_be_foreign && ctl_store_answers(call, state);
        row->kind = may_be_foreign ? AUTOREPLY_ROW_FOREIGN : AUTOREPLY_ROW_DOWN;
        row->damage = "it is no row of Postern's";
    } else if (outcome == STORE_OK && value.bytes.len > STORE_VALUE_MAX) { /* and cannot be compared */
        row->kind = AUTOREPLY_ROW_FOREIGN;
        row->damage = "it is longer than any row of Postern's";
    } else if (outcome == STORE_OK) {
        row->bytes = value.bytes;
        row->kind = kind_of(call, &value, responder, &row->damage);
    }
    if (row->kind == AUTOREPLY_ROW_SOUND || row->kind == AUTOREPLY_ROW_TRACE)
        return;
    int64_t generation = responder->generation; /* of a damaged one too, if it could be read */
    bool is_one = generation >= 0 && generation <= RESPONDER_GENERATION_MAX;
    *responder = (struct responder){.mailbox = mailbox, .generation = is_one ? generation : 0};
}

int autoreply_load(const struct ctl_call *call, const struct ctl_state *state, const char *mailbox,
                   struct responder *responder, struct autoreply_row *row, bool *is_new)
{
    autoreply_read(call, state, mailbox, responder, row);
    if (is_new)
        *is_new = row->kind == AUTOREPLY_ROW_NONE || row->kind == AUTOREPLY_ROW_TRACE;
    switch (row->kind) {
    case AUTOREPLY_ROW_SOUND:
        return EX_OK;
    case AUTOREPLY_ROW_NONE:
    case AUTOREPLY_ROW_TRACE:
        return is_new ? EX_OK : ctl_fail(call, EX_NOINPUT, "nothing is stored for %s", mailbox);
    case AUTOREPLY_ROW_DAMAGED:
    case AUTOREPLY_ROW_FOREIGN:
        return ctl_fail(
            call, EX_DATAERR,
            "what is stored for %s is damaged: %s; \"posternctl autoreply delete %s\" takes it away, and an "
            "import replaces it",
            mailbox, row->damage, mailbox);
    case AUTOREPLY_ROW_DOWN:
        break;
    }
    return ctl_store_is_down(call);
}
