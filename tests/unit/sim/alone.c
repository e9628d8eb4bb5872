#include "tests/unit/sim/alone.h"

#include <string.h>

#include "core/check.h"
#include "core/clock.h"

static struct {
    int64_t now_us;
    struct rng rng;
    int process;
    enum sim_fault fault;
    const char *step;
    int times, fds;
} alone;

void lone_begin(uint64_t seed)
{
    alone.now_us = 1700000000000000;
    alone.rng = rng_seeded(seed);
    alone.process = 0;
    alone.fault = SIM_FAULT_COUNT;
    alone.times = 0;
}

void lone_be(int process)
{
    alone.process = process;
}

void lone_pass_ms(int64_t span_ms)
{
    alone.now_us += span_ms * 1000;
}

void lone_order(enum sim_fault fault, const char *step, int times)
{
    alone.fault = fault;
    alone.step = step;
    alone.times = times;
}

bool lone_is_ordered(void)
{
    return alone.times > 0;
}

/* --- sim.h ------------------------------------------------------------------------------------- */

int64_t sim_now_us(void)
{
    return alone.now_us;
}

struct rng *sim_rng(void)
{
    return &alone.rng;
}

int sim_self(void)
{
    return alone.process;
}

void sim_yield(void)
{
}

void sim_sleep_us(int64_t span_us)
{
    alone.now_us += span_us;
}

bool sim_strikes(enum sim_fault fault, const char *step)
{
    if (alone.times == 0 || fault != alone.fault || strcmp(step, alone.step) != 0)
        return false;
    alone.times--;
    return true;
}

bool sim_strikes_more(enum sim_fault fault, const char *step, double times)
{
    (void)times;
    return sim_strikes(fault, step);
}

bool sim_faults_are_over(void)
{
    return false;
}

bool sim_is_alive(int process)
{
    (void)process;
    return true;
}

bool sim_is_stopped(int process)
{
    (void)process;
    return false;
}

void sim_wake(int process, int64_t at_us)
{
    (void)process;
    (void)at_us;
}

int sim_fd_new(void)
{
    return 1000000 + alone.fds++;
}

void sim_fd_set(int fd, int64_t at_us)
{
    (void)fd;
    (void)at_us;
}

int64_t sim_fd_at(int fd)
{
    (void)fd;
    return INT64_MAX;
}

void sim_broken(const char *format, ...)
{
    (void)format;
    CHECK(!"a promise is broken");
}

void sim_tell(const char *format, ...)
{
    (void)format;
}

/* --- clock.h ----------------------------------------------------------------------------------- */

int64_t clock_wall_ms(void)
{
    return alone.now_us / 1000;
}

int64_t clock_mono_ms(void)
{
    return alone.now_us / 1000;
}

int64_t clock_mono_us(void)
{
    return alone.now_us;
}

int64_t clock_cpu_us(void)
{
    return 0;
}

void clock_sleep_ms(int64_t span_ms)
{
    lone_pass_ms(span_ms);
}
