/* smtp_server - an MTA that does as it is told: a thread a connection on the loopback, and a record of what it
 * heard. */
#ifndef POSTERN_TESTS_SMTP_SERVER_H
#define POSTERN_TESTS_SMTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#define SERVER_MESSAGES_MAX 20000

struct server_message {
    char *mail, *rcpts; /* the command lines; those of RCPT that were accepted, joined by '\n' */
    char *content;      /* as it came over the wire, still stuffed, without the final dot */
    size_t len;
    bool was_accepted;  /* 2xx to its final dot */
};

struct server;

struct server *server_start(void); /* offers DSN, 8BITMIME, SMTPUTF8, SIZE 1000000 */
void server_stop(struct server *server);
int server_port(const struct server *server);

/* What to say the NTH time (from 1; 0: always from now on) in PHASE: CONNECT EHLO HELO MAIL RCPT DATA DOT RSET QUIT.
 * REPLY is sent as it is, with CRLF; "CUT" hangs up, "HANG" says nothing more, "TAKE+CUT" (DOT) accepts and hangs up.
 * NULL ends the rule. The latest rule wins. */
void server_rule(struct server *server, const char *phase, int nth, const char *reply);

/* Milliseconds before each reply to PHASE. */
void server_delay(struct server *server, const char *phase, int ms);

int server_count(struct server *server, const char *phase);
size_t server_messages(struct server *server);
/* Waits up to 10 s for the Nth (from 0). NULL: it did not come. Valid until server_stop(). */
const struct server_message *server_message(struct server *server, size_t nth);
/* How many accepted messages have TEXT in their content. */
size_t server_count_content(struct server *server, const char *text);

#endif
