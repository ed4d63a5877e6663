/*
 * store_secret - read once, when the store is opened. A file of the wrong mode is refused and not only complained
 * about, because nobody reads the log of a program that works.
 */
#include "store/store_secret.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_MOST 1024

/* The length, -1 with errno; 0 for a file that others may read. */
static ssize_t read_start(const char *path, char *bytes, size_t size, struct stat *st)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -1;
    ssize_t n = fstat(fd, st);
    if (n == 0 && S_ISREG(st->st_mode) && !(st->st_mode & S_IRWXO))
        n = read(fd, bytes, size);
    int error = errno;
    close(fd);
    errno = error;
    return n;
}

const char *store_secret_read(const char *path, struct arena *arena, struct arena *problem_arena, const char **user,
                              const char **password)
{
    char bytes[SECRET_MOST];
    struct stat st = {0};
    ssize_t n = read_start(path, bytes, sizeof bytes, &st);
    if (n < 0)
        return arena_printf(problem_arena, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return arena_printf(problem_arena, "%s is no regular file", path);
    if (st.st_mode & S_IRWXO)
        return arena_printf(problem_arena, "%s is open to others: its mode must be 0600 or 0640", path);
    size_t len = 0;
    while (len < (size_t)n && bytes[len] != '\n' && bytes[len] != '\r')
        len++;
    if (len == 0 || len == sizeof bytes || memchr(bytes, '\0', len))
        return arena_printf(problem_arena, "%s: its first line is no password", path);
    const char *colon = *user ? NULL : memchr(bytes, ':', len);
    size_t start = colon ? (size_t)(colon - bytes) + 1 : 0;
    if (colon && colon > bytes)
        *user = arena_spandup(arena, (struct span){bytes, start - 1});
    *password = arena_spandup(arena, (struct span){bytes + start, len - start});
    explicit_bzero(bytes, sizeof bytes);
    return NULL;
}
