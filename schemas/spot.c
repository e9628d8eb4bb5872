#include "schemas/spot.h"

#include <inttypes.h>
#include <string.h>

enum { TOPIC_BYTES = 249 };

struct spot spot_of(const struct record *record)
{
    return (struct spot){record->topic, record->partition, record->offset};
}

void spot_put(struct buf *out, const struct spot *spot)
{
    buf_put_format(out, "%.*s/%" PRId32 "/%" PRId64, STR_ARG(spot->topic), spot->partition,
                   spot->offset);
}

static bool is_topic(struct str name)
{
    static const char others[] = "._-";

    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            memchr(others, c, sizeof others - 1) == NULL)
            return false;
    }
    return name.len > 0 && name.len <= TOPIC_BYTES;
}

bool spot_read_number(struct str text, int64_t max, int64_t *out)
{
    uint64_t number;

    if ((text.len > 1 && text.data[0] == '0') || !str_read_number(text, &number) ||
        number > (uint64_t)max)
        return false;
    *out = (int64_t)number;
    return true;
}

bool spot_read_time(struct str text, int64_t *out)
{
    bool early = str_starts(text, STR("-")); /* than 1970 */

    if (!spot_read_number(str_slice(text, early, text.len), INT64_MAX, out) || (early && *out == 0))
        return false;
    *out = early ? -*out : *out;
    return true;
}

bool spot_read(struct str text, struct spot *out)
{
    struct str rest, partition, offset;
    int64_t number;

    if (!str_cut(text, '/', &out->topic, &rest) || !str_cut(rest, '/', &partition, &offset) ||
        !is_topic(out->topic) || !spot_read_number(partition, INT32_MAX, &number) ||
        !spot_read_number(offset, INT64_MAX, &out->offset))
        return false;
    out->partition = (int32_t)number;
    return true;
}

bool spot_equal(const struct spot *a, const struct spot *b)
{
    return a->partition == b->partition && a->offset == b->offset && str_equal(a->topic, b->topic);
}
