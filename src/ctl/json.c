/* json - cJSON takes every string for UTF-8 and passes it on; so what comes from a client or a name server is
 * cleaned. */
#include "ctl/json.h"
#include "util/strbuf.h"
#include "util/utf8.h"

void json_add_text(cJSON *object, const char *key, const char *text)
{
    struct strbuf clean;
    if (!text) {
        cJSON_AddNullToObject(object, key);
        return;
    }
    strbuf_init(&clean, 0);
    utf8_add_clean(&clean, span_of(text));
    cJSON_AddStringToObject(object, key, strbuf_text(&clean));
    strbuf_free(&clean);
}

void json_add_lines(cJSON *object, const char *key, struct span text)
{
    struct strbuf clean;
    if (!text.ptr) {
        cJSON_AddNullToObject(object, key);
        return;
    }
    strbuf_init(&clean, text.len + 1);
    for (size_t i = 0, n; i < text.len; i += n) {
        for (n = 0; i + n < text.len && !strchr("\t\r\n", text.ptr[i + n] ? text.ptr[i + n] : '?');)
            n++;
        utf8_add_clean(&clean, (struct span){text.ptr + i, n});
        if (i + n < text.len)
            strbuf_putc(&clean, text.ptr[i + n++]);
    }
    cJSON_AddStringToObject(object, key, strbuf_text(&clean));
    strbuf_free(&clean);
}

void json_print(FILE *out, cJSON *object)
{
    char *text = cJSON_Print(object);
    fprintf(out, "%s\n", text ? text : "{}");
    cJSON_free(text);
    cJSON_Delete(object);
}
