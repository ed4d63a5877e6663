/*
 * control - the server side of the control socket: posternctl reload and status.
 *
 * A client sends one line, a command, and reads until the end: "ok\n" or "error N\n" (N a sysexits code), then text.
 * At most CONTROL_CLIENTS at once; one that takes more than five seconds to ask, or to take its answer, is cut off.
 * Who may connect is decided by the mode of the socket (0600).
 * OWNS: its clients. The listener stays the caller's. THREADS: none inside.
 */
#ifndef POSTERN_MASTER_CONTROL_H
#define POSTERN_MASTER_CONTROL_H

#include "master/loop.h"
#include "util/strbuf.h"

#define CONTROL_CLIENTS 16

enum control_command { CONTROL_RELOAD, CONTROL_STATUS, CONTROL_COMMANDS };

/* A command came. Returns the ticket that control_answer() will be called with; several clients may hold the same. It
 * must not answer before it returns. */
typedef unsigned long (*control_ask)(void *context, enum control_command command);

struct control_client {
    struct control *control;
    struct loop_watch watch;
    struct loop_timer deadline;
    enum control_command command;
    unsigned long ticket;
    bool waiting;
    char line[64];
    size_t line_len;
    struct strbuf answer;
    size_t sent;
    bool open;
};

struct control {
    struct loop *loop;
    struct loop_watch listener;
    struct loop_timer pause; /* out of descriptors */
    control_ask ask;
    void *context;
    struct control_client clients[CONTROL_CLIENTS];
};

void control_open(struct control *control, struct loop *loop, int listen_fd, control_ask ask, void *context);

/* Answers every client that waits for COMMAND with TICKET. CODE 0 = ok. */
void control_answer(struct control *control, enum control_command command, unsigned long ticket, int code,
                    const char *text);

/* Cuts all clients off and accepts no more. */
void control_close(struct control *control);

#endif
