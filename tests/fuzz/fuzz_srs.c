/*
 * Any text as an address to forward and as an SRS address to undo: no crash, no step beyond it; what comes out can
 * stand in an SMTP command; what was forwarded is undone, and stays the same the second time. Right hashes are not
 * guessed, so the fields of the text are also signed with the secret that is asked.
 */
#include "srs/srs_address.h"
#include "srs/srs_codec.h"
#include "srs/srs_hash.h"
#include <stdlib.h>

#define NOW 1577836860

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool is_true)
{
    if (!is_true)
        abort();
}

/* A path that can be written into a command, and read again as it is. */
static void check_path(struct arena *arena, const char *address)
{
    struct srs_address parts;
    for (const char *c = address; *c; c++)
        must((unsigned char)*c >= 0x20 && *c != 0x7f);
    must(srs_address_split(arena, address, &parts));
    must(strcmp(srs_address_join(arena, &parts, NULL), address) == 0);
    must(address[0] == '"' || !strpbrk(address, " <>(),;\\\""));
}

static void there_and_back(const struct srs_codec *codec, struct arena *arena, const char *address)
{
    const char *there, *back, *again;
    enum srs_outcome outcome = srs_codec_forward(codec, arena, address, "fwd.example.net", NOW, &there);
    must((outcome == SRS_NONE) == (there == NULL));
    if (!there)
        return;
    check_path(arena, there);
    must(srs_is_address(there));
    must(srs_codec_reverse(codec, arena, there, NOW, &back) == SRS_OK);
    check_path(arena, back);
    outcome = srs_codec_forward(codec, arena, back, "fwd.example.net", NOW, &again);
    must(outcome == SRS_OK || outcome == SRS_TOO_LONG);
    must(srs_codec_reverse(codec, arena, again, NOW, &there) == SRS_OK && strcmp(there, back) == 0);
}

/* TEXT as the fields behind a hash that is right. */
static void undo_signed(const struct srs_codec *codec, struct arena *arena, char kind, const char *text)
{
    struct srs_address parts;
    const char *result;
    char hash[SRS_HASH_TEXT + 1];
    const char *local = arena_printf(arena, "%s@x", text), *cut;
    if (!srs_address_split(arena, local, &parts))
        return;
    local = arena_spandup(arena, parts.local);
    struct span fields[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    size_t count = 0;
    for (const char *rest = local; rest; rest = cut ? cut + 1 : NULL) {
        cut = count < (kind == '0' ? 2U : 1U) ? strchr(rest, '=') : NULL;
        fields[count++] = (struct span){rest, cut ? (size_t)(cut - rest) : strlen(rest)};
    }
    srs_hash_text(codec->secrets[1], fields, count, hash);
    const struct srs_address whole = {span_of(arena_printf(arena, "SRS%c=%.5s=%s", kind, hash, local)), {"x", 1}};
    const char *address = srs_address_join(arena, &whole, NULL);
    enum srs_outcome outcome = srs_codec_reverse(codec, arena, address, NOW, &result);
    must(outcome != SRS_NONE && (result != NULL) == (outcome == SRS_OK || outcome == SRS_UNKNOWN));
    if (outcome == SRS_OK)
        check_path(arena, result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span secrets[] = {span_of("secret"), span_of("older")};
    struct arena *arena = arena_create(4096);
    char *text = malloc(size + 1); /* of exactly that size */
    memcpy(text, data, size);
    text[size] = '\0';
    const struct srs_codec codec = {secrets, 2, 4, 4, "=+-"[size % 3], 21};
    const char *result;
    int64_t age;
    enum srs_outcome outcome = srs_codec_reverse(&codec, arena, text, NOW, &result);
    must((outcome == SRS_NONE) == !srs_is_address(text));
    if (outcome == SRS_OK)
        check_path(arena, result);
    must(!srs_codec_age(arena, text, NOW, &age) || (age >= -1 && age < 1023));
    there_and_back(&codec, arena, text);
    undo_signed(&codec, arena, '0', text);
    undo_signed(&codec, arena, '1', text);
    free(text);
    arena_destroy(arena);
    return 0;
}
