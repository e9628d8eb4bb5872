/* However a log is cut into batches, whatever is cached, forgotten, given up and started again: the real
 * step decides the same to the byte, and leaves the same states.
 *
 * Two kinds of logs, both with watermarks, ticks, answers to tasks, and rule sets that come into
 * force in the middle: made-up lives under the shipped rules (tests/support/history.h), and random
 * moments and facts with histories to fit (tests/support/invent.h), of several customers each.
 *
 *   SEED=7 build/asan/bin/tests/unit/processors/decide/test_splits      that one alone
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/when.h"
#include "processors/cli/rules_folder.h"
#include "processors/decide/decide.h"
#include "processors/worker/offline.h"
#include "schemas/task.h"
#include "schemas/watermark.h"
#include "tests/support/decide_run.h"
#include "tests/support/history.h"
#include "tests/support/invent.h"
#include "tests/support/splits.h"
#include "tests/support/suite.h"

#define START_MS INT64_C(1772438400000) /* 2026-03-02T08:00:00Z */

enum { SETS = 2, CUSTOMERS = 4, TASKS = 64, LIVES = 12, LIVES_EVENTS = 500, LOGS_OF_LIVES = 2 };
enum { LOGS_INVENTED = 40, ROUGH_RUNS = 3 };

static const int32_t partitions[DECIDE_TOPIC_COUNT] = {1, 1, 1};

/* --- a log --------------------------------------------------------------------------------------- */

/* Written record by record, and decided at once: an answer needs a task. */
struct log {
    struct arena *arena;
    struct rng rng;
    struct ruleset *sets[SETS];
    struct decide_config config;
    struct offline *offline;
    struct record *records;
    size_t count, capacity;
    struct str tasks[TASKS]; /* that nobody has looked at, as JSON */
    size_t task_count;
    size_t events;
};

static const struct ruleset *find_set(void *context, struct str hash_hex, struct err *err)
{
    const struct log *log = context;

    for (size_t i = 0; i < SETS; i++)
        if (str_is(hash_hex, log->sets[i]->hash_hex))
            return log->sets[i];
    err_set(err, ERR_STATE, "not known");
    return NULL;
}

static void take_output(void *context, int topic, const struct record *record)
{
    struct log *log = context;

    if (topic == DECIDE_TOPIC_TASKS && log->task_count < TASKS &&
        str_is(record_header(record, STR("ce_type")), TASK_CE_TYPE))
        log->tasks[log->task_count++] = arena_str(log->arena, record->value);
}

static void log_add(struct log *log, struct record record)
{
    struct err err = {0};

    record.offset = offline_next(log->offline) + (rng_below(&log->rng, 10) == 0);
    MEM_RESERVE(log->records, log->count, log->capacity);
    log->records[log->count++] = record;
    ck_assert_msg(offline_record(log->offline, &record, &err) == ERR_NONE, "%s", err.text);
}

static void add_control(struct log *log, const char *what, int64_t at_ms, struct str value)
{
    struct header *header = ARENA_NEW(log->arena, struct header);

    *header = (struct header){STR(CONTROL_HEADER), str_of(what)};
    log_add(log, (struct record){.timestamp_ms = at_ms,
                                 .value = arena_str(log->arena, value),
                                 .headers = header,
                                 .header_count = 1});
}

static void activate(struct log *log, int64_t at_ms, size_t set)
{
    add_control(log, CONTROL_ACTIVATE, at_ms, str_of(log->sets[set]->hash_hex));
}

static void add_watermark(struct log *log, const char *source, int32_t partition, int32_t count,
                          int64_t until_ms)
{
    struct watermark_part part = {partition, until_ms};
    struct buf json = {0};

    watermark_put_json(
        &json, &(struct watermark){
                   .source = str_of(source), .partitions = count, .parts = &part, .part_count = 1});
    add_control(log, CONTROL_WATERMARK, START_MS, buf_str(&json));
    buf_free(&json);
}

static void add_event(struct log *log, const struct field_event *e)
{
    struct event event = {.id = arena_str(log->arena, str_of(e->id)),
                          .source = STR("/test"),
                          .type = arena_str(log->arena, str_of(e->type)),
                          .subject = arena_str(log->arena, str_of(e->customer)),
                          .time_ms = e->time_ms != 0 ? e->time_ms : e->at_ms};
    struct record record = {.timestamp_ms = e->at_ms,
                            .key = event.subject,
                            .value = arena_str(log->arena, str_of(e->data))};
    struct header *headers;

    record.header_count = event_headers(&event, log->arena, &headers);
    record.headers = headers;
    log_add(log, record);
    log->events++;
}

/* sets are made. */
static void log_open(struct log *log, uint64_t seed)
{
    struct offline_setup setup = {.class = &decide_class,
                                  .config = &log->config,
                                  .partition = 1,
                                  .context = log,
                                  .output = take_output};

    log->rng = rng_seeded(seed);
    log->config = (struct decide_config){.find = find_set, .context = log};
    ck_assert_int_eq(offline_open(&setup, &log->offline, NULL), ERR_NONE);
    activate(log, START_MS, 0);
}

static void log_close(struct log *log)
{
    offline_close(log->offline);
    for (size_t i = 0; i < SETS; i++)
        ruleset_free(log->sets[i]);
    mem_free(log->records);
    arena_free(log->arena);
}

/* --- a tick before a record changes nothing -------------------------------------------------------- */

/* The same log with ticks in it: before an event, at some time that it passes. */
static struct record *with_ticks(struct log *log, size_t *count)
{
    static const struct header tick = {{CONTROL_HEADER, sizeof CONTROL_HEADER - 1},
                                       {CONTROL_TICK, sizeof CONTROL_TICK - 1}};
    struct record *out = ARENA_ARRAY(log->arena, struct record, 2 * log->count);
    int64_t now_ms = START_MS;

    *count = 0;
    for (size_t i = 0; i < log->count; i++) {
        struct record r = log->records[i];
        bool moves = record_header(&r, STR(CONTROL_HEADER)).len == 0 && r.timestamp_ms > now_ms;

        if (moves && rng_below(&log->rng, 2) == 0) {
            uint64_t span_ms = (uint64_t)(r.timestamp_ms - now_ms);

            out[(*count)++] =
                (struct record){.timestamp_ms = now_ms + 1 + (int64_t)rng_below(&log->rng, span_ms),
                                .headers = &tick,
                                .header_count = 1};
        }
        now_ms = moves ? r.timestamp_ms : now_ms;
        out[(*count)++] = r;
    }
    for (size_t i = 0; i < *count; i++)
        out[i].offset = (int64_t)i;
    return out;
}

static size_t check(struct log *log, uint64_t seed)
{
    struct splits splits = {.class = &decide_class,
                            .config = &log->config,
                            .topic_partitions = partitions,
                            .records = log->records,
                            .count = log->count};
    struct splits_end end = splits_compare(&splits, seed, ROUGH_RUNS), ticked;

    splits.records = with_ticks(log, &splits.count);
    ticked = splits_rough(&splits, seed);
    ck_assert_msg(memcmp(&ticked, &end, offsetof(struct splits_end, now_ms)) == 0,
                  "ticks change what is decided: %zu outputs, should be %zu; replay: SEED=%llu",
                  ticked.output_count, end.output_count, (unsigned long long)seed);
    return end.output_count;
}

/* --- lives under the shipped rules -------------------------------------------------------------------- */

static const char sources[] = "policies: {types: [policy.updated, vehicle.registered]}\n"
                              "billing: {types: [payment.received, payment.missed]}\n";

/* The shipped rules and sources; `without` a file. */
static struct ruleset *shipped(struct arena *arena, const char *without)
{
    struct bundle bundle;
    struct bundle_file *files;
    struct diags diags = {0};
    struct ruleset *set;
    size_t count = 0;

    ck_assert_int_eq(rules_folder_read("rules", arena, &bundle, NULL), ERR_NONE);
    files = ARENA_ARRAY(arena, struct bundle_file, bundle.count + 1);
    for (size_t i = 0; i < bundle.count; i++)
        if (!str_is(bundle.files[i].name, without))
            files[count++] = bundle.files[i];
    files[count++] = (struct bundle_file){STR("sources.yaml"), str_of(sources)};
    bundle = (struct bundle){files, count};
    bundle_sort(&bundle);
    set = ruleset_compile(&bundle, NULL, &diags);
    ck_assert_ptr_nonnull(set);
    diags_free(&diags);
    return set;
}

/* One source is a day behind, the other two hours, now and then neither is heard of. */
static void watermarks(struct log *log, int64_t now_ms)
{
    if (rng_below(&log->rng, 20) == 0)
        add_watermark(log, "policies", 0, 1, now_ms - WHEN_DAY_MS);
    if (rng_below(&log->rng, 20) == 0)
        add_watermark(log, "billing", (int32_t)rng_below(&log->rng, 2), 2,
                      now_ms - WHEN_DAY_MS / 12);
}

static void answers(struct log *log, struct history *history)
{
    while (log->task_count > 0) {
        const struct field_event *event =
            history_answer(history, log->tasks[--log->task_count], log->arena);

        if (event != NULL)
            add_event(log, event);
    }
}

static size_t try_lives(uint64_t seed)
{
    struct log log = {.arena = arena_new(0)};
    const int64_t span_ms = 60 * (int64_t)WHEN_DAY_MS;
    struct history *history = MEM_NEW(struct history);
    const struct field_event *event;
    size_t outputs;

    log.sets[0] = shipped(log.arena, "");
    log.sets[1] = shipped(log.arena, "moments/brake-pads.yaml");
    log_open(&log, seed);
    history_open(history, seed, LIVES, LIVES_EVENTS, START_MS, span_ms);
    while ((event = history_next(history)) != NULL) {
        add_event(&log, event);
        if (rng_below(&log.rng, 10) == 0)
            add_control(&log, CONTROL_TICK, history_now_ms(history), STR_EMPTY);
        watermarks(&log, history_now_ms(history));
        if (rng_below(&log.rng, 60) == 0)
            activate(&log, history_now_ms(history), rng_below(&log.rng, SETS));
        if (rng_below(&log.rng, 4) == 0)
            answers(&log, history);
    }
    add_control(&log, CONTROL_TICK, START_MS + span_ms + 30 * (int64_t)WHEN_DAY_MS, STR_EMPTY);
    outputs = check(&log, seed);
    history_close(history);
    mem_free(history);
    log_close(&log);
    return outputs;
}

/* --- invented rules --------------------------------------------------------------------------------- */

struct invented {
    struct log log;
    struct naive_plan plans[SETS];
    struct naive_op ops[CUSTOMERS][NAIVE_OPS];
    int counts[CUSTOMERS], at[CUSTOMERS];
    struct str out[CUSTOMERS]; /* the last task */
    int64_t until;
};

static struct ruleset *compile(const struct naive_plan *plan)
{
    struct buf facts = {0}, from = {0}, moments[NAIVE_MOMENTS] = {{0}};
    struct ruleset *set;

    invent_put_facts(&facts, plan);
    invent_put_sources(&from, plan);
    for (int i = 0; i < plan->moment_count; i++)
        invent_put_moment(&moments[i], plan, i);
    set = decide_run_compile((const struct rule_file[]){
        EVENT_SCHEMAS,
        {"facts.yaml", buf_text(&facts)},
        {"sources.yaml", buf_text(&from)},
        {"moments/m0.yaml", buf_text(&moments[0])},
        {plan->moment_count > 1 ? "moments/m1.yaml" : NULL, buf_text(&moments[1])},
        {NULL, NULL}});
    buf_free(&facts);
    buf_free(&from);
    for (int i = 0; i < NAIVE_MOMENTS; i++)
        buf_free(&moments[i]);
    return set;
}

/* Whose next operation comes first; -1: none has any left. */
static int who_is_next(const struct invented *v)
{
    int next = -1;

    for (int c = 0; c < CUSTOMERS; c++)
        if (v->at[c] < v->counts[c] &&
            (next < 0 || v->ops[c][v->at[c]].at < v->ops[next][v->at[next]].at))
            next = c;
    return next;
}

static void note_tasks(struct invented *v)
{
    while (v->log.task_count > 0) {
        struct task task;

        ck_assert(task_read_json(v->log.tasks[--v->log.task_count], v->log.arena, &task, NULL));
        v->out[task.customer.data[1] - '0'] = task.id;
    }
}

static void play(struct invented *v, int customer, const struct naive_op *op)
{
    struct log *log = &v->log;
    struct field_event event = {.at_ms = START_MS + op->at, .time_ms = START_MS + op->time};
    char number[32] = "", key[32] = "";

    event.id = arena_format(log->arena, "e%zu", log->events).data;
    event.customer = arena_format(log->arena, "c%d", customer).data;
    switch (op->kind) {
    case OP_TICK: add_control(log, CONTROL_TICK, event.at_ms, STR_EMPTY); return;
    case OP_WATERMARK:
        add_watermark(log, op->type == 0 ? "s0" : "s1", op->key,
                      v->plans[0].sources[op->type].partitions, event.time_ms);
        return;
    case OP_OUTCOME:
        note_tasks(v);
        event.type = OUTCOME_EVENT_TYPE;
        event.data = arena_format(log->arena, "{\"task\":\"%.*s\",\"code\":\"%s\",\"final\":%s}",
                                  STR_ARG(v->out[customer]), naive_codes[op->code],
                                  op->code == 3 ? "true" : "false")
                         .data;
        if (v->out[customer].len != 0)
            add_event(log, &event);
        return;
    case OP_EVENT:
        if (op->key >= 0)
            snprintf(key, sizeof key, "\"key\":\"K%d\"%s", op->key + 1, op->has_n ? "," : "");
        if (op->has_n)
            snprintf(number, sizeof number, "\"n\":%.1f", op->n);
        event.type = naive_types[op->type];
        event.data = arena_format(log->arena, "{%s%s}", key, number).data;
        add_event(log, &event);
        return;
    }
}

static size_t try_invented(uint64_t seed)
{
    struct invented *v = MEM_NEW(struct invented);
    struct log *log = &v->log;
    size_t outputs;
    int64_t until;

    log->arena = arena_new(0);
    for (size_t i = 0; i < SETS; i++) {
        invent_plan(seed + i, &v->plans[i]);
        log->sets[i] = compile(&v->plans[i]);
    }
    for (int c = 0; c < CUSTOMERS; c++) {
        v->counts[c] =
            invent_history(seed * CUSTOMERS + (uint64_t)c, &v->plans[0], v->ops[c], &until);
        v->until = until > v->until ? until : v->until;
    }
    log_open(log, seed);
    for (int c; (c = who_is_next(v)) >= 0;) {
        const struct naive_op *op = &v->ops[c][v->at[c]++];

        play(v, c, op);
        if (rng_below(&log->rng, 40) == 0)
            activate(log, START_MS + op->at, rng_below(&log->rng, SETS));
    }
    add_control(log, CONTROL_TICK, START_MS + v->until, STR_EMPTY);
    outputs = check(log, seed);
    log_close(log);
    mem_free(v);
    return outputs;
}

/* --- all --------------------------------------------------------------------------------------------- */

static size_t try_all(size_t (*try_one)(uint64_t seed), uint64_t count)
{
    const char *seed = getenv("SEED"), *wanted = getenv("LOGS");
    size_t outputs = 0;

    if (seed != NULL)
        return try_one(strtoull(seed, NULL, 10));
    if (wanted != NULL)
        count = strtoull(wanted, NULL, 10);
    for (uint64_t i = 1; i <= count; i++)
        outputs += try_one(i);
    ck_assert_uint_gt(outputs, 10 * count); /* it is no empty play */
    if (wanted != NULL)
        printf("%llu logs, %zu outputs: the same\n", (unsigned long long)count, outputs);
    return outputs;
}

START_TEST(lives_under_the_shipped_rules_are_decided_the_same_in_any_batches)
{
    try_all(try_lives, LOGS_OF_LIVES);
}
END_TEST

START_TEST(random_rules_are_decided_the_same_in_any_batches)
{
    try_all(try_invented, LOGS_INVENTED);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {lives_under_the_shipped_rules_are_decided_the_same_in_any_batches,
                                  random_rules_are_decided_the_same_in_any_batches};

    return suite_run_with("splits", tests, 2, 3600, NULL, NULL);
}
