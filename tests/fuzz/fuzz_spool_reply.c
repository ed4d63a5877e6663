/*
 * What an MTA may say, in pieces of any size: no crash, no reply past its bound, and the same reply however it was cut.
 * And content of any bytes: stuffed in pieces it is the same, no line of it is a single dot, and no CR or LF stands
 * alone.
 */
#include "spool/spool_reply.h"
#include "spool/spool_stuff.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t feed(struct spool_reply *reply, const char *bytes, size_t size, size_t step)
{
    size_t used = 0;
    spool_reply_begin(reply);
    while (used < size && reply->state == SPOOL_REPLY_MORE)
        used += spool_reply_feed(reply, (struct span){bytes + used, size - used < step ? size - used : step});
    return used;
}

static void try_replies(const char *bytes, size_t size, size_t step)
{
    struct spool_reply whole, pieces;
    char text[64];
    size_t used = feed(&whole, bytes, size, size + 1);
    if (feed(&pieces, bytes, size, step) != used || pieces.state != whole.state || pieces.len != whole.len ||
        memcmp(pieces.lines, whole.lines, whole.len) != 0 || whole.len > SPOOL_REPLY_MAX)
        abort();
    if (whole.state == SPOOL_REPLY_DONE && (whole.code < 200 || whole.code > 599))
        abort();
    spool_reply_text(&whole, text, sizeof text);
    for (const char *p = text; *p; p++) {
        if (*p < 0x20 || *p > 0x7e)
            abort();
    }
    struct spool_offers offers = spool_reply_offers(&whole);
    if (offers.dsn != spool_reply_offers_keyword(&whole, span_of("dsn")))
        abort();
}

static void stuff_in(const char *bytes, size_t size, size_t step, struct strbuf *out)
{
    struct spool_stuff stuff = {0};
    strbuf_init(out, 0);
    for (size_t at = 0; at < size; at += step)
        spool_stuff_add(&stuff, (struct span){bytes + at, size - at < step ? size - at : step}, out);
    spool_stuff_end(&stuff, out);
}

static void try_stuffing(const char *bytes, size_t size, size_t step)
{
    struct strbuf whole, pieces;
    stuff_in(bytes, size, size + 1, &whole);
    stuff_in(bytes, size, step, &pieces);
    if (whole.len != pieces.len || (whole.len && memcmp(whole.ptr, pieces.ptr, whole.len) != 0))
        abort();
    const char *p = strbuf_text(&whole);
    for (size_t i = 0; i < whole.len; i++) {
        if ((p[i] == '\r') != (i + 1 < whole.len && p[i + 1] == '\n'))
            abort();
        bool begins = i == 0 || p[i - 1] == '\n';
        if (begins && p[i] == '.' && p[i + 1] != '.')
            abort();
    }
    if (whole.len > 3 * size + 2)
        abort();
    strbuf_free(&pieces);
    strbuf_free(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1); /* of exactly that size */
    memcpy(copy, data, size);
    size_t step = size ? data[0] % 7 + 1 : 1;
    try_replies(copy, size, step);
    try_stuffing(copy, size, step);
    free(copy);
    return 0;
}
