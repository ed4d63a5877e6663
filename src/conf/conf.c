/*
 * conf - reading a configuration: the rows' defaults first, then the file over them, both by the same way.
 *
 * A text goes through three hands. scan.c checks its structure and blanks out what is wrong. libconfuse, told of every
 * option as a string or a list of strings, parses what is left: quoting, escapes, ${VARIABLES}, lists, sections, lines.
 * It calls back for each value while it knows the line, and slot_take() turns the value into the member of the
 * section's struct. Nothing is read out of a cfg_t afterwards, so it is freed at once.
 *
 * include("file") is a nested parse of ours and not libconfuse's own: its stack of included files survives an error
 * and would break the next load. A relative name is relative to the file that includes it.
 *
 * The lexer of libconfuse is one per process, and its callbacks carry no context; hence the one static pointer here.
 */
#include "conf/loader.h"
#include "util/log.h"
#include <confuse.h>
#include <stdlib.h>

#define CONF_FILE_MAX ((size_t)4 << 20) /* octets */
#define INCLUDE_DEPTH 10

struct conf {
    struct arena *arena;
    struct loader loader; /* sections and structs; the rest is of no meaning after loading */
    const char *path, *checksum;
};

static struct loader *current;
static cfg_t *current_root;

static void parse_source(struct loader *loader, struct conf_source *source);

static int take_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
    struct span section = span_of(cfg == current_root ? "" : cfg->name);
    const struct conf_section *found = slot_find_section(current, section);
    struct slot *slot = found ? slot_find(current, found, span_of(opt->name)) : NULL;
    if (slot)
        slot_take(current, slot, cfg->line, value);
    *(const char **)result = value; /* libconfuse wants to keep a copy */
    return 0;
}

/* What scan.c let through and libconfuse does not like after all. */
static void __attribute__((format(printf, 2, 0))) report_error(cfg_t *cfg, const char *format, va_list args)
{
    char text[512];
    vsnprintf(text, sizeof text, format, args);
    problem_report(current, current->source->path, cfg->line, NULL, span_of("libconfuse"), "%s", text);
}

static const char *resolve_include(struct loader *loader, const char *name)
{
    const char *slash = strrchr(loader->source->path, '/');
    if (name[0] == '/' || !slash)
        return name;
    return arena_printf(loader->scratch, "%.*s%s", (int)(slash + 1 - loader->source->path), loader->source->path, name);
}

static const char *check_nesting(const struct conf_source *parent, const struct conf_source *source)
{
    int depth = 1;
    for (; parent; parent = parent->parent, depth++) {
        if (parent->inode == source->inode && parent->device == source->device)
            return "includes itself";
    }
    return depth > INCLUDE_DEPTH ? "is included too deeply" : NULL;
}

static int include_file(cfg_t *cfg, cfg_opt_t *opt, int argc, const char **argv)
{
    struct loader *loader = current;
    struct conf_source *parent = loader->source, source;
    int line = cfg->line;
    (void)opt;
    if (argc != 1)
        return 1;
    const char *path = resolve_include(loader, argv[0]);
    const char *why = conf_source_read(loader, path, CONF_FILE_MAX, &source);
    if (!why && (why = check_nesting(parent, &source)))
        conf_source_free(&source);
    if (why) {
        problem_report(loader, parent->path, line, NULL, span_of("include"), "%s %s",
                       problem_quote(loader, span_of(path)), why);
        return 0;
    }
    source.parent = parent;
    parse_source(loader, &source);
    conf_source_free(&source);
    loader->source = parent;
    cfg->line = line;
    return 0;
}

/* NUL would end the texts of libconfuse early, and a byte order mark would be part of the first name. */
static void check_bytes(struct loader *loader, struct conf_source *source)
{
    int line = 1;
    if (source->len >= 3 && memcmp(source->text, "\xef\xbb\xbf", 3) == 0)
        conf_source_blank(source, 0, 3);
    for (size_t i = 0; i < source->len; i++) {
        line += source->text[i] == '\n';
        if (source->text[i])
            continue;
        problem_report(loader, source->path, line, NULL, (struct span){NULL, 0}, "holds a NUL byte");
        source->text[i] = ' ';
    }
}

static void parse_source(struct loader *loader, struct conf_source *source)
{
    loader->source = source;
    check_bytes(loader, source);
    scan_source(loader, source);
    if (source->len == 0 || source->unbalanced)
        return;
    FILE *file = fmemopen(source->text, source->len, "r");
    if (!file || cfg_parse_fp(current_root, file) != CFG_SUCCESS)
        loader->found++; /* told by report_error(), or by nobody if there is no memory */
    if (file)
        fclose(file);
}

/* The options of one section in libconfuse's terms, with room for EXTRA more; ended by what is all zero. */
static cfg_opt_t *declare_rows(struct loader *loader, const struct conf_section *section, size_t extra, size_t *used)
{
    size_t count = 0, i;
    while (section->rows[count].name)
        count++;
    cfg_opt_t *opts = ARENA_ARRAY(loader->scratch, cfg_opt_t, count + extra + 1);
    for (i = 0; i < count; i++) {
        const struct option_row *row = &section->rows[i];
        opts[i] = slot_is_list(row->type) ? (cfg_opt_t)CFG_STR_LIST_CB(row->name, NULL, CFGF_NODEFAULT, take_value)
                                          : (cfg_opt_t)CFG_STR_CB(row->name, NULL, CFGF_NODEFAULT, take_value);
    }
    *used = count;
    return opts;
}

static cfg_opt_t *declare_all(struct loader *loader)
{
    size_t used, ignored;
    const struct conf_section *top = slot_find_section(loader, span_of(""));
    cfg_opt_t *opts = declare_rows(loader, top, loader->count + 1, &used);
    for (size_t i = 0; i < loader->count; i++) {
        const struct conf_section *section = &loader->sections[i];
        if (section != top)
            opts[used++] = (cfg_opt_t)CFG_SEC(section->name, declare_rows(loader, section, 0, &ignored), CFGF_NONE);
    }
    opts[used] = (cfg_opt_t)CFG_FUNC("include", include_file);
    return opts;
}

/* One text, from the scan to the members. */
static void read_pass(struct loader *loader, struct conf_source *source)
{
    for (size_t i = 0; i < loader->count; i++) {
        loader->opened[i].file = NULL;
        for (struct slot *slot = loader->opened[i].slots; slot->row->name; slot++)
            slot->file = NULL;
    }
    current = loader;
    current_root = cfg_init(declare_all(loader), CFGF_NONE);
    if (!current_root) {
        problem_report(loader, source->path, 0, NULL, (struct span){NULL, 0}, "out of memory");
        return;
    }
    cfg_set_error_function(current_root, report_error);
    parse_source(loader, source);
    cfg_free(current_root);
    current = NULL;
    current_root = NULL;
}

static void read_defaults(struct loader *loader)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return;
    for (size_t i = 0; i < loader->count; i++) {
        const struct conf_section *section = &loader->sections[i];
        if (section->name[0])
            fprintf(out, "%s {\n", section->name);
        for (const struct option_row *row = section->rows; row->name; row++) {
            if (row->def && *row->def)
                fprintf(out, "%s = %s\n", row->name, describe_default(loader->scratch, row));
        }
        if (section->name[0])
            fputs("}\n", out);
    }
    fclose(out);
    struct conf_source source = {.path = "defaults", .text = text, .len = len};
    loader->defaults = true;
    read_pass(loader, &source);
    loader->defaults = false;
    conf_source_free(&source);
}

static void create_slots(struct loader *loader)
{
    loader->opened = ARENA_ARRAY(loader->arena, struct opened, loader->count);
    for (size_t i = 0; i < loader->count; i++) {
        const struct conf_section *section = &loader->sections[i];
        size_t count = 0;
        while (section->rows[count].name)
            count++;
        loader->opened[i].values = arena_alloc(loader->arena, section->size);
        loader->opened[i].slots = ARENA_ARRAY(loader->arena, struct slot, count + 1);
        for (size_t j = 0; j <= count; j++) {
            struct slot *slot = &loader->opened[i].slots[j];
            slot->section = section;
            slot->row = &section->rows[j];
            slot->member = (char *)loader->opened[i].values + slot->row->offset;
            if (slot->row->name)
                list_begin(loader->arena, slot);
        }
    }
}

static void read_file(struct conf *conf, const char *path)
{
    struct conf_source source;
    const char *why = conf_source_read(&conf->loader, path, CONF_FILE_MAX, &source);
    if (why) {
        problem_report(&conf->loader, path, 0, NULL, (struct span){NULL, 0}, "%s", why);
        return;
    }
    conf->path = source.path;
    conf->checksum = checksum_hex(conf->arena, source.text, source.len);
    read_pass(&conf->loader, &source);
    conf_source_free(&source);
}

/* PATH NULL: the defaults alone. */
static struct conf *load(const char *path, const struct conf_section *sections, size_t count,
                         struct conf_problems *problems)
{
    static const struct option_row no_rows[] = {{.name = NULL}};
    struct arena *arena = arena_create(16384), *scratch = arena_create(16384);
    struct conf *conf = ARENA_NEW(arena, struct conf);
    *conf = (struct conf){.arena = arena, .path = "", .checksum = ""};
    conf->loader = (struct loader){.arena = arena,
                                   .scratch = scratch,
                                   .sections = sections,
                                   .count = count,
                                   .problems = problems,
                                   .known = strset_create(scratch)};
    if (!slot_find_section(&conf->loader, span_of(""))) { /* the code above counts on a top level */
        struct conf_section *all = ARENA_ARRAY(arena, struct conf_section, count + 1);
        if (count > 0)
            memcpy(all, sections, count * sizeof *all);
        all[count] = (struct conf_section){.name = "", .summary = "", .rows = no_rows, .size = 1};
        conf->loader.sections = all;
        conf->loader.count++;
    }
    create_slots(&conf->loader);
    read_defaults(&conf->loader);
    if (path)
        read_file(conf, path);
    problem_tell(&conf->loader);
    arena_destroy(scratch);
    if (conf->loader.found == 0)
        return conf;
    arena_destroy(arena);
    return NULL;
}

struct conf *conf_load(const char *path, const struct conf_section *sections, size_t count,
                       struct conf_problems *problems)
{
    return load(path, sections, count, problems);
}

static void log_problem(void *context, const char *text)
{
    (void)context;
    log_text(LEVEL_ERROR, "%s", text);
}

struct conf *conf_defaults(const struct conf_section *sections, size_t count)
{
    struct conf_problems problems = {.report = log_problem};
    return load(NULL, sections, count, &problems);
}

void conf_destroy(struct conf *conf)
{
    if (conf)
        arena_destroy(conf->arena); /* the conf itself lives there */
}

const void *conf_get(const struct conf *conf, const char *section)
{
    const struct conf_section *found = slot_find_section(&conf->loader, span_of(section));
    return found ? slot_opened(&conf->loader, found)->values : NULL;
}

const char *conf_where(const struct conf *conf, struct arena *arena, const char *section, const char *option,
                       const char *entry)
{
    const struct conf_section *found = slot_find_section(&conf->loader, span_of(section));
    const struct slot *slot = found ? slot_find(&conf->loader, found, span_of(option)) : NULL;
    for (size_t i = slot ? slot->taken_count : 0; i > 0; i--) {
        const struct taken *taken = &slot->taken[i - 1];
        if (!entry || strcmp(taken->value, entry) == 0)
            return arena_printf(arena, "%s:%d", taken->file, taken->line);
    }
    return conf->path;
}

struct arena *conf_arena(const struct conf *conf)
{
    return conf->arena;
}

const char *conf_path(const struct conf *conf)
{
    return conf->path;
}

const char *conf_checksum(const struct conf *conf)
{
    return conf->checksum;
}
