/* Each record of a source has a number, and what is made of it names that number: so of each partition of a
 * target two lists are compared, for each partition of a source. */
#include "tests/sim/ingest_play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/check.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/mem.h"
#include "processors/ingest/ingest.h"
#include "schemas/control.h"
#include "schemas/watermark.h"
#include "tests/sim/kafka_model.h"

#define EVENTS   "attent.events"
#define IDENTIFY "attent.identify"
#define DLQ      "sources.dlq"
#define GROUP    "attent-ingest"

enum {
    SOURCES = 2,
    SOURCE_PARTITIONS = 3,
    WAYS = SOURCES * SOURCE_PARTITIONS, /* partitions of sources */
    TARGETS = 3,
    TARGET_PARTITIONS = 3,
    MEMBERS_MAX = 3,
    RECORDS_MAX = 200,
    CUSTOMERS = 7,
    READ_MAX = 64,
    REST_US = 120000000,   /* it comes to rest within that time after faults end */
    QUIET_US = 40000000,   /* and then nothing happens any more */
    BROKER_GONE_TIMES = 5, /* ingest asks little of Kafka */
};

static const char *const topics[SOURCES] = {"crm", "cars"};
static const char *const targets[TARGETS] = {EVENTS, IDENTIFY, DLQ};

struct written { /* a record of a source */
    int64_t at_us;
    unsigned number;
    int way; /* its source and partition */
    struct record record;
};

struct list { /* of numbers */
    unsigned *items;
    size_t count, capacity;
};

static struct {
    struct arena *arena, *types_arena;
    struct ingest_source sources[SOURCES];
    struct ingest_config config;
    char ids[MEMBERS_MAX][16];
    struct written records[RECORDS_MAX];
    size_t count, written;
    int way_of[RECORDS_MAX]; /* by number */
    int64_t at_ms[RECORDS_MAX];
    bool clocks_are_right;
    struct list expected[TARGETS][TARGET_PARTITIONS][WAYS];
    struct list found[TARGETS][TARGET_PARTITIONS][WAYS];
    struct err *why;
} play;

static uint64_t below(uint64_t bound)
{
    return rng_below(sim_rng(), bound);
}

static void add(struct list *list, unsigned number)
{
    MEM_RESERVE(list->items, list->count, list->capacity);
    list->items[list->count++] = number;
}

/* --- sources ------------------------------------------------------------------------------------- */

static void expect(int target, struct str key, int way, unsigned number)
{
    int32_t partition = target == 2 ? 0 : hash_kafka_partition(key, TARGET_PARTITIONS);

    add(&play.expected[target][partition][way], number);
}

static struct str event(unsigned number, const char *type, const char *subject, const char *data)
{
    return arena_format(play.arena,
                        "{\"specversion\":\"1.0\",\"id\":\"%u\",\"source\":\"/sim\",\"type\":\"%s\""
                        "%s%s%s,\"data\":%s}",
                        number, type, subject[0] != '\0' ? ",\"subject\":\"" : "", subject,
                        subject[0] != '\0' ? "\"" : "", data);
}

/* One of four kinds; what becomes of it. */
static struct str draw_value(unsigned number, uint64_t kind, int way, unsigned times)
{
    const char *customer = arena_format(play.arena, "c%d", (int)(number % CUSTOMERS)).data;
    const char *vin = arena_format(play.arena, "%u", number).data;
    const char *data = arena_format(play.arena, "{\"vin\":\"%s\"}", vin).data;
    struct str key = arena_format(play.arena, "vin:%s", vin);

    for (unsigned i = 0; i < times; i++) {
        if (kind < 5 || kind == 9)
            expect(0, str_of(customer), way, number);
        if (kind >= 5 && kind < 8)
            expect(1, key, way, number);
        if (kind == 9)
            expect(1, key, way, number);
        if (kind == 8)
            expect(2, STR_EMPTY, way, number);
    }
    switch (kind) {
    case 5:
    case 6:
    case 7: return event(number, "car.moved", "", data);
    case 8: return arena_format(play.arena, "<no event %u/>", number);
    case 9: return event(number, "car.taken", customer, data);
    default: return event(number, "order.placed", customer, "{}");
    }
}

static void draw_record(unsigned number, int64_t at_us)
{
    int way = (int)below(WAYS);
    unsigned times = below(10) == 0 ? 2 : 1;
    const struct record record = {.topic = str_of(topics[way / SOURCE_PARTITIONS]),
                                  .partition = way % SOURCE_PARTITIONS,
                                  .timestamp_ms = at_us / 1000,
                                  .value = draw_value(number, below(10), way, times)};

    play.way_of[number] = way;
    play.at_ms[number] = record.timestamp_ms;
    for (unsigned i = 0; i < times; i++)
        play.records[play.count++] = (struct written){at_us, number, way, record};
}

/* In bursts and drops. */
static void draw_records(int64_t spread_us)
{
    size_t count = 10 + below(RECORDS_MAX / 2 - 10);
    int64_t at_us = sim_now_us();

    for (unsigned number = 0; number < count; number++) {
        at_us += below(3) == 0 ? (int64_t)below(6 * (uint64_t)spread_us / count) : 0;
        draw_record(number, at_us);
    }
}

static bool go_on(void)
{
    for (; play.written < play.count; play.written++) {
        if (play.records[play.written].at_us > sim_now_us())
            return false;
        kafka_model_append(&play.records[play.written].record);
    }
    return true;
}

/* --- ingest -------------------------------------------------------------------------------------- */

static void configure(void)
{
    static struct alias_kind kinds[] = {{.name = {"vin", 3}, .form = ALIAS_UPPER}};
    static struct alias_field vin = {0, {"/vin", 4}};
    static struct alias_use uses[] = {{.type = {"car.moved", 9}, .looks_up = {&vin, 1}},
                                      {.type = {"car.taken", 9}, .binds = {&vin, 1}}};
    static const struct identity identity = {kinds, 1, uses, 2};
    static const struct event_type_file files[] = {{"car.moved.json", STR("{}")},
                                                   {"car.taken.json", STR("{}")},
                                                   {"order.placed.json", STR("{}")}};
    struct diags diags = {0};

    if (play.types_arena != NULL)
        return;
    play.types_arena = arena_new(0);
    for (int i = 0; i < SOURCES; i++)
        play.sources[i] = (struct ingest_source){.topic = topics[i],
                                                 .dlq_topic = DLQ,
                                                 .format = &cloudevents_format,
                                                 .max_silence_ms = 60000,
                                                 .by_alias = i == 1};
    play.config =
        (struct ingest_config){.kafka = {.brokers = "sim", .client_id = "sim"},
                               .group = GROUP,
                               .sources = play.sources,
                               .source_count = SOURCES,
                               .events_topic = EVENTS,
                               .identify_topic = IDENTIFY,
                               .identity = &identity,
                               .types = event_types_read(files, 3, play.types_arena, &diags),
                               .watermark_interval_ms = 500,
                               .wall_ms = clock_wall_ms};
    CHECK(play.config.types != NULL);
}

static void run_ingest(void *context)
{
    struct ingest_config config = play.config;
    struct ingest *ingest;
    struct err err;

    config.transactional_id = context;
    while (ingest_open(&config, &ingest, &err) != ERR_NONE) {
        sim_tell("cannot start: %s", err.text);
        sim_sleep_us(500000);
    }
    for (;;) {
        err = (struct err){0};
        if (ingest_poll(ingest, 1000, NULL, &err) != ERR_NONE)
            sim_tell("%s", err.text);
    }
}

static void open_world(const struct sim_plan *plan)
{
    configure();
    play.clocks_are_right = plan->chance[SIM_WRONG_CLOCK] <= 0;
    play.arena = arena_new(0);
    play.count = play.written = 0;
    kafka_model_open();
    for (int i = 0; i < SOURCES; i++)
        kafka_model_create_topic(topics[i], SOURCE_PARTITIONS, 0);
    for (int i = 0; i < TARGETS; i++)
        kafka_model_create_topic(targets[i], i == 2 ? 1 : TARGET_PARTITIONS, 0);
    draw_records(plan->faults_us / 2 + (int64_t)below((uint64_t)plan->faults_us));
    for (uint64_t i = 0, count = 1 + below(MEMBERS_MAX); i < count; i++) {
        snprintf(play.ids[i], sizeof play.ids[i], "ingest-%d", (int)i);
        sim_spawn("ingest", run_ingest, play.ids[i], true);
    }
}

static void close_lists(struct list lists[TARGETS][TARGET_PARTITIONS][WAYS])
{
    for (int t = 0; t < TARGETS; t++)
        for (int p = 0; p < TARGET_PARTITIONS; p++)
            for (int way = 0; way < WAYS; way++) {
                mem_free(lists[t][p][way].items);
                lists[t][p][way] = (struct list){0};
            }
}

static void close_world(void)
{
    kafka_model_close();
    close_lists(play.expected);
    close_lists(play.found);
    arena_free(play.arena);
}

/* --- what is right ----------------------------------------------------------------------------------- */

static bool is_at_rest(void *context)
{
    (void)context;
    if (!go_on())
        return false;
    for (int way = 0; way < WAYS; way++) {
        const char *topic = topics[way / SOURCE_PARTITIONS];
        int32_t partition = way % SOURCE_PARTITIONS;
        int64_t end = kafka_model_bounds(topic, partition).next;

        if (end > 0 && kafka_model_committed(GROUP, topic, partition) < end)
            return false;
    }
    return true;
}

static bool never(void *context)
{
    (void)context;
    return false;
}

/* The number that a record names; false: it is a watermark. */
static bool number_of(const struct record *record, unsigned *number)
{
    struct str text = record_header(record, STR("ce_id"));

    if (record_header(record, STR(CONTROL_HEADER)).len != 0)
        return false;
    if (str_starts(record->value, STR("<no event ")))
        text = str_slice(record->value, sizeof "<no event " - 1, record->value.len);
    else if (text.len == 0) /* a binding */
        text = str_slice(record->key, sizeof "vin:" - 1, record->key.len);
    *number = 0;
    for (size_t i = 0; i < text.len && text.data[i] >= '0' && text.data[i] <= '9'; i++)
        *number = *number * 10 + (unsigned)(text.data[i] - '0');
    CHECK(*number < RECORDS_MAX);
    return true;
}

/* How far each partition of a source has been read, as a watermark says. */
static void take_watermark(const struct record *record, int64_t until_ms[WAYS])
{
    struct watermark w;

    CHECK(watermark_read_json(record->value, play.arena, &w, NULL));
    for (size_t i = 0; i < w.part_count; i++) {
        int way = (str_is(w.source, topics[1]) ? SOURCE_PARTITIONS : 0) + w.parts[i].partition;

        if (w.parts[i].until_ms > until_ms[way])
            until_ms[way] = w.parts[i].until_ms;
    }
}

/* None behind it is older. */
static void hold_against(const struct record *record, unsigned number, const int64_t until_ms[WAYS])
{
    int64_t said_ms = until_ms[play.way_of[number]];

    if (play.clocks_are_right && play.at_ms[number] < said_ms)
        err_set(play.why, ERR_STATE,
                "%.*s/%d: record %u comes %lld ms behind a watermark that is later",
                STR_ARG(record->topic), record->partition, number,
                (long long)(said_ms - play.at_ms[number]));
}

static void read_target(int target, int32_t partition)
{
    struct record records[READ_MAX];
    int64_t next = 0, until_ms[WAYS] = {0};
    unsigned number;
    size_t count;

    do {
        count = kafka_model_read(targets[target], partition, next, records, READ_MAX, &next);
        for (size_t i = 0; i < count; i++)
            if (number_of(&records[i], &number)) {
                add(&play.found[target][partition][play.way_of[number]], number);
                hold_against(&records[i], number, until_ms);
            } else {
                take_watermark(&records[i], until_ms);
            }
    } while (count != 0);
}

static bool compare(int target, int32_t partition, int way)
{
    const struct list *expected = &play.expected[target][partition][way];
    const struct list *found = &play.found[target][partition][way];
    size_t i = 0;

    while (i < expected->count && i < found->count && expected->items[i] == found->items[i])
        i++;
    if (i == expected->count && i == found->count)
        return true;
    err_set(play.why, ERR_STATE,
            "%s/%d has %zu records of %s/%d and should have %zu; number %zu is %d, not %d",
            targets[target], partition, found->count, topics[way / SOURCE_PARTITIONS],
            way % SOURCE_PARTITIONS, expected->count, i,
            i < found->count ? (int)found->items[i] : -1,
            i < expected->count ? (int)expected->items[i] : -1);
    return false;
}

static bool check_all(void)
{
    for (int target = 0; target < TARGETS; target++)
        for (int32_t p = 0; p < (target == 2 ? 1 : TARGET_PARTITIONS); p++) {
            read_target(target, p);
            for (int way = 0; way < WAYS; way++)
                if (!compare(target, p, way))
                    return false;
        }
    return play.why->code == ERR_NONE;
}

static bool run(const struct sim_plan *plan)
{
    if (!sim_go(is_at_rest, NULL, 3 * plan->faults_us + REST_US)) {
        err_set(play.why, ERR_STATE, "ingest does not come to the end of its sources");
        return false;
    }
    sim_go(never, NULL, QUIET_US);
    return check_all();
}

bool ingest_play(const struct sim_plan *plan, struct err *why)
{
    static struct sim_plan own; /* strikes are looked at after the run */
    bool right;

    *why = (struct err){0};
    play.why = why;
    own = *plan;
    own.chance[SIM_BROKER_GONE] *= BROKER_GONE_TIMES;
    own.watch = (struct sim_watch){.died = kafka_model_process_died,
                                   .stopped = kafka_model_process_stopped};
    sim_begin(&own);
    open_world(&own);
    right = run(&own);
    sim_end();
    close_world();
    return right;
}
