/* skeleton - the smallest check that has every hook. Copy it to src/checks/, keep the hooks you need. */
#include "skeleton.h"

#define OPTION(member) offsetof(struct skeleton_options, member)

static const struct option_row rows[] = {
    CHECK_OPTION_ROWS(struct skeleton_options, "{ outside }", "tempfail"),
    {.name = "header", .type = OPTION_STRING, .offset = OPTION(header), .help = "A header field to add."},
    {.name = "reply", .type = OPTION_TEMPLATE, .offset = OPTION(reply), .placeholders = "rcpt", .reply_class = "5",
     .def = "\"550 5.7.1 <{rcpt}>... refused by the skeleton\"", .help = "The answer to what is refused."},
    {.name = "reply_defer", .type = OPTION_TEMPLATE, .offset = OPTION(reply_defer), .placeholders = "rcpt",
     .reply_class = "4", .def = "\"450 4.7.1 <{rcpt}>... come back later\"", .help = "The answer to what is put off."},
    {0}};

static const struct check_why whys[] = {{"skeleton.said-so", "An option said so."}, {NULL, NULL}};

struct result skeleton_decide(const struct skeleton_options *options, enum phase phase)
{
    enum result_code code = (enum result_code)options->result[phase];
    return (struct result){code, code <= RESULT_VOUCH ? NULL : "skeleton.said-so", NULL};
}

static struct result judge(const struct check_call *call, enum phase phase)
{
    const struct skeleton_options *options = call->options;
    struct result result = skeleton_decide(options, phase);
    const struct placeholder values[] = {{"rcpt", span_of(call->recipient ? call->recipient->address : "")},
                                         {NULL, {NULL, 0}}};
    if (result.code == RESULT_REJECT || result.code == RESULT_REJECT_UNLESS)
        result.reply = template_expand(options->reply, call->arena, values);
    else if (result.code == RESULT_DEFER)
        result.reply = template_expand(options->reply_defer, call->arena, values);
    else if (result.code == RESULT_ERROR)
        result.reply = "the skeleton is broken";
    return result;
}

static struct result on_connect(const struct check_call *call)
{
    return judge(call, PHASE_CONNECT);
}

static struct result on_helo(const struct check_call *call)
{
    facts_set(call->facts, call->arena, "skeleton.helo", call->session->helo, NULL);
    return judge(call, PHASE_HELO);
}

static struct result on_mail(const struct check_call *call)
{
    return judge(call, PHASE_MAIL);
}

static struct result on_rcpt(const struct check_call *call)
{
    return judge(call, PHASE_RCPT);
}

static struct result on_data(const struct check_call *call)
{
    return judge(call, PHASE_DATA);
}

static struct result on_eoh(const struct check_call *call)
{
    return judge(call, PHASE_EOH);
}

/* What a check keeps from hook to hook: here the bytes of the body, counted. */
static void on_body(const struct check_call *call, struct span bytes)
{
    if (!*call->state)
        *call->state = ARENA_NEW(call->arena, size_t);
    *(size_t *)*call->state += bytes.len;
}

static struct result on_eom(const struct check_call *call)
{
    const struct skeleton_options *options = call->options;
    const struct fact *helo = call_fact(call, "skeleton.helo");
    facts_set(call->facts, call->arena, "skeleton.eom", helo ? helo->text : "none", NULL);
    const size_t *body = *call->state;
    facts_set(call->facts, call->arena, "skeleton.body", arena_printf(call->arena, "%zu", body ? *body : 0), NULL);
    if (options->header)
        edits_add_header(call->edits, call->arena, "X-Skeleton", options->header);
    return judge(call, PHASE_EOM);
}

static struct result on_accepted(const struct check_call *call)
{
    facts_set(call->facts, call->arena, "skeleton.accepted", call->is_trial ? "trial" : "done", NULL);
    return judge(call, PHASE_ACCEPTED);
}

static struct result on_commit(const struct check_call *call)
{
    facts_set(call->facts, call->arena, "skeleton.commit", "done", NULL);
    return judge(call, PHASE_COMMIT);
}

static const char *const provides[] = {"skeleton.helo",     "skeleton.eom",    "skeleton.body",
                                       "skeleton.accepted", "skeleton.commit", NULL};

const struct check check_skeleton = {
    .name = "skeleton",
    .summary = "Does what its options say.",
    .rows = rows,
    .options_size = sizeof(struct skeleton_options),
    .whys = whys,
    .needs = NEEDS_HEADER | NEEDS_CONTENT | NEEDS_BODY,
    .provides = provides,
    .on_connect = on_connect,
    .on_helo = on_helo,
    .on_mail = on_mail,
    .on_rcpt = on_rcpt,
    .on_data = on_data,
    .on_eoh = on_eoh,
    .on_body = on_body,
    .on_eom = on_eom,
    .on_accepted = on_accepted,
    .on_commit = on_commit,
};
