/*
 * slot - finding an option by name, and giving it a value.
 */
#include "conf/loader.h"

const struct conf_section *slot_find_section(const struct loader *loader, struct span name)
{
    for (size_t i = 0; i < loader->count; i++) {
        if (span_equals(name, loader->sections[i].name))
            return &loader->sections[i];
    }
    return NULL;
}

struct opened *slot_opened(const struct loader *loader, const struct conf_section *section)
{
    return &loader->opened[section - loader->sections];
}

struct slot *slot_find(const struct loader *loader, const struct conf_section *section, struct span name)
{
    for (struct slot *slot = slot_opened(loader, section)->slots; slot->row->name; slot++) {
        if (span_equals(name, slot->row->name))
            return slot;
    }
    return NULL;
}

bool slot_is_list(enum option_type type)
{
    return type == OPTION_FLAGS || type == OPTION_STRINGS || list_takes_files(type);
}

static void remember(struct loader *loader, struct slot *slot, int line, const char *value)
{
    if (loader->defaults || (slot_is_list(slot->row->type) && slot->row->type != OPTION_STRINGS))
        return;
    if (slot->row->type != OPTION_STRINGS)
        slot->taken_count = 0;
    slot->taken =
        arena_grow(loader->arena, slot->taken, &slot->taken_capacity, slot->taken_count + 1, sizeof *slot->taken);
    slot->taken[slot->taken_count++] = (struct taken){arena_strdup(loader->arena, value), loader->source->path, line};
}

void slot_take(struct loader *loader, struct slot *slot, int line, const char *value)
{
    const char *why;
    if (list_takes_files(slot->row->type) && value[0] == '/') {
        listfile_read(loader, slot, line, value);
        return;
    }
    if (slot_is_list(slot->row->type))
        why = list_add(loader->arena, slot, value);
    else
        why = value_parse(loader->arena, slot->row, value, slot->member);
    if (why)
        problem_report(loader, loader->source->path, line, slot->section, span_of(slot->row->name), "%s %s",
                       problem_quote(loader, span_of(value)), why);
    else
        remember(loader, slot, line, value);
}
