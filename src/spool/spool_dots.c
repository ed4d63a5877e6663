/*
 * spool_dots - slots of sixteen bytes, by number. A slot lies in one page of the page cache and is written with one
 * call, so that no kill leaves half of it. Tokens are random: what stands there from another file or another time means
 * no entry.
 */
#include "spool/spool_dots.h"
#include "spool/spool_lock.h"
#include <errno.h>
#include <unistd.h>

#define SIZE sizeof(struct spool_dot)

int spool_dots_open(const char *directory)
{
    return spool_lock_file(directory, "spool.dots");
}

int spool_dots_read(int fd, struct spool_dot *dots, size_t *count)
{
    ssize_t n = pread(fd, dots, SPOOL_DOTS_MOST * SIZE, 0);
    if (n < 0)
        return -1;
    *count = 0;
    for (size_t i = 0; i < (size_t)n / SIZE; i++) {
        if (dots[i].id != 0)
            dots[(*count)++] = dots[i];
    }
    return 0;
}

static bool write_at(int fd, size_t slot, const struct spool_dot *dots, size_t count)
{
    ssize_t n = pwrite(fd, dots, count * SIZE, (off_t)(slot * SIZE));
    if (n >= 0 && (size_t)n != count * SIZE)
        errno = ENOSPC;
    return n == (ssize_t)(count * SIZE);
}

bool spool_dots_note(int fd, size_t slot, const struct spool_dot *dot)
{
    return write_at(fd, slot, dot, 1);
}

bool spool_dots_wipe(int fd, size_t first, size_t count)
{
    static const struct spool_dot none[SPOOL_DOTS_EACH];
    return write_at(fd, first, none, count);
}
