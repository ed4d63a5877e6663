/*
 * list - options that hold several values: their containers, and one entry more.
 *
 * '=' begins a fresh container, '+=' adds to the one that is there (the default's, if nothing else was given).
 * A container is never NULL, so that readers need not ask.
 */
#include "conf/loader.h"
#include "util/domain.h"
#include "util/netaddr.h"

bool list_takes_files(enum option_type type)
{
    return type == OPTION_NETWORKS || type == OPTION_DOMAINS || type == OPTION_WORDS;
}

void list_begin(struct arena *arena, struct slot *slot)
{
    switch (slot->row->type) {
    case OPTION_FLAGS:
        *(unsigned *)slot->member = 0;
        return;
    case OPTION_STRINGS:
        slot->capacity = 0;
        slot->set = ARENA_NEW(arena, struct string_list);
        break;
    case OPTION_NETWORKS:
        slot->set = netset_create(arena);
        break;
    case OPTION_DOMAINS:
        slot->set = domain_set_create(arena);
        break;
    case OPTION_WORDS:
        slot->set = strset_create(arena);
        break;
    default:
        return;
    }
    *(const void **)slot->member = slot->set;
}

static const char *add_string(struct arena *arena, struct slot *slot, const char *entry)
{
    struct string_list *list = slot->set;
    list->items = arena_grow(arena, list->items, &slot->capacity, list->count + 1, sizeof *list->items);
    list->items[list->count++] = arena_strdup(arena, entry);
    return NULL;
}

static const char *add_word(struct arena *arena, struct slot *slot, const char *entry)
{
    char *lower = arena_strdup(arena, entry);
    for (char *p = lower; *p; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    }
    strset_add(slot->set, span_of(lower));
    return NULL;
}

static const char *add_flag(struct arena *arena, struct slot *slot, const char *entry)
{
    const struct option_word *word = value_find_word(slot->row, span_of(entry));
    if (!word)
        return arena_printf(arena, "is none of: %s", describe_range(arena, slot->row));
    *(unsigned *)slot->member |= (unsigned)word->value;
    return NULL;
}

static const char *add_typed(struct arena *arena, struct slot *slot, const char *entry)
{
    switch (slot->row->type) {
    case OPTION_FLAGS:
        return add_flag(arena, slot, entry);
    case OPTION_STRINGS:
        return add_string(arena, slot, entry);
    case OPTION_NETWORKS:
        return netset_add(slot->set, entry);
    case OPTION_DOMAINS:
        return domain_set_add(slot->set, entry);
    case OPTION_WORDS:
        return add_word(arena, slot, entry);
    default:
        return "is no list entry";
    }
}

const char *list_add(struct arena *arena, struct slot *slot, const char *entry)
{
    if (!*entry)
        return "is empty";
    const char *why = add_typed(arena, slot, entry);
    if (!why && slot->row->verify)
        why = slot->row->verify(entry);
    return why;
}
