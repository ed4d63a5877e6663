/*
 * memory - keys and values of the store.
 *
 * A key is read back by the administrator's commands, so its parts are escaped and not hashed. Only a part that is
 * longer than PART_MAX when escaped ends in "%:" and its SHA-256; no escaped part holds that, so the two cannot be
 * confused. With the largest parts a key is 5 + 256 + 1 + 10 + 1 + 256 + 1 + 16 bytes long, within STORE_KEY_MAX.
 */
#include "autoreply/memory.h"
#include "autoreply/digest.h"
#include "util/strbuf.h"
#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

#define PART_MAX 256
#define HASH_MARK "%:"
#define TOKEN_BYTES 16
#define RESERVED "reserved "
#define ANSWERED "answered "

/* Appends PART, escaped and bounded; the three octets of an escaped byte stay together. */
static void add_part(struct strbuf *key, const char *part)
{
    struct strbuf escaped;
    size_t kept = 0; /* how much of it leaves room for the hash */
    strbuf_init(&escaped, 4 * strlen(part) + 1);
    for (const unsigned char *p = (const unsigned char *)part; *p; p++) {
        if (*p < 0x20 || *p == 0x7f || *p == '/' || *p == '%')
            strbuf_printf(&escaped, "%%%02X", *p);
        else
            strbuf_putc(&escaped, (char)*p);
        if (escaped.len <= PART_MAX - strlen(HASH_MARK) - DIGEST_HEX && (p[1] & 0xc0) != 0x80)
            kept = escaped.len; /* characters of UTF-8 stay whole */
    }
    if (escaped.len <= PART_MAX) {
        strbuf_puts(key, strbuf_text(&escaped));
    } else {
        char hex[DIGEST_HEX + 1];
        digest_hex(span_of(part), hex);
        strbuf_add(key, (struct span){strbuf_text(&escaped), kept});
        strbuf_printf(key, "%s%s", HASH_MARK, hex);
    }
    strbuf_free(&escaped);
}

const char *memory_key(struct arena *arena, const struct responder *responder, const char *sender,
                       const char *fingerprint)
{
    struct strbuf key;
    strbuf_init(&key, 0);
    strbuf_puts(&key, MEMORY_KEY);
    add_part(&key, responder->mailbox);
    strbuf_printf(&key, "/%lld/", (long long)responder->generation);
    if (sender) {
        add_part(&key, sender);
        strbuf_putc(&key, '/');
    }
    if (sender && fingerprint)
        add_part(&key, fingerprint);
    const char *text = arena_strdup(arena, strbuf_text(&key));
    strbuf_free(&key);
    return text;
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* NULL: not what add_part() writes. A part that ends in a hash stays as it is. */
static const char *read_part(struct arena *arena, struct span part)
{
    char *text = arena_spandup(arena, part), *to = text;
    for (const char *p = text; *p; p++) {
        if (*p != '%') {
            *to++ = *p;
        } else if (p[1] == ':') {
            return strlen(p + 2) == DIGEST_HEX ? arena_spandup(arena, part) : NULL;
        } else {
            int high = hex_value(p[1]), low = high < 0 ? -1 : hex_value(p[2]);
            if (low < 0 || high * 16 + low == 0)
                return NULL;
            *to++ = (char)(high * 16 + low);
            p += 2;
        }
    }
    *to = '\0';
    return *text ? text : NULL;
}

int memory_key_parse(struct arena *arena, const char *key, const char **sender, const char **fingerprint)
{
    struct span parts[4];
    if (strncmp(key, MEMORY_KEY, strlen(MEMORY_KEY)) != 0)
        return -1;
    key += strlen(MEMORY_KEY);
    for (size_t i = 0; i < 4; i++) {
        size_t len = strcspn(key, "/");
        parts[i] = (struct span){key, len};
        if ((key[len] == '/') != (i < 3))
            return -1;
        key += len + (i < 3);
    }
    if (parts[1].len == 0 || strspn(parts[1].ptr, "0123456789") != parts[1].len || !read_part(arena, parts[0]))
        return -1;
    *sender = read_part(arena, parts[2]);
    *fingerprint = read_part(arena, parts[3]);
    return *sender && *fingerprint ? 0 : -1;
}

const char *memory_token(struct arena *arena)
{
    unsigned char bytes[TOKEN_BYTES];
    if (getentropy(bytes, sizeof bytes) != 0)
        abort(); /* a kernel without random numbers: two attempts could take each other for themselves */
    char *token = arena_alloc(arena, 2 * TOKEN_BYTES + 1);
    for (size_t i = 0; i < TOKEN_BYTES; i++) {
        token[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        token[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    return token;
}

const char *memory_mark_print(struct arena *arena, const struct memory_mark *mark)
{
    return arena_printf(arena, "%s%s %lld", mark->is_reserved ? RESERVED : ANSWERED, mark->token, (long long)mark->at);
}

int memory_mark_parse(struct arena *arena, struct span value, struct memory_mark *mark)
{
    const char *text = arena_spandup(arena, value);
    if (strlen(text) != value.len)
        return -1;
    mark->is_reserved = strncmp(text, RESERVED, strlen(RESERVED)) == 0;
    if (!mark->is_reserved && strncmp(text, ANSWERED, strlen(ANSWERED)) != 0)
        return -1;
    text += strlen(mark->is_reserved ? RESERVED : ANSWERED);
    size_t len = strspn(text, "0123456789abcdef");
    const char *at = text + len + 1;
    if (len != 2 * TOKEN_BYTES || text[len] != ' ' || strlen(at) > 18 || !*at || strspn(at, "0123456789") != strlen(at))
        return -1;
    mark->token = arena_spandup(arena, (struct span){text, len});
    mark->at = strtoll(at, NULL, 10);
    return 0;
}

int64_t memory_until(int64_t at, int64_t days)
{
    return at + days * 86400;
}
