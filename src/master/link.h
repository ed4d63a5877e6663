/*
 * link - what the master and a worker say to each other.
 *
 * A SOCK_SEQPACKET pair, one end inherited by the worker (the second number of `postern-worker -W LISTEN,LINK`). Each
 * datagram is text, a word and perhaps lines after it:
 *
 *   worker -> master
 *     ready                     I take connections from now on
 *     closed                    what follows "drain": no connection that is made from now on comes to me (what those
 *                               made before may still do is said in milter/milter.h)
 *     report\nsessions=N\n...   how I am: lines of name=value. `sessions`, `config` and `checksum` have their meaning;
 *                               every other value is a number and is summed up
 *   master -> worker
 *     drain                     take no new connections, finish the open ones, send a last report, exit
 *     report                    send a report
 *
 * A word that the other end does not know is passed over.
 * The end of the link is a message too: a worker that reads it has lost its master and must give the socket up.
 *
 * OWNS: nothing; the descriptors belong to the callers and stay open. THREADS: link_send() from any, because a datagram
 * is one piece; the handler's functions are called from the thread of the link only.
 */
#ifndef POSTERN_MASTER_LINK_H
#define POSTERN_MASTER_LINK_H

#include "util/strbuf.h"
#include <stddef.h>
#include <sys/types.h>

#define LINK_TEXT_MAX                                                                                                  \
    65536 /* bytes in one datagram; the end of a longer report is dropped (LINK_MAX is the system's) */

/* ---- the worker's side ---- */

struct link_handler {
    /* Told once, however often the master says it. The answer, link_send_closed(), may come later. */
    void (*on_drain)(void *context);
    /* Add "name=value\n" lines, sessions=N among them. */
    void (*on_report)(void *context, struct strbuf *out);
    /* The master is gone. Drain and exit; nobody is left to bound the time, so bound it. Called last, and without
     * on_drain() before it unless the master said so. */
    void (*on_orphaned)(void *context);
    void *context;
};

/* Starts the thread that serves the link, with every signal blocked in it. HANDLER must stay. 0, or an errno value. */
int link_open(int fd, const struct link_handler *handler);

/* What that thread runs: returns when the master is gone, after on_orphaned(). */
void link_serve(int fd, const struct link_handler *handler);

/* 0, or -1: the master is gone (the thread will find out as well). Wait if the master is slow to read. */
int link_send_ready(int fd);
int link_send_closed(int fd);

/* Asks the handler for a report and sends it, for the last one before the exit. */
int link_send_report(int fd, const struct link_handler *handler);

/* ---- the master's side: never waits ---- */

/* WORD is "drain" or "report". 0, or -1: the worker is gone, or does not read. */
int link_tell(int fd, const char *word);

/* One datagram, NUL-terminated, in BUFFER of LINK_TEXT_MAX + 1 bytes. Its length, 0: the other end is closed, -1:
 * nothing there now. */
ssize_t link_receive(int fd, char *buffer);

#endif
