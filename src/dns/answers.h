/*
 * answers - the answers of late, ready to be read by the thread that wants one.
 *
 * OWNS: copies. THREADS: answers_put() and answers_get() from any; create and destroy alone. Only for the files of
 * dns/.
 */
#ifndef POSTERN_DNS_ANSWERS_H
#define POSTERN_DNS_ANSWERS_H

#include "dns/dns.h"

struct answers;

struct answers *answers_create(void);
void answers_destroy(struct answers *answers);

/* Keeps what OUTCOME says of NAME and TYPE for TTL_S seconds from NOW_US (clock_monotonic_us() time). DATA and LENGTHS:
 * the records as rdata, NULL behind the last. Only answers, NXDOMAIN and NODATA are kept, and none that is large. */
void answers_put(struct answers *answers, const char *name, enum dns_type type, enum dns_outcome outcome,
                 char *const *data, const int *lengths, int64_t ttl_s, int64_t now_us);

/* Whether there is one that has not expired; then *ANSWER is filled, its records on ARENA. NULL as ANSWER and ARENA:
 * only look. */
bool answers_get(struct answers *answers, const char *name, enum dns_type type, int64_t now_us, struct arena *arena,
                 struct dns_answer *answer);

#endif
