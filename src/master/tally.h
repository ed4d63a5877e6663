/*
 * tally - counters summed over workers, those that are gone included.
 *
 * OWNS: its entries; tally_free() ends them. THREADS: none inside. ERRORS: what is no name=number is passed over.
 */
#ifndef POSTERN_MASTER_TALLY_H
#define POSTERN_MASTER_TALLY_H

#include "util/strbuf.h"
#include <stddef.h>
#include <stdint.h>

struct tally {
    struct tally_entry {
        char *name;
        uint64_t value;
    } * entries;
    size_t count, capacity;
};

/* Adds the counters of a worker's report (the lines behind "report\n"): all but sessions, config and checksum. */
void tally_add_report(struct tally *tally, const char *report);

/* "counter.NAME=VALUE\n" in the order of first appearance. */
void tally_print(const struct tally *tally, struct strbuf *out);
void tally_free(struct tally *tally);

/* The value of NAME in a report: an empty span if it is not there. */
struct span tally_find(const char *report, const char *name);

#endif
