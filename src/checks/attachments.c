/*
 * attachments - one scan of the message at its end, and one decision.
 *
 * The scan reports names, sizes and troubles in the order of the message. A forbidden name ends it, for nothing is
 * worse. Troubles (encrypted, unreadable, past a limit) are remembered, because a forbidden name may still follow.
 * What a name means is decided in mime/filename.c, how it is found in mime/scan.c.
 */
#include "checks/attachments.h"
#include "mime/filename.h"
#include "util/strbuf.h"

#define OPTION(member) offsetof(struct attachments_options, member)

static const struct option_word action_words[] = {{"reject", ATTACHMENTS_REJECT},
                                                  {"quarantine", ATTACHMENTS_QUARANTINE},
                                                  {"tag", ATTACHMENTS_TAG},
                                                  {NULL, 0}};
static const struct option_word trouble_words[] = {{"reject", ATTACHMENTS_REJECT},
                                                   {"quarantine", ATTACHMENTS_QUARANTINE},
                                                   {"tag", ATTACHMENTS_TAG},
                                                   {"accept", ATTACHMENTS_ACCEPT},
                                                   {NULL, 0}};

/* A leading dot is forgiven by the hook below, anything that could never match is not. */
static const char *verify_extension(const char *value)
{
    if (!*value || strpbrk(value, " \t/\\\"*?"))
        return "is no file name extension";
    return value[0] == '.' ? "must be written without the dot" : NULL;
}

static const struct option_row rows[] = {
    CHECK_OPTION_ROWS(struct attachments_options, "{ outside, trusted, authenticated, local }", "tempfail"),
    {.name = "extensions", .type = OPTION_WORDS, .offset = OPTION(extensions), .verify = verify_extension,
     .def = "{ \"exe\", \"com\", \"cmd\", \"cpl\", \"hta\", \"scf\", \"sct\", \"lnk\", \"bat\", \"js\", \"jse\", "
            "\"wsh\", \"ws\", \"wsf\", \"wsc\", \"vbe\", \"vb\", \"vbs\", \"shs\", \"pif\", \"scr\" }",
     .help = "The forbidden extensions, without the dot; case does not matter. The list replaces the default."},
    {.name = "action", .type = OPTION_ENUM, .offset = OPTION(action), .def = "reject", .words = action_words,
     .help = "What to do with a message that has a file with a forbidden extension, or one larger than max_size. "
             "quarantine: have the MTA hold it. tag: accept it with the header X-Postern: suspicious."},
    {.name = "archives", .type = OPTION_BOOL, .offset = OPTION(archives), .def = "yes",
     .help = "Look at the names inside zip, jar, rar, 7z, tar, gz, bz2, xz, zst, cab, lzh and iso files, recognised by "
             "their content, and inside archives within them."},
    {.name = "max_depth", .type = OPTION_INT, .offset = OPTION(max_depth), .def = "4", .min = 1, .max = 32,
     .help = "Archives within archives that are opened; 1 opens the outermost only."},
    {.name = "max_entries", .type = OPTION_INT, .offset = OPTION(max_entries), .def = "10000", .min = 1,
     .max = 1000000, .help = "Names looked at in one attached archive, all levels together."},
    {.name = "max_expanded", .type = OPTION_SIZE, .offset = OPTION(max_expanded), .def = "100M", .min = 1 << 16,
     .max = (int64_t)1 << 36, .help = "Bytes unpacked from one attached archive to see what is inside."},
    {.name = "time_limit", .type = OPTION_DURATION, .offset = OPTION(time_limit), .def = "10s", .min = 100,
     .max = 120000, .help = "Time for the archives of a message, all together; the process that reads them is killed then."},
    {.name = "max_parts", .type = OPTION_INT, .offset = OPTION(max_parts), .def = "10000", .min = 10, .max = 100000,
     .help = "MIME parts in a message."},
    {.name = "max_levels", .type = OPTION_INT, .offset = OPTION(max_levels), .def = "100", .min = 2, .max = 500,
     .help = "Multiparts and attached messages within each other."},
    {.name = "on_limit", .type = OPTION_ENUM, .offset = OPTION(on_limit), .def = "reject", .words = trouble_words,
     .help = "What to do when one of the limits above is passed, so that not everything could be looked at."},
    {.name = "encrypted", .type = OPTION_ENUM, .offset = OPTION(encrypted), .def = "tag", .words = trouble_words,
     .help = "What to do with an archive that needs a password, in part or for its list of names. Names that can be "
             "read are judged all the same."},
    {.name = "unreadable", .type = OPTION_ENUM, .offset = OPTION(unreadable), .def = "tag", .words = trouble_words,
     .help = "What to do with an archive or winmail.dat that is damaged or of a kind that cannot be read."},
    {.name = "max_size", .type = OPTION_SIZE, .offset = OPTION(max_size), .def = "0", .max = (int64_t)1 << 40,
     .help = "Bytes that one attachment may have after decoding. 0: no limit."},
    {.name = "reply", .type = OPTION_TEMPLATE, .offset = OPTION(reply), .placeholders = "file client",
     .reply_class = "5", .def = "\"554 5.7.0 <{file}> - attachment type not accepted\"",
     .help = "The answer to a forbidden file. {file} is its path through the archives."},
    {.name = "reply_size", .type = OPTION_TEMPLATE, .offset = OPTION(reply_size), .placeholders = "file limit client",
     .reply_class = "5", .def = "\"552 5.3.4 <{file}> - attachment is larger than {limit} bytes\"",
     .help = "The answer to an attachment larger than max_size."},
    {.name = "reply_limit", .type = OPTION_TEMPLATE, .offset = OPTION(reply_limit), .placeholders = "file client",
     .reply_class = "5", .def = "\"554 5.7.0 <{file}> - too deep, too large or too many parts to be examined\"",
     .help = "The answer with on_limit = reject."},
    {.name = "reply_encrypted", .type = OPTION_TEMPLATE, .offset = OPTION(reply_encrypted),
     .placeholders = "file client", .reply_class = "5",
     .def = "\"554 5.7.0 <{file}> - encrypted archives are not accepted\"",
     .help = "The answer with encrypted = reject."},
    {.name = "reply_unreadable", .type = OPTION_TEMPLATE, .offset = OPTION(reply_unreadable),
     .placeholders = "file client", .reply_class = "5",
     .def = "\"554 5.7.0 <{file}> - damaged or unknown archives are not accepted\"",
     .help = "The answer with unreadable = reject."},
    {0}};

static const struct check_why whys[] = {
    {"attachments.extension", "A file, or a member of an archive, has a forbidden extension."},
    {"attachments.size", "An attachment is larger than max_size."},
    {"attachments.limit", "A limit was passed before everything was looked at."},
    {"attachments.encrypted", "An archive needs a password."},
    {"attachments.unreadable", "An archive or winmail.dat is damaged or of an unknown kind."},
    {NULL, NULL}};

struct result attachments_decide(const struct attachments_options *options, enum attachments_finding finding)
{
    static const char *const tokens[] = {NULL,
                                         "attachments.unreadable",
                                         "attachments.encrypted",
                                         "attachments.limit",
                                         "attachments.size",
                                         "attachments.extension"};
    static const enum result_code codes[] = {RESULT_OK, RESULT_TAG, RESULT_QUARANTINE, RESULT_REJECT};
    const int actions[] = {ATTACHMENTS_ACCEPT, options->unreadable, options->encrypted,
                           options->on_limit,  options->action,     options->action};
    int action = actions[finding];
    return (struct result){codes[action], action == ATTACHMENTS_ACCEPT ? NULL : tokens[finding], NULL};
}

struct scan_state {
    const struct attachments_options *options;
    const struct check_call *call;
    enum attachments_finding finding;
    const char *file;
    bool failed;
};

static int how_strong(const struct scan_state *state, enum attachments_finding finding)
{
    return (int)attachments_decide(state->options, finding).code;
}

/* Keeps the finding that has the strongest consequence; of equals the one that is worse. */
static void find(struct scan_state *state, enum attachments_finding finding, const char *path)
{
    int before = how_strong(state, state->finding), now = how_strong(state, finding);
    if (now < before || (now == before && finding <= state->finding))
        return;
    state->finding = finding;
    state->file = arena_spandup(state->call->arena, (struct span){path, strnlen(path, 1024)});
}

static int on_name(void *context, const char *path, const char *name)
{
    struct scan_state *state = context;
    if (!filename_has_extension(name, state->options->extensions))
        return 0;
    find(state, ATTACHMENTS_EXTENSION, path);
    return 1;
}

static int on_size(void *context, const char *path, uint64_t bytes)
{
    struct scan_state *state = context;
    if (bytes > state->options->max_size)
        find(state, ATTACHMENTS_SIZE, path);
    return 0;
}

static int on_trouble(void *context, enum scan_trouble trouble, const char *path)
{
    struct scan_state *state = context;
    switch (trouble) {
    case SCAN_OVER_LIMIT:
        find(state, ATTACHMENTS_LIMIT, path);
        break;
    case SCAN_ENCRYPTED:
        find(state, ATTACHMENTS_ENCRYPTED, path);
        break;
    case SCAN_UNREADABLE:
        find(state, ATTACHMENTS_UNREADABLE, path);
        break;
    case SCAN_FAILED:
        state->failed = true;
        break;
    }
    return 0;
}

static const char *reply_of(const struct scan_state *state)
{
    const struct attachments_options *options = state->options;
    const struct template *const replies[] = {NULL,
                                              options->reply_unreadable,
                                              options->reply_encrypted,
                                              options->reply_limit,
                                              options->reply_size,
                                              options->reply};
    char client[NETADDR_TEXT_SIZE];
    netaddr_format(&state->call->session->client, client);
    const char *limit = arena_printf(state->call->arena, "%llu", (unsigned long long)options->max_size);
    const struct placeholder values[] = {
        {"file", span_of(state->file)}, {"limit", span_of(limit)}, {"client", span_of(client)}, {NULL, {NULL, 0}}};
    return template_expand(replies[state->finding], state->call->arena, values);
}

static struct result on_eom(const struct check_call *call)
{
    const struct attachments_options *options = call->options;
    struct scan_state state = {options, call, ATTACHMENTS_CLEAN, "", false};
    const struct scan_limits limits = {
        .max_parts = (unsigned)options->max_parts,
        .max_levels = (unsigned)options->max_levels,
        .open_archives = options->archives,
        .archives = {(unsigned)options->max_depth, (unsigned)options->max_entries, options->max_expanded,
                     options->time_limit},
        .directory = call->settings->content_limits.directory,
    };
    const struct scan_sink sink = {&state, on_name, options->max_size ? on_size : NULL, on_trouble};

    if (scan_message(call->message->content, &limits, call->services->archives, &sink) != 0)
        state.failed = true;
    struct result result = attachments_decide(options, state.finding);
    if (state.failed && result.code < RESULT_DEFER)
        return (struct result){RESULT_ERROR, NULL, "the message could not be scanned"};
    if (result.why)
        facts_set(call->facts, call->arena, "attachments.file", state.file, NULL);
    if (result.code == RESULT_REJECT)
        result.reply = reply_of(&state);
    return result;
}

static const char *const provides[] = {"attachments.file", NULL};

const struct check check_attachments = {
    .name = "attachments",
    .summary = "Refuses files that run: by name, inside archives too, and by size.",
    .rows = rows,
    .options_size = sizeof(struct attachments_options),
    .whys = whys,
    .needs = NEEDS_HEADER | NEEDS_CONTENT,
    .provides = provides,
    .on_eom = on_eom,
};
