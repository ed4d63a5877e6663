/*
 * store_file - the SQLite file as a thing in a directory: made, recognised, locked while it is opened, moved aside.
 *
 * Beside PATH lies PATH.lock, empty, with two bytes that are locked and never written. Byte 0: somebody opens, closes,
 * makes or moves the file. Byte 1, shared: a process uses it; who gets it alone knows that nobody else does.
 *
 * OWNS: the descriptor of the lock file. THREADS: none inside; one at a time between store_file_lock() and _unlock();
 * store_file_identify() from all. ERRORS: false with a reason in the call.
 */
#ifndef POSTERN_STORE_STORE_FILE_H
#define POSTERN_STORE_STORE_FILE_H

#include "store/backend.h"
#include <sys/stat.h>

struct store_identity {
    dev_t device;
    ino_t inode; /* 0: there is no file */
};

struct store_file {
    const char *path, *lock_path;
    int lock;       /* descriptor, or -1 */
    bool is_in_use; /* byte 1 is ours, shared */
    bool is_first;  /* since store_file_lock(): byte 1 was free, and we did not have it before */
};

void store_file_init(struct store_file *file, struct arena *arena, const char *path);
void store_file_close(struct store_file *file);

/* Which file is at PATH now? False: it is none that may be opened (a link, a directory), or cannot be looked at. */
bool store_file_identify(const struct store_file *file, struct store_call *call, struct store_identity *identity);
static inline bool store_identity_equals(struct store_identity a, struct store_identity b)
{
    return a.device == b.device && a.inode == b.inode && a.inode != 0;
}

bool store_file_lock(struct store_file *file, struct store_call *call);
void store_file_unlock(struct store_file *file);

/* Under the lock. Makes an empty file of mode 0600 if there is none (*IS_NEW); one made by root belongs to the owner of
 * the directory. A write-ahead log without its file is moved aside. */
bool store_file_make(const struct store_file *file, struct store_call *call, bool *is_new);

/* Under the lock, of one that store_file_make() has not just made. */
enum store_content {
    STORE_FILE_FILLED,  /* or blank: made by somebody who came no further */
    STORE_FILE_EMPTIED, /* it had content, and is empty now */
    STORE_FILE_CUT_OFF  /* the same, but the log may hold something: SQLite would delete that */
};
enum store_content store_file_content(const struct store_file *file);

/* Under the lock: if it is empty (still, or again after a failure), nobody needs to wonder. */
void store_file_keep_blank(const struct store_file *file);

/* Under the lock, before SQLite opens it: was it left by a process that ended without closing it, and is used by nobody
 * else? */
bool store_file_was_abandoned(const struct store_file *file);

/* Under the lock. Moves the file, its -wal and its -shm to PATH.corrupt-TIME, -wal and -shm behind that, if it still is
 * the one with this IDENTITY; logs that with WHAT is wrong, and leaves where it is in CALL. True too if somebody else
 * has moved it already (not BY_US; nothing in CALL). */
bool store_file_move_aside(const struct store_file *file, struct store_call *call, struct store_identity identity,
                           const char *what, bool *by_us);

#endif
