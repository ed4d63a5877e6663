/*
 * fake_srs - srs_forward() and srs_reverse() without keys and store, for tests of who asks them.
 *
 * user@domain is forwarded as SRS0=domain=user@OURS and undone from that. What a local part begins with decides the
 * rest: "down" SRS_DOWN, "forged" SRS_FORGED, "expired", "malformed", "unknown", "long" SRS_TOO_LONG, and "slow" waits
 * until fake_srs_release(). THREADS: any.
 */
#ifndef POSTERN_TESTS_FAKE_SRS_H
#define POSTERN_TESTS_FAKE_SRS_H

#include "srs/srs.h"

void fake_srs_release(void);
int fake_srs_waiting(void); /* how many wait */

#endif
