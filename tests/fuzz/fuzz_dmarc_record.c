/* libFuzzer: any bytes as a DMARC Policy Record. Whatever has no policy must have a reason, and enforce nothing. */
#include "auth/policyrec.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create(4096);
    struct policyrec record;
    char *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    if (size > 0)
        memcpy(copy, data, size);
    enum policyrec_status status = policyrec_parse(arena, (struct span){copy, size}, &record);
    if (status == POLICYREC_MALFORMED && (!record.error || record.has_policy))
        abort();
    if (status == POLICYREC_OK && !record.has_policy &&
        (!record.error || record.p != AUTH_POLICY_NONE || record.sp != AUTH_POLICY_NONE ||
         record.np != AUTH_POLICY_NONE))
        abort();
    if (record.pct < 0 || record.pct > 100 || record.note_count > POLICYREC_NOTES || !strchr("yun", record.psd))
        abort();
    free(copy);
    arena_destroy(arena);
    return 0;
}
