/*
 * authres_parse - a reader that goes on where the RFC would stop.
 *
 * The value is walked once. What is between two semicolons is a piece: the first one is the authserv-id (and a
 * version), each other one a result with its properties. A first piece that is itself a result ("spf=pass ...", as
 * some large providers write it) means that there is no authserv-id. A piece that cannot be read is left out and
 * remembered in is_whole.
 *
 * Telling forgeries must not depend on our reader being as clever as all others: authres_claims() falls back to a
 * search through everything that is left once comments, quotes, backslashes and white space are gone.
 */
#include "auth/authres.h"
#include "util/domain.h"
#include "util/strbuf.h"
#include <ctype.h>

#define VALUE_MAX 65536
#define RESULTS_MAX 64
#define PROPERTIES_MAX 32
#define COMMENT_DEPTH_MAX 100

struct reader {
    struct arena *arena;
    const char *at, *end;
    struct strbuf *comments; /* where their text goes; NULL: nowhere */
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Behind the comment that begins at READER->at. False: it never ends. */
static bool skip_comment(struct reader *reader)
{
    const char *start = reader->at + 1;
    int depth = 0;
    for (; reader->at < reader->end; reader->at++) {
        char c = *reader->at;
        if (c == '\\' && reader->at + 1 < reader->end) {
            reader->at++;
        } else if (c == '(') {
            if (++depth > COMMENT_DEPTH_MAX)
                return false;
        } else if (c == ')' && --depth == 0) {
            if (reader->comments) {
                strbuf_add(reader->comments, (struct span){start, (size_t)(reader->at - start)});
                strbuf_putc(reader->comments, ' ');
            }
            reader->at++;
            return true;
        }
    }
    return false;
}

static bool skip_cfws(struct reader *reader)
{
    while (reader->at < reader->end) {
        if (is_space(*reader->at))
            reader->at++;
        else if (*reader->at != '(')
            return true;
        else if (!skip_comment(reader))
            return false;
    }
    return true;
}

/* Adds the quoted string at READER->at to WORD, without quotes. False: it never ends. */
static bool read_quoted(struct reader *reader, struct strbuf *word)
{
    for (reader->at++; reader->at < reader->end; reader->at++) {
        char c = *reader->at;
        if (c == '"') {
            reader->at++;
            return true;
        }
        if (c == '\\' && reader->at + 1 < reader->end)
            c = *++reader->at;
        if (c != '\r' && c != '\n' && c)
            strbuf_putc(word, c);
    }
    return false;
}

/* A word: any bytes up to white space, a comment, or one of STOPS; quoted strings in it are unquoted. NULL: malformed
 * or empty. */
static char *read_word(struct reader *reader, const char *stops)
{
    struct strbuf word;
    bool fine = true, any = false;
    strbuf_init(&word, VALUE_MAX);
    while (fine && reader->at < reader->end) {
        char c = *reader->at;
        if (is_space(c) || c == '(' || (c && strchr(stops, c)))
            break;
        any = true;
        if (c == '"') {
            fine = read_quoted(reader, &word);
            continue;
        }
        fine = c != '\0';
        strbuf_putc(&word, c);
        reader->at++;
    }
    char *text = fine && any ? arena_strdup(reader->arena, strbuf_text(&word)) : NULL;
    strbuf_free(&word);
    return text;
}

static char *lower(char *text)
{
    for (char *p = text; p && *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return text;
}

/* Behind the next semicolon that is in no comment and no quoted string, or at the end. */
static void skip_piece(struct reader *reader)
{
    struct strbuf unused;
    strbuf_init(&unused, 1);
    while (reader->at < reader->end) {
        char c = *reader->at;
        if (c == '(') {
            if (!skip_comment(reader))
                reader->at = reader->end;
        } else if (c == '"') {
            if (!read_quoted(reader, &unused))
                reader->at = reader->end;
        } else {
            reader->at++;
            if (c == ';')
                break;
        }
    }
    strbuf_free(&unused);
}

static bool read_char(struct reader *reader, char wanted)
{
    if (!skip_cfws(reader) || reader->at >= reader->end || *reader->at != wanted)
        return false;
    reader->at++;
    return skip_cfws(reader);
}

/* "name = value" */
static bool read_pair(struct reader *reader, const char *name_stops, char **name, char **value)
{
    if (!skip_cfws(reader) || !(*name = lower(read_word(reader, name_stops))) || !read_char(reader, '='))
        return false;
    *value = read_word(reader, ";");
    return *value != NULL;
}

/* { ptype.property = value | reason = ... }, comments anywhere */
static bool read_properties(struct reader *reader, struct authres_result *result)
{
    struct authres_property properties[PROPERTIES_MAX];
    char *name, *value;
    for (;;) {
        if (!skip_cfws(reader))
            return false;
        if (reader->at >= reader->end || *reader->at == ';')
            break;
        if (!read_pair(reader, "=;", &name, &value))
            return false;
        if (strcmp(name, "reason") == 0)
            result->reason = value;
        else if (result->property_count < PROPERTIES_MAX)
            properties[result->property_count++] = (struct authres_property){name, value};
    }
    struct authres_property *copy = ARENA_ARRAY(reader->arena, struct authres_property, result->property_count + 1);
    memcpy(copy, properties, result->property_count * sizeof *copy);
    result->properties = copy;
    return true;
}

/* method [ / version ] = result, and its properties */
static bool read_result(struct reader *reader, struct authres_result *result)
{
    char *name, *value;
    struct strbuf comments;
    if (!skip_cfws(reader) || !(name = lower(read_word(reader, "=/;"))))
        return false;
    result->method = name;
    if (skip_cfws(reader) && reader->at < reader->end && *reader->at == '/') {
        reader->at++;
        if (!skip_cfws(reader) || !read_word(reader, "=;"))
            return false;
    }
    if (!read_char(reader, '=') || !(value = lower(read_word(reader, ";"))))
        return false;
    result->result = value;
    strbuf_init(&comments, VALUE_MAX);
    reader->comments = &comments;
    bool fine = read_properties(reader, result);
    reader->comments = NULL;
    result->comments = arena_strdup(reader->arena, strbuf_text(&comments));
    strbuf_free(&comments);
    return fine;
}

/* The authserv-id and its version. True if what follows is the end of its piece. */
static bool read_id(struct reader *reader, struct authres *authres)
{
    struct reader start = *reader;
    char *id = skip_cfws(reader) ? read_word(reader, ";=") : NULL;
    if (!id)
        return false;
    if (!skip_cfws(reader))
        return false;
    if (reader->at < reader->end && *reader->at == '=') { /* a result: there is no authserv-id */
        *reader = start;
        authres->id = "";
        return true;
    }
    authres->id = id;
    if (reader->at < reader->end && isdigit((unsigned char)*reader->at)) {
        if (!read_word(reader, ";"))
            return false;
        skip_cfws(reader);
    }
    if (reader->at >= reader->end)
        return true;
    bool ends = *reader->at == ';';
    skip_piece(reader);
    return ends;
}

const struct authres *authres_parse(struct arena *arena, struct span value)
{
    struct authres *authres = ARENA_NEW(arena, struct authres);
    struct reader reader = {arena, value.ptr, value.ptr + (value.len < VALUE_MAX ? value.len : VALUE_MAX), NULL};
    struct authres_result results[RESULTS_MAX];
    authres->id = "";
    authres->is_whole = value.len <= VALUE_MAX;
    authres->has_head = read_id(&reader, authres);
    authres->is_whole = authres->is_whole && authres->has_head;
    while (reader.at < reader.end && authres->count < RESULTS_MAX) {
        struct reader piece = reader;
        struct authres_result result = {.reason = NULL};
        if (!skip_cfws(&piece)) {
            authres->is_whole = false;
            break;
        }
        if (piece.at < piece.end && *piece.at != ';' &&
            !(piece.end - piece.at >= 4 && strncasecmp(piece.at, "none", 4) == 0)) {
            if (read_result(&piece, &result))
                results[authres->count++] = result;
            else
                authres->is_whole = false;
        }
        skip_piece(&reader);
    }
    struct authres_result *copy = ARENA_ARRAY(arena, struct authres_result, authres->count + 1);
    memcpy(copy, results, authres->count * sizeof *copy);
    authres->results = copy;
    return authres;
}

const char *authres_property(const struct authres_result *result, const char *name)
{
    for (size_t i = 0; i < result->property_count; i++) {
        if (strcmp(result->properties[i].name, name) == 0)
            return result->properties[i].value;
    }
    return NULL;
}

bool authres_same_id(const char *id, const char *other)
{
    char a[DOMAIN_MAX + 1], b[DOMAIN_MAX + 1];
    if (strcasecmp(id, other) == 0)
        return true;
    return domain_canonical(span_of(id), a) == 0 && domain_canonical(span_of(other), b) == 0 && strcmp(a, b) == 0;
}

/* VALUE in lower case without white space, quotes, backslashes, control characters, and, if asked, without comments. */
static char *strip(struct arena *arena, struct span value, bool with_comments)
{
    struct reader reader = {arena, value.ptr, value.ptr + value.len, NULL};
    char *text = arena_alloc(arena, value.len + 1), *to = text;
    while (reader.at < reader.end) {
        struct reader before = reader;
        if (*reader.at == '(' && !with_comments) {
            if (skip_comment(&reader))
                continue;
            reader = before;
        }
        char c = *reader.at++;
        if ((unsigned char)c > ' ' && c != 0x7f && c != '"' && c != '\\')
            *to++ = (char)tolower((unsigned char)c);
    }
    *to = '\0';
    return text;
}

bool authres_claims(struct arena *arena, struct span value, const char *id)
{
    char unused[DOMAIN_MAX + 1];
    const struct authres *authres = authres_parse(arena, value);
    if (*authres->id && authres_same_id(authres->id, id))
        return true;
    if (authres->has_head && *authres->id && domain_canonical(span_of(authres->id), unused) == 0)
        return false; /* plainly somebody else's: the results may say what they like */
    const char *wanted = lower(arena_strdup(arena, id));
    return strstr(strip(arena, value, false), wanted) || strstr(strip(arena, value, true), wanted);
}
