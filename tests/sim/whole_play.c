/* All of it: events come in through ingest, go through identify and decide, and tasks go out to the queues of
 * a contact centre, whose agents answer through ingest again.
 *
 *     shop, attent.outcomes -> ingest -> attent.events, attent.identify -> decide -> attent.tasks
 *            ^                                                                            |
 *            '---- agents <--------------- contact.QUEUE <--------------- dispatch <------'
 */
#include <stdio.h>
#include <string.h>

#include "core/check.h"
#include "processors/decide/decide.h"
#include "processors/dispatch/ledger_record.h"
#include "processors/identify/identify.h"
#include "schemas/control.h"
#include "schemas/task.h"
#include "schemas/watermark.h"
#include "tests/sim/chain_rules.h"
#include "tests/sim/kafka_model.h"
#include "tests/sim/oracle.h"
#include "tests/sim/steps_play.h"
#include "tests/sim/whole_settings.h"

enum {
    CUSTOMERS = 5,
    TAGS = 4,
    SHOP_PARTITIONS = 2,
    PARTITIONS_MAX = 3,
    EVENTS_MIN = 8,
    EVENTS_MAX = 60,
    GAP_MS_MAX = 900,
    PAGE = 64,
    LOOK_US = 500000,
    DISPATCH_US_MAX = 240000000,
    TASKS_MAX = 512,
    ID_SIZE = 40,
};

static const char *const queues[] = {"contact.team", "contact.general"};
enum { QUEUES = sizeof queues / sizeof queues[0] };

struct counted { /* how often something with this id was seen */
    char id[ID_SIZE];
    unsigned wanted, seen;
    bool known; /* in the ledger */
    enum ledger_state state;
};

struct counts {
    struct counted items[TASKS_MAX];
    size_t count;
};

static struct world {
    struct cluster cluster;
    int32_t partitions;
    struct identify_config identify;
    struct decide_config decide;
    struct rng rng;
    struct arena *arena;
    unsigned events;
    bool closing; /* all is read that will be */
    int64_t desk[QUEUES];
    int64_t ledger_next[PARTITIONS_MAX];
    struct counts sent, tasks;
    char ids[4][16];
} w;

static uint64_t draw(uint64_t below)
{
    return rng_below(&w.rng, below);
}

static struct counted *count_of(struct counts *counts, struct str id)
{
    for (size_t i = 0; i < counts->count; i++)
        if (str_is(id, counts->items[i].id))
            return &counts->items[i];
    CHECK(counts->count < TASKS_MAX);
    snprintf(counts->items[counts->count].id, ID_SIZE, "%.*s", STR_ARG(id));
    return &counts->items[counts->count++];
}

/* --- edges --------------------------------------------------------------------------------------- */

static void run_ingest(void *context)
{
    struct ingest_config config = *whole_settings_ingest();
    struct ingest *ingest;
    struct err err;

    config.transactional_id = context;
    while (ingest_open(&config, &ingest, &err) != ERR_NONE)
        sim_sleep_us(LOOK_US);
    while (!w.closing)
        ingest_poll(ingest, 1000, NULL, &err);
    ingest_close(ingest);
}

static void run_dispatch(void *context)
{
    struct dispatch_config config = *whole_settings_dispatch();
    struct dispatch *dispatch;
    struct err err;

    config.transactional_id = context;
    while (dispatch_open(&config, &dispatch, &err) != ERR_NONE)
        sim_sleep_us(LOOK_US);
    for (;;)
        dispatch_poll(dispatch, 1000, &err);
}

/* --- what comes ----------------------------------------------------------------------------------- */

static void control_all(const char *topic, const char *what, struct str value)
{
    const struct header header = {STR(CONTROL_HEADER), str_of(what)};

    for (int32_t p = 0; p < w.partitions; p++)
        kafka_model_append(&(struct record){.topic = str_of(topic),
                                            .partition = p,
                                            .timestamp_ms = sim_now_us() / 1000,
                                            .value = value,
                                            .headers = &header,
                                            .header_count = 1});
}

static void append_event(const char *topic, const char *type, struct str customer, struct str data)
{
    struct str id = arena_format(w.arena, "s%u", ++w.events);
    bool named = customer.len != 0;
    struct record record = {
        .topic = str_of(topic),
        .partition = strcmp(topic, "shop") == 0 ? (int32_t)draw(SHOP_PARTITIONS) : 0,
        .timestamp_ms = sim_now_us() / 1000,
        .value = arena_format(w.arena,
                              "{\"specversion\":\"1.0\",\"id\":\"%.*s\",\"source\":\"/sim\","
                              "\"type\":\"%s\"%s%.*s%s,\"data\":%.*s}",
                              STR_ARG(id), type, named ? ",\"subject\":\"" : "", STR_ARG(customer),
                              named ? "\"" : "", STR_ARG(data))};
    struct counted *counted = count_of(&w.sent, id);

    kafka_model_append(&record);
    counted->wanted++;
    if (!sim_strikes(SIM_SOURCE_TWICE, "shop"))
        return;
    kafka_model_append(&record);
    counted->wanted++;
}

static void something(void)
{
    static const char *const types[] = {"a.one", "a.one", "b.two", "b.two", "c.three", "d.four"};
    const char *type = types[draw(6)];
    struct str customer = arena_format(w.arena, "c%d", (int)draw(CUSTOMERS));
    struct str data =
        arena_format(w.arena, "{\"key\":\"T%d\",\"n\":%d}", (int)draw(TAGS), (int)draw(6));

    if (strcmp(type, "a.one") == 0 && draw(2) == 0)
        customer = STR_EMPTY;
    append_event("shop", type, customer, data);
    if (draw(25) == 0) {
        struct str hash = str_of(chain_rules((size_t)draw(CHAIN_RULE_SETS))->hash_hex);

        control_all("attent.identify", CONTROL_ACTIVATE, hash);
        control_all("attent.events", CONTROL_ACTIVATE, hash);
    }
}

static void answer(const struct record *record)
{
    static const char *const codes[] = {"done", "later", "sent"};
    uint64_t code = draw(3);
    struct task task;

    if (!str_is(record_header(record, STR("ce_type")), TASK_CE_TYPE) || draw(4) == 0 ||
        !task_read_json(record->value, w.arena, &task, NULL))
        return;
    append_event("attent.outcomes", OUTCOME_EVENT_TYPE, task.customer,
                 arena_format(w.arena, "{\"task\":\"%.*s\",\"code\":\"%s\",\"final\":%s}",
                              STR_ARG(task.id), codes[code], code == 0 ? "true" : "false"));
}

static void work_queues(void)
{
    struct record page[PAGE];

    for (int q = 0; q < QUEUES; q++) {
        size_t count = kafka_model_read(queues[q], 0, w.desk[q], page, PAGE, &w.desk[q]);

        for (size_t i = 0; i < count; i++)
            answer(&page[i]);
    }
}

static bool is_read(const char *topic, int32_t partitions)
{
    for (int32_t p = 0; p < partitions; p++) {
        int64_t at = kafka_model_committed("attent-ingest", topic, p), next;
        struct record record;

        if (kafka_model_read(topic, p, at < 0 ? 0 : at, &record, 1, &next) > 0)
            return false;
    }
    return true;
}

/* Ingest writes watermarks for ever, so it has to end before all can come to rest. */
static void feed(void *context)
{
    uint64_t count = EVENTS_MIN + draw(EVENTS_MAX - EVENTS_MIN);
    uint64_t gap_ms = 1 + draw(GAP_MS_MAX);

    (void)context;
    control_all("attent.identify", CONTROL_ACTIVATE, str_of(chain_rules(0)->hash_hex));
    control_all("attent.events", CONTROL_ACTIVATE, str_of(chain_rules(0)->hash_hex));
    for (uint64_t i = 0; i < count; i++) {
        something();
        sim_sleep_us((int64_t)draw(gap_ms * 1500) + 1);
        work_queues();
    }
    while (!sim_faults_are_over() || !is_read("shop", SHOP_PARTITIONS) ||
           !is_read("attent.outcomes", 1))
        sim_sleep_us(LOOK_US);
    w.closing = true;
    cluster_fed(&w.cluster);
}

static void nudge(void *context)
{
    struct watermark_part part = {0, sim_now_us() / 1000};
    struct buf json = {0};

    (void)context;
    watermark_put_json(&json, &(struct watermark){.source = STR("shop"),
                                                  .partitions = SHOP_PARTITIONS,
                                                  .parts = &part,
                                                  .part_count = 1});
    control_all("attent.identify", CONTROL_WATERMARK, buf_str(&json));
    control_all("attent.events", CONTROL_WATERMARK, buf_str(&json));
    buf_free(&json);
}

/* --- what is right ----------------------------------------------------------------------------------- */

static void each_record(const char *topic, int32_t partition, int64_t *from,
                        void (*see)(const struct record *record))
{
    struct record page[PAGE];
    size_t count;

    while ((count = kafka_model_read(topic, partition, *from, page, PAGE, from)) > 0)
        for (size_t i = 0; i < count; i++)
            see(&page[i]);
}

/* Written by ingest: with an id, and without a number. */
static void see_event(const struct record *record)
{
    struct str id = record_header(record, STR("ce_id"));

    if (id.len > 0 && id.data[0] == 's' && record_header(record, STR(CHAIN_FROM_HEADER)).len == 0)
        count_of(&w.sent, id)->seen++;
}

static bool ingest_was_exact(struct err *why)
{
    static const char *const targets[] = {"attent.events", "attent.identify"};

    for (int t = 0; t < 2; t++)
        for (int32_t p = 0; p < w.partitions; p++) {
            int64_t from = 0;

            each_record(targets[t], p, &from, see_event);
        }
    for (size_t i = 0; i < w.sent.count; i++) {
        const struct counted *c = &w.sent.items[i];

        if (c->wanted > 0 && c->seen != c->wanted) {
            err_set(why, ERR_STATE, "%s was sent %u times, and came through ingest %u times", c->id,
                    c->wanted, c->seen);
            return false;
        }
    }
    return true;
}

static void see_ledger(const struct record *record)
{
    struct ledger_record read;
    struct counted *task;

    ledger_record_read(record, w.arena, &read, NULL);
    if (read.kind != LEDGER_RECORD_TASK)
        return;
    task = count_of(&w.tasks, read.entry.id);
    task->known = true;
    task->state = read.entry.state;
}

static void see_queue(const struct record *record)
{
    if (str_is(record_header(record, STR("ce_type")), TASK_CE_TYPE))
        count_of(&w.tasks, record_header(record, STR("ce_id")))->seen++;
}

static void see_task(const struct record *record)
{
    if (str_is(record_header(record, STR("ce_type")), TASK_CE_TYPE))
        count_of(&w.tasks, record_header(record, STR("ce_id")))->wanted = 1;
}

static bool has_ended(enum ledger_state state)
{
    return state != LEDGER_PENDING && state != LEDGER_SENDING && state != LEDGER_RECALLING;
}

/* Nobody holds a transaction open in it, behind which a reader would not see what is written. */
static bool is_settled(const char *topic, int32_t partition)
{
    struct kafka_model_bounds bounds = kafka_model_bounds(topic, partition);

    return bounds.stable == bounds.next;
}

static bool dispatch_is_at_rest(void *context)
{
    (void)context;
    for (int q = 0; q < QUEUES; q++)
        if (!is_settled(queues[q], 0))
            return false;
    for (int32_t p = 0; p < w.partitions; p++) {
        int64_t at = kafka_model_committed("attent-dispatch", "attent.tasks", p), next;
        struct record record;

        if (!is_settled("attent.ledger", p) ||
            kafka_model_read("attent.tasks", p, at < 0 ? 0 : at, &record, 1, &next) > 0)
            return false;
        each_record("attent.ledger", p, &w.ledger_next[p], see_ledger);
    }
    for (size_t i = 0; i < w.tasks.count; i++)
        if (w.tasks.items[i].known && !has_ended(w.tasks.items[i].state))
            return false;
    return true;
}

static bool is_right(const struct counted *task)
{
    if (!task->known || task->seen > 1)
        return false;
    switch (task->state) {
    case LEDGER_SENT: return task->seen == 1;
    case LEDGER_FAILED:
    case LEDGER_EXPIRED: return task->seen == 0;
    case LEDGER_UNKNOWN: return false; /* a queue topic is never in doubt */
    case LEDGER_WITHDRAWN: return true;
    case LEDGER_PENDING:
    case LEDGER_SENDING:
    case LEDGER_RECALLING:
    case LEDGER_STATE_COUNT: break;
    }
    return false;
}

static void tell_counts(void)
{
    size_t sent = 0;

    for (size_t i = 0; i < w.tasks.count; i++)
        sent += w.tasks.items[i].state == LEDGER_SENT;
    sim_tell("%zu events came in, %zu tasks were decided, %zu sent", w.sent.count, w.tasks.count,
             sent);
}

static bool dispatch_was_exact(struct err *why)
{
    if (!sim_go(dispatch_is_at_rest, NULL, DISPATCH_US_MAX)) {
        err_set(why, ERR_STATE, "dispatch does not come to the end of its tasks");
        return false;
    }
    for (int32_t p = 0; p < w.partitions; p++) {
        int64_t from = 0;

        each_record("attent.tasks", p, &from, see_task);
    }
    for (int q = 0; q < QUEUES; q++) {
        int64_t from = 0;

        each_record(queues[q], 0, &from, see_queue);
    }
    tell_counts();
    for (size_t i = 0; i < w.tasks.count; i++) {
        const struct counted *task = &w.tasks.items[i];

        if (is_right(task))
            continue;
        err_set(why, ERR_STATE, "task %s is %s in the ledger, and %u times in a queue", task->id,
                task->known ? ledger_state_code(task->state) : "not", task->seen);
        return false;
    }
    return true;
}

/* --- the play ---------------------------------------------------------------------------------------- */

static void make_topics(void)
{
    static const char *const names[] = {"attent.events", "attent.identify", "attent.tasks",
                                        "attent.decisions", "attent.ledger"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        kafka_model_create_topic(names[i], w.partitions, 0);
    kafka_model_create_topic("shop", SHOP_PARTITIONS, 0);
    kafka_model_create_topic("shop.dlq", 1, 0);
    kafka_model_create_topic("attent.identify.dlq", 1, 0);
    kafka_model_create_topic("attent.outcomes", 1, 0);
    for (int q = 0; q < QUEUES; q++)
        kafka_model_create_topic(queues[q], 1, 0);
}

static void add_steps(void)
{
    static const struct worker_source of_identify[] = {{"identify", IDENTIFY_TOPIC_OWN}},
                                      of_decide[] = {{"identify", IDENTIFY_TOPIC_EVENTS},
                                                     {"decide", DECIDE_TOPIC_EVENTS}};

    w.identify = (struct identify_config){.find = chain_rules_identity, .partitions = w.partitions};
    w.decide = (struct decide_config){.find = chain_rules_find, .partitions = w.partitions};
    cluster_add_step(&w.cluster,
                     &(struct cluster_step){
                         .class = &identify_class,
                         .config = &w.identify,
                         .input = "attent.identify",
                         .outputs = {"attent.events", "attent.identify", "attent.identify.dlq"},
                         .sources = of_identify,
                         .source_count = 1,
                         .processes = 1});
    cluster_add_step(
        &w.cluster,
        &(struct cluster_step){.class = &decide_class,
                               .config = &w.decide,
                               .input = "attent.events",
                               .outputs = {"attent.tasks", "attent.decisions", "attent.events"},
                               .sources = of_decide,
                               .source_count = 2,
                               .processes = 1 + (int)draw(2)});
}

static void start_edges(void)
{
    uint64_t count = 1 + draw(2);

    for (uint64_t i = 0; i < count; i++) {
        snprintf(w.ids[i], sizeof w.ids[i], "ingest-%d", (int)i);
        sim_spawn("ingest", run_ingest, w.ids[i], true);
        snprintf(w.ids[2 + i], sizeof w.ids[i], "dispatch-%d", (int)i);
        sim_spawn("dispatch", run_dispatch, w.ids[2 + i], true);
    }
}

void whole_play_prepare(void)
{
    chain_rules_prepare();
    whole_settings_prepare();
}

bool whole_play(const struct sim_plan *plan, struct err *why)
{
    struct sim_plan own = *plan;
    bool well;

    w = (struct world){.arena = arena_new(0)};
    own.chance[SIM_WRONG_CLOCK] = 0; /* dispatch goes by the clock of its machine */
    cluster_open(&w.cluster, &own);
    w.rng = rng_seeded(rng_next(sim_rng()));
    w.partitions = 1 + (int32_t)draw(PARTITIONS_MAX);
    make_topics();
    add_steps();
    start_edges();
    cluster_start(&w.cluster);
    cluster_feed(&w.cluster, feed, NULL);
    well = cluster_settle(&w.cluster, nudge, NULL, why) && ingest_was_exact(why) &&
           dispatch_was_exact(why) && cluster_rest(&w.cluster, why) &&
           oracle_compare(&w.cluster, why);
    cluster_close(&w.cluster);
    arena_free(w.arena);
    return well;
}
