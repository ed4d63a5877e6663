/*
 * dkim_verify - what is around libopendkim 2.11 so that it is only asked what it answers well.
 *
 * Signatures are chosen before the library sees anything: all are parsed by us (signature.c), those aligned with the
 * From domain come first, well-formed before malformed, and of these max_signatures are reported. A signature that
 * fails our own rules (malformed, SHA-1, expired, key missing or unfit) has its result from us, and the library is
 * told to ignore it. So it processes only signatures and keys that we have read ourselves, in the order of the header:
 * in any other order 2.11 copies a key that is shared by three signatures from the wrong place.
 *
 * What the library gets wrong, and what is done about it here:
 * - A signature whose h= names more fields than the message has writes past an array when every field of the message
 *   is signed: one more field is always fed, under a name that no h= can name.
 * - NUL, bare CR and bare LF in a header field are cut or skipped: such a field is not fed, and a signature that names
 *   it is permerror.
 * - In the relaxed body a bare CR is skipped, so it could be added at will: then relaxed signatures fail.
 * - A body that does not end with CRLF makes all signatures unusable: it gets one (RFC 6376 3.4.3, 3.4.4).
 * - A word without end is kept in memory: a line longer than LINE_LIMIT ends the verification.
 * - A From field above the signed one does not break a signature whose h= names From only once, and it is the one that
 *   many programs show: a signature counts for something only if it covers every From field (RFC 6376 8.15).
 * - l= does not tell whether something was left out: the canonical length is counted here.
 * - It takes signatures with a malformed tag for good if BADSIGHANDLES is set, and no message without a plain From
 *   address if it is not: it is set, and malformed signatures are not fed.
 *
 * It also looks at t= and x= by the clock on the wall, with a day of grace, whatever time the message has: only
 * `posternctl explain --now` can tell the difference.
 *
 * Not done: reporting (r=), ADSP, ATPS, the library's own resolver and its cache.
 */
#include "auth/dkim_verify.h"
#include "auth/body_length.h"
#include "auth/signature.h"
#include "util/domain.h"
#include <ctype.h>
#include <opendkim/dkim.h>
#include <stdlib.h>

#define FOUND_MAX 100           /* DKIM-Signature fields that are looked at */
#define FED_MAX 16              /* more than that, and only the chosen ones are fed: the work grows with their number */
#define LINE_LIMIT (256 * 1024) /* octets of a line of the body */
#define PIECE_MAX 65536
#define B_SHOWN 12 /* characters of b= in the results */

struct verifier_service {
    DKIM_LIB *lib;
    bool knows_ed25519;
};

/* One signature of the message. */
struct candidate {
    struct signature signature;
    const struct header_field *field;
    size_t order;  /* in the header */
    int alignment; /* 2: d= is the From domain, 1: one is below the other, 0: neither */
    bool is_chosen;
    DKIM_SIGINFO *info; /* the library's; NULL if it was not fed */
    struct signature_key key;
    struct auth_dkim_signature result;
    bool is_done; /* the result is known */
};

struct verifier {
    struct verifier_service *service;
    const struct verifier_options *options;
    struct arena *arena;
    DKIM *dkim;                   /* NULL: nothing to verify */
    struct candidate *candidates; /* all, in the order of the header */
    size_t count;
    struct candidate **chosen; /* in the order of the results */
    size_t chosen_count;
    bool counts_length;
    struct body_length length;
    size_t line;  /* octets of the body since the last LF */
    char last[2]; /* the last octets of the body */
    bool has_bare_cr, line_is_too_long;
};

static DKIM_CBSTAT give_key(DKIM *dkim, DKIM_SIGINFO *info, u_char *buffer, size_t size)
{
    const struct verifier *verifier = dkim_get_user_context(dkim);
    for (size_t i = 0; verifier && i < verifier->count; i++) {
        const struct candidate *candidate = &verifier->candidates[i];
        if (candidate->info == info && candidate->key.record && strlen(candidate->key.record) < size) {
            memcpy(buffer, candidate->key.record, strlen(candidate->key.record) + 1);
            return DKIM_CBSTAT_CONTINUE;
        }
    }
    return DKIM_CBSTAT_NOTFOUND; /* never DEFAULT: the library's own resolver is not safe among threads */
}

struct verifier_service *verifier_service_create(void)
{
    struct verifier_service *service = calloc(1, sizeof *service);
    unsigned flags = DKIM_LIBFLAGS_DELAYSIGPROC | DKIM_LIBFLAGS_BADSIGHANDLES;
    uint64_t drift = VERIFIER_DRIFT_MAX; /* the message's time is judged here, with the option */
    if (!service || !(service->lib = dkim_init(NULL, NULL))) {
        free(service);
        return NULL;
    }
    dkim_options(service->lib, DKIM_OP_SETOPT, DKIM_OPTS_FLAGS, &flags, sizeof flags);
    dkim_options(service->lib, DKIM_OP_SETOPT, DKIM_OPTS_CLOCKDRIFT, &drift, sizeof drift);
    dkim_set_key_lookup(service->lib, give_key);
#ifdef DKIM_FEATURE_ED25519
    service->knows_ed25519 = dkim_libfeature(service->lib, DKIM_FEATURE_ED25519);
#endif
    return service;
}

void verifier_service_destroy(struct verifier_service *service)
{
    if (service)
        dkim_close(service->lib);
    free(service);
}

bool verifier_service_knows_ed25519(const struct verifier_service *service)
{
    return service->knows_ed25519;
}

/* ---- choosing ---- */

/* What stands behind each @ of the From fields. Enough to tell which signatures to prefer, and for nothing else. */
static int alignment_of(const struct message *message, const char *domain)
{
    const struct header_field *from;
    int best = 0;
    unsigned looked_at = 0;
    for (size_t n = 0; n < 4 && (from = message_header(message, "From", n)); n++) {
        const char *p = from->value.ptr, *end = p + from->value.len;
        while (looked_at++ < 20 && (p = memchr(p, '@', (size_t)(end - p)))) {
            struct span name = {++p, 0};
            char canonical[DOMAIN_MAX + 1];
            while (p < end && p - name.ptr <= 4 * DOMAIN_MAX && ((unsigned char)*p >= 0x80 || isalnum((unsigned char)*p) || strchr("-._", *p)) && *p)
                p++;
            name.len = (size_t)(p - name.ptr);
            if (domain_canonical(name, canonical) != 0)
                continue;
            if (strcmp(canonical, domain) == 0)
                return 2;
            if (domain_is_within(canonical, domain) || domain_is_within(domain, canonical))
                best = 1;
        }
    }
    return best;
}

static int compare_candidates(const void *a, const void *b)
{
    const struct candidate *x = *(struct candidate *const *)a, *y = *(struct candidate *const *)b;
    if (!x->signature.problem != !y->signature.problem)
        return x->signature.problem ? 1 : -1;
    if (x->alignment != y->alignment)
        return y->alignment - x->alignment;
    return x->order < y->order ? -1 : 1;
}

static void finish_candidate(struct candidate *candidate, enum auth_result result, const char *reason)
{
    candidate->result.result = result;
    candidate->result.reason = reason;
    candidate->is_done = true;
}

static bool value_is_clean(struct span value)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == '\r' && i + 2 < value.len && value.ptr[i + 1] == '\n' &&
            (value.ptr[i + 2] == ' ' || value.ptr[i + 2] == '\t'))
            i++; /* a fold */
        else if (c == '\r' || c == '\n' || c == '\0')
            return false;
    }
    return true;
}

/* What else makes a signature one that is not fed: the library would leave a field of unclean bytes out and its
 * results would be taken for those of another one. */
static void judge_field(struct signature *signature, const struct header_field *field, size_t authors)
{
    size_t covered = 0;
    for (size_t i = 0; i < signature->header_count; i++)
        covered += strcasecmp(signature->headers[i], "From") == 0;
    if (!signature->problem && !value_is_clean(field->value))
        signature->problem = "the signature holds bytes that no field may hold";
    if (!signature->problem && covered < authors)
        signature->problem = "h= does not cover every From field";
}

static void find_candidates(struct verifier *verifier, const struct message *message)
{
    const struct header_field *field;
    size_t total = 0, authors = 0;
    for (size_t i = 0; i < message->header_count; i++)
        authors += span_equals_nocase(span_trim(message->headers[i].name), "From");
    while (total < FOUND_MAX && message_header(message, DKIM_SIGNHEADER, total))
        total++;
    verifier->candidates = ARENA_ARRAY(verifier->arena, struct candidate, total + 1);
    verifier->chosen = ARENA_ARRAY(verifier->arena, struct candidate *, total + 1);
    for (; verifier->count < total; verifier->count++) {
        struct candidate *candidate = &verifier->candidates[verifier->count];
        field = message_header(message, DKIM_SIGNHEADER, verifier->count);
        signature_parse(verifier->arena, field->value, &candidate->signature);
        judge_field(&candidate->signature, field, authors);
        const struct signature *signature = &candidate->signature;
        candidate->field = field;
        candidate->order = verifier->count;
        candidate->alignment = *signature->domain ? alignment_of(message, signature->domain) : 0;
        candidate->result = (struct auth_dkim_signature){
            .domain = signature->domain,
            .selector = signature->selector,
            .identity = signature->identity,
            .algorithm = signature->algorithm,
            .b = arena_spandup(verifier->arena, (struct span){signature->b, strnlen(signature->b, B_SHOWN)})};
        verifier->chosen[verifier->count] = candidate;
    }
    qsort(verifier->chosen, total, sizeof(struct candidate *), compare_candidates);
    verifier->chosen_count = total < verifier->options->max_signatures ? total : verifier->options->max_signatures;
    for (size_t i = 0; i < verifier->chosen_count; i++)
        verifier->chosen[i]->is_chosen = true;
}

/* What can be said without key and body. */
static void judge_early(const struct verifier *verifier, struct candidate *candidate, int64_t now)
{
    const struct signature *signature = &candidate->signature;
    int64_t drift = verifier->options->clock_drift;
    if (signature->problem)
        finish_candidate(candidate, AUTH_PERMERROR, signature->problem);
    else if (signature->code == SIGNATURE_RSA_SHA1)
        finish_candidate(candidate, AUTH_PERMERROR, "SHA-1 is too weak");
    else if (signature->code == SIGNATURE_ED25519_SHA256 && !verifier->service->knows_ed25519)
        finish_candidate(candidate, AUTH_NEUTRAL, "Ed25519 is not supported here");
    else if (signature->expiry >= 0 && now > signature->expiry + drift)
        finish_candidate(candidate, AUTH_PERMERROR, "the signature has expired");
    else if (signature->timestamp >= 0 && signature->timestamp > now + drift)
        finish_candidate(candidate, AUTH_PERMERROR, "the signature is of the future");
}

/* ---- feeding ---- */

static bool name_is_clean(struct span name)
{
    size_t len = name.len;
    while (len > 0 && (name.ptr[len - 1] == ' ' || name.ptr[len - 1] == '\t'))
        len--;
    for (size_t i = 0; i < len; i++) {
        if (name.ptr[i] <= ' ' || name.ptr[i] > '~' || name.ptr[i] == ';' || name.ptr[i] == ':')
            return false;
    }
    return len > 0 && !memchr(name.ptr + len, '\t', name.len - len);
}

static void feed_field(struct verifier *verifier, const struct header_field *field)
{
    size_t len = field->name.len + 1 + field->value.len;
    char *line = malloc(len + 1);
    if (!line)
        abort();
    memcpy(line, field->name.ptr, field->name.len);
    line[field->name.len] = ':';
    memcpy(line + field->name.len + 1, field->value.ptr, field->value.len);
    line[len] = '\0';
    dkim_header(verifier->dkim, (u_char *)line, len);
    free(line);
}

/* A field that cannot be fed makes the signatures that name it useless. */
static void spoil(struct verifier *verifier, const struct header_field *field)
{
    struct span name = span_trim(field->name);
    for (size_t i = 0; i < verifier->chosen_count; i++) { /* the others are in no result, and fields may be 20,000 */
        struct candidate *candidate = verifier->chosen[i];
        if (!candidate->is_done && signature_covers(&candidate->signature, name))
            finish_candidate(candidate, AUTH_PERMERROR, "a signed field holds bytes that no field may hold");
    }
}

static struct candidate *candidate_of(const struct verifier *verifier, const struct header_field *field)
{
    for (size_t i = 0; i < verifier->count; i++) {
        if (verifier->candidates[i].field == field)
            return &verifier->candidates[i];
    }
    return NULL;
}

static bool is_fed(const struct verifier *verifier, const struct candidate *candidate)
{
    return !candidate->signature.problem && (candidate->is_chosen || verifier->count <= FED_MAX);
}

static void feed_header(struct verifier *verifier, const struct message *message)
{
    static const struct header_field pad = {{"not a field", 11}, {" ", 1}};
    feed_field(verifier, &pad);
    for (size_t i = 0; i < message->header_count; i++) {
        const struct header_field *field = &message->headers[i];
        bool is_signature = span_equals_nocase(span_trim(field->name), DKIM_SIGNHEADER);
        const struct candidate *candidate = is_signature ? candidate_of(verifier, field) : NULL;
        if (!name_is_clean(field->name) || !value_is_clean(field->value))
            spoil(verifier, field);
        else if (!is_signature || (candidate && is_fed(verifier, candidate)))
            feed_field(verifier, field);
    }
}

/* The library lists the signatures in the order in which they were fed; b= tells if it left one out. */
static void find_infos(struct verifier *verifier)
{
    DKIM_SIGINFO **infos = NULL;
    int total = 0;
    size_t next = 0;
    if (dkim_getsiglist(verifier->dkim, &infos, &total) != DKIM_STAT_OK)
        total = 0;
    for (int i = 0; i < total; i++) {
        const char *b = (const char *)dkim_sig_gettagvalue(infos[i], false, (u_char *)"b");
        size_t at = next;
        while (at < verifier->count && (!is_fed(verifier, &verifier->candidates[at]) || !b ||
                                        strcmp(verifier->candidates[at].signature.b, b) != 0))
            at++;
        if (at < verifier->count) {
            verifier->candidates[at].info = infos[i];
            next = at + 1;
        }
        if (at == verifier->count || !verifier->candidates[at].is_chosen || verifier->candidates[at].is_done)
            dkim_sig_ignore(infos[i]);
    }
}

static void free_handle(void *dkim)
{
    dkim_free(dkim);
}

static bool any_is_open(const struct verifier *verifier)
{
    for (size_t i = 0; i < verifier->chosen_count; i++) {
        if (!verifier->chosen[i]->is_done)
            return true;
    }
    return false;
}

static void finish_open(struct verifier *verifier, enum auth_result result, const char *reason)
{
    for (size_t i = 0; i < verifier->chosen_count; i++) {
        if (!verifier->chosen[i]->is_done)
            finish_candidate(verifier->chosen[i], result, reason);
    }
}

static void open_handle(struct verifier *verifier, const struct message *message)
{
    DKIM_STAT status;
    verifier->dkim = dkim_verify(verifier->service->lib, (const unsigned char *)"postern", NULL, &status);
    if (!verifier->dkim) {
        finish_open(verifier, AUTH_TEMPERROR, "out of memory");
        return;
    }
    arena_on_destroy(verifier->arena, free_handle, verifier->dkim);
    dkim_set_user_context(verifier->dkim, verifier);
    feed_header(verifier, message);
    status = dkim_eoh(verifier->dkim);
    if (status != DKIM_STAT_OK) {
        const char *text = dkim_geterror(verifier->dkim);
        finish_open(
            verifier, AUTH_PERMERROR,
            arena_printf(verifier->arena, "the header cannot be verified: %s", text ? text : "no reason given"));
        verifier->dkim = NULL;
        return;
    }
    find_infos(verifier);
    for (size_t i = 0; i < verifier->chosen_count; i++) {
        struct candidate *candidate = verifier->chosen[i];
        if (!candidate->is_done && !candidate->info)
            finish_candidate(candidate, AUTH_PERMERROR, "the signature is malformed");
    }
}

static void prefetch_keys(const struct verifier *verifier, struct dns *dns)
{
    for (size_t i = 0; dns && i < verifier->chosen_count; i++) {
        if (!verifier->chosen[i]->is_done)
            dns_prefetch(dns, verifier->chosen[i]->signature.key_name, DNS_TXT);
    }
}

struct verifier *verifier_begin(struct verifier_service *service, const struct verifier_options *options,
                                struct arena *arena, const struct message *message, struct dns *dns)
{
    struct verifier *verifier = ARENA_NEW(arena, struct verifier);
    verifier->service = service;
    verifier->options = options;
    verifier->arena = arena;
    find_candidates(verifier, message);
    for (size_t i = 0; i < verifier->chosen_count; i++) {
        judge_early(verifier, verifier->chosen[i], message->now);
        verifier->counts_length |= verifier->chosen[i]->signature.length >= 0;
    }
    if (!any_is_open(verifier))
        return verifier;
    prefetch_keys(verifier, dns);
    open_handle(verifier, message);
    return verifier;
}

/* ---- the body ---- */

bool verifier_wants_body(const struct verifier *verifier)
{
    return verifier->dkim && !verifier->line_is_too_long && any_is_open(verifier);
}

/* Bare CRs, lines without end, and what the body ends with. */
static void watch(struct verifier *verifier, struct span bytes)
{
    const char *p = bytes.ptr, *end = bytes.ptr + bytes.len, *cr = p;
    if (verifier->last[1] == '\r' && *p != '\n')
        verifier->has_bare_cr = true;
    while (!verifier->has_bare_cr && (cr = memchr(cr, '\r', (size_t)(end - cr)))) {
        if (++cr < end && *cr != '\n')
            verifier->has_bare_cr = true;
    }
    const char *lf = memchr(p, '\n', bytes.len);
    verifier->line += lf ? (size_t)(lf - p) : bytes.len;
    if (verifier->line > LINE_LIMIT)
        verifier->line_is_too_long = true;
    lf = memrchr(p, '\n', bytes.len);
    if (lf)
        verifier->line = (size_t)(end - lf - 1);
    verifier->last[0] = bytes.len > 1 ? end[-2] : verifier->last[1];
    verifier->last[1] = end[-1];
}

void verifier_body(struct verifier *verifier, struct span bytes)
{
    while (bytes.len > 0 && verifier_wants_body(verifier)) {
        struct span piece = {bytes.ptr, bytes.len < PIECE_MAX ? bytes.len : PIECE_MAX};
        watch(verifier, piece);
        if (verifier->line_is_too_long)
            break;
        if (verifier->counts_length)
            body_length_count(&verifier->length, piece);
        dkim_body(verifier->dkim, (u_char *)piece.ptr, piece.len);
        bytes.ptr += piece.len;
        bytes.len -= piece.len;
    }
}

/* ---- the end ---- */

static void read_key(struct verifier *verifier, struct candidate *candidate, const struct dns_answer *answer)
{
    const struct dns_record *record = NULL;
    size_t meant = 0;
    for (size_t i = 0; i < answer->count; i++) {
        if (signature_key_is_meant(answer->records[i].text)) {
            record = record ? record : &answer->records[i];
            meant++;
        }
    }
    if (meant != 1) {
        finish_candidate(candidate, AUTH_PERMERROR, meant ? "several key records" : "no key record");
        return;
    }
    signature_key_parse(verifier->arena, record->text, &candidate->key);
    const struct signature *signature = &candidate->signature;
    if (candidate->key.problem)
        finish_candidate(candidate, AUTH_PERMERROR, candidate->key.problem);
    else if (candidate->key.is_ed25519 != (signature->code == SIGNATURE_ED25519_SHA256))
        finish_candidate(candidate, AUTH_PERMERROR, "the key is of another type than the signature");
    else if (candidate->key.is_strict && signature->is_of_subdomain)
        finish_candidate(candidate, AUTH_PERMERROR, "the key is not for subdomains");
    if (candidate->is_done)
        candidate->key.record = NULL;
}

/* A name is asked for once, however many signatures use it. */
static const struct dns_answer *ask(struct verifier *verifier, size_t number, const struct dns_answer **answers,
                                    struct dns *dns, struct dns_budget *budget)
{
    const char *name = verifier->chosen[number]->signature.key_name;
    for (size_t i = 0; i < number; i++) {
        if (answers[i] && strcmp(verifier->chosen[i]->signature.key_name, name) == 0)
            return answers[i];
    }
    return dns_query(dns, budget, verifier->arena, name, DNS_TXT);
}

static void fetch_keys(struct verifier *verifier, struct dns *dns, struct dns_budget *budget)
{
    const struct dns_answer *answers[VERIFIER_SIGNATURES_MAX] = {NULL};
    for (size_t i = 0; i < verifier->chosen_count && i < VERIFIER_SIGNATURES_MAX; i++) {
        struct candidate *candidate = verifier->chosen[i];
        if (candidate->is_done)
            continue;
        if (!dns) {
            finish_candidate(candidate, AUTH_TEMPERROR, "no name server");
            continue;
        }
        answers[i] = ask(verifier, i, answers, dns, budget);
        switch (answers[i]->outcome) {
        case DNS_ANSWER:
            read_key(verifier, candidate, answers[i]);
            break;
        case DNS_NXDOMAIN:
        case DNS_NODATA:
            finish_candidate(candidate, AUTH_PERMERROR, "no key for signature");
            break;
        default:
            finish_candidate(
                candidate, AUTH_TEMPERROR,
                arena_printf(verifier->arena, "the key cannot be had now: %s", dns_outcome_name(answers[i]->outcome)));
        }
    }
    for (size_t i = 0; i < verifier->chosen_count; i++) {
        if (verifier->chosen[i]->is_done && verifier->chosen[i]->info)
            dkim_sig_ignore(verifier->chosen[i]->info);
    }
}

static void end_body(struct verifier *verifier)
{
    static const char crlf[] = "\r\n";
    bool is_empty = verifier->last[1] == '\0' && verifier->last[0] == '\0' && verifier->line == 0;
    if (!is_empty && (verifier->last[0] != '\r' || verifier->last[1] != '\n'))
        verifier_body(verifier, (struct span){crlf, 2});
    if (verifier->length.simple == 0)
        verifier->length.simple = 2;
}

/* 2.11 does not tell the size of a key whose signature it did not try. */
static unsigned key_bits(DKIM_SIGINFO *info)
{
    unsigned bits = 0;
    return dkim_sig_getkeysize(info, &bits) == DKIM_STAT_OK ? bits : 0;
}

static void read_failure(struct verifier *verifier, struct candidate *candidate)
{
    int error = dkim_sig_geterror(candidate->info);
    const char *text = dkim_sig_geterrorstr(error);
    switch (error) {
    case DKIM_SIGERROR_OK:
    case DKIM_SIGERROR_UNKNOWN:
    case DKIM_SIGERROR_BADSIG:
        finish_candidate(candidate, AUTH_FAIL,
                         dkim_sig_getbh(candidate->info) == DKIM_SIGBH_MISMATCH ? "body hash did not verify"
                                                                                : "signature did not verify");
        break;
    case DKIM_SIGERROR_TOOLARGE_L:
        finish_candidate(candidate, AUTH_PERMERROR, "l= is larger than the body");
        break;
    case DKIM_SIGERROR_KEYTOOSMALL:
        finish_candidate(candidate, AUTH_POLICY, "the key is too short");
        break;
    default:
        finish_candidate(candidate, AUTH_PERMERROR, text ? arena_strdup(verifier->arena, text) : "cannot be verified");
    }
}

static void read_result(struct verifier *verifier, struct candidate *candidate)
{
    const struct signature *signature = &candidate->signature;
    unsigned flags = dkim_sig_getflags(candidate->info), bits = key_bits(candidate->info);
    int error = dkim_sig_geterror(candidate->info);
    bool passed = (flags & DKIM_SIGFLAG_PASSED) && dkim_sig_getbh(candidate->info) == DKIM_SIGBH_MATCH &&
                  error == DKIM_SIGERROR_OK;
    int64_t length = signature->body_is_relaxed ? verifier->length.relaxed : verifier->length.simple;
    candidate->result.is_partial = signature->length >= 0 && signature->length < length;
    if (signature->code == SIGNATURE_RSA_SHA256 && bits > 0 && bits < verifier->options->min_key_bits) {
        finish_candidate(
            candidate, AUTH_POLICY,
            arena_printf(verifier->arena, "the key has %u bits, fewer than %u", bits, verifier->options->min_key_bits));
    } else if (!passed) {
        read_failure(verifier, candidate);
    } else if (verifier->has_bare_cr && signature->body_is_relaxed) {
        finish_candidate(candidate, AUTH_FAIL, "the body holds a bare CR");
    } else {
        finish_candidate(candidate, AUTH_PASS, NULL);
        candidate->result.counts = !candidate->result.is_partial || verifier->options->allow_l;
    }
}

static const struct auth_dkim *results_of(const struct verifier *verifier)
{
    struct auth_dkim *dkim = ARENA_NEW(verifier->arena, struct auth_dkim);
    struct auth_dkim_signature *signatures =
        ARENA_ARRAY(verifier->arena, struct auth_dkim_signature, verifier->chosen_count + 1);
    for (size_t i = 0; i < verifier->chosen_count; i++)
        signatures[i] = verifier->chosen[i]->result;
    dkim->signatures = signatures;
    dkim->count = verifier->chosen_count;
    dkim->result = auth_dkim_best(signatures, dkim->count);
    return dkim;
}

const struct auth_dkim *verifier_finish(struct verifier *verifier, struct dns *dns, struct dns_budget *budget)
{
    if (verifier->dkim) {
        end_body(verifier);
        if (verifier->line_is_too_long)
            finish_open(verifier, AUTH_PERMERROR, "a line of the body is too long");
        fetch_keys(verifier, dns, budget);
    }
    if (verifier->dkim && any_is_open(verifier)) {
        dkim_eom(verifier->dkim, NULL);
        for (size_t i = 0; i < verifier->chosen_count; i++) {
            if (!verifier->chosen[i]->is_done)
                read_result(verifier, verifier->chosen[i]);
        }
    }
    return results_of(verifier);
}
