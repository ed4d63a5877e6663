/* libFuzzer: any bytes as a message. Archives are not opened: that happens in another process. */
#include "core/content.h"
#include "mime/scan.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take_name(void *context, const char *path, const char *name)
{
    (void)context;
    return path == NULL || name == NULL;
}

static int take_size(void *context, const char *path, uint64_t bytes)
{
    (void)context, (void)bytes;
    return path == NULL;
}

static int take_trouble(void *context, enum scan_trouble trouble, const char *path)
{
    (void)context, (void)trouble;
    return path == NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct content_limits kept = {"/tmp", 1 << 20, 64 << 20, 0};
    static const struct scan_limits limits = {100, 20, false, {2, 100, 1 << 20, 1000}, "/tmp"};
    static const struct scan_sink sink = {NULL, take_name, take_size, take_trouble};
    static bool ready;
    if (!ready)
        scan_init();
    ready = true;
    struct content *content = content_create(&kept);
    content_append(content, (struct span){(const char *)data, size});
    if (scan_message(content, &limits, NULL, &sink) != 0)
        abort();
    content_destroy(content);
    return 0;
}
