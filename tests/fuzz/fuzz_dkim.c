/*
 * A message of any bytes, given to libopendkim by way of our verifier: no crash, no assert, no step beyond a buffer.
 * The first byte of the input says how the body is cut; a field "K: TEXT" is the key record at every name that exists.
 */
#include "auth/dkim_verify.h"
#include "core/engine.h"
#include "core/settings.h"
#include "util/clock.h"
#include "util/log.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char default_key[] =
    "v=DKIM1; k=rsa; "
    "p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3Fut"
    "ACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";

static struct verifier_service *service;
static struct general_settings general;
static struct message_settings message_settings = {.max_header = 1 << 20};
static struct dns_settings dns_settings = {.timeout = 1000, .message_budget = 1000, .message_queries = 100};
static struct settings settings = {.general = &general, .message = &message_settings, .dns = &dns_settings};
static const struct check reader = {.name = "fuzz"};
static struct check_options check_options = {MODE_ENFORCE, CLASS_OUTSIDE, ON_ERROR_ACCEPT};
static struct plan_entry entry = {.check = &reader, .options = &check_options, .needs = NEEDS_HEADER};
static struct plan plan = {.entries = &entry, .count = 1, .needs = NEEDS_HEADER};
static const struct verifier_options options = {.max_signatures = 8, .min_key_bits = 1024, .clock_drift = 300};

static void start(void)
{
    static struct log_options quiet = {"fuzz", LOG_TO_STDERR, LOG_AS_KV, (enum log_level)-1, 0};
    log_open(&quiet);
    struct arena *forever = arena_create(1024);
    general.trusted_networks = netset_create(forever);
    general.exempt_recipients = strset_create(forever);
    service = verifier_service_create();
}

/* The line at *P, a fold being part of it; NULL at the empty line. */
static struct span next_field(const char **p, const char *end)
{
    const char *begin = *p, *stop = begin;
    for (;;) {
        stop = memchr(stop, '\n', (size_t)(end - stop));
        if (!stop) {
            *p = end;
            return (struct span){begin, (size_t)(end - begin)};
        }
        if (stop + 1 >= end || (stop[1] != ' ' && stop[1] != '\t'))
            break;
        stop++;
    }
    *p = stop + 1;
    return (struct span){begin, (size_t)(stop - begin)};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!service)
        start();
    if (size == 0)
        return 0;
    size_t piece = (size_t)data[0] * 16 + 1;
    const char *p = (const char *)data + 1, *end = (const char *)data + size;
    struct session *session = session_create();
    struct message *message = message_begin(session, &settings, &plan, "<a@b.example>", clock_wall());
    const char *key = default_key;
    struct dns_fake_row rows[16];
    size_t count = 0;
    while (p < end) {
        struct span field = next_field(&p, end);
        const char *colon = memchr(field.ptr, ':', field.len);
        if (!colon)
            break;
        struct span name = {field.ptr, (size_t)(colon - field.ptr)};
        struct span value = {colon + 1, field.len - name.len - 1};
        if (span_equals(name, "K"))
            key = arena_spandup(message->arena, value);
        else
            message_add_header(message, name, value);
    }
    /* Whatever is asked for is there. */
    static const char *const names[] = {"s._domainkey.d.example", "test._domainkey.football.example.com",
                                        "big._domainkey.example.com", "edward._domainkey.example.com"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        rows[count++] = (struct dns_fake_row){names[i], DNS_TXT, DNS_ANSWER, key};
    struct dns *dns = dns_create_fake(rows, count);
    struct verifier *verifier = verifier_begin(service, &options, message->arena, message, dns);
    while (p < end) {
        size_t n = (size_t)(end - p) < piece ? (size_t)(end - p) : piece;
        verifier_body(verifier, (struct span){p, n});
        p += n;
    }
    verifier_finish(verifier, dns, message->dns_budget);
    dns_destroy(dns);
    message_end(&message);
    session_destroy(session);
    return 0;
}
