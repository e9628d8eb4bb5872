/* tests/support/history.h - the made-up lives of some customers, as events of the shipped rules.
 *
 * Payments that are missed and made up for, new cars, insured or not, brake pads that wear, changed
 * addresses and consents; late events, events that come twice, types that no rule listens to.
 * Time goes on evenly over `span_ms`.  One seed gives one history, on every machine.
 */
#ifndef TESTS_SUPPORT_HISTORY_H
#define TESTS_SUPPORT_HISTORY_H

#include "core/buf.h"
#include "core/rng.h"
#include "tests/support/field.h"

enum { HISTORY_CUSTOMERS_MAX = 1000, HISTORY_CARS = 2 };

struct history {
    struct rng rng;
    uint64_t seed;
    unsigned customers;
    uint64_t events, next;
    int64_t start_ms, span_ms;
    double pads_mm[HISTORY_CUSTOMERS_MAX][HISTORY_CARS];
    struct field_event event; /* of the last history_next, with its texts: */
    char id[24], customer[16], data[256];
    struct buf answer; /* data of the last history_answer */
};

void history_open(struct history *history, uint64_t seed, unsigned customers, uint64_t events,
                  int64_t start_ms, int64_t span_ms);

/* The next event, valid until the next call; NULL: that was all. */
const struct field_event *history_next(struct history *history);

/* How somebody answers a task (JSON): it depends on the seed and the task alone.  NULL: nobody has the
 * time.  The event's time is now; its texts live in arena and until the next call. */
const struct field_event *history_answer(struct history *history, struct str task,
                                         struct arena *arena);
void history_close(struct history *history);

/* The log's time now. */
int64_t history_now_ms(const struct history *history);

#endif
