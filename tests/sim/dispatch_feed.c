#include "tests/sim/dispatch_feed.h"

#include <stdlib.h>

#include "core/check.h"
#include "core/mem.h"
#include "tests/sim/kafka_model.h"
#include "tests/sim/sim.h"
#include "tests/support/sample.h"

enum {
    SOURCES = 2,
    CUSTOMERS = 6,
    RECORDS_MAX = 4 * FEED_TASKS_MAX,
    WRITES_MAX = 6 * RECORDS_MAX,
    SECOND_US = 1000000,
};

struct logical { /* a record as its source means it */
    unsigned source, customer;
    int64_t at_us;
    enum { FEED_TASK, FEED_WITHDRAWAL, FEED_PERMISSION, FEED_FORGED } kind;
    unsigned task;
    struct record record;
    uint64_t number;
};

struct write {
    int64_t at_us;
    size_t order, logical;
};

static struct {
    struct arena *arena;
    int64_t spread_us;
    enum receiver favourite; /* of this run: it gets more than half */
    struct feed_task tasks[FEED_TASKS_MAX];
    size_t task_count;
    struct logical records[RECORDS_MAX];
    size_t record_count;
    struct write writes[WRITES_MAX];
    size_t write_count, written;
    uint64_t taken[FEED_PARTITIONS][SOURCES]; /* what a reader of all of it would have taken */
    unsigned taken_tasks;
} feed;

static uint64_t below(uint64_t bound)
{
    return rng_below(sim_rng(), bound);
}

static bool one_in(uint64_t chance)
{
    return below(chance) == 0;
}

/* --- what is meant ------------------------------------------------------------------------------- */

static struct logical *add(unsigned task, int64_t at_us)
{
    struct logical *l = &feed.records[feed.record_count++];

    CHECK(feed.record_count <= RECORDS_MAX);
    *l = (struct logical){.customer = feed.tasks[task].customer, .task = task, .at_us = at_us};
    l->source = l->customer % SOURCES;
    return l;
}

static struct str customer_name(unsigned customer)
{
    return arena_format(feed.arena, "C-%u", customer);
}

static struct str id_of(unsigned number)
{
    char id[8];

    receiver_put_id(number, id);
    return arena_str(feed.arena, str_of(id));
}

/* Most go at once; some wait for a window, some have hardly time. */
static void draw_times(struct task *task, int64_t now_ms)
{
    task->created_ms = now_ms;
    task->deadline_ms = now_ms + (one_in(8) ? 5000 + (int64_t)below(20000) : INT64_C(86400000));
    if (!one_in(4))
        return;
    task->windows = ARENA_ARRAY(feed.arena, struct task_window, 1);
    task->windows[0] = (struct task_window){now_ms + 1000 + (int64_t)below(40000), INT64_MAX / 2};
    task->windows[0].to_ms = task->windows[0].from_ms + 3600000;
    task->window_count = 1;
}

static struct record task_record(unsigned number, int64_t at_us)
{
    struct feed_task *t = &feed.tasks[number];
    struct task task = sample_task(id_of(number).data);

    task.customer = customer_name(t->customer);
    task.queue = STR(FEED_QUEUE);
    task.channel = t->by_phone ? STR("phone") : str_of(receiver_name(t->receiver));
    task.at_least_once = t->at_least_once;
    draw_times(&task, at_us / 1000);
    t->waits = task.window_count != 0;
    return sample_task_record(&task, feed.arena);
}

static struct record withdrawal_record(unsigned number, int64_t at_us)
{
    const struct feed_task *t = &feed.tasks[number];
    struct withdrawal w = sample_withdrawal(id_of(number).data);

    w.customer = customer_name(t->customer);
    w.queue = STR(FEED_QUEUE);
    w.channel = t->by_phone ? STR("phone") : str_of(receiver_name(t->receiver));
    w.created_ms = at_us / 1000;
    return sample_withdrawal_record(&w, feed.arena);
}

static struct record permission_record(unsigned customer, int64_t at_us)
{
    const struct permission p = {.customer = customer_name(customer),
                                 .because = STR("consent.withdrawn"),
                                 .created_ms = at_us / 1000};
    struct header *headers = ARENA_ARRAY(feed.arena, struct header, 2);
    struct buf json = {0};
    struct record record = {
        .topic = STR(FEED_TOPIC), .timestamp_ms = at_us / 1000, .key = p.customer};

    permission_put_json(&json, &p);
    record.value = arena_str(feed.arena, buf_str(&json));
    buf_free(&json);
    headers[0] = (struct header){STR("ce_type"), STR(PERMISSION_CE_TYPE)};
    headers[1] = (struct header){STR("ce_id"), arena_format(feed.arena, "p%lld", (long long)at_us)};
    record.headers = headers;
    record.header_count = 2;
    return record;
}

static void draw_task(unsigned number)
{
    struct feed_task *t = &feed.tasks[number];
    int64_t at_us = sim_now_us() + (int64_t)below((uint64_t)feed.spread_us);
    struct logical *l;

    *t = (struct feed_task){.by_phone = one_in(4),
                            .receiver =
                                one_in(2) ? feed.favourite : (enum receiver)below(RECEIVER_COUNT),
                            .customer = (unsigned)below(CUSTOMERS),
                            .withdrawn_us = INT64_MAX};
    t->at_least_once = !t->by_phone && t->receiver == RECEIVER_ONCE && one_in(2);
    l = add(number, at_us);
    l->record = task_record(number, at_us);
    if (!one_in(3))
        return;
    l = add(number, at_us + (int64_t)below(one_in(2) ? SECOND_US / 2 : (uint64_t)feed.spread_us));
    l->kind = FEED_WITHDRAWAL;
    l->record = withdrawal_record(number, l->at_us);
}

static void draw_permission(void)
{
    struct logical *l = add(0, sim_now_us() + (int64_t)below((uint64_t)feed.spread_us));

    l->kind = FEED_PERMISSION;
    l->customer = (unsigned)below(CUSTOMERS);
    l->source = l->customer % SOURCES;
    l->record = permission_record(l->customer, l->at_us);
}

/* The last of its source: nobody goes on behind it. */
static void draw_forged(void)
{
    unsigned number = (unsigned)feed.task_count++;
    struct logical *l;

    feed.tasks[number] =
        (struct feed_task){.by_phone = one_in(2), .forged = true, .withdrawn_us = INT64_MAX};
    l = add(number, sim_now_us() + 4 * feed.spread_us);
    l->kind = FEED_FORGED;
    l->record = task_record(number, sim_now_us() + feed.spread_us);
}

static int by_time(const void *a, const void *b)
{
    const struct logical *x = a, *y = b;

    return x->at_us != y->at_us ? (x->at_us < y->at_us ? -1 : 1) : (int)x->task - (int)y->task;
}

static void number_records(void)
{
    struct chain chains[FEED_PARTITIONS][SOURCES] = {{{0}}};

    for (size_t i = 0; i < feed.record_count; i++) {
        struct logical *l = &feed.records[i];
        struct str value = l->record.value;
        int32_t p = hash_kafka_partition(l->record.key, FEED_PARTITIONS);
        struct chain *chain = &chains[p][l->source];

        l->record.topic = STR(FEED_TOPIC);
        l->record.partition = p;
        if (l->kind == FEED_FORGED) /* what it says is not what was numbered */
            l->record.value = STR("{}");
        l->record = sample_numbered(
            l->record, chain, arena_format(feed.arena, "decide/%u", l->source).data, 1, feed.arena);
        l->record.value = value;
        l->number = chain->number;
    }
}

/* --- what is written ------------------------------------------------------------------------------ */

static void write_at(int64_t at_us, size_t logical)
{
    CHECK(feed.write_count < WRITES_MAX);
    feed.writes[feed.write_count] = (struct write){at_us, feed.write_count, logical};
    feed.write_count++;
}

static int by_turn(const void *a, const void *b)
{
    const struct write *x = a, *y = b;

    if (x->at_us != y->at_us)
        return x->at_us < y->at_us ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

/* The life of a source: it dies, and writes again from where its state was. */
static void draw_writes(unsigned source)
{
    size_t mine[RECORDS_MAX], count = 0, i = 0;
    int64_t at_us = sim_now_us();

    for (size_t at = 0; at < feed.record_count; at++)
        if (feed.records[at].source == source)
            mine[count++] = at;
    while (i < count) {
        if (feed.records[mine[i]].at_us > at_us)
            at_us = feed.records[mine[i]].at_us;
        write_at(at_us, mine[i++]);
        if (feed.write_count > WRITES_MAX / 2)
            continue;
        if (one_in(8)) /* of one who does not know yet that he was replaced */
            write_at(at_us, mine[i - 1 - below(i)]);
        if (!one_in(6) || i == count)
            continue;
        if (i + 1 < count && feed.records[mine[i + 1]].kind != FEED_FORGED && one_in(2))
            write_at(at_us, mine[i + 1]); /* the one before it is lost */
        at_us += (int64_t)below(8 * SECOND_US);
        i -= below(i < 5 ? i + 1 : 6);
    }
}

void feed_draw(struct arena *arena, int64_t spread_us)
{
    size_t tasks = 4 + below(FEED_TASKS_MAX - 8);

    memset(&feed, 0, sizeof feed);
    feed.arena = arena;
    feed.spread_us = spread_us;
    feed.favourite = (enum receiver)below(RECEIVER_COUNT);
    for (feed.task_count = 0; feed.task_count < tasks; feed.task_count++)
        draw_task((unsigned)feed.task_count);
    for (uint64_t i = below(3); i > 0; i--)
        draw_permission();
    if (one_in(4))
        draw_forged();
    qsort(feed.records, feed.record_count, sizeof feed.records[0], by_time);
    number_records();
    for (unsigned source = 0; source < SOURCES; source++)
        draw_writes(source);
    qsort(feed.writes, feed.write_count, sizeof feed.writes[0], by_turn);
}

size_t feed_tasks(const struct feed_task **out)
{
    *out = feed.tasks;
    return feed.task_count;
}

/* --- going on -------------------------------------------------------------------------------------- */

static void withdraw(unsigned task)
{
    if (feed.tasks[task].withdrawn_us == INT64_MAX)
        feed.tasks[task].withdrawn_us = sim_now_us();
}

/* A permission counts for the tasks before it. */
static void note(const struct logical *l)
{
    if (l->kind == FEED_TASK)
        feed.tasks[l->task].order = ++feed.taken_tasks;
    if (l->kind == FEED_WITHDRAWAL)
        withdraw(l->task);
    for (const struct logical *before = feed.records; l->kind == FEED_PERMISSION && before < l;
         before++)
        if (before->kind == FEED_TASK && before->customer == l->customer)
            withdraw(before->task);
}

bool feed_go_on(void)
{
    for (; feed.written < feed.write_count; feed.written++) {
        const struct write *write = &feed.writes[feed.written];
        const struct logical *l = &feed.records[write->logical];
        uint64_t *taken = &feed.taken[l->record.partition][l->source];

        if (write->at_us > sim_now_us())
            return false;
        kafka_model_append(&l->record);
        if (l->number != *taken + 1)
            continue;
        *taken = l->number;
        note(l);
    }
    return true;
}
