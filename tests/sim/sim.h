/* tests/sim/sim.h - simulated processes: coroutines over one virtual clock and one seed.
 *
 * A simulated process is a coroutine that runs the real code of a role (worker, ingest, dispatch)
 * over simulated Kafka, Redis and receivers.  Nothing runs beside anything: a process runs until it
 * waits or yields, then the scheduler draws who goes on.  All chance comes from one seed,
 * all time from one virtual clock, so a seed replays a run to the byte.
 *
 *     driver ---- sim_go ----> [ process 0 ] <-- sim_yield, sim_sleep_us --> [ process 1 ] ...
 *                                    |
 *                     kafka.h, store.h, clock.h, senders.h: simulated, call the functions below
 *
 * The real headers are the seams: the simulator defines the functions of connectors/kafka/kafka.h,
 * core/clock.h, rng_system, fail_point_pass and processors/dispatch/senders.h itself, so the linker
 * takes these and not the library's.
 *
 * Models call the first part, the driver (scheduler.h) the rest.  One thread.
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "core/rng.h"

/* What can go wrong: one line each in faults.def, SIM_FAULT(NAME, "text"). */
enum sim_fault {
#define SIM_FAULT(name, text) SIM_##name,
#include "tests/sim/faults.def"
#undef SIM_FAULT
    SIM_FAULT_COUNT
};

/* --- for models, inside a process ------------------------------------------------------------- */

/* True time, microseconds since 1970; a process may have a clock that is wrong, models never ask that. */
int64_t sim_now_us(void);

/* All chance of this run but that of faults. */
struct rng *sim_rng(void);

/* Who runs: 0, 1, ...; -1: the driver.  A process that has been killed and started again is another
 * one. */
int sim_self(void);

/* False: it has been killed or has ended; it never comes back under this number. */
bool sim_is_alive(int process);

/* It stands still (SIM_PAUSE): not even its threads send a heartbeat. */
bool sim_is_stopped(int process);

/* Others may go on; returns at once in the driver.  The process may be killed here (then this does
 * not return, and its memory is gone), or stopped for longer than a session. */
void sim_yield(void);

/* So much time passes for this process; others go on meanwhile.  In the driver: time passes, and the
 * processes go on. */
void sim_sleep_us(int64_t span_us);

/* Somebody sleeps, and there is something for him: he goes on at at_us, if he would sleep longer. */
void sim_wake(int process, int64_t at_us);

/* A simulated file descriptor (never a real one's number): can be read from at_us on; INT64_MAX: not for
 * now.  -1 of sim_fd_at: always INT64_MAX.  Gone with the run. */
int sim_fd_new(void);
void sim_fd_set(int fd, int64_t at_us);
int64_t sim_fd_at(int fd);

/* Shall this happen, here and now?  Drawn from the seed with the chance that the run gives this kind;
 * always false once the run's faults have ended, and in the driver.  What is true is counted under
 * (kind, step) and put into the story.  step: the name of the protocol's step, a constant. */
bool sim_strikes(enum sim_fault fault, const char *step);

/* The same, `times` as likely as it would be. */
bool sim_strikes_more(enum sim_fault fault, const char *step, double times);

/* No fault strikes any more, and what lasts (a broker that is away) has to end. */
bool sim_faults_are_over(void);

/* A promise is broken: the run fails, whatever its play says.  The first one is kept.  printf-like. */
void sim_broken(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line of the story; printed only when a run is told.  printf-like, short. */
void sim_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
