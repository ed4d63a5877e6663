/*
 * listen - a listening socket that is ours alone (the milter socket and the control socket), or one that goes from one
 * process to the next (the socketmap's).
 *
 * OWNS: a listener owns its descriptor, its lock file and its path in the file system. THREADS: none inside.
 * ERRORS: a sysexits code, and a sentence that begins with the name of the option: EX_CANTCREAT (somebody else listens,
 * the path is no socket, the directory is missing), EX_NOPERM, EX_OSERR.
 */
#ifndef POSTERN_MASTER_LISTEN_H
#define POSTERN_MASTER_LISTEN_H

#include "master/endpoint.h"
#include <stdbool.h>
#include <sys/types.h>

struct listener {
    int fd;   /* -1 = closed; CLOEXEC, O_NONBLOCK */
    int lock; /* of PATH.lock; -1 for inet and for one that replaces another */
    char path[ENDPOINT_PATH_MAX + 1];
    dev_t device; /* the socket file as we made it */
    ino_t inode;
};

struct listen_access { /* of a unix socket's file */
    uid_t uid;         /* (uid_t)-1 = as created */
    gid_t gid;         /* (gid_t)-1 = as created */
    mode_t mode;
    uid_t user; /* whose PATH.lock shall be: who we are about to become; (uid_t)-1 = as created */
};

#define LISTENER_CLOSED ((struct listener){.fd = -1, .lock = -1})

/* Binds and listens. A socket file that nobody listens on is replaced; for a second or so it waits for one that is
 * just being given up (the workers of a master that was killed). */
int listen_open(struct listener *listener, const struct endpoint *endpoint, const char *option,
                const struct listen_access *access, struct strbuf *why);

/* Takes the place of a listener of the same user, without a moment in which nobody listens. A unix socket is made as
 * PATH.PID and renamed over PATH; who stands in the old one's backlog stays there. An inet socket is bound beside the
 * old one (SO_REUSEPORT) and each gets some of the connections until the old one is closed. */
int listen_replace(struct listener *listener, const struct endpoint *endpoint, const char *option,
                   const struct listen_access *access, struct strbuf *why);

/* Closes; removes the file if it is still the one we made, and the lock. Twice is fine. */
void listen_close(struct listener *listener);

#endif
