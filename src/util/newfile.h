/*
 * newfile - files that must be new, and whose they become.
 *
 * posternctl may be run by root, or the daemon be started as root, before the daemon's user ever made a file; what is
 * made then must not lock him out. THREADS: any.
 */
#ifndef POSTERN_UTIL_NEWFILE_H
#define POSTERN_UTIL_NEWFILE_H

#include <stdbool.h>
#include <sys/stat.h>

/* Makes PATH, mode 0600, to be read and written; if we are root it goes to the owner and group of its directory. A
 * descriptor, or -1 with errno (EEXIST: there is one, a link included) and nothing made. */
int newfile_create(const char *path);

/* The same for a database, which others fill later: closed, and blank until they do, after a crash in between too. What
 * is empty and not blank had content and lost it. One by that name with ".new" behind it is taken for what such a crash
 * left. 0, or -1 with errno. Under a lock of the caller's. */
int newfile_create_blank(const char *path);
bool newfile_is_blank(const struct stat *st);

/* Makes an empty PATH blank (again); opens nothing. */
void newfile_mark_blank(const char *path);

#endif
