/*
 * archive - the names inside archives, found by libarchive in a process that can be killed.
 *
 * libarchive 3.6.2 can spin for minutes on a hostile file and a thread cannot be stopped, so the listing runs in a
 * child with a timer that ends it. archive_scanner_create() forks one small single-threaded server before the
 * program starts threads; for each archive the server forks a child.
 *
 * OWNS: the scanner owns its server process; archive_scanner_destroy() (or our death) ends it.
 * THREADS: create and destroy from one thread, before and after the others; archive_scan() from any number at once.
 */
#ifndef POSTERN_MIME_ARCHIVE_H
#define POSTERN_MIME_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct archive_scanner;

struct archive_limits {
    unsigned max_depth;    /* archives within archives; 1 = only the outermost is opened */
    unsigned max_entries;  /* members in all levels together */
    uint64_t max_expanded; /* bytes written while unpacking nested archives and streams, all levels together */
    int64_t time_ms;       /* after this the child is killed */
};

enum archive_status {
    ARCHIVE_DONE,       /* listed whole */
    ARCHIVE_NONE,       /* by its content it is no archive */
    ARCHIVE_OVER_LIMIT, /* depth, entries, expanded or time; what was found before was delivered */
    ARCHIVE_ENCRYPTED,  /* a member or the directory is encrypted; what could be read was delivered */
    ARCHIVE_UNREADABLE, /* damaged, truncated, or a kind libarchive cannot read */
    ARCHIVE_STOPPED,    /* the visitor asked to stop */
    ARCHIVE_TROUBLE      /* our own trouble: no process, no disk; says nothing about the archive */
};

/* PATH: the member's path below the archive, "doc/run.exe", nested archives joined with '/': "in.zip/run.exe".
 * Not 0 stops the scan. */
typedef int archive_visit(void *context, const char *path);

/* DIRECTORY: for unlinked files that hold nested archives. NULL with errno if the server cannot be started. */
struct archive_scanner *archive_scanner_create(const char *directory);
void archive_scanner_destroy(struct archive_scanner *scanner);

/* True if the first LEN bytes (give 40000 or all there are) look like an archive or a compressed stream that
 * archive_scan() opens; cheap, never calls libarchive. Where the mark is at the end of the file (a zip behind other
 * data) give TAIL, the last bytes (up to 66000). */
bool archive_is_likely(const char *head, size_t len, const char *tail, size_t tail_len);

/* FD: a file that holds the archive from offset 0 to its end; its position does not matter. */
enum archive_status archive_scan(struct archive_scanner *scanner, int fd, const struct archive_limits *limits,
                                 archive_visit *visit, void *context);

#endif
