/* fake_srs - the linker takes these instead of the library's srs.o. */
#include "fake_srs.h"
#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int waiting;
static bool is_released;

void fake_srs_release(void)
{
    pthread_mutex_lock(&lock);
    is_released = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

int fake_srs_waiting(void)
{
    pthread_mutex_lock(&lock);
    int now = waiting;
    pthread_mutex_unlock(&lock);
    return now;
}

static enum srs_outcome outcome_of(const char *local)
{
    static const struct {
        const char *prefix;
        enum srs_outcome outcome;
    } rows[] = {{"down", SRS_DOWN},           {"forged", SRS_FORGED},   {"expired", SRS_EXPIRED},
                {"malformed", SRS_MALFORMED}, {"unknown", SRS_UNKNOWN}, {"long", SRS_TOO_LONG}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strncmp(local, rows[i].prefix, strlen(rows[i].prefix)) == 0)
            return rows[i].outcome;
    }
    if (strncmp(local, "slow", 4) == 0) {
        pthread_mutex_lock(&lock);
        waiting++;
        while (!is_released)
            pthread_cond_wait(&changed, &lock);
        waiting--;
        pthread_mutex_unlock(&lock);
    }
    return SRS_OK;
}

enum srs_outcome srs_forward(struct srs *srs, struct arena *arena, const char *sender, const char *domain, int64_t now,
                             bool is_trial, const char **result)
{
    (void)srs, (void)now, (void)is_trial;
    const char *at = strrchr(sender, '@');
    *result = arena_printf(arena, "SRS0=%s=%.*s@%s", at + 1, (int)(at - sender), sender, domain);
    return outcome_of(sender);
}

enum srs_outcome srs_reverse(struct srs *srs, struct arena *arena, const char *address, int64_t now,
                             const char **result)
{
    (void)srs, (void)now;
    const char *domain = address + strlen("SRS0="), *local = strchr(domain, '=') + 1;
    *result = arena_printf(arena, "%.*s@%.*s", (int)strcspn(local, "@"), local, (int)(local - domain - 1), domain);
    return outcome_of(local);
}
