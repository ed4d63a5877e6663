/*
 * caps - how many automatic replies may leave in a minute and in an hour, whoever asks for them (RFC 3834 section 2).
 *
 * Counted in this worker's memory, from its start: a cap is there to bound a flood, not to be exact.
 * OWNS: a table of bounded size. THREADS: any; it locks inside.
 */
#ifndef POSTERN_AUTOREPLY_CAPS_H
#define POSTERN_AUTOREPLY_CAPS_H

#include <stdint.h>

struct caps;

struct caps *caps_create(void);
void caps_destroy(struct caps *caps);

struct caps_limits { /* 0: no limit */
    int64_t per_minute, per_sender_domain_per_hour, per_mailbox_per_hour;
};

/* May one more reply go to SENDER_DOMAIN from MAILBOX at NOW (seconds since 1970)? NULL and it is counted, or which cap
 * it would pass ("max_per_minute"). */
const char *caps_take(struct caps *caps, const struct caps_limits *limits, const char *mailbox,
                      const char *sender_domain, int64_t now);

#endif
