/*
 * rdata - a record as it stands in an answer (RFC 1035 3.3, 3.4), uncompressed, made a struct dns_record.
 *
 * A label may hold any byte, and names in text must not become other names by that: a dot or NUL inside a label is
 * written '?', so that the name it makes exists nowhere.
 */
#include "dns/backend.h"
#include <ctype.h>

/* The name at WIRE, which must end where the bytes do. NULL: malformed. */
static const char *parse_name(struct arena *arena, const unsigned char *wire, size_t len)
{
    char text[NAME_MAX_OCTETS + 2];
    size_t used = 0, at = 0;
    while (at < len && wire[at]) {
        size_t label = wire[at++];
        if (label > LABEL_MAX_OCTETS || label > len - at || used + label + 1 > sizeof text)
            return NULL;
        for (size_t i = 0; i < label; i++) {
            unsigned char c = wire[at++];
            text[used++] = c == '.' || c == '\0' ? '?' : (char)tolower(c);
        }
        text[used++] = '.';
    }
    if (at + 1 != len)
        return NULL;
    return arena_spandup(arena, (struct span){text, used ? used - 1 : 0});
}

/* The character-strings joined without anything between them (RFC 7208 3.3, RFC 6376 3.6.2.2). */
static int parse_text(struct arena *arena, const unsigned char *rdata, size_t len, struct span *text)
{
    char *joined = arena_alloc(arena, len + 1);
    size_t used = 0;
    for (size_t at = 0; at < len;) {
        size_t string = rdata[at++];
        if (string > len - at)
            return -1;
        memcpy(joined + used, rdata + at, string);
        used += string;
        at += string;
    }
    *text = (struct span){joined, used};
    return 0;
}

static int parse_address(int family, size_t size, const unsigned char *rdata, size_t len, struct netaddr *addr)
{
    if (len != size)
        return -1;
    addr->family = family;
    memcpy(addr->bytes, rdata, size);
    return 0;
}

int rdata_parse(struct arena *arena, enum dns_type type, const unsigned char *rdata, size_t len,
                struct dns_record *record)
{
    *record = (struct dns_record){.addr.family = AF_UNSPEC};
    switch (type) {
    case DNS_A:
        return parse_address(AF_INET, 4, rdata, len, &record->addr);
    case DNS_AAAA:
        return parse_address(AF_INET6, 16, rdata, len, &record->addr);
    case DNS_TXT:
        return parse_text(arena, rdata, len, &record->text);
    case DNS_MX:
        if (len < 3)
            return -1;
        record->preference = (unsigned)rdata[0] << 8 | rdata[1];
        record->name = parse_name(arena, rdata + 2, len - 2);
        return record->name ? 0 : -1;
    case DNS_CNAME:
    case DNS_PTR:
        record->name = parse_name(arena, rdata, len);
        return record->name ? 0 : -1;
    }
    return -1;
}

void rdata_parse_all(struct arena *arena, enum dns_type type, char *const *data, const int *lengths,
                     struct dns_answer *answer)
{
    size_t count = 0;
    while (data[count])
        count++;
    answer->records = ARENA_ARRAY(arena, struct dns_record, count);
    for (size_t i = 0; i < count; i++) {
        if (rdata_parse(arena, type, (const unsigned char *)data[i], (size_t)lengths[i], &answer->records[i]) != 0) {
            *answer = (struct dns_answer){.outcome = DNS_SERVFAIL};
            return;
        }
        answer->count++;
    }
}
