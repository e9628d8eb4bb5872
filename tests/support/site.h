/* tests/support/site.h - an installation with one decider (it identifies, too), whose operator uses the verbs
 * that look after the states; its customers' lives are those of history.h, and their cars those of cars.h.
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

#include "tests/support/cars.h"
#include "tests/support/decided.h"
#include "tests/support/history.h"

enum { SITE_CUSTOMERS = 100, SITE_EVENTS = 1500 };

struct site {
    struct field field;
    struct history history;
    int rounds; /* of the cars, so far */
    struct process *decider;
    const char *dir;         /* snapshots */
    const char *settings[2]; /* that the decider starts with beside its configuration */
};

/* The Kafka server is borrowed.  A decider is at work when it returns, and the rules are in force. */
void site_open(struct site *site, const char *name, struct server *kafka);
void site_close(struct site *site);

void site_start_decider(struct site *site); /* returns when it has partitions */
void site_stop_decider(struct site *site);
void site_refuses_to_start(struct site *site,
                           const char *words); /* because the configuration is wrong */

void site_new_producer(
    struct site *site); /* of what feeds it: it knows how many partitions there are */

void site_feed(struct site *site, size_t count);    /* the next events of the history */
void site_feed_cars(struct site *site, bool claim); /* another round */
void site_tick_all(struct site *site, int partitions, int64_t at_ms); /* 0: the end of it all */
const char *site_in_dir(struct site *site, const char *name);         /* a path for snapshots */
void site_has(char *text, const char *part);
void site_empty_redis(struct site *site);

void site_await_states(struct site *site);                  /* most customers have a state */
void site_await_decided(struct site *site, int partitions); /* all that is in the log */
void site_await_identified(struct site *site, int partitions);

/* Each car that has an owner by now has told each of its rounds, once, in order, to its owner. */
void site_expect_cars(struct site *site);

/* The last number that decide has taken of a source, in one partition; 0: none. */
uint64_t site_taken(struct site *site, int partition, const char *source);
uint64_t site_taken_all(struct site *site); /* of all of identify, in all partitions */

/* The next offset that the state of a step's partition has not taken. */
int64_t site_next(struct site *site, const char *step, int partition);

/* One byte of a partition's meta: as a newer version would begin.  No decider is at work. */
void site_write_version(struct site *site, const char *step, int partition, char version);

void site_await_word(struct site *site, const char *words); /* the decider says so */

/* The log is whole: decide to its end, stop, and give what readers have taken, and what replay makes. */
void site_finish(struct site *site, struct decided *live, struct decided *replay);

#endif
