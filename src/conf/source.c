/*
 * source - a configuration or list file, read whole.
 *
 * Only regular files: a directory, a socket or a FIFO in the wrong place must give a message, not a daemon that waits.
 * The size is limited, because the file is held in memory.
 */
#include "conf/loader.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *read_all(struct loader *loader, int fd, struct conf_source *source, size_t size)
{
    source->text = malloc(size + 1);
    if (!source->text)
        return "is too large for the memory of this machine";
    while (source->len < size) {
        ssize_t n = read(fd, source->text + source->len, size - source->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return arena_printf(loader->scratch, "cannot be read: %s", strerror(errno));
        if (n == 0)
            break;
        source->len += (size_t)n;
    }
    source->text[source->len] = '\0';
    return NULL;
}

static const char *check_and_read(struct loader *loader, int fd, size_t limit, struct conf_source *source)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return arena_printf(loader->scratch, "cannot be read: %s", strerror(errno));
    if (S_ISDIR(st.st_mode))
        return "is a directory";
    if (!S_ISREG(st.st_mode))
        return "is no regular file";
    if ((uintmax_t)st.st_size > limit)
        return arena_printf(loader->scratch, "is larger than %zu MiB", limit >> 20);
    source->device = st.st_dev;
    source->inode = st.st_ino;
    return read_all(loader, fd, source, (size_t)st.st_size);
}

const char *conf_source_read(struct loader *loader, const char *path, size_t limit, struct conf_source *source)
{
    *source = (struct conf_source){.path = arena_strdup(loader->arena, path)};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return arena_printf(loader->scratch, "cannot be opened: %s", strerror(errno));
    const char *why = check_and_read(loader, fd, limit, source);
    close(fd);
    if (why)
        conf_source_free(source);
    return why;
}

void conf_source_free(struct conf_source *source)
{
    free(source->text);
    source->text = NULL;
    source->len = 0;
}

void conf_source_blank(struct conf_source *source, size_t start, size_t end)
{
    for (size_t i = start; i < end && i < source->len; i++) {
        if (source->text[i] != '\n') /* so that the lines keep their numbers */
            source->text[i] = ' ';
    }
}
