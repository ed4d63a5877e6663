/*
 * newfile - the directory was made for the daemon's user, so it says who that is.
 *
 * What is blank bears the time 0 (1970) as that of its last change. Whoever writes to it, or cuts it off, sets another.
 * It gets its name when it has that, so that no moment is left in which it could be taken for one that lost its
 * content.
 */
#include "util/newfile.h"
#include "util/filepath.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int give_to_owner_of_directory(int fd, const char *path)
{
    char directory[PATH_MAX];
    struct stat above;
    if (filepath_directory(path, directory) != 0 || stat(directory, &above) != 0)
        return -1;
    return fchown(fd, above.st_uid, above.st_gid);
}

int newfile_create(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || geteuid() != 0 || give_to_owner_of_directory(fd, path) == 0)
        return fd;
    int error = errno;
    unlink(path);
    close(fd);
    errno = error;
    return -1;
}

static const struct timespec blank[2] = {{0, UTIME_OMIT}, {0, 0}};

int newfile_create_blank(const char *path)
{
    char beside[PATH_MAX];
    struct stat there;
    if ((size_t)snprintf(beside, sizeof beside, "%s.new", path) >= sizeof beside) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (lstat(beside, &there) == 0 && S_ISREG(there.st_mode) && there.st_size == 0)
        unlink(beside); /* of one who was stopped; anything else is somebody's */
    int fd = newfile_create(beside);
    if (fd < 0)
        return -1;
    futimens(fd, blank);
    int result = link(beside, path), error = errno; /* which takes nobody's place */
    unlink(beside);
    close(fd);
    errno = error;
    return result;
}

bool newfile_is_blank(const struct stat *st)
{
    return st->st_size == 0 && st->st_mtim.tv_sec == 0 && st->st_mtim.tv_nsec == 0;
}

void newfile_mark_blank(const char *path)
{
    struct stat there;
    if (lstat(path, &there) == 0 && S_ISREG(there.st_mode) && there.st_size == 0)
        utimensat(AT_FDCWD, path, blank, AT_SYMLINK_NOFOLLOW);
}
