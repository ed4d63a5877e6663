/*
 * What a client of the socketmap may send. A request is found however it is cut, nothing before its last octet is taken
 * for broken, what is broken stays so, and its octets are exactly those of the netstring that it would be written as.
 * Each request gets one answer, which is a netstring again and within its bound.
 */
#include "srs/socketmap_client.h"
#include "util/log.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct socketmap_options options;
static struct srs *srs;

/* With keys of its own, which nobody else has. */
static void begin(void)
{
    static const struct log_options quiet = {"fuzz", LOG_TO_STDERR, LOG_AS_KV, LEVEL_ERROR, 0};
    struct arena *arena = arena_create(4096);
    struct domain_set *domains = domain_set_create(arena), *local_domains = domain_set_create(arena);
    char path[] = "/tmp/fuzz-socketmap-XXXXXX";
    const char *problem;
    int fd = mkstemp(path);
    log_open(&quiet);
    domain_set_add(domains, "s.example");
    domain_set_add(local_domains, "l.example");
    options = (struct socketmap_options){.domain = "s.example", .domains = domains, .local_domains = local_domains};
    if (fd < 0 || write(fd, "secret\n", 7) != 7)
        abort();
    srs = srs_open(&(struct srs_options){path, 4, 4, '=', 21}, NULL, false, arena, &problem);
    close(fd);
    unlink(path);
    if (!srs)
        abort();
}

static enum socketmap_progress take(const char *bytes, size_t size, struct socketmap_request *request, size_t *taken)
{
    char *copy = malloc(size ? size : 1); /* of exactly that size */
    memcpy(copy, bytes, size);
    enum socketmap_progress progress =
        socketmap_wire_take((struct span){copy, size}, SOCKETMAP_REQUEST_MAX, request, taken);
    if (progress == SOCKETMAP_REQUEST) { /* the same in what was given */
        request->name.ptr = bytes + (request->name.ptr - copy);
        request->key.ptr = bytes + (request->key.ptr - copy);
    }
    free(copy);
    return progress;
}

static void check_octets(const char *bytes, size_t taken, const struct socketmap_request *request)
{
    struct strbuf whole;
    strbuf_init(&whole, 0);
    strbuf_printf(&whole, "%zu:", request->name.len + request->has_key + request->key.len);
    strbuf_add(&whole, request->name);
    if (request->has_key)
        strbuf_putc(&whole, ' ');
    strbuf_add(&whole, request->key);
    strbuf_putc(&whole, ',');
    if (whole.len != taken || memcmp(whole.ptr, bytes, taken) != 0 || memchr(request->name.ptr, ' ', request->name.len))
        abort();
    strbuf_free(&whole);
}

static void check_answer(const struct socketmap_request *request)
{
    struct strbuf out;
    struct socketmap_request answer; /* "STATUS TEXT" has the same form */
    size_t taken;
    strbuf_init(&out, SOCKETMAP_OUTPUT_MAX);
    socketmap_lookup(&options, srs, request, 1800000000, &out);
    if (out.len > SOCKETMAP_OUTPUT_MAX - SOCKETMAP_OUTPUT_HIGH || out.truncated)
        abort();
    struct span bytes = {out.ptr, out.len};
    if (socketmap_wire_take(bytes, SOCKETMAP_OUTPUT_MAX, &answer, &taken) != SOCKETMAP_REQUEST || taken != out.len ||
        !answer.has_key)
        abort();
    strbuf_free(&out);
}

/* All beginnings of BYTES, of which the whole is PROGRESS. */
static void check_beginnings(const char *bytes, size_t size, enum socketmap_progress progress)
{
    bool is_broken = false;
    struct socketmap_request request;
    size_t taken;
    for (size_t n = 0; n < size; n++) {
        enum socketmap_progress now = take(bytes, n, &request, &taken);
        if (now == SOCKETMAP_REQUEST || (now == SOCKETMAP_BROKEN && progress != SOCKETMAP_BROKEN) ||
            (is_broken && now != SOCKETMAP_BROKEN))
            abort();
        is_broken = now == SOCKETMAP_BROKEN;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    struct socketmap_request request;
    size_t taken;
    if (!srs)
        begin();
    for (;;) {
        enum socketmap_progress progress = take(bytes, size, &request, &taken);
        check_beginnings(bytes, progress == SOCKETMAP_REQUEST ? taken : size < 4096 ? size : 4096, progress);
        if (progress != SOCKETMAP_REQUEST)
            break;
        check_octets(bytes, taken, &request);
        check_answer(&request);
        bytes += taken;
        size -= taken;
    }
    return 0;
}
