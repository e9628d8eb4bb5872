#include "tests/bench/workload.h"

#include <math.h>

#include "core/check.h"
#include "core/mem.h"
#include "core/when.h"

enum { DAYS = 30, MIX_TOTAL = 100 };

static const int64_t start_ms = 1767225600000; /* 2026-01-01T00:00:00Z */

static const struct {
    const char *name;
    uint32_t percent;
} types[REF_TYPE_COUNT] = {
    [REF_MISSED] = {"payment.missed", 5},         [REF_RECEIVED] = {"payment.received", 10},
    [REF_REGISTERED] = {"vehicle.registered", 1}, [REF_UPDATED] = {"policy.updated", 1},
    [REF_TELEMETRY] = {"vehicle.telemetry", 43},  [REF_PAGE] = {"web.page_viewed", 40},
};

struct workload {
    struct rng rng;
    uint32_t customers;
    uint64_t events;
    uint64_t next;
    double *below;      /* below[i]: chance that the customer is i or less */
    uint32_t *last_vin; /* the car that a customer registered last, 0: none */
    uint32_t cars;
};

struct workload *workload_new(uint64_t seed, uint32_t customers, uint64_t events)
{
    struct workload *w = MEM_NEW(struct workload);
    double sum = 0;

    CHECK(customers > 0 && events > REF_TAIL);
    *w = (struct workload){.rng = rng_seeded(seed), .customers = customers, .events = events};
    w->below = MEM_NEW_ARRAY(double, customers);
    w->last_vin = mem_alloc(customers * sizeof *w->last_vin);
    for (uint32_t i = 0; i < customers; i++)
        w->below[i] = sum += 1.0 / (i + 1);
    for (uint32_t i = 0; i < customers; i++)
        w->below[i] /= sum;
    return w;
}

void workload_free(struct workload *w)
{
    if (w == NULL)
        return;
    mem_free(w->below);
    mem_free(w->last_vin);
    mem_free(w);
}

/* Binary search for the customer that a draw in [0, 1) means. */
static uint32_t draw_customer(struct workload *w)
{
    double draw = rng_unit(&w->rng);
    uint32_t low = 0, high = w->customers - 1;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (w->below[middle] > draw)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static enum ref_type draw_type(struct workload *w)
{
    uint64_t draw = rng_below(&w->rng, MIX_TOTAL);
    unsigned type = 0;

    while (draw >= types[type].percent)
        draw -= types[type++].percent;
    return (enum ref_type)type;
}

/* Pads wear by up to 2 mm over the run, from 3 to 12 mm, with a little noise; to 0.01 mm. */
static double pads_of(struct workload *w, uint32_t customer, uint32_t vin)
{
    struct rng car = rng_seeded((uint64_t)customer << 1 | vin);
    double start = 3.0 + 9.0 * rng_unit(&car);
    double wear = 2.0 * rng_unit(&car);
    double part = (double)w->next / (double)w->events;
    double noise = 0.1 * rng_unit(&w->rng) - 0.05;

    return round((start - wear * part + noise) * 100) / 100;
}

static void fill(struct workload *w, struct ref_event *e)
{
    e->amount = (double)rng_below(&w->rng, 20000) / 100;
    e->weight_kg = 1000 + (double)rng_below(&w->rng, 1500);
    if (e->type == REF_REGISTERED) {
        e->vin = w->last_vin[e->customer] = ++w->cars;
    } else if (e->type == REF_UPDATED) {
        e->vin = w->last_vin[e->customer];
    } else if (e->type == REF_TELEMETRY) {
        e->vin = (uint32_t)rng_below(&w->rng, 2);
        e->pad_mm = pads_of(w, e->customer, e->vin);
    }
}

int64_t workload_end_ms(const struct workload *w)
{
    (void)w;
    return start_ms + DAYS * (int64_t)WHEN_DAY_MS + WHEN_HOUR_MS;
}

bool workload_next(struct workload *w, struct ref_event *out)
{
    uint64_t body = w->events - REF_TAIL;

    if (w->next == w->events)
        return false;
    *out = (struct ref_event){.number = w->next, .type = REF_PAGE};
    if (w->next >= body) {
        out->customer = (uint32_t)(w->next - body);
        out->at_ms = workload_end_ms(w);
    } else {
        out->at_ms = start_ms + (int64_t)((double)w->next / (double)body * DAYS * WHEN_DAY_MS);
        out->customer = draw_customer(w);
        out->type = draw_type(w);
        fill(w, out);
    }
    w->next++;
    return true;
}

const char *ref_type_name(enum ref_type type)
{
    return types[type].name;
}

void ref_put_customer(struct buf *out, uint32_t customer)
{
    buf_put_format(out, "c%07u", customer);
}

void ref_put_vin(struct buf *out, const struct ref_event *e)
{
    if (e->type == REF_TELEMETRY)
        buf_put_format(out, "WVWZZZ%07u%u", e->customer, e->vin);
    else
        buf_put_format(out, "YV1ZZZ%08u", e->vin);
}

size_t ref_alias(const struct ref_event *e)
{
    return (size_t)e->customer * REF_ALIASES + (e->type == REF_TELEMETRY ? 1 + e->vin : 0);
}

void ref_put_alias(struct buf *out, const struct ref_event *e)
{
    if (e->type == REF_TELEMETRY) {
        buf_put_text(out, "vin:");
        ref_put_vin(out, e);
    } else {
        buf_put_format(out, "account:%07u", e->customer);
    }
}

static void put_telemetry(struct buf *out, const struct ref_event *e)
{
    buf_put_text(out, "{\"vin\":\"");
    ref_put_vin(out, e);
    buf_put_format(out,
                   "\",\"pad_mm\":%.2f,\"odometer_km\":%llu,\"speed_kmh\":%u,"
                   "\"battery_v\":12.6,\"temperature_c\":21.5}",
                   e->pad_mm, (unsigned long long)(40000 + e->number % 90000),
                   (unsigned)(e->number % 130));
}

void ref_put_data(struct buf *out, const struct ref_event *e)
{
    if (e->type == REF_MISSED || e->type == REF_RECEIVED) {
        buf_put_format(out, "{\"amount\":%.2f,\"invoice\":\"2026-%08llu\"}", e->amount,
                       (unsigned long long)e->number);
    } else if (e->type == REF_REGISTERED) {
        buf_put_text(out, "{\"vin\":\"");
        ref_put_vin(out, e);
        buf_put_format(out, "\",\"make\":\"Volvo\",\"model\":\"XC60\",\"weight_kg\":%.1f}",
                       e->weight_kg);
    } else if (e->type == REF_UPDATED) {
        buf_put_text(out, "{\"vin\":\"");
        ref_put_vin(out, e);
        buf_put_format(out, "\",\"weight_kg\":%.1f}", e->weight_kg);
    } else if (e->type == REF_TELEMETRY) {
        put_telemetry(out, e);
    } else {
        buf_put_format(out,
                       "{\"url\":\"https://shop.example/catalogue/%llu\",\"referrer\":"
                       "\"https://search.example/\",\"duration_ms\":%llu,\"ip\":\"192.0.2.%u\"}",
                       (unsigned long long)(e->number % 5000),
                       (unsigned long long)(e->number * 7919 % 60000), (unsigned)(e->number % 250));
    }
}

void ref_put_envelope(struct buf *out, const struct ref_event *e)
{
    buf_put_format(out,
                   "{\"specversion\":\"1.0\",\"id\":\"%08llx-0000-4000-8000-%012llx\",\"source\":"
                   "\"/ref/gen\",\"type\":\"%s\",\"subject\":\"",
                   (unsigned long long)(e->number * 2654435761u & 0xffffffff),
                   (unsigned long long)e->number, ref_type_name(e->type));
    ref_put_customer(out, e->customer);
    buf_put_text(out, "\",\"time\":\"");
    when_put_rfc3339(out, e->at_ms);
    buf_put_text(out, "\",\"datacontenttype\":\"application/json\",\"data\":");
    ref_put_data(out, e);
    buf_put_char(out, '}');
}
