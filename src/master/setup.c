/*
 * setup - a table from key to member. What the values mean is checked where they are used (endpoint, listen, user).
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "master/setup.h"
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

enum kind { TEXT, NUMBER, OCTAL, MILLISECONDS };

static const struct key {
    const char *name;
    enum kind kind;
    size_t offset, size;
    long max;
} keys[] = {
#define MEMBER(member) offsetof(struct setup, member), sizeof(((struct setup *)0)->member)
    {"socket", TEXT, MEMBER(socket), 0},
    {"socket_owner", TEXT, MEMBER(socket_owner), 0},
    {"socket_group", TEXT, MEMBER(socket_group), 0},
    {"socket_mode", OCTAL, MEMBER(socket_mode), 07777},
    {"user", TEXT, MEMBER(user), 0},
    {"control", TEXT, MEMBER(control), 0},
    {"drain_timeout", MILLISECONDS, MEMBER(drain_timeout), LONG_MAX},
    {"log_target", NUMBER, MEMBER(log.target), LOG_TO_JOURNAL},
    {"log_format", NUMBER, MEMBER(log.format), LOG_AS_JSON},
    {"log_level", NUMBER, MEMBER(log.level), LEVEL_DEBUG},
    {"log_facility", NUMBER, MEMBER(log.facility), LOG_NFACILITIES << 3},
#undef MEMBER
};

/* 0, or -1: VALUE does not fit. */
static int store(struct setup *setup, const struct key *key, const char *value)
{
    char *member = (char *)setup + key->offset;
    if (key->kind == TEXT) {
        int len = snprintf(member, key->size, "%s", value);
        return len < 0 || (size_t)len >= key->size ? -1 : 0;
    }
    char *end;
    errno = 0;
    long number = strtol(value, &end, key->kind == OCTAL ? 8 : 10);
    if (errno || end == value || *end || number < 0 || number > key->max)
        return -1;
    int64_t wide = number;
    int narrow = (int)number;
    if (key->kind == MILLISECONDS)
        memcpy(member, &wide, sizeof wide);
    else
        memcpy(member, &narrow, sizeof narrow); /* the enums and the mode are as wide as an int */
    return 0;
}

static int parse_line(struct setup *setup, char *line, struct strbuf *why)
{
    char *value = strchr(line, '=');
    if (!value) {
        strbuf_printf(why, "the worker program's answer has a line without \"=\": \"%s\"", line);
        return -1;
    }
    *value++ = '\0';
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strcmp(keys[i].name, line) != 0)
            continue;
        if (store(setup, &keys[i], value) == 0)
            return 0;
        strbuf_printf(why, "%s: the value \"%s\" does not fit", line, value);
        return -1;
    }
    return 0;
}

int setup_parse(struct setup *setup, const char *text, struct strbuf *why)
{
    _Static_assert(sizeof(enum log_target) == sizeof(int) && sizeof(unsigned) == sizeof(int), "store() writes ints");
    *setup = (struct setup){.socket_mode = 0660,
                            .drain_timeout = 60000,
                            .log = {"postern", LOG_TO_STDERR, LOG_AS_KV, LEVEL_INFO, LOG_MAIL}};
    char *copy = strdup(text);
    if (!copy)
        abort();
    int result = 0;
    char *rest = copy;
    for (char *line; result == 0 && (line = strsep(&rest, "\n"));)
        if (*line)
            result = parse_line(setup, line, why);
    free(copy);
    if (result == 0 && (!*setup->socket || !*setup->control)) {
        strbuf_printf(why, "%s: must not be empty", *setup->socket ? "control" : "socket");
        return -1;
    }
    return result;
}

void setup_compare(const struct setup *running, const struct setup *wanted, struct strbuf *out)
{
    const struct {
        const char *name;
        bool differs;
    } options[] = {
        {"socket", strcmp(running->socket, wanted->socket) != 0},
        {"socket_owner", strcmp(running->socket_owner, wanted->socket_owner) != 0},
        {"socket_group", strcmp(running->socket_group, wanted->socket_group) != 0},
        {"socket_mode", running->socket_mode != wanted->socket_mode},
        {"user", strcmp(running->user, wanted->user) != 0},
        {"control", strcmp(running->control, wanted->control) != 0},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (options[i].differs)
            strbuf_printf(out, "%s%s", out->len ? ", " : "", options[i].name);
}
