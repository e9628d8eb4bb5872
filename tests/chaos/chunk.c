#include "tests/chaos/chunk.h"

#include "core/clock.h"
#include "core/when.h"

enum { HEADERS_MAX = 8, CARS = 2 };

static struct record *add(struct chunk *c, const char *topic, struct str key, struct str value)
{
    struct record *r = &c->records[c->count++];

    *r = (struct record){.topic = str_of(topic),
                         .partition = -1,
                         .timestamp_ms = clock_wall_ms(),
                         .key = key,
                         .value = value,
                         .headers = ARENA_ARRAY(c->arena, struct header, HEADERS_MAX)};
    return r;
}

static void head(struct record *r, const char *name, struct str value)
{
    struct header *headers = (struct header *)(uintptr_t)r->headers; /* our own, from the arena */

    headers[r->header_count++] = (struct header){str_of(name), value};
}

void chunk_add(struct chunk *c, const char *topic, struct str id, const char *type,
               struct str customer, bool named, int64_t at_ms, struct str data)
{
    struct record *r = add(c, topic, customer, data);
    struct buf time = {0};

    when_put_rfc3339(&time, at_ms);
    head(r, "ce_specversion", STR("1.0"));
    head(r, "ce_id", id);
    head(r, "ce_source", STR("/chaos"));
    head(r, "ce_type", str_of(type));
    head(r, "ce_time", arena_str(c->arena, buf_str(&time)));
    head(r, "content-type", STR("application/json"));
    if (named)
        head(r, "ce_subject", customer);
    buf_free(&time);
}

static struct str text(struct chunk *c, struct buf *from)
{
    struct str kept = arena_str(c->arena, buf_str(from));

    buf_clear(from);
    return kept;
}

static struct str customer_of(struct chunk *c, uint32_t number)
{
    struct buf b = {0};
    struct str kept;

    ref_put_customer(&b, number);
    kept = text(c, &b);
    buf_free(&b);
    return kept;
}

void chunk_introduce(struct chunk *c, uint32_t customer)
{
    struct str name = customer_of(c, customer);
    struct buf b = {0};

    chunk_add(c, CHAOS_CRM, arena_format(c->arena, "who-%u", customer), "customer.updated", name,
              true, clock_wall_ms(), STR("{\"email\":\"flaky@example.org\"}"));
    chunk_add(c, CHAOS_VEHICLES, arena_format(c->arena, "who2-%u", customer), "customer.updated",
              name, true, clock_wall_ms(), STR("{\"email\":\"flaky@example.org\"}"));
    for (uint32_t car = 0; car < CARS; car++) {
        const struct ref_event e = {.type = REF_TELEMETRY, .customer = customer, .vin = car};

        buf_put_text(&b, "{\"vin\":\"");
        ref_put_vin(&b, &e);
        buf_put_text(&b, "\"}");
        chunk_add(c, CHAOS_VEHICLES, arena_format(c->arena, "car-%u-%u", customer, car),
                  "chaos.owned", name, true, clock_wall_ms(), text(c, &b));
    }
    buf_free(&b);
}

void chunk_add_poison(struct chunk *c, uint64_t number)
{
    struct str key = arena_format(c->arena, "odd-%llu", (unsigned long long)number);

    switch (number % 3) {
    case 0: add(c, CHAOS_CRM, key, STR("{\"broken\":")); break;
    case 1:
        chunk_add(c, CHAOS_CRM, key, "nobody.knows", key, true, clock_wall_ms(), STR("{}"));
        break;
    default:
        chunk_add(c, CHAOS_VEHICLES, key, "vehicle.registered", key, true, clock_wall_ms(),
                  STR("{\"weight_kg\":\"heavy\"}"));
    }
}

void chunk_add_lethal(struct chunk *c, uint64_t number, const char *role)
{
    struct str name = arena_format(c->arena, "lethal-%llu", (unsigned long long)number);

    chunk_add(c, CHAOS_CRM, name, "chaos.lethal", name, true, clock_wall_ms(),
              arena_format(c->arena, "{\"kills\":\"kills-%s\"}", role));
}

void chunk_add_late(struct chunk *c, uint64_t number, uint32_t customer, int64_t at_ms)
{
    chunk_add(c, CHAOS_CRM, arena_format(c->arena, "late-%llu", (unsigned long long)number),
              "web.page_viewed", customer_of(c, customer), true, at_ms,
              STR("{\"url\":\"https://shop.example/late\"}"));
}

static const char *topic_of(enum ref_type type)
{
    return type == REF_MISSED || type == REF_RECEIVED || type == REF_PAGE ? CHAOS_CRM
                                                                          : CHAOS_VEHICLES;
}

void chunk_add_ref(struct chunk *c, const struct ref_event *e)
{
    struct str customer = customer_of(c, e->customer);
    struct buf b = {0};

    if (e->number % 4 == 0 && e->type != REF_TELEMETRY) {
        ref_put_envelope(&b, e);
        head(add(c, topic_of(e->type), customer, text(c, &b)), "content-type",
             STR("application/cloudevents+json"));
    } else {
        ref_put_data(&b, e);
        chunk_add(
            c, topic_of(e->type), arena_format(c->arena, "ref-%llu", (unsigned long long)e->number),
            ref_type_name(e->type), customer, e->type != REF_TELEMETRY, e->at_ms, text(c, &b));
    }
    buf_free(&b);
}

void chunk_repeat(struct chunk *c)
{
    c->records[c->count] = c->records[c->count - 1];
    c->count++;
}

void chunk_add_answer(struct chunk *c, const struct answer *a, const char *code, bool final)
{
    struct str data = arena_format(c->arena,
                                   "{\"task\":\"%s\",\"moment\":\"%s\",\"about\":\"%s\","
                                   "\"channel\":\"phone\",\"attempt\":1,\"code\":\"%s\","
                                   "\"final\":%s}",
                                   a->task, a->moment, a->about, code, final ? "true" : "false");

    chunk_add(c, CHAOS_OUTCOMES, arena_format(c->arena, "%s-%s", code, a->task), "task.outcome",
              arena_str(c->arena, str_of(a->customer)), true, clock_wall_ms(), data);
}
