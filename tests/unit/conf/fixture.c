#include "fixture.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct option_word mode_words[] = {{"enforce", 0}, {"monitor", 1}, {"off", 2}, {NULL, 0}};
static const struct option_word class_words[] = {
    {"outside", CLASS_OUTSIDE}, {"trusted", CLASS_TRUSTED}, {"local", CLASS_LOCAL}, {NULL, 0}};

static const char *verify_no_x(const char *value)
{
    return strchr(value, 'X') ? "has an X" : NULL;
}

#define TOP(member) offsetof(struct top_values, member)
static const struct option_row top_rows[] = {
    {.name = "socket",
     .type = OPTION_STRING,
     .offset = TOP(socket),
     .def = "unix:/run/it",
     .verify = verify_no_x,
     .help = "Where it listens. One of unix:/PATH and inet:PORT@HOST."},
    {.name = "owner", .type = OPTION_STRING, .offset = TOP(owner), .verify = verify_no_x, .help = "Who owns it."},
    {.name = "mode",
     .type = OPTION_ENUM,
     .offset = TOP(mode),
     .def = "enforce",
     .words = mode_words,
     .help = "What happens. 'off' is a \"word\"; so is C:\\dir, and .Sh is none."},
    {.name = "socket_mode",
     .type = OPTION_MODE,
     .offset = TOP(socket_mode),
     .def = "0660",
     .max = 0777,
     .help = "Its mode."},
    {.name = "drain_timeout",
     .type = OPTION_DURATION,
     .offset = TOP(drain_timeout),
     .def = "60s",
     .min = 1000,
     .max = 86400000,
     .help = "How long to wait."},
    {.name = "trusted_networks",
     .type = OPTION_NETWORKS,
     .offset = TOP(networks),
     .def = "{ \"127.0.0.0/8\", \"::1\" }",
     .help = "Clients we know."},
    {.name = NULL}};

#define ALL(member) offsetof(struct all_values, member)
static const struct option_row all_rows[] = {
    {.name = "flag", .type = OPTION_BOOL, .offset = ALL(flag), .def = "yes", .help = "A switch."},
    {.name = "number",
     .type = OPTION_INT,
     .offset = ALL(number),
     .def = "100",
     .min = 1,
     .max = 100000,
     .help = "A number."},
    {.name = "negative",
     .type = OPTION_INT,
     .offset = ALL(negative),
     .def = "-5",
     .min = -10,
     .max = 10,
     .help = "A number that may be negative."},
    {.name = "wait", .type = OPTION_DURATION, .offset = ALL(wait), .help = "A time without an upper bound."},
    {.name = "size", .type = OPTION_SIZE, .offset = ALL(size), .def = "1M", .min = 1024, .help = "A size."},
    {.name = "access", .type = OPTION_MODE, .offset = ALL(access), .def = "0644", .help = "A file mode."},
    {.name = "text", .type = OPTION_STRING, .offset = ALL(text), .def = "a \"quoted\" ${word} \\ -", .help = "A text."},
    {.name = "word", .type = OPTION_ENUM, .offset = ALL(word), .words = mode_words, .help = "A word."},
    {.name = "classes",
     .type = OPTION_FLAGS,
     .offset = ALL(classes),
     .def = "{ outside }",
     .words = class_words,
     .help = "Some words."},
    {.name = "texts",
     .type = OPTION_STRINGS,
     .offset = ALL(texts),
     .def = "{ \"a\", \"b\" }",
     .verify = verify_no_x,
     .help = "Some texts."},
    {.name = "networks", .type = OPTION_NETWORKS, .offset = ALL(networks), .help = "Some networks."},
    {.name = "domains",
     .type = OPTION_DOMAINS,
     .offset = ALL(domains),
     .def = "example.net",
     .verify = verify_no_x,
     .help = "Some domains."},
    {.name = "words",
     .type = OPTION_WORDS,
     .offset = ALL(words),
     .def = "{ exe, \"com\" }",
     .verify = verify_no_x,
     .help = "Some names, such as exe. Or com. No more than these, for everything that is listed here costs a line in "
             "the manual page, and manual pages are read by people."},
    {.name = "reply",
     .type = OPTION_TEMPLATE,
     .offset = ALL(reply),
     .def = "550 5.7.1 <{rcpt}>... no [{helo}]",
     .placeholders = "rcpt helo",
     .reply_class = "5",
     .help = "What is answered."},
    {.name = "optional_reply",
     .type = OPTION_TEMPLATE,
     .offset = ALL(optional_reply),
     .reply_class = "45",
     .help = "What else is answered."},
    {.name = NULL}};

const struct conf_section fixture_sections[] = {
    {"", "The whole of it.", top_rows, sizeof(struct top_values)},
    {"all", "An option of each type.", all_rows, sizeof(struct all_values)}};

static char directory[] = "/tmp/postern-conf-XXXXXX";
static bool made;
static char path[256];

const char *fixture_path(const char *name)
{
    if (!made && !mkdtemp(directory))
        abort();
    made = true;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

const char *fixture_write(const char *name, const char *text, size_t len)
{
    FILE *file = fopen(fixture_path(name), "w");
    if (!file || fwrite(text, 1, len, file) != len || fclose(file) != 0)
        abort();
    return path;
}

void fixture_clean(void)
{
    static const char *const names[] = {"postern.conf", "more.conf", "list", "other", "loop.conf"};
    if (!made)
        return;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(fixture_path(names[i]));
    rmdir(directory);
}

static void add_problem(void *context, const char *text)
{
    char prefix[sizeof directory + 1];
    snprintf(prefix, sizeof prefix, "%s/", directory);
    for (const char *p; (p = strstr(text, prefix)); text = p + strlen(prefix))
        strbuf_add(context, (struct span){text, (size_t)(p - text)});
    strbuf_puts(context, text);
    strbuf_putc(context, '\n');
}

struct conf *fixture_load(const char *file, struct strbuf *problems, unsigned *count)
{
    struct conf_problems report = {add_problem, problems, 0};
    struct conf *conf = conf_load(file, fixture_sections, FIXTURE_COUNT, &report);
    *count = report.count;
    return conf;
}
