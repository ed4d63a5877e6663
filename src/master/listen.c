/*
 * listen - bind() with manners.
 *
 * A unix socket: lock PATH.lock (two masters that start at once would both find the file stale and the second would
 * unlink the first one's), see what stands at PATH, bind under a umask that lets nobody in, set owner and mode, and
 * only then listen(). Owner and mode are set through a descriptor of the file, not through its path, which a user who
 * may write to the directory could have turned into a link meanwhile. The descriptor is non-blocking, because two
 * workers may poll it for a moment during a reload and the one that comes second must not stick in accept(). It sets no
 * options of connections but TCP_NODELAY, which accept() inherits.
 *
 * One that replaces another has no PATH.lock, for the two live at the same time. Between looking whose file stands at
 * the path and removing it, another process could rename its own there; so both do their part under a lock of the
 * directory. Nobody is waited for longer than a second: a stranger may hold such a lock as well.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "master/listen.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define TRIES 20 /* 50 ms apart */

static int fail(struct strbuf *why, const char *option, const char *what, const char *path)
{
    int error = errno;
    strbuf_printf(why, "%s: cannot %s%s%s: %s", option, what, path ? " " : "", path ? path : "", strerror(error));
    return error == EACCES || error == EPERM ? EX_NOPERM
           : error == ENOENT || error == ENOTDIR || error == EADDRINUSE || error == EROFS || error == EADDRNOTAVAIL ||
                   error == ENOSPC
               ? EX_CANTCREAT
               : EX_OSERR;
}

/* One that is there is opened without O_CREAT, with which the kernel lets nobody, not even root, open another user's
 * file in a directory such as /tmp (fs.protected_regular). */
static int open_lock(const char *path, const char *option, int *fd, struct strbuf *why)
{
    for (;;) {
        *fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        if (*fd >= 0)
            return 0;
        if (errno != ENOENT)
            return fail(why, option, "open", path);
        *fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (*fd >= 0)
            return 0;
        if (errno != EEXIST)
            return fail(why, option, "create", path);
    }
}

/* Should it stay behind, a master that USER starts must be able to open it. Others may write to the directory and could
 * have put a file or a link of theirs at the path, so no other file changes hands than root's that is empty and has no
 * second name. It does not matter to this start whether it worked. */
static void give_lock(int fd, uid_t user)
{
    struct stat file;
    if (user != (uid_t)-1 && user != 0 && geteuid() == 0 && fstat(fd, &file) == 0 && S_ISREG(file.st_mode) &&
        file.st_uid == 0 && file.st_nlink == 1 && file.st_size == 0)
        (void)!fchown(fd, user, (gid_t)-1);
}

static int take_lock(struct listener *listener, const char *option, uid_t user, struct strbuf *why)
{
    char path[ENDPOINT_PATH_MAX + sizeof ".lock"];
    snprintf(path, sizeof path, "%s.lock", listener->path);
    for (;;) {
        int fd, failed = open_lock(path, option, &fd, why);
        if (failed)
            return failed;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
            int code = errno == EWOULDBLOCK ? EX_CANTCREAT : fail(why, option, "lock", path);
            if (code == EX_CANTCREAT)
                strbuf_printf(why, "%s: another posternd is running on %s (it holds %s)", option, listener->path, path);
            close(fd);
            return code;
        }
        /* The holder before us removes the file while it holds the lock: what we locked may have no name any more. */
        struct stat ours, there;
        if (fstat(fd, &ours) == 0 && lstat(path, &there) == 0 && ours.st_dev == there.st_dev &&
            ours.st_ino == there.st_ino) {
            listener->lock = fd;
            give_lock(fd, user);
            return 0;
        }
        close(fd);
    }
}

/* Makes room at the path. 0, a code, or -1: somebody listens there. */
static int clear_path(const struct endpoint *endpoint, const char *path, const char *option, struct strbuf *why)
{
    struct stat there;
    if (lstat(path, &there) < 0)
        return errno == ENOENT ? 0 : fail(why, option, "look at", path);
    if (!S_ISSOCK(there.st_mode)) {
        strbuf_printf(why, "%s: %s exists and is no socket; it is left alone", option, path);
        return EX_CANTCREAT;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail(why, option, "create a socket", NULL);
    int result = connect(fd, &endpoint->address.any, endpoint->length);
    int error = errno;
    close(fd);
    if (result == 0 || error == EAGAIN || error == EINPROGRESS)
        return -1;
    errno = error;
    if (error == ENOENT)
        return 0;
    if (error != ECONNREFUSED)
        return fail(why, option, "find out whether somebody listens on", path);
    return unlink(path) < 0 && errno != ENOENT ? fail(why, option, "remove the stale socket", path) : 0;
}

static void pause_between_tries(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
}

static int set_access(struct listener *listener, const struct listen_access *access, const char *option,
                      struct strbuf *why)
{
    int file = open(listener->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat made;
    if (file < 0 || fstat(file, &made) < 0) {
        int code = fail(why, option, "open", listener->path);
        if (file >= 0)
            close(file);
        return code;
    }
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    int code = 0;
    if (!S_ISSOCK(made.st_mode)) {
        strbuf_printf(why, "%s: somebody replaced %s while it was being made", option, listener->path);
        code = EX_CANTCREAT;
    } else if ((access->uid != (uid_t)-1 || access->gid != (gid_t)-1) &&
               fchownat(file, "", access->uid, access->gid, AT_EMPTY_PATH) < 0) {
        code = fail(why, option, "set the owner or group of", listener->path);
    } else if (chmod(name, access->mode) < 0) {
        code = fail(why, option, "set the mode of", listener->path);
    }
    listener->device = made.st_dev;
    listener->inode = made.st_ino;
    close(file);
    return code;
}

static int bind_unix(struct listener *listener, const struct endpoint *endpoint, const char *option,
                     const struct listen_access *access, struct strbuf *why)
{
    mode_t before = umask(0177);
    int bound = bind(listener->fd, &endpoint->address.any, endpoint->length);
    int error = errno;
    umask(before);
    errno = error;
    if (bound < 0)
        return fail(why, option, "bind", listener->path);
    return set_access(listener, access, option, why);
}

static int open_unix(struct listener *listener, const struct endpoint *endpoint, const char *option,
                     const struct listen_access *access, struct strbuf *why)
{
    memcpy(listener->path, endpoint->address.un.sun_path, sizeof listener->path);
    int code = take_lock(listener, option, access->user, why);
    if (code)
        return code;
    for (int try = 0; (code = clear_path(endpoint, listener->path, option, why)) == -1 && try < TRIES; try++)
        pause_between_tries();
    if (code == -1) {
        strbuf_printf(why, "%s: somebody else listens on %s", option, listener->path);
        return EX_CANTCREAT;
    }
    return code ? code : bind_unix(listener, endpoint, option, access, why);
}

/* A descriptor that holds the lock of the directory of PATH, or -1 if it cannot be had. */
static int lock_directory(const char *path)
{
    char directory[ENDPOINT_PATH_MAX + 1];
    size_t len = (size_t)(strrchr(path, '/') - path);
    snprintf(directory, sizeof directory, "%.*s/", (int)len, path);
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int try = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && try < TRIES; try++)
        pause_between_tries();
    return fd;
}

/* Makes the socket beside PATH; the name is ours alone, and so is what a process of our number left there. */
static int bind_beside(struct listener *listener, const char *path, const char *option,
                       const struct listen_access *access, struct strbuf *why)
{
    struct endpoint beside;
    char name[ENDPOINT_PATH_MAX + 16];
    snprintf(name, sizeof name, "%s.%d", path, (int)getpid());
    if (endpoint_of_path(&beside, option, name, why) < 0)
        return EX_CONFIG;
    unlink(name);
    memcpy(listener->path, beside.address.un.sun_path, sizeof listener->path);
    return bind_unix(listener, &beside, option, access, why);
}

static int replace_unix(struct listener *listener, const struct endpoint *endpoint, const char *option,
                        const struct listen_access *access, struct strbuf *why)
{
    const char *path = endpoint->address.un.sun_path;
    struct stat there;
    if (lstat(path, &there) == 0 && !S_ISSOCK(there.st_mode)) {
        strbuf_printf(why, "%s: %s exists and is no socket; it is left alone", option, path);
        return EX_CANTCREAT;
    }
    int code = bind_beside(listener, path, option, access, why);
    if (code)
        return code;
    if (listen(listener->fd, SOMAXCONN) < 0)
        return fail(why, option, "listen on the socket", NULL);
    int lock = lock_directory(path);
    if (rename(listener->path, path) < 0)
        code = fail(why, option, "rename the new socket to", path);
    else
        memcpy(listener->path, path, sizeof listener->path);
    if (lock >= 0)
        close(lock);
    return code;
}

/* "bind 192.0.2.1 port 8891" */
static int fail_bind(const struct endpoint *endpoint, const char *option, struct strbuf *why)
{
    int error = errno;
    char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?", text[NI_MAXHOST + NI_MAXSERV + 16];
    getnameinfo(&endpoint->address.any, endpoint->length, host, sizeof host, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(text, sizeof text, "%s port %s", host, port);
    errno = error;
    return fail(why, option, "bind", text);
}

static int open_inet(struct listener *listener, const struct endpoint *endpoint, const char *option, bool is_shared,
                     struct strbuf *why)
{
    int one = 1;
    if (setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
        (is_shared && setsockopt(listener->fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) < 0) ||
        setsockopt(listener->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0 ||
        (endpoint->address.any.sa_family == AF_INET6 &&
         setsockopt(listener->fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one) < 0))
        return fail(why, option, "set the options of the socket", NULL);
    for (int try = 0; bind(listener->fd, &endpoint->address.any, endpoint->length) < 0; try++) {
        if (errno != EADDRINUSE || try == TRIES)
            return fail_bind(endpoint, option, why);
        pause_between_tries();
    }
    return 0;
}

/* One that REPLACES another listens before it takes the path. What is open is left so if it fails. */
static int open_socket(struct listener *listener, const struct endpoint *endpoint, const char *option,
                       const struct listen_access *access, bool replaces, struct strbuf *why)
{
    int family = endpoint->address.any.sa_family;
    *listener = LISTENER_CLOSED;
    listener->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd < 0)
        return fail(why, option, "create a socket", NULL);
    if (family == AF_UNIX && replaces)
        return replace_unix(listener, endpoint, option, access, why);
    int code = family == AF_UNIX ? open_unix(listener, endpoint, option, access, why)
                                 : open_inet(listener, endpoint, option, replaces, why);
    if (code == 0 && listen(listener->fd, SOMAXCONN) < 0)
        code = fail(why, option, "listen on the socket", NULL);
    return code;
}

int listen_open(struct listener *listener, const struct endpoint *endpoint, const char *option,
                const struct listen_access *access, struct strbuf *why)
{
    int code = open_socket(listener, endpoint, option, access, false, why);
    if (code)
        listen_close(listener);
    return code;
}

int listen_replace(struct listener *listener, const struct endpoint *endpoint, const char *option,
                   const struct listen_access *access, struct strbuf *why)
{
    int code = open_socket(listener, endpoint, option, access, true, why);
    if (code)
        listen_close(listener);
    return code;
}

void listen_close(struct listener *listener)
{
    if (listener->fd >= 0)
        close(listener->fd);
    listener->fd = -1;
    struct stat there;
    int directory = listener->inode && listener->lock < 0 ? lock_directory(listener->path) : -1;
    if (listener->inode && lstat(listener->path, &there) == 0 && there.st_dev == listener->device &&
        there.st_ino == listener->inode)
        unlink(listener->path);
    listener->inode = 0;
    if (directory >= 0)
        close(directory);
    if (listener->lock >= 0) {
        char path[ENDPOINT_PATH_MAX + sizeof ".lock"];
        snprintf(path, sizeof path, "%s.lock", listener->path);
        unlink(path);
        close(listener->lock);
    }
    listener->lock = -1;
}
