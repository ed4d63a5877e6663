/*
 * listfile - list entries that stand in a file of their own, one a line.
 *
 * White space around an entry and everything behind '#' do not count. List files do not name other files. A fault is
 * reported with the list file's own name and line; a file that is no list at all (a binary, say) would have thousands,
 * so only the first ones are told and the rest is counted.
 */
#include "conf/loader.h"

#define LISTFILE_MAX ((size_t)64 << 20) /* octets */
#define FAULTS_TOLD 20

static const char *add_line(struct loader *loader, struct slot *slot, struct span entry)
{
    if (memchr(entry.ptr, '\0', entry.len))
        return "holds a NUL byte";
    if (entry.ptr[0] == '/')
        return "is a path; a list file cannot name another";
    return list_add(loader->arena, slot, arena_spandup(loader->scratch, entry));
}

static void read_lines(struct loader *loader, struct slot *slot, const struct conf_source *list)
{
    size_t faults = 0;
    int line = 0;
    for (size_t pos = 0; pos < list->len;) {
        const char *start = list->text + pos, *end = memchr(start, '\n', list->len - pos);
        struct span entry = {start, end ? (size_t)(end - start) : list->len - pos};
        pos += entry.len + 1;
        line++;
        const char *comment = memchr(entry.ptr, '#', entry.len);
        if (comment)
            entry.len = (size_t)(comment - entry.ptr);
        entry = span_trim(entry);
        const char *why = entry.len ? add_line(loader, slot, entry) : NULL;
        if (why && ++faults <= FAULTS_TOLD)
            problem_report(loader, list->path, line, slot->section, span_of(slot->row->name), "%s %s",
                           problem_quote(loader, entry), why);
    }
    if (faults > FAULTS_TOLD)
        problem_report(loader, list->path, 0, slot->section, span_of(slot->row->name), "%zu more lines are wrong",
                       faults - FAULTS_TOLD);
}

void listfile_read(struct loader *loader, struct slot *slot, int line, const char *path)
{
    struct conf_source list;
    const char *why = conf_source_read(loader, path, LISTFILE_MAX, &list);
    if (why) {
        problem_report(loader, loader->source->path, line, slot->section, span_of(slot->row->name), "list file %s %s",
                       problem_quote(loader, span_of(path)), why);
        return;
    }
    read_lines(loader, slot, &list);
    conf_source_free(&list);
}
