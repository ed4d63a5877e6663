/*
 * forward_row - judges addresses with the aliases room's reading of them, and keeps what it wrote.
 *
 * A target keeps the case of its local part, which is the other host's to understand; only its domain is made
 * canonical. It is refused where SMTP's limits for a path would make the other host refuse it, so that the fault is
 * told to who makes the table and not to who writes mail.
 */
#include "srs/forward_row.h"

#define PATH_MAX_OCTETS 254 /* RFC 5321 4.5.3.1.3: 256 with the angle brackets */
#define LOCAL_MAX_OCTETS 64 /* 4.5.3.1.1 */

const char *forward_read_address(struct span text, struct alias_address *address)
{
    if (alias_address_parse(text, address) != 0)
        return "is no address";
    if (!address->domain[0])
        return "has no domain";
    alias_address_fold(address);
    return NULL;
}

static bool is_same(const struct alias_address *folded, const struct alias_address *other)
{
    if (strcmp(folded->domain, other->domain) != 0)
        return false;
    struct alias_address copy = *other;
    alias_address_fold(&copy);
    return strcmp(folded->local, copy.local) == 0;
}

const char *forward_read_target(const struct alias_address *own, struct span text, struct alias_address *target)
{
    char printed[ALIAS_ADDRESS_MAX];
    if (text.len > 2 && text.ptr[0] == '<' && text.ptr[text.len - 1] == '>')
        text = (struct span){text.ptr + 1, text.len - 2};
    if (alias_address_parse(text, target) != 0)
        return "is no address";
    if (!target->domain[0])
        return "has no domain";
    if (target->local_len == 0)
        return "is a domain and no address";
    alias_address_print(target, printed);
    size_t len = strlen(printed);
    if (len - strlen(target->domain) - 1 > LOCAL_MAX_OCTETS)
        return "has more than 64 octets before the '@', which SMTP does not carry";
    if (len > PATH_MAX_OCTETS)
        return "has more than 254 octets, which SMTP does not carry";
    return own && is_same(own, target) ? "is the address itself; with delete = 0 a copy stays anyway" : NULL;
}

static bool is_ascii(const char *text)
{
    while (*text && !((unsigned char)*text & 0x80))
        text++;
    return !*text;
}

bool forward_is_same(const char *a, const char *b)
{
    struct alias_address left, right;
    if (strcasecmp(a, b) == 0)
        return true;
    if (is_ascii(a) || is_ascii(b)) /* what is printed is in one form */
        return false;
    if (alias_address_parse(span_of(a), &left) != 0 || alias_address_parse(span_of(b), &right) != 0)
        return false;
    alias_address_fold(&left);
    return is_same(&left, &right);
}

bool forward_add_target(struct arena *arena, struct forward *forward, const char *target)
{
    for (size_t i = 0; i < forward->count; i++) {
        if (forward_is_same(forward->targets[i], target))
            return true;
    }
    if (forward->count == FORWARDS_TARGETS_MAX)
        return false;
    const char **targets = ARENA_ARRAY(arena, const char *, forward->count + 1);
    if (forward->count > 0)
        memcpy(targets, forward->targets, forward->count * sizeof *targets);
    targets[forward->count++] = target;
    forward->targets = targets;
    return true;
}

struct span forward_print(struct arena *arena, const struct forward *forward)
{
    struct strbuf text;
    strbuf_init(&text, 0);
    strbuf_puts(&text, forward->deletes ? "1 delete\n" : "1 keep\n");
    for (size_t i = 0; i < forward->count; i++)
        strbuf_printf(&text, "%s\n", forward->targets[i]);
    struct span row = {arena_spandup(arena, (struct span){text.ptr, text.len}), text.len};
    strbuf_free(&text);
    return row;
}

static bool next_line(struct span *rest, struct span *line)
{
    const char *end = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
    if (!end)
        return false;
    *line = (struct span){rest->ptr, (size_t)(end - rest->ptr)};
    *rest = (struct span){end + 1, rest->len - line->len - 1};
    return true;
}

int forward_load(struct arena *arena, struct span bytes, struct forward *forward)
{
    struct span line;
    *forward = (struct forward){.count = 0};
    if (!next_line(&bytes, &line) || !(span_equals(line, "1 delete") || span_equals(line, "1 keep")))
        return -1;
    forward->deletes = span_equals(line, "1 delete");
    while (bytes.len > 0) {
        struct alias_address target;
        char printed[ALIAS_ADDRESS_MAX];
        if (!next_line(&bytes, &line) || forward_read_target(NULL, line, &target) != NULL)
            return -1;
        alias_address_print(&target, printed);
        if (!forward_add_target(arena, forward, arena_strdup(arena, printed)))
            return -1;
    }
    return forward->count > 0 ? 0 : -1;
}
