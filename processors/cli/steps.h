/* processors/cli/steps.h - the two steps as the verbs see them that look after their states: snapshot,
 * restore, init, verify, repartition.  What the roles tell the worker stands here once more without a
 * worker (role_decide.c, role_identify.c). */
#ifndef ATTENT_PROCESSORS_CLI_STEPS_H
#define ATTENT_PROCESSORS_CLI_STEPS_H

#include "processors/cli/cli.h"
#include "processors/cli/config.h"
#include "processors/cli/rules_topic.h"
#include "processors/decide/decide.h"
#include "processors/identify/identify.h"
#include "processors/worker/offline.h"
#include "schemas/skip.h"

enum { STEPS_COUNT = 2, STEPS_OUTPUTS_MAX = 4 };

struct cli_step {
    const struct step_class *class;
    const void *config;                     /* of the class */
    const char *group;                      /* of its worker */
    const char *input;                      /* topic */
    const char *outputs[STEPS_OUTPUTS_MAX]; /* topics, by the step's numbers */
    int32_t counts[STEPS_OUTPUTS_MAX];      /* how many partitions each of them has */
    size_t output_count;
    struct skip_list skips; /* of the input, as they stand in attent.rules */
    bool chosen;            /* by --step */
};

struct steps {
    struct arena *arena; /* of the command */
    struct kafka_settings kafka;
    struct redis_settings redis;
    struct config_topics topics;
    struct rules_topic *rules;
    struct decide_config decide;
    struct identify_config identify;
    struct cli_step items[STEPS_COUNT]; /* identify first: it feeds decide */
    struct store *store;                /* NULL: not asked for */
    struct kafka_consumer *asking;      /* one connection for all questions about topics */
    int32_t first, end;                 /* partitions chosen by --partition: [first, end) */
    bool growing; /* set before: the topics may have more partitions than the configuration says */
};

/* What --step and --partition of the command say; asks Kafka how many partitions the topics have.
 * *steps: {0}, but for `growing`.  with_store: connects to Redis.  ERR_USAGE: no such step or partition; ERR_CONFIG: the topics have
 * another number of partitions than the configuration says.  Closed by the caller in any case. */
enum err_code steps_open(struct steps *steps, const struct command *c, bool with_store,
                         struct err *err);
void steps_close(struct steps *steps);

/* ERR_STATE: a worker of a chosen step is at work; says what to do. */
enum err_code steps_are_at_rest(const struct steps *steps, struct err *err);

/* Whose the states of this step are (store.h). */
struct str steps_identity(const struct steps *steps, const struct cli_step *step);

/* The step offline, with outputs numbered and records skipped as by the worker; borrows from step. */
struct offline_setup steps_offline(const struct cli_step *step, int32_t partition);

#endif
