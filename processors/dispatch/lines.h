/* processors/dispatch/lines.h - whose turn is it: the tasks of one partition that wait in line for
 * channels that deliver.
 *
 *     channel 0:  C-1  [a1 under way] a4 a9        one line per channel and customer, in the order
 *                 C-7  b2 (not before 10:05)       of the tasks' records; only its first may go
 *     channel 1:  C-1  a3
 *
 * A picture of the ledger, made from its entries: lines_follow after each change of one, or anew
 * from all of them.  It knows no I/O and no clock.  One thread at a time.
 */
#ifndef ATTENT_PROCESSORS_DISPATCH_LINES_H
#define ATTENT_PROCESSORS_DISPATCH_LINES_H

#include "processors/dispatch/ledger.h"

struct lines;

struct lines *lines_new(void);
void lines_free(struct lines *lines); /* NULL allowed */
void lines_clear(struct lines *lines);

/* An entry has changed (channel: index of its channel): it is in line if it is SENDING or has a
 * next_ms, and else leaves the line it was in. */
void lines_follow(struct lines *lines, size_t channel, const struct ledger_entry *entry);
void lines_leave(struct lines *lines, struct str id); /* unknown: nothing */

/* The first in a line is under way, or not any more: nobody behind it may go meanwhile. */
void lines_set_busy(struct lines *lines, struct str id, bool busy);

/* Its turn comes not before this, whatever the ledger says; forgotten with the next change. */
void lines_put_off(struct lines *lines, struct str id, int64_t not_before_ms);

/* Of the tasks of a channel that may go by now the one that has waited longest; an empty id if
 * there is none.  Borrowed until the next change. */
struct str lines_next(const struct lines *lines, size_t channel, int64_t now_ms);

/* When the next of a channel may go; INT64_MAX: none is waiting, but for those under way. */
int64_t lines_due_ms(const struct lines *lines, size_t channel);

size_t lines_waiting(const struct lines *lines, size_t channel); /* tasks, not those under way */

#endif
