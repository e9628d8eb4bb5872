/* tests/bench/workload.h - the reference workload: which events, and what must come out.
 *
 * Customers are drawn by Zipf's law (s = 1) over `customers`; the log's time goes on 30 days over
 * the run; the last 64 events come one hour later, so that every partition's time gets there.
 * One seed gives one log and one set of tasks.
 *
 * Types: payment.missed 5 %, payment.received 10 %, vehicle.registered 1 %, policy.updated 1 %,
 * vehicle.telemetry 43 %, web.page_viewed 40 % (no rule listens).
 */
#ifndef TESTS_BENCH_WORKLOAD_H
#define TESTS_BENCH_WORKLOAD_H

#include "core/buf.h"
#include "core/rng.h"

enum ref_type {
    REF_MISSED,
    REF_RECEIVED,
    REF_REGISTERED,
    REF_UPDATED,
    REF_TELEMETRY,
    REF_PAGE,
    REF_TYPE_COUNT
};

struct ref_event {
    uint64_t number; /* 0, 1, ... */
    enum ref_type type;
    uint32_t customer;
    int64_t at_ms;
    uint32_t vin;     /* registered: number of the car; telemetry: 0 or 1 */
    double weight_kg; /* registered, updated */
    double pad_mm;    /* telemetry */
    double amount;    /* payments */
};

enum { REF_TAIL = 64 }; /* events at the end, one hour later */

/* Who names no customer names one of his aliases: telemetry its car, other events his account. */
enum { REF_ALIASES = 3 };

struct workload;

struct workload *workload_new(uint64_t seed, uint32_t customers, uint64_t events);
void workload_free(struct workload *w);                        /* NULL allowed */
bool workload_next(struct workload *w, struct ref_event *out); /* false: that was all */
int64_t workload_end_ms(const struct workload *w);             /* time of the last event */

const char *ref_type_name(enum ref_type type);
void ref_put_customer(struct buf *out, uint32_t customer); /* c0012345 */
size_t ref_alias(
    const struct ref_event *event); /* a number: customer * REF_ALIASES and what follows */
void ref_put_alias(struct buf *out, const struct ref_event *event);    /* vin:WVWZZZ00123451 */
void ref_put_vin(struct buf *out, const struct ref_event *event);      /* of a car */
void ref_put_data(struct buf *out, const struct ref_event *event);     /* JSON of data */
void ref_put_envelope(struct buf *out, const struct ref_event *event); /* structured mode */

/* The expected tasks, by a plain program that keeps everything in memory and knows nothing of
 * attent: lines "customer moment about time", sorted, each with a newline.
 *
 *  missed     3 payment.missed and no payment.received since the first of the three; then none
 *             for 30 days (what is missed in these 30 days does not count)
 *  uninsured  vehicle.registered over 1,500 kg and no policy.updated for this vin in 14 days
 *  pads       pad_mm of a vin goes below 3.0 (before: 3.0 or more); then not for 180 days */
void reference_tasks(uint64_t seed, uint32_t customers, uint64_t events, struct buf *out,
                     size_t *count);

#endif
