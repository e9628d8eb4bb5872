/* processors/dispatch/plan_parts.h - what the files plan*.c share; for these alone. */
#ifndef ATTENT_PROCESSORS_DISPATCH_PLAN_PARTS_H
#define ATTENT_PROCESSORS_DISPATCH_PLAN_PARTS_H

#include "processors/dispatch/plan.h"

/* --- plan_write.c ---------------------------------------------------------------------------- */

struct record *plan_add_write(struct plan *plan); /* to be filled */
void plan_write_ledger(struct plan *plan, const struct partition *p, struct record record);
/* The entry leaves the ledger. */
void plan_forget(struct plan *plan, struct partition *p, struct str id);
/* A record that is not taken.  why: for the log; empty: counted only. */
void plan_drop(struct plan *plan, const struct partition *p, const struct record *record,
               enum drop_reason reason, const char *why);

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

/* --- plan_poison.c --------------------------------------------------------------------------- */

/* A task's record that nobody may read: what its headers say of it has failed. */
void plan_fail_unread(struct plan *plan, struct partition *p, const struct record *record);
void plan_put_letter(struct plan *plan, const struct record *record);
/* Who looks on is told before a task of the ledger is seen to. */
void plan_watch(const struct plan *plan, const struct partition *p, struct str task);

/* --- plan.c ---------------------------------------------------------------------------------- */

/* When the task may go out by its windows, at the earliest; INT64_MAX: never any more. */
int64_t plan_opens_ms(const struct task *task, int64_t now_ms);

/* --- plan_withdraw.c ------------------------------------------------------------------------- */

void plan_withdraw(struct plan *plan, struct partition *p, const struct record *record,
                   const struct withdrawal *w);
/* A withdrawal whose moment is gone from the rules does not say where its task went; we know.
 * Borrows from task. */
struct withdrawal plan_complete(const struct withdrawal *w, struct str moment, struct str channel,
                                struct str queue);
/* Never sent: its receiver hears nothing of it. */
void plan_keep_back(struct plan *plan, struct partition *p, const struct withdrawal *w,
                    const char *result);

bool plan_forbids(const struct permission *permission, const struct task *task);
/* Not sent, because the customer does not want it: decide may know another way.  Of a customer who
 * was erased nobody wants to hear. */
void plan_forbid(struct plan *plan, struct partition *p, const struct permission *permission,
                 const struct task *task);
/* Tasks of this customer that have not gone: the permission counts for what was decided before.  Of a
 * customer who was erased, what is over leaves the ledger. */
void plan_take_permission(struct plan *plan, struct partition *p,
                          const struct permission *permission);
/* What the customer said to dispatch itself counts until decide has said it as well. */
void plan_note_wish(struct partition *p, const struct record *record,
                    const struct permission *permission);
/* The one that forbids a task which was decided a moment ago; NULL: none. */
const struct permission *plan_find_wish(struct partition *p, const struct task *task);

/* --- plan_send.c ----------------------------------------------------------------------------- */

/* A withdrawal of a task that its channel has, perhaps has, or is being given. */
void plan_recall(struct plan *plan, struct partition *p, const struct ledger_entry *entry,
                 const struct withdrawal *withdrawal);

/* It has become late for a task in line: its deadline is over. */
void plan_late(struct plan *plan, struct partition *p, const struct ledger_entry *entry);

#endif
