/* field_index - sorted by name in lower case, and in the order of the header where that is the same. */
#include "auth/field_index.h"
#include <stdlib.h>

static bool name_is_clean(struct span name)
{
    size_t len = name.len;
    while (len > 0 && (name.ptr[len - 1] == ' ' || name.ptr[len - 1] == '\t'))
        len--;
    for (size_t i = 0; i < len; i++) {
        if (name.ptr[i] <= ' ' || name.ptr[i] > '~' || name.ptr[i] == ';' || name.ptr[i] == ':')
            return false;
    }
    return len > 0 && !memchr(name.ptr + len, '\t', name.len - len);
}

static bool value_is_clean(struct span value)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if ((unsigned char)c > '\r')
            continue;
        if (c == '\r' && i + 2 < value.len && value.ptr[i + 1] == '\n' &&
            (value.ptr[i + 2] == ' ' || value.ptr[i + 2] == '\t'))
            i++; /* a fold */
        else if (c == '\r' || c == '\n' || c == '\0')
            return false;
    }
    return true;
}

bool field_is_clean(const struct header_field *field)
{
    return name_is_clean(field->name) && value_is_clean(field->value);
}

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

static int compare_names(struct span a, struct span b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++) {
        int difference = lower(a.ptr[i]) - lower(b.ptr[i]);
        if (difference != 0)
            return difference;
    }
    return a.len == b.len ? 0 : a.len < b.len ? -1 : 1;
}

static int compare_fields(const void *a, const void *b)
{
    const struct header_field *x = *(const struct header_field *const *)a, *y = *(const struct header_field *const *)b;
    int difference = compare_names(span_trim(x->name), span_trim(y->name));
    return difference != 0 ? difference : x < y ? -1 : 1; /* all are of one array */
}

struct field_index field_index_create(struct arena *arena, const struct message *message, bool clean)
{
    struct field_index index = {NULL, 0};
    for (size_t i = 0; i < message->header_count; i++) {
        if (field_is_clean(&message->headers[i]) != clean)
            continue;
        if (!index.fields)
            index.fields = ARENA_ARRAY(arena, const struct header_field *, message->header_count);
        index.fields[index.count++] = &message->headers[i];
    }
    if (index.count > 1)
        qsort(index.fields, index.count, sizeof *index.fields, compare_fields);
    return index;
}

const struct header_field *field_index_get(const struct field_index *index, struct span name, size_t n)
{
    size_t low = 0, high = index->count; /* the first field behind all of NAME is within */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_names(span_trim(index->fields[middle]->name), name) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low <= n || compare_names(span_trim(index->fields[low - 1 - n]->name), name) != 0)
        return NULL;
    return index->fields[low - 1 - n];
}
