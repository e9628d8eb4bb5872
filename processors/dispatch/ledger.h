/* processors/dispatch/ledger.h - what dispatch knows of the tasks of one partition.
 *
 * The truth is the compacted topic attent.ledger (processors/dispatch/ledger_record.h); this is
 * its picture in memory, with the times at which an entry must be looked at again.  Changes are
 * kept back until the Kafka transaction that writes them has ended: ledger_commit keeps them,
 * ledger_rollback takes them back.  It knows nothing of Kafka, and asks no clock.
 * One thread at a time.
 */
#ifndef ATTENT_PROCESSORS_DISPATCH_LEDGER_H
#define ATTENT_PROCESSORS_DISPATCH_LEDGER_H

#include "schemas/task.h"

enum ledger_state {
#define STATE(name, code, text) LEDGER_##name,
#include "processors/dispatch/states.def"
#undef STATE
    LEDGER_STATE_COUNT
};

const char *ledger_state_code(enum ledger_state state);
/* False: there is no state of that code. */
bool ledger_state_find(struct str code, enum ledger_state *out);

/* An entry with next_ms waits in line for its channel (processors/dispatch/lines.h): PENDING to be
 * delivered, UNKNOWN to be asked about, RECALLING to be taken back. */
struct ledger_entry {
    struct str id; /* of the task */
    enum ledger_state state;
    int64_t at_ms;  /* since when it is in that state */
    int64_t due_ms; /* PENDING: may go out, or in line: expires; ended: leaves the ledger */
    int64_t
        next_ms;    /* in line: its turn comes not before this, by the clock of the world; else 0 */
    int64_t offset; /* of the task's record: tasks of a customer go in this order */
    uint32_t attempt;                  /* how many were begun */
    struct str customer;               /* of the task; empty: not known */
    struct str moment, channel, queue; /* of the task, for its withdrawal; empty: none */
    struct str reason; /* why FAILED, EXPIRED, UNKNOWN, WITHDRAWN or still PENDING; empty: none */
    struct str reference; /* what its channel calls it; empty: nothing */
    struct str
        task; /* as JSON, while it may still be needed: PENDING and SENDING always; or empty */
    struct str withdrawal; /* as JSON: to be done once that is possible; empty: none */
};

/* Is it an id as tasks have them: 1 to 32 letters, digits, - or _? */
bool ledger_is_id(struct str id);

/* Is it over: nothing will be done with it but forget it? */
bool ledger_is_over(const struct ledger_entry *entry);

struct ledger;

struct ledger *ledger_new(void);
void ledger_free(struct ledger *ledger); /* NULL allowed */

/* NULL: not known.  Entries are borrowed until the next change. */
const struct ledger_entry *ledger_find(const struct ledger *ledger, struct str id);
void ledger_put(struct ledger *ledger, const struct ledger_entry *entry); /* copied; replaces */
void ledger_remove(struct ledger *ledger, struct str id);                 /* unknown: nothing */

/* The entry that is due first (ties: the smaller id), NULL if none is due by now. */
const struct ledger_entry *ledger_due(const struct ledger *ledger, int64_t now_ms);
int64_t ledger_due_ms(const struct ledger *ledger); /* of that first one; INT64_MAX: none */

/* All entries, in no order: 0 .. ledger_count() - 1. */
const struct ledger_entry *ledger_at(const struct ledger *ledger, size_t index);

void ledger_commit(struct ledger *ledger);
void ledger_rollback(struct ledger *ledger); /* as it was at the last commit */

size_t ledger_count(const struct ledger *ledger);
size_t ledger_pending(const struct ledger *ledger);

#endif
