/* What a partition keeps of its paces.  What can be read is written and read again, and is the same. */
#include "core/check.h"
#include "processors/decide/pace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pace_lines lines = {.partitions = 1}, again = {.partitions = 1};
    struct buf first = {0}, second = {0};

    if (pace_decode(&lines, (struct str){(const char *)data, size}, NULL) == ERR_NONE) {
        pace_encode(&lines, &first);
        CHECK(pace_decode(&again, buf_str(&first), NULL) == ERR_NONE);
        pace_encode(&again, &second);
        CHECK(str_equal(buf_str(&first), buf_str(&second)));
    }
    pace_free(&lines);
    pace_free(&again);
    buf_free(&first);
    buf_free(&second);
    return 0;
}
