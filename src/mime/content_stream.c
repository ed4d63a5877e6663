/*
 * content_stream - read only, seekable; so that GMime keeps offsets instead of copies (its "persist stream" mode).
 */
#include "mime/content_stream.h"

typedef struct {
    GMimeStream parent;
    const struct outline *outline;
} ContentStream;

typedef struct {
    GMimeStreamClass parent_class;
} ContentStreamClass;

GType content_stream_get_type(void);
G_DEFINE_TYPE(ContentStream, content_stream, GMIME_TYPE_STREAM)

static gint64 end_of(GMimeStream *stream)
{
    return stream->bound_end >= 0 ? stream->bound_end : (gint64)((ContentStream *)stream)->outline->shown_len;
}

static ssize_t stream_read(GMimeStream *stream, char *buffer, size_t len)
{
    gint64 left = end_of(stream) - stream->position;
    if (left <= 0)
        return 0;
    if ((gint64)len > left)
        len = (size_t)left;
    ssize_t n = outline_read(((ContentStream *)stream)->outline, (uint64_t)stream->position, buffer, len);
    if (n > 0)
        stream->position += n;
    return n;
}

static ssize_t stream_write(GMimeStream *stream, const char *buffer, size_t len)
{
    (void)stream, (void)buffer, (void)len;
    return -1;
}

static int stream_flush(GMimeStream *stream)
{
    (void)stream;
    return 0;
}

static gboolean stream_eos(GMimeStream *stream)
{
    return stream->position >= end_of(stream);
}

static int stream_reset(GMimeStream *stream)
{
    stream->position = stream->bound_start;
    return 0;
}

static gint64 stream_seek(GMimeStream *stream, gint64 offset, GMimeSeekWhence whence)
{
    gint64 from = whence == GMIME_STREAM_SEEK_SET   ? 0
                  : whence == GMIME_STREAM_SEEK_CUR ? stream->position
                                                    : end_of(stream);
    gint64 to = from + offset;
    if (to < stream->bound_start || to > end_of(stream))
        return -1;
    return stream->position = to;
}

static gint64 stream_tell(GMimeStream *stream)
{
    return stream->position;
}

static gint64 stream_length(GMimeStream *stream)
{
    return end_of(stream) - stream->bound_start;
}

static GMimeStream *stream_substream(GMimeStream *stream, gint64 start, gint64 end)
{
    ContentStream *sub = g_object_new(content_stream_get_type(), NULL);
    sub->outline = ((ContentStream *)stream)->outline;
    g_mime_stream_construct(&sub->parent, start, end);
    return &sub->parent;
}

static void content_stream_class_init(ContentStreamClass *class)
{
    GMimeStreamClass *stream = &class->parent_class;
    stream->read = stream_read;
    stream->write = stream_write;
    stream->flush = stream_flush;
    stream->close = stream_flush;
    stream->eos = stream_eos;
    stream->reset = stream_reset;
    stream->seek = stream_seek;
    stream->tell = stream_tell;
    stream->length = stream_length;
    stream->substream = stream_substream;
}

static void content_stream_init(ContentStream *stream)
{
    stream->outline = NULL;
}

GMimeStream *content_stream_new(const struct outline *outline)
{
    ContentStream *stream = g_object_new(content_stream_get_type(), NULL);
    stream->outline = outline;
    g_mime_stream_construct(&stream->parent, 0, -1);
    return &stream->parent;
}
