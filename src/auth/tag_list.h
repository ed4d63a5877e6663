/*
 * tag_list - the "tag=value; tag=value" lists of DKIM (RFC 6376 3.2), read strictly.
 *
 * OWNS: nothing; tags point into the text that was read. THREADS: any. ERRORS: what is wrong, as a text for people.
 */
#ifndef POSTERN_AUTH_TAG_LIST_H
#define POSTERN_AUTH_TAG_LIST_H

#include "util/arena.h"
#include "util/span.h"
#include <stdbool.h>

#define TAGS_MAX 64

struct tag {
    struct span name, value; /* without white space around them */
    struct span place;       /* all that stands between "=" and ";", the white space around the value included */
};

struct tags {
    struct tag items[TAGS_MAX];
    size_t count;
};

/* LENIENT: any byte but NUL in a value, for notes in keys. NULL or what is wrong. */
const char *tags_parse(struct span text, bool lenient, struct tags *tags);

/* NULL if there is none. Names have a case. */
const struct tag *tags_get(const struct tags *tags, const char *name);

/* VALUE without any SP, HTAB, CR, LF, on ARENA. */
char *tags_without_space(struct arena *arena, struct span value);

/* Two digits or more, and at most two "=" behind them. */
bool tags_is_base64(const char *text);

/* As above, with digits behind the padding too: opendkim repeats the last ones there when it folds the last line. */
bool tags_is_base64_of_opendkim(const char *text);

#endif
