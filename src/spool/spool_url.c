/*
 * spool_url - `submit`, taken apart by libcurl's own parser. "?starttls" and "?ca=/FILE" are ours.
 */
#include "spool/spool.h"
#include "spool/spool_wire.h"
#include <curl/curl.h>

static char *part_of(struct arena *arena, CURLU *url, CURLUPart part)
{
    char *text = NULL, *copy = NULL;
    if (curl_url_get(url, part, &text, 0) == CURLUE_OK)
        copy = arena_strdup(arena, text);
    curl_free(text);
    return copy;
}

/* "starttls" and "ca=/FILE", joined by '&'. */
static const char *read_query(struct arena *arena, char *query, struct spool_endpoint *endpoint)
{
    char *rest = query;
    for (char *word = rest ? strtok_r(rest, "&", &rest) : NULL; word; word = strtok_r(NULL, "&", &rest)) {
        if (strcmp(word, "starttls") == 0)
            endpoint->starttls = true;
        else if (strncmp(word, "ca=/", 4) == 0)
            endpoint->ca_file = arena_strdup(arena, word + 3);
        else
            return "behind the ? only starttls and ca=/FILE are understood";
    }
    return NULL;
}

static const char *take_apart(struct arena *arena, CURLU *url, const char *hostname, struct spool_endpoint *endpoint)
{
    const char *scheme = part_of(arena, url, CURLUPART_SCHEME);
    const char *path = part_of(arena, url, CURLUPART_PATH);
    if (!scheme || (strcmp(scheme, "smtp") != 0 && strcmp(scheme, "smtps") != 0))
        return "must begin with smtp:// or smtps://";
    if (path && path[0] && strcmp(path, "/") != 0)
        return "must end behind the port";
    const char *problem = read_query(arena, part_of(arena, url, CURLUPART_QUERY), endpoint);
    if (problem)
        return problem;
    if (endpoint->starttls && strcmp(scheme, "smtps") == 0)
        return "smtps:// is encrypted from the start: no starttls";
    if (curl_url_set(url, CURLUPART_QUERY, NULL, 0) != CURLUE_OK ||
        curl_url_set(url, CURLUPART_PATH, hostname, CURLU_URLENCODE) != CURLUE_OK)
        return "cannot be understood";
    endpoint->url = part_of(arena, url, CURLUPART_URL);
    return endpoint->url ? NULL : "cannot be understood";
}

const char *spool_url_parse(struct arena *arena, const char *submit, const char *hostname,
                            struct spool_endpoint *endpoint)
{
    *endpoint = (struct spool_endpoint){0};
    if (strncmp(submit, "smtp://", 7) != 0 && strncmp(submit, "smtps://", 8) != 0)
        return "must begin with smtp:// or smtps://";
    CURLU *url = curl_url();
    if (!url)
        return "out of memory";
    const char *problem = "cannot be understood";
    if (curl_url_set(url, CURLUPART_URL, submit, 0) == CURLUE_OK)
        problem = take_apart(arena, url, hostname, endpoint);
    curl_url_cleanup(url);
    return problem;
}

const char *spool_verify_url(const char *submit)
{
    struct arena *arena = arena_create(1024);
    struct spool_endpoint endpoint;
    const char *problem = spool_url_parse(arena, submit, "localhost", &endpoint);
    arena_destroy(arena);
    return problem; /* they are all static */
}
