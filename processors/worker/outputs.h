/* processors/worker/outputs.h - what a step has written in a batch: numbered, chained, copied.
 *
 * The other side of outputs_add (processors/worker/step.h).  Lives as long as the batch: all bytes
 * are in its arena.
 */
#ifndef ATTENT_PROCESSORS_WORKER_OUTPUTS_H
#define ATTENT_PROCESSORS_WORKER_OUTPUTS_H

#include "processors/worker/meta.h"
#include "processors/worker/step.h"

struct output {
    int topic;            /* index into step_class.topics */
    struct record record; /* with its topic's real name, partition and all headers */
};

struct outputs {
    struct arena *arena;            /* borrowed */
    struct meta *meta;              /* borrowed: numbers and chains advance here */
    const char *const *topic_names; /* borrowed: real names, by index */
    struct str from;                /* borrowed: "decide/3" */
    struct buf scratch;
    struct output *items; /* owned array */
    size_t count, capacity;
};

void outputs_clear(struct outputs *out); /* before the next batch */
void outputs_free(struct outputs *out);  /* the contents */

#endif
