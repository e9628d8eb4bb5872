/* tests/support/cars.h - cars that report and name no customer, some of which somebody claims late.
 *
 *     cars_put_round(&field, 0, false, at_ms);    reports that wait
 *     cars_put_round(&field, 1, true, at_ms);     each of CARS_CLAIMED has an owner now
 *     cars_open(&reading, &field);
 *     cars_look_to_end(&reading);
 *     ck_assert_int_eq(reading.reports, CARS_CLAIMED * 2);
 *
 * A report has the id "CAR-ROUND", and its owner is "c-CAR".  Nothing here returns a failure: it fails the
 * test and says why.  One thread.
 */
#ifndef TESTS_SUPPORT_CARS_H
#define TESTS_SUPPORT_CARS_H

#include "schemas/chain.h"
#include "tests/support/field.h"
#include "tests/support/watch.h"

enum {
    CARS = 24,
    CARS_CLAIMED = 18, /* of them; the others stay unknown */
    CARS_PARTITIONS_MAX = 2 * FIELD_PARTITIONS,
};

/* Straight to the topic of aliases, as ingest writes it. */
void cars_put_round(struct field *field, int round, bool claim, int64_t at_ms);

struct cars_reading { /* of events, as decide takes them */
    struct watch *watch;
    size_t looked;
    struct taken taken[CARS_PARTITIONS_MAX];
    struct buf scratch;
    uint32_t told[CARS];                 /* a bit for each round that has come */
    int last[CARS_PARTITIONS_MAX][CARS]; /* the round that came last to a partition, from 1 */
    int reports;
};

void cars_open(struct cars_reading *reading, struct field *field);
void cars_close(struct cars_reading *reading);

/* Take what has come; a report of another owner, out of turn, twice or not at all fails the test. */
void cars_look(struct cars_reading *reading);
void cars_look_to_end(struct cars_reading *reading);

#endif
