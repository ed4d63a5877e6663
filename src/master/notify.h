/*
 * notify - what systemd is told, if it started us and if we were built with libsystemd; nothing otherwise.
 */
#ifndef POSTERN_MASTER_NOTIFY_H
#define POSTERN_MASTER_NOTIFY_H

void notify_ready(void);     /* after the start, and after a reload, good or bad */
void notify_reloading(void); /* with MONOTONIC_USEC, as systemd 253 wants it */
void notify_stopping(void);
void notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
