/* What nodes of a Redis Cluster say of slots, and how Redis is named: nothing read leads beyond the
 * slots, and an address that was taken reads back as it is shown.  The first byte chooses. */
#include <stdint.h>

#include "connectors/redis/address.h"
#include "connectors/redis/slots.h"
#include "core/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void check_range(void *context, int first, int last, const struct slots_place *primary)
{
    (void)context;
    CHECK(first >= 0 && first <= last && last < SLOTS_COUNT);
    CHECK(primary->port > 0 && primary->port < 65536);
}

static void read_slots_reply(struct str text)
{
    struct redis_reply *reply = redis_reply_read(text);
    struct err err;

    if (reply != NULL)
        slots_read(reply, NULL, check_range, &err);
    redis_reply_free(reply);
}

static void read_redirect(struct str text)
{
    struct slots_redirect r;

    if (!slots_read_redirect(text, &r))
        return;
    CHECK(r.slot >= 0 && r.slot < SLOTS_COUNT && r.to.port > 0 && r.to.port < 65536);
    CHECK(r.to.host.len < text.len);
}

static void read_address(struct str text)
{
    static struct redis_address address, again;
    struct err err;

    if (redis_address_read(text, &address, &err) != ERR_NONE) {
        CHECK(err.code == ERR_CONFIG);
        return;
    }
    CHECK(address.count > 0 && address.count <= REDIS_NODES_MAX);
    if (address.nodes[0].port == 0 || str_is(str_of(address.nodes[0].host), "unix") ||
        memchr(text.data, '\0', text.len) != NULL ||
        str_contains(str_of(address.nodes[0].host), STR("[")) ||
        str_contains(str_of(address.nodes[0].host), STR("]")))
        return;
    if (redis_address_read(str_of(address.nodes[0].text), &again, &err) == ERR_NONE)
        CHECK(again.nodes[0].port == address.nodes[0].port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct str text = {(const char *)data + 1, bytes - 1};

    if (bytes < 2)
        return 0;
    switch (data[0]) {
    case 's': read_slots_reply(text); break;
    case 'r': read_redirect(text); break;
    case 'a': read_address(text); break;
    default: CHECK(slots_of_key(text) >= 0 && slots_of_key(text) < SLOTS_COUNT);
    }
    return 0;
}
