/* dkim_fixture - the verifier fed with messages as text, for the tests of DKIM. */
#ifndef POSTERN_TESTS_DKIM_FIXTURE_H
#define POSTERN_TESTS_DKIM_FIXTURE_H

#include "auth/dkim_verify.h"
#include "util/arena.h"

#define FIXTURE_NOW 1700000100 /* the time of all messages */

extern struct arena *fixture_arena; /* as long as the program */
extern struct dns_fake_row fixture_rows[];
extern size_t fixture_row_count;
extern const struct verifier_options fixture_options;
extern const enum verifier_engine_name fixture_engines[2];

void fixture_begin(void);
void fixture_end(void);

/* A TXT record for all messages from here on. */
void fixture_add_row(const char *name, enum dns_outcome outcome, const char *text);

/* TEXT, header and body, with its body in pieces of PIECE octets. "pass big; fail small (why)"; what was asked in *LOG,
 * which may be NULL. */
const char *fixture_verify_once(const char *text, size_t len, size_t piece, const struct verifier_options *given,
                                enum verifier_engine_name engine, const char **log);

/* The same in pieces of several sizes, which must all tell the same. */
const char *fixture_verify(const char *text, size_t len, const struct verifier_options *options,
                           enum verifier_engine_name engine);

/* And with both engines, which must tell the same. */
const char *fixture_verify_both(const char *text, size_t len, const struct verifier_options *options);

#endif
