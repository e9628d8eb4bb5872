/* tests/support/sample.h - a task, its withdrawal, and their records, as decide would write them.
 *
 * Texts are static or live in arena.
 */
#ifndef TESTS_SUPPORT_SAMPLE_H
#define TESTS_SUPPORT_SAMPLE_H

#include "core/record.h"
#include "schemas/chain.h"
#include "schemas/task.h"

#define SAMPLE_CREATED_MS INT64_C(1772438400000) /* 2026-03-02T08:00:00Z */

/* For customer C-1, channel phone, queue insurance; created at SAMPLE_CREATED_MS, deadline seven
 * days later, no windows. */
struct task sample_task(const char *id);
struct withdrawal sample_withdrawal(const char *id); /* of that task, a minute later */

/* Records of attent.tasks, not numbered. */
struct record sample_task_record(const struct task *task, struct arena *arena);
struct record sample_withdrawal_record(const struct withdrawal *withdrawal, struct arena *arena);

/* The same record as number last->number + 1 of a source; advances last. */
struct record sample_numbered(struct record record, struct chain *last, const char *from,
                              uint64_t generation, struct arena *arena);

#endif
