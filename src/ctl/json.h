/*
 * json - what the subcommands do to print an object with --json.
 *
 * OWNS: nothing but what json_print() deletes. THREADS: none inside. ERRORS: out of memory prints "{}".
 */
#ifndef POSTERN_CTL_JSON_H
#define POSTERN_CTL_JSON_H

#include "util/span.h"
#include <cjson/cJSON.h>
#include <stdio.h>

/* Adds TEXT, any bytes, or null for NULL. UTF-8 passes; each byte that is none of it, and each control character,
 * becomes '?'. */
void json_add_text(cJSON *object, const char *key, const char *text);

/* The same with a message, or null for a null pointer: line ends and tabs pass. */
void json_add_lines(cJSON *object, const char *key, struct span text);

/* Prints OBJECT and deletes it. */
void json_print(FILE *out, cJSON *object);

#endif
