#include "tests/support/history.h"

#include <check.h>
#include <stdio.h>

#include "core/check.h"
#include "core/hash.h"
#include "core/when.h"
#include "schemas/task.h"

enum { PERCENT = 100 };

void history_open(struct history *h, uint64_t seed, unsigned customers, uint64_t events,
                  int64_t start_ms, int64_t span_ms)
{
    CHECK(customers > 0 && customers <= HISTORY_CUSTOMERS_MAX && events > customers);
    *h = (struct history){.rng = rng_seeded(seed),
                          .seed = seed,
                          .customers = customers,
                          .events = events,
                          .start_ms = start_ms,
                          .span_ms = span_ms};
    for (unsigned i = 0; i < customers; i++)
        for (unsigned car = 0; car < HISTORY_CARS; car++)
            h->pads_mm[i][car] = 3.0 + 3.0 * rng_unit(&h->rng);
}

int64_t history_now_ms(const struct history *h)
{
    return h->start_ms + (int64_t)((double)h->next / (double)h->events * (double)h->span_ms);
}

/* What everyone begins with; some live elsewhere, some have no telephone. */
static void profile(struct history *h, unsigned customer)
{
    static const char *const zones[] = {"Europe/Amsterdam", "America/New_York", "Asia/Tokyo"};
    uint64_t draw = rng_below(&h->rng, 10);

    h->event.type = "customer.updated";
    snprintf(h->data, sizeof h->data,
             "{\"country\":\"%s\",\"time_zone\":\"%s\",\"email\":\"c%u@example.com\"%s}",
             draw == 0 ? "DE" : "NL", zones[draw < 8 ? 0 : draw - 7], customer,
             rng_below(&h->rng, 10) == 0 ? "" : ",\"phone\":\"+31200000000\"");
}

static void payment(struct history *h, const char *type)
{
    h->event.type = type;
    snprintf(h->data, sizeof h->data, "{\"amount\":%u.25,\"invoice\":\"i-%u\"}",
             (unsigned)rng_below(&h->rng, 200), (unsigned)rng_below(&h->rng, 100000));
}

static unsigned weight(struct history *h)
{
    return 900 + (unsigned)rng_below(&h->rng, 1400);
}

static void registered(struct history *h, unsigned customer, unsigned car)
{
    h->event.type = "vehicle.registered";
    snprintf(h->data, sizeof h->data,
             "{\"vin\":\"V%u-%u\",\"make\":\"Volvo\",\"model\":\"XC60\",\"weight_kg\":%u}",
             customer, car, weight(h));
}

static void insured(struct history *h, unsigned customer, unsigned car)
{
    h->event.type = "policy.updated";
    snprintf(h->data, sizeof h->data, "{\"vin\":\"V%u-%u\",\"weight_kg\":%u}", customer, car,
             weight(h));
}

/* Pads wear, with noise around the bound, until a garage has seen them. */
static void telemetry(struct history *h, unsigned customer, unsigned car)
{
    double *mm = &h->pads_mm[customer][car];

    *mm -= 0.4 * rng_unit(&h->rng);
    if (*mm < 1.0)
        *mm = 10.0;
    h->event.type = "vehicle.telemetry";
    snprintf(h->data, sizeof h->data, "{\"vin\":\"V%u-%u\",\"pad_mm\":%.2f,\"odometer_km\":%u}",
             customer, car, *mm + 0.3 * rng_unit(&h->rng), 1000 + (unsigned)h->next);
}

static void booked(struct history *h, unsigned customer, unsigned car)
{
    h->pads_mm[customer][car] = 10.0;
    h->event.type = "garage.booked";
    snprintf(h->data, sizeof h->data, "{\"vin\":\"V%u-%u\"}", customer, car);
}

static void consent(struct history *h)
{
    static const char *const purposes[] = {"service", "care"};
    static const char *const channels[] = {"phone", "email"};

    h->event.type = rng_below(&h->rng, 2) == 0 ? "consent.given" : "consent.withdrawn";
    snprintf(h->data, sizeof h->data, "{\"purpose\":\"%s\",\"channel\":\"%s\"}",
             purposes[rng_below(&h->rng, 2)], channels[rng_below(&h->rng, 2)]);
}

static void something(struct history *h, unsigned customer)
{
    unsigned draw = (unsigned)rng_below(&h->rng, PERCENT);
    unsigned car = (unsigned)rng_below(&h->rng, HISTORY_CARS);

    if (draw < 30) {
        payment(h, "payment.missed");
    } else if (draw < 36) {
        payment(h, "payment.received");
    } else if (draw < 44) {
        registered(h, customer, car);
    } else if (draw < 50) {
        insured(h, customer, car);
    } else if (draw < 88) {
        telemetry(h, customer, car);
    } else if (draw < 91) {
        booked(h, customer, car);
    } else if (draw < 94) {
        consent(h);
    } else if (draw < 97) {
        profile(h, customer);
    } else {
        h->event.type = "web.page_viewed";
        snprintf(h->data, sizeof h->data, "{\"url\":\"https://shop.example/%u\"}", draw);
    }
}

/* One in 50 comes late, up to three days. */
static int64_t time_of(struct history *h)
{
    int64_t now_ms = history_now_ms(h);

    if (rng_below(&h->rng, 50) != 0)
        return now_ms;
    return now_ms - (int64_t)rng_below(&h->rng, 3 * WHEN_DAY_MS);
}

const struct field_event *history_next(struct history *h)
{
    unsigned customer;

    if (h->next == h->events)
        return NULL;
    if (h->next > h->customers && rng_below(&h->rng, PERCENT) == 0) {
        h->event.at_ms = history_now_ms(h); /* the same event once more */
        h->next++;
        return &h->event;
    }
    customer =
        h->next < h->customers ? (unsigned)h->next : (unsigned)rng_below(&h->rng, h->customers);
    snprintf(h->id, sizeof h->id, "h-%llu", (unsigned long long)h->next);
    snprintf(h->customer, sizeof h->customer, "c%u", customer);
    h->event = (struct field_event){.id = h->id, .customer = h->customer, .data = h->data};
    h->event.at_ms = history_now_ms(h);
    h->event.time_ms = time_of(h);
    if (h->next < h->customers)
        profile(h, customer);
    else
        something(h, customer);
    h->next++;
    return &h->event;
}

const struct field_event *history_answer(struct history *h, struct str text, struct arena *arena)
{
    struct rng rng = rng_seeded(hash_bytes(text, h->seed));
    struct outcome outcome = {0};
    struct task task;
    struct err err = {0};

    ck_assert_msg(task_read_json(text, arena, &task, &err), "%s", err.text);
    if (task.outcome_count == 0 || rng_below(&rng, 3) == 0)
        return NULL;
    outcome = (struct outcome){.task = task.id,
                               .moment = task.moment,
                               .about = task.about,
                               .channel = task.channel,
                               .attempt = task.attempt};
    outcome.code = task.outcomes[rng_below(&rng, task.outcome_count)].code;
    buf_clear(&h->answer);
    outcome_put_json(&h->answer, &outcome);
    h->event = (struct field_event){.id = arena_format(arena, "o-%.*s", STR_ARG(task.id)).data,
                                    .customer = arena_str(arena, task.customer).data,
                                    .type = OUTCOME_EVENT_TYPE,
                                    .data = buf_text(&h->answer),
                                    .at_ms = history_now_ms(h)};
    return &h->event;
}

void history_close(struct history *h)
{
    buf_free(&h->answer);
}
