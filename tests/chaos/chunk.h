/* tests/chaos/chunk.h - records that are written together.
 *
 * Nothing here draws: the load says what comes.  For its thread.
 */
#ifndef TESTS_CHAOS_CHUNK_H
#define TESTS_CHAOS_CHUNK_H

#include "core/arena.h"
#include "core/record.h"
#include "schemas/task.h"
#include "tests/bench/workload.h"
#include "tests/chaos/chaos.h"

enum { CHUNK_RECORDS_MAX = 3000 };

struct chunk {
    struct record records[CHUNK_RECORDS_MAX];
    size_t count;
    struct arena *arena; /* of all that they point to */
};

struct answer { /* to a task */
    char task[TASK_ID_SIZE], customer[24], moment[24], about[48];
};

/* named: the event says whose it is; the key is the customer in any case.  type is kept, the other
 * texts have to be of the arena. */
void chunk_add(struct chunk *c, const char *topic, struct str id, const char *type,
               struct str customer, bool named, int64_t at_ms, struct str data);

/* An event of the workload; every fourth in structured mode; of telemetry nobody knows the customer. */
void chunk_add_ref(struct chunk *c, const struct ref_event *e);

/* The last one once more. */
void chunk_repeat(struct chunk *c);

/* Four records: the customer's address in both topics, so that it is known before anything that follows
 * in either; and the cars. */
void chunk_introduce(struct chunk *c, uint32_t customer);

/* What cannot be taken: no JSON, a type that nobody knows, data that is not the type's. */
void chunk_add_poison(struct chunk *c, uint64_t number);
/* Of no customer of the workload; whoever plays `role` dies of it. */
void chunk_add_lethal(struct chunk *c, uint64_t number, const char *role);
void chunk_add_late(struct chunk *c, uint64_t number, uint32_t customer, int64_t at_ms);
void chunk_add_answer(struct chunk *c, const struct answer *answer, const char *code, bool final);

#endif
