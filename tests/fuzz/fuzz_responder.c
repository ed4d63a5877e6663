/* libFuzzer: any bytes as a responder's JSON. What is taken must print, be taken again and print the same; what is
 * refused must say where. */
#include "autoreply/responder.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create(4096);
    struct responder responder, again;
    struct responder_problem problem = {NULL, NULL};
    char *copy = malloc(size ? size : 1); /* of its own, so that a byte too far is seen */
    if (!copy)
        abort();
    if (size > 0)
        memcpy(copy, data, size);
    const char *why;
    if (responder_parse(arena, (struct span){copy, size}, &responder, &problem) == 0) {
        const char *text = responder_print(arena, &responder);
        if (responder_parse(arena, span_of(text), &again, &problem) != 0 ||
            strcmp(text, responder_print(arena, &again)) != 0 || strchr(text, '\n'))
            abort();
        if (responder_load(arena, span_of(text), &again, &problem) != 0)
            abort();
        const struct responder_message *found = responder_in_force(arena, &responder, 1793516400, &why);
        if (!found == !why || (found && strlen(responder_fingerprint(arena, found)) != 16))
            abort();
    } else {
        if (!problem.field || !problem.text || strncmp(problem.text, problem.field, strlen(problem.field)) != 0)
            abort();
        for (const char *p = problem.text; *p; p++) {
            if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
                abort();
        }
        if (responder_load(arena, (struct span){copy, size}, &responder, &problem) == 0)
            responder_in_force(arena, &responder, 1793516400, &why);
    }
    free(copy);
    arena_destroy(arena);
    return 0;
}
