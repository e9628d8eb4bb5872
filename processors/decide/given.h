/* processors/decide/given.h - a customer's state with facts that are given, not lived through.
 *
 * For rule tests and `what if`: the state that decide would have if these facts were known at
 * start_ms.  last and first are older than any event; mark, count and sum stand as events at
 * start_ms; since has the time that is given.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_GIVEN_H
#define ATTENT_PROCESSORS_DECIDE_GIVEN_H

#include "core/err.h"
#include "rules/moment/ruleset.h"

/* The time of a `last` or `first` that is given: before any event that a log can hold (year 1 AD),
 * and far enough from INT64_MIN to count with. */
#define GIVEN_EARLIER_MS (-62135596800000)

struct given {
    uint32_t fact;      /* index in the rule set */
    struct value key;   /* of a fact with `per`, else VALUE_ABSENT */
    struct value value; /* of the fact's type */
};

/* Append the state's blob to out.  ERR_USAGE: a value does not fit its fact; err says which. */
enum err_code given_encode(const struct ruleset *set, struct str customer,
                           const struct given *given, size_t count, int64_t start_ms,
                           struct buf *out, struct err *err);

#endif
