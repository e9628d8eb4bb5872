#include "connectors/redis/slots.h"

enum { PORT_MAX = 65535, POLYNOMIAL = 0x1021 };

/* Keys of one partition share a short tag, and a slot is asked for once a command: a bit after the
 * other is fast enough. */
uint16_t slots_crc16(struct str bytes)
{
    unsigned crc = 0;

    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= (unsigned)(unsigned char)bytes.data[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 0x8000) != 0 ? crc << 1 ^ POLYNOMIAL : crc << 1;
    }
    return (uint16_t)crc;
}

struct str slots_hash_part(struct str key)
{
    struct str before, rest, tag;

    if (str_cut(key, '{', &before, &rest) && str_cut(rest, '}', &tag, &rest) && tag.len > 0)
        return tag;
    return key;
}

int slots_of_key(struct str key)
{
    return slots_crc16(slots_hash_part(key)) % SLOTS_COUNT;
}

/* --- what nodes say ------------------------------------------------------------------------- */

static bool read_number(struct str text, int max, int *out)
{
    int number = 0;

    if (text.len == 0 || text.len > 5)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        number = 10 * number + text.data[i] - '0';
    }
    *out = number;
    return number <= max;
}

static bool at_number(const struct redis_reply *list, size_t index, int min, int max, int *out)
{
    const struct redis_reply *item = redis_reply_at(list, index);
    int64_t number = redis_reply_integer(item);

    *out = (int)number;
    return redis_reply_kind(item) == REDIS_INTEGER && number >= min && number <= max;
}

/* [host, port, id, ...]; a node that does not know its name says nothing, or "?". */
static bool read_place(const struct redis_reply *node, struct slots_place *out)
{
    if (redis_reply_count(node) < 2 || !at_number(node, 1, 1, PORT_MAX, &out->port))
        return false;
    out->host = redis_reply_text(redis_reply_at(node, 0));
    if (str_is(out->host, "?"))
        out->host = STR_EMPTY;
    return true;
}

bool slots_read(const struct redis_reply *reply, void *context,
                void (*each)(void *context, int first, int last, const struct slots_place *primary),
                struct err *err)
{
    struct slots_place primary;
    int first, last;

    if (redis_reply_kind(reply) != REDIS_LIST) {
        err_set(err, ERR_REDIS, "CLUSTER SLOTS: %.*s", STR_ARG(redis_reply_text(reply)));
        return false;
    }
    for (size_t i = 0; i < redis_reply_count(reply); i++) {
        const struct redis_reply *range = redis_reply_at(reply, i);

        if (redis_reply_count(range) < 3 || !at_number(range, 0, 0, SLOTS_COUNT - 1, &first) ||
            !at_number(range, 1, first, SLOTS_COUNT - 1, &last) ||
            !read_place(redis_reply_at(range, 2), &primary)) {
            err_set(err, ERR_REDIS, "CLUSTER SLOTS: range %zu makes no sense", i + 1);
            return false;
        }
        each(context, first, last, &primary);
    }
    return true;
}

/* The last colon: an address of IPv6 has others, and no brackets. */
static bool read_address(struct str text, struct slots_place *out)
{
    size_t colon = text.len;

    while (colon > 0 && text.data[colon - 1] != ':')
        colon--;
    if (colon == 0)
        return false;
    out->host = str_slice(text, 0, colon - 1);
    if (str_is(out->host, "?"))
        out->host = STR_EMPTY;
    return read_number(str_slice(text, colon, text.len), PORT_MAX, &out->port) && out->port > 0;
}

bool slots_read_redirect(struct str text, struct slots_redirect *out)
{
    struct str word, slot, address;

    *out = (struct slots_redirect){0};
    if (!str_cut(text, ' ', &word, &text) || !str_cut(text, ' ', &slot, &address))
        return false;
    out->ask = str_is(word, "ASK");
    return (out->ask || str_is(word, "MOVED")) && read_number(slot, SLOTS_COUNT - 1, &out->slot) &&
           read_address(address, &out->to);
}
