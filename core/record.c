#include "core/record.h"

struct str record_header(const struct record *record, struct str name)
{
    for (size_t i = record->header_count; i-- > 0;)
        if (str_equal(record->headers[i].name, name))
            return record->headers[i].value;
    return STR_EMPTY;
}
