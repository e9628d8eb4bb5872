/* tests/chaos/chaos.h - real faults: attent as processes on real servers, and whatever can happen to
 * them (docs/chaos.md).
 *
 *     load ---> crm, vehicles ---> [ proxy ] <--- ingest x 2, decide + identify x 3, dispatch x 2
 *      |                           Kafka x 3, Redis                         |
 *      `-- truth                       ^                       queue, webhook, mail server
 *                                      |  past the proxy                    |
 *                                  accounts: all topics that matter  <------'
 *
 * A piece is one run of it all with servers of its own, from the first event until everything is at
 * rest and compared.  A campaign (CONTINUE) is pieces one after the other whose figures are added.
 *
 * Threads: main starts processes, injects faults and compares; load writes; accounts reads; proxy and
 * receivers have their own.
 */
#ifndef TESTS_CHAOS_CHAOS_H
#define TESTS_CHAOS_CHAOS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"

enum {
    CHAOS_PARTITIONS = 6,
    CHAOS_BROKERS = 3,
};

#define CHAOS_CRM      "crm"
#define CHAOS_VEHICLES "vehicles"
#define CHAOS_OUTCOMES "attent.outcomes"

enum fault_kind {
#define FAULT(name, code, excludes, begin, end, seconds, text) FAULT_##name,
#include "tests/chaos/faults.def"
#undef FAULT
    FAULT_KIND_COUNT
};

/* What a piece comes to; all of it can be added. */
struct figures {
    uint64_t pieces, events; /* events: records written to sources */
    uint64_t lost, doubled, different;
    uint64_t tasks, decisions, repeats,
        gaps;          /* as a reader takes them, and what it does not take */
    uint64_t in_doubt; /* of a channel that may leave it so */
    uint64_t waiting;  /* expected tasks that are excused: outranked */
    uint64_t crashes;  /* processes that ended by a signal that we did not send */
    uint64_t restless; /* pieces that did not come to rest */
    uint64_t seconds;
    uint64_t faults[FAULT_KIND_COUNT];
    uint64_t stop_ms[FAULT_KIND_COUNT]; /* the longest; not added, the greater one stays */
};

struct chaos {
    uint64_t seed, events; /* events: at most */
    int64_t duration_ms;   /* of the load, while faults come */
    int64_t fault_ms;      /* from one to the next, on average */
    int64_t rest_ms;       /* how long it may take until all is at rest */
    uint64_t customers;
    const char *attent; /* the program */
    const char *mutant; /* a deliberate bug to be switched on; NULL: none */
    bool quiet;         /* no faults: is the comparison itself right? */
    const char *only;   /* codes of the faults that are injected, "a,b"; NULL: all */
};

#endif
