/* Events go out in chunks; a chunk is written again until Kafka has acknowledged all of it.  Chunks are
 * short, so that what comes twice is within what a customer's state remembers (64 events): the
 * busiest customer has an event in eight.
 *
 * Both topics have as many partitions as attent.events, and the key is the customer: so the events of
 * a customer from one topic come in order, and what must come of them does not depend on faults.
 */
#include "tests/chaos/load.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/mem.h"
#include "core/when.h"
#include "tests/bench/workload.h"
#include "tests/chaos/truth.h"
#include "tests/support/scratch.h"
#include "tests/support/wait.h"

enum {
    CHUNK = 180,
    PER_EVENT_MAX = 8, /* records */
    PAUSE_MS = 40,
    BURST_S = 5,               /* what was not written in time follows, but not all at once */
    BEHIND_MS_MAX = 20 * 1000, /* attent is so far behind that the load waits */
    FLUSH_MS = 30 * 1000,
    PROBE_EVERY_MS = 1000,
    PER_PROBER = 256,
    ANSWERS_MAX = 100, /* in a chunk */
    MORE_MS = 4000,    /* how long more of something comes */
    HUNDRED = 100,
    HEADERS_MAX = 8,
};

static const unsigned usual[LOAD_MORE_COUNT] = {
    [LOAD_TWICE] = 1, [LOAD_LATE] = 1, [LOAD_POISON] = 1};

struct answer {
    char task[TASK_ID_SIZE], customer[24], moment[24], about[48];
};

struct load {
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows, up to the next comment */
    bool going, done, stop;
    uint64_t written;
    unsigned percent[LOAD_MORE_COUNT];
    int64_t more_until_ms[LOAD_MORE_COUNT];
    struct probe *probes;
    size_t probe_count, probe_capacity;
    struct answer *answers; /* to be written */
    size_t answer_count, answer_capacity;
    int64_t begin_ms;   /* when it was let go */
    int64_t through_ms; /* when the newest probe that has arrived was sent */
    /* of the thread alone: */
    const struct chaos *chaos;
    const struct kafka_settings *settings;
    struct kafka_producer *producer;
    struct workload *workload;
    struct truth *truth;
    struct rng rng;
    bool *known; /* customers whose address and cars have been told */
    struct record chunk[CHUNK * PER_EVENT_MAX + CHAOS_PARTITIONS + 2 * ANSWERS_MAX];
    size_t chunk_count;
    struct arena *arena; /* of the chunk */
    uint64_t next, odd;  /* events made; records that are no events */
    double credit;       /* events that may be made now */
    int64_t paced_ms, probe_ms;
    size_t probe_round;
};

/* --- records -------------------------------------------------------------------------------- */

static struct record *add(struct load *l, const char *topic, struct str key, struct str value)
{
    struct record *r = &l->chunk[l->chunk_count++];

    *r = (struct record){.topic = str_of(topic),
                         .partition = -1,
                         .timestamp_ms = clock_wall_ms(),
                         .key = key,
                         .value = value,
                         .headers = ARENA_ARRAY(l->arena, struct header, HEADERS_MAX)};
    return r;
}

static void head(struct record *r, const char *name, struct str value)
{
    struct header *headers = (struct header *)(uintptr_t)r->headers; /* our own, from the arena */

    headers[r->header_count++] = (struct header){str_of(name), value};
}

static void add_event(struct load *l, const char *topic, struct str id, const char *type,
                      struct str customer, bool named, int64_t at_ms, struct str data)
{
    struct record *r = add(l, topic, customer, data);
    struct buf time = {0};

    when_put_rfc3339(&time, at_ms);
    head(r, "ce_specversion", STR("1.0"));
    head(r, "ce_id", id);
    head(r, "ce_source", STR("/chaos"));
    head(r, "ce_type", str_of(type));
    head(r, "ce_time", arena_str(l->arena, buf_str(&time)));
    head(r, "content-type", STR("application/json"));
    if (named)
        head(r, "ce_subject", customer);
    buf_free(&time);
}

static struct str text(struct load *l, struct buf *from)
{
    struct str kept = arena_str(l->arena, buf_str(from));

    buf_clear(from);
    return kept;
}

static struct str customer_of(struct load *l, uint32_t number)
{
    struct buf b = {0};
    struct str kept;

    ref_put_customer(&b, number);
    kept = text(l, &b);
    buf_free(&b);
    return kept;
}

/* Address in both topics, so that it is known before anything that follows in either; and the cars. */
static void introduce(struct load *l, uint32_t customer)
{
    struct str name = customer_of(l, customer);
    struct buf b = {0};

    if (l->known[customer])
        return;
    l->known[customer] = true;
    add_event(l, CHAOS_CRM, arena_format(l->arena, "who-%u", customer), "customer.updated", name,
              true, clock_wall_ms(), STR("{\"email\":\"flaky@example.org\"}"));
    add_event(l, CHAOS_VEHICLES, arena_format(l->arena, "who2-%u", customer), "customer.updated",
              name, true, clock_wall_ms(), STR("{\"email\":\"flaky@example.org\"}"));
    for (uint32_t car = 0; car < 2; car++) {
        const struct ref_event e = {.type = REF_TELEMETRY, .customer = customer, .vin = car};

        buf_put_text(&b, "{\"vin\":\"");
        ref_put_vin(&b, &e);
        buf_put_text(&b, "\"}");
        add_event(l, CHAOS_VEHICLES, arena_format(l->arena, "car-%u-%u", customer, car),
                  "chaos.owned", name, true, clock_wall_ms(), text(l, &b));
    }
    buf_free(&b);
}

static bool chance(struct load *l, enum load_more what)
{
    unsigned percent;

    pthread_mutex_lock(&l->lock);
    percent = wait_now_ms() < l->more_until_ms[what] ? l->percent[what] : usual[what];
    pthread_mutex_unlock(&l->lock);
    return rng_below(&l->rng, HUNDRED) < percent;
}

/* What cannot be taken: no JSON, a type that nobody knows, data that is not the type's. */
static void add_poison(struct load *l)
{
    struct str key = arena_format(l->arena, "odd-%llu", (unsigned long long)l->odd);

    switch (l->odd++ % 3) {
    case 0: add(l, CHAOS_CRM, key, STR("{\"broken\":")); break;
    case 1:
        add_event(l, CHAOS_CRM, key, "nobody.knows", key, true, clock_wall_ms(), STR("{}"));
        break;
    default:
        add_event(l, CHAOS_VEHICLES, key, "vehicle.registered", key, true, clock_wall_ms(),
                  STR("{\"weight_kg\":\"heavy\"}"));
    }
}

static void add_late(struct load *l)
{
    struct str id = arena_format(l->arena, "late-%llu", (unsigned long long)l->next);

    add_event(l, CHAOS_CRM, id, "web.page_viewed",
              customer_of(l, (uint32_t)rng_below(&l->rng, l->chaos->customers)), true,
              clock_wall_ms() - (int64_t)rng_below(&l->rng, WHEN_DAY_MS),
              STR("{\"url\":\"https://shop.example/late\"}"));
}

static const char *topic_of(enum ref_type type)
{
    return type == REF_MISSED || type == REF_RECEIVED || type == REF_PAGE ? CHAOS_CRM
                                                                          : CHAOS_VEHICLES;
}

/* Every fourth in structured mode; of telemetry nobody knows the customer. */
static void put(struct load *l, const struct ref_event *e)
{
    struct str customer = customer_of(l, e->customer);
    struct buf b = {0};

    if (e->number % 4 == 0 && e->type != REF_TELEMETRY) {
        ref_put_envelope(&b, e);
        head(add(l, topic_of(e->type), customer, text(l, &b)), "content-type",
             STR("application/cloudevents+json"));
    } else {
        ref_put_data(&b, e);
        add_event(
            l, topic_of(e->type), arena_format(l->arena, "ref-%llu", (unsigned long long)e->number),
            ref_type_name(e->type), customer, e->type != REF_TELEMETRY, e->at_ms, text(l, &b));
    }
    if (chance(l, LOAD_TWICE)) {
        l->chunk[l->chunk_count] = l->chunk[l->chunk_count - 1];
        l->chunk_count++;
    }
    buf_free(&b);
}

/* --- probes --------------------------------------------------------------------------------- */

static size_t note_probe(struct load *l)
{
    size_t index;

    pthread_mutex_lock(&l->lock);
    MEM_RESERVE(l->probes, l->probe_count, l->probe_capacity);
    index = l->probe_count++;
    l->probes[index] = (struct probe){.sent_ms = wait_now_ms()};
    pthread_mutex_unlock(&l->lock);
    return index;
}

/* Customers of their own in each partition, a new one when many probes of one are open. */
static struct str probe_customer(struct load *l, int partition)
{
    for (unsigned i = 0;; i++) {
        struct str name = arena_format(l->arena, "prober-%zu-%u", l->probe_round / PER_PROBER, i);

        if (hash_kafka_partition(name, CHAOS_PARTITIONS) == partition)
            return name;
    }
}

static void put_probes(struct load *l)
{
    if (wait_now_ms() < l->probe_ms)
        return;
    l->probe_ms = wait_now_ms() + PROBE_EVERY_MS;
    l->probe_round++;
    for (int p = 0; p < CHAOS_PARTITIONS; p++)
        add_event(l, CHAOS_CRM, arena_format(l->arena, "probe-%zu", note_probe(l)), "chaos.probe",
                  probe_customer(l, p), true, clock_wall_ms(), STR("{\"n\":1}"));
}

void load_probe_arrived(struct load *l, struct str id)
{
    struct str rest = str_slice(id, strlen("probe-"), id.len);
    char number[24];
    size_t index;

    if (!str_starts(id, STR("probe-")))
        return;
    snprintf(number, sizeof number, "%.*s", STR_ARG(rest));
    index = strtoul(number, NULL, 10);
    pthread_mutex_lock(&l->lock);
    if (index < l->probe_count && l->probes[index].arrived_ms == 0) {
        l->probes[index].arrived_ms = wait_now_ms();
        if (l->probes[index].sent_ms > l->through_ms)
            l->through_ms = l->probes[index].sent_ms;
    }
    pthread_mutex_unlock(&l->lock);
}

size_t load_probes(struct load *l, struct probe *out, size_t max)
{
    size_t count;

    pthread_mutex_lock(&l->lock);
    count = l->probe_count < max ? l->probe_count : max;
    if (count != 0)
        memcpy(out, l->probes, count * sizeof *out);
    pthread_mutex_unlock(&l->lock);
    return count;
}

/* --- answers -------------------------------------------------------------------------------- */

static bool fits(char *to, size_t size, struct str from)
{
    return snprintf(to, size, "%.*s", STR_ARG(from)) < (int)size;
}

void load_answer(struct load *l, const struct task *task)
{
    struct answer a;

    if (!fits(a.task, sizeof a.task, task->id) ||
        !fits(a.customer, sizeof a.customer, task->customer) ||
        !fits(a.moment, sizeof a.moment, task->moment) ||
        !fits(a.about, sizeof a.about, task->about))
        scratch_fail("a task with names that are not the load's: %.*s", STR_ARG(task->id));
    pthread_mutex_lock(&l->lock);
    MEM_RESERVE(l->answers, l->answer_count, l->answer_capacity);
    l->answers[l->answer_count++] = a;
    pthread_mutex_unlock(&l->lock);
}

static bool take_answer(struct load *l, struct answer *out)
{
    bool there;

    pthread_mutex_lock(&l->lock);
    there = l->answer_count != 0;
    if (there)
        *out = l->answers[--l->answer_count];
    pthread_mutex_unlock(&l->lock);
    return there;
}

static void put_answer(struct load *l, const struct answer *a, const char *code, bool final)
{
    struct str data = arena_format(l->arena,
                                   "{\"task\":\"%s\",\"moment\":\"%s\",\"about\":\"%s\","
                                   "\"channel\":\"phone\",\"attempt\":1,\"code\":\"%s\","
                                   "\"final\":%s}",
                                   a->task, a->moment, a->about, code, final ? "true" : "false");

    add_event(l, CHAOS_OUTCOMES, arena_format(l->arena, "%s-%s", code, a->task), "task.outcome",
              arena_str(l->arena, str_of(a->customer)), true, clock_wall_ms(), data);
}

/* Of eight one only takes it on, two end it, one does both in one go; four say nothing. */
static void put_answers(struct load *l)
{
    struct answer a;

    for (size_t i = 0; i < ANSWERS_MAX && take_answer(l, &a); i++) {
        uint64_t draw = hash_bytes(str_of(a.task), l->chaos->seed) % 8;

        if (draw == 0 || draw == 3)
            put_answer(l, &a, "accepted", false);
        if (draw >= 1 && draw <= 3)
            put_answer(l, &a, "declined", true);
    }
}

/* --- the thread ----------------------------------------------------------------------------- */

static bool is_stopped(struct load *l)
{
    bool stop;

    pthread_mutex_lock(&l->lock);
    stop = l->stop;
    pthread_mutex_unlock(&l->lock);
    return stop;
}

static bool write_once(struct load *l)
{
    struct err err = {0};

    if (l->producer == NULL &&
        kafka_producer_open(l->settings, NULL, &l->producer, &err) != ERR_NONE)
        return false;
    for (size_t i = 0; i < l->chunk_count; i++)
        if (kafka_produce(l->producer, &l->chunk[i], &err) != ERR_NONE)
            return false;
    return kafka_flush(l->producer, FLUSH_MS, NULL, NULL, &err) == ERR_NONE;
}

static void write_chunk(struct load *l)
{
    while (l->chunk_count != 0 && !write_once(l) && !is_stopped(l)) {
        kafka_producer_close(l->producer);
        l->producer = NULL;
        wait_pause_ms(PAUSE_MS);
    }
    pthread_mutex_lock(&l->lock);
    l->written += l->chunk_count;
    pthread_mutex_unlock(&l->lock);
    l->chunk_count = 0;
    arena_reset(l->arena);
}

/* Not let go yet, or attent is far behind: nothing but probes. */
static bool is_held(struct load *l)
{
    bool held;

    pthread_mutex_lock(&l->lock);
    held = !l->going || wait_now_ms() - l->through_ms > BEHIND_MS_MAX;
    pthread_mutex_unlock(&l->lock);
    return held;
}

static bool is_over(struct load *l)
{
    bool over;

    pthread_mutex_lock(&l->lock);
    over = l->going && wait_now_ms() - l->begin_ms >= l->chaos->duration_ms;
    pthread_mutex_unlock(&l->lock);
    return over;
}

/* Evenly over the time that there is. */
static size_t may_be_made(struct load *l)
{
    double per_ms = (double)l->chaos->events / (double)l->chaos->duration_ms;
    int64_t now_ms = wait_now_ms();

    l->credit += per_ms * (double)(now_ms - l->paced_ms);
    l->paced_ms = now_ms;
    if (l->credit > per_ms * 1000 * BURST_S)
        l->credit = per_ms * 1000 * BURST_S;
    if (is_held(l))
        return 0;
    return l->credit < CHUNK ? (size_t)l->credit : CHUNK;
}

/* False: there are no more. */
static bool make_chunk(struct load *l)
{
    size_t count = may_be_made(l);
    struct ref_event e;

    put_probes(l);
    put_answers(l);
    for (size_t i = 0; i < count; i++) {
        if (!workload_next(l->workload, &e))
            return false;
        e.at_ms = clock_wall_ms();
        introduce(l, e.customer);
        put(l, &e);
        truth_take(l->truth, &e);
        l->next++;
        if (chance(l, LOAD_LATE) && i % 2 == 0)
            add_late(l);
        if (chance(l, LOAD_POISON) && i % 2 == 1)
            add_poison(l);
    }
    l->credit -= (double)count;
    return !is_over(l);
}

static void *run(void *context)
{
    struct load *l = context;
    bool more = true;

    while (more && !is_stopped(l)) {
        more = make_chunk(l);
        write_chunk(l);
        if (l->credit < CHUNK)
            wait_pause_ms(PAUSE_MS);
    }
    pthread_mutex_lock(&l->lock);
    l->done = true;
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* --- calls ---------------------------------------------------------------------------------- */

struct load *load_start(const struct chaos *chaos, const struct kafka_settings *settings)
{
    struct load *l = MEM_NEW(struct load);

    l->chaos = chaos;
    l->settings = settings;
    l->workload = workload_new(chaos->seed, (uint32_t)chaos->customers, chaos->events);
    l->truth = truth_new(chaos->customers);
    l->rng = rng_seeded(chaos->seed ^ 0x6c6f6164u);
    l->known = mem_alloc(chaos->customers * sizeof *l->known);
    l->arena = arena_new(0);
    l->paced_ms = wait_now_ms();
    pthread_mutex_init(&l->lock, NULL);
    if (pthread_create(&l->thread, NULL, run, l) != 0)
        scratch_fail("the load gets no thread");
    return l;
}

void load_go(struct load *l)
{
    pthread_mutex_lock(&l->lock);
    l->going = true;
    l->begin_ms = wait_now_ms();
    pthread_mutex_unlock(&l->lock);
}

bool load_is_done(struct load *l)
{
    bool done;

    pthread_mutex_lock(&l->lock);
    done = l->done;
    pthread_mutex_unlock(&l->lock);
    return done;
}

uint64_t load_written(struct load *l)
{
    uint64_t written;

    pthread_mutex_lock(&l->lock);
    written = l->written;
    pthread_mutex_unlock(&l->lock);
    return written;
}

void load_more(struct load *l, enum load_more what, unsigned percent)
{
    pthread_mutex_lock(&l->lock);
    l->percent[what] = percent;
    l->more_until_ms[what] = wait_now_ms() + MORE_MS;
    pthread_mutex_unlock(&l->lock);
}

void load_stop(struct load *l)
{
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->thread, NULL);
}

void load_free(struct load *l)
{
    if (l == NULL)
        return;
    kafka_producer_close(l->producer);
    workload_free(l->workload);
    truth_free(l->truth);
    arena_free(l->arena);
    pthread_mutex_destroy(&l->lock);
    mem_free(l->known);
    mem_free(l->probes);
    mem_free(l->answers);
    mem_free(l);
}

void load_expected(struct load *l,
                   void (*take)(void *context, struct str what, enum expected expected),
                   void *context)
{
    truth_tell(l->truth, take, context);
}
