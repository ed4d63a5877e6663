/*
 * responder_json - cJSON under a strict reader.
 *
 * cJSON takes more than JSON is: raw control characters, "\u0000" as the end of a string, bytes that are no UTF-8. So
 * the text is copied first, and in the copy each such NUL or control character of a string becomes U+0001, which no
 * field may hold: the refusal then names the field. Unknown fields, repeated ones and wrong types are refused by the
 * tables below; what values may be is decided in responder_verify.c.
 *
 * cJSON is used without cJSON_GetErrorPtr(), the only part of it that threads may not share.
 */
#include "autoreply/header_text.h"
#include "autoreply/responder_private.h"
#include <cjson/cJSON.h>
#include <stdlib.h>

#define INPUT_MAX (8 * RESPONDER_JSON_MAX) /* indented and escaped JSON is longer than what is stored */

static const char *const weekday_names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

struct reader {
    struct arena *arena;
    struct responder_problem *problem;
    const char *prefix; /* of the fields' names: "" or "messages[2]." */
};

enum kind { KIND_STRING, KIND_STRINGS, KIND_NUMBER, KIND_WEEKDAYS, KIND_MESSAGES };

struct field {
    const char *name;
    enum kind kind;
    size_t offset;
};

static const struct field responder_fields[] = {
    {"mailbox", KIND_STRING, offsetof(struct responder, mailbox)},
    {"display_name", KIND_STRING, offsetof(struct responder, display_name)},
    {"active", KIND_STRING, offsetof(struct responder, active)},
    {"generation", KIND_NUMBER, offsetof(struct responder, generation)},
    {"messages", KIND_MESSAGES, 0},
    {NULL, KIND_STRING, 0},
};

static const struct field message_fields[] = {
    {"name", KIND_STRING, offsetof(struct responder_message, name)},
    {"weekdays", KIND_WEEKDAYS, offsetof(struct responder_message, weekdays)},
    {"start", KIND_STRING, offsetof(struct responder_message, start)},
    {"end", KIND_STRING, offsetof(struct responder_message, end)},
    {"zone", KIND_STRING, offsetof(struct responder_message, zone)},
    {"subject", KIND_STRING, offsetof(struct responder_message, subject)},
    {"body", KIND_STRING, offsetof(struct responder_message, body)},
    {"from", KIND_STRING, offsetof(struct responder_message, from)},
    {"excluded", KIND_STRINGS, 0},
    {"days", KIND_NUMBER, offsetof(struct responder_message, days)},
    {NULL, KIND_STRING, 0},
};

static int refuse(const struct reader *reader, const char *field, const char *reason)
{
    const char *path = arena_printf(reader->arena, "%s%s", reader->prefix, field);
    reader->problem->field = path;
    reader->problem->text = *path ? arena_printf(reader->arena, "%s: %s", path, reason) : reason;
    return -1;
}

static const char *type_name(const cJSON *item)
{
    return cJSON_IsString(item)   ? "a text"
           : cJSON_IsNumber(item) ? "a number"
           : cJSON_IsBool(item)   ? "true or false"
           : cJSON_IsArray(item)  ? "a list"
           : cJSON_IsObject(item) ? "an object"
                                  : "null";
}

static int refuse_type(const struct reader *reader, const char *field, const char *wanted, const cJSON *item)
{
    return refuse(reader, field, arena_printf(reader->arena, "%s is wanted here, not %s", wanted, type_name(item)));
}

static int read_number(const struct reader *reader, const char *field, const cJSON *item, int64_t *value)
{
    if (!cJSON_IsNumber(item))
        return refuse_type(reader, field, "a number", item);
    double number = item->valuedouble;
    if (!(number >= -1e15 && number <= 1e15) || number != (double)(int64_t)number)
        return refuse(reader, field, "a whole number is wanted here");
    *value = (int64_t)number;
    return 0;
}

static int read_strings(const struct reader *reader, const char *field, const cJSON *list, const char *const **items,
                        size_t *count)
{
    const char **copies = NULL;
    size_t capacity = 0;
    if (!cJSON_IsArray(list))
        return refuse_type(reader, field, "a list of texts", list);
    for (const cJSON *item = list->child; item; item = item->next) {
        if (!cJSON_IsString(item))
            return refuse_type(reader, arena_printf(reader->arena, "%s[%zu]", field, *count), "a text", item);
        copies = arena_grow(reader->arena, copies, &capacity, *count + 1, sizeof *copies);
        copies[(*count)++] = arena_strdup(reader->arena, item->valuestring);
    }
    *items = copies;
    return 0;
}

static int read_weekdays(const struct reader *reader, const char *field, const cJSON *list, unsigned *weekdays)
{
    const char *const *items;
    size_t count = 0;
    if (read_strings(reader, field, list, &items, &count) != 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        unsigned day = 0;
        while (day < 7 && strcmp(items[i], weekday_names[day]) != 0)
            day++;
        const char *place = arena_printf(reader->arena, "%s[%zu]", field, i);
        if (day == 7)
            return refuse(reader, place, "a day is mon, tue, wed, thu, fri, sat or sun");
        if (*weekdays >> day & 1)
            return refuse(reader, place, "this day is named twice");
        *weekdays |= 1U << day;
    }
    return 0;
}

static int read_messages(const struct reader *reader, const char *field, const cJSON *list,
                         struct responder *responder);

static int read_field(const struct reader *reader, const struct field *field, const cJSON *item, void *object)
{
    const char *name = field->name;
    void *member = (char *)object + field->offset;
    if (cJSON_IsNull(item))
        return 0;
    switch (field->kind) {
    case KIND_NUMBER:
        return read_number(reader, name, item, member);
    case KIND_WEEKDAYS:
        return read_weekdays(reader, name, item, member);
    case KIND_STRINGS: {
        struct responder_message *message = object;
        return read_strings(reader, name, item, &message->excluded, &message->excluded_count);
    }
    case KIND_MESSAGES:
        return read_messages(reader, name, item, object);
    case KIND_STRING:
        break;
    }
    if (!cJSON_IsString(item))
        return refuse_type(reader, name, "a text", item);
    *(const char **)member = arena_strdup(reader->arena, item->valuestring);
    return 0;
}

static int read_object(const struct reader *reader, const struct field *fields, const cJSON *item, void *object)
{
    unsigned seen = 0;
    for (const cJSON *member = item->child; member; member = member->next) {
        unsigned i = 0;
        while (fields[i].name && strcmp(fields[i].name, member->string) != 0)
            i++;
        if (!fields[i].name)
            return refuse(reader, header_show(reader->arena, span_of(member->string), 60), "there is no such field");
        if (seen >> i & 1)
            return refuse(reader, fields[i].name, "the field is there twice");
        seen |= 1U << i;
        if (read_field(reader, &fields[i], member, object) != 0)
            return -1;
    }
    return 0;
}

static int read_messages(const struct reader *reader, const char *field, const cJSON *list, struct responder *responder)
{
    size_t capacity = 0;
    if (!cJSON_IsArray(list))
        return refuse_type(reader, field, "a list of messages", list);
    for (const cJSON *item = list->child; item; item = item->next) {
        const char *path = arena_printf(reader->arena, "%s[%zu]", field, responder->count);
        if (!cJSON_IsObject(item))
            return refuse_type(reader, path, "a message (an object)", item);
        if (responder->count == RESPONDER_MESSAGES_MAX)
            return refuse(reader, field, arena_printf(reader->arena, "more than %d messages", RESPONDER_MESSAGES_MAX));
        responder->messages = arena_grow(reader->arena, responder->messages, &capacity, responder->count + 1,
                                         sizeof *responder->messages);
        struct responder_message *message = &responder->messages[responder->count++];
        *message = (struct responder_message){.zone = "UTC", .days = RESPONDER_DAYS_DEFAULT};
        const struct reader inner = {reader->arena, reader->problem, arena_printf(reader->arena, "%s.", path)};
        if (read_object(&inner, message_fields, item, message) != 0)
            return -1;
    }
    return 0;
}

/* A copy in which what cJSON would let through shows: see above. */
static char *mark(struct arena *arena, struct span json)
{
    char *copy = arena_spandup(arena, json);
    bool in_string = false;
    for (size_t i = 0; i < json.len; i++) {
        unsigned char c = (unsigned char)copy[i];
        if (c == '"') {
            in_string = !in_string;
        } else if (in_string && c == '\\' && i + 1 < json.len) {
            i++;
            if (json.len - i > 4 && memcmp(copy + i, "u0000", 5) == 0)
                copy[i + 4] = '1';
        } else if (c < 0x20 && (in_string || !strchr("\t\r\n", c) || c == 0)) {
            copy[i] = in_string ? '\1' : '?';
        }
    }
    return copy;
}

static int parse(struct arena *arena, struct span json, bool is_stored, struct responder *responder,
                 struct responder_problem *problem)
{
    const struct reader reader = {arena, problem, ""};
    *responder = (struct responder){.mailbox = NULL};
    if (json.len > INPUT_MAX)
        return refuse(&reader, "", "the text is too long");
    const char *copy = mark(arena, json), *end = copy;
    cJSON *root = cJSON_ParseWithLengthOpts(copy, json.len + 1, &end, true);
    if (!root)
        return refuse(&reader, "", arena_printf(arena, "no JSON: it cannot be read behind byte %td", end - copy));
    int result = cJSON_IsObject(root) ? read_object(&reader, responder_fields, root, responder)
                                      : refuse_type(&reader, "", "a responder (an object)", root);
    cJSON_Delete(root);
    return result == 0 ? responder_settle(arena, responder, is_stored, problem) : -1;
}

int responder_parse(struct arena *arena, struct span json, struct responder *responder,
                    struct responder_problem *problem)
{
    return parse(arena, json, false, responder, problem);
}

int responder_load(struct arena *arena, struct span json, struct responder *responder,
                   struct responder_problem *problem)
{
    return parse(arena, json, true, responder, problem);
}

/* ---- printing ---- */

static void add_text(cJSON *object, const char *name, const char *text)
{
    if (text)
        cJSON_AddStringToObject(object, name, text);
}

static cJSON *print_message(const struct responder_message *message)
{
    cJSON *object = cJSON_CreateObject();
    add_text(object, "name", message->name);
    cJSON *weekdays = message->weekdays ? cJSON_AddArrayToObject(object, "weekdays") : NULL;
    for (unsigned day = 0; weekdays && day < 7; day++) {
        if (message->weekdays >> day & 1)
            cJSON_AddItemToArray(weekdays, cJSON_CreateString(weekday_names[day]));
    }
    add_text(object, "start", message->start);
    add_text(object, "end", message->end);
    add_text(object, "zone", message->zone);
    add_text(object, "subject", message->subject);
    add_text(object, "body", message->body);
    add_text(object, "from", message->from);
    cJSON *excluded = message->excluded_count ? cJSON_AddArrayToObject(object, "excluded") : NULL;
    for (size_t i = 0; i < message->excluded_count; i++)
        cJSON_AddItemToArray(excluded, cJSON_CreateString(message->excluded[i]));
    cJSON_AddNumberToObject(object, "days", (double)message->days);
    return object;
}

const char *responder_print(struct arena *arena, const struct responder *responder)
{
    cJSON *object = cJSON_CreateObject();
    add_text(object, "mailbox", responder->mailbox);
    add_text(object, "display_name", responder->display_name);
    add_text(object, "active", responder->active);
    cJSON_AddNumberToObject(object, "generation", (double)responder->generation);
    cJSON *messages = cJSON_AddArrayToObject(object, "messages");
    for (size_t i = 0; i < responder->count; i++)
        cJSON_AddItemToArray(messages, print_message(&responder->messages[i]));
    char *text = cJSON_PrintUnformatted(object);
    cJSON_Delete(object);
    if (!text)
        abort(); /* out of memory: arena.h */
    const char *copy = arena_strdup(arena, text);
    cJSON_free(text);
    return copy;
}
