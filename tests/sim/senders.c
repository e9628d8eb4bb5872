/* processors/dispatch/senders.h without threads: a call reaches its receiver when it is begun, or when its
 * process looks again, as it is drawn; its answer is there after as long as the receiver takes.  A
 * process that is killed takes with it what has not reached anybody.
 */
#include "processors/dispatch/senders.h"

#include "core/check.h"
#include "core/clock.h"
#include "core/fail_point.h"
#include "core/mem.h"
#include "tests/sim/receivers.h"
#include "tests/sim/sim.h"

enum {
    AHEAD_US_MAX = 200000, /* until a call that is not made at once is made */
    STALL_US =
        5000000, /* a thread that stands still: later than a call may begin, just not, or less */
    STALL_TIMES = 30, /* there are few calls */
};

struct call {
    struct job *job;
    bool made;
    int64_t at_us; /* when it is made, or its answer is there */
    struct call *next;
};

struct senders {
    const struct channels *channels;
    struct arena *arena;
    struct call *calls;
};

static enum delivery reach(const struct senders *s, struct job *job)
{
    const struct channel *channel = channels_at(s->channels, job->channel);
    struct withdrawal withdrawal = {0};
    struct task task;
    const struct sending sending = {.task = &task,
                                    .reference = str_of(job->reference),
                                    .attempt = job->attempt,
                                    .timeout_ms = channel->options.timeout_ms,
                                    .now_ms = job->now_ms};

    CHECK(task_read_json((struct str){job->task, job->task_bytes}, s->arena, &task, NULL));
    switch (job->kind) {
    case JOB_DELIVER: return channel->class->deliver(NULL, &sending, &job->receipt, &job->err);
    case JOB_ASK: return channel->class->ask(NULL, &sending, &job->receipt, &job->err);
    case JOB_WITHDRAW:
        CHECK(withdrawal_read_json((struct str){job->withdrawal, job->withdrawal_bytes}, s->arena,
                                   &withdrawal, NULL));
        return channel->class->withdraw(NULL, &sending, &withdrawal, &job->receipt, &job->err);
    }
    CHECK_NEVER("a job of no kind");
}

static void make(const struct senders *s, struct call *call)
{
    struct job *job = call->job;

    call->made = true;
    call->at_us = sim_now_us();
    FAIL_POINT_PASS(CALL_BEGINS);
    if (clock_mono_ms() >= job->begin_by_mono_ms) {
        job_missed(job, "it was not begun in time");
    } else {
        job->result = reach(s, job);
        call->at_us = sim_now_us() + receivers_span_us();
    }
    arena_reset(s->arena);
}

static struct call *first(const struct senders *s)
{
    struct call *found = s->calls;

    for (struct call *call = s->calls; call != NULL; call = call->next)
        if (call->at_us < found->at_us)
            found = call;
    return found;
}

static void make_due(const struct senders *s)
{
    for (struct call *call = s->calls; call != NULL; call = call->next)
        if (!call->made && call->at_us <= sim_now_us())
            make(s, call);
}

void senders_begin(struct senders *s, struct job *job)
{
    struct call *call = MEM_NEW(struct call);

    *call = (struct call){.job = job, .next = s->calls};
    s->calls = call;
    call->at_us = sim_now_us() + (int64_t)rng_below(sim_rng(), AHEAD_US_MAX);
    if (sim_strikes_more(SIM_PAUSE, "sender", STALL_TIMES))
        call->at_us +=
            rng_below(sim_rng(), 2) == 0 ? STALL_US : (int64_t)rng_below(sim_rng(), STALL_US);
    else if (rng_below(sim_rng(), 2) == 0)
        make(s, call);
}

struct job *senders_take_done(struct senders *s)
{
    struct job *done = NULL, **last = &done;

    make_due(s);
    for (struct call **at = &s->calls, *call; (call = *at) != NULL;) {
        if (!call->made || call->at_us > sim_now_us()) {
            at = &call->next;
            continue;
        }
        *at = call->next;
        *last = call->job;
        last = &call->job->next;
        mem_free(call);
    }
    *last = NULL;
    if (done != NULL)
        FAIL_POINT_PASS(CALL_ENDED);
    return done;
}

void senders_wait(struct senders *s, int timeout_ms)
{
    int64_t until_us = sim_now_us() + (int64_t)timeout_ms * 1000;

    make_due(s);
    for (const struct call *call; (call = first(s)) != NULL && sim_now_us() < until_us;) {
        int64_t wait_us = (call->at_us < until_us ? call->at_us : until_us) - sim_now_us();

        if (call->made && wait_us <= 0)
            return;
        if (wait_us > 0)
            sim_sleep_us(wait_us);
        make_due(s);
    }
    if (sim_now_us() < until_us)
        sim_sleep_us(until_us - sim_now_us());
}

struct senders *senders_open(const struct channels *channels, const struct links *links)
{
    struct senders *s = MEM_NEW(struct senders);

    (void)links;
    s->channels = channels;
    s->arena = arena_new(0);
    return s;
}

void senders_close(struct senders *s)
{
    if (s == NULL)
        return;
    for (struct call *call = s->calls, *next; call != NULL; call = next) {
        next = call->next;
        job_free(call->job);
        mem_free(call);
    }
    arena_free(s->arena);
    mem_free(s);
}
