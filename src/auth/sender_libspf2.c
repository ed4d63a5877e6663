/*
 * sender_libspf2 - the engine libspf2 behind the interface of our own, on a short leash.
 *
 * libspf2 1.2.10 lacks the fix for CVE-2023-42118, does not count void look-ups and asks for type 99. So each
 * evaluation has a libspf2 server of its own over a DNS layer of ours, which
 *   - answers type 99 with "no data" and asks dns.h for all else, within the budget of the message;
 *   - hands over a TXT record only if it claims to be SPF, our parser takes it, and it is the only one of its name:
 *     what libspf2 compiles has been read before. It never sees the text of an explanation: there are sound ones that
 *     make it abort (tests/fuzz/corpus/spf), and the builtin engine finds it anyway;
 *   - counts void look-ups, and remembers whatever makes the result permerror or temperror no matter what libspf2 says.
 * Loopback clients, which libspf2 passes without a look at the record, are evaluated by the builtin engine.
 *
 * libspf2 calls abort() when it runs out of memory (SPF_error in spf_log.c); a handler cannot prevent that. The worker
 * then ends like after any crash: posternd starts another one and the MTA answers 4xx.
 *
 * What this does not do: repair libspf2's deviations from RFC 7208 (a prefix length of /0, its own way to count
 * look-ups); docs/man/postern.conf.5 says how it fares.
 */
#include "auth/sender_eval.h"
#include "util/clock.h"
#include "util/domain.h"
#include "util/log.h"
#include <arpa/nameser.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* libspf2's headers want these in front of them. */
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>

#include <spf2/spf.h>

struct leash {
    SPF_dns_server_t layer;
    const struct sender_query *query;
    struct sender_answer *answer;
    enum auth_result forced; /* AUTH_NONE: libspf2 decides */
    const char *reason;
};

static void force(struct leash *leash, enum auth_result result, const char *reason)
{
    if (leash->forced == AUTH_NONE) {
        leash->forced = result;
        leash->reason = reason;
    }
}

static SPF_dns_rr_t *reply(struct leash *leash, const char *name, ns_type type, int status)
{
    SPF_dns_rr_t *rr = SPF_dns_rr_new_init(&leash->layer, name, type, 0, status);
    if (!rr)
        abort(); /* its callers would use the null pointer */
    return rr;
}

/* BYTES and a NUL as record number I of RR. */
static void put(SPF_dns_rr_t *rr, const void *bytes, size_t len)
{
    int i = rr->num_rr++;
    if (SPF_dns_rr_buf_realloc(rr, i, len + 1) != SPF_E_SUCCESS)
        abort();
    char *to = (char *)rr->rr[i];
    memcpy(to, bytes, len);
    to[len] = '\0';
}

/* Which of the TXT records of NAME libspf2 may see. */
static void put_texts(struct leash *leash, SPF_dns_rr_t *rr, const char *name, const struct dns_answer *answer)
{
    struct arena *arena = leash->query->arena;
    size_t records = 0;
    for (size_t i = 0; i < answer->count; i++)
        records += sender_record_is(answer->records[i].text);
    if (records > 1)
        force(leash, AUTH_PERMERROR, arena_printf(arena, "%s has %zu SPF records", name, records));
    for (size_t i = 0; i < answer->count && records <= 1; i++) {
        struct span text = answer->records[i].text;
        struct sender_record record;
        struct sender_fault fault;
        if (!sender_record_is(text))
            continue;
        if (sender_record_parse(arena, text, &record, &fault) == 0)
            put(rr, text.ptr, text.len);
        else
            force(leash, AUTH_PERMERROR,
                  arena_printf(arena, "record of %s, at octet %zu: %s", name, fault.at, fault.what));
    }
}

static int status_of(struct leash *leash, const char *name, ns_type type, const struct dns_answer *answer)
{
    if (sender_is_error(answer->outcome)) {
        if (type == ns_t_ptr) /* `ptr` does not match then (RFC 7208 5.5); libspf2 would make it a temperror */
            return HOST_NOT_FOUND;
        leash->reason = arena_printf(leash->query->arena, "%s: %s", name, dns_outcome_name(answer->outcome));
        return TRY_AGAIN;
    }
    if (answer->outcome == DNS_ANSWER)
        return NETDB_SUCCESS;
    if (type != ns_t_txt && ++leash->answer->void_lookups > leash->query->void_limit)
        force(leash, AUTH_PERMERROR, "too many look-ups without an answer");
    return answer->outcome == DNS_NXDOMAIN ? HOST_NOT_FOUND : NO_DATA;
}

/* The client's reverse zone is the client's own: it has half of the time, as in sender_mechanism.c. */
static const struct dns_answer *ask(const struct sender_query *query, const char *name, enum dns_type type)
{
    struct dns_budget part = *query->budget;
    if (type == DNS_PTR)
        part.deadline_us -= (part.deadline_us - clock_monotonic_us()) / 2;
    const struct dns_answer *answer = dns_query(query->dns, &part, query->arena, name, type);
    query->budget->queries_left = part.queries_left;
    return answer;
}

static SPF_dns_rr_t *on_lookup(SPF_dns_server_t *layer, const char *domain, ns_type type, int should_cache)
{
    struct leash *leash = layer->hook;
    char name[DOMAIN_MAX + 2];
    (void)should_cache;
    size_t len = strnlen(domain, sizeof name);
    if (len > 0 && len < sizeof name && domain[len - 1] == '.')
        len--;
    bool is_known = type == ns_t_a || type == ns_t_aaaa || type == ns_t_mx || type == ns_t_ptr || type == ns_t_txt;
    if (!is_known || len == 0 || len > DOMAIN_MAX)
        return reply(leash, domain, type, is_known ? HOST_NOT_FOUND : NO_DATA);
    memcpy(name, domain, len);
    name[len] = '\0';
    if (!sender_is_askable(name))
        return reply(leash, domain, type, HOST_NOT_FOUND);
    const struct dns_answer *answer = ask(leash->query, name, (enum dns_type)type);
    SPF_dns_rr_t *rr = reply(leash, domain, type, status_of(leash, name, type, answer));
    if (answer->outcome == DNS_ANSWER && type == ns_t_txt)
        put_texts(leash, rr, name, answer);
    for (size_t i = 0; i < answer->count && type != ns_t_txt; i++) {
        const struct dns_record *record = &answer->records[i];
        if (type == ns_t_a || type == ns_t_aaaa)
            put(rr, record->addr.bytes, type == ns_t_a ? 4 : 16);
        else
            put(rr, record->name, strlen(record->name));
    }
    if (answer->outcome == DNS_ANSWER && rr->num_rr == 0)
        rr->herrno = NO_DATA;
    return rr;
}

/* There are texts on which libspf2 aborts, SPF records behind exp= among them: it gets none. */
static SPF_errcode_t no_explanation(SPF_server_t *server, const char *domain, char **text, size_t *len)
{
    (void)server;
    (void)domain;
    (void)text;
    (void)len;
    return SPF_E_NOT_SPF;
}

/* libspf2 does not expect to be returned to. */
static void __attribute__((noreturn)) end_worker(const char *file, int line, const char *text)
{
    log_text(LEVEL_ERROR, "libspf2 gives up: %s:%d: %s", file, line, text);
    abort();
}

/* Its messages quote what strangers wrote; the reasons we give are our own. */
static void ignore_message(const char *file, int line, const char *text)
{
    (void)file;
    (void)line;
    (void)text;
}

static void set_handlers(void)
{
    SPF_error_handler = end_worker;
    SPF_warning_handler = ignore_message;
    SPF_info_handler = ignore_message;
    SPF_debug_handler = ignore_message;
}

static enum auth_result result_of(SPF_response_t *response)
{
    switch (SPF_response_result(response)) {
    case SPF_RESULT_NEUTRAL:
        return AUTH_NEUTRAL;
    case SPF_RESULT_PASS:
        return AUTH_PASS;
    case SPF_RESULT_FAIL:
        return AUTH_FAIL;
    case SPF_RESULT_SOFTFAIL:
        return AUTH_SOFTFAIL;
    case SPF_RESULT_NONE:
        return AUTH_NONE;
    case SPF_RESULT_TEMPERROR:
        return AUTH_TEMPERROR;
    default: /* INVALID is how it calls some permanent errors */
        return AUTH_PERMERROR;
    }
}

static void run(struct leash *leash, SPF_server_t *server, SPF_request_t *request)
{
    const struct sender_query *query = leash->query;
    SPF_response_t *response = NULL;
    if (query->client.family == AF_INET) {
        struct in_addr in;
        memcpy(&in, query->client.bytes, sizeof in);
        SPF_request_set_ipv4(request, in);
    } else {
        struct in6_addr in6;
        memcpy(&in6, query->client.bytes, sizeof in6);
        SPF_request_set_ipv6(request, in6);
    }
    SPF_server_set_rec_dom(server, query->receiver);
    /* HELO first: MAIL FROM is built from it when it is empty. */
    SPF_request_set_helo_dom(request, query->helo);
    SPF_request_set_env_from(request, arena_printf(query->arena, "%s@%s", query->local, query->domain));
    SPF_request_query_mailfrom(request, &response);
    leash->answer->result = response ? result_of(response) : AUTH_TEMPERROR;
    if (response)
        SPF_response_free(response);
}

/* libspf2 spoils explanations (a blank becomes '%') or dies of them: the builtin engine finds the text, out of the
 * resolver's cache. It also knows which term it was. */
static void explain(const struct sender_query *query, struct sender_answer *answer)
{
    struct sender_answer other = {.result = AUTH_NONE};
    sender_check_builtin(query, &other);
    if (other.result != AUTH_FAIL)
        return;
    answer->explanation = other.explanation;
    answer->term = other.term;
}

void sender_check_libspf2(const struct sender_query *query, struct sender_answer *answer)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct span text;
    struct sender_record record;
    if (netaddr_is_loopback(&query->client)) {
        sender_check_builtin(query, answer);
        return;
    }
    pthread_once(&once, set_handlers);
    struct leash leash = {.query = query, .answer = answer, .forced = AUTH_NONE};
    const char *reason = NULL;
    enum sender_found found = sender_find(query, query->domain, &text, &record, &reason);
    answer->reason = reason;
    if (found == SENDER_FOUND || found == SENDER_FOUND_MALFORMED)
        answer->record = sender_printable(query->arena, text);
    if (found != SENDER_FOUND) {
        answer->result = found == SENDER_FOUND_NONE    ? AUTH_NONE
                         : found == SENDER_FOUND_ERROR ? AUTH_TEMPERROR
                                                       : AUTH_PERMERROR;
        return;
    }
    leash.layer = (SPF_dns_server_t){.lookup = on_lookup, .get_exp = no_explanation, .name = "postern", .hook = &leash};
    SPF_server_t *server = SPF_server_new_dns(&leash.layer, 0);
    SPF_request_t *request = server ? SPF_request_new(server) : NULL;
    if (!request)
        abort();
    run(&leash, server, request);
    SPF_request_free(request);
    SPF_server_free(server);
    if (leash.forced != AUTH_NONE)
        answer->result = leash.forced;
    else if (answer->result == AUTH_PERMERROR && leash.reason)
        answer->result = AUTH_TEMPERROR; /* it takes an include that gives no answer for one that does not exist */
    if (answer->result == AUTH_FAIL)
        explain(query, answer);
    bool is_fine = answer->result == AUTH_PASS || answer->result == AUTH_NEUTRAL || answer->result == AUTH_NONE;
    if (!is_fine)
        answer->reason = leash.reason ? leash.reason
                                      : arena_printf(query->arena, "libspf2 says %s", auth_result_name(answer->result));
}
