/* A rule test (NAME_test.yaml): reading it never fails but with findings. */
#include <stdint.h>

#include "processors/cli/test_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(0);
    struct diags diags = {0};
    struct test_file file;

    test_file_read((struct str){(const char *)data, size}, "x_test.yaml", arena, &file, &diags);
    diags_free(&diags);
    arena_free(arena);
    return 0;
}
