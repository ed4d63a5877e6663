/*
 * pidfile - written once, emptied at the end through the descriptor that is still open, removed if possible.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "master/pidfile.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

int pidfile_open(struct pidfile *pidfile, const char *path, struct strbuf *why)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0) {
        int error = errno;
        strbuf_printf(why, "-p: cannot write the pid file %s: %s", path, strerror(error));
        if (fd >= 0)
            close(fd);
        return error == EACCES || error == EPERM ? EX_NOPERM : EX_CANTCREAT;
    }
    *pidfile = (struct pidfile){fd, path};
    return 0;
}

void pidfile_close(struct pidfile *pidfile)
{
    if (pidfile->fd < 0)
        return;
    if (unlink(pidfile->path) < 0)
        (void)!ftruncate(pidfile->fd, 0);
    close(pidfile->fd);
    *pidfile = PIDFILE_CLOSED;
}
