#include "unit.h"

#include "ctl/ctl.h"
#include "fixture.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char directory[64], conf[128], out[65536], errors[65536];
struct arena *arena;

const char *path_of(const char *name)
{
    return arena_printf(arena, "%s/%s", directory, name);
}

void write_file(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

int fixture_begin(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/test_state.XXXXXX");
    if (!mkdtemp(directory))
        abort();
    arena = arena_create(4096);
    write_file("virtual", "info@example.net anna@example.net\n"
                          "team@example.net anna@example.net, bob@example.net\n"
                          "bob@example.net bob@example.net, bob@home.example\n"
                          "none@example.net error:no\n"
                          "loop@example.net loop2@example.net\nloop2@example.net loop@example.net\n");
    write_file(
        "postern.conf",
        arena_printf(arena,
                     "hostname = \"mx.example.net\"\nuser = \"\"\nlocal_domains = { \"example.net\" }\n"
                     "state_directory = \"%s\"\nstore = \"sqlite:%s/postern.db\"\n"
                     "aliases { tables = { \"virtual:%s/virtual\" }  domains = { \"example.org=example.net\" } }\n",
                     directory, directory, directory));
    snprintf(conf, sizeof conf, "%s/postern.conf", directory);
    return 0;
}

int fixture_end(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", directory);
    int status = system(command);
    arena_destroy(arena);
    return status;
}

/* ---- running a command ---- */

void read_back(const char *name, char *text, size_t size)
{
    FILE *file = fopen(path_of(name), "r");
    assert_non_null(file);
    size_t n = fread(text, 1, size - 1, file);
    text[n] = '\0';
    fclose(file);
}

static int redirect(int fd, const char *name)
{
    int saved = dup(fd), file = open(path_of(name), O_RDWR | O_CREAT | O_TRUNC, 0600);
    dup2(file, fd);
    close(file);
    return saved;
}

static void restore(int fd, int saved)
{
    dup2(saved, fd);
    close(saved);
}

int run_list(const char *const *arguments)
{
    char *argv[64];
    int argc = 0;
    for (; arguments[argc]; argc++)
        argv[argc] = arena_strdup(arena, arguments[argc]);
    argv[argc++] = arena_strdup(arena, "-c");
    argv[argc++] = conf;
    argv[argc] = NULL;
    fflush(stdout);
    int saved_out = redirect(STDOUT_FILENO, "stdout"), saved_err = redirect(STDERR_FILENO, "stderr");
    int status = strcmp(argv[0], "queue") == 0      ? ctl_queue(argc, argv)
                 : strcmp(argv[0], "forwards") == 0 ? ctl_forwards(argc, argv)
                                                    : ctl_autoreply(argc, argv);
    fflush(stdout);
    restore(STDOUT_FILENO, saved_out);
    restore(STDERR_FILENO, saved_err);
    read_back("stdout", out, sizeof out);
    read_back("stderr", errors, sizeof errors);
    return status;
}

void expect(int status, int wanted, const char *said)
{
    if (status != wanted || (said && !strstr(out, said) && !strstr(errors, said)))
        fail_msg("status %d, not %d; said:\n%s%swhich is not: %s", status, wanted, out, errors, said ? said : "");
}

cJSON *shown(const char *mailbox)
{
    OK(NULL, "show", mailbox, "--json");
    cJSON *object = cJSON_Parse(out);
    assert_non_null(object);
    return object;
}

const cJSON *field(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!item)
        fail_msg("there is no %s in %s", name, out);
    return item;
}

const char *message(const cJSON *object, int i)
{
    char *text = cJSON_PrintUnformatted(cJSON_GetArrayItem(field(object, "messages"), i));
    const char *copy = text ? arena_strdup(arena, text) : "";
    cJSON_free(text);
    return copy;
}

struct store *open_store(void)
{
    const char *problem, *url = arena_printf(arena, "sqlite:%s/postern.db", directory);
    struct store *store = store_open(&(struct store_options){.url = url, .timeout = 5000}, arena, &problem);
    assert_non_null(store);
    return store;
}
