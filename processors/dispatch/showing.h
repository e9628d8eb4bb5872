/* processors/dispatch/showing.h - all entries of the ledgers to the view, some at a time: there may be
 * a million of them, and neither tasks nor memory wait for Redis.
 *
 * What is to be shown is a list of ids; each is shown as it is when its turn comes.  Changes are
 * shown as they are committed, beside it.  One thread at a time: the poll thread.
 */
#ifndef ATTENT_PROCESSORS_DISPATCH_SHOWING_H
#define ATTENT_PROCESSORS_DISPATCH_SHOWING_H

#include "processors/dispatch/ledger_view.h"
#include "processors/dispatch/partition.h"

struct showing { /* starts with {0} */
    struct shown_id *ids;
    size_t count, next, capacity;
};

/* From the beginning: everything that these partitions hold. */
void showing_begin(struct showing *showing, const struct partition *partitions, size_t count);

/* The next ones, at most max: entries as they are committed.  A partition that is mine no longer is
 * left out. */
void showing_go_on(struct showing *showing, const struct partition *partitions, size_t count,
                   struct ledger_view *view, size_t max);

void showing_free(struct showing *showing); /* the contents */

#endif
