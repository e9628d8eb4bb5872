/* Each process has a time at which it goes on; of those whose time has come one is drawn, and when there
 * is none the clock jumps to the next.  What a process does between two yields takes no time by
 * itself: calls into models do, and each yield a little, so that nothing can go on for ever at one
 * instant.
 *
 * A process that is killed is left where it stands.  Its heap leaks: the driver runs seeds in
 * processes of the OS that end after some hundred.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/buf.h"
#include "core/check.h"
#include "core/err.h"
#include "core/mem.h"
#include "tests/sim/coroutine.h"
#include "tests/sim/strikes.h"

enum {
    PROCESSES_MAX = 4096, /* of one run, with all that were started again */
    LOOK_US = 50000,      /* how often the driver looks whether it is done */
    YIELD_US_MAX = 20,
    RESTART_US_MAX = 4000000,
    PAUSE_US_MIN = 6500000, /* longer than a session */
    PAUSE_US_MAX = 20000000,
    FAVOURITE_TIMES = 25,
    FDS_MAX = 16384,
    FD_FIRST = 1000000,
};

struct process {
    const char *role;
    void (*main)(void *context);
    void *context;
    bool restarts, alive;
    struct coroutine *coroutine; /* NULL: not begun, or dead */
    int64_t wake_us;
    int64_t clock_error_us;
    int64_t stopped_until_us; /* nothing wakes it before */
};

static struct {
    struct sim_plan plan;
    struct rng rng;
    int64_t now_us, faults_until_us;
    struct process processes[PROCESSES_MAX];
    int count;
    int first; /* all before it are dead */
    int self;
    uint64_t digest, switches;
    int64_t fds[FDS_MAX];
    int fd_count;
    char broken[sizeof(((struct err *)0)->text)];
} sim;

/* --- time and chance -------------------------------------------------------------------------- */

int64_t sim_now_us(void)
{
    return sim.now_us;
}

struct rng *sim_rng(void)
{
    return &sim.rng;
}

int sim_self(void)
{
    return sim.self;
}

bool sim_is_alive(int process)
{
    return process < 0 || (process < sim.count && sim.processes[process].alive);
}

bool sim_faults_are_over(void)
{
    return sim.now_us >= sim.faults_until_us;
}

static int64_t span_us(int64_t least, int64_t most)
{
    return least + (int64_t)rng_below(&sim.rng, (uint64_t)(most - least + 1));
}

void sim_digest_add(uint64_t value)
{
    sim.digest = (sim.digest ^ value) * 0x100000001b3u;
    sim.digest ^= sim.digest >> 29;
}

uint64_t sim_digest(void)
{
    return sim.digest;
}

uint64_t sim_switches(void)
{
    return sim.switches;
}

void sim_tell(const char *format, ...)
{
    va_list args;

    if (!sim.plan.tell)
        return;
    printf("  %10.6f s  ", (double)(sim.now_us - SIM_EPOCH_S * INT64_C(1000000)) / 1e6);
    if (sim.self >= 0)
        printf("%s/%d: ", sim.processes[sim.self].role, sim.self);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

static void tell_log(const char *part, const char *what, const struct log_field *fields)
{
    struct buf line = {0};

    buf_put_format(&line, "says: %s: %s", part, what);
    for (; fields->name != NULL; fields++)
        if (fields->kind == LOG_FIELD_TEXT)
            buf_put_format(&line, " %s=\"%.*s\"", fields->name, STR_ARG(fields->text));
        else
            buf_put_format(&line, " %s=%lld", fields->name, (long long)fields->number);
    sim_tell("%.*s", (int)line.len, line.data);
    buf_free(&line);
}

void sim_said(enum log_level level, const char *part, const char *what,
              const struct log_field *fields)
{
    if (sim.plan.tell && level >= LOG_INFO)
        tell_log(part, what, fields);
    if (sim.plan.watch.said != NULL)
        sim.plan.watch.said(sim.plan.watch.context, level, part, what, fields);
}

void sim_broken(const char *format, ...)
{
    va_list args;

    if (sim.broken[0] != '\0')
        return;
    va_start(args, format);
    vsnprintf(sim.broken, sizeof sim.broken, format, args);
    va_end(args);
    sim_tell("BROKEN: %s", sim.broken);
}

const char *sim_what_is_broken(void)
{
    return sim.broken;
}

bool sim_strikes_more(enum sim_fault fault, const char *step, double times)
{
    int64_t at_us = sim.now_us - SIM_EPOCH_S * INT64_C(1000000);

    if (sim.self < 0 || sim_faults_are_over() ||
        (sim.plan.chance[fault] <= 0 && sim.plan.only == NULL))
        return false;
    if (!strikes_ask(fault, step, times, at_us, sim.self))
        return false;
    sim_tell("%s (%s): %s", sim_fault_name(fault), step, sim_fault_text(fault));
    return true;
}

bool sim_strikes(enum sim_fault fault, const char *step)
{
    return sim_strikes_more(fault, step, 1);
}

/* --- processes ---------------------------------------------------------------------------------- */

static void run_main(void *context)
{
    struct process *p = context;

    p->main(p->context);
}

int sim_spawn(const char *role, void (*main)(void *context), void *context, bool restarts)
{
    struct process *p = &sim.processes[sim.count];

    CHECK(sim.count < PROCESSES_MAX);
    *p = (struct process){.role = role,
                          .main = main,
                          .context = context,
                          .restarts = restarts,
                          .alive = true,
                          .wake_us = sim.now_us};
    return sim.count++;
}

static void bury(struct process *p)
{
    p->alive = false;
    if (sim.plan.watch.died != NULL)
        sim.plan.watch.died((int)(p - sim.processes));
    if (p->coroutine != NULL)
        coroutine_free(p->coroutine);
    p->coroutine = NULL;
}

/* The same again, under a new number, after a while. */
static void start_again(int dead)
{
    const struct process old = sim.processes[dead];
    int number;

    if (!old.restarts)
        return;
    number = sim_spawn(old.role, old.main, old.context, true);
    sim.processes[number].wake_us = sim.now_us + span_us(1000, RESTART_US_MAX);
}

/* The clock that the machine has when the process starts. */
static void set_clock(struct process *p)
{
    if (sim_strikes(SIM_WRONG_CLOCK, p->role))
        p->clock_error_us =
            (rng_below(&sim.rng, 2) == 0 ? -1 : 1) * INT64_C(86400) * INT64_C(1000000);
}

bool sim_is_stopped(int process)
{
    return process >= 0 && sim.processes[process].stopped_until_us > sim.now_us;
}

int64_t sim_clock_error_us(void)
{
    return sim.self < 0 || sim_faults_are_over() ? 0 : sim.processes[sim.self].clock_error_us;
}

static void run_process(int number)
{
    struct process *p = &sim.processes[number];
    bool goes_on;

    sim.self = number;
    if (p->coroutine == NULL) {
        set_clock(p);
        p->coroutine = coroutine_new(run_main, p);
        sim_tell("starts");
    }
    sim.switches++;
    sim_digest_add((uint64_t)sim.now_us ^ (uint64_t)number << 48);
    goes_on = coroutine_enter(p->coroutine);
    sim.self = -1;
    if (goes_on && p->alive)
        return;
    bury(p);
    if (goes_on)
        start_again(number);
}

void sim_kill_all(void)
{
    int count = sim.count;

    for (int i = 0; i < count; i++) {
        if (!sim.processes[i].alive || !sim.processes[i].restarts)
            continue;
        bury(&sim.processes[i]);
        start_again(i);
    }
}

/* One of those whose time has come; -1: none before until_us, and the clock stands there. */
static int draw_process(int64_t until_us)
{
    int64_t next_us = until_us;
    int ready = -1;
    uint64_t count = 0;

    while (sim.first < sim.count && !sim.processes[sim.first].alive)
        sim.first++;
    for (;;) {
        for (int i = sim.first; i < sim.count; i++) {
            const struct process *p = &sim.processes[i];

            if (!p->alive)
                continue;
            if (p->wake_us <= sim.now_us) {
                if (rng_below(&sim.rng, ++count) == 0)
                    ready = i;
            } else if (p->wake_us < next_us) {
                next_us = p->wake_us;
            }
        }
        if (count > 0)
            return ready;
        sim.now_us = next_us;
        if (next_us >= until_us)
            return -1;
        next_us = until_us;
    }
}

/* --- inside a process ------------------------------------------------------------------------------ */

static void wait_until(int64_t wake_us)
{
    sim.processes[sim.self].wake_us = wake_us;
    coroutine_leave();
}

static void die(void)
{
    sim.processes[sim.self].alive = false;
    coroutine_leave();
}

static void strike_process(const char *step, double times)
{
    if (sim_strikes_more(SIM_CRASH, step, times))
        die();
    if (sim_strikes_more(SIM_PAUSE, step, times)) {
        struct process *p = &sim.processes[sim.self];

        p->stopped_until_us = sim.now_us + span_us(PAUSE_US_MIN, PAUSE_US_MAX);
        if (sim.plan.watch.stopped != NULL)
            sim.plan.watch.stopped(sim.self, p->stopped_until_us);
        wait_until(p->stopped_until_us);
    }
}

void sim_yield(void)
{
    if (sim.self < 0)
        return;
    wait_until(sim.now_us + span_us(1, YIELD_US_MAX));
    strike_process("IN_A_CALL", 1);
}

void sim_wake(int process, int64_t at_us)
{
    struct process *p = &sim.processes[process < 0 ? 0 : process];

    if (process < 0 || at_us >= p->wake_us)
        return;
    p->wake_us = at_us > p->stopped_until_us ? at_us : p->stopped_until_us;
}

int sim_fd_new(void)
{
    CHECK(sim.fd_count < FDS_MAX);
    sim.fds[sim.fd_count] = INT64_MAX;
    return FD_FIRST + sim.fd_count++;
}

void sim_fd_set(int fd, int64_t at_us)
{
    sim.fds[fd - FD_FIRST] = at_us;
}

int64_t sim_fd_at(int fd)
{
    return fd < 0 ? INT64_MAX : sim.fds[fd - FD_FIRST];
}

static bool never(void *context)
{
    (void)context;
    return false;
}

void sim_sleep_us(int64_t span)
{
    if (sim.self < 0) {
        sim_go(never, NULL, span);
        return;
    }
    wait_until(sim.now_us + (span > 0 ? span : 1));
}

/* Steps that a run seldom comes to. */
static double weight(enum fail_point point)
{
    static const double weights[FAIL_POINT_COUNT] = {[FAIL_TICKED] = 8,
                                                     [FAIL_HANDED_OVER] = 4,
                                                     [FAIL_CALL_BEGINS] = 4,
                                                     [FAIL_CALL_ENDED] = 8,
                                                     [FAIL_CLAIMED] = 2};
    double usual = weights[point] > 0 ? weights[point] : 1;

    return point == sim.plan.favourite ? FAVOURITE_TIMES * usual : usual;
}

/* Each named step of the protocol. */
void fail_point_pass(enum fail_point point)
{
    static const char *const steps[] = {
#define FAIL_POINT(role, name, text) #name,
#include "core/fail_points.def"
#undef FAIL_POINT
    };

    if (sim.self < 0)
        return;
    wait_until(sim.now_us + span_us(1, YIELD_US_MAX));
    strike_process(steps[point], weight(point));
}

void fail_point_set(enum fail_point point, int pass)
{
    (void)point, (void)pass;
}

void fail_point_meet(const char *role, struct str value)
{
    (void)role, (void)value;
}

/* --- a run -------------------------------------------------------------------------------------- */

void sim_begin(const struct sim_plan *plan)
{
    sim.plan = *plan;
    sim.rng = rng_seeded(plan->seed ^ 0x5eed5eed5eed5eedu);
    sim.now_us = SIM_EPOCH_S * INT64_C(1000000);
    sim.faults_until_us = sim.now_us + plan->faults_us;
    sim.count = sim.first = 0;
    sim.self = -1;
    sim.digest = 0xcbf29ce484222325u;
    sim.switches = 0;
    sim.fd_count = 0;
    sim.broken[0] = '\0';
    strikes_begin(&sim.plan);
}

void sim_end(void)
{
    for (int i = 0; i < sim.count; i++)
        if (sim.processes[i].alive)
            bury(&sim.processes[i]);
}

bool sim_go(bool (*done)(void *context), void *context, int64_t limit_us)
{
    int64_t until_us = sim.now_us + limit_us, look_us;
    int number;

    CHECK(sim.self < 0);
    while (sim.now_us < until_us) {
        if (done(context))
            return true;
        look_us = sim.now_us + LOOK_US < until_us ? sim.now_us + LOOK_US : until_us;
        while ((number = draw_process(look_us)) >= 0)
            run_process(number);
    }
    return done(context);
}
