/*
 * json_items - counts brackets outside strings. Whether an item is JSON is found out by its own reader; that the
 * brackets match is enough to know where it ends.
 */
#include "ctl/json_items.h"

#define DEPTH_MAX 1000

/* Behind the string that begins at TEXT[I]; 0: it has no end. */
static size_t string_end(struct span text, size_t i)
{
    for (i++; i < text.len; i++) {
        if (text.ptr[i] == '\\')
            i++;
        else if (text.ptr[i] == '"')
            return i + 1;
    }
    return 0;
}

/* Behind the value that begins at TEXT[I]: at the comma, the closing bracket or the end. 0: it has no end. */
static size_t value_end(struct span text, size_t i)
{
    char open[DEPTH_MAX];
    size_t depth = 0;
    while (i < text.len) {
        char c = text.ptr[i];
        if (c == '"') {
            i = string_end(text, i);
            if (i == 0)
                return 0;
            continue;
        }
        if (depth == 0 && (c == ',' || c == ']'))
            return i;
        if (c == '[' || c == '{') {
            if (depth == DEPTH_MAX)
                return 0;
            open[depth++] = c;
        } else if (c == ']' || c == '}') {
            if (depth == 0 || open[--depth] != (c == ']' ? '[' : '{'))
                return 0;
        }
        i++;
    }
    return depth == 0 ? i : 0;
}

static size_t skip_space(struct span text, size_t i)
{
    while (i < text.len && text.ptr[i] && strchr(" \t\r\n", text.ptr[i]))
        i++;
    return i;
}

static const char *wrong_at(struct arena *arena, const char *what, size_t at)
{
    return arena_printf(arena, "no JSON array: %s, byte %zu", what, at + 1);
}

const char *json_items_cut(struct arena *arena, struct span text, struct span **items, size_t *count)
{
    if (text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0) /* some editors begin with it; nobody sees it */
        text = (struct span){text.ptr + 3, text.len - 3};
    size_t capacity = 0, i = skip_space(text, 0);
    *items = NULL;
    *count = 0;
    if (i < text.len && text.ptr[i] == '{') {
        *items = ARENA_NEW(arena, struct span);
        (*items)[(*count)++] = span_trim(text);
        return NULL;
    }
    if (i == text.len || text.ptr[i] != '[')
        return wrong_at(arena, "it must begin with [", i);
    i = skip_space(text, i + 1);
    bool is_over = i < text.len && text.ptr[i] == ']';
    while (!is_over) {
        size_t end = value_end(text, i);
        if (end == 0 || end == text.len)
            return wrong_at(arena, "something that begins here has no end", i);
        struct span item = span_trim((struct span){text.ptr + i, end - i});
        if (item.len == 0)
            return wrong_at(arena, "an item is missing", i);
        *items = arena_grow(arena, *items, &capacity, *count + 1, sizeof **items);
        (*items)[(*count)++] = item;
        is_over = text.ptr[end] == ']';
        i = is_over ? end : skip_space(text, end + 1);
    }
    i = skip_space(text, i + 1);
    return i == text.len ? NULL : wrong_at(arena, "there is something behind its end", i);
}
