/*
 * policyeval: tree walk, alignment and result with a fake DNS; then the same records given to libopendmarc, with the
 * identifiers that we judged aligned, and its verdict compared with ours. What differs is marked in the table, and
 * docs/dmarc-differences.md says why.
 */
#include "unit.h"

#include "auth/policyeval.h"
#include "util/clock.h"
#include "util/strbuf.h"
#include <opendmarc/dmarc.h>
#include <stdio.h>
#include <sys/types.h>

#define TXT(name, text)                                                                                                \
    {                                                                                                                  \
        "_dmarc." name, DNS_TXT, DNS_ANSWER, text                                                                      \
    }

static const struct dns_fake_row zone[] = {
    TXT("reject.example", "v=DMARC1; p=reject"),
    TXT("quar.example", "v=DMARC1; p=quarantine; sp=none"),
    TXT("none.example", "v=DMARC1; p=none"),
    TXT("np.example", "v=DMARC1; p=none; sp=quarantine; np=reject"),
    {"here.np.example", DNS_A, DNS_ANSWER, "192.0.2.1"},
    {"mail.np.example", DNS_MX, DNS_ANSWER, "10 here.np.example"},
    {"x.ent.np.example", DNS_A, DNS_ANSWER, "192.0.2.1"},
    {"slow.np.example", DNS_A, DNS_TIMEOUT, NULL},
    TXT("strict.example", "v=DMARC1; p=reject; adkim=s; aspf=s"),
    TXT("mixed.example", "v=DMARC1; p=reject; adkim=s; aspf=r"),
    TXT("test.example", "v=DMARC1; p=reject; t=y"),
    TXT("qtest.example", "v=DMARC1; p=quarantine; t=y"),
    TXT("pct.example", "v=DMARC1; p=reject; pct=30"),
    TXT("rua.example", "v=DMARC1; rua=mailto:a@rua.example"),
    TXT("rua2.example", "v=DMARC1; p=nonsense; rua=mailto:a@rua.example"),
    TXT("nop.example", "v=DMARC1; sp=reject"),
    TXT("bad.example", "v=DMARC1; p=reject; nonsense"),
    TXT("prefix.example", "v=DMARC1; p=r"),
    TXT("wrongtag.example", "v=DMARC1; p=reject; adkim=x"),
    TXT("iodef.example", "v=DMARC1; p=reject; rf=iodef"),
    TXT("two.example", "v=DMARC1; p=reject"),
    TXT("two.example", "v=DMARC1; p=none"),
    TXT("extra.example", "v=DMARC1; p=reject"),
    TXT("extra.example", "v=spf1 -all"),
    TXT("sub.reject.example", "v=DMARC1; p=none"),
    TXT("two.reject.example", "v=DMARC1; p=none"),
    TXT("two.reject.example", "v=DMARC1; p=none"),
    TXT("dept.reject.example", "v=DMARC1; p=quarantine; psd=n"),
    TXT("psd", "v=DMARC1; p=reject; psd=y"),
    TXT("own.psd", "v=DMARC1; p=none"),
    TXT("gov.uk.psd2", "v=DMARC1; p=reject; sp=quarantine; psd=y"),
    TXT("psd2", "v=DMARC1; p=none"),
    TXT("k.example", "v=DMARC1; p=quarantine"),
    {"_dmarc.slow.example", DNS_TXT, DNS_TIMEOUT, NULL},
    {"_dmarc.fail.example", DNS_TXT, DNS_SERVFAIL, NULL},
    {"_dmarc.bogus.example", DNS_TXT, DNS_BOGUS, NULL},
    {"_dmarc.slowtop", DNS_TXT, DNS_TIMEOUT, NULL},
    TXT("ok.slowtop", "v=DMARC1; p=reject"),
    TXT("org.co.uk", "v=DMARC1; p=reject"),
};

struct fixture {
    struct arena *arena;
    struct dns *dns;
    struct dns_budget budget;
    struct walker *walker;
};

static void open_fixture(struct fixture *fixture, enum treewalk_mode mode)
{
    fixture->arena = arena_create(4096);
    fixture->dns = dns_create_fake(zone, sizeof zone / sizeof *zone);
    fixture->budget = (struct dns_budget){clock_monotonic_us() + 20000000, 5000000, 100};
    fixture->walker = walker_create(fixture->arena, fixture->dns, &fixture->budget, mode);
}

static void close_fixture(struct fixture *fixture)
{
    dns_destroy(fixture->dns);
    arena_destroy(fixture->arena);
}

/* "-" stands for none. SPF and DKIM: RESULT:DOMAIN. */
struct row {
    const char *author, *spf, *dkim;
    enum auth_result result;
    enum auth_policy policy, disposition;
    const char *org_domain, *record_domain, *aligned; /* "s", "d", "sd", "" */
    const char *differs;                              /* what libopendmarc says instead; NULL: the same */
};

#define NONE AUTH_POLICY_NONE
#define QUAR AUTH_POLICY_QUARANTINE
#define REJ AUTH_POLICY_REJECT
static const struct row rows[] = {
    /* own record */
    {"reject.example", "pass:reject.example", "-", AUTH_PASS, REJ, NONE, "reject.example", "reject.example", "s", NULL},
    {"reject.example", "-", "pass:reject.example", AUTH_PASS, REJ, NONE, "reject.example", "reject.example", "d", NULL},
    {"reject.example", "pass:reject.example", "pass:reject.example", AUTH_PASS, REJ, NONE, "reject.example",
     "reject.example", "sd", NULL},
    {"reject.example", "fail:reject.example", "fail:reject.example", AUTH_FAIL, REJ, REJ, "reject.example",
     "reject.example", "", NULL},
    {"reject.example", "softfail:reject.example", "-", AUTH_FAIL, REJ, REJ, "reject.example", "reject.example", "",
     NULL},
    {"reject.example", "-", "-", AUTH_FAIL, REJ, REJ, "reject.example", "reject.example", "", NULL},
    {"reject.example", "pass:evil.example", "pass:none.example", AUTH_FAIL, REJ, REJ, "reject.example", "reject.example",
     "", NULL},
    /* a stranger's name servers cannot make the author's policy a temperror */
    {"reject.example", "pass:fail.example", "pass:slow.example", AUTH_FAIL, REJ, REJ, "reject.example",
     "reject.example", "", NULL},
    {"reject.example", "temperror:fail.example", "temperror:bogus.example", AUTH_FAIL, REJ, REJ, "reject.example",
     "reject.example", "", NULL},
    {"a.reject.example", "pass:a.fail.example", "-", AUTH_FAIL, REJ, REJ, "reject.example", "reject.example", "", NULL},
    {"reject.example", "pass:evil.test", "-", AUTH_FAIL, REJ, REJ, "reject.example", "reject.example", "", NULL},
    {"reject.example", "-", "pass:example", AUTH_FAIL, REJ, REJ, "reject.example", "reject.example", "", NULL},
    {"reject.example", "pass:notreject.example", "-", AUTH_FAIL, REJ, REJ, "reject.example", "reject.example", "",
     NULL},
    {"quar.example", "-", "-", AUTH_FAIL, QUAR, QUAR, "quar.example", "quar.example", "", NULL},
    {"none.example", "-", "-", AUTH_FAIL, NONE, NONE, "none.example", "none.example", "", NULL},
    {"extra.example", "-", "-", AUTH_FAIL, REJ, REJ, "extra.example", "extra.example", "", NULL},
    /* relaxed: up, down, sideways */
    {"reject.example", "pass:mail.reject.example", "-", AUTH_PASS, REJ, NONE, "reject.example", "reject.example", "s",
     NULL},
    {"a.reject.example", "pass:reject.example", "-", AUTH_PASS, REJ, NONE, "reject.example", "reject.example", "s",
     NULL},
    {"a.reject.example", "-", "pass:b.reject.example", AUTH_PASS, REJ, NONE, "reject.example", "reject.example", "d",
     NULL},
    {"a.b.c.reject.example", "-", "pass:d.reject.example", AUTH_PASS, REJ, NONE, "reject.example", "reject.example",
     "d", NULL},
    {"sub.reject.example", "pass:reject.example", "-", AUTH_PASS, NONE, NONE, "reject.example", "sub.reject.example",
     "s", NULL},
    {"sub.reject.example", "-", "-", AUTH_FAIL, NONE, NONE, "reject.example", "sub.reject.example", "", NULL},
    /* a department of its own: psd=n */
    {"dept.reject.example", "pass:reject.example", "-", AUTH_FAIL, QUAR, QUAR, "dept.reject.example",
     "dept.reject.example", "", NULL},
    {"reject.example", "pass:dept.reject.example", "-", AUTH_FAIL, REJ, REJ, "reject.example", "reject.example", "",
     NULL},
    {"a.dept.reject.example", "pass:b.dept.reject.example", "-", AUTH_PASS, QUAR, NONE, "dept.reject.example",
     "dept.reject.example", "s", NULL},
    /* public suffixes: psd=y */
    {"giant.psd", "pass:giant.psd", "-", AUTH_PASS, REJ, NONE, "giant.psd", "psd", "s", NULL},
    {"giant.psd", "pass:other.psd", "-", AUTH_FAIL, REJ, REJ, "giant.psd", "psd", "", NULL},
    {"giant.psd", "-", "pass:psd", AUTH_FAIL, REJ, REJ, "giant.psd", "psd", "", NULL},
    {"mail.giant.psd", "pass:x.giant.psd", "-", AUTH_PASS, REJ, NONE, "giant.psd", "psd", "s", NULL},
    {"own.psd", "-", "-", AUTH_FAIL, NONE, NONE, "own.psd", "own.psd", "", NULL},
    {"a.own.psd", "pass:own.psd", "-", AUTH_PASS, NONE, NONE, "own.psd", "own.psd", "s", NULL},
    {"psd", "pass:psd", "-", AUTH_PASS, REJ, NONE, "psd", "psd", "s", NULL},
    {"psd", "pass:giant.psd", "-", AUTH_FAIL, REJ, REJ, "psd", "psd", "", NULL},
    {"tax.gov.uk.psd2", "-", "-", AUTH_FAIL, QUAR, QUAR, "tax.gov.uk.psd2", "gov.uk.psd2", "", NULL},
    /* strict */
    {"strict.example", "pass:strict.example", "-", AUTH_PASS, REJ, NONE, "strict.example", "strict.example", "s", NULL},
    {"strict.example", "pass:a.strict.example", "pass:b.strict.example", AUTH_FAIL, REJ, REJ, "strict.example",
     "strict.example", "", NULL},
    {"a.strict.example", "pass:strict.example", "-", AUTH_FAIL, REJ, REJ, "strict.example", "strict.example", "", NULL},
    {"mixed.example", "pass:a.mixed.example", "pass:a.mixed.example", AUTH_PASS, REJ, NONE, "mixed.example",
     "mixed.example", "s", NULL},
    /* sp and np */
    {"a.quar.example", "-", "-", AUTH_FAIL, NONE, NONE, "quar.example", "quar.example", "", NULL},
    {"np.example", "-", "-", AUTH_FAIL, NONE, NONE, "np.example", "np.example", "", NULL},
    {"here.np.example", "-", "-", AUTH_FAIL, QUAR, QUAR, "np.example", "np.example", "", NULL},
    {"mail.np.example", "-", "-", AUTH_FAIL, QUAR, QUAR, "np.example", "np.example", "", NULL},
    {"gone.np.example", "-", "-", AUTH_FAIL, REJ, REJ, "np.example", "np.example", "", "quarantine"},
    {"slow.np.example", "-", "-", AUTH_FAIL, QUAR, QUAR, "np.example", "np.example", "", NULL},
    /* tests and sampling */
    {"test.example", "-", "-", AUTH_FAIL, REJ, QUAR, "test.example", "test.example", "", "reject"},
    {"qtest.example", "-", "-", AUTH_FAIL, QUAR, NONE, "qtest.example", "qtest.example", "", "quarantine"},
    {"test.example", "pass:test.example", "-", AUTH_PASS, REJ, NONE, "test.example", "test.example", "s", NULL},
    {"pct.example", "-", "-", AUTH_FAIL, REJ, REJ, "pct.example", "pct.example", "", NULL},
    /* records with faults */
    {"rua.example", "-", "-", AUTH_FAIL, NONE, NONE, "rua.example", "rua.example", "", "error"},
    {"rua2.example", "-", "-", AUTH_FAIL, NONE, NONE, "rua2.example", "rua2.example", "", "error"},
    {"wrongtag.example", "-", "-", AUTH_FAIL, REJ, REJ, "wrongtag.example", "wrongtag.example", "", "error"},
    {"iodef.example", "pass:a.iodef.example", "-", AUTH_PASS, REJ, NONE, "iodef.example", "iodef.example", "s", NULL},
    {"nop.example", "-", "-", AUTH_PERMERROR, NONE, NONE, "nop.example", "nop.example", "", NULL},
    {"prefix.example", "-", "-", AUTH_PERMERROR, NONE, NONE, "prefix.example", "prefix.example", "", "reject"},
    {"bad.example", "-", "-", AUTH_PERMERROR, NONE, NONE, "bad.example", "bad.example", "", NULL},
    {"two.example", "-", "-", AUTH_PERMERROR, NONE, NONE, "two.example", "two.example", "", NULL},
    {"a.two.example", "-", "-", AUTH_PERMERROR, NONE, NONE, "a.two.example", "two.example", "", NULL},
    {"two.reject.example", "-", "-", AUTH_PERMERROR, NONE, NONE, "reject.example", "two.reject.example", "", NULL},
    {"a.two.reject.example", "-", "-", AUTH_FAIL, REJ, REJ, "reject.example", "reject.example", "", NULL},
    {"nothing.example", "pass:nothing.example", "-", AUTH_NONE, NONE, NONE, "nothing.example", NULL, "", NULL},
    /* no answer */
    {"slow.example", "pass:slow.example", "-", AUTH_TEMPERROR, NONE, NONE, "slow.example", NULL, "", NULL},
    {"fail.example", "-", "-", AUTH_TEMPERROR, NONE, NONE, "fail.example", NULL, "", NULL},
    {"bogus.example", "-", "-", AUTH_TEMPERROR, NONE, NONE, "bogus.example", NULL, "", NULL},
    {"a.slow.example", "-", "-", AUTH_TEMPERROR, NONE, NONE, "a.slow.example", NULL, "", NULL},
    {"ok.slowtop", "pass:ok.slowtop", "-", AUTH_PASS, REJ, NONE, "ok.slowtop", "ok.slowtop", "s", NULL},
    {"ok.slowtop", "pass:a.ok.slowtop", "-", AUTH_TEMPERROR, REJ, NONE, "ok.slowtop", "ok.slowtop", "", NULL},
    {"ok.slowtop", "-", "-", AUTH_FAIL, REJ, REJ, "ok.slowtop", "ok.slowtop", "", NULL},
    {"reject.example", "temperror:reject.example", "-", AUTH_TEMPERROR, REJ, NONE, "reject.example", "reject.example",
     "", NULL},
    {"reject.example", "temperror:evil.test", "-", AUTH_FAIL, REJ, REJ, "reject.example", "reject.example", "", NULL},
    {"reject.example", "temperror:reject.example", "pass:reject.example", AUTH_PASS, REJ, NONE, "reject.example",
     "reject.example", "d", NULL},
    {"reject.example", "-", "permerror:reject.example", AUTH_FAIL, REJ, REJ, "reject.example", "reject.example", "",
     NULL},
};

static size_t add(struct arena *arena, struct policyeval_identifier *list, size_t count, const char *text, bool is_spf)
{
    const char *colon = strchr(text, ':');
    if (!colon)
        return count;
    list[count].is_spf = is_spf;
    list[count].domain = colon + 1;
    assert_int_equal(
        auth_result_parse(arena_spandup(arena, (struct span){text, (size_t)(colon - text)}), &list[count].result), 0);
    return count + 1;
}

static void evaluate(struct fixture *fixture, const struct row *row, struct policyeval *eval)
{
    struct policyeval_identifier list[2];
    struct policyeval_input input = {.identifiers = list};
    input.count = add(fixture->arena, list, 0, row->spf, true);
    input.count = add(fixture->arena, list, input.count, row->dkim, false);
    policyeval_author(fixture->walker, row->author, &input, eval);
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static void test_table(void **state)
{
    (void)state;
    unsigned failed = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct fixture fixture;
        struct policyeval eval;
        open_fixture(&fixture, TREEWALK_DNS);
        evaluate(&fixture, row, &eval);
        const struct auth_dmarc *dmarc = &eval.dmarc;
        char aligned[3];
        snprintf(aligned, sizeof aligned, "%s%s", dmarc->spf_aligned ? "s" : "", dmarc->dkim_aligned ? "d" : "");
        if (dmarc->result != row->result || dmarc->policy != row->policy || eval.disposition != row->disposition ||
            !same(dmarc->org_domain, row->org_domain) || !same(dmarc->record_domain, row->record_domain) ||
            strcmp(aligned, row->aligned) != 0 || (dmarc->result == AUTH_PASS) != (dmarc->reason == NULL)) {
            print_error("%s %s %s: %s policy %s disposition %s org %s record %s aligned %s (%s)\n", row->author,
                        row->spf, row->dkim, auth_result_name(dmarc->result), auth_policy_name(dmarc->policy),
                        auth_policy_name(eval.disposition), dmarc->org_domain,
                        dmarc->record_domain ? dmarc->record_domain : "-", aligned,
                        dmarc->reason ? dmarc->reason : "-");
            failed++;
        }
        close_fixture(&fixture);
    }
    assert_int_equal(failed, 0);
}

/* libopendmarc's word for the record that we chose and the identifiers that we found aligned. */
static const char *their_verdict(const struct row *row, const struct policyeval *eval)
{
    static const char *const words[] = {"none", "quarantine", "reject"};
    const char *record_domain = eval->dmarc.record_domain, *verdict = "?";
    DMARC_POLICY_T *context = opendmarc_policy_connect_init((u_char *)"192.0.2.1", DMARC_POLICY_IP_TYPE_IPV4);
    assert_non_null(context);
    opendmarc_policy_store_from_domain(context, (u_char *)row->author);
    u_char *org = strcmp(record_domain, row->author) != 0 ? (u_char *)record_domain : NULL;
    if (opendmarc_policy_store_dmarc(context, (u_char *)eval->record->text, (u_char *)row->author, org) !=
        DMARC_PARSE_OKAY) {
        opendmarc_policy_connect_shutdown(context);
        return "error";
    }
    if (eval->dmarc.spf_aligned)
        opendmarc_policy_store_spf(context, (u_char *)row->author, DMARC_POLICY_SPF_OUTCOME_PASS,
                                   DMARC_POLICY_SPF_ORIGIN_MAILFROM, NULL);
    if (eval->dmarc.dkim_aligned)
        opendmarc_policy_store_dkim(context, (u_char *)row->author, (u_char *)"s", DMARC_POLICY_DKIM_OUTCOME_PASS,
                                    NULL);
    switch (opendmarc_get_policy_to_enforce(context)) {
    case DMARC_POLICY_PASS:
        verdict = "pass";
        break;
    case DMARC_POLICY_NONE:
        verdict = words[AUTH_POLICY_NONE];
        break;
    case DMARC_POLICY_QUARANTINE:
        verdict = words[AUTH_POLICY_QUARANTINE];
        break;
    case DMARC_POLICY_REJECT:
        verdict = words[AUTH_POLICY_REJECT];
        break;
    default:
        break;
    }
    opendmarc_policy_connect_shutdown(context);
    return verdict;
}

static void test_opendmarc(void **state)
{
    (void)state;
    unsigned failed = 0, compared = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct fixture fixture;
        struct policyeval eval;
        open_fixture(&fixture, TREEWALK_DNS);
        evaluate(&fixture, row, &eval);
        bool is_comparable = eval.record && eval.dmarc.result != AUTH_TEMPERROR;
        if (is_comparable) {
            const char *ours = eval.dmarc.result == AUTH_PASS        ? "pass"
                               : eval.dmarc.result == AUTH_PERMERROR ? "error"
                                                                     : auth_policy_name(eval.disposition);
            const char *theirs = their_verdict(row, &eval), *expected = row->differs ? row->differs : ours;
            compared++;
            if (strcmp(theirs, expected) != 0 || (row->differs && strcmp(theirs, ours) == 0)) {
                print_error("%s %s %s: libopendmarc says %s, Postern %s, expected %s\n", row->author, row->spf,
                            row->dkim, theirs, ours, expected);
                failed++;
            }
        }
        close_fixture(&fixture);
    }
    assert_int_equal(failed, 0);
    assert_true(compared > 40);
}

static void expect_queries(const char *author, const char *spf, enum treewalk_mode mode, const char *expected)
{
    struct fixture fixture;
    struct policyeval eval;
    struct strbuf text;
    size_t count;
    open_fixture(&fixture, mode);
    evaluate(&fixture, &(struct row){.author = author, .spf = spf, .dkim = "-"}, &eval);
    const char *const *queries = walker_queries(fixture.walker, &count);
    strbuf_init(&text, 0);
    for (size_t i = 0; i < count; i++)
        strbuf_printf(&text, "%s%s", i ? " " : "", queries[i]);
    assert_string_equal(strbuf_text(&text), expected);
    strbuf_free(&text);
    close_fixture(&fixture);
}

static void test_queries(void **state)
{
    (void)state;
    expect_queries("reject.example", "-", TREEWALK_DNS, "_dmarc.reject.example _dmarc.example");
    expect_queries("psd", "-", TREEWALK_DNS, "_dmarc.psd");
    expect_queries("a.dept.reject.example", "-", TREEWALK_DNS,
                   "_dmarc.a.dept.reject.example _dmarc.dept.reject.example");
    expect_queries("mail.giant.psd", "-", TREEWALK_DNS, "_dmarc.mail.giant.psd _dmarc.giant.psd _dmarc.psd");
    expect_queries("a.slow.example", "-", TREEWALK_DNS, "_dmarc.a.slow.example _dmarc.slow.example");
    /* the identifier's walk asks only for what is new */
    expect_queries("a.reject.example", "pass:b.reject.example", TREEWALK_DNS,
                   "_dmarc.a.reject.example _dmarc.reject.example _dmarc.example _dmarc.b.reject.example");
    expect_queries("a.reject.example", "pass:a.slow.example", TREEWALK_DNS,
                   "_dmarc.a.reject.example _dmarc.reject.example _dmarc.example");
    expect_queries("reject.example", "pass:other.test", TREEWALK_DNS, "_dmarc.reject.example _dmarc.example");
    expect_queries("gone.np.example", "-", TREEWALK_DNS,
                   "_dmarc.gone.np.example _dmarc.np.example _dmarc.example gone.np.example");
    /* RFC 9989 4.10: eight labels, then more */
    expect_queries("1.2.3.4.5.6.k.example", "-", TREEWALK_DNS,
                   "_dmarc.1.2.3.4.5.6.k.example _dmarc.2.3.4.5.6.k.example _dmarc.3.4.5.6.k.example "
                   "_dmarc.4.5.6.k.example _dmarc.5.6.k.example _dmarc.6.k.example _dmarc.k.example _dmarc.example");
    expect_queries(
        "a.b.c.d.e.f.g.h.i.j.mail.k.example", "-", TREEWALK_DNS,
        "_dmarc.a.b.c.d.e.f.g.h.i.j.mail.k.example _dmarc.g.h.i.j.mail.k.example _dmarc.h.i.j.mail.k.example "
        "_dmarc.i.j.mail.k.example _dmarc.j.mail.k.example _dmarc.mail.k.example _dmarc.k.example "
        "_dmarc.example");
    expect_queries("a.b.org.co.uk", "pass:c.org.co.uk", TREEWALK_PSL,
                   "_dmarc.a.b.org.co.uk _dmarc.org.co.uk _dmarc.c.org.co.uk");
}

static void test_long_name(void **state)
{
    (void)state;
    struct fixture fixture;
    struct policyeval eval;
    char name[251];
    memset(name, 'a', sizeof name);
    for (size_t i = 49; i < 240; i += 50)
        name[i] = '.';
    memcpy(name + 240, ".k.example", 11);
    open_fixture(&fixture, TREEWALK_DNS);
    evaluate(&fixture, &(struct row){.author = name, .spf = "-", .dkim = "-"}, &eval);
    assert_int_equal(eval.dmarc.result, AUTH_FAIL); /* "_dmarc." does not fit before it: it has no record of its own */
    assert_string_equal(eval.dmarc.record_domain, "k.example");
    close_fixture(&fixture);
}

static void test_psl(void **state)
{
    (void)state;
    static const struct {
        const char *author, *spf;
        enum auth_result result;
        const char *org_domain;
    } cases[] = {{"a.b.org.co.uk", "pass:c.org.co.uk", AUTH_PASS, "org.co.uk"},
                 {"org.co.uk", "pass:other.co.uk", AUTH_FAIL, "org.co.uk"},
                 {"org.co.uk", "pass:co.uk", AUTH_FAIL, "org.co.uk"},
                 {"co.uk", "-", AUTH_NONE, "co.uk"},
                 {"dept.reject.example", "pass:reject.example", AUTH_PASS, "reject.example"},
                 {"a.slow.example", "-", AUTH_TEMPERROR, "slow.example"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture fixture;
        struct policyeval eval;
        open_fixture(&fixture, TREEWALK_PSL);
        evaluate(&fixture, &(struct row){.author = cases[i].author, .spf = cases[i].spf, .dkim = "-"}, &eval);
        assert_int_equal(eval.dmarc.result, cases[i].result);
        assert_string_equal(eval.dmarc.org_domain, cases[i].org_domain);
        close_fixture(&fixture);
    }
}

/* What policy.dmarc says: the policy after its options, whatever the result. */
static void test_effective(void **state)
{
    (void)state;
    static const struct {
        const char *author, *spf;
        enum auth_policy policy, effective;
    } cases[] = {{"test.example", "-", AUTH_POLICY_REJECT, AUTH_POLICY_QUARANTINE},
                 {"test.example", "pass:test.example", AUTH_POLICY_REJECT, AUTH_POLICY_QUARANTINE},
                 {"reject.example", "pass:reject.example", AUTH_POLICY_REJECT, AUTH_POLICY_REJECT},
                 {"two.example", "-", AUTH_POLICY_NONE, AUTH_POLICY_NONE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture fixture;
        struct policyeval eval;
        open_fixture(&fixture, TREEWALK_DNS);
        evaluate(&fixture, &(struct row){.author = cases[i].author, .spf = cases[i].spf, .dkim = "-"}, &eval);
        assert_int_equal(eval.dmarc.policy, cases[i].policy);
        assert_int_equal(eval.dmarc.effective, cases[i].effective);
        close_fixture(&fixture);
    }
}

static void test_pct(void **state)
{
    (void)state;
    static const struct {
        bool honour;
        unsigned sample;
        enum auth_policy disposition;
    } cases[] = {{false, 99, REJ}, {true, 0, REJ}, {true, 29, REJ}, {true, 30, QUAR}, {true, 99, QUAR}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture fixture;
        struct policyeval eval;
        struct policyeval_input input = {.honour_pct = cases[i].honour, .sample = cases[i].sample};
        open_fixture(&fixture, TREEWALK_DNS);
        policyeval_author(fixture.walker, "pct.example", &input, &eval);
        assert_int_equal(eval.disposition, cases[i].disposition);
        assert_int_equal(eval.dmarc.policy, REJ);
        close_fixture(&fixture);
    }
}

static void test_alignment(void **state)
{
    (void)state;
    assert_int_equal(alignment_compare("a.x", NULL, "a.x", NULL, true), ALIGNMENT_YES);
    assert_int_equal(alignment_compare("a.x", NULL, "a.x", NULL, false), ALIGNMENT_YES);
    assert_int_equal(alignment_compare("a.x", "x", "b.x", "x", true), ALIGNMENT_NO);
    assert_int_equal(alignment_compare("a.x", "x", "b.x", "x", false), ALIGNMENT_YES);
    assert_int_equal(alignment_compare("a.x", "a.x", "b.x", "b.x", false), ALIGNMENT_NO);
    assert_int_equal(alignment_compare("a.x", "x", "b.x", NULL, false), ALIGNMENT_UNKNOWN);
    assert_int_equal(alignment_compare("a.x", NULL, "b.x", "x", true), ALIGNMENT_NO);
}

static void test_stricter(void **state)
{
    (void)state;
    /* from mild to strict */
    static const struct policyeval order[] = {{.dmarc.result = AUTH_PASS},
                                              {.dmarc.result = AUTH_NONE},
                                              {.dmarc.result = AUTH_PERMERROR},
                                              {.dmarc.result = AUTH_FAIL},
                                              {.dmarc.result = AUTH_TEMPERROR},
                                              {.dmarc.result = AUTH_FAIL, .disposition = QUAR},
                                              {.dmarc.result = AUTH_FAIL, .disposition = REJ}};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        for (size_t k = 0; k < sizeof order / sizeof *order; k++)
            assert_int_equal(policyeval_is_stricter(&order[i], &order[k]), i > k);
    }
}

static void test_identifiers(void **state)
{
    (void)state;
    struct arena *arena = arena_create(1024);
    size_t count;
    static const struct auth_dkim_signature signatures[] = {
        {.result = AUTH_PASS, .domain = "one.example", .counts = true},
        {.result = AUTH_PASS, .domain = "partial.example", .counts = false},
        {.result = AUTH_FAIL, .domain = "fail.example", .counts = true},
        {.result = AUTH_TEMPERROR, .domain = "late.example"}};
    struct auth_dkim dkim = {AUTH_PASS, signatures, 4};
    struct auth_spf spf = {.result = AUTH_PASS,
                           .domain = "helo.example",
                           .is_helo = true,
                           .helo_result = AUTH_PASS,
                           .helo_domain = "helo.example",
                           .mailfrom_result = AUTH_FAIL,
                           .mailfrom_domain = "from.example"};
    struct policyeval_identifier *list = policyeval_identifiers(arena, &spf, &dkim, &count);
    assert_int_equal(count, 3);
    assert_string_equal(list[0].domain, "from.example"); /* a HELO pass does not help a MAIL FROM that fails */
    assert_int_equal(list[0].result, AUTH_FAIL);
    assert_string_equal(list[1].domain, "one.example");
    assert_string_equal(list[2].domain, "late.example");
    spf.mailfrom_domain = NULL; /* the null reverse-path */
    list = policyeval_identifiers(arena, &spf, NULL, &count);
    assert_int_equal(count, 1);
    assert_string_equal(list[0].domain, "helo.example");
    assert_int_equal(list[0].result, AUTH_PASS);
    spf.mailfrom_domain = ""; /* a reverse-path without a domain name is no null reverse-path */
    spf.mailfrom_result = AUTH_NONE;
    policyeval_identifiers(arena, &spf, NULL, &count);
    assert_int_equal(count, 0);
    policyeval_identifiers(arena, NULL, NULL, &count);
    assert_int_equal(count, 0);
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),     cmocka_unit_test(test_opendmarc), cmocka_unit_test(test_queries),
        cmocka_unit_test(test_long_name), cmocka_unit_test(test_psl),       cmocka_unit_test(test_pct),
        cmocka_unit_test(test_alignment), cmocka_unit_test(test_stricter),  cmocka_unit_test(test_identifiers),
        cmocka_unit_test(test_effective)};
    return cmocka_run_group_tests_name("policyeval", tests, NULL, NULL);
}
