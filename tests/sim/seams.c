/* What the library asks the system for, answered by the simulator: the linker finds these first.
 * rng_system and log_write stand beside others that are wanted, so the linker is told to wrap them
 * (Makefile).
 */
#include <string.h>

#include "core/clock.h"
#include "core/rng.h"
#include "tests/sim/scheduler.h"

int64_t clock_wall_ms(void)
{
    return (sim_now_us() + sim_clock_error_us()) / 1000;
}

int64_t clock_mono_us(void)
{
    return sim_now_us() - SIM_EPOCH_S * INT64_C(1000000) + INT64_C(1000000);
}

int64_t clock_mono_ms(void)
{
    return clock_mono_us() / 1000;
}

int64_t clock_cpu_us(void)
{
    return clock_mono_us();
}

void clock_sleep_ms(int64_t span_ms)
{
    sim_sleep_us(span_ms * 1000);
}

void __wrap_rng_system(void *out, size_t bytes);
void __wrap_rng_system(void *out, size_t bytes)
{
    char *at = out;

    for (uint64_t word; bytes > 0;) {
        size_t part = bytes < sizeof word ? bytes : sizeof word;

        word = rng_next(sim_rng());
        memcpy(at, &word, part);
        at += part;
        bytes -= part;
    }
}

void __wrap_log_write(enum log_level level, const char *part, const char *what,
                      const struct log_field *fields);
void __wrap_log_write(enum log_level level, const char *part, const char *what,
                      const struct log_field *fields)
{
    sim_said(level, part, what, fields);
}
