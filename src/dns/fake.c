/*
 * fake - a table instead of the network, for unit tests. It answers at once whatever the time given, follows CNAME
 * rows, and keeps a log of what it was asked. A row whose text is no record of its type ends the test with a message.
 */
#include "dns/backend.h"
#include "util/strbuf.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define CNAME_MAX 8

struct fake {
    struct dns dns;
    const struct dns_fake_row *rows; /* the caller's */
    size_t count;
    pthread_mutex_t lock; /* guards log */
    struct strbuf log;
};

static const char *type_name(enum dns_type type)
{
    switch (type) {
    case DNS_A:
        return "A";
    case DNS_CNAME:
        return "CNAME";
    case DNS_PTR:
        return "PTR";
    case DNS_MX:
        return "MX";
    case DNS_TXT:
        return "TXT";
    case DNS_AAAA:
        return "AAAA";
    }
    return "?";
}

static void write_log(struct fake *fake, const char *name, enum dns_type type)
{
    pthread_mutex_lock(&fake->lock);
    strbuf_printf(&fake->log, "%s%s %s", fake->log.len ? " " : "", name, type_name(type));
    pthread_mutex_unlock(&fake->lock);
}

static void parse(struct arena *arena, const struct dns_fake_row *row, struct dns_record *record)
{
    const char *text = row->text;
    int used = 0;
    bool fine = text != NULL;
    *record = (struct dns_record){.addr.family = AF_UNSPEC};
    switch (fine ? row->type : DNS_CNAME) {
    case DNS_A:
        fine = netaddr_parse(text, &record->addr) == 0 && record->addr.family == AF_INET;
        break;
    case DNS_AAAA:
        fine = netaddr_parse(text, &record->addr) == 0 && record->addr.family == AF_INET6;
        break;
    case DNS_TXT:
        record->text = (struct span){arena_strdup(arena, text), strlen(text)};
        break;
    case DNS_MX:
        fine = sscanf(text, "%u %n", &record->preference, &used) == 1 && used > 0;
        record->name = arena_strdup(arena, text + used);
        break;
    case DNS_PTR:
    case DNS_CNAME:
        record->name = arena_strdup(arena, text);
        break;
    }
    if (!fine) {
        fprintf(stderr, "dns_create_fake: %s %s: \"%s\" is no such record\n", row->name, type_name(row->type),
                text ? text : "(null)");
        abort();
    }
}

/* The answer for NAME itself; the target if it is an alias, else NULL. */
static const char *answer_one(const struct fake *fake, struct arena *arena, const char *name, enum dns_type type,
                              struct dns_answer *answer)
{
    struct dns_record *records = ARENA_ARRAY(arena, struct dns_record, fake->count);
    *answer = (struct dns_answer){.outcome = DNS_NXDOMAIN};
    for (size_t i = 0; i < fake->count; i++) {
        const struct dns_fake_row *row = &fake->rows[i];
        if (strcasecmp(row->name, name) != 0)
            continue;
        if (row->type == DNS_CNAME && type != DNS_CNAME)
            return row->text;
        if (row->type != type) {
            if (answer->outcome == DNS_NXDOMAIN)
                answer->outcome = DNS_NODATA;
            continue;
        }
        answer->outcome = row->outcome;
        if (row->outcome != DNS_ANSWER)
            break;
        parse(arena, row, &records[answer->count++]);
        answer->records = records;
    }
    return NULL;
}

static void fake_query(struct dns *dns, struct arena *arena, const char *name, enum dns_type type, int64_t timeout_us,
                       struct dns_answer *answer)
{
    struct fake *fake = (struct fake *)dns;
    (void)timeout_us;
    write_log(fake, name, type);
    for (int i = 0; name && i < CNAME_MAX; i++)
        name = answer_one(fake, arena, name, type, answer);
    if (name)
        *answer = (struct dns_answer){.outcome = DNS_SERVFAIL};
}

static void fake_prefetch(struct dns *dns, const char *name, enum dns_type type)
{
    (void)dns;
    (void)name;
    (void)type;
}

static void fake_destroy(struct dns *dns)
{
    struct fake *fake = (struct fake *)dns;
    strbuf_free(&fake->log);
    pthread_mutex_destroy(&fake->lock);
    free(fake);
}

struct dns *dns_create_fake(const struct dns_fake_row *rows, size_t count)
{
    struct fake *fake = calloc(1, sizeof *fake);
    if (!fake)
        abort();
    fake->dns = (struct dns){fake_query, fake_prefetch, fake_destroy};
    fake->rows = rows;
    fake->count = count;
    pthread_mutex_init(&fake->lock, NULL);
    strbuf_init(&fake->log, 0);
    return &fake->dns;
}

const char *dns_fake_log(struct dns *dns)
{
    return strbuf_text(&((struct fake *)dns)->log);
}
