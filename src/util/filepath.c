/* filepath - cut at the last slash; a trailing one is not expected, for the path is a file's. */
#include "util/filepath.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int filepath_directory(const char *path, char out[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t len = slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
    if (len >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(out, len ? path : ".", len ? len : 1);
    out[len ? len : 1] = '\0';
    return 0;
}

int filepath_sync_directory(const char *path)
{
    char directory[PATH_MAX];
    int fd = filepath_directory(path, directory) == 0 ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd < 0)
        return -1;
    int status = fsync(fd), error = errno;
    close(fd);
    errno = error;
    return status;
}
