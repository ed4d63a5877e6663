/* responding - the state as replies need it, and how many may leave. */
#include "autoreply/responding.h"
#include <stdlib.h>

struct responding *responding_open(const struct settings *settings, const struct state *state)
{
    struct responding *responding = calloc(1, sizeof *responding);
    if (!responding)
        abort();
    *responding = (struct responding){settings, state->store, state->spool, state->aliases, caps_create()};
    return responding;
}

void responding_close(struct responding *responding)
{
    if (responding)
        caps_destroy(responding->caps);
    free(responding);
}
