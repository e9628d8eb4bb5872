/* processors/identify/identify.h - the step `identify`: from an alias to its customer.
 *
 *     attent.identify --> owners of the alias --known--> attent.events, keyed by the customer
 *     keyed by alias           |   `--unknown: parked until somebody says, or the time is up --> dlq
 *
 * An alias is a subject with a state of its own (alias.h), so a look-up cannot race with a binding.
 * Records: schemas/binding.h.  A watermark of a source (schemas/watermark.h) goes on to all partitions of
 * attent.events; the partition of attent.identify that it came through becomes part of its
 * partition's number, and so the reader's "smallest over all partitions" waits for all of them.
 *
 * It is a step (processors/worker/step.h): no I/O, no clock, no chance.  The rule set in force gives the
 * limits of the kinds; before the first activation defaults count.
 */
#ifndef ATTENT_PROCESSORS_IDENTIFY_IDENTIFY_H
#define ATTENT_PROCESSORS_IDENTIFY_IDENTIFY_H

#include "processors/worker/step.h"
#include "schemas/identity.h"

enum { IDENTIFY_TOPIC_EVENTS = 0, IDENTIFY_TOPIC_OWN, IDENTIFY_TOPIC_DLQ };

/* What can happen; for metrics. */
#define IDENTIFY_HAPPENINGS                                                                        \
    HAPPENING(IDENTIFIED, "identified") /* its owner was known at once */                          \
    HAPPENING(PARKED, "parked")                                                                    \
    HAPPENING(RELEASED, "released")       /* parked before, now known */                           \
    HAPPENING(UNKNOWN, "unknown_subject") /* to the dlq, as the next two */                        \
    HAPPENING(FULL, "park_full")                                                                   \
    HAPPENING(FORGOTTEN, "owner_forgotten")                                                        \
    HAPPENING(BOUND, "bound")                                                                      \
    HAPPENING(UNBOUND, "unbound")                                                                  \
    HAPPENING(GONE, "customer_gone") /* erased or merged */                                        \
    HAPPENING(JUNK, "junk")          /* no record of ingest's, or a broken one: dropped */

enum identify_happening {
#define HAPPENING(name, text) IDENTIFY_HAPPENED_##name,
    IDENTIFY_HAPPENINGS
#undef HAPPENING
        IDENTIFY_HAPPENING_COUNT
};
const char *identify_happening_text(enum identify_happening happening);

struct identify_config {
    /* identity.yaml of the rule set of a content hash, borrowed while the step is open; an empty one
     * if it has none.  NULL: there is no such rule set, err says why. */
    const struct identity *(*find)(void *context, struct str hash_hex, struct err *err);
    void (*happened)(void *context, enum identify_happening happening); /* NULL allowed */
    void *context;
    int32_t partitions; /* of attent.identify */
};

extern const struct step_class identify_class;

#endif
