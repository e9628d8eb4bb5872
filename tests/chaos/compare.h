/* tests/chaos/compare.h - is everything as it must be?  After all writers have ended.
 *
 *  sources     each record arrived once (in attent.events, or in a dead-letter topic)
 *  outputs     tasks, decisions, identify's events: those of an undisturbed run over the same log
 *  states      what Redis holds is what that run ends with
 *  truth       the tasks are those that the events ask for (truth.h)
 *  deliveries  each channel did what docs/channels.md promises, and the ledger says so
 *
 * What is wrong is printed, some of each kind, and counted.
 */
#ifndef TESTS_CHAOS_COMPARE_H
#define TESTS_CHAOS_COMPARE_H

#include "tests/chaos/accounts.h"
#include "tests/chaos/site.h"

void compare_all(struct site *site, struct load *load, struct accounts *accounts,
                 struct figures *out);

/* --- offline.c ---------------------------------------------------------------------------------- */

struct undisturbed { /* of one partition */
    struct output *outputs;
    int *to; /* partition of each */
    enum outputs_of *what;
    size_t count, capacity, to_capacity, what_capacity;
    char state[HASH128_HEX_SIZE];
};

/* identify over attent.identify, as attent replay runs decide over attent.events.  False: it was printed
 * why not. */
bool offline_identify(struct site *site, int partition, struct undisturbed *out);
bool offline_decide(struct site *site, int partition, struct undisturbed *out);
void undisturbed_free(struct undisturbed *u); /* the contents */

/* The digest of what Redis holds; false: it was printed why not. */
bool offline_redis_state(struct site *site, const char *step, int partition,
                         char out[HASH128_HEX_SIZE]);

#endif
