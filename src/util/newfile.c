/* newfile - the directory was made for the daemon's user, so it says who that is. */
#include "util/newfile.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int give_to_owner_of_directory(int fd, const char *path)
{
    char directory[PATH_MAX] = ".";
    struct stat above;
    const char *slash = strrchr(path, '/');
    size_t len = slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
    if (len >= sizeof directory) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (len > 0) {
        memcpy(directory, path, len);
        directory[len] = '\0';
    }
    return stat(directory, &above) == 0 ? fchown(fd, above.st_uid, above.st_gid) : -1;
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
