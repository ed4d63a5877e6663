/* The runner, driven with the skeleton check: classes, modes, on_error, verdicts, and where a refusal is answered. */
#include "unit.h"

#include "core/runner.h"
#include "skeleton.h"
#include "util/clock.h"
#include "util/log.h"
#include <stdio.h>
#include <unistd.h>

static const char directory[] = "/tmp";

struct world {
    struct arena *arena;
    struct skeleton_options options;
    struct general_settings general;
    struct message_settings message_settings;
    struct dns_settings dns_settings;
    struct plan_entry entry;
    struct engine engine;
    struct session *session;
    struct message *message;
};

static const struct template *parse(struct arena *arena, const char *text)
{
    const char *why = NULL;
    const struct template *template = template_parse(arena, text, "rcpt", "45", &why);
    assert_null(why);
    return template;
}

static void world_begin(struct world *world, enum check_mode mode)
{
    *world = (struct world){.arena = arena_create(1024)};
    world->options.common = (struct check_options){mode, CLASS_OUTSIDE | CLASS_LOCAL, ON_ERROR_TEMPFAIL};
    world->options.reply = parse(world->arena, "550 5.7.1 <{rcpt}>... no");
    world->options.reply_defer = parse(world->arena, "450 4.7.1 <{rcpt}>... later");
    world->general.trusted_networks = netset_create(world->arena);
    assert_null(netset_add((struct netset *)world->general.trusted_networks, "192.0.2.0/24"));
    world->general.exempt_recipients = strset_create(world->arena);
    world->general.local_domains = domain_set_create(world->arena);
    world->message_settings = (struct message_settings){directory, 1 << 16, 1 << 20, 1 << 20, 4096};
    world->entry = (struct plan_entry){&check_skeleton, &world->options.common, mode, check_skeleton.needs, "skeleton.error"};
    world->engine.settings.general = &world->general;
    world->engine.settings.message = &world->message_settings;
    world->dns_settings = (struct dns_settings){.timeout = 3000, .message_budget = 20000, .message_queries = 100};
    world->engine.settings.dns = &world->dns_settings;
    world->engine.settings.content_limits = (struct content_limits){directory, 1 << 16, 1 << 20, 1 << 20};
    world->engine.plan = (struct plan){.entries = &world->entry, .count = 1, .needs = NEEDS_HEADER | NEEDS_CONTENT | NEEDS_BODY};
    world->engine.counters = counters_create(world->arena);
    counters_register(world->engine.counters, "message.reject");
    counters_register(world->engine.counters, "monitor.skeleton.said-so");
    counters_register(world->engine.counters, "error.skeleton");
    world->session = session_create();
    assert_int_equal(netaddr_parse("203.0.113.5", &world->session->client), 0);
}

static void world_end(struct world *world)
{
    message_end(&world->message);
    message_end(&world->message);
    session_destroy(world->session);
    arena_destroy(world->arena);
}

struct answers {
    enum outcome_action mail, rcpt, data, eom;
    const char *rcpt_reply, *eom_reply;
};

/* One message of one recipient, as an MTA would send it: a refusal ends it. */
static struct answers play(struct world *world)
{
    struct answers answers = {.eom = OUTCOME_CONTINUE};
    runner_connect(&world->engine, world->session);
    runner_helo(&world->engine, world->session, "mail.sender.example");
    world->message =
        message_begin(world->session, &world->engine.settings, &world->engine.plan, "<a@sender.example>", 1000);
    answers.mail = runner_mail(&world->engine, world->session, world->message).action;
    if (answers.mail != OUTCOME_CONTINUE)
        return answers;
    struct recipient *recipient = message_add_rcpt(world->message, "<b@example.net>", NULL);
    struct outcome outcome = runner_rcpt(&world->engine, world->session, world->message, recipient);
    answers.rcpt = outcome.action;
    answers.rcpt_reply = outcome.reply;
    if (answers.rcpt != OUTCOME_CONTINUE)
        return answers;
    answers.data = runner_data(&world->engine, world->session, world->message).action;
    if (answers.data != OUTCOME_CONTINUE)
        return answers;
    message_add_header(world->message, span_of("Subject"), span_of(" hello"));
    message_add_header(world->message, span_of("X-Postern"), span_of(" forged"));
    message_end_header(world->message);
    runner_eoh(&world->engine, world->session, world->message);
    runner_body(&world->engine, world->session, world->message, span_of("te"));
    runner_body(&world->engine, world->session, world->message, span_of("xt\r\n"));
    outcome = runner_eom(&world->engine, world->session, world->message);
    if (!outcome.reply)
        outcome = runner_finish(&world->engine, world->session, world->message, false);
    answers.eom = outcome.action;
    answers.eom_reply = outcome.reply;
    return answers;
}

static void each_phase_refuses(void **state)
{
    (void)state;
    static const struct {
        enum phase phase;
        enum result_code code;
        struct answers expected;
    } rows[] = {
        {PHASE_CONNECT, RESULT_REJECT, {0}}, /* nobody is judged before MAIL */
        {PHASE_HELO, RESULT_REJECT, {0}},
        {PHASE_MAIL, RESULT_REJECT, {.mail = OUTCOME_REJECT}},
        {PHASE_MAIL, RESULT_DEFER, {.mail = OUTCOME_TEMPFAIL}},
        {PHASE_RCPT, RESULT_REJECT, {.rcpt = OUTCOME_REJECT}},
        {PHASE_RCPT, RESULT_DEFER, {.rcpt = OUTCOME_TEMPFAIL}},
        {PHASE_DATA, RESULT_REJECT, {.data = OUTCOME_REJECT}},
        {PHASE_EOH, RESULT_REJECT, {.eom = OUTCOME_REJECT}}, /* the client sends the body anyway */
        {PHASE_EOH, RESULT_DEFER, {.eom = OUTCOME_TEMPFAIL}},
        {PHASE_EOM, RESULT_REJECT, {.eom = OUTCOME_REJECT}},
        {PHASE_EOM, RESULT_ERROR, {.eom = OUTCOME_TEMPFAIL}},
        {PHASE_ACCEPTED, RESULT_DEFER, {.eom = OUTCOME_TEMPFAIL}}, /* what it caused could not be made safe */
        {PHASE_ACCEPTED, RESULT_ERROR, {.eom = OUTCOME_TEMPFAIL}},
        {PHASE_COMMIT, RESULT_DEFER, {.eom = OUTCOME_TEMPFAIL}},
        {PHASE_EOM, RESULT_OK, {0}},
        {PHASE_EOM, RESULT_TAG, {0}},
        {PHASE_EOM, RESULT_QUARANTINE, {0}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world world;
        world_begin(&world, MODE_ENFORCE);
        world.options.result[rows[i].phase] = (int)rows[i].code;
        struct answers got = play(&world);
        assert_int_equal(got.mail, rows[i].expected.mail);
        assert_int_equal(got.rcpt, rows[i].expected.rcpt);
        assert_int_equal(got.data, rows[i].expected.data);
        assert_int_equal(got.eom, rows[i].expected.eom);
        world_end(&world);
    }
}

/* What the check behind the skeleton answers at the end. */
static struct result behind;

static struct result answer_behind(const struct check_call *call)
{
    (void)call;
    return behind;
}

/* The refusal of one check waits for the one that may vouch; it stays the refusal of the first, in its own mode. */
static void a_refusal_waits_for_who_may_vouch(void **state)
{
    (void)state;
    static const struct check voucher = {.name = "voucher", .may_vouch = true, .on_eom = answer_behind};
    static const struct check stranger = {.name = "stranger", .on_eom = answer_behind};
    static const struct {
        const struct check *check;
        enum result_code code;
        enum check_mode mode;
        enum outcome_action action;
        const char *decides, *monitored;
    } rows[] = {
        {&voucher, RESULT_VOUCH, MODE_ENFORCE, OUTCOME_CONTINUE, NULL, NULL},
        {&voucher, RESULT_OK, MODE_ENFORCE, OUTCOME_REJECT, "skeleton", NULL},
        {&voucher, RESULT_DUNNO, MODE_ENFORCE, OUTCOME_REJECT, "skeleton", NULL},
        {&voucher, RESULT_QUARANTINE, MODE_ENFORCE, OUTCOME_REJECT, "skeleton", NULL},
        {&voucher, RESULT_DEFER, MODE_ENFORCE, OUTCOME_REJECT, "skeleton", NULL},
        {&voucher, RESULT_REJECT, MODE_ENFORCE, OUTCOME_REJECT, "voucher", NULL}, /* said first */
        {&stranger, RESULT_VOUCH, MODE_ENFORCE, OUTCOME_REJECT, "skeleton", NULL},
        {&voucher, RESULT_OK, MODE_MONITOR, OUTCOME_CONTINUE, NULL, "skeleton.said-so"},
        {&voucher, RESULT_VOUCH, MODE_MONITOR, OUTCOME_CONTINUE, NULL, NULL},
        {&voucher, RESULT_QUARANTINE, MODE_MONITOR, OUTCOME_CONTINUE, "voucher", "skeleton.said-so"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world world;
        world_begin(&world, rows[i].mode);
        struct plan_entry entries[2] = {world.entry, world.entry};
        entries[1].check = rows[i].check;
        entries[1].mode = MODE_ENFORCE;
        world.engine.plan.entries = entries;
        world.engine.plan.count = 2;
        world.options.result[PHASE_EOM] = RESULT_REJECT_UNLESS;
        behind = (struct result){rows[i].code, "voucher.why", "550 5.7.1 behind"};
        assert_int_equal(play(&world).eom, rows[i].action);
        const struct verdict *verdict = &world.message->verdict;
        const struct fact *monitored = facts_get(&world.message->facts, "monitor.skeleton");
        assert_string_equal(verdict->check ? verdict->check : "-", rows[i].decides ? rows[i].decides : "-");
        assert_string_equal(monitored ? monitored->text : "-", rows[i].monitored ? rows[i].monitored : "-");
        if (rows[i].decides && strcmp(rows[i].decides, "skeleton") == 0) {
            assert_string_equal(verdict->why, "skeleton.said-so");
            assert_string_equal(verdict->reply, "550 5.7.1 <>... no");
            assert_int_equal(verdict->phase, PHASE_EOM);
        }
        world_end(&world);
    }
}

/* A hook that only looks is not believed when it objects: the MTA does not wait for it. */
static void who_never_objects_is_not_heard(void **state)
{
    (void)state;
    static const enum result_code codes[] = {RESULT_REJECT, RESULT_DEFER, RESULT_ERROR};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct world world;
        world_begin(&world, MODE_ENFORCE);
        struct check looker = check_skeleton;
        looker.never_objects = 1u << PHASE_MAIL | 1u << PHASE_DATA;
        world.entry.check = &looker;
        world.options.result[PHASE_MAIL] = world.options.result[PHASE_DATA] = (int)codes[i];
        struct answers got = play(&world);
        assert_int_equal(got.mail, OUTCOME_CONTINUE);
        assert_int_equal(got.data, OUTCOME_CONTINUE);
        assert_int_equal(got.eom, OUTCOME_CONTINUE);
        message_end(&world.message);
        world.options.result[PHASE_RCPT] = (int)codes[i];
        assert_int_not_equal(play(&world).rcpt, OUTCOME_CONTINUE); /* only those phases */
        world_end(&world);
    }
}

/* A message that is refused, put off or held causes nothing elsewhere; one that is only marked does. */
static void only_what_is_accepted_has_effects(void **state)
{
    (void)state;
    static const struct {
        enum phase phase;
        enum result_code code;
        enum check_mode mode;
        const char *expected;
    } rows[] = {
        {PHASE_EOM, RESULT_OK, MODE_ENFORCE, "done"},         {PHASE_EOM, RESULT_TAG, MODE_ENFORCE, "done"},
        {PHASE_EOM, RESULT_QUARANTINE, MODE_ENFORCE, NULL},   {PHASE_EOM, RESULT_DEFER, MODE_ENFORCE, NULL},
        {PHASE_EOM, RESULT_REJECT, MODE_ENFORCE, NULL},       {PHASE_EOH, RESULT_REJECT, MODE_ENFORCE, NULL},
        {PHASE_EOM, RESULT_REJECT, MODE_MONITOR, "trial"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world world;
        world_begin(&world, rows[i].mode);
        world.options.result[rows[i].phase] = (int)rows[i].code;
        play(&world);
        const struct fact *fact = facts_get(&world.message->facts, "skeleton.accepted");
        if (rows[i].expected)
            assert_string_equal(fact->text, rows[i].expected);
        else
            assert_null(fact);
        world_end(&world);
    }
}

static void the_reply_names_the_recipient(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, MODE_ENFORCE);
    world.options.result[PHASE_RCPT] = RESULT_REJECT;
    assert_string_equal(play(&world).rcpt_reply, "550 5.7.1 <b@example.net>... no");
    assert_int_equal(world.message->distinct_count, 0);
    world_end(&world);
}

static void a_local_submission_is_answered_at_the_end(void **state)
{
    (void)state;
    static const enum phase phases[] = {PHASE_MAIL, PHASE_RCPT, PHASE_DATA, PHASE_EOH};
    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
        struct world world;
        world_begin(&world, MODE_ENFORCE);
        world.session->is_local = true;
        world.options.result[phases[i]] = RESULT_REJECT;
        struct answers got = play(&world);
        assert_int_equal(got.mail, OUTCOME_CONTINUE);
        assert_int_equal(got.rcpt, OUTCOME_CONTINUE);
        assert_int_equal(got.data, OUTCOME_CONTINUE);
        assert_int_equal(got.eom, OUTCOME_REJECT);
        assert_non_null(got.eom_reply);
        world_end(&world);
    }
}

static void classes_and_modes(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, MODE_MONITOR);
    world.options.result[PHASE_RCPT] = RESULT_REJECT;
    world.options.result[PHASE_EOM] = RESULT_REJECT;
    struct answers got = play(&world);
    assert_int_equal(got.rcpt, OUTCOME_CONTINUE);
    assert_int_equal(got.eom, OUTCOME_CONTINUE);
    assert_non_null(facts_get(&world.message->facts, "monitor.skeleton"));
    struct strbuf counters;
    strbuf_init(&counters, 0);
    counters_print(world.engine.counters, &counters);
    assert_string_equal(strbuf_text(&counters), "monitor.skeleton.said-so=2\n");
    strbuf_free(&counters);
    world_end(&world);

    world_begin(&world, MODE_ENFORCE);
    world.options.result[PHASE_RCPT] = RESULT_REJECT;
    world.session->login = "user";
    assert_int_equal(play(&world).rcpt, OUTCOME_CONTINUE);
    world_end(&world);

    world_begin(&world, MODE_ENFORCE);
    world.options.result[PHASE_RCPT] = RESULT_REJECT;
    assert_int_equal(netaddr_parse("192.0.2.9", &world.session->client), 0);
    assert_int_equal(play(&world).rcpt, OUTCOME_CONTINUE);
    assert_int_equal(session_class(world.session), CLASS_TRUSTED);
    world_end(&world);
}

static void on_error_decides(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, MODE_ENFORCE);
    world.options.result[PHASE_RCPT] = RESULT_ERROR;
    struct answers got = play(&world);
    assert_int_equal(got.rcpt, OUTCOME_TEMPFAIL);
    assert_memory_equal(got.rcpt_reply, "451 4.3.0 ", 10);
    assert_string_equal(world.message->recipients[0].verdict.why, "skeleton.error");
    struct strbuf counters;
    strbuf_init(&counters, 0);
    counters_print(world.engine.counters, &counters);
    assert_string_equal(strbuf_text(&counters), "error.skeleton=1\n");
    strbuf_free(&counters);
    world_end(&world);

    world_begin(&world, MODE_ENFORCE);
    world.options.result[PHASE_RCPT] = RESULT_ERROR;
    world.options.common.on_error = ON_ERROR_ACCEPT;
    assert_int_equal(play(&world).rcpt, OUTCOME_CONTINUE);
    world_end(&world);
}

static void marks_and_forged_marks(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, MODE_ENFORCE);
    world.options.result[PHASE_EOM] = RESULT_QUARANTINE;
    play(&world);
    const struct edits *edits = &world.message->edits;
    assert_int_equal(edits->count, 3);
    assert_int_equal(edits->items[0].kind, EDIT_DELETE_HEADER);
    assert_int_equal(edits->items[0].index, 1);
    assert_int_equal(edits->items[1].kind, EDIT_ADD_HEADER);
    assert_string_equal(edits->items[1].value, "suspicious; why=skeleton.said-so");
    assert_int_equal(edits->items[2].kind, EDIT_QUARANTINE);
    world_end(&world);
}

/* What happens with the 250 and only with it: the last hook, once the MTA has the edits and nobody objected. */
static void the_commit_is_the_last_word(void **state)
{
    (void)state;
    static const struct {
        enum phase phase;
        enum result_code code;
        bool edits_failed, is_discarded, is_trial;
        enum outcome_action action;
        bool commits;
    } rows[] = {
        {PHASE_EOM, RESULT_OK, false, false, false, OUTCOME_CONTINUE, true},
        {PHASE_EOM, RESULT_OK, false, true, false, OUTCOME_DISCARD, true},
        {PHASE_EOM, RESULT_OK, false, false, true, OUTCOME_CONTINUE, false},
        {PHASE_EOM, RESULT_TAG, false, false, false, OUTCOME_CONTINUE, true},
        {PHASE_EOM, RESULT_REJECT, false, true, false, OUTCOME_REJECT, false},
        {PHASE_ACCEPTED, RESULT_DEFER, false, true, false, OUTCOME_TEMPFAIL, false},
        {PHASE_EOM, RESULT_OK, true, true, false, OUTCOME_TEMPFAIL, false},
        {PHASE_COMMIT, RESULT_ERROR, false, true, false, OUTCOME_TEMPFAIL, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world world;
        world_begin(&world, MODE_ENFORCE);
        world.engine.services.is_trial = rows[i].is_trial;
        world.options.result[rows[i].phase] = rows[i].code;
        world.message =
            message_begin(world.session, &world.engine.settings, &world.engine.plan, "<a@sender.example>", 1000);
        world.message->edits.discards = rows[i].is_discarded;
        runner_eom(&world.engine, world.session, world.message);
        struct outcome outcome =
            runner_finish(&world.engine, world.session, world.message, rows[i].edits_failed);
        assert_int_equal(outcome.action, rows[i].action);
        assert_int_equal(facts_get(&world.message->facts, "skeleton.commit") != NULL, rows[i].commits);
        assert_true(world.message->is_logged);
        if (rows[i].edits_failed)
            assert_string_equal(world.message->verdict.why, "message.edits-refused");
        world_end(&world);
    }
}

/* A message that is held goes nowhere, so nothing follows of it, but for a check that changes what will be released. */
static void a_held_message_causes_little(void **state)
{
    (void)state;
    for (int acts = 0; acts < 2; acts++) {
        struct world world;
        world_begin(&world, MODE_ENFORCE);
        struct check check = check_skeleton;
        check.acts_on_held = acts;
        world.entry.check = &check;
        world.options.result[PHASE_EOM] = RESULT_QUARANTINE;
        assert_int_equal(play(&world).eom, OUTCOME_CONTINUE);
        assert_int_equal(facts_get(&world.message->facts, "skeleton.accepted") != NULL, acts);
        assert_int_equal(facts_get(&world.message->facts, "skeleton.commit") != NULL, acts);
        world_end(&world);
    }
}

/* Waiting for the client costs nothing of the DNS budget; what the phases take does. */
static void the_dns_budget_rests_between_phases(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, MODE_ENFORCE);
    world.dns_settings.message_budget = 50;
    play(&world);
    int64_t left = world.message->dns_left_us;
    assert_in_range(left, 1, 50000);
    usleep(60000);
    runner_eom(&world.engine, world.session, world.message);
    assert_in_range(world.message->dns_left_us, 1, left);
    world.message->dns_left_us = -1;
    runner_eom(&world.engine, world.session, world.message);
    assert_true(world.message->dns_budget->deadline_us < clock_monotonic_us());
    world_end(&world);
}

static void a_new_greeting_forgets_the_old(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, MODE_ENFORCE);
    for (int i = 0; i < 10000; i++)
        runner_helo(&world.engine, world.session, "once.more.example");
    assert_true(arena_size(world.session->greeting) < 8192);
    assert_true(arena_size(world.session->arena) < 8192);
    play(&world);
    assert_string_equal(facts_get(&world.message->facts, "skeleton.eom")->text, "mail.sender.example");
    world_end(&world);
}

/* DATA and the end of the header are events that an MTA may leave out; what they would have said is said at the end. */
static void events_that_did_not_come(void **state)
{
    (void)state;
    for (enum phase phase = PHASE_DATA; phase <= PHASE_EOH; phase++) {
        struct world world;
        world_begin(&world, MODE_ENFORCE);
        world.options.result[phase] = RESULT_REJECT;
        world.message =
            message_begin(world.session, &world.engine.settings, &world.engine.plan, "<a@sender.example>", 1000);
        message_accept_rcpt(world.message, message_add_rcpt(world.message, "<b@example.net>", NULL));
        message_add_body(world.message, span_of("text\r\n"));
        assert_int_equal(runner_eom(&world.engine, world.session, world.message).action, OUTCOME_REJECT);
        assert_int_equal(world.message->verdict.phase, phase);
        world_end(&world);
    }
}

/* Each deletion is a search through the MTA's queue file: a client cannot order twenty thousand of them. */
static void forged_marks_are_few(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, MODE_ENFORCE);
    world.message_settings.max_header = 1 << 20;
    world.message =
        message_begin(world.session, &world.engine.settings, &world.engine.plan, "<a@sender.example>", 1000);
    for (int i = 0; i < 15000; i++)
        assert_int_equal(
            message_add_header(world.message, span_of("x-postern\t"), span_of(" forged")), 0);
    assert_int_equal(runner_eom(&world.engine, world.session, world.message).action, OUTCOME_CONTINUE);
    assert_int_equal(world.message->edits.count, 100);
    assert_int_equal(world.message->edits.items[0].index, 100);
    assert_int_equal(world.message->edits.items[99].index, 1);
    world_end(&world);
}

static void too_many_refused_recipients(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, MODE_ENFORCE);
    world.message =
        message_begin(world.session, &world.engine.settings, &world.engine.plan, "<a@sender.example>", 1000);
    struct outcome outcome = runner_rcpt(&world.engine, world.session, world.message, NULL);
    assert_int_equal(outcome.action, OUTCOME_TEMPFAIL);
    assert_memory_equal(outcome.reply, "452 4.5.3 ", 10);
    world_end(&world);
}

static void the_body_streams_by(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, MODE_ENFORCE);
    play(&world);
    assert_string_equal(facts_get(&world.message->facts, "skeleton.body")->text, "6");
    assert_memory_equal(content_memory(world.message->content).ptr + content_size(world.message->content) - 6, "text\r\n", 6);
    world_end(&world);

    /* streamed to those who want it, and kept by nobody */
    world_begin(&world, MODE_ENFORCE);
    world.entry.needs = NEEDS_BODY;
    play(&world);
    assert_null(world.message->content);
    assert_string_equal(facts_get(&world.message->facts, "skeleton.body")->text, "6");
    world.message->verdict.disposition = DISPOSITION_ACCEPT;
    assert_false(runner_is_decided(&world.engine, world.session, world.message));
    world.entry.needs = NEEDS_HEADER;
    assert_true(runner_is_decided(&world.engine, world.session, world.message));
    world_end(&world);

    /* not to a check of another class, nor once it is decided; and each message begins anew */
    world_begin(&world, MODE_ENFORCE);
    world.options.common.applies_to = CLASS_TRUSTED;
    play(&world);
    assert_null(facts_get(&world.message->facts, "skeleton.body"));
    assert_null(world.message->check_state[0]);
    message_end(&world.message);
    world.options.common.applies_to = CLASS_OUTSIDE;
    world.session->is_local = true;
    world.options.common.applies_to = CLASS_LOCAL;
    world.options.result[PHASE_EOH] = RESULT_REJECT;
    play(&world);
    assert_null(world.message->check_state[0]);
    world_end(&world);
}

static void the_subject_gets_a_tag(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, MODE_ENFORCE);
    world.general.tag_subject = "[suspicious]";
    world.options.result[PHASE_EOM] = RESULT_TAG;
    play(&world);
    const struct edits *edits = &world.message->edits;
    assert_int_equal(edits->count, 3);
    assert_int_equal(edits->items[2].kind, EDIT_CHANGE_HEADER);
    assert_int_equal(edits->items[2].index, 1);
    assert_string_equal(edits->items[2].value, "[suspicious] hello");
    world_end(&world);

    world_begin(&world, MODE_ENFORCE);
    world.general.tag_subject = "[suspicious]";
    play(&world);
    assert_int_equal(world.message->edits.count, 1); /* only the forged mark goes */
    world_end(&world);
}

static void too_large_messages(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, MODE_ENFORCE);
    world.engine.settings.content_limits.size = 10;
    struct answers got = play(&world);
    assert_int_equal(got.eom, OUTCOME_TEMPFAIL);
    assert_memory_equal(got.eom_reply, "452 4.3.4 ", 10);
    assert_true(runner_is_decided(&world.engine, world.session, world.message));
    world_end(&world);

    world_begin(&world, MODE_ENFORCE);
    world.message_settings.max_header = 8;
    got = play(&world);
    assert_int_equal(got.eom, OUTCOME_REJECT);
    assert_memory_equal(got.eom_reply, "554 5.6.0 ", 10);
    world_end(&world);

    world_begin(&world, MODE_ENFORCE);
    world.engine.settings.content_limits.memory = 1;
    world.engine.settings.content_limits.directory = world.message_settings.directory = "/nonexistent";
    got = play(&world);
    assert_int_equal(got.eom, OUTCOME_TEMPFAIL);
    assert_memory_equal(got.eom_reply, "452 4.3.1 ", 10);
    world_end(&world);
}

int main(void)
{
    struct log_options quiet = {"test", LOG_TO_STDERR, LOG_AS_KV, LEVEL_ERROR, 0};
    log_open(&quiet);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_phase_refuses),
        cmocka_unit_test(a_refusal_waits_for_who_may_vouch),
        cmocka_unit_test(who_never_objects_is_not_heard),
        cmocka_unit_test(only_what_is_accepted_has_effects),
        cmocka_unit_test(the_reply_names_the_recipient),
        cmocka_unit_test(a_local_submission_is_answered_at_the_end),
        cmocka_unit_test(classes_and_modes),
        cmocka_unit_test(on_error_decides),
        cmocka_unit_test(marks_and_forged_marks),
        cmocka_unit_test(the_commit_is_the_last_word),
        cmocka_unit_test(a_held_message_causes_little),
        cmocka_unit_test(the_dns_budget_rests_between_phases),
        cmocka_unit_test(a_new_greeting_forgets_the_old),
        cmocka_unit_test(events_that_did_not_come),
        cmocka_unit_test(forged_marks_are_few),
        cmocka_unit_test(too_many_refused_recipients),
        cmocka_unit_test(the_body_streams_by),
        cmocka_unit_test(the_subject_gets_a_tag),
        cmocka_unit_test(too_large_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
