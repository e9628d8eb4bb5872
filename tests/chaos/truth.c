#include "tests/chaos/truth.h"

#include "core/check.h"
#include "core/mem.h"

enum { MISSED = 3, RECEIVED = 5, CARS = 2 };

struct person {
    uint32_t missed, received;
    bool told_missed;
    double pads[CARS]; /* negative: none yet */
    bool told_pads[CARS];
};

struct car {
    struct ref_event registered;
    bool updated;
};

struct truth {
    struct person *people;
    uint64_t count;
    struct car *cars; /* by number - 1; only heavy ones count */
    size_t car_count, car_capacity;
};

struct truth *truth_new(uint64_t customers)
{
    struct truth *t = MEM_NEW(struct truth);

    *t = (struct truth){.people = MEM_NEW_ARRAY(struct person, customers), .count = customers};
    for (uint64_t i = 0; i < customers; i++)
        t->people[i] = (struct person){.pads = {-1, -1}};
    return t;
}

void truth_free(struct truth *t)
{
    if (t == NULL)
        return;
    mem_free(t->people);
    mem_free(t->cars);
    mem_free(t);
}

static void pay(struct person *p, const struct ref_event *e)
{
    if (e->type == REF_RECEIVED) {
        p->missed = 0;
        p->received++;
    } else if (!p->told_missed && ++p->missed == MISSED) {
        p->told_missed = true;
    }
}

static void wear(struct person *p, const struct ref_event *e)
{
    CHECK(e->vin < CARS);
    if (p->pads[e->vin] >= 3.0 && e->pad_mm < 3.0)
        p->told_pads[e->vin] = true;
    p->pads[e->vin] = e->pad_mm;
}

void truth_take(struct truth *t, const struct ref_event *e)
{
    struct person *p = &t->people[e->customer];

    CHECK(e->customer < t->count);
    switch (e->type) {
    case REF_MISSED:
    case REF_RECEIVED: pay(p, e); break;
    case REF_TELEMETRY: wear(p, e); break;
    case REF_REGISTERED:
        MEM_RESERVE(t->cars, t->car_count, t->car_capacity);
        t->cars[t->car_count++] = (struct car){.registered = *e};
        break;
    case REF_UPDATED:
        if (e->vin != 0) /* else a customer who never registered one */
            t->cars[e->vin - 1].updated = true;
        break;
    case REF_PAGE:
    case REF_TYPE_COUNT: break;
    }
}

static void tell(const struct ref_event *e, const char *moment, bool about, enum expected expected,
                 void (*take)(void *context, struct str what, enum expected expected),
                 void *context)
{
    struct buf line = {0};

    ref_put_customer(&line, e->customer);
    buf_put_format(&line, " %s ", moment);
    if (about)
        ref_put_vin(&line, e);
    take(context, buf_str(&line), expected);
    buf_free(&line);
}

void truth_tell(struct truth *t,
                void (*take)(void *context, struct str what, enum expected expected), void *context)
{
    for (uint32_t i = 0; i < t->count; i++) {
        struct ref_event e = {.customer = i, .type = REF_TELEMETRY};

        if (t->people[i].told_missed)
            tell(&e, "missed", false, EXPECTED_ONCE, take, context);
        if (t->people[i].received >= RECEIVED)
            tell(&e, "thanks", false, EXPECTED_ONCE, take, context);
        for (e.vin = 0; e.vin < CARS; e.vin++)
            if (t->people[i].told_pads[e.vin])
                tell(&e, "pads", true, EXPECTED_ONCE, take, context);
    }
    for (size_t i = 0; i < t->car_count; i++)
        if (t->cars[i].registered.weight_kg > 1500)
            tell(&t->cars[i].registered, "uninsured", true,
                 t->cars[i].updated ? EXPECTED_NOT : EXPECTED_ONCE, take, context);
}
