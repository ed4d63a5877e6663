/* libFuzzer: any bytes as one or two From fields (cut at the first 0xff). What comes out must be sound and distinct. */
#include "auth/author.h"
#include "util/domain.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add(struct author_list *list, const uint8_t *data, size_t size)
{
    char *copy = malloc(size + 1); /* of its own, so that a byte too far is seen */
    if (!copy)
        abort();
    if (size > 0)
        copy = memcpy(copy, data, size);
    char *exact = realloc(copy, size ? size : 1);
    author_add_field(list, (struct span){exact, size});
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create(4096);
    struct author_list list;
    char name[DOMAIN_MAX + 1];
    const uint8_t *cut = size ? memchr(data, 0xff, size) : NULL;
    size_t first = cut ? (size_t)(cut - data) : size;
    author_list_init(&list, arena);
    add(&list, data, first);
    if (cut)
        add(&list, cut + 1, size - first - 1);
    if (list.count > AUTHOR_MAX || (list.count == 0 && !list.problem))
        abort();
    for (size_t i = 0; i < list.count; i++) {
        if (domain_canonical(span_of(list.domains[i]), name) != 0 || strcmp(name, list.domains[i]) != 0)
            abort();
        for (size_t k = 0; k < i; k++) {
            if (strcmp(list.domains[i], list.domains[k]) == 0)
                abort();
        }
    }
    arena_destroy(arena);
    return 0;
}
