/* The plain program: arrays by customer and by car, no cleverness. */
#include <stdlib.h>

#include "core/mem.h"
#include "core/when.h"
#include "tests/bench/workload.h"

static const int64_t missed_again_ms = 30 * (int64_t)WHEN_DAY_MS;
static const int64_t uninsured_ms = 14 * (int64_t)WHEN_DAY_MS;

struct lines {
    struct str *items;
    size_t count, capacity;
};

static void add_line(struct lines *lines, const struct ref_event *e, const char *moment, bool about,
                     int64_t at_ms)
{
    struct buf line = {0};

    ref_put_customer(&line, e->customer);
    buf_put_format(&line, " %s ", moment);
    if (about)
        ref_put_vin(&line, e);
    buf_put_char(&line, ' ');
    when_put_rfc3339(&line, at_ms);
    buf_put_char(&line, '\n');
    MEM_RESERVE(lines->items, lines->count, lines->capacity);
    lines->items[lines->count++] = buf_str(&line); /* the line keeps the buffer's memory */
}

struct customer {
    uint32_t missed;
    int64_t told_ms; /* of the last `missed` task, INT64_MIN: never */
    double pads[2];  /* last value of each car, NAN-free: negative = none yet */
    bool pads_told[2];
};

static void pay(struct customer *c, const struct ref_event *e, struct lines *lines)
{
    if (e->type == REF_RECEIVED) {
        c->missed = 0;
        return;
    }
    if (c->told_ms != INT64_MIN && e->at_ms < c->told_ms + missed_again_ms)
        return;
    if (++c->missed == 3) {
        c->missed = 0;
        c->told_ms = e->at_ms;
        add_line(lines, e, "missed", false, e->at_ms);
    }
}

static void wear(struct customer *c, const struct ref_event *e, struct lines *lines)
{
    if (c->pads[e->vin] >= 3.0 && e->pad_mm < 3.0 && !c->pads_told[e->vin]) {
        c->pads_told[e->vin] = true; /* 180 days are longer than the run */
        add_line(lines, e, "pads", true, e->at_ms);
    }
    c->pads[e->vin] = e->pad_mm;
}

/* Cars are numbered from 1 in order of registration, so an array of events is enough. */
struct cars {
    struct ref_event *items; /* at_ms INT64_MIN: light, or insured in time */
    size_t count, capacity;
};

static void register_car(struct cars *cars, const struct ref_event *e)
{
    MEM_RESERVE(cars->items, cars->count, cars->capacity);
    cars->items[cars->count] = *e;
    if (e->weight_kg <= 1500)
        cars->items[cars->count].at_ms = INT64_MIN;
    cars->count++;
}

static void insure_car(struct cars *cars, const struct ref_event *e)
{
    if (e->vin == 0)
        return; /* a customer who never registered one */
    struct ref_event *car = &cars->items[e->vin - 1];
    if (car->at_ms != INT64_MIN && e->at_ms < car->at_ms + uninsured_ms)
        car->at_ms = INT64_MIN;
}

static int compare_lines(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static void take(struct customer *customers, struct cars *cars, const struct ref_event *e,
                 struct lines *lines)
{
    struct customer *c = &customers[e->customer];

    switch (e->type) {
    case REF_MISSED:
    case REF_RECEIVED: pay(c, e, lines); break;
    case REF_REGISTERED: register_car(cars, e); break;
    case REF_UPDATED: insure_car(cars, e); break;
    case REF_TELEMETRY: wear(c, e, lines); break;
    case REF_PAGE:
    case REF_TYPE_COUNT: break;
    }
}

void reference_tasks(uint64_t seed, uint32_t customer_count, uint64_t events, struct buf *out,
                     size_t *count)
{
    struct workload *w = workload_new(seed, customer_count, events);
    struct customer *customers = MEM_NEW_ARRAY(struct customer, customer_count);
    struct cars cars = {0};
    struct lines lines = {0};
    struct ref_event e;

    for (uint32_t i = 0; i < customer_count; i++)
        customers[i] = (struct customer){.told_ms = INT64_MIN, .pads = {-1, -1}};
    while (workload_next(w, &e))
        take(customers, &cars, &e, &lines);
    for (size_t i = 0; i < cars.count; i++)
        if (cars.items[i].at_ms != INT64_MIN &&
            cars.items[i].at_ms + uninsured_ms <= workload_end_ms(w))
            add_line(&lines, &cars.items[i], "uninsured", true, cars.items[i].at_ms + uninsured_ms);
    qsort(lines.items, lines.count, sizeof *lines.items, compare_lines);
    *count = lines.count;
    for (size_t i = 0; i < lines.count; i++) {
        buf_put(out, lines.items[i]);
        mem_free((void *)(uintptr_t)lines.items[i].data);
    }
    mem_free(lines.items);
    mem_free(cars.items);
    mem_free(customers);
    workload_free(w);
}
