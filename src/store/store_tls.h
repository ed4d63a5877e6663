/*
 * store_tls - TLS over a socket that does not block, for rediss://.
 *
 * The certificate is verified against the given authorities (or the system's) and against the host of the URL, name or
 * address; TLS 1.2 at least. There is no way to leave that out.
 *
 * OWNS: a struct store_tls owns libssl's context, a session its SSL. THREADS: the context is for all, a session for
 * one.
 */
#ifndef POSTERN_STORE_STORE_TLS_H
#define POSTERN_STORE_STORE_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

/* CA_FILE NULL: the system's. NULL with *PROBLEM (static). */
SSL_CTX *store_tls_create(const char *ca_file, const char **problem);

/* A session on FD, which stays the caller's, about to shake hands with HOST; NULL: out of memory or no such name. */
SSL *store_tls_begin(SSL_CTX *tls, int fd, const char *host);

/* What the last call of libssl that returned RESULT complains about. */
void store_tls_explain(SSL *session, int result, char *why, size_t size);

#endif
