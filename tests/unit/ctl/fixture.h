/*
 * fixture - command lines of posternctl in this process, on a store and a spool of the test's own: exit status and the
 * words on the two streams. Each test begins with nothing stored.
 *
 * The alias tables: info@ means anna@, team@ means anna@ and bob@, bob@ keeps a copy, none@ and loop@ mean nobody, all
 * at example.net, of which example.org is a second name.
 */
#ifndef POSTERN_TESTS_CTL_FIXTURE_H
#define POSTERN_TESTS_CTL_FIXTURE_H

#include "ctl/json.h"
#include "store/store.h"
#include <sysexits.h>

#define SIZE(array) (sizeof(array) / sizeof *(array))

extern char directory[64], conf[128], out[65536], errors[65536]; /* OUT, ERRORS: what the last command said */
extern struct arena *arena;

int fixture_begin(void **state);
int fixture_end(void **state);

const char *path_of(const char *name); /* in the test's directory */
void write_file(const char *name, const char *text);
void read_back(const char *name, char *text, size_t size);

/* ARGUMENTS: "autoreply", "queue" or "forwards", a verb, and so on, ended by NULL. */
int run_list(const char *const *arguments);
#define RUN(...) run_list((const char *const[]){__VA_ARGS__, NULL})

/* SAID is somewhere on one of the streams. */
void expect(int status, int wanted, const char *said);
#define OK(said, ...) expect(RUN("autoreply", __VA_ARGS__), EX_OK, said)
#define REFUSED(status, said, ...) expect(RUN("autoreply", __VA_ARGS__), status, said)

/* What `show --json` says; the caller's to delete. Its field NAME; message number I as compact JSON. */
cJSON *shown(const char *mailbox);
const cJSON *field(const cJSON *object, const char *name);
const char *message(const cJSON *object, int i);

struct store *open_store(void);

#endif
