/* tests/support/invent.h - random moments, facts, sources and histories for naive.h, and the same moments
 * as YAML.  One seed always gives the same. */
#ifndef ATTENT_TESTS_SUPPORT_INVENT_H
#define ATTENT_TESTS_SUPPORT_INVENT_H

#include "tests/support/naive.h"

void invent_plan(uint64_t seed, struct naive_plan *plan);
/* How many; *until: when the history ends. */
int invent_history(uint64_t seed, const struct naive_plan *plan, struct naive_op ops[NAIVE_OPS],
                   int64_t *until);

void invent_put_facts(struct buf *out, const struct naive_plan *plan);
/* The text of sources.yaml; nothing: there are none. */
void invent_put_sources(struct buf *out, const struct naive_plan *plan);
void invent_put_moment(struct buf *out, const struct naive_plan *plan, int moment);

#endif
