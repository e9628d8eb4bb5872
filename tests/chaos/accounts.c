/* Records of sources are counted by a hash of their name (64 bits of a CloudEvents id, or the key of
 * what has none): +1 where they were written, -1 where they arrived; what is not 0 in the end was lost
 * or doubled.
 */
#include "tests/chaos/accounts.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

#include "core/check.h"
#include "core/mem.h"
#include "processors/dispatch/ledger_record.h"
#include "schemas/control.h"
#include "tests/chaos/findings.h"
#include "tests/chaos/hashed.h"
#include "tests/support/scratch.h"
#include "tests/support/wait.h"

enum {
    POLL_MS = 100,
    RECORDS_PER_POLL = 1024,
    PARTITIONS_MAX = 64,
    OPEN_PAUSE_MS = 200,
};

enum place {
    PLACE_SOURCE,
    PLACE_EVENTS,
    PLACE_DLQ,
    PLACE_DLQ_OF_EVENTS,
    PLACE_TASKS,
    PLACE_DECISIONS,
    PLACE_LEDGER,
    PLACE_QUEUE
};

static const struct {
    const char *topic;
    enum place place;
    int partitions;
} topics[] = {
    {CHAOS_CRM, PLACE_SOURCE, CHAOS_PARTITIONS},
    {CHAOS_VEHICLES, PLACE_SOURCE, CHAOS_PARTITIONS},
    {CHAOS_OUTCOMES, PLACE_SOURCE, CHAOS_PARTITIONS},
    {"attent.events", PLACE_EVENTS, CHAOS_PARTITIONS},
    {CHAOS_CRM ".dlq", PLACE_DLQ, 1},
    {CHAOS_VEHICLES ".dlq", PLACE_DLQ, 1},
    {CHAOS_OUTCOMES ".dlq", PLACE_DLQ, 1},
    {"attent.identify.dlq", PLACE_DLQ, 1},
    {"attent.events.dlq", PLACE_DLQ_OF_EVENTS, 1},
    {"attent.tasks", PLACE_TASKS, CHAOS_PARTITIONS},
    {"attent.decisions", PLACE_DECISIONS, CHAOS_PARTITIONS},
    {"attent.ledger", PLACE_LEDGER, CHAOS_PARTITIONS},
    {"contact.billing", PLACE_QUEUE, 1},
    {"contact.probes", PLACE_QUEUE, 1},
};
enum { TOPICS = sizeof topics / sizeof topics[0] };

struct named { /* a record of a source: how often written, less how often arrived */
    int written, arrived;
    const char *name;
};

struct accounts {
    pthread_t thread;
    pthread_mutex_t lock; /* of state and stop */
    struct accounts_state state;
    bool stop;
    /* of the thread, then of who stopped it: */
    const struct kafka_settings *settings;
    struct load *load;
    struct kafka_consumer *consumer;
    struct accounts_state now;
    struct outputs outputs[OUTPUTS_COUNT][CHAOS_PARTITIONS][CHAOS_PARTITIONS];
    struct taken taken[OUTPUTS_COUNT][CHAOS_PARTITIONS];
    uint64_t ledger_taken[CHAOS_PARTITIONS];
    struct hashed names, tasks; /* struct named, struct task_account */
    struct hashed waiting;      /* const char *, the moment that goes before; by hash of
                                   "CUSTOMER MOMENT ABOUT" */
    uint64_t wrong;
    struct arena *arena, *passing; /* for good; of one record */
    struct buf scratch;
};

/* --- sources -------------------------------------------------------------------------------- */

static struct str name_of(const struct record *r)
{
    struct str id = record_header(r, STR("ce_id"));
    const char *at;
    struct str rest;

    if (id.len != 0)
        return id;
    at = r->value.len != 0 ? memmem(r->value.data, r->value.len, "\"id\":\"", 6) : NULL;
    if (at == NULL)
        return r->key;
    rest = str_slice(r->value, (size_t)(at - r->value.data) + 6, r->value.len);
    str_cut(rest, '"', &id, &rest);
    return id;
}

static struct named *named(struct accounts *a, const struct record *r)
{
    struct str name = name_of(r);
    bool fresh;
    struct named *n = hashed_at(&a->names, hash_bytes(name, 0), &fresh);

    if (fresh)
        n->name = arena_str(a->arena, name).data;
    return n;
}

static void take_source(struct accounts *a, const struct record *r)
{
    named(a, r)->written++;
    a->now.sources++;
}

static void take_arrived(struct accounts *a, const struct record *r)
{
    named(a, r)->arrived++;
    a->now.arrived++;
}

void accounts_compare_sources(struct accounts *a, uint64_t *lost, uint64_t *doubled)
{
    findings_next_kind();
    for (size_t at = 0; at < a->names.capacity; at++) {
        const struct named *n = hashed_slot(&a->names, at);

        if (n == NULL || n->written == n->arrived)
            continue;
        *lost += n->written > n->arrived ? (uint64_t)(n->written - n->arrived) : 0;
        *doubled += n->written < n->arrived ? (uint64_t)(n->arrived - n->written) : 0;
        finding("%s: written %d times, arrived %d times", n->name, n->written, n->arrived);
    }
}

/* --- numbered outputs ----------------------------------------------------------------------- */

static void wrong(struct accounts *a, const struct record *r, const char *why)
{
    a->wrong++;
    finding("%.*s/%d at %" PRId64 ": %s", STR_ARG(r->topic), (int)r->partition, r->offset, why);
}

/* "decide/3" -> 3; -1: it is of no partition of ours. */
static int partition_of(struct str from)
{
    struct str step, number;

    if (!str_cut(from, '/', &step, &number) || number.len != 1)
        return -1;
    return number.data[0] >= '0' && number.data[0] < '0' + CHAOS_PARTITIONS ? number.data[0] - '0'
                                                                            : -1;
}

/* What comes again has to be the same again. */
static void check_repeat(struct accounts *a, const struct outputs *list, const struct record *r)
{
    struct str seq = record_header(r, STR(CHAIN_SEQ_HEADER)), generation, number;
    struct hash128 chain;
    uint64_t n;

    a->now.repeats++;
    if (!str_cut(seq, '.', &generation, &number) || !str_read_number(number, &n) || n == 0 ||
        n > list->count || !chain_hash_read(record_header(r, STR(CHAIN_HASH_HEADER)), &chain) ||
        memcmp(&list->items[n - 1].chain, &chain, sizeof chain) != 0)
        wrong(a, r, "a repeat with another content");
}

/* True: a reader takes it. */
static bool take_output(struct accounts *a, enum outputs_of what, const struct record *r)
{
    struct taken *taken = &a->taken[what][r->partition];
    int from = partition_of(record_header(r, STR(CHAIN_FROM_HEADER)));
    struct outputs *list = &a->outputs[what][from < 0 ? 0 : from][r->partition];
    struct taken_source source;
    struct err err = {0};

    if (from < 0 || (what != OUTPUTS_IDENTIFIED && from != r->partition)) {
        wrong(a, r, "an output of a partition that should not write here");
        return false;
    }
    switch (taken_look(taken, r, &a->scratch, &source, &err)) {
    case TAKEN_NEXT:
        taken_advance(taken, &source);
        MEM_RESERVE(list->items, list->count, list->capacity);
        list->items[list->count++] = (struct output){source.number, source.hash};
        return true;
    case TAKEN_REPEAT: check_repeat(a, list, r); return false;
    case TAKEN_GAP: a->now.gaps++; return false;
    case TAKEN_PLAIN: wrong(a, r, "an output without a number"); return false;
    case TAKEN_OLD: wrong(a, r, "an output of another generation"); return false;
    case TAKEN_JUNK:
    case TAKEN_BROKEN: wrong(a, r, err.text); return false;
    }
    return false;
}

static void take_event(struct accounts *a, const struct record *r)
{
    if (record_header(r, STR(CONTROL_HEADER)).len != 0)
        return;
    if (record_header(r, STR(CHAIN_FROM_HEADER)).len == 0 || take_output(a, OUTPUTS_IDENTIFIED, r))
        take_arrived(a, r);
}

static void take_lethal(struct accounts *a, const struct record *r)
{
    if (str_is(record_header(r, STR("attent-reason")), "poison"))
        load_lethal_put_aside(a->load, record_header(r, STR("ce_id")));
}

/* Dispatch puts outcomes of unknown tasks there as well: they have been in the events before. */
static void take_dead(struct accounts *a, const struct record *r)
{
    take_lethal(a, r);
    if (!str_is(record_header(r, STR("attent-reason")), "unknown_task"))
        take_arrived(a, r);
}

/* --- tasks ---------------------------------------------------------------------------------- */

struct task_account *accounts_task(struct accounts *a, struct str id)
{
    bool fresh;
    struct task_account *t = hashed_at(&a->tasks, hash_bytes(id, 0), &fresh);

    if (fresh)
        snprintf(t->id, sizeof t->id, "%.*s", STR_ARG(id));
    return t;
}

static void take_task(struct accounts *a, const struct record *r)
{
    struct task_account *t;
    struct task task;
    struct err err = {0};

    if (!task_read_json(r->value, a->passing, &task, &err)) {
        wrong(a, r, err.text);
        return;
    }
    t = accounts_task(a, task.id);
    if (t->taken)
        wrong(a, r, "a task that was decided before");
    t->taken = true;
    t->channel = arena_str(a->arena, task.channel).data;
    t->what = arena_format(a->arena, "%.*s %.*s %.*s", STR_ARG(task.customer), STR_ARG(task.moment),
                           STR_ARG(task.about))
                  .data;
    a->now.tasks++;
    a->now.ended += t->over;
}

static void take_of_tasks(struct accounts *a, const struct record *r)
{
    struct str type = record_header(r, STR("ce_type"));
    struct withdrawal w;

    if (!take_output(a, OUTPUTS_TASKS, r))
        return;
    if (str_is(type, TASK_CE_TYPE))
        take_task(a, r);
    else if (str_is(type, WITHDRAWAL_CE_TYPE) &&
             withdrawal_read_json(r->value, a->passing, &w, NULL))
        accounts_task(a, w.task)->withdrawn = true;
}

/* "missed (service, value 1) goes before ..." -> "missed" */
static const char *who_goes_before(struct accounts *a, const struct decision *d)
{
    struct str winner = STR_EMPTY, rest;

    for (size_t i = 0; i < d->stage_count; i++)
        if (str_is(d->stages[i].stage, "arbitration"))
            str_cut(d->stages[i].detail, ' ', &winner, &rest);
    return arena_str(a->arena, winner).data;
}

/* One customer gets one action at a time: whose turn it is not waits behind the other, longer than the
 * run may be, or until it is called off.  What counts is what was said last. */
static void take_decision(struct accounts *a, const struct record *r)
{
    struct decision d;
    struct err err = {0};
    const char **behind;

    if (!take_output(a, OUTPUTS_DECISIONS, r))
        return;
    if (!decision_read_json(r->value, a->passing, &d, &err)) {
        wrong(a, r, err.text);
        return;
    }
    behind = hashed_at(&a->waiting,
                       hash_bytes(arena_format(a->passing, "%.*s %.*s %.*s", STR_ARG(d.customer),
                                               STR_ARG(d.moment), STR_ARG(d.about)),
                                  0),
                       NULL);
    if (str_is(d.outcome, "hold") && str_is(d.reason, "outranked"))
        *behind = who_goes_before(a, &d);
    else if (!str_is(d.outcome, "ended") || !str_is(d.reason, "withdrawn"))
        *behind = NULL;
}

const char *accounts_behind(struct accounts *a, const char *what)
{
    return *(const char **)hashed_at(&a->waiting, hash_bytes(str_of(what), 0), NULL);
}

/* --- dispatch ------------------------------------------------------------------------------- */

static bool is_over(enum ledger_state state)
{
    return state == LEDGER_SENT || state == LEDGER_FAILED || state == LEDGER_EXPIRED ||
           state == LEDGER_UNKNOWN || state == LEDGER_WITHDRAWN;
}

static void take_entry(struct accounts *a, const struct ledger_entry *entry)
{
    struct task_account *t = accounts_task(a, entry->id);
    bool over = is_over(entry->state) && entry->next_ms == 0; /* else it is asked or tried again */

    if (t->taken) {
        a->now.ended -= t->over;
        a->now.ended += over;
    }
    t->in_ledger = true;
    t->over = over;
    t->state = entry->state;
}

static void take_ledger(struct accounts *a, const struct record *r)
{
    struct ledger_record record;
    struct err err = {0};

    ledger_record_read(r, a->passing, &record, &err);
    switch (record.kind) {
    case LEDGER_RECORD_TASK: take_entry(a, &record.entry); break;
    case LEDGER_RECORD_TAKEN:
        if (partition_of(record.source.from) == r->partition)
            a->ledger_taken[r->partition] = record.source.number;
        break;
    case LEDGER_RECORD_BROKEN: wrong(a, r, err.text); break;
    case LEDGER_RECORD_FORGOTTEN:
    case LEDGER_RECORD_READER: break;
    }
}

static void take_queued(struct accounts *a, const struct record *r)
{
    struct task task;

    if (!str_is(record_header(r, STR("ce_type")), TASK_CE_TYPE))
        return;
    if (accounts_task(a, record_header(r, STR("ce_id")))->queued++ != 0 ||
        !task_read_json(r->value, a->passing, &task, NULL))
        return;
    load_probe_arrived(a->load, task.about);
    load_answer(a->load, &task);
}

/* --- the thread ----------------------------------------------------------------------------- */

static void take(struct accounts *a, const struct record *r)
{
    size_t at = 0;

    while (at < TOPICS && !str_is(r->topic, topics[at].topic))
        at++;
    CHECK(at < TOPICS && r->partition < CHAOS_PARTITIONS);
    arena_reset(a->passing);
    if (record_header(r, STR(CONTROL_HEADER)).len == 0)
        a->now.records++;
    switch (topics[at].place) {
    case PLACE_SOURCE: take_source(a, r); break;
    case PLACE_EVENTS: take_event(a, r); break;
    case PLACE_DLQ: take_dead(a, r); break;
    case PLACE_DLQ_OF_EVENTS: take_lethal(a, r); break;
    case PLACE_TASKS: take_of_tasks(a, r); break;
    case PLACE_DECISIONS: take_decision(a, r); break;
    case PLACE_LEDGER: take_ledger(a, r); break;
    case PLACE_QUEUE: take_queued(a, r); break;
    }
}

/* Brokers come and go: what cannot be had now comes later. */
static void poll_once(struct accounts *a)
{
    static struct record records[RECORDS_PER_POLL];
    uint64_t before = a->now.records;
    struct err err = {0};
    size_t count = 0;

    if (kafka_consumer_poll(a->consumer, POLL_MS, records, RECORDS_PER_POLL, &count, &err) ==
        ERR_STATE)
        scratch_fail("a topic cannot be read any more: %s", err.text);
    for (size_t i = 0; i < count; i++)
        take(a, &records[i]);
    kafka_consumer_release(a->consumer);
    if (a->now.records != before)
        a->now.quiet_since_ms = wait_now_ms();
}

static void *run(void *context)
{
    struct accounts *a = context;
    bool stop = false;

    while (!stop) {
        poll_once(a);
        pthread_mutex_lock(&a->lock);
        a->state = a->now;
        stop = a->stop;
        pthread_mutex_unlock(&a->lock);
    }
    return NULL;
}

/* --- calls ---------------------------------------------------------------------------------- */

static void open_consumer(struct accounts *a)
{
    struct kafka_partition from[PARTITIONS_MAX];
    struct err err = {0};
    size_t count = 0;

    for (size_t at = 0; at < TOPICS; at++)
        for (int p = 0; p < topics[at].partitions; p++)
            from[count++] = (struct kafka_partition){topics[at].topic, p, KAFKA_OFFSET_BEGIN};
    CHECK(count <= PARTITIONS_MAX);
    if (kafka_consumer_open_alone(a->settings, from, count, &a->consumer, &err) != ERR_NONE)
        scratch_fail("the topics cannot be read: %s", err.text);
}

struct accounts *accounts_start(const struct kafka_settings *settings, struct load *load)
{
    struct accounts *a = MEM_NEW(struct accounts);

    a->settings = settings;
    a->load = load;
    a->names = hashed_of(sizeof(struct named));
    a->tasks = hashed_of(sizeof(struct task_account));
    a->waiting = hashed_of(sizeof(const char *));
    a->arena = arena_new(0);
    a->passing = arena_new(0);
    a->now.quiet_since_ms = wait_now_ms();
    a->state = a->now;
    open_consumer(a);
    pthread_mutex_init(&a->lock, NULL);
    if (pthread_create(&a->thread, NULL, run, a) != 0)
        scratch_fail("the accounts get no thread");
    return a;
}

void accounts_look(struct accounts *a, struct accounts_state *out)
{
    pthread_mutex_lock(&a->lock);
    *out = a->state;
    pthread_mutex_unlock(&a->lock);
}

void accounts_stop(struct accounts *a)
{
    pthread_mutex_lock(&a->lock);
    a->stop = true;
    pthread_mutex_unlock(&a->lock);
    pthread_join(a->thread, NULL);
}

void accounts_free(struct accounts *a)
{
    if (a == NULL)
        return;
    kafka_consumer_close(a->consumer);
    for (int what = 0; what < OUTPUTS_COUNT; what++)
        for (int to = 0; to < CHAOS_PARTITIONS; to++) {
            taken_free(&a->taken[what][to]);
            for (int from = 0; from < CHAOS_PARTITIONS; from++)
                mem_free(a->outputs[what][from][to].items);
        }
    hashed_free(&a->names);
    hashed_free(&a->tasks);
    hashed_free(&a->waiting);
    buf_free(&a->scratch);
    arena_free(a->arena);
    arena_free(a->passing);
    pthread_mutex_destroy(&a->lock);
    mem_free(a);
}

const struct outputs *accounts_outputs(const struct accounts *a, enum outputs_of what, int from,
                                       int to)
{
    return &a->outputs[what][from][to];
}

struct task_account *accounts_next_task(struct accounts *a, size_t *at)
{
    struct task_account *t = NULL;

    while (t == NULL && *at < a->tasks.capacity)
        t = hashed_slot(&a->tasks, (*at)++);
    return t;
}

uint64_t accounts_taken(const struct accounts *a, int p)
{
    return a->ledger_taken[p];
}

uint64_t accounts_wrong(const struct accounts *a)
{
    return a->wrong;
}
