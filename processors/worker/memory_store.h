/* processors/worker/memory_store.h - a store in memory: for tests, rule tests and backtests.
 *
 * Keeps the same promises as Redis (token, commit number, identity) and forgets all when closed.
 */
#ifndef ATTENT_PROCESSORS_WORKER_MEMORY_STORE_H
#define ATTENT_PROCESSORS_WORKER_MEMORY_STORE_H

#include "processors/worker/store.h"

struct store *memory_store_open(void);

#endif
