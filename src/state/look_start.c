/*
 * look_start - what the master stumbles over before it has a worker: names of users, and where its sockets shall be.
 *
 * It asks what the master will ask, with its own functions. A directory that is missing is a warning, because what
 * starts the daemon may make it (systemd does, from the unit), and it is looked at as whoever we are: the master binds
 * its sockets before it becomes the user.
 */
#include "master/user.h"
#include "state/look.h"
#include "util/filepath.h"
#include <errno.h>
#include <sys/stat.h>
#include <sysexits.h>

static void report(const struct conf *conf, const char *option, const char *text, struct conf_problems *problems)
{
    struct arena *arena = arena_create(1024);
    problems->count++;
    problems->report(problems->context,
                     arena_printf(arena, "%s: %s", conf_where(conf, arena, "", option, NULL), text));
    arena_destroy(arena);
}

/* CODE and WHY of the functions of user.h; WHY begins with the option's name. */
static void report_name(const struct conf *conf, const char *option, int code, struct strbuf *why,
                        struct conf_problems *problems)
{
    if (code == EX_CONFIG) /* that we may not become the user is nothing to the configuration */
        report(conf, option, strbuf_text(why), problems);
    strbuf_free(why);
}

void look_at_users(const struct settings *settings, const struct conf *conf, struct conf_problems *problems)
{
    const struct general_settings *general = settings->general;
    struct user user;
    struct strbuf why;
    uid_t uid;
    gid_t gid;
    strbuf_init(&why, 0);
    report_name(conf, "user", user_find(&user, general->user ? general->user : "", &why), &why, problems);
    if (general->socket_owner)
        report_name(conf, "socket_owner", user_find_owner(general->socket_owner, &uid, &why), &why, problems);
    if (general->socket_group)
        report_name(conf, "socket_group", user_find_group(general->socket_group, &gid, &why), &why, problems);
}

static void look_at_directory(const struct conf *conf, const char *option, const char *path,
                              struct conf_problems *warnings)
{
    struct stat there;
    struct arena *arena = arena_create(1024);
    char directory[PATH_MAX] = "";
    int error = filepath_directory(path, directory) != 0 || stat(directory, &there) != 0 ? errno
                : S_ISDIR(there.st_mode)                                                 ? 0
                                                                                         : ENOTDIR;
    if (error)
        report(conf, option,
               arena_printf(arena, "warning: %s: %s: %s; posternd does not start without it", option, directory,
                            strerror(error)),
               warnings);
    arena_destroy(arena);
}

void look_at_sockets(const struct settings *settings, const struct conf *conf, struct conf_problems *warnings)
{
    const char *path = strchr(settings->general->socket, '/'); /* none in the address of an inet socket */
    if (path)
        look_at_directory(conf, "socket", path, warnings);
    if (settings->general->control)
        look_at_directory(conf, "control", settings->general->control, warnings);
}
