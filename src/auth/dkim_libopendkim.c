/*
 * dkim_libopendkim - libopendkim 2.11 as an engine, only asked what it answers well.
 *
 * It processes only signatures and keys that we have read ourselves, in the order of the header: in any other
 * order 2.11 copies a key that is shared by three signatures from the wrong place. A signature that has its result
 * already is one that the library is told to ignore.
 *
 * What it gets wrong, and what is done about it here and in dkim_choose.c:
 * - A signature whose h= names more fields than the message has writes past an array when every field of the message
 *   is signed: one more field is always fed, under a name that no h= can name.
 * - NUL, bare CR and bare LF in a header field are cut or skipped: such a field is not fed, and a signature that names
 *   it is permerror.
 * - In the body a bare CR is skipped (relaxed), or a line of nothing else is taken for an empty one (simple), so it
 * could be added at will: then no signature passes.
 * - In the simple body a bare LF is not counted: a line of nothing else is taken for an empty one, and of other lines
 * as many octets are left out at the end. Then simple signatures fail.
 * - A body that does not end with CRLF makes all signatures unusable: it gets one (RFC 6376 3.4.3, 3.4.4).
 * - A word without end is kept in memory: a line longer than LINE_LIMIT ends the verification.
 * - l= does not tell whether something was left out: the canonical length is counted here.
 * - It takes signatures with a malformed tag for good if BADSIGHANDLES is set, and no message without a plain From
 *   address if it is not: it is set, and malformed signatures are not fed.
 *
 * What stays, and only dkim_builtin.c does right:
 * - It looks at t= and x= by the clock on the wall, with a day of grace, whatever time the message has.
 * - An l= that ends among empty lines is miscounted if these come in several pieces.
 * - The value of any tag whose name ends in "b" is left out of what is signed, and that of b= is not when a blank
 * stands before its "=".
 * - A signature that covers other signatures does not see the malformed ones among them.
 *
 * Not done: the library's own resolver and its cache.
 */
#include "auth/dkim_body.h"
#include "auth/dkim_engine.h"
#include <opendkim/dkim.h>
#include <stdlib.h>

#define FED_MAX 16              /* more than that, and only the chosen ones are fed: the work grows with their number */
#define LINE_LIMIT (256 * 1024) /* octets of a line of the body */
#define PIECE_MAX 65536

struct libopendkim {
    DKIM *dkim;
    struct body_hash *lengths[2]; /* of the simple and the relaxed body; NULL: no signature has l= */
    size_t line;                  /* octets of the body since the last LF */
    char last[2];                 /* the last octets of the body */
    bool has_body, has_bare_cr, has_bare_lf, line_is_too_long;
};

static DKIM_CBSTAT give_key(DKIM *dkim, DKIM_SIGINFO *info, u_char *buffer, size_t size)
{
    const struct verifier *verifier = dkim_get_user_context(dkim);
    for (size_t i = 0; verifier && i < verifier->count; i++) {
        const struct candidate *candidate = &verifier->candidates[i];
        if (candidate->handle == info && candidate->key.record && strlen(candidate->key.record) < size) {
            memcpy(buffer, candidate->key.record, strlen(candidate->key.record) + 1);
            return DKIM_CBSTAT_CONTINUE;
        }
    }
    return DKIM_CBSTAT_NOTFOUND; /* never DEFAULT: the library's own resolver is not safe among threads */
}

bool verifier_libopendkim_open(struct verifier_service *service)
{
    unsigned flags = DKIM_LIBFLAGS_DELAYSIGPROC | DKIM_LIBFLAGS_BADSIGHANDLES;
    uint64_t drift = VERIFIER_DRIFT_MAX; /* the message's time is judged by us, with the option */
    DKIM_LIB *lib = service->libopendkim = dkim_init(NULL, NULL);
    if (!lib)
        return false;
    dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_FLAGS, &flags, sizeof flags);
    dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_CLOCKDRIFT, &drift, sizeof drift);
    dkim_set_key_lookup(lib, give_key);
#ifdef DKIM_FEATURE_ED25519
    service->libopendkim_knows_ed25519 = dkim_libfeature(lib, DKIM_FEATURE_ED25519);
#endif
    return true;
}

void verifier_libopendkim_close(struct verifier_service *service)
{
    if (service->libopendkim)
        dkim_close(service->libopendkim);
}

/* ---- feeding ---- */

static void feed_field(DKIM *dkim, const struct header_field *field)
{
    size_t len = field->name.len + 1 + field->value.len;
    char *line = malloc(len + 1);
    if (!line)
        abort();
    memcpy(line, field->name.ptr, field->name.len);
    line[field->name.len] = ':';
    memcpy(line + field->name.len + 1, field->value.ptr, field->value.len);
    line[len] = '\0';
    dkim_header(dkim, (u_char *)line, len);
    free(line);
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

static void feed_header(const struct verifier *verifier, DKIM *dkim)
{
    static const struct header_field pad = {{"not a field", 11}, {" ", 1}};
    const struct message *message = verifier->message;
    feed_field(dkim, &pad);
    for (size_t i = 0; i < message->header_count; i++) {
        const struct header_field *field = &message->headers[i];
        bool is_signature = span_equals_nocase(span_trim(field->name), DKIM_SIGNHEADER);
        const struct candidate *candidate = is_signature ? candidate_of(verifier, field) : NULL;
        if (field_is_clean(field) && (!is_signature || (candidate && is_fed(verifier, candidate))))
            feed_field(dkim, field);
    }
}

/* The library lists the signatures in the order in which they were fed; b= tells if it left one out. */
static void find_infos(struct verifier *verifier, DKIM *dkim)
{
    DKIM_SIGINFO **infos = NULL;
    int total = 0;
    size_t next = 0;
    if (dkim_getsiglist(dkim, &infos, &total) != DKIM_STAT_OK)
        total = 0;
    for (int i = 0; i < total; i++) {
        const char *b = (const char *)dkim_sig_gettagvalue(infos[i], false, (u_char *)"b");
        size_t at = next;
        while (at < verifier->count && (!is_fed(verifier, &verifier->candidates[at]) || !b ||
                                        strcmp(verifier->candidates[at].signature.b, b) != 0))
            at++;
        if (at < verifier->count) {
            verifier->candidates[at].handle = infos[i];
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

static void open_handle(struct verifier *verifier, struct libopendkim *state)
{
    DKIM_STAT status;
    DKIM *dkim = dkim_verify(verifier->service->libopendkim, (const unsigned char *)"postern", NULL, &status);
    if (!dkim) {
        verifier_finish_open(verifier, AUTH_TEMPERROR, "out of memory");
        return;
    }
    arena_on_destroy(verifier->arena, free_handle, dkim);
    state->dkim = dkim;
    dkim_set_user_context(dkim, verifier);
    feed_header(verifier, dkim);
    status = dkim_eoh(dkim);
    if (status != DKIM_STAT_OK) {
        const char *text = dkim_geterror(dkim);
        verifier_finish_open(
            verifier, AUTH_PERMERROR,
            arena_printf(verifier->arena, "the header cannot be verified: %s", text ? text : "no reason given"));
        return;
    }
    find_infos(verifier, dkim);
    for (size_t i = 0; i < verifier->chosen_count; i++) {
        struct candidate *candidate = verifier->chosen[i];
        if (!candidate->is_done && !candidate->handle)
            verifier_finish_candidate(candidate, AUTH_PERMERROR, "the signature is malformed");
    }
}

static void begin(struct verifier *verifier)
{
    struct libopendkim *state = verifier->state = ARENA_NEW(verifier->arena, struct libopendkim);
    for (size_t i = 0; i < verifier->chosen_count; i++) {
        const struct signature *signature = &verifier->chosen[i]->signature;
        struct body_hash **length = &state->lengths[signature->body_is_relaxed];
        if (!verifier->chosen[i]->is_done && signature->length >= 0 && !*length)
            *length = body_hash_create(verifier->arena, NULL, signature->body_is_relaxed);
    }
    open_handle(verifier, state);
}

/* ---- the body ---- */

static bool wants_body(const struct verifier *verifier)
{
    return !((const struct libopendkim *)verifier->state)->line_is_too_long;
}

/* Bare CRs and LFs, lines without end, and what the body ends with. */
static void watch(struct libopendkim *state, struct span bytes)
{
    const char *p = bytes.ptr, *end = bytes.ptr + bytes.len, *cr = p;
    if (state->last[1] == '\r' && *p != '\n')
        state->has_bare_cr = true;
    while (!state->has_bare_cr && (cr = memchr(cr, '\r', (size_t)(end - cr)))) {
        if (++cr < end && *cr != '\n')
            state->has_bare_cr = true;
    }
    const char *lf = memchr(p, '\n', bytes.len);
    for (const char *next = lf; next && !state->has_bare_lf; next = memchr(next, '\n', (size_t)(end - next))) {
        if ((next > p ? next[-1] : state->last[1]) != '\r')
            state->has_bare_lf = true;
        next++;
    }
    state->line += lf ? (size_t)(lf - p) : bytes.len;
    if (state->line > LINE_LIMIT)
        state->line_is_too_long = true;
    lf = memrchr(p, '\n', bytes.len);
    if (lf)
        state->line = (size_t)(end - lf - 1);
    state->last[0] = bytes.len > 1 ? end[-2] : state->last[1];
    state->last[1] = end[-1];
}

static void add_body(struct verifier *verifier, struct span bytes)
{
    struct libopendkim *state = verifier->state;
    state->has_body = true;
    while (bytes.len > 0) {
        struct span piece = {bytes.ptr, bytes.len < PIECE_MAX ? bytes.len : PIECE_MAX};
        watch(state, piece);
        if (state->line_is_too_long)
            break;
        for (size_t i = 0; i < 2; i++) {
            if (state->lengths[i])
                body_hash_add(state->lengths[i], piece);
        }
        dkim_body(state->dkim, (u_char *)piece.ptr, piece.len);
        bytes.ptr += piece.len;
        bytes.len -= piece.len;
    }
}

static void end_body(struct verifier *verifier)
{
    static const char crlf[] = "\r\n";
    struct libopendkim *state = verifier->state;
    if (state->has_body && !state->line_is_too_long && (state->last[0] != '\r' || state->last[1] != '\n'))
        add_body(verifier, (struct span){crlf, 2});
    if (state->line_is_too_long)
        verifier_finish_open(verifier, AUTH_PERMERROR, "a line of the body is too long");
    for (size_t i = 0; i < 2; i++) {
        if (state->lengths[i])
            body_hash_end(state->lengths[i]);
    }
}

/* ---- the end ---- */

/* 2.11 does not tell the size of a key whose signature it did not try. */
static unsigned key_bits(DKIM_SIGINFO *info)
{
    unsigned bits = 0;
    return dkim_sig_getkeysize(info, &bits) == DKIM_STAT_OK ? bits : 0;
}

static void read_failure(struct verifier *verifier, struct candidate *candidate)
{
    int error = dkim_sig_geterror(candidate->handle);
    const char *text = dkim_sig_geterrorstr(error);
    switch (error) {
    case DKIM_SIGERROR_OK:
    case DKIM_SIGERROR_UNKNOWN:
    case DKIM_SIGERROR_BADSIG:
        verifier_finish_candidate(candidate, AUTH_FAIL,
                                  dkim_sig_getbh(candidate->handle) == DKIM_SIGBH_MISMATCH
                                      ? "body hash did not verify"
                                      : "signature did not verify");
        break;
    case DKIM_SIGERROR_TOOLARGE_L:
        verifier_finish_candidate(candidate, AUTH_PERMERROR, "l= is larger than the body");
        break;
    case DKIM_SIGERROR_KEYTOOSMALL:
        verifier_finish_candidate(candidate, AUTH_POLICY, "the key is too short");
        break;
    default:
        verifier_finish_candidate(candidate, AUTH_PERMERROR,
                                  text ? arena_strdup(verifier->arena, text) : "cannot be verified");
    }
}

static void read_result(struct verifier *verifier, struct candidate *candidate)
{
    const struct libopendkim *state = verifier->state;
    const struct signature *signature = &candidate->signature;
    const struct body_hash *length = state->lengths[signature->body_is_relaxed];
    unsigned flags = dkim_sig_getflags(candidate->handle), bits = key_bits(candidate->handle);
    bool passed = (flags & DKIM_SIGFLAG_PASSED) && dkim_sig_getbh(candidate->handle) == DKIM_SIGBH_MATCH &&
                  dkim_sig_geterror(candidate->handle) == DKIM_SIGERROR_OK;
    verifier_measure(candidate, length ? body_hash_length(length) : 0);
    if (signature->code == SIGNATURE_RSA_SHA256 && bits > 0 && verifier_key_is_short(verifier, candidate, bits))
        return;
    if (state->has_bare_lf && !signature->body_is_relaxed)
        verifier_finish_candidate(candidate, AUTH_FAIL, "the body holds a bare LF");
    else if (!passed)
        read_failure(verifier, candidate);
    else if (state->has_bare_cr)
        verifier_finish_candidate(candidate, AUTH_FAIL, "the body holds a bare CR");
    else
        verifier_pass(verifier, candidate);
}

static void judge(struct verifier *verifier)
{
    const struct libopendkim *state = verifier->state;
    for (size_t i = 0; i < verifier->chosen_count; i++) {
        if (verifier->chosen[i]->is_done && verifier->chosen[i]->handle)
            dkim_sig_ignore(verifier->chosen[i]->handle);
    }
    dkim_eom(state->dkim, NULL);
    for (size_t i = 0; i < verifier->chosen_count; i++) {
        if (!verifier->chosen[i]->is_done)
            read_result(verifier, verifier->chosen[i]);
    }
}

const struct verifier_engine verifier_libopendkim = {begin, wants_body, add_body, end_body, judge};
