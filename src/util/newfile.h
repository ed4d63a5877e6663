/*
 * newfile - files that must be new, and whose they become.
 *
 * posternctl may be run by root, or the daemon be started as root, before the daemon's user ever made a file; what is
 * made then must not lock him out. THREADS: any.
 */
#ifndef POSTERN_UTIL_NEWFILE_H
#define POSTERN_UTIL_NEWFILE_H

/* Makes PATH, mode 0600, to be read and written; if we are root it goes to the owner and group of its directory. A
 * descriptor, or -1 with errno (EEXIST: there is one, a link included) and nothing made. */
int newfile_create(const char *path);

#endif
