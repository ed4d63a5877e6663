/* smtp_path - a quoted local part may hold spaces and brackets; what ends the command may stand nowhere. */
#include "util/smtp_path.h"
#include <string.h>

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

bool smtp_path_is_safe(const char *text)
{
    bool is_quoted = false;
    if (strlen(text) > SMTP_PATH_MAX)
        return false;
    for (const char *p = text; *p; p++) {
        if (is_control(*p))
            return false;
        if (is_quoted && *p == '\\') {
            if (is_control(*++p)) /* the end included */
                return false;
        } else if (*p == '"') {
            is_quoted = !is_quoted;
        } else if (!is_quoted && strchr(" <>", *p)) {
            return false;
        }
    }
    return !is_quoted;
}
