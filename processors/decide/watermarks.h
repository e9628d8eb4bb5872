/* processors/decide/watermarks.h - how far each source has been read: part of a partition's state.
 *
 * The smallest of a source's partitions counts; one that was never named has been read nowhere.
 * Watermarks come as control records (schemas/watermark.h) and never go back.  Sources that the
 * rule set in force does not know are remembered, too: the next one may.
 *
 * A timer that waits for a source waits in the source's lane (processors/worker/step.h).  When a
 * rule set comes into force, the lanes that it does not have end: what waits in them is looked at
 * again at once.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_WATERMARKS_H
#define ATTENT_PROCESSORS_DECIDE_WATERMARKS_H

#include "processors/worker/step.h"
#include "rules/moment/ruleset.h"

struct source_mark {
    char *name; /* owned */
    size_t name_bytes;
    bool follows;       /* the partition's time */
    int64_t *until_ms;  /* owned; per partition; INT64_MIN: nothing known */
    int32_t partitions; /* 0: nothing known */
};

struct watermarks {              /* start with {0} */
    bool follow;                 /* a source that no record named follows the partition's time */
    struct source_mark *sources; /* in the order in which they were named first */
    size_t count, capacity;
    uint32_t ended[LIMIT_SOURCES]; /* lanes of the rule set before */
    size_t ended_count;
};

void watermarks_free(struct watermarks *w);

/* Take a control record.  False: it is no watermark, or of one source too many. */
bool watermarks_take(struct watermarks *w, struct str json, struct err *err);

/* Up to when a source has been read.  INT64_MAX: as far as the partition itself; INT64_MIN: nothing
 * is known of it. */
int64_t watermarks_until(const struct watermarks *w, struct str source);

/* Another rule set comes into force; before NULL: the first. */
void watermarks_change(struct watermarks *w, const struct ruleset *before,
                       const struct ruleset *after);

/* For struct step_class. */
size_t watermarks_lanes(const struct watermarks *w, const struct ruleset *set,
                        struct step_lane lanes[STEP_LANES_MAX]);

void watermarks_encode(const struct watermarks *w,
                       struct buf *out); /* nothing if nothing is known */
/* ERR_STATE: broken. */
enum err_code watermarks_decode(struct watermarks *w, struct str bytes, struct err *err);

#endif
