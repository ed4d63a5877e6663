/*
 * sqlite_why - what went wrong in SQLite, for people.
 *
 * OWNS: nothing. THREADS: the connection's. ERRORS: none.
 */
#ifndef POSTERN_UTIL_SQLITE_WHY_H
#define POSTERN_UTIL_SQLITE_WHY_H

#include <sqlite3.h>
#include <stddef.h>

/* What SQLite says of CODE, which it answered last, and what the system said: "unable to open database file" alone helps
 * nobody. DB may be NULL. */
void sqlite_why(sqlite3 *db, int code, char *text, size_t size);

#endif
