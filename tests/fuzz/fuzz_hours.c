/* A customer's wish for hours: it is read and is some hour at least, or changes nothing. */
#include "core/check.h"
#include "rules/moment/hours.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t hours[7] = {0}, some = 0;
    bool read = hours_read((struct str){(const char *)data, size}, hours);

    for (int day = 0; day < 7; day++)
        some |= hours[day];
    CHECK(read == (some != 0) && some <= 0xffffff);
    return 0;
}
