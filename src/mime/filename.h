/*
 * filename - which extensions a file name has in the eyes of the programs that will open it.
 *
 * Pure logic. THREADS: any.
 */
#ifndef POSTERN_MIME_FILENAME_H
#define POSTERN_MIME_FILENAME_H

#include "util/strset.h"

/* True if NAME (UTF-8, or any bytes) would be opened as a file with one of EXTENSIONS (lower case, without the dot).
 * Seen through: case, trailing dots, spaces and their Unicode kin, a CLSID suffix ("x.exe.{...}"), NUL and other
 * control characters (Windows and C programs stop there; others skip them), bidi and zero-width code points,
 * full-width and other compatibility forms, ':' streams ("x.exe:y", "x.exe::$DATA"), quotes, and directories of
 * either slash. */
bool filename_has_extension(const char *name, const struct strset *extensions);

#endif
