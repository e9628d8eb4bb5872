/* tests/chaos/accounts.h - what stands in the topics, added up as it comes.
 *
 * A reader past the proxy, read_committed, from the beginning of each topic: every record of the
 * sources and where it went, what a reader takes of tasks and decisions, the ledger, the queues.
 *
 * It has a thread of its own; accounts_look is for any thread, the rest for after accounts_stop.
 */
#ifndef TESTS_CHAOS_ACCOUNTS_H
#define TESTS_CHAOS_ACCOUNTS_H

#include "connectors/kafka/kafka.h"
#include "core/arena.h"
#include "core/hash.h"
#include "processors/dispatch/ledger.h"
#include "tests/chaos/load.h"

struct accounts;

enum outputs_of { OUTPUTS_TASKS, OUTPUTS_DECISIONS, OUTPUTS_IDENTIFIED, OUTPUTS_COUNT };

struct output { /* one that a reader takes */
    uint64_t number;
    struct hash128 chain; /* over all of it, and all before */
};

struct outputs { /* of one source to one partition, in order */
    struct output *items;
    size_t count, capacity;
};

struct task_account {
    char id[TASK_ID_SIZE];
    const char *what,
        *channel;   /* "CUSTOMER MOMENT ABOUT"; NULL: only the ledger or a queue knows it */
    bool withdrawn; /* a withdrawal was taken */
    bool taken;     /* as decide wrote it */
    bool in_ledger, over;
    enum ledger_state state;
    unsigned queued;         /* times in its queue */
    unsigned posted, mailed; /* accepted by the webhook's receiver, by the mail server */
};

struct accounts_state {
    uint64_t records; /* seen of all topics, ticks not */
    uint64_t sources,
        arrived;           /* records of the sources; of them in events, identify's or the dlq */
    uint64_t tasks, ended; /* taken; of them over in the ledger */
    uint64_t repeats, gaps;
    int64_t quiet_since_ms; /* monotonic: when the last record came */
};

/* load: whose probes arrive.  settings is borrowed. */
struct accounts *accounts_start(const struct kafka_settings *settings, struct load *load);
void accounts_look(struct accounts *a, struct accounts_state *out);
void accounts_stop(struct accounts *a);
void accounts_free(struct accounts *a); /* NULL allowed */

/* --- after accounts_stop --------------------------------------------------------------------- */

/* from: the partition of the step that wrote it; identify's outputs go anywhere. */
const struct outputs *accounts_outputs(const struct accounts *a, enum outputs_of what, int from,
                                       int to);
struct task_account *accounts_task(struct accounts *a, struct str id); /* made if it is new */
/* Start with *at = 0; NULL at the end. */
struct task_account *accounts_next_task(struct accounts *a, size_t *at);

/* The last decision about it: it waits behind another action for its customer, of this moment, or was
 * called off while it did.  NULL: neither. */
const char *accounts_behind(struct accounts *a, const char *what);

/* What the ledger says that it has taken of decide's partition p. */
uint64_t accounts_taken(const struct accounts *a, int p);

/* Records of the sources that arrived less often, or more often, than they were written; names of
 * some are printed. */
void accounts_compare_sources(struct accounts *a, uint64_t *lost, uint64_t *doubled);

/* What no reader should see: broken chains, a repeat with another content, ...; each was printed. */
uint64_t accounts_wrong(const struct accounts *a);

#endif
