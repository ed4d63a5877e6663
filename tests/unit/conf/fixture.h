/*
 * fixture - sections with an option of each type, and files to load them from; for the tests of conf/.
 */
#ifndef POSTERN_TESTS_CONF_FIXTURE_H
#define POSTERN_TESTS_CONF_FIXTURE_H

#include "conf/conf.h"
#include "core/template.h"
#include "util/domain.h"
#include "util/netaddr.h"
#include "util/strbuf.h"
#include "util/strset.h"

enum { CLASS_OUTSIDE = 1, CLASS_TRUSTED = 2, CLASS_LOCAL = 4 };

struct top_values {
    const char *socket, *owner;
    int mode;
    int64_t socket_mode, drain_timeout;
    const struct netset *networks;
};

struct all_values { /* section "all": a member of each type */
    bool flag;
    int64_t number, negative, wait;
    uint64_t size;
    int64_t access;
    const char *text;
    int word;
    unsigned classes;
    const struct string_list *texts;
    const struct netset *networks;
    const struct domain_set *domains;
    const struct strset *words;
    const struct template *reply, *optional_reply;
};

extern const struct conf_section fixture_sections[];
#define FIXTURE_COUNT 2

/* A file of that name in the test's own directory, which is made at the first call; its path. */
const char *fixture_path(const char *name);
const char *fixture_write(const char *name, const char *text, size_t len);
void fixture_clean(void);

/* Loads the file; the problems, a line each and without the test's directory, are in PROBLEMS. */
struct conf *fixture_load(const char *path, struct strbuf *problems, unsigned *count);

#endif
