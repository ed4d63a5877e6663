/*
 * spool - what must leave this machine and must not be lost: auto-replies, and copies sent on.
 *
 * A queue in an SQLite file (DIRECTORY/spool.db), synced before spool_add() returns. One worker at a time (a lock file
 * decides; the next worker takes over when the first ends or drains) hands entries to MTAs over SMTP, in one thread for
 * each MTA, so that one that hangs holds up only its own. Entries wait longer after each temporary failure, and are
 * given up after `lifetime`.
 *
 * Sent once or sent surely: nobody can know whether a message that was cut off behind its final dot was taken. An entry
 * with `once` counts as sent then; one without is sent again. The same goes for the entries that were under way when
 * the machine stopped, and, without `once`, for those that the MTA had taken shortly before that: what became of them
 * is written, so that a process that is killed knows it, but not synced, as an MTA's own marks are not (docs/adr/0009).
 *
 * Who gets it once: a forward-path that an MTA took responsibility for is not sent to again while the rest of its entry
 * is retried, but for the doubt above.
 *
 * OWNS: the file. THREADS: any for add and the administrator's calls; callbacks come from the sender threads, those for
 * entries of one `submit` one at a time. MEMORY: content is copied in pieces of 256 kB; together with SQLite's cache an
 * addition takes less than 4 MB, however large the message.
 * ERRORS: SPOOL_FULL and SPOOL_FAILED (logged here); then nothing was queued. A queue that is found corrupt is moved
 * aside, and one that lost its content begun anew, both loudly. An addition goes on in the new one. Of the
 * administrator's calls the one that found it fails, for "there is nothing" would be no true answer.
 */
#ifndef POSTERN_SPOOL_SPOOL_H
#define POSTERN_SPOOL_SPOOL_H

#include "util/arena.h"
#include "util/span.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct spool_options {
    const char *directory;     /* state_directory */
    const char *submit;        /* "smtp://127.0.0.1:25", "smtps://HOST", "smtp://HOST:587?starttls", "...?ca=/FILE" */
    const char *hostname;      /* for EHLO */
    uint64_t max_messages, max_bytes;
    int64_t lifetime;          /* ms from adding to giving up */
    int64_t retry_first, retry_most; /* ms between attempts: doubled each time, between these bounds */
    int64_t timeout;           /* ms for each step of an SMTP conversation */
};

enum spool_outcome { SPOOL_FAILED = -1, SPOOL_OK, SPOOL_FULL };

struct spool_message {
    const char *kind;         /* "autoreply": in the list and in the log */
    const char *submit;       /* the MTA for this one, in the form of spool_options; NULL: that one, whatever it is when
                                 the entry is sent */
    const char *reverse_path; /* "" = the null reverse-path */
    const char *const *forward_paths;
    size_t forward_path_count;
    const char *mail_parameters; /* behind MAIL FROM, "RET=HDRS ENVID=x"; sent if the MTA offers them; may be NULL. SIZE
                                    and SMTPUTF8 are added as needed */
    const char *rcpt_parameters; /* behind each RCPT TO, "NOTIFY=NEVER"; sent if the MTA offers DSN; may be NULL */
    const char *const *each_rcpt_parameters; /* one a forward path, in their order, instead of rcpt_parameters; or NULL */
    bool needs_smtputf8;         /* the header is internationalised (an address is noticed): permanent failure if the MTA
                                    lacks SMTPUTF8 */
    bool once;
    bool is_beyond_limits;       /* max_messages and max_bytes do not hold: for one that takes the place of an entry that
                                    leaves, or it would be lost when the queue is full */
    struct span head;            /* in front of the content: header fields of ours, whole lines; may be empty */
    struct span content;         /* header and body, CRLF lines, as it is to arrive; a bare CR or LF becomes CRLF */
    /* Instead of content, for one that lies in a file: up to LEN bytes from OFFSET on into BUFFER: how many, or -1
     * (then it is SPOOL_FAILED). There are SOURCE_SIZE. Called by any thread, more than once, until spool_add()
     * returns. */
    ssize_t (*read_at)(const void *source, uint64_t offset, void *buffer, size_t len);
    const void *source;
    uint64_t source_size;
    const char *memo;            /* the owner's own text for its callbacks; may be NULL */
    unsigned company;            /* how many messages are under way in this process: among many the addition waits a
                                    millisecond for the others', to share their sync. 0 or 1: it does not */
};

struct spool;

/* Can SUBMIT be understood? NULL, or what is wrong with it: for the option's verify(). */
const char *spool_verify_url(const char *submit);

/* NULL only when memory is out: a file that cannot be opened yet fails the calls. Copies OPTIONS. */
struct spool *spool_open(const struct spool_options *options);

/* All of them durable, in one transaction, when it says SPOOL_OK; else none. An address, a parameter or a URL that
 * would break the SMTP dialogue is SPOOL_FAILED. IDS for the log, one a message; may be NULL. NOW in seconds since
 * 1970. */
enum spool_outcome spool_add_all(struct spool *spool, const struct spool_message *messages, size_t count, int64_t now,
                                 int64_t *ids);

enum spool_outcome spool_add(struct spool *spool, const struct spool_message *message, int64_t now, int64_t *id);

enum spool_end { SPOOL_SENT, SPOOL_GIVEN_UP, SPOOL_REFUSED /* 5xx */, SPOOL_DELETED /* by the administrator */,
                 SPOOL_UNKNOWN /* cut off behind the final dot, or the machine stopped, with `once` */ };

struct spool_refused { /* a forward-path that was not delivered, or of which that is not known */
    const char *forward_path;
    const char *parameters; /* of its RCPT, as they were added; may be NULL */
    enum spool_end end;     /* why; never SPOOL_SENT */
    const char *reply;      /* the last that the MTA said of it, or what went wrong, "550 5.1.1 who?"; several lines are
                               joined by " / ". NULL: it was never tried */
};

struct spool_left { /* an entry that leaves the queue; all of it is valid during the call */
    int64_t id;
    const char *kind, *memo; /* memo may be NULL */
    const char *reverse_path, *mail_parameters; /* as they were added */
    enum spool_end end;      /* SPOOL_SENT: at least one forward-path was delivered */
    const struct spool_refused *refused; /* all that were not, in the order of adding */
    size_t refused_count;
    /* With refused_count > 0: what was added from its beginning up to and with the empty line, at most SPOOL_HEADER_MAX
     * bytes; empty if it cannot be read. */
    struct span header;
    int64_t added, now; /* seconds since 1970 */
    bool is_last;       /* after() is not asked again: what it cannot do now is lost, and it says so in the log */
};

#define SPOOL_HEADER_MAX 65536

struct spool_owner {
    const char *kind;
    /* Before each attempt, for an entry may wait for days and what it was for may be over, and soon after it was added
     * even if the MTA is not there: false drops it, without after(). Must be safe to repeat. May ask for a later call
     * by setting *LATER (the store is down); then the entry waits, whatever it returns. */
    bool (*before)(void *context, const char *memo, int64_t now, bool *later);
    /* When the end of an entry is decided; before it is removed, so that a crash in between repeats it. It may add
     * entries. False: it could not do what it had to, now. Then the entry stays, is never sent again, and after() is
     * asked again later, by another worker too, until it says true or `lifetime` is over since the first time it was
     * asked. */
    bool (*after)(void *context, const struct spool_left *left);
    void *context;
    /* Between before() and the sending, once for several entries: what before() wrote is to be durable. False: it
     * cannot be now, and they wait. NULL: there is nothing to do. */
    bool (*settle)(void *context);
    /* Instead of before() for each of several entries that were not attempted yet. True: all are wanted, as if before()
     * had said so of each. False: nothing may be concluded, and before() is asked. NULL: it always is. */
    bool (*before_all)(void *context, const char *const *memos, size_t count, int64_t now);
};

/* Starts sending; the process forks no children without exec from then on (the lock would be theirs too). OWNERS are
 * copied, ended by a NULL kind. 0 or an errno value. */
int spool_start(struct spool *spool, const struct spool_owner *owners);

/* Lets go of the queue after the delivery under way, so that the next worker may send; spool_add() goes on working.
 * Returns at once. A delivery that has not come to its final dot a second later is broken off, which costs it
 * nothing. */
void spool_stop(struct spool *spool);

/* Have the sender threads ended, or were there none? A process that ends before leaves it open what the MTA answered to
 * the final dot. Behind spool_stop(), and from one thread: the senders' are joined here. */
bool spool_is_at_rest(struct spool *spool);
void spool_close(struct spool *spool);

/* How often the queue's file could not be used since spool_open(), by whatever call or thread. */
uint64_t spool_failures(const struct spool *spool);

/* ---- the administrator's calls: also from another process, without spool_start() ---- */

struct spool_entry {
    int64_t id;
    const char *kind, *reverse_path;
    const char *forward_paths; /* joined by ", " */
    int64_t added, next_attempt; /* seconds since 1970 */
    unsigned attempts;
    const char *last_reply;    /* of the MTA, or what went wrong; NULL before the first attempt */
    uint64_t bytes;
    bool is_being_sent;
    bool is_decided; /* it is not sent any more, and waits until its owner could do what follows: next_attempt is his */
};

/* In the order of adding. On ARENA. 0, or -1 and *PROBLEM. */
int spool_list(struct spool *spool, struct arena *arena, struct spool_entry **entries, size_t *count,
               const char **problem);
int spool_show(struct spool *spool, struct arena *arena, int64_t id, struct spool_entry *entry, struct span *content,
               const char **problem); /* 1: there is no such entry */
int spool_flush(struct spool *spool, int64_t id, const char **problem);  /* attempt now; id 0: all. How many */
/* id 0: all. How many. One that is_decided is gone behind this, whatever its owner can do. */
int spool_delete(struct spool *spool, int64_t id, const char **problem);

#endif
