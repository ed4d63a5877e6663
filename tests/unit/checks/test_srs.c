/* srs and bounces: what becomes of an envelope, with real tables, a real codec and a real spool that sends nothing. */
#include "unit.h"

#include "checks/srs.h"
#include "core/engine.h"
#include "core/runner.h"
#include "srs/copies.h"
#include "srs/nondelivery.h"
#include "srs/trace.h"
#include "util/clock.h"
#include "util/strbuf.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW 1800000000
#define SIZE(array) (sizeof(array) / sizeof *(array))

static const char VIRTUAL[] = "sales@here.example x@remote.example\n"
                              "both@here.example alice@here.example, x@remote.example\n"
                              "self@here.example self@here.example, y@remote.example\n"
                              "two@here.example x@remote.example y@other.example\n"
                              "home@here.example alice@here.example, bob@here.example\n"
                              "tohost@here.example carol\n"
                              "tolocalhost@here.example carol@localhost\n"
                              "@second.example @here.example\n"
                              "viatable@here.example moved@here.example\n"
                              "other@mapped.example z@remote.example\n";
static const char LOCAL[] = "keeper: keeper, k@remote.example\ngone: g@remote.example\n"
                            "desk: |/usr/bin/desk, d@remote.example\nfiled: /var/mail/filed, f@remote.example\n"
                            "listed: :include:/nonexistent/list, l@remote.example\n"
                            "bin: /dev/null, b@remote.example\n";
static const char FORWARDS[] = "address,target,delete\n"
                               "moved@here.example,m@remote.example,1\n"
                               "copy@here.example,c@remote.example,0\n"
                               "inside@here.example,bob@here.example,1\n"
                               "toself@here.example,self@here.example,1\n"
                               "chain@here.example,moved@here.example,1\n"
                               "tohuge@here.example,huge@here.example,1\n"
                               "round@here.example,trip@here.example,1\n"
                               "trip@here.example,round@here.example,1\n"
                               "deep0@here.example,deep1@here.example,0\n";

struct world {
    char directory[64];
    struct engine *engine;
    struct session *session;
    struct message *message;
};

static void report(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "%s\n", text);
}

static void write_file(const struct world *world, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", world->directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    chmod(path, 0600);
}

/* With an alias and a forward that are longer than anybody follows. */
static void write_tables(const struct world *world)
{
    struct strbuf text;
    strbuf_init(&text, 1 << 20);
    strbuf_puts(&text, VIRTUAL);
    strbuf_puts(&text, "many@here.example list0@here.example list1@here.example");
    for (int i = 0; i < 1600; i++)
        strbuf_printf(&text, i % 800 ? " m%d@remote.example" : "\nlist%d@here.example", i % 800 ? i : i / 800);
    strbuf_puts(&text, "\nhuge@here.example");
    for (int i = 0; i < 1001; i++)
        strbuf_printf(&text, " h%d@remote.example", i);
    strbuf_puts(&text, "\n");
    write_file(world, "virtual", strbuf_text(&text));
    strbuf_free(&text);
    strbuf_init(&text, 1 << 20);
    strbuf_puts(&text, FORWARDS);
    for (int i = 1; i < 30; i++)
        strbuf_printf(&text, "deep%d@here.example,deep%d@here.example,1\n", i, i + 1);
    write_file(world, "forwards.csv", strbuf_text(&text));
    strbuf_free(&text);
}

/* OPTIONS "-": no SRS. */
static void world_open(struct world *world, const char *options, const char *more)
{
    char text[4096], path[128];
    struct conf_problems problems = {report, NULL, 0};
    *world = (struct world){.directory = "/tmp/postern-srs-XXXXXX"};
    assert_non_null(mkdtemp(world->directory));
    write_tables(world);
    write_file(world, "aliases", LOCAL);
    write_file(world, "secrets", "a secret of the tests\n");
    snprintf(text, sizeof text,
             "hostname = \"mx.here.example\"\nstate_directory = \"%s\"\nstore = \"sqlite:%s/store.db\"\n"
             "local_domains = { \"here.example\", \"mapped.example\", \"second.example\" }\n"
             "trusted_networks = { \"127.0.0.0/8\", \"192.0.2.0/24\" }\nmessage { directory = \"/tmp\" }\n"
             "log { level = error }\nhelo { mode = off }\n%sdkim { mode = off }\ndmarc { mode = off }\n"
             "attachments { mode = off }\nauthres { mode = off }\nautoreply { mode = off }\n"
             "aliases { tables = { \"virtual:%s/virtual\", \"aliases:%s/aliases\" } }\n"
             "forwards { table = \"csv:%s/forwards.csv\" }\n"
             "srs { %s\nsecrets_file = \"%s/secrets\"\n%s\n}\n%s\n",
             world->directory, world->directory, strstr(more, "spf {") ? "" : "spf { mode = off }\n", world->directory,
             world->directory, world->directory,
             *options == '-' ? ""
                             : "domain = \"srs.example\"\ndomain_map = { \"mapped.example=srs2.example\", "
                               "\"second.example=srs2.example\" }",
             world->directory, *options == '-' ? options + 1 : options, more);
    write_file(world, "postern.conf", text);
    snprintf(path, sizeof path, "%s/postern.conf", world->directory);
    world->engine = engine_create(path, &problems);
    assert_non_null(world->engine);
    const struct srs_check_options *check = conf_get(world->engine->conf, "srs");
    struct services *services = &world->engine->services;
    services->state = state_open(&world->engine->settings, path, &problems);
    assert_non_null(services->state);
    services->forwarding = forwarding_open(&world->engine->settings, &check->forwarding, services->state, path, true,
                                           &problems);
    assert_non_null(services->forwarding);
    world->session = session_create();
}

static void world_close(struct world *world)
{
    char command[128];
    message_end(&world->message);
    session_destroy(world->session);
    forwarding_close(world->engine->services.forwarding);
    state_close(world->engine->services.state);
    engine_destroy(world->engine);
    snprintf(command, sizeof command, "rm -r %s", world->directory);
    assert_int_equal(system(command), 0);
}

/* "SRS0=hash=TT=" is different each day: "SRS0=*=". */
static void add_plain(struct strbuf *out, const char *address)
{
    const char *at = strchr(address, '@');
    if (strncmp(address, "SRS0=", 5) == 0 && at && at - address > 13)
        strbuf_printf(out, "SRS0=*=%s", address + 13);
    else if (strncmp(address, "SRS1=", 5) == 0)
        strbuf_printf(out, "SRS1=*=%s", address + 10);
    else
        strbuf_puts(out, *address ? address : "<>");
}

/* "F:sender -removed +added" and ", copy from to to" of what the last message caused. */
static void describe(const struct world *world, struct strbuf *out)
{
    static const char marks[] = {[EDIT_CHANGE_SENDER] = 'F', [EDIT_DELETE_RECIPIENT] = '-', [EDIT_ADD_RECIPIENT] = '+'};
    const struct edits *edits = &world->message->edits;
    struct arena *arena = arena_create(4096);
    struct spool_entry *entries;
    size_t count;
    const char *problem;
    if (edits->discards)
        strbuf_puts(out, "discard ");
    for (size_t i = 0; i < edits->count && !edits->discards; i++) {
        if (edits->items[i].kind < EDIT_CHANGE_SENDER)
            continue;
        strbuf_printf(out, "%c", marks[edits->items[i].kind]);
        add_plain(out, edits->items[i].value);
        strbuf_putc(out, ' ');
    }
    assert_int_equal(spool_list(world->engine->services.state->spool, arena, &entries, &count, &problem), 0);
    for (size_t i = 0; i < count; i++) {
        strbuf_puts(out, "{");
        add_plain(out, entries[i].reverse_path);
        strbuf_printf(out, " > %s} ", entries[i].forward_paths);
    }
    assert_true(spool_delete(world->engine->services.state->spool, 0, &problem) >= 0);
    arena_destroy(arena);
}

struct mail {
    const char *client, *login, *from;
    const char *to[4];
    const char *field; /* of the header, "Name: value" */
};

/* One message; what the last phase answers. REFUSED: the reply to the first recipient that was refused. */
static struct outcome play(struct world *world, const struct mail *mail, const char **refused)
{
    const struct engine *engine = world->engine;
    struct outcome outcome = {OUTCOME_CONTINUE, NULL};
    message_end(&world->message);
    assert_int_equal(netaddr_parse(mail->client, &world->session->client), 0);
    runner_connect(engine, world->session);
    runner_helo(engine, world->session, "mail.sender.example");
    session_identify(world->session, mail->login, NULL);
    struct message *message = world->message =
        message_begin(world->session, &engine->settings, &engine->plan, mail->from, NOW);
    *refused = NULL;
    for (size_t i = 0; i < 4 && mail->to[i]; i++) {
        outcome = runner_rcpt(engine, world->session, message, message_add_rcpt(message, mail->to[i], NULL));
        if (outcome.reply && !*refused)
            *refused = outcome.reply;
    }
    if (message->standing_count == 0)
        return outcome;
    runner_data(engine, world->session, message);
    if (mail->field) {
        const char *colon = strchr(mail->field, ':');
        message_add_header(message, (struct span){mail->field, (size_t)(colon - mail->field)}, span_of(colon + 1));
    }
    message_add_header(message, span_of("Subject"), span_of(" hello"));
    message_end_header(message);
    runner_eoh(engine, world->session, message);
    runner_body(engine, world->session, message, span_of("text\r\n"));
    outcome = runner_eom(engine, world->session, message);
    return runner_finish(engine, world->session, message, false);
}

static void expect(struct world *world, const struct mail *mail, const char *expected)
{
    struct strbuf text;
    const char *refused;
    strbuf_init(&text, 0);
    struct outcome outcome = play(world, mail, &refused);
    if (outcome.reply || refused)
        strbuf_printf(&text, "%.9s ", outcome.reply ? outcome.reply : refused);
    if (!outcome.reply)
        describe(world, &text);
    if (strcmp(strbuf_text(&text), expected) != 0)
        fail_msg("%s to %s: \"%s\" and not \"%s\"", mail->from, mail->to[0], strbuf_text(&text), expected);
    strbuf_free(&text);
}

#define OUTSIDE "203.0.113.5"
#define HERE "127.0.0.1"
#define TRUSTED "192.0.2.9"
#define SRS "SRS0=*=sender.example=s@srs.example"

static void what_becomes_of_an_envelope(void **state)
{
    (void)state;
    static const struct {
        struct mail mail;
        const char *expected;
    } rows[] = {
        /* local delivery is never touched */
        {{OUTSIDE, NULL, "s@sender.example", {"alice@here.example"}, NULL}, ""},
        {{OUTSIDE, NULL, "s@sender.example", {"home@here.example", "alice@here.example"}, NULL}, ""},
        /* all of it leaves by aliases: one reverse-path, and the MTA does the rest */
        {{OUTSIDE, NULL, "s@sender.example", {"sales@here.example"}, NULL}, "F" SRS " "},
        {{OUTSIDE, NULL, "s@sender.example", {"two@here.example", "Sales+tag@HERE.example"}, NULL}, "F" SRS " "},
        {{OUTSIDE, NULL, "s@sender.example", {"gone@mx.here.example"}, NULL}, "F" SRS " "},
        /* by our table */
        {{OUTSIDE, NULL, "s@sender.example", {"moved@here.example"}, NULL},
         "F" SRS " -moved@here.example +m@remote.example "},
        {{OUTSIDE, NULL, "s@sender.example", {"chain@here.example"}, NULL},
         "F" SRS " -chain@here.example +m@remote.example "},
        {{OUTSIDE, NULL, "s@sender.example", {"viatable@here.example"}, NULL},
         "F" SRS " -viatable@here.example +m@remote.example "},
        {{OUTSIDE, NULL, "s@sender.example", {"inside@here.example"}, NULL}, "-inside@here.example +bob@here.example "},
        /* somebody here and somebody elsewhere: a copy */
        {{OUTSIDE, NULL, "s@sender.example", {"alice@here.example", "sales@here.example"}, NULL},
         "-sales@here.example {" SRS " > x@remote.example} "},
        {{OUTSIDE, NULL, "s@sender.example", {"copy@here.example"}, NULL}, "{" SRS " > c@remote.example} "},
        {{OUTSIDE, NULL, "s@sender.example", {"both@here.example"}, NULL},
         "-both@here.example +alice@here.example {" SRS " > x@remote.example} "},
        {{OUTSIDE, NULL, "s@sender.example", {"both@here.example", "sales@here.example", "alice@here.example"}, NULL},
         "-both@here.example -sales@here.example {" SRS " > x@remote.example} "}, /* alice is there already */
        {{OUTSIDE, NULL, "s@sender.example", {"home@here.example", "moved@here.example"}, NULL},
         "-moved@here.example {" SRS " > m@remote.example} "},
        /* an alias that lists itself would be expanded again: both go by copies, and nobody is left */
        {{OUTSIDE, NULL, "s@sender.example", {"self@here.example"}, NULL},
         "discard {s@sender.example > self@here.example} {" SRS " > y@remote.example} "},
        {{OUTSIDE, NULL, "s@sender.example", {"toself@here.example", "alice@here.example"}, NULL},
         "-toself@here.example {s@sender.example > self@here.example} {" SRS " > y@remote.example} "},
        /* local(8) does that by itself, again and again: the socketmap's work */
        {{OUTSIDE, NULL, "s@sender.example", {"keeper@mx.here.example"}, NULL}, ""},
        /* what is more than addresses is not taken apart: the command and the file would get nothing */
        {{OUTSIDE, NULL, "s@sender.example", {"desk@mx.here.example", "alice@here.example"}, NULL}, ""},
        {{OUTSIDE, NULL, "s@sender.example", {"filed@mx.here.example", "sales@here.example"}, NULL},
         "-sales@here.example {" SRS " > x@remote.example} "},
        {{OUTSIDE, NULL, "s@sender.example", {"listed@mx.here.example", "alice@here.example"}, NULL}, ""},
        {{OUTSIDE, NULL, "s@sender.example", {"huge@here.example", "alice@here.example"}, NULL}, ""},
        {{OUTSIDE, NULL, "s@sender.example", {"tohuge@here.example"}, NULL}, "-tohuge@here.example +huge@here.example "},
        {{OUTSIDE, NULL, "s@sender.example", {"bin@mx.here.example", "alice@here.example"}, NULL},
         "-bin@mx.here.example {" SRS " > b@remote.example} "},
        /* this host is here, whether or not local_domains names it */
        {{OUTSIDE, NULL, "s@sender.example", {"tohost@here.example", "alice@here.example"}, NULL}, ""},
        {{OUTSIDE, NULL, "s@sender.example", {"tolocalhost@here.example"}, NULL}, ""},
        {{HERE, NULL, "root@mx.here.example", {"sales@here.example"}, NULL}, ""},
        {{HERE, NULL, "root@localhost", {"sales@here.example"}, NULL}, ""},
        /* one copy for each SRS domain */
        {{OUTSIDE, NULL, "s@sender.example", {"other@mapped.example"}, NULL},
         "FSRS0=*=sender.example=s@srs2.example "},
        {{OUTSIDE, NULL, "s@sender.example", {"sales@second.example"}, NULL}, "FSRS0=*=sender.example=s@srs2.example "},
        {{OUTSIDE, NULL, "s@sender.example", {"other@mapped.example", "sales@here.example"}, NULL},
         "discard {SRS0=*=sender.example=s@srs2.example > z@remote.example} {" SRS " > x@remote.example} "},
        /* what leads to nobody is not thrown away; what leads too far is not carried out in part */
        {{OUTSIDE, NULL, "s@sender.example", {"alice@here.example", "round@here.example"}, NULL}, "554 5.4.6 "},
        {{OUTSIDE, NULL, "s@sender.example", {"deep0@here.example"}, NULL}, "451 4.3.0 "},
        {{OUTSIDE, NULL, "s@sender.example", {"many@here.example", "sales@here.example"}, NULL},
         "-sales@here.example {" SRS " > x@remote.example} "},
        /* senders that stay as they are; our table works all the same */
        {{OUTSIDE, NULL, "<>", {"sales@here.example"}, NULL}, ""},
        {{OUTSIDE, NULL, "<>", {"moved@here.example"}, NULL}, "-moved@here.example +m@remote.example "},
        {{OUTSIDE, NULL, "b@here.example", {"sales@here.example"}, NULL}, ""},
        {{OUTSIDE, NULL, "b@here.example", {"copy@here.example"}, NULL}, "+c@remote.example "},
        {{OUTSIDE, NULL, "SRS0=aaaa=AA=x.example=y@srs.example", {"sales@here.example"}, NULL}, ""},
        {{OUTSIDE, NULL, "nodomain", {"sales@here.example"}, NULL}, ""},
        {{OUTSIDE, NULL, "SRS0=aaaa=AA=x.example=y@mid.example", {"sales@here.example"}, NULL},
         "FSRS1=*=mid.example==aaaa=AA=x.example=y@srs.example "},
        /* what is merely relayed; and a redirection that came back to this host */
        {{OUTSIDE, NULL, "s@sender.example", {"x@remote.example"}, NULL}, ""},
        {{TRUSTED, NULL, "s@sender.example", {"x@remote.example"}, NULL}, ""},
        {{HERE, "alice", "s@sender.example", {"x@remote.example"}, NULL}, ""},
        {{HERE, NULL, "b@here.example", {"x@remote.example"}, NULL}, ""},
        {{HERE, NULL, "s@sender.example", {"x@remote.example"}, NULL}, "F" SRS " "},
        {{HERE, NULL, "s@sender.example", {"x@remote.example", "alice@here.example"}, NULL},
         "-x@remote.example {" SRS " > x@remote.example} "},
    };
    struct world world;
    world_open(&world, "", "");
    for (size_t i = 0; i < SIZE(rows); i++)
        expect(&world, &rows[i].mail, rows[i].expected);
    world_close(&world);
}

static void one_reverse_path_for_all(void **state)
{
    (void)state;
    static const struct mail mail = {OUTSIDE, NULL, "s@sender.example", {"alice@here.example", "self@here.example"}, NULL};
    static const struct mail table = {OUTSIDE, NULL, "s@sender.example", {"copy@here.example"}, NULL};
    struct world world;
    world_open(&world, "mixed = rewrite", "");
    expect(&world, &mail, "F" SRS " ");
    expect(&world, &table, "F" SRS " +c@remote.example ");
    assert_false(world.engine->plan.needs & NEEDS_CONTENT);
    world_close(&world);
}

static void without_a_domain_only_the_table_works(void **state)
{
    (void)state;
    static const struct mail mail = {OUTSIDE, NULL, "s@sender.example", {"copy@here.example", "sales@here.example"}, NULL};
    struct world world;
    world_open(&world, "-", "");
    expect(&world, &mail, "+c@remote.example ");
    world_close(&world);
}

/* The genuine address of ORIGINAL at DOMAIN, AGE days old. */
static const char *srs_of(const struct world *world, const char *original, const char *domain, int age)
{
    static const char *result;
    struct arena *arena = world->engine->services.forwarding->arena;
    assert_int_equal(srs_forward(world->engine->services.forwarding->srs, arena, original, domain,
                                 NOW - (int64_t)age * 86400, false, &result),
                     SRS_OK);
    return result;
}

static void the_way_back(void **state)
{
    (void)state;
    struct world world;
    struct arena *arena = arena_create(1024);
    world_open(&world, "", "");
    const char *genuine = srs_of(&world, "s@sender.example", "srs.example", 3);
    const char *old = srs_of(&world, "s@sender.example", "srs.example", 30);
    const char *twice = srs_of(&world, genuine, "srs2.example", 0);
    const char *local = srs_of(&world, "sales@here.example", "srs.example", 0);
    const char *foreign = arena_printf(arena, "%.*s@elsewhere.example", (int)(strchr(genuine, '@') - genuine), genuine);
    char *forged = arena_strdup(arena, genuine);
    forged[5] = forged[5] == 'a' ? 'b' : 'a';
    char *lower = arena_strdup(arena, genuine);
    for (char *p = lower; *p; p++)
        *p |= *p >= 'A' && *p <= 'Z' ? 32 : 0;
    const struct {
        struct mail mail;
        const char *expected;
    } rows[] = {
        {{OUTSIDE, NULL, "<>", {genuine}, NULL}, arena_printf(arena, "-" SRS " +s@sender.example ")},
        /* not the null reverse-path, so it travels on like anything else */
        {{OUTSIDE, NULL, "MAILER-DAEMON@remote.example", {genuine}, NULL},
         "FSRS0=*=remote.example=MAILER-DAEMON@srs.example -" SRS " +s@sender.example "},
        {{OUTSIDE, NULL, "postmaster@remote.example", {genuine}, NULL},
         "FSRS0=*=remote.example=postmaster@srs.example -" SRS " +s@sender.example "},
        {{OUTSIDE, NULL, "<>", {lower}, NULL}, arena_printf(arena, "-%s +s@sender.example ", lower)},
        {{OUTSIDE, NULL, "<>", {twice}, NULL}, arena_printf(arena, "-SRS1=*=%s +s@sender.example ", twice + 10)},
        {{OUTSIDE, NULL, "<>", {local}, NULL}, "-SRS0=*=here.example=sales@srs.example +x@remote.example "},
        {{OUTSIDE, NULL, "<>", {foreign}, NULL}, ""},
        {{OUTSIDE, NULL, "<>", {"SRS0-team@here.example"}, NULL}, ""},
        {{OUTSIDE, NULL, "<>", {forged}, NULL}, "550 5.1.1 "},
        {{OUTSIDE, NULL, "<>", {old}, NULL}, "550 5.7.1 "},
        {{OUTSIDE, NULL, "<>", {"SRS0=x@srs.example"}, NULL}, "550 5.1.1 "},
        {{OUTSIDE, NULL, "s@sender.example", {genuine}, NULL}, "550 5.7.1 "},
        {{HERE, NULL, "s@sender.example", {genuine}, NULL}, "550 5.7.1 "},
        {{OUTSIDE, "alice", "b@here.example", {genuine}, NULL}, "550 5.7.1 "},
        {{OUTSIDE, NULL, "mailer-daemons@remote.example", {genuine}, NULL}, "550 5.7.1 "},
        {{OUTSIDE, NULL, "<>", {"alice@here.example", genuine}, NULL}, "-" SRS " +s@sender.example "},
    };
    for (size_t i = 0; i < SIZE(rows); i++)
        expect(&world, &rows[i].mail, rows[i].expected);
    world_close(&world);
    world_open(&world, "reverse_any_sender = yes", "");
    genuine = srs_of(&world, "s@sender.example", "srs.example", 3);
    const struct mail any = {OUTSIDE, NULL, "p@person.example", {genuine}, NULL};
    expect(&world, &any, "FSRS0=*=person.example=p@srs.example -" SRS " +s@sender.example ");
    world_close(&world);
    arena_destroy(arena);
}

static void what_was_sent_on_before(void **state)
{
    (void)state;
    static const char *const recipients[] = {"sales@here.example"};
    struct arena *arena = arena_create(1024);
    const char *trace = trace_value(arena, "mx2.here.example", "4ABC", recipients, 1);
    const char *other[] = {"somebody@else.example"};
    const char *hop = arena_printf(arena, "X-Postern-Forwarded: %s", trace_value(arena, "far.example", "1", other, 1));
    const struct {
        struct mail mail;
        const char *expected;
    } rows[] = {
        {{OUTSIDE, NULL, "s@sender.example", {"sales@here.example"}, arena_printf(arena, "X-Postern-Forwarded: %s", trace)},
         "554 5.4.6 "},
        {{OUTSIDE, NULL, "s@sender.example", {"both@here.example", "Sales+x@here.example"},
          arena_printf(arena, "x-postern-forwarded: %s", trace)},
         "554 5.4.6 "},
        {{OUTSIDE, NULL, "s@sender.example", {"moved@here.example"}, arena_printf(arena, "X-Postern-Forwarded: %s", trace)},
         "F" SRS " -moved@here.example +m@remote.example "},
        {{OUTSIDE, NULL, "s@sender.example", {"alice@here.example"}, arena_printf(arena, "X-Postern-Forwarded: %s", trace)},
         ""},
        {{OUTSIDE, NULL, "s@sender.example", {"sales@here.example"}, "Delivered-To: SALES@here.example"}, "554 5.4.6 "},
        {{OUTSIDE, NULL, "s@sender.example", {"sales@here.example"}, "Delivered-To: alice@here.example"}, "F" SRS " "},
        {{OUTSIDE, NULL, "<>", {"sales@here.example"}, arena_printf(arena, "X-Postern-Forwarded: %s", trace)},
         "554 5.4.6 "},
        {{OUTSIDE, NULL, "s@sender.example", {"sales@here.example"}, hop}, "F" SRS " "},
    };
    struct world world;
    world_open(&world, "max_hops = 1", "");
    for (size_t i = 0; i < SIZE(rows); i++)
        expect(&world, &rows[i].mail, rows[i].expected);
    world_close(&world);
    arena_destroy(arena);
}

static void our_own_mail_is_signed(void **state)
{
    (void)state;
    static const struct {
        struct mail mail;
        const char *expected;
    } rows[] = {
        {{OUTSIDE, "alice", "a@here.example", {"x@remote.example"}, NULL}, "FSRS0=*=here.example=a@srs.example "},
        {{TRUSTED, NULL, "a@here.example", {"x@remote.example", "bob@here.example"}, NULL},
         "-x@remote.example {SRS0=*=here.example=a@srs.example > x@remote.example} "},
        {{OUTSIDE, NULL, "a@here.example", {"x@remote.example"}, NULL}, ""},
        {{OUTSIDE, "alice", "a@mapped.example", {"x@remote.example"}, NULL}, ""},
        {{OUTSIDE, "alice", "a@here.example", {"bob@here.example"}, NULL}, ""},
        {{OUTSIDE, NULL, "<>", {"a@here.example"}, NULL}, "550 5.7.1 "},
        {{OUTSIDE, NULL, "<>", {"SRS0=aaaa=AA=x.example=y@here.example"}, NULL}, "550 5.7.1 "}, /* of nobody's making */
        {{OUTSIDE, NULL, "<>", {"postmaster@here.example"}, NULL}, ""},
        {{OUTSIDE, NULL, "<>", {"a@mapped.example"}, NULL}, ""},
        {{OUTSIDE, NULL, "s@sender.example", {"a@here.example"}, NULL}, ""},
        {{HERE, NULL, "<>", {"a@here.example"}, NULL}, ""},
    };
    struct world world;
    world_open(&world, "sign_outgoing = { \"here.example\" }", "bounces { require_srs = yes }");
    for (size_t i = 0; i < SIZE(rows); i++)
        expect(&world, &rows[i].mail, rows[i].expected);
    world_close(&world);
}

static void a_sender_whose_record_permits_us(void **state)
{
    (void)state;
    static const struct dns_fake_row zone[] = {
        {"sender.example", DNS_TXT, DNS_ANSWER, "v=spf1 ip4:198.51.100.1 ip4:198.51.100.2 -all"},
        {"one.example", DNS_TXT, DNS_ANSWER, "v=spf1 ip4:198.51.100.1 -all"},
        {"dead.example", DNS_TXT, DNS_SERVFAIL, NULL},
    };
    static const struct {
        struct mail mail;
        const char *expected;
    } rows[] = {
        {{OUTSIDE, NULL, "s@sender.example", {"sales@here.example"}, NULL}, ""},
        {{OUTSIDE, NULL, "s@sender.example", {"copy@here.example"}, NULL}, "+c@remote.example "},
        {{OUTSIDE, NULL, "s@one.example", {"sales@here.example"}, NULL}, "FSRS0=*=one.example=s@srs.example "},
        {{OUTSIDE, NULL, "s@dead.example", {"sales@here.example"}, NULL}, "FSRS0=*=dead.example=s@srs.example "},
        {{OUTSIDE, NULL, "s@none.example", {"sales@here.example"}, NULL}, "FSRS0=*=none.example=s@srs.example "},
        /* own_addresses are this host, too */
        {{TRUSTED, NULL, "s@one.example", {"x@remote.example"}, NULL}, ""},
    };
    struct world world;
    world_open(&world, "spf_aware = yes\nown_addresses = { \"198.51.100.1\", \"198.51.100.2\" }", "");
    world.engine->services.dns = dns_create_fake(zone, SIZE(zone));
    for (size_t i = 0; i < SIZE(rows); i++)
        expect(&world, &rows[i].mail, rows[i].expected);
    dns_destroy(world.engine->services.dns);
    world_close(&world);
}

/* Suspicious mail stays at home where somebody there gets it; what else could be done with the rest? */
static void suspicious_mail_stays_at_home(void **state)
{
    (void)state;
    static const struct {
        const char *to[2];
        const char *expected;
    } rows[] = {
        {{"copy@here.example", NULL}, ""},
        {{"both@here.example", NULL}, "-both@here.example +alice@here.example "},
        {{"self@here.example", NULL}, "discard {s@soft.example > self@here.example} "},
        {{"sales@here.example", NULL}, "FSRS0=*=soft.example=s@srs.example "},
        {{"moved@here.example", NULL}, "FSRS0=*=soft.example=s@srs.example -moved@here.example +m@remote.example "},
    };
    static const struct dns_fake_row zone[] = {{"soft.example", DNS_TXT, DNS_ANSWER, "v=spf1 ~all"}};
    struct world world;
    world_open(&world, "forward_tagged = no", "spf { defer_to_dmarc = no }");
    world.engine->services.dns = dns_create_fake(zone, SIZE(zone));
    for (size_t i = 0; i < SIZE(rows); i++) {
        const struct mail mail = {OUTSIDE, NULL, "s@soft.example", {rows[i].to[0]}, NULL};
        expect(&world, &mail, rows[i].expected);
        assert_int_equal(world.message->verdict.disposition, DISPOSITION_TAG);
    }
    dns_destroy(world.engine->services.dns);
    world_close(&world);
}

/* A copy for here is due even where no reverse-path is rewritten, so the content must be there. */
static void what_stays_at_home_needs_no_domain(void **state)
{
    (void)state;
    static const struct dns_fake_row zone[] = {{"soft.example", DNS_TXT, DNS_ANSWER, "v=spf1 ~all"}};
    static const struct mail mail = {OUTSIDE, NULL, "s@soft.example", {"self@here.example"}, NULL};
    struct world world;
    world_open(&world, "-forward_tagged = no", "spf { defer_to_dmarc = no }");
    world.engine->services.dns = dns_create_fake(zone, SIZE(zone));
    assert_true(world.engine->plan.needs & NEEDS_CONTENT);
    expect(&world, &mail, "discard {s@soft.example > self@here.example} ");
    dns_destroy(world.engine->services.dns);
    world_close(&world);
}

/* What cannot be done whole is not done in part: the message goes on as it came. */
static void an_envelope_that_cannot_be_said(void **state)
{
    (void)state;
    static const char *const options[] = {"on_error = accept", ""}, *const expected[] = {"", "451 4.3.0 "};
    for (size_t i = 0; i < SIZE(options); i++) {
        struct world world;
        char bare[128];
        world_open(&world, options[i], "");
        const char *quoted = srs_of(&world, "\"a b\"@sender.example", "srs.example", 0);
        const char *end = strrchr(quoted, '"');
        snprintf(bare, sizeof bare, "%.*s%s", (int)(end - quoted - 1), quoted + 1, end + 1);
        const struct mail mail = {OUTSIDE, NULL, "<>", {"moved@here.example", bare}, NULL};
        expect(&world, &mail, expected[i]);
        world_close(&world);
    }
}

/* The trace field of the copy that the last message left for RECIPIENT; the spool is empty then. */
static const char *trace_of_copy(const struct world *world, struct arena *arena, const char *recipient)
{
    struct spool *spool = world->engine->services.state->spool;
    struct spool_entry *entries, entry;
    struct span content = {"", 0};
    size_t count;
    const char *problem;
    assert_int_equal(spool_list(spool, arena, &entries, &count, &problem), 0);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(entries[i].forward_paths, recipient) == 0)
            assert_int_equal(spool_show(spool, arena, entries[i].id, &entry, &content, &problem), 0);
    }
    assert_true(spool_delete(spool, 0, &problem) >= 0);
    const char *text = arena_spandup(arena, content), *end = strstr(text, "\r\nSubject:");
    return end && strncmp(text, TRACE_FIELD ":", strlen(TRACE_FIELD) + 1) == 0
               ? arena_spandup(arena, (struct span){text, (size_t)(end - text)})
               : NULL;
}

/* The port for copies expands aliases after all, and filters: that is one round, not one after the other for ever. */
static void a_copy_that_comes_back(void **state)
{
    (void)state;
    static const struct {
        const char *options, *login, *from;
    } rows[] = {{"", NULL, "s@sender.example"}, {"sign_outgoing = { \"here.example\" }", "bob", "b@here.example"}};
    for (size_t i = 0; i < SIZE(rows); i++) {
        struct world world;
        const char *refused;
        struct arena *arena = arena_create(4096);
        world_open(&world, rows[i].options, "");
        struct mail mail = {OUTSIDE, rows[i].login, rows[i].from, {"self@here.example"}, NULL};
        assert_int_equal(play(&world, &mail, &refused).action, OUTCOME_DISCARD);
        mail.client = HERE;
        mail.login = NULL;
        mail.field = trace_of_copy(&world, arena, "self@here.example");
        assert_non_null(mail.field);
        expect(&world, &mail, "554 5.4.6 ");
        world_close(&world);
        arena_destroy(arena);
    }
}

/* Tags make every recipient lead to other addresses: memory for one message must have an end. */
static void recipients_that_lead_to_too_many(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, "", "");
    struct arena *arena = arena_create(65536);
    struct session *session = world.session;
    struct message *message =
        message_begin(session, &world.engine->settings, &world.engine->plan, "s@sender.example", NOW);
    struct travel_recipient *recipients = ARENA_ARRAY(arena, struct travel_recipient, 200);
    for (size_t i = 0; i < 200; i++)
        recipients[i] = (struct travel_recipient){.given = arena_printf(arena, "list0+%zu@here.example", i)};
    struct travel_question question = {.forwarding = world.engine->services.forwarding,
                                       .message = message,
                                       .recipients = recipients,
                                       .recipient_count = 120}; /* 799 addresses each */
    struct travel travel = travel_find(arena, &question);
    assert_null(travel.problem);
    assert_int_equal(travel.forwarded_count, 120);
    question.recipient_count = 200;
    travel = travel_find(arena, &question);
    assert_non_null(travel.problem);
    message_end(&message);
    arena_destroy(arena);
    world_close(&world);
}

static void note_problem(void *context, const char *text)
{
    snprintf(context, 256, "%s", text);
}

static void options_that_contradict_each_other(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, "", "");
    const struct forwarding_options *good = world.engine->services.forwarding->options;
    struct forwarding_options tagged = *good, nowhere = *good;
    tagged.mixed = FORWARDING_REWRITE;
    tagged.forward_tagged = false;
    nowhere.domain = NULL;
    const struct {
        const struct forwarding_options *options;
        const char *expected;
    } rows[] = {{&tagged, "x: srs: forward_tagged: with mixed = rewrite"}, {&nowhere, "x: srs: domain_map: domain is empty"}};
    for (size_t i = 0; i < SIZE(rows); i++) {
        char text[256] = "";
        struct conf_problems problems = {note_problem, text, 0};
        assert_null(forwarding_open(&world.engine->settings, rows[i].options, world.engine->services.state, "x", false,
                                    &problems));
        assert_non_null(strstr(text, rows[i].expected));
        assert_int_equal(problems.count, 1);
    }
    world_close(&world);
}

static char *submit_of_first(const struct world *world, struct arena *arena)
{
    sqlite3 *db;
    sqlite3_stmt *rows;
    char *text = NULL;
    assert_int_equal(sqlite3_open(arena_printf(arena, "%s/spool.db", world->directory), &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT submit FROM entry WHERE kind = 'report'", -1, &rows, NULL), SQLITE_OK);
    if (sqlite3_step(rows) == SQLITE_ROW)
        text = arena_strdup(arena, (const char *)sqlite3_column_text(rows, 0));
    sqlite3_finalize(rows);
    sqlite3_close(db);
    return text;
}

/* A report goes out even if the queue is full, for its entry leaves; to whom is here by the usual port, where aliases
 * are expanded. */
static void a_report_is_not_lost(void **state)
{
    (void)state;
    static const struct {
        const char *to, *submit;
    } rows[] = {{"s@sender.example", "smtp://127.0.0.1:10026"}, {"b@here.example", ""}, {"root@localhost", ""}};
    static const struct spool_refused refused = {"x@remote.example", NULL, SPOOL_REFUSED, "550 5.1.1 who?"};
    for (size_t i = 0; i < SIZE(rows); i++) {
        struct world world;
        int64_t id;
        struct arena *arena = arena_create(4096);
        world_open(&world, "", "spool { max_messages = 1 }");
        struct spool *spool = world.engine->services.state->spool;
        const struct spool_message filler = {.kind = COPIES_KIND, .reverse_path = "", .forward_paths = &rows[i].to,
                                             .forward_path_count = 1, .content = span_of("x")};
        assert_int_equal(spool_add(spool, &filler, NOW, &id), SPOOL_OK);
        const struct spool_left left = {.id = id, .kind = COPIES_KIND, .memo = rows[i].to, .reverse_path = "r@srs.example",
                                        .end = SPOOL_REFUSED, .refused = &refused, .refused_count = 1,
                                        .header = {"", 0}, .added = NOW, .now = NOW};
        const char *aside = arena_printf(arena, "%s.aside", world.directory);
        assert_int_equal(rename(world.directory, aside), 0);
        assert_false(nondelivery_after(world.engine->services.forwarding, &left)); /* to be asked again */
        assert_int_equal(rename(aside, world.directory), 0);
        assert_true(nondelivery_after(world.engine->services.forwarding, &left));
        const char *submit = submit_of_first(&world, arena);
        assert_non_null(submit);
        assert_string_equal(submit, rows[i].submit);
        world_close(&world);
        arena_destroy(arena);
    }
}

/* An ORCPT in UTF-8 is no reason to keep the message out. */
static void parameters_that_travel_on(void **state)
{
    (void)state;
    struct arena *arena = arena_create(1024);
    assert_string_equal(copies_rcpt_parameters(arena, "notify=NEVER X=1 ORCPT=rfc822;a@b"), "notify=NEVER ORCPT=rfc822;a@b");
    assert_string_equal(copies_rcpt_parameters(arena, "NOTIFY=FAILURE ORCPT=utf-8;\xc3\xa4@b.example"), "NOTIFY=FAILURE");
    assert_null(copies_rcpt_parameters(arena, "ORCPT=utf-8;\xc3\xa4@b.example"));
    assert_null(copies_rcpt_parameters(arena, "ORCPT=rfc822;a\r\nRCPT"));
    assert_null(copies_rcpt_parameters(arena, NULL));
    arena_destroy(arena);
}

#define MANY 20000

/* Thousands of recipients cost what they cost one by one. */
static void many_recipients_are_fast(void **state)
{
    (void)state;
    struct arena *arena = arena_create(65536);
    struct dispatch_recipient *recipients = ARENA_ARRAY(arena, struct dispatch_recipient, MANY);
    const char **names = ARENA_ARRAY(arena, const char *, MANY);
    for (size_t i = 0; i < MANY; i++) {
        struct route *route = ARENA_NEW(arena, struct route);
        *route = (struct route){arena_printf(arena, "target%zu@remote.example", i), true, false, false};
        names[i] = arena_printf(arena, "recipient%zu@here.example", i);
        recipients[i] = (struct dispatch_recipient){
            .given = names[i], .routes = {.items = route, .count = 1, .canonical = names[i], .by_table = true, .stays = i % 2}};
    }
    const struct dispatch_options options = {.splits = true};
    int64_t start = clock_monotonic_us();
    struct dispatch dispatch = dispatch_plan(arena, recipients, MANY, &options);
    assert_int_equal(dispatch.added_count, MANY);
    assert_int_equal(dispatch.removed_count, MANY / 2);
    assert_true(clock_monotonic_us() - start < 500000);
    size_t size = 1 << 20;
    char *text = arena_alloc(arena, size);
    for (size_t i = 0; i < size; i++)
        text[i] = "0123456789abcdef,"[i % 17];
    struct header_field fields[2] = {{span_of(TRACE_FIELD), {text, size}},
                                     {span_of("Delivered-To"), span_of(" Recipient19999@HERE.example")}};
    struct message message = {.headers = fields, .header_count = 2};
    start = clock_monotonic_us();
    struct trace trace = trace_find(arena, &message, names, MANY);
    assert_true(clock_monotonic_us() - start < 1000000);
    assert_string_equal(trace.seen_again, names[19999]);
    assert_int_equal(trace.hops, 1);
    arena_destroy(arena);
}

/* What is held goes nowhere by itself: no copies, the envelope as it will be if somebody releases it. */
static void a_held_message_is_not_split(void **state)
{
    (void)state;
    static const struct mail mail = {OUTSIDE, NULL, "s@soft.example", {"alice@here.example", "sales@here.example"}, NULL};
    static const struct dns_fake_row zone[] = {{"soft.example", DNS_TXT, DNS_ANSWER, "v=spf1 ~all"}};
    struct world world;
    world_open(&world, "", "spf { softfail = quarantine }");
    world.engine->services.dns = dns_create_fake(zone, SIZE(zone));
    expect(&world, &mail, "FSRS0=*=soft.example=s@srs.example ");
    assert_int_equal(world.message->verdict.disposition, DISPOSITION_QUARANTINE);
    dns_destroy(world.engine->services.dns);
    world_close(&world);
}

/* A dry run, and monitor mode, change nothing and keep nothing. */
static void a_trial_only_says_so(void **state)
{
    (void)state;
    static const struct mail mail = {OUTSIDE, NULL, "s@sender.example", {"copy@here.example", "self@here.example"}, NULL};
    const char *refused;
    struct world world;
    world_open(&world, "mode = monitor", "");
    expect(&world, &mail, "");
    world_close(&world);
    world_open(&world, "", "");
    world.engine->services.is_trial = true;
    play(&world, &mail, &refused);
    const struct fact *fact = facts_get(&world.message->facts, "srs");
    assert_non_null(strstr(fact->text, "copy from <SRS0="));
    assert_non_null(strstr(fact->text, "without self@here.example"));
    expect(&world, &mail, "-self@here.example "); /* for who explains; nothing is in the spool */
    world_close(&world);
}

static void a_full_spool_is_a_4xx(void **state)
{
    (void)state;
    static const struct mail mail = {OUTSIDE, NULL, "s@sender.example", {"alice@here.example", "sales@here.example"}, NULL};
    static const struct mail two = {OUTSIDE, NULL, "s@sender.example", {"other@mapped.example", "sales@here.example"}, NULL};
    struct world world;
    const char *refused;
    world_open(&world, "", "spool { max_messages = 1 }");
    expect(&world, &two, "452 4.3.1 ");
    assert_string_equal(world.message->verdict.why, "srs.spool-full");
    expect(&world, &mail, "-sales@here.example {" SRS " > x@remote.example} ");
    play(&world, &mail, &refused);
    expect(&world, &mail, "452 4.3.1 ");
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_becomes_of_an_envelope),
        cmocka_unit_test(one_reverse_path_for_all),
        cmocka_unit_test(without_a_domain_only_the_table_works),
        cmocka_unit_test(the_way_back),
        cmocka_unit_test(what_was_sent_on_before),
        cmocka_unit_test(our_own_mail_is_signed),
        cmocka_unit_test(a_sender_whose_record_permits_us),
        cmocka_unit_test(suspicious_mail_stays_at_home),
        cmocka_unit_test(what_stays_at_home_needs_no_domain),
        cmocka_unit_test(an_envelope_that_cannot_be_said),
        cmocka_unit_test(a_copy_that_comes_back),
        cmocka_unit_test(many_recipients_are_fast),
        cmocka_unit_test(parameters_that_travel_on),
        cmocka_unit_test(options_that_contradict_each_other),
        cmocka_unit_test(recipients_that_lead_to_too_many),
        cmocka_unit_test(a_report_is_not_lost),
        cmocka_unit_test(a_held_message_is_not_split),
        cmocka_unit_test(a_trial_only_says_so),
        cmocka_unit_test(a_full_spool_is_a_4xx),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
