/*
 * alias_bench - a large alias or forward table: reading it, asking it, and asking it while it is read again.
 *
 *     alias_bench FORM FILE      FORM: virtual, aliases, csv or forwards
 *
 * One run in one process, so that the peak memory is its own; contrib/bench --aliases makes the rounds. It prints words
 * NAME=NUMBER, memory without that of the program itself and of the addresses it asks for:
 *   load_s, load_mb      until the table is there, and the peak memory by then
 *   hit_us, miss_us      a look-up of an address that has a line, and of one that has none, in random order; an arena
 * of its own included cold_us              a look-up that finds, behind others that pushed the table out of the
 * processor's caches: the first one of each address seen_s               from the moment another version is in place
 * until it is what look-ups say during               look-ups a second meanwhile, against before longest_us the longest
 * one of them; longest_idle_us: of as many before, for comparison over_ms              how many of them took longer
 * than a millisecond reload_mb            the peak memory of all that
 */
#include "aliases/aliases.h"
#include "srs/forwards.h"
#include "util/clock.h"
#include "util/log.h"
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define SAMPLE_EVERY 7
#define SENTINEL "sentinel@example.net"

struct bench {
    bool is_forwards;
    const char *file;
    struct aliases *aliases;
    struct forwards *forwards;
    char **addresses;
    size_t count, capacity;
};

static void die(const char *what)
{
    fprintf(stderr, "alias_bench: %s\n", what);
    exit(1);
}

static double peak_mb(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

static double resident_mb(void)
{
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%ld %ld", &pages, &resident) != 2)
        die("/proc/self/statm cannot be read");
    fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

/* How many targets it has; 0: it has no line. */
static size_t ask(const struct bench *bench, const char *address)
{
    struct arena *arena = arena_create(4096);
    size_t count = 0;
    if (bench->is_forwards) {
        struct forward forward;
        if (forwards_find(bench->forwards, arena, address, 0, &forward) == STORE_OK)
            count = forward.count;
    } else {
        struct aliases_targets targets = aliases_expand(bench->aliases, arena, address);
        count = targets.is_alias ? targets.route_count : 0;
    }
    arena_destroy(arena);
    return count;
}

/* Some addresses of the table, in random order. */
static void sample(struct bench *bench, const char *form)
{
    FILE *file = fopen(bench->file, "r");
    char line[4096];
    const char *domain = strcmp(form, "aliases") == 0 ? "@example.net" : "";
    if (!file)
        die("the table cannot be opened");
    for (size_t i = 0; fgets(line, sizeof line, file); i++) {
        if (i % SAMPLE_EVERY != 0 || line[0] == '#')
            continue;
        if (bench->count == bench->capacity) {
            bench->capacity = bench->capacity * 2 + 1000;
            bench->addresses = realloc(bench->addresses, bench->capacity * sizeof *bench->addresses);
            if (!bench->addresses)
                abort();
        }
        line[strcspn(line, " \t,:\n")] = '\0';
        char *address = malloc(strlen(line) + strlen(domain) + 1);
        if (!address)
            abort();
        strcpy(address, line);
        strcat(address, domain);
        bench->addresses[bench->count++] = address;
    }
    fclose(file);
    uint64_t random = UINT64_C(88172645463325252);
    for (size_t i = bench->count; i > 1; i--) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        char *other = bench->addresses[random % i];
        bench->addresses[random % i] = bench->addresses[i - 1];
        bench->addresses[i - 1] = other;
    }
}

/* Microseconds a look-up. MISS: the addresses are made ones that have no line. */
static double measure(const struct bench *bench, size_t count, bool miss)
{
    char text[4096];
    size_t wrong = 0;
    int64_t start = clock_monotonic_us();
    for (size_t i = 0; i < count; i++) {
        const char *address = bench->addresses[i % bench->count];
        __builtin_prefetch(bench->addresses[(i + 8) % bench->count]); /* who asks has the address at hand */
        if (miss) {
            text[0] = 'X';
            strcpy(text + 1, address);
            address = text;
        }
        wrong += (ask(bench, address) > 0) == miss;
    }
    double us = (double)(clock_monotonic_us() - start) / (double)count;
    if (wrong > 0)
        die("a look-up said the wrong thing");
    return us;
}

struct watch {
    size_t asked, over;
    int64_t longest, taken; /* us */
};

/* Asks, each time for the sentinel too, until that is seen or, if END is not 0, until then. */
static struct watch watch(const struct bench *bench, int64_t end)
{
    struct watch watch = {0, 0, 0, 0};
    int64_t start = clock_monotonic_us(), before = start, now = start;
    for (size_t i = 0; ask(bench, SENTINEL) == 0 && (end == 0 || now < end); i++) {
        before = clock_monotonic_us();
        if (ask(bench, bench->addresses[i % bench->count]) == 0)
            die("a look-up found nothing");
        now = clock_monotonic_us();
        watch.asked++;
        watch.over += now - before > 1000;
        if (now - before > watch.longest)
            watch.longest = now - before;
    }
    watch.taken = clock_monotonic_us() - start;
    return watch;
}

static void replace(const struct bench *bench, const char *form)
{
    char path[4096], block[1 << 16];
    ssize_t n;
    snprintf(path, sizeof path, "%s.new", bench->file);
    int in = open(bench->file, O_RDONLY | O_CLOEXEC), out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (in < 0 || out < 0)
        die("the table cannot be copied");
    while ((n = read(in, block, sizeof block)) > 0) {
        if (write(out, block, (size_t)n) != n)
            die("the table cannot be copied");
    }
    const char *line = bench->is_forwards                 ? SENTINEL ",x@x.example,1\n"
                       : strcmp(form, "aliases") == 0     ? "sentinel: x@x.example\n"
                       : strcmp(form, "csv") == 0         ? SENTINEL ",x@x.example\n"
                                                          : SENTINEL " x@x.example\n";
    if (write(out, line, strlen(line)) != (ssize_t)strlen(line) || close(in) != 0 || close(out) != 0)
        die("the table cannot be copied");
    if (rename(path, bench->file) != 0)
        die("the table cannot be replaced");
}

static void problem(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "%s\n", text);
}

static void open_table(struct bench *bench, const char *form)
{
    static char name[4096];
    static const char *names[] = {name};
    static const struct string_list tables = {1, names}, none = {0, NULL};
    struct conf_problems problems = {problem, NULL, 0};
    static struct arena *arena;
    arena = arena_create(1024);
    struct domain_set *local = domain_set_create(arena);
    domain_set_add(local, "example.net");
    snprintf(name, sizeof name, "%s:%s", bench->is_forwards ? "csv" : form, bench->file);
    const struct aliases_options options = {&tables, &none, "+", "example.net", local};
    if (bench->is_forwards)
        bench->forwards = forwards_open(name, NULL, &problems);
    else
        bench->aliases = aliases_open(&options, &problems);
    if (problems.count > 0)
        die("the table cannot be read");
}

int main(int argc, char **argv)
{
    static const struct log_options quiet = {"alias_bench", LOG_TO_STDERR, LOG_AS_KV, LEVEL_ERROR, 0};
    log_open(&quiet);
    if (argc != 3)
        die("usage: alias_bench FORM FILE");
    struct bench bench = {.is_forwards = strcmp(argv[1], "forwards") == 0, .file = argv[2]};
    double before_mb = peak_mb();
    int64_t start = clock_monotonic_us();
    open_table(&bench, argv[1]);
    printf("load_s=%.3f load_mb=%.1f ", (double)(clock_monotonic_us() - start) / 1e6, peak_mb() - before_mb);
    double sample_mb = resident_mb();
    sample(&bench, argv[1]);
    before_mb += resident_mb() - sample_mb;
    printf("cold_us=%.3f ", measure(&bench, bench.count, false));
    printf("hit_us=%.3f ", measure(&bench, 500000, false));
    printf("miss_us=%.3f ", measure(&bench, 500000, true));
    struct watch idle = watch(&bench, clock_monotonic_us() + 2000000);
    replace(&bench, argv[1]);
    struct watch busy = watch(&bench, 0);
    printf("seen_s=%.2f during=%.3f longest_us=%" PRId64 " longest_idle_us=%" PRId64 " over_ms=%zu reload_mb=%.1f\n",
           (double)busy.taken / 1e6,
           (double)busy.asked / (double)busy.taken / ((double)idle.asked / (double)idle.taken), busy.longest,
           idle.longest, busy.over, peak_mb() - before_mb);
    return 0;
}
