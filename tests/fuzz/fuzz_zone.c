#include "core/zone.h"

/* Whatever a zone file holds, reading and asking it never goes wrong. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct zone *zone = zone_read((struct str){(const char *)data, bytes});

    if (zone == NULL)
        return 0;
    for (int64_t at_s = -4000000000; at_s <= 8000000000; at_s += 1000000007)
        zone_to_local(zone, at_s);
    zone_to_utc_s(zone, 2025, 3, 30, 2, 30, 0);
    zone_release(zone);
    return 0;
}
