/*
 * srs_codec - the fields of SRS addresses.
 *
 * The separator behind SRS0 and SRS1 is one of "=", "+" and "-"; between the fields it is always "=", as everybody does
 * it. A domain cannot hold "=", so the local part may: it is the last field. An SRS1 holds the local part of a foreign
 * SRS0 from its separator on, unread: it is not ours to check, and its forwarder gets back what he wrote. For a foreign
 * SRS1 the hash is replaced and the first forwarder's host is kept, so that the way back is two hops however long the
 * way was.
 *
 * What begins with SRS1 and has no such fields, or is SRS0= alone, is forwarded like any other local part
 * (SRS0=HASH=TT=x=SRS1=...), which can be undone. Mail::SRS writes an SRS1 that nobody can undo.
 *
 * Reading checks the form first, then the hash, then the age: only a genuine address is called expired. An SRS1 has no
 * age of its own.
 *
 * An SRS0 with an empty domain is ours alone: its local part is a token (srs.h). There the hash is over TT, "=" and the
 * token, which no domain and local part can imitate: a sender can choose them so that they spell somebody's token.
 */
#include "srs/srs_codec.h"
#include "srs/srs_address.h"
#include "srs/srs_hash.h"

#define DAY 86400
#define SLOTS 1024 /* days after which time stamps come again */

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

const char *srs_outcome_name(enum srs_outcome outcome)
{
    switch (outcome) {
    case SRS_OK:
        return "ok";
    case SRS_NONE:
        return "none";
    case SRS_MALFORMED:
        return "malformed";
    case SRS_FORGED:
        return "forged";
    case SRS_EXPIRED:
        return "expired";
    case SRS_TOO_LONG:
        return "too-long";
    case SRS_UNKNOWN:
        return "unknown";
    case SRS_DOWN:
        return "down";
    }
    return "?";
}

/* ---- parts of a local part ---- */

/* 0 or 1 for SRS0 and SRS1, -1 for neither. */
static int kind_of(struct span local)
{
    if (local.len < 5 || strncasecmp(local.ptr, "SRS", 3) != 0 || !local.ptr[4] || !strchr("=+-", local.ptr[4]))
        return -1;
    return local.ptr[3] == '0' ? 0 : local.ptr[3] == '1' ? 1 : -1;
}

static struct span behind(struct span text, size_t count)
{
    return (struct span){text.ptr + count, text.len - count};
}

/* Cuts FIELD and its "=" from the front of REST; false if there is no "=". */
static bool take_field(struct span *rest, struct span *field)
{
    const char *end = rest->len ? memchr(rest->ptr, '=', rest->len) : NULL;
    if (!end)
        return false;
    *field = (struct span){rest->ptr, (size_t)(end - rest->ptr)};
    *rest = behind(*rest, field->len + 1);
    return true;
}

struct srs0 {
    struct span hash, stamp, domain, local;
};

static bool parse_srs0(struct span local, struct srs0 *srs0)
{
    srs0->local = behind(local, 5);
    return take_field(&srs0->local, &srs0->hash) && take_field(&srs0->local, &srs0->stamp) &&
           take_field(&srs0->local, &srs0->domain) &&
           (srs0->domain.len == 0 ? srs0->local.len > 0 : srs_address_is_domain(srs0->domain));
}

struct srs1 {
    struct span hash, host, rest; /* rest: of the SRS0, from its separator on */
};

static bool parse_srs1(struct span local, struct srs1 *srs1)
{
    srs1->rest = behind(local, 5);
    return take_field(&srs1->rest, &srs1->hash) && take_field(&srs1->rest, &srs1->host) &&
           srs_address_is_domain(srs1->host) && srs1->rest.len > 1 && strchr("=+-", srs1->rest.ptr[0]);
}

bool srs_is_address(const char *address)
{
    char start[5];
    size_t len = 0;
    for (; *address && len < sizeof start; address++) { /* as srs_address_split() undoes quoting */
        if (*address == '"')
            continue;
        if (*address == '\\' && address[1])
            address++;
        start[len++] = *address;
    }
    return kind_of((struct span){start, len}) >= 0;
}

/* ---- time ---- */

static int64_t day_of(int64_t now)
{
    int64_t day = now / DAY - (now % DAY < 0);
    return (day % SLOTS + SLOTS) % SLOTS;
}

static int digit_of(char c)
{
    const char *at = strchr(base32, c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    return c && at ? (int)(at - base32) : -1;
}

/* -1 (tomorrow, by a clock ahead of ours) to 1022; false: no time stamp. */
static bool age_of(struct span stamp, int64_t now, int64_t *days)
{
    if (stamp.len != 2 || digit_of(stamp.ptr[0]) < 0 || digit_of(stamp.ptr[1]) < 0)
        return false;
    *days = (day_of(now) - (digit_of(stamp.ptr[0]) * 32 + digit_of(stamp.ptr[1])) + SLOTS) % SLOTS;
    if (*days == SLOTS - 1)
        *days = -1;
    return true;
}

bool srs_codec_age(struct arena *arena, const char *address, int64_t now, int64_t *days)
{
    struct srs_address parts;
    struct srs0 srs0;
    return srs_address_split(arena, address, &parts) && kind_of(parts.local) == 0 && parse_srs0(parts.local, &srs0) &&
           age_of(srs0.stamp, now, days);
}

/* ---- writing ---- */

/* Over what the hash of an SRS0 is. */
static void fields_of(const struct srs0 *srs0, struct span fields[3])
{
    fields[0] = srs0->stamp;
    fields[1] = srs0->domain.len ? srs0->domain : span_of("=");
    fields[2] = srs0->local;
}

/* KIND SEPARATOR HASH "=" FIRST ["=" SECOND ["=" THIRD]] @DOMAIN. */
static enum srs_outcome write_address(const struct srs_codec *codec, struct arena *arena, char kind, const char *hash,
                                      const struct span *fields, size_t count, const char *domain, const char **result)
{
    size_t room = 5 + SRS_HASH_TEXT, local_length;
    for (size_t i = 0; i < count; i++)
        room += 1 + fields[i].len;
    char *local = arena_alloc(arena, room), *end = local + 5 + codec->hash_length;
    memcpy(local, (const char[]){'S', 'R', 'S', kind, codec->separator}, 5);
    memcpy(local + 5, hash, codec->hash_length);
    for (size_t i = 0; i < count; i++) {
        *end++ = '=';
        memcpy(end, fields[i].ptr, fields[i].len);
        end += fields[i].len;
    }
    const struct srs_address parts = {{local, (size_t)(end - local)}, span_of(domain)};
    *result = srs_address_join(arena, &parts, &local_length);
    return local_length > SRS_LOCAL_MAX || strlen(*result) > SRS_PATH_MAX ? SRS_TOO_LONG : SRS_OK;
}

static enum srs_outcome write_srs0(const struct srs_codec *codec, struct arena *arena, const struct srs_address *parts,
                                   const char *domain, int64_t now, const char **result)
{
    int64_t day = day_of(now);
    char hash[SRS_HASH_TEXT + 1];
    const char stamp[2] = {base32[day / 32], base32[day % 32]};
    const struct srs0 srs0 = {.stamp = {stamp, 2}, .domain = parts->domain, .local = parts->local};
    struct span fields[3];
    fields_of(&srs0, fields);
    srs_hash_text(codec->secrets[0], fields, 3, hash);
    fields[1] = srs0.domain;
    return write_address(codec, arena, '0', hash, fields, 3, domain, result);
}

static enum srs_outcome write_srs1(const struct srs_codec *codec, struct arena *arena, struct span host,
                                   struct span rest, const char *domain, const char **result)
{
    char hash[SRS_HASH_TEXT + 1];
    const struct span fields[] = {host, rest};
    srs_hash_text(codec->secrets[0], fields, 2, hash);
    return write_address(codec, arena, '1', hash, fields, 2, domain, result);
}

enum srs_outcome srs_codec_forward(const struct srs_codec *codec, struct arena *arena, const char *address,
                                   const char *domain, int64_t now, const char **result)
{
    struct srs_address parts;
    struct srs1 srs1;
    *result = NULL;
    if (!srs_address_split(arena, address, &parts) || !srs_address_is_domain(span_of(domain)))
        return SRS_NONE;
    int kind = kind_of(parts.local);
    if (kind == 1 && parse_srs1(parts.local, &srs1))
        return write_srs1(codec, arena, srs1.host, srs1.rest, domain, result);
    if (kind == 0 && parts.local.len > 5)
        return write_srs1(codec, arena, parts.domain, behind(parts.local, 4), domain, result);
    return write_srs0(codec, arena, &parts, domain, now, result);
}

enum srs_outcome srs_codec_make_token(const struct srs_codec *codec, struct arena *arena, const char *address,
                                      char token[SRS_TOKEN_LENGTH + 1])
{
    struct srs_address parts;
    unsigned char bytes[SRS_HASH_BYTES];
    if (!srs_address_split(arena, address, &parts))
        return SRS_NONE;
    /* Case counts here, as it may in a local part; the first field keeps these hashes apart from those of addresses. */
    const struct span fields[] = {span_of("token\n"), parts.domain, span_of("\n"), parts.local};
    srs_hash_bytes(codec->secrets[0], fields, 4, false, bytes);
    for (size_t i = 0; i < SRS_TOKEN_LENGTH; i++) { /* 5 bits each */
        size_t bit = i * 5;
        unsigned value = (unsigned)bytes[bit / 8] << 8 | bytes[bit / 8 + 1];
        char digit = base32[value >> (11 - bit % 8) & 31];
        token[i] = digit >= 'A' ? (char)(digit - 'A' + 'a') : digit;
    }
    token[SRS_TOKEN_LENGTH] = '\0';
    return SRS_OK;
}

enum srs_outcome srs_codec_forward_token(const struct srs_codec *codec, struct arena *arena, const char *token,
                                         const char *domain, int64_t now, const char **result)
{
    const struct srs_address parts = {span_of(token), {"", 0}};
    *result = NULL;
    return srs_address_is_domain(span_of(domain)) ? write_srs0(codec, arena, &parts, domain, now, result) : SRS_NONE;
}

/* ---- reading ---- */

static bool is_genuine(const struct srs_codec *codec, struct span hash, const struct span *fields, size_t count)
{
    bool matches = false;
    if (hash.len < codec->hash_minimum)
        return false;
    for (size_t i = 0; i < codec->secret_count && !matches; i++)
        matches = srs_hash_matches(codec->secrets[i], fields, count, hash);
    return matches;
}

static enum srs_outcome read_srs0(const struct srs_codec *codec, struct arena *arena, const struct srs0 *srs0,
                                  int64_t now, const char **result)
{
    struct span fields[3];
    int64_t age;
    if (!age_of(srs0->stamp, now, &age))
        return SRS_MALFORMED;
    fields_of(srs0, fields);
    if (!is_genuine(codec, srs0->hash, fields, 3))
        return SRS_FORGED;
    if (age > codec->max_age)
        return SRS_EXPIRED;
    if (srs0->domain.len) {
        const struct srs_address parts = {srs0->local, srs0->domain};
        *result = srs_address_join(arena, &parts, NULL);
        return SRS_OK;
    }
    char *token = arena_spandup(arena, srs0->local);
    for (char *c = token; *c; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
    *result = token;
    return SRS_UNKNOWN;
}

static enum srs_outcome read_srs1(const struct srs_codec *codec, struct arena *arena, const struct srs1 *srs1,
                                  const char **result)
{
    if (!is_genuine(codec, srs1->hash, (const struct span[]){srs1->host, srs1->rest}, 2))
        return SRS_FORGED;
    char *local = arena_alloc(arena, 4 + srs1->rest.len);
    memcpy(local, "SRS0", 4);
    memcpy(local + 4, srs1->rest.ptr, srs1->rest.len);
    const struct srs_address parts = {{local, 4 + srs1->rest.len}, srs1->host};
    *result = srs_address_join(arena, &parts, NULL);
    return SRS_OK;
}

enum srs_outcome srs_codec_reverse(const struct srs_codec *codec, struct arena *arena, const char *address, int64_t now,
                                   const char **result)
{
    struct srs_address parts;
    struct srs0 srs0;
    struct srs1 srs1;
    *result = NULL;
    if (!srs_is_address(address))
        return SRS_NONE;
    if (!srs_address_split(arena, address, &parts))
        return SRS_MALFORMED;
    int kind = kind_of(parts.local);
    if (kind == 0 && parse_srs0(parts.local, &srs0))
        return read_srs0(codec, arena, &srs0, now, result);
    if (kind == 1 && parse_srs1(parts.local, &srs1))
        return read_srs1(codec, arena, &srs1, result);
    return SRS_MALFORMED;
}
