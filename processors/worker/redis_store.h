/* processors/worker/redis_store.h - the store in Redis: a key per subject, checked by scripts.
 *
 * Each call is one atomic step in Redis that looks at token and commit number first.  Of a cluster each
 * partition lives on one server; while its slot is being moved, what needs a key that is not there
 * waits, for a third of a second, and then is STORE_DOWN.
 */
#ifndef ATTENT_PROCESSORS_WORKER_REDIS_STORE_H
#define ATTENT_PROCESSORS_WORKER_REDIS_STORE_H

#include "connectors/redis/redis.h"
#include "processors/worker/store.h"

enum err_code redis_store_open(const struct redis_settings *settings, struct store **out,
                               struct err *err);

#endif
