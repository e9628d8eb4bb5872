/* tests/sim/store_model.h - Redis as the worker's store sees it: one server, several connections.
 *
 *     process 0 --connection--\   sent commits wait here, each with the time at which the server
 *     process 1 --connection---> [ server: areas, and what each write has replaced ]
 *
 * The effects are those of the scripts and transactions of processors/worker/redis_store; a contract
 * test compares the two.  What can happen to Redis happens here: answers that do not come, with the
 * effect done or not, a failover that loses the last writes, an older copy, an empty one, no memory left.
 *
 * Bytes of a run live in one arena; nothing of a killed process is borrowed.  One thread.
 */
#ifndef TESTS_SIM_STORE_MODEL_H
#define TESTS_SIM_STORE_MODEL_H

#include "processors/worker/store.h"

struct store_model;

struct store_model *store_model_new(void);
void store_model_free(struct store_model *m); /* and all its connections */

/* A connection of the running process (struct store.class->close closes it). */
struct store *store_model_connect(struct store_model *m);

/* How many writes (claims, commits) there have been, and back to what there was after so many. */
size_t store_model_writes(const struct store_model *m);
void store_model_go_back(struct store_model *m, size_t writes);

/* Until the partitions have begun nothing that is written can be lost: a state that is gone before there
 * is a copy of it is for a person, by the protocol ("offsets in Kafka, but no state"), and there is
 * nothing that the person could put back.  Protected at first; what is there when that ends stays. */
void store_model_protect(struct store_model *m, bool protect);

/* Nothing is there any more; this is a write, and can be undone. */
void store_model_empty(struct store_model *m);

/* Without any owner's right, and in no time.  meta: empty = there is none. */
struct str store_model_meta(struct store_model *m, const char *step, int32_t partition);
struct hash128 store_model_digest(struct store_model *m, const char *step, int32_t partition);

/* Are the timers in the store's orders those that the states tell of? */
bool store_model_timers_fit(struct store_model *m, const char *step, int32_t partition,
                            struct err *why);

#endif
