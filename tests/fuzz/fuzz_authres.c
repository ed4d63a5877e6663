/*
 * An Authentication-Results field of any bytes: no crash, no step beyond it. What is read of it, written as a value of
 * ours, reads back the same. And a field that begins with our name is ours, whatever follows.
 */
#include "auth/authres.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_printable(const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e)
            return false;
    }
    return len > 0 && len <= 200;
}

static void write_back(struct arena *arena, const char *value)
{
    struct auth_dkim_signature signature = {.result = AUTH_FAIL, .domain = value, .selector = value, .reason = value};
    struct auth_dkim dkim = {AUTH_FAIL, &signature, 1};
    const char *text = authres_write(arena, "mx.example.net", NULL, &dkim, NULL);
    const struct authres *back = authres_parse(arena, span_of(text));
    if (!back->is_whole || back->count != 1 || strcmp(back->results[0].result, "fail") != 0)
        abort();
    const char *domain = authres_property(&back->results[0], "header.d");
    if (is_printable(value) && (!domain || strcmp(domain, value) != 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create(4096);
    char *copy = malloc(size ? size : 1); /* of exactly that size */
    memcpy(copy, data, size);
    const struct authres *authres = authres_parse(arena, (struct span){copy, size});
    authres_claims(arena, (struct span){copy, size}, "mx.example.net");
    for (size_t i = 0; i < authres->count && i < 4; i++) {
        write_back(arena, authres->results[i].result);
        for (size_t j = 0; j < authres->results[i].property_count && j < 4; j++)
            write_back(arena, authres->results[i].properties[j].value);
    }
    write_back(arena, arena_spandup(arena, (struct span){copy, size}));
    char *ours = malloc(size + 15);
    memcpy(ours, "mx.example.net;", 15);
    memcpy(ours + 15, copy, size);
    if (!authres_claims(arena, (struct span){ours, size + 15}, "mx.example.net"))
        abort();
    free(ours);
    free(copy);
    arena_destroy(arena);
    return 0;
}
