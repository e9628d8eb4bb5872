#include "core/record.h"

struct str record_header(const struct record *record, struct str name)
{
    for (size_t i = record->header_count; i-- > 0;)
        if (str_equal(record->headers[i].name, name))
            return record->headers[i].value;
    return STR_EMPTY;
}

struct hash128 record_hash(const struct record *record)
{
    struct hash128 hash = {(uint64_t)record->timestamp_ms, record->header_count};

    hash = hash128_bytes(record->key, hash);
    for (size_t i = 0; i < record->header_count; i++) {
        hash = hash128_bytes(record->headers[i].name, hash);
        hash = hash128_bytes(record->headers[i].value, hash);
    }
    return hash128_bytes(record->value, hash);
}
