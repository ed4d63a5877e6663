/*
 * A configuration file of any bytes: no crash, no leak, and no disagreement between our scan of the structure and
 * libconfuse, which must find no fault in what the scan lets through.
 */
#include "conf/conf.h"
#include "core/template.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct values {
    const char *text;
    int word;
    unsigned flags;
    bool flag;
    int64_t number, wait, mode;
    uint64_t size;
    const void *texts, *networks, *domains, *words;
    const struct template *reply;
};

static const struct option_word words[] = {{"one", 1}, {"two", 2}, {NULL, 0}};

#define AT(member) offsetof(struct values, member)
static const struct option_row rows[] = {
    {.name = "text", .type = OPTION_STRING, .offset = AT(text), .def = "a", .help = "."},
    {.name = "word", .type = OPTION_ENUM, .offset = AT(word), .def = "one", .words = words, .help = "."},
    {.name = "flags", .type = OPTION_FLAGS, .offset = AT(flags), .words = words, .help = "."},
    {.name = "flag", .type = OPTION_BOOL, .offset = AT(flag), .help = "."},
    {.name = "number", .type = OPTION_INT, .offset = AT(number), .min = -5, .max = 5, .help = "."},
    {.name = "wait", .type = OPTION_DURATION, .offset = AT(wait), .help = "."},
    {.name = "mode", .type = OPTION_MODE, .offset = AT(mode), .help = "."},
    {.name = "size", .type = OPTION_SIZE, .offset = AT(size), .help = "."},
    {.name = "texts", .type = OPTION_STRINGS, .offset = AT(texts), .help = "."},
    {.name = "networks", .type = OPTION_NETWORKS, .offset = AT(networks), .help = "."},
    {.name = "domains", .type = OPTION_DOMAINS, .offset = AT(domains), .help = "."},
    {.name = "words", .type = OPTION_WORDS, .offset = AT(words), .help = "."},
    {.name = "reply",
     .type = OPTION_TEMPLATE,
     .offset = AT(reply),
     .placeholders = "a b",
     .reply_class = "45",
     .help = "."},
    {.name = NULL}};
static const struct conf_section sections[] = {{"", "Top.", rows, sizeof(struct values)},
                                               {"sec", "A section.", rows, sizeof(struct values)}};

static void report(void *context, const char *text)
{
    const char *path = context, *p = text + strlen(path); /* a value may hold these words too, but not in this place */
    if (strncmp(text, path, strlen(path)) != 0 || *p++ != ':')
        return;
    p += strspn(p, "0123456789");
    if (strncmp(p, ": libconfuse: ", 14) == 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    int fd = memfd_create("postern.conf", MFD_CLOEXEC);
    if (fd < 0)
        return 0;
    for (size_t done = 0; done < size;) {
        ssize_t n = write(fd, data + done, size - done);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct conf_problems problems = {report, path, 0};
    struct conf *conf = conf_load(path, sections, 2, &problems);
    if (!conf && problems.count == 0)
        abort(); /* refused without a word */
    conf_destroy(conf);
    close(fd);
    return 0;
}
