/*
 * Any bytes as an SPF record, as the text behind exp=, as the sender's local part and as a Received field: no crash, no
 * leak, an offset within the text for each fault, a name within its limit, and an evaluation that ends within its own.
 */
#include "auth/received.h"
#include "auth/sender.h"
#include "auth/sender_macro.h"
#include "auth/sender_record.h"
#include "util/clock.h"
#include <stdlib.h>

static void check_parser(struct arena *arena, struct span text)
{
    struct sender_record record;
    struct sender_fault fault;
    if (sender_record_parse(arena, text, &record, &fault) != 0 && (!fault.what || fault.at > text.len))
        abort();
    for (enum sender_macro_kind kind = SENDER_MACRO_DOMAIN; kind <= SENDER_MACRO_TEXT; kind++) {
        size_t at = 0;
        struct sender_macro_values values = {.local = "a-b", .origin = "x.example", .domain = "y.example",
                                             .helo = "h.example", .receiver = "r", .client = {.family = AF_INET6}};
        if (sender_macro_check(text, kind, &at) != NULL) {
            if (at > text.len)
                abort();
            continue;
        }
        const char *expanded = sender_macro_expand(arena, arena_spandup(arena, text), kind, &values);
        if (kind == SENDER_MACRO_DOMAIN && strlen(expanded) > 253 && strchr(expanded, '.'))
            abort();
    }
}

/* The text as the record of a domain, included by itself if it says so; its second half is the explanation. */
static void check_evaluation(struct arena *arena, const char *text, const char *local)
{
    const struct dns_fake_row rows[] = {{"x.example", DNS_TXT, DNS_ANSWER, text},
                                        {"x.example", DNS_A, DNS_ANSWER, "192.0.2.1"},
                                        {"x.example", DNS_MX, DNS_ANSWER, "10 x.example"},
                                        {"9.2.0.192.in-addr.arpa", DNS_PTR, DNS_ANSWER, "x.example"},
                                        {"e.example", DNS_TXT, DNS_ANSWER, local}};
    struct dns *dns = dns_create_fake(rows, sizeof rows / sizeof *rows);
    for (enum sender_engine engine = SENDER_BUILTIN; engine <= SENDER_LIBSPF2; engine++) {
        struct dns_budget budget = {clock_monotonic_us() + 100000000, 100000000, 1000};
        struct sender_query query = {.dns = dns, .budget = &budget, .arena = arena, .helo = local, .local = local,
                                     .domain = "x.example", .receiver = "r", .void_limit = 2};
        struct sender_answer answer;
        netaddr_parse("192.0.2.9", &query.client);
        sender_check(engine, &query, &answer);
        if (answer.lookups > SENDER_LOOKUPS_MAX)
            abort();
        for (const char *p = answer.explanation; p && *p; p++)
            if (*p < 0x20 || *p > 0x7e)
                abort();
    }
    dns_destroy(dns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create(4096);
    char *bytes = malloc(size + 1); /* exactly as long as it is, so that a step past the end is seen */
    if (!bytes)
        abort();
    memcpy(bytes, data, size);
    struct span text = {bytes, size};
    struct netaddr client;
    const char *helo;
    check_parser(arena, text);
    received_parse(arena, text, &client, &helo);
    const char *whole = arena_spandup(arena, text);
    check_evaluation(arena, whole, whole + strlen(whole) / 2);
    check_evaluation(arena, arena_printf(arena, "v=spf1 -all exp=e.example"), whole);
    free(bytes);
    arena_destroy(arena);
    return 0;
}
