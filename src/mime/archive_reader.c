/*
 * archive_reader - what libarchive is allowed to read, and how it gets its bytes.
 *
 * libarchive's "all" would start programs (lrzip, grzip), so formats and filters are named one by one.
 */
#include "mime/archive_reader.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static ssize_t source_read(struct archive *a, void *context, const void **block)
{
    struct reader_source *source = context;
    ssize_t n = pread(source->fd, source->block, sizeof source->block, source->base + source->at);
    if (n < 0)
        archive_set_error(a, errno, "read error");
    else
        source->at += n;
    *block = source->block;
    return n;
}

static la_int64_t source_seek(struct archive *a, void *context, la_int64_t offset, int whence)
{
    struct reader_source *source = context;
    off_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? source->at : source->size - source->base;
    if (offset < -from || offset > source->size) {
        archive_set_error(a, EINVAL, "seek outside of the file");
        return ARCHIVE_FATAL;
    }
    return source->at = from + offset;
}

static la_int64_t source_skip(struct archive *a, void *context, la_int64_t request)
{
    struct reader_source *source = context;
    (void)a;
    off_t left = source->size - source->base - source->at;
    if (request > left)
        request = left > 0 ? left : 0;
    source->at += request;
    return request;
}

static void switch_on(struct archive *a, enum formats formats)
{
    if (formats == FORMATS_RAW_GZIP) { /* this layer alone: the next one has a name of its own */
        archive_read_append_filter(a, ARCHIVE_FILTER_GZIP);
        archive_read_support_format_raw(a);
        return;
    }
    if (formats == FORMATS_RAW) {
        archive_read_support_filter_gzip(a);
        archive_read_support_filter_bzip2(a);
        archive_read_support_filter_xz(a);
        archive_read_support_filter_lzma(a);
        archive_read_support_filter_lzip(a);
        archive_read_support_filter_zstd(a);
        archive_read_support_filter_lz4(a);
        archive_read_support_filter_compress(a);
        archive_read_support_format_raw(a);
        return;
    }
    if (formats == FORMATS_ZIP_FRONT_TO_BACK) {
        archive_read_support_format_zip_streamable(a);
        return;
    }
    archive_read_support_format_zip(a);
    archive_read_support_format_7zip(a);
    archive_read_support_format_rar(a);
    archive_read_support_format_rar5(a);
    archive_read_support_format_tar(a);
    archive_read_support_format_cab(a);
    archive_read_support_format_lha(a);
    archive_read_support_format_iso9660(a);
    archive_read_support_format_cpio(a);
    archive_read_support_format_ar(a);
    archive_read_support_format_xar(a);
}

struct archive *reader_open(struct reader_source *source, int fd, off_t base, enum formats formats)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return NULL;
    *source = (struct reader_source){.fd = fd, .base = base, .size = st.st_size};
    struct archive *a = archive_read_new();
    if (!a)
        abort();
    switch_on(a, formats);
    archive_read_set_read_callback(a, source_read);
    archive_read_set_seek_callback(a, source_seek);
    archive_read_set_skip_callback(a, source_skip);
    archive_read_set_callback_data(a, source);
    if (archive_read_open1(a) == ARCHIVE_OK)
        return a;
    archive_read_free(a);
    return NULL;
}
