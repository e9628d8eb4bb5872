/* Events of a few customers and aliases, as ingest would write them; agents who answer what comes out; rules
 * that change; customers who are merged and erased.  An event without a customer goes through
 * identify first.
 */
#include <stdio.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "processors/decide/decide.h"
#include "processors/identify/identify.h"
#include "schemas/binding.h"
#include "schemas/chain.h"
#include "schemas/control.h"
#include "schemas/event.h"
#include "schemas/task.h"
#include "schemas/watermark.h"
#include "tests/sim/chain_rules.h"
#include "tests/sim/kafka_model.h"
#include "tests/sim/oracle.h"
#include "tests/sim/steps_play.h"

enum {
    CUSTOMERS = 6,
    TAGS = 5,
    PARTITIONS_MAX = 3,
    EVENTS_MIN = 10,
    EVENTS_MAX = 90,
    GAP_MS_MAX = 900,
    LATE_MS_MAX = 3000,
    AGENT_US = 700000,
    AGENT_PAGE = 64,
    WATERMARK_MS = 4000,
};

static const char events_topic[] = "attent.events", identify_topic[] = "attent.identify",
                  tasks_topic[] = "attent.tasks";

struct world {
    struct cluster cluster;
    int32_t partitions;
    struct identify_config identify;
    struct decide_config decide;
    struct rng rng;
    struct arena *arena;
    uint64_t events;
    bool fed; /* agents have nothing more to wait for */
};

static int64_t now_ms(void)
{
    return sim_now_us() / 1000;
}

static uint64_t draw(struct world *w, uint64_t below)
{
    return rng_below(&w->rng, below);
}

/* --- what is written ---------------------------------------------------------------------------------- */

static void append(struct world *w, const struct record *record)
{
    (void)w;
    kafka_model_append(record);
    if (sim_strikes(SIM_SOURCE_TWICE, "event"))
        kafka_model_append(record);
}

static void control_all(struct world *w, const char *topic, const char *what, struct str value)
{
    const struct header header = {STR(CONTROL_HEADER), str_of(what)};

    for (int32_t p = 0; p < w->partitions; p++)
        kafka_model_append(&(struct record){.topic = str_of(topic),
                                            .partition = p,
                                            .timestamp_ms = now_ms(),
                                            .value = value,
                                            .headers = &header,
                                            .header_count = 1});
}

/* In both topics, as `attent activate` does. */
static void activate(struct world *w, size_t set)
{
    struct str hash = str_of(chain_rules(set)->hash_hex);

    control_all(w, identify_topic, CONTROL_ACTIVATE, hash);
    control_all(w, events_topic, CONTROL_ACTIVATE, hash);
}

static void say_watermark(struct world *w)
{
    struct watermark_part part = {0, now_ms() - (int64_t)draw(w, WATERMARK_MS)};
    struct buf json = {0};

    watermark_put_json(
        &json, &(struct watermark){
                   .source = STR("shop"), .partitions = 1, .parts = &part, .part_count = 1});
    control_all(w, draw(w, 2) == 0 ? identify_topic : events_topic, CONTROL_WATERMARK,
                buf_str(&json));
    buf_free(&json);
}

/* customer: empty = it names only an alias, and goes to identify with that as its key. */
static void append_event(struct world *w, const char *type, struct str customer, struct str alias,
                         const char *kind, struct str data)
{
    struct event event = {.id = arena_format(w->arena, "e%llu", (unsigned long long)++w->events),
                          .source = STR("shop"),
                          .type = str_of(type),
                          .subject = customer,
                          .time_ms = now_ms() - (int64_t)draw(w, LATE_MS_MAX)};
    struct header *headers, *all;
    size_t count = event_headers(&event, w->arena, &headers);
    bool aliased = customer.len == 0;

    all = ARENA_ARRAY(w->arena, struct header, count + 2);
    memcpy(all, headers, count * sizeof *headers);
    if (aliased) {
        all[count++] = (struct header){STR(IDENTIFY_HEADER), str_of(kind)};
        all[count++] = (struct header){STR(ORIGIN_HEADER), STR("shop/0/1")};
    }
    append(w, &(struct record){.topic = str_of(aliased ? identify_topic : events_topic),
                               .partition = -1,
                               .timestamp_ms = now_ms(),
                               .key = aliased ? alias : customer,
                               .value = data,
                               .headers = all,
                               .header_count = count});
}

static void append_binding(struct world *w, enum identify_kind kind, struct str customer,
                           struct str alias)
{
    const struct header header = {STR(IDENTIFY_HEADER), str_of(identify_kind_text(kind))};
    struct binding binding = {.customer = customer, .at_ms = now_ms() - 100};
    struct buf json = {0};

    binding_put_json(&json, &binding);
    append(w, &(struct record){.topic = str_of(identify_topic),
                               .partition = -1,
                               .timestamp_ms = now_ms(),
                               .key = alias,
                               .value = buf_str(&json),
                               .headers = &header,
                               .header_count = 1});
    buf_free(&json);
}

/* --- what happens --------------------------------------------------------------------------------------- */

static struct str a_customer(struct world *w)
{
    return arena_format(w->arena, "c%d", (int)draw(w, CUSTOMERS));
}

static struct str a_tag(struct world *w)
{
    return arena_format(w->arena, "tag:T%d", (int)draw(w, TAGS));
}

static void usual_event(struct world *w)
{
    static const char *const types[] = {"a.one", "a.one", "b.two", "b.two", "c.three"};
    struct str data =
        arena_format(w->arena, "{\"key\":\"K%d\",\"n\":%d}", (int)draw(w, 3), (int)draw(w, 6));
    bool aliased = draw(w, 3) == 0;

    append_event(w, types[draw(w, 5)], aliased ? STR_EMPTY : a_customer(w), a_tag(w),
                 draw(w, 8) == 0 ? "last-event" : "event", data);
}

static void consent_event(struct world *w)
{
    static const char *const data[] = {"{}", "{\"channel\":\"chat\"}",
                                       "{\"purpose\":\"commercial\"}",
                                       "{\"purpose\":\"service\",\"channel\":\"phone\"}"};

    append_event(w, draw(w, 3) == 0 ? "consent.withdrawn" : "consent.given", a_customer(w),
                 STR_EMPTY, "", str_of(data[draw(w, 4)]));
}

/* Ingest tells identify as well. */
static void end_of_customer(struct world *w)
{
    struct str customer = a_customer(w), into = a_customer(w);
    bool merged = draw(w, 2) == 0 && !str_equal(customer, into);
    const struct header header = {
        STR(IDENTIFY_HEADER),
        str_of(identify_kind_text(merged ? IDENTIFY_MERGED : IDENTIFY_ERASED))};
    struct binding binding = {.customer = customer, .at_ms = now_ms()};
    struct buf json = {0};
    struct str data = STR("{}");

    if (merged) {
        binding.to = into;
        data = arena_format(w->arena, "{\"from\":\"%.*s\",\"into\":\"%.*s\"}", STR_ARG(customer),
                            STR_ARG(into));
    }
    append_event(w, merged ? "customer.merged" : "customer.erased", customer, STR_EMPTY, "", data);
    binding_put_json(&json, &binding);
    append(w, &(struct record){.topic = str_of(identify_topic),
                               .partition = -1,
                               .timestamp_ms = now_ms(),
                               .key = binding_customer_key(customer, w->arena),
                               .value = buf_str(&json),
                               .headers = &header,
                               .header_count = 1});
    buf_free(&json);
}

static void something(struct world *w)
{
    uint64_t what = draw(w, 100);

    if (what < 62)
        usual_event(w);
    else if (what < 78)
        append_binding(w, draw(w, 5) == 0 ? IDENTIFY_UNBIND : IDENTIFY_BIND, a_customer(w),
                       a_tag(w));
    else if (what < 86)
        consent_event(w);
    else if (what < 94)
        say_watermark(w);
    else if (what < 97)
        activate(w, (size_t)draw(w, CHAIN_RULE_SETS));
    else
        end_of_customer(w);
}

/* As ingest does every few seconds. */
static void nudge(void *context)
{
    struct watermark_part part = {0, now_ms()};
    struct buf json = {0};

    watermark_put_json(
        &json, &(struct watermark){
                   .source = STR("shop"), .partitions = 1, .parts = &part, .part_count = 1});
    control_all(context, identify_topic, CONTROL_WATERMARK, buf_str(&json));
    control_all(context, events_topic, CONTROL_WATERMARK, buf_str(&json));
    buf_free(&json);
}

static void feed(void *context)
{
    struct world *w = context;
    uint64_t count = EVENTS_MIN + draw(w, EVENTS_MAX - EVENTS_MIN);
    uint64_t gap_ms = 1 + draw(w, GAP_MS_MAX);

    activate(w, 0);
    for (uint64_t i = 0; i < count; i++) {
        something(w);
        if (draw(w, 3) != 0)
            sim_sleep_us((int64_t)draw(w, gap_ms * 2000) + 1);
    }
    w->fed = true;
    cluster_fed(&w->cluster);
}

/* --- agents ------------------------------------------------------------------------------------------------ */

struct desk { /* who works the tasks of one partition */
    int64_t next;
    struct taken taken;
};

static void answer(struct world *w, struct str task_json)
{
    static const char *const codes[] = {"done", "later", "sent"};
    struct str data;
    struct task task;
    uint64_t code = draw(w, 3);

    if (draw(w, 4) == 0 || !task_read_json(task_json, w->arena, &task, NULL))
        return;
    data = arena_format(w->arena, "{\"task\":\"%.*s\",\"code\":\"%s\",\"final\":%s}",
                        STR_ARG(task.id), codes[code], code == 0 ? "true" : "false");
    append_event(w, OUTCOME_EVENT_TYPE, task.customer, STR_EMPTY, "", data);
}

static void take_task(struct world *w, struct desk *desk, const struct record *record)
{
    struct taken_source source;
    struct buf scratch = {0};

    if (taken_look(&desk->taken, record, &scratch, &source, NULL) == TAKEN_NEXT) {
        taken_advance(&desk->taken, &source);
        if (str_is(record_header(record, STR("ce_type")), TASK_CE_TYPE))
            answer(w, record->value);
    }
    buf_free(&scratch);
}

static void work_tasks(void *context)
{
    struct world *w = context;
    struct desk desks[PARTITIONS_MAX] = {0};
    struct record page[AGENT_PAGE];

    while (!w->fed) {
        sim_sleep_us(1 + (int64_t)draw(w, AGENT_US));
        for (int32_t p = 0; p < w->partitions; p++) {
            size_t count =
                kafka_model_read(tasks_topic, p, desks[p].next, page, AGENT_PAGE, &desks[p].next);

            for (size_t i = 0; i < count; i++)
                take_task(w, &desks[p], &page[i]);
        }
    }
    for (int32_t p = 0; p < w->partitions; p++)
        taken_free(&desks[p].taken);
    cluster_fed(&w->cluster);
}

/* --- the play ------------------------------------------------------------------------------------------- */

static void make_topics(struct world *w)
{
    static const char *const names[] = {events_topic, identify_topic, tasks_topic,
                                        "attent.decisions"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        kafka_model_create_topic(names[i], w->partitions, 0);
    kafka_model_create_topic("attent.identify.dlq", 1, 0);
}

static void add_steps(struct world *w)
{
    static const struct worker_source of_identify[] = {{"identify", IDENTIFY_TOPIC_OWN}},
                                      of_decide[] = {{"identify", IDENTIFY_TOPIC_EVENTS},
                                                     {"decide", DECIDE_TOPIC_EVENTS}};

    w->identify =
        (struct identify_config){.find = chain_rules_identity, .partitions = w->partitions};
    w->decide = (struct decide_config){.find = chain_rules_find, .partitions = w->partitions};
    cluster_add_step(&w->cluster, &(struct cluster_step){.class = &identify_class,
                                                         .config = &w->identify,
                                                         .input = identify_topic,
                                                         .outputs = {events_topic, identify_topic,
                                                                     "attent.identify.dlq"},
                                                         .sources = of_identify,
                                                         .source_count = 1,
                                                         .processes = 1 + (int)draw(w, 2)});
    cluster_add_step(&w->cluster, &(struct cluster_step){
                                      .class = &decide_class,
                                      .config = &w->decide,
                                      .input = events_topic,
                                      .outputs = {tasks_topic, "attent.decisions", events_topic},
                                      .sources = of_decide,
                                      .source_count = 2,
                                      .processes = 1 + (int)draw(w, 3)});
}

bool chain_play(const struct sim_plan *plan, struct err *why)
{
    struct world w = {.arena = arena_new(0)};
    bool well;

    cluster_open(&w.cluster, plan);
    w.rng = rng_seeded(rng_next(sim_rng()));
    w.partitions = 1 + (int32_t)draw(&w, PARTITIONS_MAX);
    make_topics(&w);
    add_steps(&w);
    cluster_start(&w.cluster);
    cluster_feed(&w.cluster, feed, &w);
    cluster_feed(&w.cluster, work_tasks, &w);
    well = cluster_settle(&w.cluster, nudge, &w, why) && oracle_compare(&w.cluster, why);
    cluster_close(&w.cluster);
    arena_free(w.arena);
    return well;
}
