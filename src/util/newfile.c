/* newfile - the directory was made for the daemon's user, so it says who that is. */
#include "util/newfile.h"
#include "util/filepath.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
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
