/*
 * content - the bytes of one message: in memory while they are few, in an unlinked file when they are many.
 *
 * The bytes are the message as the SMTP client sent it after dot-unstuffing: header, empty line, body, lines ended by
 * CRLF wherever the MTA gave them so. Written once, front to back; read at any offset afterwards.
 *
 * OWNS: its buffer and its file; content_destroy() ends both (register it on the message's arena).
 * THREADS: none inside; the memory total is shared by all contents of the process and is atomic.
 */
#ifndef POSTERN_CORE_CONTENT_H
#define POSTERN_CORE_CONTENT_H

#include "util/span.h"
#include <stdint.h>
#include <sys/types.h>

struct content;

struct content_limits {
    const char *directory; /* for the unlinked files */
    uint64_t memory;       /* bytes a message may keep in memory */
    uint64_t memory_total; /* bytes all messages together may keep in memory; past it new bytes go to files */
    uint64_t size;         /* bytes a message may have at all, 0 = no limit */
};

enum content_error {
    CONTENT_TOO_LARGE = -1, /* past limits.size; nothing was added */
    CONTENT_NO_SPACE = -2   /* the file could not be created or written; errno says why */
};

/* LIMITS must outlive the content. */
struct content *content_create(const struct content_limits *limits);
void content_destroy(void *content);

/* 0 or an enum content_error. After an error the content keeps what it had before. */
int content_append(struct content *content, struct span bytes);

/* Up to LEN bytes from OFFSET on into BUFFER: how many (0 at the end), or -1 with errno. */
ssize_t content_read_at(const struct content *content, uint64_t offset, void *buffer, size_t len);

uint64_t content_size(const struct content *content);

/* The bytes themselves while they are in memory; ptr NULL once they are in a file. */
struct span content_memory(const struct content *content);

#endif
