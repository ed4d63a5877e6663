/*
 * policyrec - the tag list is cut at semicolons first; a piece that is no "tag=value" and a tag that stands twice make
 * the record malformed (RFC 6376 3.2, whose syntax RFC 9989 4.7 takes over). A value that its tag does not allow is
 * dropped in favour of the default, with a note, except that p, sp and np decide about the policy: when one of them is
 * wrong, or p is missing, the record means p=none if somebody reads its reports (rua), and nothing at all if not.
 *
 * Tag names are compared as written (RFC 6376: case matters), words as values in any case (the ABNF of RFC 9989), and
 * DMARC1 exactly. Empty pieces (";;") are let pass with a note; nothing can be meant by them.
 *
 * What this does not do: look at rua and ruf closer than whether one of them could be a URI. Sending reports does.
 */
#include "auth/policyrec.h"
#include "util/strbuf.h"
#include <ctype.h>

enum tag {
    TAG_P,
    TAG_SP,
    TAG_NP,
    TAG_ADKIM,
    TAG_ASPF,
    TAG_T,
    TAG_PSD,
    TAG_PCT,
    TAG_RUA,
    TAG_RUF,
    TAG_FO,
    TAG_RF,
    TAG_RI,
    TAG_COUNT
};
static const char *const tag_names[TAG_COUNT] = {"p",   "sp",  "np",  "adkim", "aspf", "t", "psd",
                                                 "pct", "rua", "ruf", "fo",    "rf",   "ri"};

#define TAG_LIMIT 64 /* tags a record, unknown ones included */

struct parse {
    struct arena *arena;
    struct policyrec *record;
    bool is_seen[TAG_COUNT], is_wrong[TAG_COUNT];
    struct span names[TAG_LIMIT];
    size_t name_count;
};

static const char *printable(struct arena *arena, struct span text)
{
    struct strbuf buf;
    strbuf_init(&buf, 4096);
    strbuf_add_printable(&buf, text);
    const char *copy = arena_strdup(arena, strbuf_text(&buf));
    strbuf_free(&buf);
    return copy;
}

static struct span trim_blanks(struct span text)
{
    while (text.len > 0 && (text.ptr[0] == ' ' || text.ptr[0] == '\t'))
        text = (struct span){text.ptr + 1, text.len - 1};
    while (text.len > 0 && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
        text.len--;
    return text;
}

static void note(struct parse *parse, const char *text)
{
    struct policyrec *record = parse->record;
    if (record->note_count < POLICYREC_NOTES)
        record->notes[record->note_count++] = text;
}

static void wrong(struct parse *parse, enum tag tag, struct span value, const char *instead)
{
    parse->is_wrong[tag] = true;
    note(parse,
         arena_printf(parse->arena, "%s=%.60s is not a value that %s can have%s%s", tag_names[tag],
                      printable(parse->arena, value), tag_names[tag], instead[0] ? "; it counts as " : "", instead));
}

static void read_policy(struct parse *parse, enum tag tag, struct span value, enum auth_policy *policy, bool *has)
{
    static const char *const words[] = {"none", "quarantine", "reject"};
    *has = true;
    for (size_t i = 0; i < 3; i++) {
        if (span_equals_nocase(value, words[i])) {
            *policy = (enum auth_policy)i;
            return;
        }
    }
    wrong(parse, tag, value, "");
}

/* One of the LETTERS, in any case; the first is the default. */
static char read_letter(struct parse *parse, enum tag tag, struct span value, const char *letters)
{
    char c = value.len == 1 ? (char)tolower((unsigned char)value.ptr[0]) : '\0';
    if (c && strchr(letters, c))
        return c;
    wrong(parse, tag, value, (const char[]){letters[0], '\0'});
    return letters[0];
}

static int read_pct(struct parse *parse, struct span value)
{
    int pct = 0;
    for (size_t i = 0; i < value.len && pct <= 100; i++)
        pct = isdigit((unsigned char)value.ptr[i]) ? pct * 10 + (value.ptr[i] - '0') : 101;
    if (value.len > 0 && pct <= 100)
        return pct;
    wrong(parse, TAG_PCT, value, "100");
    return 100;
}

/* Does one entry of the list look like a URI (RFC 3986: scheme, colon, something)? */
static bool has_uri(struct span list)
{
    while (list.len > 0) {
        const char *comma = memchr(list.ptr, ',', list.len);
        struct span entry = trim_blanks((struct span){list.ptr, comma ? (size_t)(comma - list.ptr) : list.len});
        size_t i = 0;
        while (i < entry.len && (isalnum((unsigned char)entry.ptr[i]) || (i && strchr("+-.", entry.ptr[i]))))
            i++;
        bool fine = i > 0 && i + 1 < entry.len && entry.ptr[i] == ':' && isalpha((unsigned char)entry.ptr[0]);
        for (size_t k = i + 1; fine && k < entry.len; k++)
            fine = entry.ptr[k] > ' ' && entry.ptr[k] < 0x7f;
        if (fine && strncasecmp(entry.ptr, "mailto:", 7) == 0)
            fine = memchr(entry.ptr + 7, '@', entry.len - 7) != NULL;
        if (fine)
            return true;
        size_t used = comma ? (size_t)(comma - list.ptr) + 1 : list.len;
        list = (struct span){list.ptr + used, list.len - used};
    }
    return false;
}

static const char *read_uris(struct parse *parse, enum tag tag, struct span value)
{
    if (!has_uri(value))
        wrong(parse, tag, value, "");
    return printable(parse->arena, value);
}

static void read_tag(struct parse *parse, enum tag tag, struct span value)
{
    struct policyrec *record = parse->record;
    parse->is_seen[tag] = true;
    if (tag == TAG_PCT || tag == TAG_RF || tag == TAG_RI)
        note(parse, arena_printf(parse->arena, "the tag %s is of RFC 7489, and RFC 9989 has it no more", tag_names[tag]));
    switch (tag) {
    case TAG_P:
        read_policy(parse, tag, value, &record->p, &record->has_p);
        break;
    case TAG_SP:
        read_policy(parse, tag, value, &record->sp, &record->has_sp);
        break;
    case TAG_NP:
        read_policy(parse, tag, value, &record->np, &record->has_np);
        break;
    case TAG_ADKIM:
        record->strict_dkim = read_letter(parse, tag, value, "rs") == 's';
        break;
    case TAG_ASPF:
        record->strict_spf = read_letter(parse, tag, value, "rs") == 's';
        break;
    case TAG_T:
        record->is_test = read_letter(parse, tag, value, "ny") == 'y';
        break;
    case TAG_PSD:
        record->psd = read_letter(parse, tag, value, "uyn");
        break;
    case TAG_PCT:
        record->pct = read_pct(parse, value);
        break;
    case TAG_RUA:
        record->rua = read_uris(parse, tag, value);
        break;
    case TAG_RUF:
        record->ruf = read_uris(parse, tag, value);
        break;
    case TAG_FO:
        record->fo = printable(parse->arena, value);
        break;
    case TAG_RF:
        record->rf = printable(parse->arena, value);
        break;
    case TAG_RI:
        record->ri = printable(parse->arena, value);
        break;
    case TAG_COUNT:
        break;
    }
}

/* NULL, or what is wrong with the piece. */
static const char *read_piece(struct parse *parse, struct span piece)
{
    const char *equals = memchr(piece.ptr, '=', piece.len);
    if (!equals)
        return arena_printf(parse->arena, "\"%.60s\" is no tag=value", printable(parse->arena, piece));
    struct span name = trim_blanks((struct span){piece.ptr, (size_t)(equals - piece.ptr)});
    struct span value = trim_blanks((struct span){equals + 1, piece.len - (size_t)(equals - piece.ptr) - 1});
    bool is_name = name.len > 0 && isalpha((unsigned char)name.ptr[0]);
    for (size_t i = 0; i < name.len; i++)
        is_name = is_name && (isalnum((unsigned char)name.ptr[i]) || name.ptr[i] == '_');
    if (!is_name)
        return arena_printf(parse->arena, "\"%.60s\" is no name of a tag", printable(parse->arena, name));
    for (size_t i = 0; i < parse->name_count; i++) {
        if (parse->names[i].len == name.len && memcmp(parse->names[i].ptr, name.ptr, name.len) == 0)
            return arena_printf(parse->arena, "the tag %.60s stands twice", printable(parse->arena, name));
    }
    if (parse->name_count == TAG_LIMIT)
        return "more than 64 tags";
    parse->names[parse->name_count++] = name;
    for (int tag = 0; tag < TAG_COUNT; tag++) {
        if (span_equals(name, tag_names[tag])) {
            read_tag(parse, (enum tag)tag, value);
            return NULL;
        }
    }
    note(parse, arena_printf(parse->arena, "the tag %.60s is unknown and ignored", printable(parse->arena, name)));
    return NULL;
}

/* What the record asks for, once all tags are known (RFC 9989 4.10.1). */
static void settle_policy(struct parse *parse)
{
    struct policyrec *record = parse->record;
    bool reports = record->rua && !parse->is_wrong[TAG_RUA];
    const char *error = !record->has_p            ? "the tag p is missing"
                        : parse->is_wrong[TAG_P]  ? "the policy p is neither none, quarantine nor reject"
                        : parse->is_wrong[TAG_SP] ? "the policy sp is neither none, quarantine nor reject"
                        : parse->is_wrong[TAG_NP] ? "the policy np is neither none, quarantine nor reject"
                                                  : NULL;
    record->has_policy = !error || reports;
    if (error && reports) {
        note(parse, arena_printf(parse->arena, "%s; because there is a rua the record counts as p=none", error));
        record->p = record->sp = record->np = AUTH_POLICY_NONE;
        return;
    }
    if (error) {
        record->error = arena_printf(parse->arena, "%s, and there is no rua that would make it p=none", error);
        record->p = record->sp = record->np = AUTH_POLICY_NONE;
        return;
    }
    if (!record->has_sp)
        record->sp = record->p;
    if (!record->has_np)
        record->np = record->sp;
}

/* Behind "v=DMARC1", white space around the '=' allowed; NULL if TEXT does not begin with it. */
static const char *skip_version(struct span text)
{
    const char *p = text.ptr, *end = text.ptr + text.len;
    if (text.len == 0 || *p++ != 'v')
        return NULL;
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    if (p == end || *p++ != '=')
        return NULL;
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    if (end - p < 6 || memcmp(p, "DMARC1", 6) != 0)
        return NULL;
    p += 6;
    return p < end && (isalnum((unsigned char)*p) || *p == '.') ? NULL : p; /* DMARC10 is another version */
}

enum policyrec_status policyrec_parse(struct arena *arena, struct span text, struct policyrec *record)
{
    struct parse parse = {.arena = arena, .record = record};
    const char *p = skip_version(text), *end = text.ptr + text.len;
    *record = (struct policyrec){.psd = 'u', .pct = 100};
    if (!p)
        return POLICYREC_OTHER;
    record->text = printable(arena, text);
    struct span rest = trim_blanks((struct span){p, (size_t)(end - p)});
    if (rest.len > 0 && rest.ptr[0] != ';') {
        record->error = "the semicolon behind v=DMARC1 is missing";
        return POLICYREC_MALFORMED;
    }
    while (rest.len > 0) {
        rest = (struct span){rest.ptr + 1, rest.len - 1}; /* the semicolon */
        const char *next = memchr(rest.ptr, ';', rest.len);
        size_t len = next ? (size_t)(next - rest.ptr) : rest.len;
        struct span piece = trim_blanks((struct span){rest.ptr, len});
        if (piece.len > 0)
            record->error = read_piece(&parse, piece);
        else if (next)
            note(&parse, "two semicolons with nothing between them");
        if (record->error)
            return POLICYREC_MALFORMED;
        rest = (struct span){rest.ptr + len, rest.len - len};
    }
    settle_policy(&parse);
    return POLICYREC_OK;
}

enum policyrec_choice policyrec_choose(struct arena *arena, const struct dns_answer *answer, struct policyrec *record)
{
    enum policyrec_choice choice = POLICYREC_NONE;
    if (answer->outcome != DNS_ANSWER)
        return POLICYREC_NONE;
    for (size_t i = 0; i < answer->count; i++) {
        if (!skip_version(answer->records[i].text))
            continue;
        if (choice != POLICYREC_NONE)
            return POLICYREC_SEVERAL;
        choice =
            policyrec_parse(arena, answer->records[i].text, record) == POLICYREC_OK ? POLICYREC_ONE : POLICYREC_BROKEN;
    }
    return choice;
}

enum auth_policy policyrec_policy(const struct policyrec *record, bool is_subdomain, bool exists)
{
    return !is_subdomain ? record->p : exists ? record->sp : record->np;
}

enum auth_policy policyrec_weaken(enum auth_policy policy)
{
    return policy == AUTH_POLICY_REJECT ? AUTH_POLICY_QUARANTINE : AUTH_POLICY_NONE;
}
