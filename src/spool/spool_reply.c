/*
 * spool_reply - one buffer of fixed size, filled byte by byte.
 *
 * Strict where leniency would make two replies of one: each line begins with the same three digits, and only a space or
 * the end of the line behind them ends the reply. Lenient in that LF alone ends a line.
 */
#include "spool/spool_reply.h"
#include <stdio.h>

void spool_reply_begin(struct spool_reply *reply)
{
    reply->state = SPOOL_REPLY_MORE;
    reply->code = 0;
    reply->len = reply->line = 0;
}

static int code_of(const char *line, size_t len)
{
    if (len < 3 || line[0] < '2' || line[0] > '5')
        return -1;
    for (int i = 1; i < 3; i++) {
        if (line[i] < '0' || line[i] > '9')
            return -1;
    }
    return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

static void end_line(struct spool_reply *reply)
{
    if (reply->len > reply->line && reply->lines[reply->len - 1] == '\r')
        reply->len--;
    const char *line = reply->lines + reply->line;
    size_t len = reply->len - reply->line;
    int code = code_of(line, len);
    char separator = len > 3 ? line[3] : ' ';
    if (code < 0 || (reply->code && reply->code != code) || (separator != ' ' && separator != '-')) {
        reply->state = SPOOL_REPLY_GARBAGE;
        return;
    }
    reply->code = code;
    reply->lines[reply->len++] = '\n'; /* there is room: the CR or what the caller left */
    reply->line = reply->len;
    if (separator == ' ')
        reply->state = SPOOL_REPLY_DONE;
}

size_t spool_reply_feed(struct spool_reply *reply, struct span bytes)
{
    size_t used = 0;
    while (used < bytes.len && reply->state == SPOOL_REPLY_MORE) {
        char c = bytes.ptr[used++];
        if (reply->len >= SPOOL_REPLY_MAX - 1) /* one place stays free for the LF */
            reply->state = SPOOL_REPLY_GARBAGE;
        else if (c == '\n')
            end_line(reply);
        else
            reply->lines[reply->len++] = c;
    }
    return used;
}

void spool_reply_text(const struct spool_reply *reply, char *text, size_t size)
{
    size_t n = 0, end = reply->len;
    while (end > 0 && reply->lines[end - 1] == '\n')
        end--;
    for (size_t i = 0; i < end && n + 4 < size; i++) {
        char c = reply->lines[i];
        if (c == '\n') {
            memcpy(text + n, " / ", 3);
            n += 3;
            i += end - i > 4 ? 4 : 0; /* the code is there already */
        } else {
            text[n++] = c >= 0x20 && c <= 0x7e ? c : '?';
        }
    }
    if (size > 0)
        text[n] = '\0';
}

/* The text of the next line behind its code; false at the end. *AT begins with 0. */
static bool next_line(const struct spool_reply *reply, size_t *at, struct span *line)
{
    const char *end = *at < reply->len ? memchr(reply->lines + *at, '\n', reply->len - *at) : NULL;
    if (!end)
        return false;
    *line = (struct span){reply->lines + *at, (size_t)(end - reply->lines) - *at};
    *at = (size_t)(end - reply->lines) + 1;
    size_t skip = line->len < 4 ? line->len : 4;
    line->ptr += skip;
    line->len -= skip;
    return true;
}

static struct span first_word(struct span line)
{
    size_t n = 0;
    while (n < line.len && line.ptr[n] != ' ')
        n++;
    return (struct span){line.ptr, n};
}

static uint64_t number_of(struct span text)
{
    uint64_t number = 0;
    text = span_trim(text);
    for (size_t i = 0; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9' && i < 18; i++)
        number = number * 10 + (uint64_t)(text.ptr[i] - '0');
    return number;
}

struct spool_offers spool_reply_offers(const struct spool_reply *reply)
{
    struct spool_offers offers = {0};
    struct span line;
    size_t at = 0;
    next_line(reply, &at, &line); /* the server's name */
    while (next_line(reply, &at, &line)) {
        struct span word = first_word(line);
        if (span_equals_nocase(word, "DSN"))
            offers.dsn = true;
        else if (span_equals_nocase(word, "SMTPUTF8"))
            offers.smtputf8 = true;
        else if (span_equals_nocase(word, "8BITMIME"))
            offers.eightbit = true;
        else if (span_equals_nocase(word, "SIZE")) {
            offers.size = true;
            offers.size_limit = number_of((struct span){line.ptr + word.len, line.len - word.len});
        }
    }
    return offers;
}

bool spool_reply_offers_keyword(const struct spool_reply *reply, struct span keyword)
{
    struct span line;
    size_t at = 0;
    next_line(reply, &at, &line);
    while (next_line(reply, &at, &line)) {
        struct span word = first_word(line);
        if (word.len == keyword.len && strncasecmp(word.ptr, keyword.ptr, word.len) == 0)
            return true;
    }
    return false;
}
