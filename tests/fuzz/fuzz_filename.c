/* libFuzzer: any bytes as a file name, and as the value of a Content-Disposition. */
#include "mime/filename.h"
#include "mime/names.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct strset *extensions;
    if (!extensions) {
        extensions = strset_create(arena_create(1024));
        strset_add(extensions, span_of("exe"));
        strset_add(extensions, span_of("tar.gz"));
    }
    char *name = malloc(size + 1);
    if (!name)
        abort();
    memcpy(name, data, size);
    name[size] = '\0';
    filename_has_extension(name, extensions);
    struct names names = {0};
    names_add_field(&names, span_of("Content-Disposition"), (struct span){name, size});
    names_add_field(&names, span_of("Content-Description"), (struct span){name, size});
    names_join(&names);
    for (size_t i = 0; i < names.count; i++)
        filename_has_extension(names.list[i], extensions);
    names_free(&names);
    free(name);
    return 0;
}
