/*
 * alias_reader - a table's file, line by line. THREADS: none inside.
 */
#ifndef POSTERN_ALIASES_ALIAS_READER_H
#define POSTERN_ALIASES_ALIAS_READER_H

#include "util/span.h"
#include <stdint.h>
#include <sys/stat.h>

struct alias_reader;

/* PATH must be a regular file of at most MAX bytes. NULL and *PROBLEM (static, or of strerror). *STATUS is the file's,
 * all 0 if there is none. */
struct alias_reader *alias_reader_open(const char *path, uint64_t max, struct stat *status, const char **problem);

/* For tests: BYTES as if they were a file; they must outlive the reader. */
struct alias_reader *alias_reader_of(struct span bytes);
void alias_reader_close(struct alias_reader *reader);

enum alias_line { ALIAS_LINE_END, ALIAS_LINE_OK, ALIAS_LINE_BAD };

/* The next line without its line end, valid until the next call. BAD: *PROBLEM says why the file is not read on, its
 * line is *NUMBER. */
enum alias_line alias_reader_line(struct alias_reader *reader, struct span *line, unsigned *number,
                                  const char **problem);

/* The next logical line as Postfix's tables have them: lines that begin with white space continue the one before; empty
 * ones and those whose first character is '#' do not count, wherever they stand. *NUMBER is the first one's. */
enum alias_line alias_reader_logical(struct alias_reader *reader, struct span *line, unsigned *number,
                                     const char **problem);

/* The next CSV record (RFC 4180): up to a line end outside quotes. */
enum alias_line alias_reader_record(struct alias_reader *reader, struct span *record, unsigned *number,
                                    const char **problem);

#endif
