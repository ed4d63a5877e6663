/* sqlite_why - SQLite's words, its code, and the system's reason where there is one. */
#include "util/sqlite_why.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* What a write to a file or its log ran into, SQLite remembers with that alone. 0: not known. */
static int system_error(sqlite3 *db)
{
    int error = sqlite3_system_errno(db);
    sqlite3_file *log = NULL;
    if (!error)
        sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &error);
    if (!error && sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) == SQLITE_OK && log &&
        log->pMethods)
        log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &error);
    return error;
}

void sqlite_why(sqlite3 *db, int code, char *text, size_t size)
{
    int kind = code & 0xff, error = db && (kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN) ? system_error(db) : 0;
    bool is_latest = db && (sqlite3_extended_errcode(db) == code || sqlite3_errcode(db) == code);
    const char *words = is_latest ? sqlite3_errmsg(db) : sqlite3_errstr(code);
    if (error)
        snprintf(text, size, "%s (%d): %s", words, code, strerror(error));
    else
        snprintf(text, size, "%s (%d)", words, code);
}
