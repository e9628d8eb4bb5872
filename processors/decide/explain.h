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

const char *stage_word(int stage); /* "caps" */

struct trail { /* the stages that one candidate went through */
    struct decision_stage stages[STAGE_COUNT];
    size_t count;
    struct str needed; /* to pass the one that stopped it */
};

/* detail (NULL: none) is copied into arena. */
void trail_add(struct trail *trail, struct arena *arena, enum stage stage, bool passed,
               const char *detail, ...) __attribute__((format(printf, 5, 6)));

/* What would have had to differ for the stage that stopped it to pass, to stand behind "it would have gone
 * out": "if customer.open_complaint were false", "after 2026-03-04T08:00:00Z". */
void trail_need(struct trail *trail, struct arena *arena, const char *needed, ...)
    __attribute__((format(printf, 3, 4)));

/* What a condition read, and the condition: `customer.open_complaint = true since 3d
 * (!customer.open_complaint)`.  held: it was true; of one that was not, joined by && or ||, only
 * what made it so. */
struct str explain_reads(struct scope *scope, const struct cel_program *program, bool held);

/* A slot as a person would write it in a condition: customer.open_complaint. */
void explain_name_slot(struct buf *out, const struct scope *scope, uint32_t slot);

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

/* Send what decide writes: a CloudEvent of `type` about a customer, as a rule the one at hand. */
void explain_send(struct turn *turn, int topic, struct str customer, const char *type,
                  struct str id, struct str traceparent, struct str value);

#endif
