/*
 * scan - the structure of a configuration file: statements, sections, lists.
 *
 * libconfuse parses the file, but it gives up at the first unknown option or syntax error, takes a missing closing
 * brace at the end of a file for one that is there, and cannot tell where an option stood first. An administrator
 * wants all faults of a file at once. So the structure is checked here first; every statement that is wrong is
 * reported and blanked out in the copy in memory, and libconfuse gets only what it can parse. Values are none of this
 * file's business: libconfuse reads them and slot_take() judges them.
 */
#include "conf/token.h"

struct scan {
    struct loader *loader;
    struct conf_source *source;
    struct tokens tokens;
    const struct conf_section *section; /* where we are */
    const struct conf_section *top;
    int section_line; /* of the open section's name; 0 = at the top level */
};

/* Section and option names stand before the message where they are known. */
#define REPORT(scan, line, name, ...)                                                                                  \
    problem_report((scan)->loader, (scan)->source->path, (line), (scan)->section, (name), __VA_ARGS__)
#define NO_NAME ((struct span){NULL, 0})

static void blank_from(struct scan *scan, size_t start)
{
    conf_source_blank(scan->source, start, scan->tokens.pos);
}

/* Behind the '{': everything up to its '}'. */
static void skip_block(struct scan *scan, const struct token *name)
{
    for (unsigned depth = 1; depth > 0;) {
        struct token token = token_next(&scan->tokens);
        depth += token.type == TOKEN_BRACE;
        depth -= token.type == TOKEN_BRACE_END;
        if (token.type == TOKEN_END) {
            REPORT(scan, name->line, name->text, "the block is never closed: '}' is missing");
            break;
        }
    }
    blank_from(scan, name->start);
}

/* After a statement that makes no sense: the rest of its line, but not the end of the section. */
static void skip_line(struct scan *scan, const struct token *name)
{
    for (;;) {
        struct token token = token_peek(&scan->tokens);
        if (token.line != name->line || token.type == TOKEN_END || token.type == TOKEN_BRACE_END)
            break;
        token = token_next(&scan->tokens);
        if (token.type == TOKEN_BRACE) {
            skip_block(scan, name);
            return;
        }
    }
    blank_from(scan, name->start);
}

static bool begins_statement(enum token_type type)
{
    return type == TOKEN_ASSIGN || type == TOKEN_APPEND || type == TOKEN_BRACE;
}

/* The list behind its '{'. False if it is wrong, which then has been reported. */
static bool scan_list(struct scan *scan, const struct token *name)
{
    bool fine = true, comma = true; /* the next entry may follow */
    for (;;) {
        struct tokens before = scan->tokens;
        struct token token = token_next(&scan->tokens);
        if (token.type == TOKEN_BRACE_END)
            return fine;
        if (token.type == TOKEN_COMMA && !comma) {
            comma = true;
        } else if (token.type == TOKEN_BARE || token.type == TOKEN_QUOTED) {
            if (token.line != name->line && begins_statement(token_peek(&scan->tokens).type)) {
                REPORT(scan, name->line, name->text, "the list is not closed before %s on line %d: '}' is missing",
                       token_name(scan->loader, &token), token.line);
                scan->tokens = before;
                return false;
            }
            if (!comma) {
                REPORT(scan, token.line, name->text, "a comma is missing before %s", token_name(scan->loader, &token));
                fine = false;
            }
            comma = false;
        } else if (token.type == TOKEN_END) {
            REPORT(scan, name->line, name->text, "the list is never closed: '}' is missing");
            return false;
        } else {
            if (token.fault)
                REPORT(scan, token.line, name->text, "%s", token.fault);
            else
                REPORT(scan, token.line, name->text, "unexpected %s in a list", token_name(scan->loader, &token));
            fine = false;
            comma = token.type != TOKEN_BRACE;
            if (token.type == TOKEN_BRACE)
                skip_block(scan, &token);
        }
    }
}

/* What stands behind the '='. False if it cannot be a value; *IS_LIST says what it looks like. */
static bool scan_value(struct scan *scan, const struct token *name, bool *is_list)
{
    struct token value = token_peek(&scan->tokens);
    *is_list = value.type == TOKEN_BRACE;
    if (value.type == TOKEN_BRACE) {
        token_next(&scan->tokens);
        return scan_list(scan, name);
    }
    if (value.type == TOKEN_FAULT) {
        token_next(&scan->tokens);
        REPORT(scan, value.line, name->text, "%s", value.fault);
        return false;
    }
    struct tokens ahead = scan->tokens;
    token_next(&ahead);
    bool other = value.line != name->line && begins_statement(token_peek(&ahead).type);
    if ((value.type != TOKEN_BARE && value.type != TOKEN_QUOTED) || other) {
        REPORT(scan, name->line, name->text, "a value is missing behind '='");
        return false;
    }
    scan->tokens = ahead;
    return true;
}

/* Whether the option may stand here with this operator and this kind of value; reports if not. */
static bool admit_option(struct scan *scan, const struct token *name, bool append, bool is_list)
{
    struct slot *slot = slot_find(scan->loader, scan->section, name->text);
    if (!slot) {
        const char *hint = problem_suggest_option(scan->loader, scan->section, name->text);
        if (slot_find_section(scan->loader, name->text) && scan->section == scan->top)
            REPORT(scan, name->line, name->text, "is a section: it needs '{' instead of '='");
        else
            REPORT(scan, name->line, NO_NAME, "there is no option %s%s", token_name(scan->loader, name), hint);
        return false;
    }
    bool wants_list = slot_is_list(slot->row->type);
    if (append && !wants_list) {
        REPORT(scan, name->line, name->text, "'+=' is for lists; this option takes one value");
        return false;
    }
    if (wants_list != is_list) {
        REPORT(scan, name->line, name->text, wants_list ? "takes a list: { ... }" : "takes one value, not a list");
        return false;
    }
    if (slot->file && !append) {
        REPORT(scan, name->line, name->text, "is given twice, first at %s:%d", slot->file, slot->line);
        return false;
    }
    if (!slot->file) {
        slot->file = scan->source->path;
        slot->line = name->line;
    }
    if (wants_list && !append)
        list_begin(scan->loader->arena, slot);
    return true;
}

static void scan_assignment(struct scan *scan, const struct token *name, bool append)
{
    bool is_list;
    bool fine = scan_value(scan, name, &is_list);
    if (!fine && slot_find(scan->loader, scan->section, name->text)) {
        blank_from(scan, name->start);
        return;
    }
    if (!admit_option(scan, name, append, is_list) || !fine)
        blank_from(scan, name->start);
}

/* Behind "NAME {". */
static void scan_section(struct scan *scan, const struct token *name)
{
    const struct conf_section *found = slot_find_section(scan->loader, name->text);
    struct opened *opened = found ? slot_opened(scan->loader, found) : NULL;
    if (scan->section_line && found) {
        REPORT(scan, scan->section_line, NO_NAME,
               "the section is not closed before section '%s' on line %d: '}' is missing", found->name, name->line);
        scan->source->unbalanced = true;
        scan->section = scan->top;
        scan->section_line = 0;
    }
    if (!found) {
        if (slot_find(scan->loader, scan->section, name->text))
            REPORT(scan, name->line, name->text, "'=' is missing");
        else
            REPORT(scan, name->line, NO_NAME, "there is no section %s%s", token_name(scan->loader, name),
                   problem_suggest_section(scan->loader, name->text));
        skip_block(scan, name);
        return;
    }
    if (opened->file) {
        REPORT(scan, name->line, name->text, "the section is given twice, first at %s:%d", opened->file, opened->line);
        skip_block(scan, name);
        return;
    }
    opened->file = scan->source->path;
    opened->line = scan->section_line = name->line;
    scan->section = found;
}

/* NAME "(": only include() exists, and only at the top level, where libconfuse keeps the lines right. */
static void scan_call(struct scan *scan, const struct token *name)
{
    struct token argument = token_next(&scan->tokens), end = token_peek(&scan->tokens);
    bool fine = (argument.type == TOKEN_BARE || argument.type == TOKEN_QUOTED) && end.type == TOKEN_PAREN_END;
    if (!span_equals(name->text, "include"))
        REPORT(scan, name->line, NO_NAME, "there is no function %s", token_name(scan->loader, name));
    else if (scan->section_line)
        REPORT(scan, name->line, NO_NAME, "include() works at the top level of the file only");
    else if (!fine)
        REPORT(scan, name->line, NO_NAME, "include() must look like include(\"file\")");
    else {
        token_next(&scan->tokens);
        return;
    }
    skip_line(scan, name);
}

static void scan_statement(struct scan *scan, const struct token *name)
{
    struct token next = token_peek(&scan->tokens);
    const struct conf_section *section =
        scan->section == scan->top ? slot_find_section(scan->loader, name->text) : NULL;
    switch (next.type) {
    case TOKEN_ASSIGN:
    case TOKEN_APPEND:
        token_next(&scan->tokens);
        scan_assignment(scan, name, next.type == TOKEN_APPEND);
        return;
    case TOKEN_BRACE:
        token_next(&scan->tokens);
        scan_section(scan, name);
        return;
    case TOKEN_PAREN:
        token_next(&scan->tokens);
        scan_call(scan, name);
        return;
    default:
        if (section)
            REPORT(scan, name->line, name->text, "'{' is missing behind the name of the section");
        else if (slot_find(scan->loader, scan->section, name->text))
            REPORT(scan, name->line, name->text, "'=' is missing");
        else
            REPORT(scan, name->line, NO_NAME, "there is no option %s%s", token_name(scan->loader, name),
                   problem_suggest_option(scan->loader, scan->section, name->text));
        skip_line(scan, name);
    }
}

static void scan_section_end(struct scan *scan, const struct token *brace)
{
    if (!scan->section_line) {
        REPORT(scan, brace->line, NO_NAME, "'}' without a '{' before it");
        blank_from(scan, brace->start);
    }
    scan->section = scan->top;
    scan->section_line = 0;
}

void scan_source(struct loader *loader, struct conf_source *source)
{
    const struct conf_section *top = slot_find_section(loader, span_of(""));
    struct scan scan = {loader, source, {source, 0, 1}, top, top, 0};
    for (;;) {
        struct token token = token_next(&scan.tokens);
        if (loader->found > 2 * PROBLEMS_MAX) { /* nobody would read on */
            source->unbalanced = true;
            return;
        }
        switch (token.type) {
        case TOKEN_END:
            if (scan.section_line)
                REPORT(&scan, scan.section_line, NO_NAME, "the section is never closed: '}' is missing");
            return;
        case TOKEN_BRACE_END:
            scan_section_end(&scan, &token);
            break;
        case TOKEN_BARE:
            scan_statement(&scan, &token);
            break;
        default:
            if (token.fault)
                REPORT(&scan, token.line, NO_NAME, "%s", token.fault);
            else
                REPORT(&scan, token.line, NO_NAME, "unexpected %s", token_name(loader, &token));
            conf_source_blank(source, token.start, token.end);
        }
    }
}
