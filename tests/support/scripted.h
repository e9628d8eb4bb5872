/* tests/support/scripted.h - a channel whose receiver does what a script says.
 *
 * What reached the receiver is a file, one line each, so that a test can count there what came,
 * also when the sending process was killed.  Options:
 *
 *   log: FILE          deliver ID ATTEMPT CUSTOMER | ask ID ATTEMPT CUSTOMER | withdraw ID ... | notice ID ...
 *   script: a list     by attempt, the last one for all further ones; the words are below
 *   faults: percent    of attempts that go wrong instead, in a way drawn from task id and attempt
 *   delay: a span      how long each call takes
 *   ask: what ask() answers: look (into the log), or a word
 *   withdraw: a word   what withdraw() answers
 *
 *   accept    it came, and the sender hears so
 *   retry     it did not come, down likewise
 *   refuse    it never will; stop: because the customer opted out; gone: for every task
 *   lost      in doubt, and it did not come
 *   doubt     in doubt, and it came
 *   kill      SIGKILL before it came; killed: after
 */
#ifndef TESTS_SUPPORT_SCRIPTED_H
#define TESTS_SUPPORT_SCRIPTED_H

#include "connectors/channel.h"

extern const struct connector_class scripted_class;            /* at most once, cannot be asked */
extern const struct connector_class scripted_askable_class;    /* at most once, can be asked */
extern const struct connector_class scripted_idempotent_class; /* its receiver drops repeats */

/* The class with the options of this YAML. */
const struct conf *scripted_conf(const char *yaml, struct arena *arena);

struct scripted_line {
    char operation[16], id[40], customer[40];
    uint32_t attempt;
};

/* What reached the receiver, in order; in arena. */
struct scripted_line *scripted_read(const char *log, struct arena *arena, size_t *count);

/* How often an operation reached it: in all, and at most for one task. */
struct scripted_count {
    size_t lines, tasks, most;
};
struct scripted_count scripted_count(const char *log, const char *operation);

#endif
