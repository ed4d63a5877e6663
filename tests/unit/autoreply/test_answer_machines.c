/* Many processes have a message for the same mailbox from the same sender at the same moment: one of them answers. On
 * one machine they share store and queue, two threads in each; on sixteen they share a Redis, and each has a queue of
 * its own. */
#include "autoreply/answer.h"
#include "store/fixture.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define RACERS 16 /* processes or threads */
#define ROUNDS 12 /* each with a sender of its own */
#define MAILBOX "anna@example.net"

struct track { /* shared by all processes */
    pthread_barrier_t start;
    atomic_int replies[ROUNDS], remembered[ROUNDS];
};

struct machine {
    struct conf *conf;
    struct settings settings;
    struct general_settings general;
    struct state *state;
    struct responding *responding;
    struct answer_options options;
    struct track *track;
};

static void fail_on_problem(void *context, const char *problem)
{
    (void)context;
    fail_msg("%s", problem);
}

static void machine_open(struct machine *machine, const char *directory, const char *store)
{
    static const struct string_list nothing = {0, NULL};
    struct conf_problems problems = {fail_on_problem, NULL, 0};
    struct arena *arena = arena_create(4096);
    size_t count;
    const struct conf_section *sections = settings_sections(&count);
    struct domain_set *local = domain_set_create(arena);
    machine->conf = conf_defaults(sections, count);
    settings_resolve(&machine->settings, machine->conf);
    machine->general = *machine->settings.general;
    machine->general.state_directory = directory;
    machine->general.store = store;
    assert_null(domain_set_add(local, "example.net"));
    machine->general.local_domains = local;
    machine->settings.general = &machine->general;
    machine->state = state_open(&machine->settings, "postern.conf", &problems);
    assert_non_null(machine->state);
    machine->responding = responding_open(&machine->settings, NULL, machine->state);
    machine->options = (struct answer_options){SILENCE_AUTH_NOT_FAIL, &nothing, &nothing, {0, 0, 0}};
}

static void ask(struct machine *machine, int round)
{
    static const struct header_field headers[] = {{{"To", 2}, {" " MAILBOX, sizeof MAILBOX}}};
    char sender[64];
    snprintf(sender, sizeof sender, "w%d@sender.example", round);
    struct arena *arena = arena_create(4096);
    const struct answer_question question = {.options = &machine->options,
                                             .sender = sender,
                                             .written_to = MAILBOX,
                                             .mailbox = MAILBOX,
                                             .headers = headers,
                                             .header_count = 1,
                                             .is_own_user = true,
                                             .now = T};
    struct answer answer = answer_find(machine->responding, arena, &question);
    bool is_remembered = answer.outcome == ANSWER_SILENCE && strcmp(answer.why, "autoreply.remembered") == 0;
    machine->track->replies[round] += answer.outcome == ANSWER_REPLY;
    machine->track->remembered[round] += is_remembered;
    arena_destroy(arena);
}

static void *run_racer(void *context)
{
    struct machine *machine = context;
    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&machine->track->start);
        ask(machine, round);
    }
    return NULL;
}

/* A process of THREADS racers, with a store and a queue of its own making. */
static pid_t start_machine(struct track *track, const char *directory, const char *store, int threads)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0)
        return child;
    pthread_t others[RACERS];
    struct machine machine = {.track = track};
    alarm(120); /* or a racer that failed would keep the others for ever */
    machine_open(&machine, directory, store);
    for (int i = 1; i < threads; i++)
        if (pthread_create(&others[i], NULL, run_racer, &machine) != 0)
            _exit(2);
    run_racer(&machine);
    for (int i = 1; i < threads; i++)
        pthread_join(others[i], NULL);
    _exit(0);
}

static struct track *make_track(void)
{
    pthread_barrierattr_t shared;
    struct track *track = mmap(NULL, sizeof *track, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(track != MAP_FAILED);
    pthread_barrierattr_init(&shared);
    pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&track->start, &shared, RACERS);
    pthread_barrierattr_destroy(&shared);
    return track;
}

static void store_responder(const char *url)
{
    struct store *store = open_store(url, 5000);
    assert_int_equal(store_put(store, RESPONDER_KEY MAILBOX,
                               span_of("{\"mailbox\":\"" MAILBOX "\",\"active\":\"a\",\"messages\":[{\"name\":\"a\","
                                       "\"body\":\"I am away.\"}]}"),
                               0, T),
                     STORE_OK);
    store_close(store);
}

/* How many entries of the queue in DIRECTORY go to the sender of each round. */
static void count_entries(const char *directory, int entries[ROUNDS])
{
    const struct spool_options options = {.directory = directory, .submit = "smtp://127.0.0.1:25", .hostname = "mx"};
    struct spool *spool = spool_open(&options);
    struct spool_entry *found;
    size_t count;
    const char *problem;
    assert_int_equal(spool_list(spool, fixture_arena, &found, &count, &problem), 0);
    for (size_t i = 0; i < count; i++) {
        int round = -1;
        assert_int_equal(sscanf(found[i].forward_paths, "w%d@sender.example", &round), 1);
        assert_true(round >= 0 && round < ROUNDS);
        entries[round]++;
    }
    spool_close(spool);
}

static void race(const char *url, int machines, bool is_queue_shared)
{
    struct track *track = make_track();
    const char *directories[RACERS];
    pid_t children[RACERS];
    int entries[ROUNDS] = {0}, failed = 0, status;
    store_responder(url);
    for (int i = 0; i < machines; i++) {
        bool is_his_own = i == 0 || !is_queue_shared;
        directories[i] = is_his_own ? text("%s/%d-%d", fixture_path, machines, i) : directories[0];
        assert_true(!is_his_own || mkdir(directories[i], 0700) == 0);
    }
    for (int i = 0; i < machines; i++)
        children[i] = start_machine(track, directories[i], url, RACERS / machines);
    for (int i = 0; i < machines; i++) {
        waitpid(children[i], &status, 0);
        failed += status != 0;
    }
    assert_int_equal(failed, 0);
    for (int i = 0; i < (is_queue_shared ? 1 : machines); i++)
        count_entries(directories[i], entries);
    for (int round = 0; round < ROUNDS; round++) {
        assert_int_equal(entries[round], 1);
        assert_int_equal(track->replies[round], 1);
        assert_int_equal(track->remembered[round], RACERS - 1); /* nobody was silent for want of a store */
    }
    pthread_barrier_destroy(&track->start);
    munmap(track, sizeof *track);
}

static void processes_of_one_machine(void **state)
{
    (void)state;
    race(text("sqlite:%s/postern.db", fixture_path), 8, true);
}

static void sixteen_machines(void **state)
{
    (void)state;
    struct redis_server server = redis_start(fixture_path, NULL);
    race(text("redis+unix:%s", server.socket), RACERS, false);
    redis_stop(&server, SIGTERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processes_of_one_machine),
        cmocka_unit_test(sixteen_machines),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
