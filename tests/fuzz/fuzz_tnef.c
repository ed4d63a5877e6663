/* libFuzzer: any bytes as a winmail.dat. */
#include "mime/tnef.h"
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take_name(void *context, struct span name)
{
    (void)context;
    return memchr(name.ptr, 1, name.len) == name.ptr + 100;
}

static int take_data(void *context, uint64_t offset, uint64_t len)
{
    const uint64_t *size = context;
    if (offset > *size || len > *size - offset)
        abort();
    return 0;
}

static void take_attachment(void *context)
{
    (void)context;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t len = size;
    const struct tnef_visitor visitor = {&len, take_name, take_data, take_attachment};
    int fd = memfd_create("tnef", 0);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    tnef_read(fd, 0, size, &visitor);
    close(fd);
    return 0;
}
