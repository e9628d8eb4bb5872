/* processors/dispatch/partition.h - what dispatch knows of one partition of attent.tasks that it
 * owns: its ledger, the numbers taken, where it reads, what time it is.  All of it follows the
 * Kafka transactions: partition_commit keeps what was done since the last one, partition_rollback
 * takes it back.  One thread at a time.
 */
#ifndef ATTENT_PROCESSORS_DISPATCH_PARTITION_H
#define ATTENT_PROCESSORS_DISPATCH_PARTITION_H

#include "processors/dispatch/ledger.h"
#include "processors/dispatch/lines.h"
#include "processors/dispatch/sources.h"
#include "processors/dispatch/wishes.h"

enum { PARTITION_LOOKS_NOWHERE = -1 };

struct partition {
    int32_t number; /* of attent.tasks, and of attent.ledger */
    struct ledger *ledger;
    struct lines *lines; /* of the ledger's entries, for channels that deliver */
    struct sources *sources;
    struct wishes *wishes; /* outside of transactions: to know one too early does no harm */
    int64_t next;          /* offset to be read next */
    int64_t now_ms;        /* never goes back */
    int64_t committed_next, committed_now_ms;
    /* real_ms when plan_adopt saw it first: whoever owned it before announced nothing later */
    int64_t taken_ms;
    int64_t adopt_ms; /* real_ms at which there is something to be adopted; INT64_MAX: never */
    int64_t look_to;  /* see abreast.h: what waits goes once this offset has been reached */
    bool behind;      /* it has not: nothing that waited goes in this round */
    bool touched;     /* something was read or done since the last commit */
    bool lost;        /* a record of a source is lost, and that has been said */
    bool broken; /* its ledger cannot be read: nothing is done with it until somebody has looked */
};

void partition_open(struct partition *partition, int32_t number);
void partition_close(struct partition *partition); /* the contents */
void partition_commit(struct partition *partition);
void partition_rollback(struct partition *partition); /* lines are to be made anew */

#endif
