/* tests/support/decide_run.h - drive the step `decide` with rules written in the test.
 *
 *   struct decide_run *run = decide_run_open(files);
 *   decide_run_event(run, "0d", "bill.missed", "{\"invoice\": \"I1\"}");
 *   decide_run_until(run, "30d");
 *   ck_assert_str_eq(decide_run_lines(run), "0s calls/V1 task phone\n");
 *
 * One customer, c1, unless a test names others.  What decide writes to attent.events comes back to it.
 * Times are spans after the start, 2026-03-02T09:00:00+01:00, a Monday.  Any
 * mistake (rules that do not compile, an event that cannot be decided) stops the test.
 */
#ifndef ATTENT_TESTS_SUPPORT_DECIDE_RUN_H
#define ATTENT_TESTS_SUPPORT_DECIDE_RUN_H

#include "core/hash.h"
#include "rules/moment/ruleset.h"

struct decide_run;

struct rule_file {
    const char *name, *text;
};

/* Event types for tests, all with the same fields, and facts of the customer. */
#define EVENT_SCHEMA(type)                                                                         \
    {                                                                                              \
        "schemas/events/" type ".json",                                                            \
            "{\"title\":\"" type "\",\"type\":\"object\",\"properties\":{"                         \
            "\"key\":{\"type\":\"string\"},\"n\":{\"type\":\"number\"},"                           \
            "\"i\":{\"type\":\"integer\"},\"zone\":{\"type\":\"string\"},"                         \
            "\"email\":{\"type\":\"string\"}}}"                                                    \
    }
#define EVENT_SCHEMAS                                                                              \
    EVENT_SCHEMA("a.one"), EVENT_SCHEMA("b.two"), EVENT_SCHEMA("c.three"),                         \
        EVENT_SCHEMA("customer.updated")

struct ruleset *decide_run_compile(const struct rule_file *files); /* NULL name: the end */
struct decide_run *decide_run_open(const struct rule_file *files);
/* More sets to activate later; borrowed. */
struct decide_run *decide_run_open_sets(struct ruleset *const *sets, size_t count);
void decide_run_close(struct decide_run *run);

void decide_run_event(struct decide_run *run, const char *at, const char *type, const char *data);
/* Of another customer than c1. */
void decide_run_event_of(struct decide_run *run, const char *customer, const char *at,
                         const char *type, const char *data);
/* Until it is let go on, what decide writes to attent.events waits. */
void decide_run_hold(struct decide_run *run, bool hold);
/* time: of the event, "" = at; id: "" = a new one */
void decide_run_late(struct decide_run *run, const char *at, const char *time, const char *type,
                     const char *data, const char *id);
void decide_run_outcome(struct decide_run *run, const char *at, const char *code, bool final);
void decide_run_activate(struct decide_run *run, const char *at, const struct ruleset *set);
/* A source was read up to a time, of its partition of so many. */
void decide_run_watermark(struct decide_run *run, const char *source, int partition, int partitions,
                          const char *until);
void decide_run_until(struct decide_run *run, const char *at);

/* What came since the last call, a line each but for decisions that are tasks; of another customer
 * than c1 it begins with that:
 *
 *   14d new-car/V1 task phone               5d new-car/V1 withdrawn policy.updated
 *   0s new-car/V1 hold quiet_hours 23h      14d new-car/V1 ended outcome
 */
const char *decide_run_lines(struct decide_run *run);
const char *decide_run_task(const struct decide_run *run);     /* JSON of the last task */
const char *decide_run_decision(const struct decide_run *run); /* JSON of the last decision */
/* JSON of the last permission that was withdrawn, "" none. */
const char *decide_run_permission(const struct decide_run *run);
size_t decide_run_permissions(const struct decide_run *run); /* how many so far */

size_t decide_run_strays(const struct decide_run *run); /* outcomes of no task that was out */

struct hash128 decide_run_digest(struct decide_run *run); /* of the state */

/* A run whose tasks tell a text: each c.three event makes a task whose reason is what `say` gives at
 * that time.  facts: text of facts.yaml. */
struct decide_run *decide_run_open_asking(const char *facts, const char *say);

/* What `say` gives at that time; more: members of the asking event's data after its key, as in
 * ",\"n\":7", or "".  Valid until the next call. */
const char *decide_run_ask(struct decide_run *run, const char *at, const char *more);

#endif
