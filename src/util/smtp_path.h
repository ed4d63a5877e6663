/*
 * smtp_path - may an address stand between < and > of MAIL or RCPT? THREADS: any.
 */
#ifndef POSTERN_UTIL_SMTP_PATH_H
#define POSTERN_UTIL_SMTP_PATH_H

#include <stdbool.h>

#define SMTP_PATH_MAX 1000 /* octets; RFC 5321 4.5.3.1.3 asks for 256, and what an MTA took from others we pass on */

/* No controls; no spaces or brackets outside quotes; 8-bit may. "" is the null reverse-path. */
bool smtp_path_is_safe(const char *text);

#endif
