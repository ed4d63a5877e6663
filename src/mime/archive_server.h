/*
 * archive_server - the process behind an archive_scanner, and what the two say to each other. Private to mime/.
 *
 * A request is one packet on the control socket: the limits, with two descriptors: the archive, and a socket for the
 * answer. An answer is packets: 'N' with paths, each ended by NUL; at last 'S' with one byte, the status. An answer
 * that ends without 'S' means that the server is gone.
 */
#ifndef POSTERN_MIME_ARCHIVE_SERVER_H
#define POSTERN_MIME_ARCHIVE_SERVER_H

#include "mime/archive.h"

#define ANSWER_MAX 32768 /* bytes in one packet */

/* The keeper's whole life, and the server's that it keeps; ends with the process, when CONTROL is closed at the other
 * end. PARENT: pid of the
 * program. */
void archive_server_run(int control, const char *directory, int parent) __attribute__((noreturn));

#endif
