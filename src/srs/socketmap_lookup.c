/*
 * socketmap_lookup - the two maps.
 *
 * Postfix asks for whole addresses, but a local sender may have no domain (MAILER-DAEMON), and other clients ask
 * canonical maps for user and for @domain as well (canonical(5)); the local part alone of a foreign sender must not be
 * taken for a sender of ours. So everything that is no address with a local part and a domain is not found, and so is
 * what needs no rewriting: "not found" leaves the address as it is. "TEMP" is only said where the store would have
 * known; Postfix then tries the message again later.
 *
 * What this does not do: say why an address was not undone. A client would refuse mail by the text of a map, and
 * the check srs gives that reason to the sender of the bounce.
 */
#include "srs/socketmap_lookup.h"
#include "srs/routes.h"

/* The domain of KEY in canonical form; -1 if KEY is no whole address that a C string can hold. */
static int domain_of(struct span key, char domain[DOMAIN_MAX + 1])
{
    const char *at = key.len ? memrchr(key.ptr, '@', key.len) : NULL;
    if (!at || at == key.ptr || memchr(key.ptr, '\0', key.len))
        return -1;
    return domain_canonical((struct span){at + 1, (size_t)(key.ptr + key.len - at - 1)}, domain);
}

static enum srs_outcome forward(const struct socketmap_options *options, struct srs *srs, struct arena *arena,
                                struct span key, int64_t now, const char **result)
{
    char domain[DOMAIN_MAX + 1];
    if (domain_of(key, domain) != 0 || domain_set_has(options->domains, domain) ||
        routes_is_here(domain, options->local_domains, options->hostname))
        return SRS_NONE;
    return srs_forward(srs, arena, arena_spandup(arena, key), options->domain, now, false, result);
}

static enum srs_outcome reverse(const struct socketmap_options *options, struct srs *srs, struct arena *arena,
                                struct span key, int64_t now, const char **result)
{
    char domain[DOMAIN_MAX + 1];
    if (domain_of(key, domain) != 0 || !domain_set_has(options->domains, domain))
        return SRS_NONE;
    const char *address = arena_spandup(arena, key);
    return srs_is_address(address) ? srs_reverse(srs, arena, address, now, result) : SRS_NONE;
}

static enum socketmap_status unknown_map(const struct socketmap_request *request, struct strbuf *out)
{
    struct strbuf text;
    strbuf_init(&text, SOCKETMAP_REASON_MAX);
    strbuf_puts(&text, "unknown map ");
    strbuf_add(&text, request->name);
    strbuf_puts(&text, "; there are forward and reverse");
    socketmap_wire_answer(out, SOCKETMAP_PERM, (struct span){text.ptr, text.len});
    strbuf_free(&text);
    return SOCKETMAP_PERM;
}

enum socketmap_status socketmap_lookup(const struct socketmap_options *options, struct srs *srs,
                                       const struct socketmap_request *request, int64_t now, struct strbuf *out)
{
    bool is_forward = span_equals(request->name, "forward");
    if (!is_forward && !span_equals(request->name, "reverse"))
        return unknown_map(request, out);
    if (!request->has_key) {
        socketmap_wire_answer(out, SOCKETMAP_PERM, span_of("a request is a map, a space and a key"));
        return SOCKETMAP_PERM;
    }
    const char *result = NULL;
    struct arena *arena = arena_create(2048);
    enum srs_outcome outcome = is_forward ? forward(options, srs, arena, request->key, now, &result)
                                          : reverse(options, srs, arena, request->key, now, &result);
    enum socketmap_status status = outcome == SRS_OK     ? SOCKETMAP_OK
                                   : outcome == SRS_DOWN ? SOCKETMAP_TEMP
                                                         : SOCKETMAP_NOTFOUND;
    socketmap_wire_answer(out, status, span_of(status == SOCKETMAP_OK ? result : "the store does not answer"));
    arena_destroy(arena);
    return status;
}
