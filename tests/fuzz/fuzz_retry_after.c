/* A receiver may write anything into Retry-After.  Whatever it is, what comes out is a wait of at
 * most a day or none. */
#include <stddef.h>
#include <stdint.h>

#include "connectors/net/retry_after.h"
#include "core/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct str value = {(const char *)data, bytes};
    int64_t span_ms = retry_after_ms(value, INT64_C(1772438400000)), at_ms;

    CHECK(span_ms == RETRY_AFTER_NONE || (span_ms >= 0 && span_ms <= RETRY_AFTER_MS_MAX));
    if (http_date_parse(str_trim(value), 0, &at_ms))
        CHECK(span_ms != RETRY_AFTER_NONE);
    return 0;
}
