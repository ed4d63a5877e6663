/* signature_key - a key record (RFC 6376 3.6.1), and which of several TXT records is meant as one. */
#include "auth/signature.h"
#include "auth/tag_list.h"

#define KEY_MAX 1000

/* Is WORD in the colon-separated list of the tag? */
static bool list_has(struct arena *arena, const struct tag *tag, const char *word)
{
    char *next = tags_without_space(arena, tag->value), *item;
    while ((item = strsep(&next, ":"))) {
        if (strcasecmp(item, word) == 0)
            return true;
    }
    return false;
}

/* By hand: printf() takes ten times as long over so long a text. */
static const char *join_record(struct arena *arena, const struct signature_key *key)
{
    const char *head = key->is_ed25519 ? "v=DKIM1;k=ed25519;p=" : "v=DKIM1;k=rsa;p=";
    size_t len = strlen(head), data_len = strlen(key->data);
    char *record = arena_alloc(arena, len + data_len + 1);
    memcpy(record, head, len);
    memcpy(record + len, key->data, data_len);
    return record;
}

static const char *read_key(struct arena *arena, const struct tags *tags, struct signature_key *key)
{
    const struct tag *v = tags_get(tags, "v"), *k = tags_get(tags, "k"), *h = tags_get(tags, "h");
    const struct tag *s = tags_get(tags, "s"), *t = tags_get(tags, "t"), *p = tags_get(tags, "p");
    if (v && !span_equals(v->value, "DKIM1"))
        return "the key record is of another version";
    if (v && v != tags->items)
        return "the key record does not begin with its version";
    if (k && !span_equals_nocase(k->value, "rsa") && !span_equals_nocase(k->value, "ed25519"))
        return "the key is of an unknown type";
    key->is_ed25519 = k && span_equals_nocase(k->value, "ed25519");
    if (h && !list_has(arena, h, "sha256"))
        return "the key is not for SHA-256";
    if (s && !list_has(arena, s, "*") && !list_has(arena, s, "email"))
        return "the key is not for mail";
    if (!p)
        return "the key record holds no key";
    const char *data = key->data = tags_without_space(arena, p->value);
    key->is_revoked = *data == '\0';
    if (key->is_revoked)
        return "the key is revoked";
    if (!tags_is_base64(data) || strlen(data) > KEY_MAX)
        return tags_is_base64(data) ? "the key is too long" : "the key is no base64";
    key->is_strict = t && list_has(arena, t, "s");
    key->record = join_record(arena, key);
    return NULL;
}

void signature_key_parse(struct arena *arena, struct span record, struct signature_key *key)
{
    struct tags tags;
    *key = (struct signature_key){.problem = NULL};
    key->problem = tags_parse(record, true, &tags) ? "the key record is malformed" : read_key(arena, &tags, key);
}

bool signature_key_is_meant(struct span record)
{
    struct tags tags;
    struct span text = span_trim(record);
    if (text.len >= 7 && memcmp(text.ptr, "v=DKIM1", 7) == 0)
        return true;
    return !tags_parse(record, true, &tags) && tags_get(&tags, "p");
}
