/* processors/decide/explain.h - decision records: why, and why not, stage by stage.
 *
 * One record per candidate that was decided, per end of an instance, per first refusal by
 * `again` or `limit`.  The stages say in words what was compared with what.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_EXPLAIN_H
#define ATTENT_PROCESSORS_DECIDE_EXPLAIN_H

#include "processors/decide/scope.h"
#include "schemas/task.h"

enum stage { /* of the funnel, in order */
#define STAGE(name, word, text) STAGE_##name,
#include "rules/stages.def"
#undef STAGE
             STAGE_COUNT
};

struct trail { /* the stages that one candidate went through */
    struct decision_stage stages[STAGE_COUNT];
    size_t count;
};

/* detail (NULL: none) is copied into arena. */
void trail_add(struct trail *trail, struct arena *arena, enum stage stage, bool passed,
               const char *detail, ...) __attribute__((format(printf, 5, 6)));

/* What a condition read, and the condition: `customer.open_complaint = true since 3d
 * (!customer.open_complaint)`.  held: it was true; of one that was not, joined by && or ||, only
 * what made it so. */
struct str explain_reads(struct scope *scope, const struct cel_program *program, bool held);

enum verdict { VERDICT_TASK, VERDICT_HOLD, VERDICT_SILENT, VERDICT_ENDED };

struct explained { /* what a decision record is made of */
    enum verdict verdict;
    enum reason reason;
    struct str moment, about;
    const struct trail *trail; /* NULL: none */
    struct str task, channel;  /* empty: none */
    int64_t until_ms;          /* VERDICT_HOLD */
};

/* The id that the next decision of this turn will have. */
struct str explain_next_id(const struct turn *turn, struct str moment, struct str about);
void explain_write(struct turn *turn, const struct explained *explained);

/* Send what decide writes: a CloudEvent of `type` about the customer. */
void explain_send(struct turn *turn, int topic, const char *type, struct str id,
                  struct str traceparent, struct str value);

#endif
