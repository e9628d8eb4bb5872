/* tests/chaos/load.h - what the world tells attent, and what must come of it.
 *
 * Events of the benchmark's workload (tests/bench/workload.h) at the clock's time, written to the
 * topics crm and vehicles; some come twice, some late, some are no events at all.  Every second a
 * probe goes to each partition, and how long it takes to the queue says how long attent stood still.
 *
 * It comes evenly over the time that the run has, at most chaos->events; while attent is far behind
 * nothing but probes comes, and what then was not written is not made up for.
 *
 * The load has a thread and a producer of its own.  If Kafka does not acknowledge, it writes the
 * same again, as a careful producer does: so what has been written is read back from the topics.
 */
#ifndef TESTS_CHAOS_LOAD_H
#define TESTS_CHAOS_LOAD_H

#include "connectors/kafka/kafka.h"
#include "schemas/task.h"
#include "tests/chaos/chaos.h"

struct load;

/* Probes begin at once, all else with load_go.  settings is borrowed. */
struct load *load_start(const struct chaos *chaos, const struct kafka_settings *settings);
void load_go(struct load *load);

bool load_is_done(struct load *load); /* the time is over; all is written and acknowledged */
uint64_t load_written(struct load *load);

/* More of something for a while: of a hundred events so many. */
enum load_more { LOAD_TWICE, LOAD_LATE, LOAD_POISON, LOAD_MORE_COUNT };
void load_more(struct load *load, enum load_more what, unsigned percent);

/* An event at which whoever plays `role` dies ("ingest", "decide"; site.h).  False: nothing is written any
 * more. */
bool load_lethal(struct load *load, const char *role);
/* A letter says so; from any thread. */
void load_lethal_put_aside(struct load *load, struct str id);
bool load_lethals_are_over(struct load *load); /* the last one that was asked for is put aside */

/* End the thread, whatever it has done. */
void load_stop(struct load *load);
void load_free(struct load *load); /* NULL allowed */

/* --- probes: from any thread -------------------------------------------------------------------- */

struct probe {
    int64_t sent_ms, arrived_ms; /* monotonic; 0: not yet */
};
void load_probe_arrived(struct load *load, struct str id);
/* Copies those that there are, up to max. */
size_t load_probes(struct load *load, struct probe *out, size_t max);

/* --- answers: from any thread ------------------------------------------------------------------------ */

/* The task has come to whom it is for: some of them answer, with an outcome of their own or two. */
void load_answer(struct load *load, const struct task *task);

/* --- what must come of it: after load_stop ---------------------------------------------------------- */

enum expected {
    EXPECTED_NOT, /* a timer was called off; it may have been too late, and then it is taken back */
    EXPECTED_ONCE,
};

/* Each task that must be (or may be) there: "CUSTOMER MOMENT ABOUT". */
void load_expected(struct load *load,
                   void (*take)(void *context, struct str what, enum expected expected),
                   void *context);

#endif
