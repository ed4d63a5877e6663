/*
 * spool_lines - the commands of an envelope, with the parameters that the MTA offers (RFC 5321, 1870, 3461, 6152,
 * 6531). Pure. OWNS: nothing.
 */
#ifndef POSTERN_SPOOL_SPOOL_LINES_H
#define POSTERN_SPOOL_SPOOL_LINES_H

#include "spool/spool_smtp.h"

struct spool_mta {
    struct spool_reply hello; /* its reply to EHLO */
    struct spool_offers offers;
    bool can_pipeline;
};

/* What is said of DELIVERY that this MTA cannot take; NULL if it can. */
const char *spool_lines_unfit(const struct spool_mta *mta, const struct spool_delivery *delivery);

/* Each appends one line with its CRLF. */
void spool_lines_mail(const struct spool_mta *mta, struct strbuf *line, const struct spool_delivery *delivery);
void spool_lines_rcpt(const struct spool_mta *mta, struct strbuf *line, const struct spool_recipient *recipient);

/* MAIL, RCPT for all that are WAITING, and DATA, as one group (RFC 2920). False: the MTA does not offer PIPELINING, or
 * they are so many that they could fill the windows of both sides, and both would wait; then LINES is as it was. */
bool spool_lines_group(const struct spool_mta *mta, struct strbuf *lines, const struct spool_delivery *delivery);

#endif
