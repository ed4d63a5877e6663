/*
 * forwards_csv - the CSV form of the forward table, read into a map: for the table in force and for posternctl.
 *
 * What is wrong with a line is a problem ("FILE:LINE: text"), and a table with a problem is not used: half of a table
 * would send mail elsewhere than its owner meant. THREADS: any; a table is read by one.
 */
#ifndef POSTERN_SRS_FORWARDS_CSV_H
#define POSTERN_SRS_FORWARDS_CSV_H

#include "aliases/alias_table.h"
#include "srs/forwards.h"

/* Of the file "csv:/PATH", or of BYTES that messages call LABEL. NULL after all problems were reported. */
alias_table_read_function forwards_csv_open;
struct alias_table *forwards_csv_of(const char *label, struct span bytes, struct conf_problems *problems);

/* What is said of KEY ("user@domain" or "@domain" as alias_key() has it). False: nothing. On ARENA. */
bool forwards_csv_find(const struct alias_table *table, struct arena *arena, struct span key, struct forward *forward);

/* Calls VISIT with each address, as it is printed, in no order that means anything. */
typedef void forwards_visitor(void *context, const char *address, const struct forward *forward);
void forwards_csv_each(const struct alias_table *table, struct arena *arena, forwards_visitor *visit, void *context);

#endif
