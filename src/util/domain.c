/*
 * domain - libidn2 for names with other than ASCII letters, length and character rules for all.
 *
 * A set keeps exact names and suffixes in one strset: a suffix keeps its leading dot, and a look-up tries the name
 * and then each ".parent" of it, so its cost is the number of labels and not the size of the list.
 */
#include "util/domain.h"
#include "util/strset.h"
#include <ctype.h>
#include <idn2.h>
#include <stdlib.h>

struct domain_set {
    struct strset *members;
};

static bool labels_are_sound(const char *name)
{
    size_t label = 0;
    bool digits_only = true;
    if (!*name || strlen(name) > DOMAIN_MAX)
        return false;
    for (const char *p = name;; p++) {
        if (*p == '.' || !*p) {
            if (label == 0 || label > DOMAIN_LABEL_MAX || p[-1] == '-')
                return false;
            if (!*p)
                return !digits_only;
            label = 0;
            continue;
        }
        if (!isalnum((unsigned char)*p) && *p != '_' && (*p != '-' || label == 0))
            return false;
        if (!isdigit((unsigned char)*p))
            digits_only = false;
        label++;
    }
}

int domain_canonical(struct span name, char out[DOMAIN_MAX + 1])
{
    if (name.len > 1 && name.ptr[name.len - 1] == '.')
        name.len--;
    if (name.len == 0 || name.len > 4 * DOMAIN_MAX || memchr(name.ptr, 0, name.len))
        return -1;
    bool ascii = true;
    for (size_t i = 0; i < name.len; i++)
        ascii = ascii && !((unsigned char)name.ptr[i] & 0x80);
    if (ascii) {
        if (name.len > DOMAIN_MAX)
            return -1;
        for (size_t i = 0; i < name.len; i++)
            out[i] = (char)tolower((unsigned char)name.ptr[i]);
        out[name.len] = '\0';
        return labels_are_sound(out) ? 0 : -1;
    }
    char copy[4 * DOMAIN_MAX + 1], *ace = NULL;
    memcpy(copy, name.ptr, name.len);
    copy[name.len] = '\0';
    if (idn2_to_ascii_8z(copy, &ace, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
        return -1;
    int result = -1;
    if (strlen(ace) <= DOMAIN_MAX) {
        strcpy(out, ace);
        result = labels_are_sound(out) ? 0 : -1;
    }
    idn2_free(ace);
    return result;
}

int domain_of_address(const char *address, char out[DOMAIN_MAX + 1])
{
    const char *at = strrchr(address, '@');
    return at ? domain_canonical(span_of(at + 1), out) : -1;
}

bool domain_is_within(const char *name, const char *suffix)
{
    size_t n = strlen(name), s = strlen(suffix);
    return n >= s && strcmp(name + n - s, suffix) == 0 && (n == s || name[n - s - 1] == '.');
}

struct domain_set *domain_set_create(struct arena *arena)
{
    struct domain_set *set = ARENA_NEW(arena, struct domain_set);
    set->members = strset_create(arena);
    return set;
}

const char *domain_set_add(struct domain_set *set, const char *entry)
{
    char name[DOMAIN_MAX + 2] = ".";
    bool suffix = entry[0] == '.';
    if (domain_canonical(span_of(entry + suffix), name + 1) != 0)
        return "is no domain name";
    strset_add(set->members, span_of(name + !suffix));
    return NULL;
}

bool domain_set_has(const struct domain_set *set, const char *canonical)
{
    if (strset_has(set->members, span_of(canonical)))
        return true;
    for (const char *dot = strchr(canonical, '.'); dot; dot = strchr(dot + 1, '.')) {
        if (strset_has(set->members, span_of(dot)))
            return true;
    }
    return false;
}

size_t domain_set_count(const struct domain_set *set)
{
    return strset_count(set->members);
}
