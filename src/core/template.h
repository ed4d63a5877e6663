/*
 * template - an SMTP reply from the configuration: "550 5.7.1 <{rcpt}>... Access denied - bogus HELO [{helo}]".
 *
 * A reply is a code of three digits, an enhanced status code of the same class (RFC 3463), and printable ASCII text.
 * What a placeholder brings is made printable and cut to 255 bytes; the whole reply stays within the 512 octets of a
 * reply line (RFC 5321 4.5.3.1.5). No '%' is doubled here: that is libmilter's quirk and done in milter/.
 *
 * OWNS: a template lives in the arena it was parsed on. THREADS: read-only after template_parse().
 */
#ifndef POSTERN_CORE_TEMPLATE_H
#define POSTERN_CORE_TEMPLATE_H

#include "util/arena.h"
#include "util/span.h"

#define REPLY_MAX 510 /* octets, without CRLF */

struct template;

struct placeholder {
    const char *name; /* without braces; a NULL name ends the list */
    struct span value;
};

/* ALLOWED: names separated by blanks; CLASSES: the first digits the code may have, "45". On error NULL, and *WHY says
 * what is wrong, in the arena. "{{" stands for a brace. */
const struct template *template_parse(struct arena *arena, const char *text, const char *allowed, const char *classes,
                                      const char **why);

/* The reply, in ARENA, never NULL. A placeholder without a value in VALUES is empty. */
const char *template_expand(const struct template *template, struct arena *arena, const struct placeholder *values);

/* The text as it was parsed. */
const char *template_text(const struct template *template);

#endif
