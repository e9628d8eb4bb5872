#include "processors/cli/decide_counted.h"

#include "core/mem.h"
#include "core/metric.h"
#include "processors/worker/outputs.h"
#include "rules/moment/ruleset.h"
#include "schemas/task.h"

struct step {
    struct step *inner;        /* of decide_class */
    uint64_t errors;           /* of all moments, as counted before */
    uint64_t forgotten;        /* likewise */
    uint64_t duplicates;       /* likewise */
    uint64_t *moment_errors;   /* of each, since the activation */
    const struct ruleset *set; /* whose moments these are */
};

/* --- counting ------------------------------------------------------------------------------------ */

static void add(enum metric metric, struct str first, struct str second)
{
    const struct str labels[] = {first, second};

    metric_add(metric_series(metric, labels, 2), 1);
}

static void count_decision(const struct record *record, struct arena *arena)
{
    struct decision decision;

    if (decision_read_json(record->value, arena, &decision, NULL))
        add(METRIC_DECIDE_DECISIONS, decision.moment, decision.reason);
}

static void count_task(const struct record *record, struct arena *arena)
{
    struct str type = record_header(record, STR("ce_type"));
    struct withdrawal withdrawal;
    struct task task;

    if (str_is(type, TASK_CE_TYPE) && task_read_json(record->value, arena, &task, NULL))
        add(METRIC_DECIDE_TASKS, task.moment, task.channel);
    else if (str_is(type, WITHDRAWAL_CE_TYPE) &&
             withdrawal_read_json(record->value, arena, &withdrawal, NULL))
        metric_add(metric_series(METRIC_DECIDE_WITHDRAWALS, &withdrawal.moment, 1), 1);
}

static void count_outputs(const struct outputs *out, size_t from, struct arena *arena)
{
    for (size_t i = from; i < out->count; i++) {
        const struct record *record = &out->items[i].record;
        if (out->items[i].topic == DECIDE_TOPIC_DECISIONS)
            count_decision(record, arena);
        else if (out->items[i].topic == DECIDE_TOPIC_TASKS)
            count_task(record, arena);
    }
}

static void use_set(struct step *step, const struct ruleset *set)
{
    mem_free(step->moment_errors);
    step->set = set;
    step->moment_errors = mem_alloc((set->moment_count + 1) * sizeof *step->moment_errors);
}

static void count_new(enum metric metric, uint64_t now, uint64_t *counted)
{
    if (now == *counted)
        return;
    metric_add(metric_series(metric, NULL, 0), (double)(now - *counted));
    *counted = now;
}

static void count_numbers(struct step *step)
{
    const struct decide_counts *counts = decide_counts(step->inner);

    count_new(METRIC_DECIDE_FORGOTTEN, counts->forgotten, &step->forgotten);
    count_new(METRIC_DECIDE_DUPLICATES, counts->duplicates, &step->duplicates);
}

/* Errors are rare, so which moments they are of is asked only when there are new ones. */
static void count_errors(struct step *step)
{
    const struct ruleset *set = decide_ruleset(step->inner);
    uint64_t errors = decide_counts(step->inner)->moment_errors;

    if (set == NULL || errors == step->errors)
        return;
    step->errors = errors;
    if (set != step->set)
        use_set(step, set);
    for (size_t i = 0; i < set->moment_count; i++) {
        uint64_t now = decide_moment_errors(step->inner, i);
        if (now > step->moment_errors[i])
            metric_add(metric_series(METRIC_DECIDE_ERRORS, &set->moments[i].name, 1),
                       (double)(now - step->moment_errors[i]));
        step->moment_errors[i] = now;
    }
}

/* --- the step ------------------------------------------------------------------------------------- */

static void counted_close(struct step *step)
{
    if (step == NULL)
        return;
    decide_class.close(step->inner);
    mem_free(step->moment_errors);
    mem_free(step);
}

static enum err_code counted_open(const void *config, int32_t partition, struct str partition_state,
                                  struct step **out, struct err *err)
{
    struct step *step = MEM_NEW(struct step);
    enum err_code code = decide_class.open(config, partition, partition_state, &step->inner, err);

    *out = step;
    if (code != ERR_NONE) {
        counted_close(step);
        *out = NULL;
    }
    return code;
}

static void counted_save_partition(const struct step *step, struct buf *out)
{
    decide_class.save_partition(step->inner, out);
}

static bool counted_partition_changed(struct step *step)
{
    return decide_class.partition_changed(step->inner);
}

static bool counted_wants(struct step *step, const struct record *record)
{
    return decide_class.wants(step->inner, record);
}

static struct str counted_subject(struct step *step, const struct record *record)
{
    return decide_class.subject(step->inner, record);
}

static enum err_code counted_load(struct step *step, struct str subject, struct str blob,
                                  struct arena *arena, void **state, struct err *err)
{
    return decide_class.load(step->inner, subject, blob, arena, state, err);
}

static void counted_save(const struct step *step, const void *state, struct buf *out)
{
    decide_class.save(step->inner, state, out);
}

static int64_t counted_due_ms(const struct step *step, const void *state)
{
    return decide_class.due_ms(step->inner, state);
}

static size_t counted_waits(const struct step *step, const void *state,
                            struct step_wait waits[STEP_LANES_MAX])
{
    return decide_class.waits(step->inner, state, waits);
}

static size_t counted_lanes(const struct step *step, struct step_lane lanes[STEP_LANES_MAX])
{
    return decide_class.lanes(step->inner, lanes);
}

static void counted_record(struct step *step, void *state, const struct record *record,
                           int64_t now_ms, struct arena *arena, struct outputs *out, bool *changed)
{
    size_t from = out->count;

    decide_class.record(step->inner, state, record, now_ms, arena, out, changed);
    count_outputs(out, from, arena);
    count_errors(step);
    count_numbers(step);
}

static void counted_timer(struct step *step, void *state, int64_t due_ms, int64_t now_ms,
                          struct arena *arena, struct outputs *out, bool *changed)
{
    size_t from = out->count;

    decide_class.timer(step->inner, state, due_ms, now_ms, arena, out, changed);
    count_outputs(out, from, arena);
    count_errors(step);
    count_numbers(step);
}

static enum err_code counted_control(struct step *step, const struct record *record,
                                     struct arena *arena, struct outputs *out, bool *changed,
                                     struct err *err)
{
    enum err_code code = decide_class.control(step->inner, record, arena, out, changed, err);

    if (str_is(record_header(record, STR(CONTROL_HEADER)), CONTROL_ACTIVATE)) { /* from 0 again */
        step->set = NULL;
        step->errors = decide_counts(step->inner)->moment_errors;
    }
    return code;
}

const struct step_class decide_counted_class = {
    .name = "decide",
    .topics = decide_topics,
    .open = counted_open,
    .close = counted_close,
    .save_partition = counted_save_partition,
    .partition_changed = counted_partition_changed,
    .wants = counted_wants,
    .subject = counted_subject,
    .load = counted_load,
    .save = counted_save,
    .due_ms = counted_due_ms,
    .waits = counted_waits,
    .lanes = counted_lanes,
    .record = counted_record,
    .timer = counted_timer,
    .control = counted_control,
};
