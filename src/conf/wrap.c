/*
 * wrap - prose broken into lines. A word is what stands between blanks; one that is longer than a line is not cut.
 */
#include "conf/wrap.h"
#include <string.h>

static bool ends_sentence(const char *word, size_t len)
{
    if (len > 1 && (word[len - 1] == ')' || word[len - 1] == '"'))
        len--;
    return len > 1 && strchr(".!?", word[len - 1]) != NULL && word[len - 1] != '\0';
}

void wrap_print(FILE *out, const char *prefix, const char *text, size_t width, bool sentences,
                void (*escape)(FILE *out, const char *word, size_t len, bool first))
{
    size_t indent = strlen(prefix), column = 0; /* column 0: no line begun */
    bool ended = false;
    for (const char *p = text + strspn(text, " \n"); *p; p += strspn(p, " \n")) {
        size_t len = strcspn(p, " \n");
        if (column > 0 && (column + 1 + len > width || (sentences && ended))) {
            fputc('\n', out);
            column = 0;
        }
        bool first = column == 0;
        fputs(first ? prefix : " ", out);
        column += (first ? indent : 1) + len;
        if (escape)
            escape(out, p, len, first);
        else
            fwrite(p, 1, len, out);
        ended = ends_sentence(p, len);
        p += len;
    }
    if (column > 0)
        fputc('\n', out);
}
