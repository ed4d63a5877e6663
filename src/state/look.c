/*
 * look - stat, access, and the first bytes of a file. That a file begins as SQLite's do says that it is no other file;
 * whether it is sound only who opens it can tell.
 *
 * Root may write everywhere, so what the daemon's user may do is asked by a child that has become him for good, as the
 * daemon does. What it reports comes through a pipe, a line each: a letter and the text.
 */
#include "state/look.h"
#include "master/user.h"
#include "store/store_url.h"
#include "util/filepath.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- as the user ---- */

struct line {
    FILE *out;
    char kind; /* 'p'roblem, 'w'arning */
};

static void write_line(void *context, const char *text)
{
    const struct line *line = context;
    fprintf(line->out, "%c%s\n", line->kind, text);
}

static void __attribute__((noreturn)) look_in_child(const struct user *user, int fd, look_function *look, void *context)
{
    struct strbuf why;
    FILE *out = fdopen(fd, "w");
    struct line problem = {out, 'p'}, warning = {out, 'w'};
    struct conf_problems problems = {write_line, &problem, 0}, warnings = {write_line, &warning, 0};
    strbuf_init(&why, 0);
    if (!out)
        _exit(1);
    if (user_become(user, &why) == 0)
        look(context, true, &problems, &warnings);
    else
        write_line(&problem, strbuf_text(&why));
    fflush(out);
    _exit(0);
}

static void read_lines(int fd, struct conf_problems *problems, struct conf_problems *warnings)
{
    char *line = NULL;
    size_t size = 0;
    FILE *in = fdopen(fd, "r");
    if (!in)
        abort();
    for (ssize_t len; (len = getline(&line, &size, in)) > 1;) {
        struct conf_problems *to = line[0] == 'p' ? problems : warnings;
        line[len - 1] = '\0';
        to->count++;
        to->report(to->context, line + 1);
    }
    free(line);
    fclose(in);
}

void look_as_user(const char *name, look_function *look, void *context, struct conf_problems *problems,
                  struct conf_problems *warnings)
{
    struct user user;
    struct strbuf why;
    int fds[2];
    strbuf_init(&why, 0);
    bool is_user = user_find(&user, name ? name : "", &why) == 0;
    bool becomes = is_user && user.uid != (uid_t)-1 && user.uid != geteuid();
    strbuf_free(&why);
    pid_t child = -1;
    if (becomes && pipe2(fds, O_CLOEXEC) == 0) {
        child = fork();
        if (child == 0)
            look_in_child(&user, fds[1], look, context);
        close(fds[1]);
        if (child < 0)
            close(fds[0]);
    }
    if (child < 0) {
        look(context, is_user && !becomes, problems, warnings);
        return;
    }
    read_lines(fds[0], problems, warnings);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (status != 0) {
        problems->count++;
        problems->report(problems->context, "the process that looked at the files as the user died");
    }
}

/* ---- what is only read ---- */

static const char *find_fault(const char *file)
{
    struct stat there;
    int fd = open(file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    const char *fault = fd < 0 || fstat(fd, &there) != 0 ? strerror(errno)
                        : S_ISREG(there.st_mode)         ? NULL
                                                         : "is no regular file";
    if (fd >= 0)
        close(fd);
    return fault;
}

void look_at_input(const struct conf *conf, const char *section, const char *option, const char *entry,
                   const char *file, struct conf_problems *problems)
{
    const char *fault = find_fault(file);
    if (!fault)
        return;
    struct arena *arena = arena_create(1024);
    problems->count++;
    problems->report(problems->context,
                     arena_printf(arena, "%s: %s: %s: %s: %s", conf_where(conf, arena, section, option, entry), section,
                                  option, entry ? entry : file, fault));
    arena_destroy(arena);
}

void look_at_tables(const struct settings *settings, const struct conf *conf, struct conf_problems *problems)
{
    const struct string_list *tables = settings->aliases->tables;
    for (size_t i = 0; i < tables->count; i++)
        look_at_input(conf, "aliases", "tables", tables->items[i], strchr(tables->items[i], '/'), problems);
}

/* ---- store and spool ---- */

struct looking {
    struct arena *arena;
    const struct conf *conf;
    bool is_user;
    struct conf_problems *warnings;
};

static void warn(const struct looking *looking, const char *option, const char *file, const char *text)
{
    looking->warnings->count++;
    const char *where = conf_where(looking->conf, looking->arena, "", option, NULL);
    looking->warnings->report(looking->warnings->context,
                              arena_printf(looking->arena, "%s: warning: %s: %s: %s", where, option, file, text));
}

/* That somebody else may not is no news. */
static void warn_of_error(const struct looking *looking, const char *option, const char *file, int error)
{
    if (looking->is_user || (error != EACCES && error != EPERM))
        warn(looking, option, file, strerror(error));
}

/* False if there is no use in looking at what is in it. */
static bool look_at_directory(const struct looking *looking, const char *option, const char *directory)
{
    struct stat there;
    int error = 0;
    if (stat(directory, &there) != 0)
        error = errno;
    else if (!S_ISDIR(there.st_mode))
        error = ENOTDIR;
    else if (access(directory, R_OK | W_OK | X_OK) != 0)
        error = errno;
    if (error)
        warn_of_error(looking, option, directory, error);
    return !error;
}

/* Also true for an empty file, which SQLite takes for an empty database, and for one that cannot be read. */
static bool is_database(const char *file)
{
    static const char magic[16] = "SQLite format 3";
    char bytes[sizeof magic];
    int fd = open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    ssize_t len = fd < 0 ? 0 : read(fd, bytes, sizeof bytes);
    if (fd >= 0)
        close(fd);
    return len <= 0 || (len == (ssize_t)sizeof bytes && memcmp(bytes, magic, sizeof magic) == 0);
}

static void look_at_file(const struct looking *looking, const char *option, const char *file)
{
    struct stat there;
    if (lstat(file, &there) != 0) {
        if (errno != ENOENT) /* else it is made when the daemon starts */
            warn_of_error(looking, option, file, errno);
    } else if (!S_ISREG(there.st_mode)) {
        warn(looking, option, file, "is no regular file");
    } else if (access(file, R_OK | W_OK) != 0) {
        warn_of_error(looking, option, file, errno);
    } else if (!is_database(file)) {
        warn(looking, option, file, "is no SQLite database, and would be moved aside");
    }
}

void look_at_state(const struct settings *settings, const struct conf *conf, bool is_user,
                   struct conf_problems *warnings)
{
    struct arena *arena = arena_create(4096);
    const struct looking looking = {arena, conf, is_user, warnings};
    const char *state = settings->general->state_directory;
    bool is_good = look_at_directory(&looking, "state_directory", state);
    struct store_url url;
    if (is_good)
        look_at_file(&looking, "state_directory", arena_printf(arena, "%s/spool.db", state));
    if (!store_url_parse(arena, settings->general->store, &url) && !url.is_redis) {
        char directory[PATH_MAX];
        if (filepath_directory(url.path, directory) != 0)
            warn_of_error(&looking, "store", url.path, errno);
        else if (strcmp(directory, state) == 0 ? is_good : look_at_directory(&looking, "store", directory))
            look_at_file(&looking, "store", url.path);
    }
    arena_destroy(arena);
}
