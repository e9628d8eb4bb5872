/* processors/worker/redis_copy.h - copy and replace of a Redis store (store.h): redis_copy.c and
 * redis_replace.c.  Private to it. */
#ifndef ATTENT_PROCESSORS_WORKER_REDIS_COPY_H
#define ATTENT_PROCESSORS_WORKER_REDIS_COPY_H

#include "processors/worker/redis_store_parts.h"

enum store_result redis_copy(struct store *store, const char *step, int32_t partition,
                             struct arena *arena, struct store_copy *out, struct err *err);
enum store_result redis_commit_number(struct store *store, const char *step, int32_t partition,
                                      uint64_t *out, struct err *err);
enum store_result redis_replace(struct store *store, const char *step, int32_t partition,
                                uint64_t there, const struct store_copy *copy, struct err *err);

/* What the two share.  A script whose answer begins with a word: STORE_DONE, and the caller frees *out;
 * else *out is NULL. */
enum store_result redis_copy_run(struct redis_store *s, const char *text, const struct str *args,
                                 size_t keys, size_t count, struct redis_reply **out,
                                 struct err *err);
void redis_copy_id(char id[HASH128_HEX_SIZE]); /* random */

#endif
