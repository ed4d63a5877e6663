/*
 * user - names of users and groups to numbers, and becoming one of them for good.
 *
 * THREADS: before any. ERRORS: a sysexits code and a sentence that begins with the name of the option.
 */
#ifndef POSTERN_MASTER_USER_H
#define POSTERN_MASTER_USER_H

#include "util/strbuf.h"
#include <sys/types.h>

struct user {
    uid_t uid; /* (uid_t)-1: none wanted, stay who we are */
    gid_t gid;
    char name[256];
};

/* NAME is a login or a number; "" gives "stay". EX_CONFIG: no such user. EX_NOPERM: we are not root and not that
 * user. */
int user_find(struct user *user, const char *name, struct strbuf *why);

/* For socket_owner and socket_group; "" gives -1. */
int user_find_owner(const char *name, uid_t *uid, struct strbuf *why);
int user_find_group(const char *name, gid_t *gid, struct strbuf *why);

/* Gives up every other identity, all supplementary groups that are not the user's, and (always) the right to ever gain
 * privileges again. EX_OSERR if the kernel refuses any of it. */
int user_become(const struct user *user, struct strbuf *why);

#endif
