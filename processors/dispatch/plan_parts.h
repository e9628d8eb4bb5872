/* processors/dispatch/plan_parts.h - what plan.c and plan_send.c share; for these two alone. */
#ifndef ATTENT_PROCESSORS_DISPATCH_PLAN_PARTS_H
#define ATTENT_PROCESSORS_DISPATCH_PLAN_PARTS_H

#include "processors/dispatch/plan.h"

/* Write an entry and take it into ledger and lines.  Its texts may be borrowed from the entry that
 * it replaces. */
void plan_put(struct plan *plan, struct partition *p, const struct ledger_entry *entry);

/* What an entry becomes that is over; task and withdrawal are let go. */
struct ledger_entry plan_ended(const struct plan *plan, const struct partition *p,
                               const struct ledger_entry *entry, enum ledger_state state,
                               const char *reason);

/* The task of an entry, in the plan's arena.  False: there is none, or no such task. */
bool plan_task_of(struct plan *plan, const struct ledger_entry *entry, struct task *task);

/* Count a task that came into a state; say it in the log if `log` is not NULL. */
void plan_note_state(struct plan *plan, const struct ledger_entry *entry, const char *log,
                     const char *why);
void plan_note_withdrawal(struct plan *plan, struct str channel, const char *result);

/* A record of attent.outcomes: what became of a task. */
void plan_outcome(struct plan *plan, const struct partition *p, const struct task *task,
                  const char *code, const char *reason, bool final);
/* The customer told the provider to stop. */
void plan_opted_out(struct plan *plan, const struct partition *p, const struct task *task);

/* When the task may go out by its windows, at the earliest; INT64_MAX: never any more. */
int64_t plan_opens_ms(const struct task *task, int64_t now_ms);

/* --- plan_send.c ----------------------------------------------------------------------------- */

/* A withdrawal of a task that its channel has, perhaps has, or is being given. */
void plan_recall(struct plan *plan, struct partition *p, const struct ledger_entry *entry,
                 const struct withdrawal *withdrawal);

/* It has become late for a task in line: its deadline is over. */
void plan_late(struct plan *plan, struct partition *p, const struct ledger_entry *entry);

#endif
