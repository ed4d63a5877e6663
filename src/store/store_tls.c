/*
 * store_tls - libssl with a BIO of our own.
 *
 * libssl's socket BIO writes with write(), so a server that went away would raise SIGPIPE; and whether that is ignored
 * is not for a library of ours to decide for all programs. Ours sends with MSG_NOSIGNAL.
 */
#include "store/store_tls.h"
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static BIO_METHOD *method;
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static int socket_of(BIO *bio)
{
    return (int)(intptr_t)BIO_get_data(bio);
}

static bool must_wait(void)
{
    return errno == EAGAIN || errno == EINTR;
}

static int bio_write(BIO *bio, const char *bytes, int len)
{
    BIO_clear_retry_flags(bio);
    ssize_t n = send(socket_of(bio), bytes, (size_t)len, MSG_NOSIGNAL);
    if (n < 0 && must_wait())
        BIO_set_retry_write(bio);
    return (int)n;
}

static int bio_read(BIO *bio, char *bytes, int len)
{
    BIO_clear_retry_flags(bio);
    ssize_t n = recv(socket_of(bio), bytes, (size_t)len, 0);
    if (n < 0 && must_wait())
        BIO_set_retry_read(bio);
    return (int)n;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static void make_method(void)
{
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "postern socket");
    if (!method)
        return;
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_ctrl(method, bio_control);
}

SSL_CTX *store_tls_create(const char *ca_file, const char **problem)
{
    pthread_once(&method_once, make_method);
    SSL_CTX *tls = method ? SSL_CTX_new(TLS_client_method()) : NULL;
    *problem = tls ? NULL : "libssl cannot be used";
    if (!tls)
        return NULL;
    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    int loaded = ca_file ? SSL_CTX_load_verify_locations(tls, ca_file, NULL) : SSL_CTX_set_default_verify_paths(tls);
    if (loaded == 1)
        return tls;
    ERR_clear_error();
    *problem = "the file with the certificates of authorities cannot be read";
    SSL_CTX_free(tls);
    return NULL;
}

static bool expect_host(SSL *session, const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host) == 1;
    SSL_set_hostflags(session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(session, host) == 1 && SSL_set_tlsext_host_name(session, host) == 1;
}

SSL *store_tls_begin(SSL_CTX *tls, int fd, const char *host)
{
    ERR_clear_error();
    SSL *session = SSL_new(tls);
    BIO *bio = session ? BIO_new(method) : NULL;
    if (!bio) {
        SSL_free(session);
        return NULL;
    }
    BIO_set_data(bio, (void *)(intptr_t)fd);
    BIO_set_init(bio, 1);
    SSL_set_bio(session, bio, bio);
    SSL_set_connect_state(session);
    if (expect_host(session, host))
        return session;
    SSL_free(session);
    return NULL;
}

void store_tls_explain(SSL *session, int result, char *why, size_t size)
{
    long verified = SSL_get_verify_result(session);
    unsigned long error = ERR_peek_last_error();
    const char *reason = error ? ERR_reason_error_string(error) : NULL;
    if (verified != X509_V_OK)
        snprintf(why, size, "certificate: %s", X509_verify_cert_error_string(verified));
    else if (reason)
        snprintf(why, size, "TLS: %s", reason);
    else
        snprintf(why, size, "TLS: %s", result < 0 && errno ? strerror(errno) : "the server closed the connection");
    ERR_clear_error();
}
