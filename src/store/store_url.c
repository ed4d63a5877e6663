/*
 * store_url - read from left to right, each part cut off at its delimiter.
 *
 * Nothing is percent-decoded: host names, user names of Redis and paths in use need no such thing, and a '%' is refused
 * instead of being taken for itself.
 */
#include "store/store_url.h"
#include "util/span.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

static bool has_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text <= ' ' || *text == 0x7f)
            return true;
    return false;
}

/* Behind the scheme, or NULL. */
static const char *after(const char *text, const char *scheme)
{
    size_t len = strlen(scheme);
    return strncasecmp(text, scheme, len) == 0 ? text + len : NULL;
}

static bool read_number(const char *text, int most, int *number)
{
    if (*text < '0' || *text > '9')
        return false;
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    *number = (int)n;
    return !*end && !errno && n >= 0 && n <= most;
}

static const char *read_path(struct arena *arena, const char *path, struct store_url *url)
{
    if (path[0] != '/')
        return "the path must be absolute";
    if (path[strlen(path) - 1] == '/')
        return "the path names a directory";
    if (strlen(path) > PATH_MAX - 64)
        return "the path is too long";
    url->path = arena_strdup(arena, path);
    return NULL;
}

static const char *read_authority(struct arena *arena, char *text, struct store_url *url)
{
    char *at = strrchr(text, '@');
    if (at) {
        *at = '\0';
        if (strchr(text, ':'))
            return "a password does not belong into the URL: it is read from a file (redis { password_file })";
        url->user = text[0] ? arena_strdup(arena, text) : NULL;
        text = at + 1;
    }
    char *port = NULL;
    if (text[0] == '[') {
        char *end = strchr(++text, ']');
        if (!end || (end[1] && end[1] != ':'))
            return "an IPv6 address must stand in brackets";
        port = end[1] ? end + 2 : NULL;
        *end = '\0';
    } else {
        char *colon = strchr(text, ':');
        if (colon && strchr(colon + 1, ':'))
            return "an IPv6 address must stand in brackets";
        port = colon ? colon + 1 : NULL;
        if (colon)
            *colon = '\0';
    }
    if (!text[0])
        return "there is no host in it";
    url->host = arena_strdup(arena, text);
    if (port && (!read_number(port, 65535, &url->port) || url->port == 0))
        return "the port must be a number from 1 to 65535";
    return NULL;
}

const char *store_url_parse(struct arena *arena, const char *text, struct store_url *url)
{
    *url = (struct store_url){.port = 6379};
    const char *rest;
    if (has_control(text) || strchr(text, '%'))
        return "it holds a blank, a control byte or a '%'";
    if ((rest = after(text, "sqlite:")))
        return read_path(arena, rest, url);
    url->is_redis = true;
    if ((rest = after(text, "redis+unix:")))
        return read_path(arena, rest, url);
    url->has_tls = after(text, "rediss://") != NULL;
    if (!(rest = after(text, "redis://")) && !(rest = after(text, "rediss://")))
        return "it must begin with sqlite:/, redis://, rediss:// or redis+unix:/";
    if (strpbrk(rest, "?#"))
        return "it holds a '?' or a '#'";
    char *authority = arena_strdup(arena, rest), *slash = strchr(authority, '/');
    if (slash) {
        *slash = '\0';
        if (slash[1] && !read_number(slash + 1, 1000000, &url->database))
            return "the database behind the host must be a number";
    }
    return read_authority(arena, authority, url);
}
