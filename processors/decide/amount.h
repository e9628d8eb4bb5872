/* processors/decide/amount.h - what the numbers of a fact's events amount to.
 *
 * The arithmetic of count, sum, min, max, mean, distinct and trend; which events take part and
 * what is remembered of them is facts.h.  A value and a number of events stand for what came so
 * far: VALUE_NONE and 0 are nothing.  Pure functions.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_AMOUNT_H
#define ATTENT_PROCESSORS_DECIDE_AMOUNT_H

#include "processors/decide/state.h"
#include "rules/moment/ruleset.h"

bool amount_is_number(struct value v);

/* A number as a fact of kind min, max, mean or trend keeps it: int or double. */
struct value amount_of(const struct fact *fact, struct value v);

/* Add one event's number, or what `added_events` events amounted to. */
void amount_add(const struct fact *fact, struct value *value, uint64_t *events, struct value added,
                uint64_t added_events);
/* VALUE_ABSENT: a fact of this kind has no value without events. */
struct value amount_read(const struct fact *fact, struct value value, uint64_t events);

/* Least-squares slope per day; VALUE_ABSENT: not 3 points at 2 different times. */
struct value amount_trend(const struct fact_point *points, size_t count);

int64_t amount_step(int64_t step_ms, int64_t time_ms); /* the start of the UTC step of a time */

#endif
