/* processors/decide/merge.h - customer.merged {from, into}: two ids turn out to be one customer.
 *
 *   key `from`:  customer.merged --> the state goes out as a record to the key `into`, what stays is a
 *                                    mark; every later record of this key goes on to that one
 *   key `into`:  the record      --> the two states become one (docs/decisions/074)
 *
 * All of it through attent.events, numbered like any output, so it is in the log.  Order is kept: what
 * came before the merge is in the state, and what goes on later comes behind it.  So if two ids are
 * merged into each other at the same time, each state comes back to where it came from, ends the mark
 * there, and the events that were on their way come after it: nothing is lost and nothing goes round.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_MERGE_H
#define ATTENT_PROCESSORS_DECIDE_MERGE_H

#include "processors/decide/turn.h"

#define MERGE_STATE_CE_TYPE  "attent.customer_moved.v1"     /* value: the state as a blob */
#define MERGE_FORGET_CE_TYPE "attent.customer_forgotten.v1" /* the mark ends */
#define MERGE_FROM_HEADER    "ce_movedfrom"                 /* the id that a record named first */
#define MERGE_HOPS_HEADER    "ce_movedhops"                 /* how often it has gone on since */

bool merge_is_ours(struct str type); /* one of the two above */

/* A record of one of these types. */
void merge_take(struct turn *turn, struct str type);

/* The customer was merged: the record goes on.  erased: it is customer.erased, and the mark ends. */
void merge_pass_on(struct turn *turn, bool erased);

/* The event at hand is customer.merged; facts and moments have seen it. */
void merge_away(struct turn *turn);

/* Is it customer.merged of another id than the one at hand?  Then it goes there. */
bool merge_is_of_another(struct turn *turn);

/* The customer is forgotten: so are the marks at the ids that were merged. */
void merge_forget(struct turn *turn);

#endif
