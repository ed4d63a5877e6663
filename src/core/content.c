/*
 * content - a buffer that turns into a file.
 *
 * The file has no name (util/unlinked.h), so a crash leaves nothing behind. Reads use pread: the descriptor has no
 * position that two readers could fight over. The file is never mapped: mapped pages count as ours, the page cache does
 * not.
 */
#include "core/content.h"
#include "util/unlinked.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_BUFFER 65536 /* bytes gathered before a write, once the message is in a file */

struct content {
    const struct content_limits *limits;
    char *buffer;         /* the message, or the tail that is not yet written to the file */
    size_t used, room;    /* bytes in buffer, bytes it can hold */
    uint64_t file_bytes;  /* bytes in the file */
    int fd;               /* -1 while in memory */
};

static _Atomic uint64_t memory_in_use;

struct content *content_create(const struct content_limits *limits)
{
    struct content *content = calloc(1, sizeof *content);
    if (!content)
        abort();
    content->limits = limits;
    content->fd = -1;
    return content;
}

void content_destroy(void *object)
{
    struct content *content = object;
    if (!content)
        return;
    atomic_fetch_sub(&memory_in_use, content->room);
    if (content->fd >= 0)
        close(content->fd);
    free(content->buffer);
    free(content);
}

static int write_file(struct content *content, const char *bytes, size_t len)
{
    off_t at = (off_t)content->file_bytes;
    while (len > 0) {
        ssize_t n = pwrite(content->fd, bytes, len, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return CONTENT_NO_SPACE;
        bytes += n;
        at += n;
        len -= (size_t)n;
    }
    content->file_bytes = (uint64_t)at;
    return 0;
}

static void resize_buffer(struct content *content, size_t room)
{
    char *buffer = realloc(content->buffer, room);
    if (!buffer)
        abort();
    atomic_fetch_add(&memory_in_use, room - content->room); /* wraps to a subtraction when it shrinks */
    content->buffer = buffer;
    content->room = room;
}

/* Moves what is in memory to a file; from then on the buffer only gathers small writes. */
static int move_to_file(struct content *content)
{
    content->fd = unlinked_file(content->limits->directory);
    if (content->fd < 0)
        return CONTENT_NO_SPACE;
    int error = write_file(content, content->buffer, content->used);
    if (error) {
        close(content->fd);
        content->fd = -1;
        content->file_bytes = 0;
        return error;
    }
    content->used = 0;
    resize_buffer(content, FILE_BUFFER);
    return 0;
}

static int append_to_memory(struct content *content, struct span bytes)
{
    size_t needed = content->used + bytes.len;
    if (needed > content->room) {
        size_t room = content->room ? content->room : 2048;
        while (room < needed)
            room *= 2;
        if (room > content->limits->memory && needed <= content->limits->memory)
            room = (size_t)content->limits->memory;
        resize_buffer(content, room);
    }
    memcpy(content->buffer + content->used, bytes.ptr, bytes.len);
    content->used = needed;
    return 0;
}

static int append_to_file(struct content *content, struct span bytes)
{
    if (content->used + bytes.len > content->room) {
        int error = write_file(content, content->buffer, content->used);
        if (error)
            return error;
        content->used = 0;
        if (bytes.len >= content->room)
            return write_file(content, bytes.ptr, bytes.len);
    }
    memcpy(content->buffer + content->used, bytes.ptr, bytes.len);
    content->used += bytes.len;
    return 0;
}

int content_append(struct content *content, struct span bytes)
{
    const struct content_limits *limits = content->limits;
    if (bytes.len == 0)
        return 0;
    uint64_t size = content_size(content) + bytes.len;
    if (limits->size && size > limits->size)
        return CONTENT_TOO_LARGE;
    if (content->fd < 0) {
        bool crowded = bytes.len > content->room - content->used &&
                       atomic_load(&memory_in_use) + bytes.len > limits->memory_total;
        if (size <= limits->memory && !crowded)
            return append_to_memory(content, bytes);
        int error = move_to_file(content);
        if (error)
            return error;
    }
    return append_to_file(content, bytes);
}

ssize_t content_read_at(const struct content *content, uint64_t offset, void *buffer, size_t len)
{
    char *to = buffer;
    size_t done = 0;
    while (done < len && offset < content->file_bytes) {
        size_t want = len - done;
        if (want > content->file_bytes - offset)
            want = (size_t)(content->file_bytes - offset);
        ssize_t n = pread(content->fd, to + done, want, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0) { /* the file is shorter than what was written: never take that for the end */
            errno = EIO;
            return -1;
        }
        done += (size_t)n;
        offset += (uint64_t)n;
    }
    if (done < len && offset < content_size(content)) {
        size_t at = (size_t)(offset - content->file_bytes), n = content->used - at;
        if (n > len - done)
            n = len - done;
        memcpy(to + done, content->buffer + at, n);
        done += n;
    }
    return (ssize_t)done;
}

uint64_t content_size(const struct content *content)
{
    return content->file_bytes + content->used;
}

struct span content_memory(const struct content *content)
{
    if (content->fd >= 0)
        return (struct span){NULL, 0};
    return (struct span){content->buffer ? content->buffer : "", content->used};
}
