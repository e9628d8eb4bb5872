#include "schemas/binding.h"

#include "core/check.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/limit.h"
#include "core/when.h"
#include "schemas/identity.h"

static const char *const kinds[IDENTIFY_KIND_COUNT] = {
    "event", "last-event", "bind", "unbind", "owned", "forget", "rename", "erased", "merged"};

struct str binding_customer_key(struct str customer, struct arena *arena)
{
    char hex[HASH128_HEX_SIZE];

    hash128_hex(hash128_bytes(customer, (struct hash128){0}), hex);
    return arena_format(arena, ALIAS_CUSTOMER ":%s", hex);
}

const char *identify_kind_text(enum identify_kind kind)
{
    CHECK(kind < IDENTIFY_KIND_COUNT);
    return kinds[kind];
}

bool identify_kind_of(const struct record *record, enum identify_kind *out)
{
    struct str text = record_header(record, STR(IDENTIFY_HEADER));

    for (unsigned i = 0; i < IDENTIFY_KIND_COUNT; i++)
        if (str_is(text, kinds[i])) {
            *out = (enum identify_kind)i;
            return true;
        }
    return false;
}

static void put(struct json_writer *w, const char *key, struct str text)
{
    if (text.len == 0)
        return;
    json_key(w, key);
    json_str(w, text);
}

void binding_put_json(struct buf *out, const struct binding *b)
{
    struct json_writer w = json_writer_to(out);

    json_open(&w, '{');
    put(&w, "customer", b->customer);
    put(&w, "alias", b->alias);
    put(&w, "to", b->to);
    json_key(&w, "at");
    json_time(&w, b->at_ms);
    json_close(&w, '}');
}

static bool get(struct value v, const char *key, struct str *out)
{
    struct value text = value_map_get(v, str_of(key));

    if (text.kind == VALUE_STRING)
        *out = value_str(text);
    return text.kind == VALUE_ABSENT ||
           (text.kind == VALUE_STRING && out->len <= LIMIT_SUBJECT_BYTES);
}

bool binding_read_json(struct str text, struct arena *arena, struct binding *out)
{
    struct str at = STR_EMPTY;
    struct value v;

    *out = (struct binding){0};
    return json_parse(text, arena, &v, NULL) == JSON_FINE && v.kind == VALUE_MAP &&
           get(v, "customer", &out->customer) && get(v, "alias", &out->alias) &&
           get(v, "to", &out->to) && get(v, "at", &at) && when_parse_ms(at, &out->at_ms);
}
