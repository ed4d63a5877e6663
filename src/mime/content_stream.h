/*
 * content_stream - a GMimeStream over an outline. Private to mime/. THREADS: as GMime, none inside.
 */
#ifndef POSTERN_MIME_CONTENT_STREAM_H
#define POSTERN_MIME_CONTENT_STREAM_H

#include "mime/outline.h"
#include <gmime/gmime.h>

/* OUTLINE must live as long as the stream and its substreams. */
GMimeStream *content_stream_new(const struct outline *outline);

#endif
