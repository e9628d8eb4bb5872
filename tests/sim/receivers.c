#include "tests/sim/receivers.h"

#include <stdio.h>

#include "core/check.h"
#include "core/mem.h"
#include "tests/sim/sim.h"

enum { ANSWER_US_MAX = 30000 };

static struct {
    struct receiver_task tasks[RECEIVER_TASKS_MAX];
    int64_t span_us;
} receivers;

static const char *const names[RECEIVER_COUNT] = {"idempotent", "once", "asked", "recalled"};

struct connector {
    int none; /* a receiver is known by its class */
};

const char *receiver_name(enum receiver receiver)
{
    return names[receiver];
}

void receivers_begin(void)
{
    memset(&receivers, 0, sizeof receivers);
}

const struct receiver_task *receivers_task(unsigned number)
{
    CHECK(number < RECEIVER_TASKS_MAX);
    return &receivers.tasks[number];
}

int64_t receivers_span_us(void)
{
    return receivers.span_us;
}

void receiver_put_id(unsigned number, char id[8])
{
    CHECK(number < RECEIVER_TASKS_MAX);
    snprintf(id, 8, "t%04u", number % 10000);
}

bool receiver_read_id(struct str id, unsigned *number)
{
    *number = 0;
    if (id.len != 5 || id.data[0] != 't')
        return false;
    for (size_t i = 1; i < id.len; i++)
        *number = *number * 10 + (unsigned)(id.data[i] - '0');
    return *number < RECEIVER_TASKS_MAX;
}

/* --- a call ------------------------------------------------------------------------------------- */

enum way { /* that a call may go */
           WAY_FINE,
           WAY_RETRY,
           WAY_DOWN,
           WAY_REFUSED,
           WAY_LOST,    /* it does not arrive, and nobody knows */
           WAY_DOUBT,   /* it arrives, and nobody knows */
           WAY_LATE,    /* it arrives, and the answer takes nearly as long as it may */
           WAY_SILENCE, /* it arrives, or does not, and there is no answer */
           WAY_COUNT,
};

/* There are few calls, and of questions and of what is taken back fewer. */
static enum way draw(const char *step, double times)
{
    receivers.span_us = 1000 + (int64_t)rng_below(sim_rng(), ANSWER_US_MAX);
    if (!sim_strikes_more(SIM_RECEIVER_FAILS, step, times))
        return WAY_FINE;
    return (enum way)(1 + rng_below(sim_rng(), WAY_COUNT - 1));
}

static enum delivery say(enum delivery result, const char *what, struct err *err)
{
    if (result != DELIVERY_ACCEPTED)
        err_set(err, ERR_DOWN, "the receiver %s", what);
    return result;
}

static struct receiver_task *task_of(const struct sending *s)
{
    unsigned number;

    CHECK(receiver_read_id(s->task->id, &number));
    return &receivers.tasks[number];
}

static void arrive(struct receiver_task *task)
{
    task->last_us = sim_now_us();
    if (task->arrivals++ == 0)
        task->first_us = task->last_us;
}

/* The receivers that take it so far. */
static enum delivery deliver(struct receiver_task *task, const struct sending *s, struct err *err)
{
    enum way way = draw("deliver", 2);

    if (way == WAY_REFUSED && task->arrivals != 0)
        way = WAY_FINE; /* what it has taken it does not refuse */
    if (task->refused)
        way = WAY_REFUSED;
    if (way == WAY_LATE || way == WAY_SILENCE)
        receivers.span_us = (int64_t)s->timeout_ms * 1000 - (way == WAY_LATE ? 1000 : 0);
    sim_tell("the receiver of %.*s (attempt %u): %d", STR_ARG(s->task->id), s->attempt, (int)way);
    switch (way) {
    case WAY_FINE:
    case WAY_LATE: arrive(task); return DELIVERY_ACCEPTED;
    case WAY_RETRY: return say(DELIVERY_RETRY, "is busy", err);
    case WAY_DOWN: return say(DELIVERY_DOWN, "is away", err);
    case WAY_REFUSED: task->refused = true; return say(DELIVERY_REFUSED, "says no", err);
    case WAY_DOUBT: arrive(task); return say(DELIVERY_UNKNOWN, "hangs up", err);
    case WAY_SILENCE:
        if (rng_below(sim_rng(), 2) == 0)
            arrive(task);
        return say(DELIVERY_UNKNOWN, "says nothing", err);
    case WAY_LOST:
    case WAY_COUNT: break;
    }
    return say(DELIVERY_UNKNOWN, "hears nothing", err);
}

static enum delivery take(struct connector *c, const struct sending *s, struct receipt *receipt,
                          struct err *err)
{
    (void)c, (void)receipt;
    return deliver(task_of(s), s, err);
}

static enum delivery ask(struct connector *c, const struct sending *s, struct receipt *receipt,
                         struct err *err)
{
    const struct receiver_task *task = task_of(s);

    (void)c, (void)receipt;
    if (draw("ask", 6) != WAY_FINE)
        return say(DELIVERY_DOWN, "is away", err);
    return task->arrivals != 0 ? DELIVERY_ACCEPTED : say(DELIVERY_RETRY, "has not got it", err);
}

static enum delivery give_back(struct connector *c, const struct sending *s,
                               const struct withdrawal *withdrawal, struct receipt *receipt,
                               struct err *err)
{
    (void)c, (void)withdrawal, (void)receipt;
    if (draw("withdraw", 6) != WAY_FINE)
        return say(DELIVERY_DOWN, "is away", err);
    task_of(s)->recalls++;
    return DELIVERY_ACCEPTED;
}

static enum err_code open_one(const struct conf *conf, struct connector **out, struct err *err)
{
    (void)conf, (void)err;
    *out = MEM_NEW(struct connector);
    return ERR_NONE;
}

static void close_one(struct connector *c)
{
    mem_free(c);
}

static const struct conf_field fields[] = {
#define CONF(path_, kind_, fallback_, doc_, ...)                                                   \
    {.path = path_, .kind = CONF_##kind_, .fallback = fallback_, .doc = doc_, __VA_ARGS__},
#include "processors/dispatch/channel_options.def"
#undef CONF
    {0},
};

const struct connector_class *receiver_class(enum receiver receiver)
{
    static const struct connector_class classes[RECEIVER_COUNT] = {
        [RECEIVER_IDEMPOTENT] = {.name = "idempotent",
                                 .guarantee = GUARANTEE_IDEMPOTENT,
                                 .fields = fields,
                                 .open = open_one,
                                 .close = close_one,
                                 .deliver = take},
        [RECEIVER_ONCE] = {.name = "once",
                           .fields = fields,
                           .open = open_one,
                           .close = close_one,
                           .deliver = take},
        [RECEIVER_ASKED] = {.name = "asked",
                            .fields = fields,
                            .open = open_one,
                            .close = close_one,
                            .deliver = take,
                            .ask = ask},
        [RECEIVER_RECALLED] = {.name = "recalled",
                               .fields = fields,
                               .open = open_one,
                               .close = close_one,
                               .deliver = take,
                               .withdraw = give_back},
    };

    return &classes[receiver];
}
