/* What happens when.  Each thread of a real client, and each timer of a broker, is a happening in
 * one heap, ordered by time and then by who came first.  Whoever calls the model lets happen what is
 * due first, so nothing is seen too early or too late, and nothing runs beside anything.
 */
#include "core/hash.h"
#include "tests/sim/kafka_clients.h"

struct cluster *cluster;

/* --- happenings ---------------------------------------------------------------------------------- */

static bool is_before(const struct happening *a, const struct happening *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void swap(struct happening *a, struct happening *b)
{
    struct happening t = *a;

    *a = *b;
    *b = t;
}

void cluster_at(int64_t at_us, void (*happens)(void *what), void *what)
{
    size_t i = cluster->heap_count;

    MODEL_RESERVE(cluster->heap, cluster->heap_count, cluster->heap_capacity);
    cluster->heap[cluster->heap_count++] =
        (struct happening){at_us, cluster->order++, happens, what};
    for (; i > 0 && is_before(&cluster->heap[i], &cluster->heap[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&cluster->heap[i], &cluster->heap[(i - 1) / 2]);
}

static struct happening take_first(void)
{
    struct happening first = cluster->heap[0];
    size_t i = 0, child;

    cluster->heap[0] = cluster->heap[--cluster->heap_count];
    while ((child = 2 * i + 1) < cluster->heap_count) {
        if (child + 1 < cluster->heap_count &&
            is_before(&cluster->heap[child + 1], &cluster->heap[child]))
            child++;
        if (!is_before(&cluster->heap[child], &cluster->heap[i]))
            break;
        swap(&cluster->heap[child], &cluster->heap[i]);
        i = child;
    }
    return first;
}

void cluster_advance(void)
{
    int64_t now_us = sim_now_us();

    CHECK(cluster != NULL);
    if (cluster->advancing)
        return;
    cluster->advancing = true;
    while (cluster->heap_count > 0 && cluster->heap[0].at_us <= now_us) {
        struct happening next = take_first();

        cluster->at_us = next.at_us;
        next.happens(next.what);
    }
    cluster->advancing = false;
}

int64_t model_now_us(void)
{
    return cluster->advancing ? cluster->at_us : sim_now_us();
}

/* --- state of the brokers -------------------------------------------------------------------------- */

bool cluster_is_gone(void)
{
    return model_now_us() < cluster->gone_until_us && !sim_faults_are_over();
}

bool cluster_is_full(void)
{
    return model_now_us() < cluster->full_until_us && !sim_faults_are_over();
}

void cluster_wake(int process)
{
    if (process >= 0 && process != sim_self())
        sim_wake(process, model_now_us());
}

void cluster_log_grew(const struct log *log)
{
    for (size_t i = 0; i < cluster->consumer_count; i++)
        if (cluster->consumers[i]->waiting && consumer_reads(cluster->consumers[i], log))
            cluster_wake(cluster->consumers[i]->process);
}

/* --- time ------------------------------------------------------------------------------------------ */

int64_t draw_us(int64_t from_us, int64_t to_us)
{
    return from_us + (int64_t)rng_below(sim_rng(), (uint64_t)(to_us - from_us + 1));
}

/* Mostly a quarter of a millisecond, now and then much longer. */
int64_t latency_us(void)
{
    uint64_t draw = rng_next(sim_rng());
    int64_t span_us = 100 + (int64_t)(draw % 400);

    if ((draw >> 32) % 16 == 0)
        span_us *= 8;
    return (draw >> 40) % 64 == 0 ? span_us * 40 : span_us;
}

void wait_until_us(int64_t at_us)
{
    int64_t now_us;

    CHECK(!cluster->advancing);
    while ((now_us = model_now_us()) < at_us)
        sim_sleep_us(at_us - now_us);
    cluster_advance();
}

bool question_arrives(struct question *q, const char *step, int timeout_ms)
{
    q->until_us = model_now_us() + (int64_t)timeout_ms * MS;
    q->lost = sim_strikes(SIM_ANSWER_LOST, step);
    q->late = !q->lost && sim_strikes(SIM_ANSWER_LATE, step);
    wait_until_us(model_now_us() + latency_us());
    while (cluster_is_gone() && model_now_us() < q->until_us) {
        int64_t back_us = cluster->gone_until_us + latency_us();

        wait_until_us(back_us < q->until_us ? back_us : q->until_us);
    }
    return !cluster_is_gone() && model_now_us() < q->until_us;
}

bool question_is_answered(struct question *q)
{
    int64_t at_us = model_now_us() + latency_us();

    if (q->late)
        at_us += draw_us(50 * MS, 5000 * MS);
    if (q->lost || at_us > q->until_us)
        at_us = q->until_us;
    wait_until_us(at_us);
    return model_now_us() < q->until_us;
}

enum err_code answer_down(struct err *err, const char *what)
{
    return err_set(err, ERR_DOWN, "%s: no answer from Kafka", what);
}
