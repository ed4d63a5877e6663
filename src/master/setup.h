/*
 * setup - the options the master needs, as the worker program reports them.
 *
 * The master does not read postern.conf: `postern-worker -T master -c FILE` does and prints these as key=value lines
 * (docs/adr/0001). A key that is not known is passed over, so that an older master understands a newer worker.
 *
 * OWNS: plain values. THREADS: plain values. ERRORS: texts in English.
 */
#ifndef POSTERN_MASTER_SETUP_H
#define POSTERN_MASTER_SETUP_H

#include "util/log.h"
#include "util/strbuf.h"
#include <limits.h>
#include <stdint.h>

struct setup {
    char socket[PATH_MAX];
    char socket_owner[256], socket_group[256]; /* "" = leave it */
    unsigned socket_mode;
    char user[256]; /* "" = stay who we are */
    char control[PATH_MAX];
    int64_t drain_timeout; /* ms */
    struct log_options log;
};

/* Reads the lines of TEXT. 0, or -1 with WHY: a value that cannot be, or socket or control missing. */
int setup_parse(struct setup *setup, const char *text, struct strbuf *why);

/* Adds the name of each option that a reload cannot change and that differs, ", " between them; nothing if none. */
void setup_compare(const struct setup *running, const struct setup *wanted, struct strbuf *out);

#endif
