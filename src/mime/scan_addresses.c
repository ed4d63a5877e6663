/*
 * scan_addresses - counts what GMime's address parser finds.
 *
 * GMime builds an object an address and recurses on groups (a row of colons is a row of groups), so a value is looked
 * at in pieces of bounded length, cut at commas. A cut inside a quoted string or a group may count a little too much
 * or too little; only values beyond PIECE bytes are cut.
 */
#include "mime/scan.h"
#include <gmime/gmime.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 65536
#define COLONS_MAX 1000 /* in a piece; more of them are no addresses */

static size_t count_list(InternetAddressList *list, unsigned depth)
{
    size_t count = 0;
    int len = list ? internet_address_list_length(list) : 0;
    for (int i = 0; i < len; i++) {
        InternetAddress *address = internet_address_list_get_address(list, i);
        if (!INTERNET_ADDRESS_IS_GROUP(address))
            count++;
        else if (depth < 10)
            count += count_list(internet_address_group_get_members(INTERNET_ADDRESS_GROUP(address)), depth + 1);
    }
    return count;
}

static size_t count_piece(const char *piece, size_t len)
{
    char *copy = malloc(len + 1);
    if (!copy)
        abort();
    size_t colons = 0;
    for (size_t i = 0; i < len; i++) {
        copy[i] = piece[i];
        if (piece[i] == ':' && ++colons > COLONS_MAX)
            copy[i] = ' ';
    }
    copy[len] = '\0';
    InternetAddressList *list = internet_address_list_parse(NULL, copy);
    size_t count = count_list(list, 0);
    if (list)
        g_object_unref(list);
    free(copy);
    return count;
}

size_t scan_count_addresses(const char *const *values, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        const char *at = values[i];
        size_t left = strlen(at);
        while (left > 0) {
            size_t len = left;
            if (left > PIECE) {
                const char *comma = memrchr(at, ',', PIECE);
                len = comma && comma > at ? (size_t)(comma - at) + 1 : PIECE;
            }
            total += count_piece(at, len);
            at += len;
            left -= len;
        }
    }
    return total;
}
