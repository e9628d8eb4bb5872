/* processors/worker/redis_copy.h - copy and replace of a Redis store (store.h).  Private to it. */
#ifndef ATTENT_PROCESSORS_WORKER_REDIS_COPY_H
#define ATTENT_PROCESSORS_WORKER_REDIS_COPY_H

#include "processors/worker/store.h"

enum store_result redis_copy(struct store *store, const char *step, int32_t partition,
                             struct arena *arena, struct store_copy *out, struct err *err);
enum store_result redis_commit_number(struct store *store, const char *step, int32_t partition,
                                      uint64_t *out, struct err *err);
enum store_result redis_replace(struct store *store, const char *step, int32_t partition,
                                uint64_t there, const struct store_copy *copy, struct err *err);

#endif
