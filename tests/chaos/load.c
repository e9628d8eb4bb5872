/* Events go out in chunks; a chunk is written again until Kafka has acknowledged all of it.  Chunks are
 * short, so that what comes twice is within what a customer's state remembers (64 events): the
 * busiest customer has an event in eight.  And they are no shorter, as each waits for Kafka.
 *
 * Both topics have as many partitions as attent.events, and the key is the customer: so the events of
 * a customer from one topic come in order, and what must come of them does not depend on faults.
 */
#include "tests/chaos/load.h"

#include <pthread.h>
#include <stdio.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/mem.h"
#include "core/when.h"
#include "tests/chaos/chunk.h"
#include "tests/chaos/truth.h"
#include "tests/support/scratch.h"
#include "tests/support/wait.h"

enum {
    CHUNK = 320,
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
};

static const unsigned usual[LOAD_MORE_COUNT] = {
    [LOAD_TWICE] = 1, [LOAD_LATE] = 1, [LOAD_POISON] = 1};

struct load {
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows, up to what is the thread's */
    bool going, done, stop;
    uint64_t written;
    bool closing;                /* the time is over: nothing new is asked for */
    const char *lethal;          /* of whom something is to be written that kills; NULL: nothing */
    uint64_t lethals, put_aside; /* numbers of the last ones */
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
    struct chunk chunk;
    uint64_t next, odd; /* events made; records that are no events */
    double credit;      /* events that may be made now */
    int64_t paced_ms, probe_ms;
    size_t probe_round;
};

/* --- what is drawn ------------------------------------------------------------------------- */

static bool chance(struct load *l, enum load_more what)
{
    unsigned percent;

    pthread_mutex_lock(&l->lock);
    percent = wait_now_ms() < l->more_until_ms[what] ? l->percent[what] : usual[what];
    pthread_mutex_unlock(&l->lock);
    return rng_below(&l->rng, HUNDRED) < percent;
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
        struct str name =
            arena_format(l->chunk.arena, "prober-%zu-%u", l->probe_round / PER_PROBER, i);

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
        chunk_add(&l->chunk, CHAOS_CRM, arena_format(l->chunk.arena, "probe-%zu", note_probe(l)),
                  "chaos.probe", probe_customer(l, p), true, clock_wall_ms(), STR("{\"n\":1}"));
}

/* "probe-17" */
static bool number_of(struct str id, struct str name, uint64_t *out)
{
    return str_starts(id, name) && str_read_number(str_slice(id, name.len, id.len), out);
}

void load_probe_arrived(struct load *l, struct str id)
{
    uint64_t index;

    if (!number_of(id, STR("probe-"), &index))
        return;
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

_Static_assert(CHUNK *PER_EVENT_MAX + CHAOS_PARTITIONS + 2 * ANSWERS_MAX + 1 <= CHUNK_RECORDS_MAX,
               "a chunk has room for all that comes at once");

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

/* Of eight one only takes it on, two end it, one does both in one go; four say nothing. */
static void put_answers(struct load *l)
{
    struct answer a;

    for (size_t i = 0; i < ANSWERS_MAX && take_answer(l, &a); i++) {
        uint64_t draw = hash_bytes(str_of(a.task), l->chaos->seed) % 8;

        if (draw == 0 || draw == 3)
            chunk_add_answer(&l->chunk, &a, "accepted", false);
        if (draw >= 1 && draw <= 3)
            chunk_add_answer(&l->chunk, &a, "declined", true);
    }
}

/* --- what kills ----------------------------------------------------------------------------- */

bool load_lethal(struct load *l, const char *role)
{
    bool asked;

    pthread_mutex_lock(&l->lock);
    asked = !l->closing && l->lethal == NULL;
    if (asked) {
        l->lethal = role;
        l->lethals++;
    }
    pthread_mutex_unlock(&l->lock);
    return asked;
}

void load_lethal_put_aside(struct load *l, struct str id)
{
    uint64_t number;

    if (!number_of(id, STR("lethal-"), &number))
        return;
    pthread_mutex_lock(&l->lock);
    if (number > l->put_aside)
        l->put_aside = number;
    pthread_mutex_unlock(&l->lock);
}

bool load_lethals_are_over(struct load *l)
{
    bool over;

    pthread_mutex_lock(&l->lock);
    over = l->put_aside == l->lethals;
    pthread_mutex_unlock(&l->lock);
    return over;
}

static void put_lethal(struct load *l)
{
    const char *role;
    uint64_t number;

    pthread_mutex_lock(&l->lock);
    role = l->lethal;
    number = l->lethals;
    l->lethal = NULL;
    pthread_mutex_unlock(&l->lock);
    if (role != NULL)
        chunk_add_lethal(&l->chunk, number, role);
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
    for (size_t i = 0; i < l->chunk.count; i++)
        if (kafka_produce(l->producer, &l->chunk.records[i], &err) != ERR_NONE)
            return false;
    return kafka_flush(l->producer, FLUSH_MS, NULL, NULL, &err) == ERR_NONE;
}

static void write_chunk(struct load *l)
{
    while (l->chunk.count != 0 && !write_once(l) && !is_stopped(l)) {
        kafka_producer_close(l->producer);
        l->producer = NULL;
        wait_pause_ms(PAUSE_MS);
    }
    pthread_mutex_lock(&l->lock);
    l->written += l->chunk.count;
    pthread_mutex_unlock(&l->lock);
    l->chunk.count = 0;
    arena_reset(l->chunk.arena);
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

/* Then nothing new is asked for. */
static bool is_over(struct load *l, bool all_made)
{
    bool over;

    pthread_mutex_lock(&l->lock);
    over = l->going && l->lethal == NULL &&
           (all_made || wait_now_ms() - l->begin_ms >= l->chaos->duration_ms);
    l->closing = over;
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

static void put(struct load *l, const struct ref_event *e)
{
    if (!l->known[e->customer])
        chunk_introduce(&l->chunk, e->customer);
    l->known[e->customer] = true;
    chunk_add_ref(&l->chunk, e);
    if (chance(l, LOAD_TWICE))
        chunk_repeat(&l->chunk);
}

/* A late one behind every other event at most, one that is none behind the rest. */
static void put_odd(struct load *l, size_t i)
{
    if (i % 2 == 0 && chance(l, LOAD_LATE)) {
        uint32_t customer = (uint32_t)rng_below(&l->rng, l->chaos->customers);
        int64_t age_ms = (int64_t)rng_below(&l->rng, WHEN_DAY_MS);

        chunk_add_late(&l->chunk, l->next, customer, clock_wall_ms() - age_ms);
    }
    if (i % 2 == 1 && chance(l, LOAD_POISON))
        chunk_add_poison(&l->chunk, l->odd++);
}

/* False: there are no more. */
static bool make_chunk(struct load *l)
{
    size_t count = may_be_made(l);
    struct ref_event e;

    put_probes(l);
    put_answers(l);
    put_lethal(l);
    for (size_t i = 0; i < count; i++) {
        if (!workload_next(l->workload, &e))
            return !is_over(l, true);
        e.at_ms = clock_wall_ms();
        put(l, &e);
        truth_take(l->truth, &e);
        l->next++;
        put_odd(l, i);
    }
    l->credit -= (double)count;
    return !is_over(l, false);
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
    l->chunk.arena = arena_new(0);
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
    arena_free(l->chunk.arena);
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
