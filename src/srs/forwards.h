/*
 * forwards - Postern's own forward table: which addresses it sends on by itself, whereto, and whether a copy stays.
 *
 * Two forms, chosen by forwards { table }: "csv:/PATH", lines "address,target,delete" (several lines, or several
 * targets with spaces between them in one, add up; delete is 1 or 0; a first line of names and lines that begin with #
 * are skipped), and "store", rows "forward/ADDRESS" that posternctl forwards manages and several machines may share.
 * "@domain" as an address catches what the domain has no line for. A file that changes is read again within two
 * seconds; a bad new version leaves the old one in use and is logged.
 *
 * OWNS: its table. THREADS: any; it locks inside, a look-up in the file never waits for the disk.
 */
#ifndef POSTERN_SRS_FORWARDS_H
#define POSTERN_SRS_FORWARDS_H

#include "conf/conf.h"
#include "store/store.h"
#include "util/arena.h"

#define FORWARDS_TARGETS_MAX 100 /* of one address */

struct forward {
    const char *const *targets; /* as written, domain canonical; distinct */
    size_t count;
    bool deletes; /* the address itself gets no copy */
};

struct forwards;

/* NULL, or what is wrong with TABLE ("csv:/PATH" or "store"): for the option's verify(). */
const char *forwards_verify_table(const char *table);

/* NULL after all problems were reported. STORE must outlive it; only used with "store". */
struct forwards *forwards_open(const char *table, struct store *store, struct conf_problems *problems);
void forwards_close(struct forwards *forwards);

/* ADDRESS canonical (aliases_canonical()). STORE_OK, STORE_ABSENT or STORE_DOWN. On ARENA. NOW in seconds since
 * 1970. */
enum store_outcome forwards_find(struct forwards *forwards, struct arena *arena, const char *address, int64_t now,
                                 struct forward *forward);

#endif
