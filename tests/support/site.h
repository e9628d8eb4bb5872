/* tests/support/site.h - an installation with one decider, whose operator uses the verbs that look after
 * the states; its customers' lives are those of history.h.
 *
 *     site_open(&site, "lost", kafka);
 *     site_feed(&site, 500);
 *     site_await_states(&site);
 *     free(field_run(&site.field, 0, "snapshot", site_in_dir(&site, "one"), NULL));
 *
 * Nothing here returns a failure: it fails the test and says why.  One thread.
 */
#ifndef TESTS_SUPPORT_SITE_H
#define TESTS_SUPPORT_SITE_H

#include "tests/support/decided.h"
#include "tests/support/history.h"

enum { SITE_CUSTOMERS = 100, SITE_EVENTS = 1500 };

struct site {
    struct field field;
    struct history history;
    struct process *decider;
    const char *dir; /* snapshots */
};

/* The Kafka server is borrowed.  A decider is at work when it returns, and the rules are in force. */
void site_open(struct site *site, const char *name, struct server *kafka);
void site_close(struct site *site);

void site_start_decider(struct site *site); /* returns when it has partitions */
void site_stop_decider(struct site *site);

void site_new_producer(
    struct site *site); /* of what feeds it: it knows how many partitions there are */

void site_feed(struct site *site, size_t count); /* the next events of the history */
void site_tick_all(struct site *site, int partitions, int64_t at_ms); /* 0: the end of it all */
const char *site_in_dir(struct site *site, const char *name);         /* a path for snapshots */
void site_has(char *text, const char *part);
void site_empty_redis(struct site *site);

void site_await_states(struct site *site);                  /* most customers have a state */
void site_await_decided(struct site *site, int partitions); /* all that is in the log */

/* The last number that decide has taken of a source, in one partition; 0: none. */
uint64_t site_taken(struct site *site, int partition, const char *source);

/* As if the log of a partition had begun later (by < 0) or had lost its end (by > 0).  No decider is at
 * work. */
void site_move_next(struct site *site, int partition, int64_t by);

void site_await_word(struct site *site, const char *words); /* the decider says so */

/* The log is whole: decide to its end, stop, and give what readers have taken, and what replay makes. */
void site_finish(struct site *site, struct decided *live, struct decided *replay);

#endif
