/* tests/chaos/truth.h - which tasks must come of the events: a plain program that knows nothing of
 * attent (rules: tests/chaos/rules).
 *
 *  missed     3 payment.missed and no payment.received since the first of the three; once a customer
 *  thanks     5 payment.received; once a customer
 *  pads       pad_mm of a car goes below 3.0 (before: 3.0 or more); once a car
 *  uninsured  vehicle.registered over 1,500 kg, and no policy.updated for this car.  With one it
 *             depends on when the process looks: then the task may be there, and is taken back
 */
#ifndef TESTS_CHAOS_TRUTH_H
#define TESTS_CHAOS_TRUTH_H

#include "tests/bench/workload.h"
#include "tests/chaos/load.h"

struct truth;

struct truth *truth_new(uint64_t customers);
void truth_free(struct truth *truth); /* NULL allowed */
void truth_take(struct truth *truth, const struct ref_event *event);
void truth_tell(struct truth *truth,
                void (*take)(void *context, struct str what, enum expected expected),
                void *context);

#endif
