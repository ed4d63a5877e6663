/*
 * user - initgroups, setresgid, setresuid, and a look whether it worked.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "master/user.h"
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

static bool is_number(const char *name, unsigned *number)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(name, &end, 10);
    *number = (unsigned)value;
    return *name >= '0' && *name <= '9' && !*end && !errno && value < (unsigned)-1;
}

static int not_found(const char *option, const char *what, const char *name, struct strbuf *why)
{
    strbuf_printf(why, "%s: there is no %s \"%s\" on this machine", option, what, name);
    return EX_CONFIG;
}

int user_find(struct user *user, const char *name, struct strbuf *why)
{
    *user = (struct user){.uid = (uid_t)-1, .gid = (gid_t)-1};
    if (!*name)
        return 0;
    unsigned number;
    struct passwd *entry = getpwnam(name);
    if (!entry && is_number(name, &number))
        entry = getpwuid(number);
    if (!entry)
        return not_found("user", "user", name, why);
    user->uid = entry->pw_uid;
    user->gid = entry->pw_gid;
    snprintf(user->name, sizeof user->name, "%s", entry->pw_name);
    if (geteuid() != 0 && geteuid() != user->uid) {
        strbuf_printf(why, "user: only root can become \"%s\"; started as user number %u", name, (unsigned)geteuid());
        return EX_NOPERM;
    }
    return 0;
}

int user_find_owner(const char *name, uid_t *uid, struct strbuf *why)
{
    unsigned number = (unsigned)-1;
    struct passwd *entry = *name ? getpwnam(name) : NULL;
    if (*name && !entry && !is_number(name, &number))
        return not_found("socket_owner", "user", name, why);
    *uid = entry ? entry->pw_uid : (uid_t)number;
    return 0;
}

int user_find_group(const char *name, gid_t *gid, struct strbuf *why)
{
    unsigned number = (unsigned)-1;
    struct group *entry = *name ? getgrnam(name) : NULL;
    if (*name && !entry && !is_number(name, &number))
        return not_found("socket_group", "group", name, why);
    *gid = entry ? entry->gr_gid : (gid_t)number;
    return 0;
}

int user_become(const struct user *user, struct strbuf *why)
{
    const char *step = NULL;
    if (user->uid != (uid_t)-1 && geteuid() == 0) {
        if (initgroups(user->name, user->gid) < 0)
            step = "take the groups of";
        else if (setresgid(user->gid, user->gid, user->gid) < 0)
            step = "take the group of";
        else if (setresuid(user->uid, user->uid, user->uid) < 0)
            step = "become";
        else if (user->uid != 0 && setuid(0) == 0)
            step = "give up root for";
    }
    if (step) {
        strbuf_printf(why, "user: cannot %s \"%s\": %s", step, user->name, strerror(errno));
        return EX_OSERR;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        strbuf_printf(why, "cannot set no_new_privs: %s", strerror(errno));
        return EX_OSERR;
    }
    return 0;
}
