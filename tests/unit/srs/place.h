/*
 * place - a directory with a socketmap in it, and clients that talk to it.
 *
 * Whatever does not come within ten seconds fails the test.
 */
#ifndef POSTERN_TESTS_PLACE_H
#define POSTERN_TESTS_PLACE_H

#include "fake_srs.h"
#include "srs/socketmap.h"

struct place {
    struct arena *arena;
    char directory[64], path[80], socket[96];
    struct socketmap_options options; /* of SOCKET, mode 0600, srs.example.net */
    struct socketmap *map;
};

/* For cmocka: *STATE is a place without and with a map that is open. */
int place_begin(void **state);
int place_begin_open(void **state);
int place_end(void **state);

struct socketmap *place_open(struct place *place);

/* What socketmap_open() says of options that it refuses. */
const char *place_problem(struct place *place);

/* A connection, or -1 and errno. */
int place_connect(const char *path);
int place_connect_inet(int port);

void client_send(int fd, const char *bytes, size_t len);

/* The next answer, without its netstring; NULL at the end of the connection. Static, of this thread. */
const char *client_read(int fd);

/* "forward a@b" -> its answer. */
const char *client_ask(int fd, const char *request);

/* Asks for the addresses FROM to TO - 1 and checks the answers; closes nothing. */
void client_ask_many(int fd, int from, int to);

#endif
