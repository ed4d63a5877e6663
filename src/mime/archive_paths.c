/* archive_paths - the names that are found, each told once per file, with the path that leads to it. */
#include "mime/archive_listing.h"
#include "util/strbuf.h"
#include <stdlib.h>
#include <string.h>

static bool seen_before(struct level *level, const char *name)
{
    if (level->seen_count * 2 >= level->seen_size) {
        size_t size = level->seen_size ? level->seen_size * 2 : 256;
        uint64_t *grown = calloc(size, sizeof *grown);
        if (!grown)
            abort();
        for (size_t i = 0; i < level->seen_size; i++) {
            size_t at = level->seen[i] & (size - 1);
            while (level->seen[i] && grown[at])
                at = (at + 1) & (size - 1);
            if (level->seen[i])
                grown[at] = level->seen[i];
        }
        free(level->seen);
        level->seen = grown;
        level->seen_size = size;
    }
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    hash = hash ? hash : 1;
    size_t at = hash & (level->seen_size - 1);
    for (; level->seen[at]; at = (at + 1) & (level->seen_size - 1)) {
        if (level->seen[at] == hash)
            return true;
    }
    level->seen[at] = hash;
    level->seen_count++;
    return false;
}

void listing_join_path(const char *prefix, const char *name, char *path, size_t size)
{
    struct strbuf whole;
    strbuf_init(&whole, 0);
    strbuf_puts(&whole, prefix);
    strbuf_puts(&whole, *prefix && *name ? "/" : "");
    strbuf_puts(&whole, name);
    size_t skip = whole.len > size - 1 ? whole.len - (size - 1) : 0;
    memcpy(path, strbuf_text(&whole) + skip, whole.len - skip + 1);
    strbuf_free(&whole);
}

int listing_deliver(void *context, const char *name)
{
    struct level *level = context;
    struct listing *listing = level->listing;
    char path[LISTING_PATH];
    if (seen_before(level, name))
        return 0;
    if (listing->entries >= listing->limits->max_entries) {
        listing->over = true;
        return 1;
    }
    listing->entries++;
    listing_join_path(level->prefix, name, path, sizeof path);
    if (listing->visit(listing->context, path) != 0)
        listing->stopped = true;
    return listing->stopped;
}
