/*
 * A message of any bytes through both engines: no crash, no assert, no step beyond a buffer, and the same results.
 * Since few signatures survive a change, the hashes are compared as well: those that libopendkim has computed with
 * those of our parts. Where libopendkim is known to be wrong (dkim_libopendkim.c), nothing is compared.
 *
 * The first byte of the input says how the body is cut; a field "K: TEXT" is the key record at every name that exists.
 */
#include "auth/dkim_body.h"
#include "auth/dkim_engine.h"
#include "auth/dkim_header.h"
#include "core/engine.h"
#include "core/settings.h"
#include "util/clock.h"
#include "util/log.h"
#include <opendkim/dkim.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char default_key[] =
    "v=DKIM1; k=rsa; "
    "p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/"
    "byYzCNb3W91y3Fut"
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
static const struct verifier_options options[2] = {
    {.engine = VERIFIER_BUILTIN, .max_signatures = 8, .min_key_bits = 1024, .clock_drift = 300},
    {.engine = VERIFIER_LIBOPENDKIM, .max_signatures = 8, .min_key_bits = 1024, .clock_drift = 300}};

static void start(void)
{
    static struct log_options quiet = {"fuzz", LOG_TO_STDERR, LOG_AS_KV, (enum log_level) - 1, 0};
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
    if (stop > begin && stop[-1] == '\r')
        stop--;
    return (struct span){begin, (size_t)(stop - begin)};
}

/* No CR and no LF but in CRLF. */
static bool lines_are_clean(struct span body)
{
    for (size_t i = 0; i < body.len; i++) {
        char next = i + 1 < body.len ? body.ptr[i + 1] : '\0', before = i > 0 ? body.ptr[i - 1] : '\0';
        if ((body.ptr[i] == '\r' && next != '\n') || (body.ptr[i] == '\n' && before != '\r'))
            return false;
    }
    return true;
}

/* Does libopendkim take another tag for b=, or b= for none? */
static bool tags_are_plain(struct span value)
{
    for (size_t i = 1; i < value.len; i++) {
        bool is_blank = strchr(" \t\r\n", value.ptr[i - 1]) != NULL;
        if (value.ptr[i] == '=' &&
            (is_blank || (value.ptr[i - 1] == 'b' && i > 1 && !strchr(" \t\r\n;", value.ptr[i - 2]))))
            return false;
    }
    return true;
}

static bool header_is_plain(const struct message *message)
{
    for (size_t i = 0; i < message->header_count; i++) {
        struct span value = message->headers[i].value;
        if (memchr(value.ptr, '\v', value.len) || memchr(value.ptr, '\f', value.len))
            return false; /* white space to libopendkim */
    }
    return true;
}

static void demand(bool is_true, const char *what)
{
    if (!is_true) {
        fprintf(stderr, "the engines differ: %s\n", what);
        abort();
    }
}

static void compare_hashes(const struct message *message, const struct candidate *candidate, struct span body,
                           bool body_is_fed_whole)
{
    const struct signature *signature = &candidate->signature;
    void *header_of_library = NULL, *body_of_library = NULL;
    size_t header_len = 0, body_len = 0;
    unsigned char header[HEADER_HASH_SIZE];
    if (dkim_sig_gethashes(candidate->handle, &header_of_library, &header_len, &body_of_library, &body_len) !=
        DKIM_STAT_OK)
        return;
    struct field_index fields = field_index_create(message->arena, message, true);
    demand(header_hash(EVP_sha256(), &fields, signature, candidate->field, header), "header not hashed");
    if (tags_are_plain(candidate->field->value) && header_is_plain(message) &&
        !signature_covers(signature, span_of("DKIM-Signature")))
        demand(header_len == sizeof header && memcmp(header, header_of_library, sizeof header) == 0, "header hash");
    struct body_hash *hash = body_hash_create(message->arena, EVP_sha256(), signature->body_is_relaxed);
    body_hash_want(hash, signature->length);
    body_hash_add(hash, body);
    body_hash_end(hash);
    const unsigned char *digest = body_hash_digest(hash, signature->length);
    if (digest && lines_are_clean(body) && (signature->length < 0 || body_is_fed_whole))
        demand(body_len == BODY_HASH_SIZE && memcmp(digest, body_of_library, BODY_HASH_SIZE) == 0, "body hash");
}

static const struct auth_dkim *run(const struct message *message, struct dns *dns, size_t engine, struct span body,
                                   size_t piece)
{
    struct verifier *verifier = verifier_begin(service, &options[engine], message->arena, message, dns);
    for (size_t at = 0; at < body.len; at += piece) {
        struct span cut = {body.ptr + at, body.len - at < piece ? body.len - at : piece};
        verifier_body(verifier, cut);
    }
    const struct auth_dkim *dkim = verifier_finish(verifier, dns, message->dns_budget);
    for (size_t i = 0; engine == 1 && i < dkim->count; i++) {
        if (dkim->signatures[i].result == AUTH_PASS || dkim->signatures[i].result == AUTH_FAIL)
            compare_hashes(message, verifier->chosen[i], body, body.len <= piece);
    }
    return dkim;
}

/* A pass of one engine is a pass of the other, unless the reason is one that libopendkim is known for. */
static void compare_results(const struct message *message, const struct auth_dkim *ours, const struct auth_dkim *its,
                            struct span body, size_t piece)
{
    demand(ours->count == its->count, "number of signatures");
    if (!lines_are_clean(body) || !header_is_plain(message) || body.len > piece)
        return;
    for (size_t i = 0; i < ours->count; i++) {
        const struct auth_dkim_signature *a = &ours->signatures[i], *b = &its->signatures[i];
        demand(strcmp(a->b, b->b) == 0, "order");
        if ((a->result == AUTH_PASS) != (b->result == AUTH_PASS) || a->is_partial != b->is_partial)
            fprintf(stderr, "%s (%s), %s (%s)\n", auth_result_name(a->result), a->reason ? a->reason : "",
                    auth_result_name(b->result), b->reason ? b->reason : "");
        demand((a->result == AUTH_PASS) == (b->result == AUTH_PASS), "result");
        demand(a->is_partial == b->is_partial, "is_partial");
    }
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
    struct span body = {p, (size_t)(end - p)};
    const struct auth_dkim *ours = run(message, dns, 0, body, piece), *its = run(message, dns, 1, body, piece);
    compare_results(message, ours, its, body, piece);
    dns_destroy(dns);
    message_end(&message);
    session_destroy(session);
    return 0;
}
