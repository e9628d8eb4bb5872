/* processors/dispatch/dead_letter.h - what belongs to nobody: put aside as it came, with a reason and
 * Kafka Connect's headers, for a person to look at. */
#ifndef ATTENT_PROCESSORS_DISPATCH_DEAD_LETTER_H
#define ATTENT_PROCESSORS_DISPATCH_DEAD_LETTER_H

#include "core/arena.h"
#include "core/record.h"

struct dead_letter { /* borrowed */
    const char *topic;
    const char *part;   /* "attent-receiver": who puts it aside */
    const char *reason; /* "unknown_task" */
    const char *why;    /* in words */
    struct str channel; /* empty: none */
    struct str key, value;
    int64_t at_ms;
};

/* The record; its texts live in arena. */
struct record dead_letter_record(const struct dead_letter *letter, struct arena *arena);

#endif
