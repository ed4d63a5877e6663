/*
 * dkim_body - long runs of bytes that are canonical as they came are found first, and hashed from where they lie.
 *
 * Both canonicalizations drop the empty lines at the end, so a CRLF is not hashed before something follows it; how many
 * wait is a number. In relaxed also a blank waits (for anything but CRLF), in both a CR (for LF): blanks, then space,
 * then CR is their order in the body, and no other order can be.
 *
 * A run of relaxed goes on over single blanks between words and over CRLFs between lines that are not empty: a body in
 * base64 is one run. skip_plain() looks at eight bytes at once. Short runs are gathered in a buffer, because every call
 * of libcrypto costs as much as hashing some hundred bytes.
 */
#include "auth/dkim_body.h"
#include <endian.h>
#include <stdlib.h>

#define BUFFER 16384
#define DIRECT 2048 /* octets of a run that is not copied */

struct wanted {
    int64_t length;
    unsigned char digest[BODY_HASH_SIZE];
    bool is_known;
};

struct body_hash {
    struct arena *arena;
    bool is_relaxed, is_broken;
    EVP_MD_CTX *running, *snapshot; /* NULL: nothing is hashed */
    struct wanted wanted[BODY_HASHES_MAX];
    size_t wanted_count, wanted_next; /* in the order of their lengths; the next one that is not known */
    int64_t hashed;                   /* octets, those in the buffer not counted */
    int64_t length;                   /* octets, those in the buffer counted */
    uint64_t blanks;                  /* CRLFs that wait */
    bool space, cr;                   /* and behind them */
    char *buffer;
    size_t buffered;
};

static void free_context(void *context)
{
    EVP_MD_CTX_free(context);
}

static EVP_MD_CTX *context_create(struct arena *arena)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context)
        abort(); /* docs/adr/0002-out-of-memory.md */
    arena_on_destroy(arena, free_context, context);
    return context;
}

struct body_hash *body_hash_create(struct arena *arena, const EVP_MD *sha256, bool is_relaxed)
{
    struct body_hash *hash = ARENA_NEW(arena, struct body_hash);
    hash->arena = arena;
    hash->is_relaxed = is_relaxed;
    if (sha256) {
        hash->running = context_create(arena);
        hash->is_broken = EVP_DigestInit_ex2(hash->running, sha256, NULL) != 1;
    }
    return hash;
}

void body_hash_want(struct body_hash *hash, int64_t length)
{
    size_t at = 0;
    if (length < 0)
        length = INT64_MAX;
    while (at < hash->wanted_count && hash->wanted[at].length < length)
        at++;
    if ((at < hash->wanted_count && hash->wanted[at].length == length) || hash->wanted_count == BODY_HASHES_MAX)
        return;
    memmove(&hash->wanted[at + 1], &hash->wanted[at], (hash->wanted_count - at) * sizeof hash->wanted[at]);
    hash->wanted[at] = (struct wanted){.length = length};
    hash->wanted_count++;
}

/* ---- hashing ---- */

static void finish(struct body_hash *hash, EVP_MD_CTX *context, struct wanted *wanted)
{
    unsigned size = 0;
    wanted->is_known =
        !hash->is_broken && EVP_DigestFinal_ex(context, wanted->digest, &size) == 1 && size == BODY_HASH_SIZE;
}

/* Those wanted of exactly what is hashed by now. */
static void take_snapshots(struct body_hash *hash)
{
    while (hash->wanted_next < hash->wanted_count && hash->wanted[hash->wanted_next].length == hash->hashed) {
        if (!hash->snapshot)
            hash->snapshot = context_create(hash->arena);
        if (EVP_MD_CTX_copy_ex(hash->snapshot, hash->running) != 1)
            hash->is_broken = true;
        finish(hash, hash->snapshot, &hash->wanted[hash->wanted_next++]);
    }
}

static void digest(struct body_hash *hash, const char *bytes, size_t len)
{
    take_snapshots(hash);
    while (len > 0 && hash->wanted_next < hash->wanted_count) {
        int64_t room = hash->wanted[hash->wanted_next].length - hash->hashed;
        size_t take = (int64_t)len < room ? len : (size_t)room;
        if (EVP_DigestUpdate(hash->running, bytes, take) != 1)
            hash->is_broken = true;
        hash->hashed += (int64_t)take;
        bytes += take;
        len -= take;
        take_snapshots(hash);
    }
}

static void drain(struct body_hash *hash)
{
    digest(hash, hash->buffer, hash->buffered);
    hash->buffered = 0;
}

static void emit(struct body_hash *hash, const char *bytes, size_t len)
{
    hash->length += (int64_t)len;
    if (!hash->running || hash->wanted_next == hash->wanted_count)
        return;
    if (hash->buffered + len > BUFFER || len >= DIRECT)
        drain(hash);
    if (len >= DIRECT) {
        digest(hash, bytes, len);
        return;
    }
    if (!hash->buffer)
        hash->buffer = arena_alloc(hash->arena, BUFFER);
    memcpy(hash->buffer + hash->buffered, bytes, len);
    hash->buffered += len;
}

/* What waited turns out to be no end of a line and no end of the body. */
static void emit_waiting(struct body_hash *hash)
{
#define EIGHT "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"
    static const char crlfs[] = EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT;
    while (hash->blanks > 0) {
        size_t take = hash->blanks < (sizeof crlfs - 1) / 2 ? (size_t)hash->blanks : (sizeof crlfs - 1) / 2;
        emit(hash, crlfs, 2 * take);
        hash->blanks -= take;
    }
    if (hash->space)
        emit(hash, " ", 1);
    hash->space = false;
}

/* The CR before C: with it the end of a line, or a character. */
static bool settle_cr(struct body_hash *hash, char c)
{
    hash->cr = false;
    if (c == '\n') {
        hash->blanks++;
        hash->space = false;
        return true;
    }
    emit_waiting(hash);
    emit(hash, "\r", 1);
    return false;
}

/* ---- simple ---- */

static void add_simple(struct body_hash *hash, const char *p, const char *end)
{
    uint64_t blanks = 0;
    if (hash->cr && settle_cr(hash, *p))
        p++;
    if (p < end && end[-1] == '\r') {
        hash->cr = true;
        end--;
    }
    for (; end - p >= 2 && end[-1] == '\n' && end[-2] == '\r'; end -= 2)
        blanks++;
    if (p < end) {
        emit_waiting(hash);
        emit(hash, p, (size_t)(end - p));
    }
    hash->blanks += blanks;
}

/* ---- relaxed ---- */

static bool is_special(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Which of eight octets is the first below 0x21; 8: none. The subtraction borrows from behind it only, if at all. */
static size_t first_low_octet(const char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    word = le64toh(word);
    uint64_t found = (word - 0x2121212121212121u) & ~word & 0x8080808080808080u;
    return found ? (size_t)__builtin_ctzll(found) / 8 : 8;
}

/* The first of SP, HTAB, CR, or END. */
static const char *skip_plain(const char *p, const char *end)
{
    while (end - p >= 8) {
        size_t plain = first_low_octet(p);
        p += plain;
        if (plain == 8)
            continue;
        if (is_special(*p))
            return p;
        p++;
    }
    while (p < end && !is_special(*p))
        p++;
    return p;
}

/* How far the bytes from P on are canonical as they are. */
static const char *end_of_run(const char *p, const char *end)
{
    for (;;) {
        p = skip_plain(p, end);
        if (end - p >= 2 && *p == ' ' && !is_special(p[1]))
            p += 2;
        else if (end - p >= 3 && *p == '\r' && p[1] == '\n' && !is_special(p[2]))
            p += 3;
        else
            return p;
    }
}

static void add_relaxed(struct body_hash *hash, const char *p, const char *end)
{
    while (p < end) {
        if (hash->cr) {
            if (settle_cr(hash, *p))
                p++;
        } else if (*p == ' ' || *p == '\t') {
            hash->space = true;
            p++;
        } else if (*p == '\r') {
            hash->cr = true;
            p++;
        } else {
            const char *stop = end_of_run(p, end);
            emit_waiting(hash);
            emit(hash, p, (size_t)(stop - p));
            p = stop;
        }
    }
}

/* ---- both ---- */

void body_hash_add(struct body_hash *hash, struct span bytes)
{
    if (bytes.len == 0)
        return;
    if (hash->is_relaxed)
        add_relaxed(hash, bytes.ptr, bytes.ptr + bytes.len);
    else
        add_simple(hash, bytes.ptr, bytes.ptr + bytes.len);
}

void body_hash_end(struct body_hash *hash)
{
    if (hash->cr) {
        emit_waiting(hash);
        emit(hash, "\r", 1);
    }
    if (!hash->is_relaxed || hash->length > 0)
        emit(hash, "\r\n", 2);
    if (!hash->running)
        return;
    drain(hash);
    if (hash->wanted_next < hash->wanted_count && hash->wanted[hash->wanted_count - 1].length == INT64_MAX)
        finish(hash, hash->running, &hash->wanted[hash->wanted_count - 1]);
}

int64_t body_hash_length(const struct body_hash *hash)
{
    return hash->length;
}

const unsigned char *body_hash_digest(const struct body_hash *hash, int64_t length)
{
    if (length < 0)
        length = INT64_MAX;
    for (size_t i = 0; i < hash->wanted_count; i++) {
        if (hash->wanted[i].length == length && hash->wanted[i].is_known)
            return hash->wanted[i].digest;
    }
    return NULL;
}
