/*
 * authres - the Authentication-Results field (RFC 8601): reading those that others wrote, writing ours, and telling
 * which ones pretend to be ours.
 *
 * The reader takes what is in the field, not only what the RFC allows, because it has to find forgeries: comments
 * anywhere, quoted strings, versions, no authserv-id at all. It is bounded: 64 kB of value, 64 results, 32 properties
 * each; what is beyond is not looked at.
 * OWNS: all texts live in the arena given. THREADS: any.
 */
#ifndef POSTERN_AUTH_AUTHRES_H
#define POSTERN_AUTH_AUTHRES_H

#include "auth/auth.h"
#include "conf/conf.h"
#include "core/message.h"
#include "util/netaddr.h"

#define AUTHRES_HEADER "Authentication-Results"

/* With a dkim=pass that DMARC may not use, because l= leaves out the end of the body: without it a Postern behind this
 * one would let it count. */
#define AUTHRES_UNSIGNED "policy.unsigned-rest"

struct authres_property {
    const char *name;  /* "header.d", in lower case */
    const char *value; /* without quotes */
};

struct authres_result {
    const char *method; /* "dkim", in lower case, without its version */
    const char *result; /* "pass", in lower case */
    const char *reason; /* NULL if there is none */
    const char *comments; /* what stands in parentheses behind the result, joined with blanks; "" */
    const struct authres_property *properties;
    size_t property_count;
};

struct authres {
    const char *id; /* the authserv-id as written, without quotes; "" if there is none */
    bool has_head;  /* the part before the first semicolon could be read whole */
    bool is_whole;  /* everything could be read; false: some of it is malformed, and results may be missing */
    const struct authres_result *results;
    size_t count;
};

/* VALUE as received. Never NULL. */
const struct authres *authres_parse(struct arena *arena, struct span value);

/* NULL if RESULT has no such property. */
const char *authres_property(const struct authres_result *result, const char *name);

/* True if ID and OTHER name the same server: case, a trailing dot and U-labels do not count. */
bool authres_same_id(const char *id, const char *other);

/* Does the field with this VALUE claim to be of ID, or could a careless reader take it for that? That is so if its
 * authserv-id is ID, and also if it has no well-formed authserv-id and holds ID anywhere, comments and quotes taken
 * away. */
bool authres_claims(struct arena *arena, struct span value, const char *id);

/* The results of METHOD that a filter before us has left: those of the topmost field that is from one of
 * trusted_authserv_ids and has any for METHOD. *COUNT of them; NULL if there is no such field. */
const struct authres_result *authres_find(struct arena *arena, const struct message *message, const char *method,
                                          size_t *count);

/* The same as facts, for the checks whose option `source` is header. NULL if no trusted field has that method. */
const struct auth_spf *authres_read_spf(struct arena *arena, const struct message *message);
const struct auth_dkim *authres_read_dkim(struct arena *arena, const struct message *message);
const struct auth_dmarc *authres_read_dmarc(struct arena *arena, const struct message *message);

/* The option `source` of spf, dkim and dmarc. */
enum authres_source { AUTHRES_SELF, AUTHRES_HEADER_OF_ANOTHER };
extern const struct option_word authres_source_words[];
#define AUTHRES_SOURCE_ROW(options_struct, member)                                                                     \
    {                                                                                                                  \
        .name = "source", .type = OPTION_ENUM, .offset = offsetof(options_struct, member), .def = "self",              \
        .words = authres_source_words,                                                                                 \
        .help = "self: evaluate it here. header: take the result from the Authentication-Results field of a filter "   \
                "before this one, whose name stands in trusted_authserv_ids; without such a field there is no result." \
    }

/* The value of our field; each of the three may be NULL. Folded as "\n\t", lines within 78 octets where the values
 * allow it and always within 998; nothing in a value can end it, its line, or the field. */
const char *authres_write(struct arena *arena, const char *id, const struct auth_spf *spf, const struct auth_dkim *dkim,
                          const struct auth_dmarc *dmarc);

/* The value of Received-SPF (RFC 7208 9.1), folded likewise. HELO may be NULL. */
const char *authres_write_received_spf(struct arena *arena, const char *id, const struct auth_spf *spf,
                                       const struct netaddr *client, const char *reverse_path, const char *helo);

#endif
