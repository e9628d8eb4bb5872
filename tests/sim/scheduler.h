/* tests/sim/scheduler.h - for the driver: begin a run, start processes, let time pass, see what struck.
 *
 *     sim_begin(&plan);
 *     sim_spawn("decide", run_decide, &config);      started again by itself when it is killed
 *     sim_go(is_at_rest, &cluster, limit_us);
 *     sim_end();
 *
 * One thread.
 */
#ifndef TESTS_SIM_SCHEDULER_H
#define TESTS_SIM_SCHEDULER_H

#include <stddef.h>

#include "core/fail_point.h"
#include "core/log.h"
#include "tests/sim/sim.h"

/* One thing that went wrong: the n-th time that it was asked whether (fault, step) strikes. */
struct sim_strike {
    enum sim_fault fault;
    const char *step;
    uint64_t nth;
    int64_t at_us; /* since the run began */
    int process;
};

/* Who has to know of processes (a model); NULL: nobody. */
struct sim_watch {
    void (*died)(int process);                      /* killed, or ended */
    void (*stopped)(int process, int64_t until_us); /* stands still */
    /* Writes to its log; context: the watch's. */
    void (*said)(void *context, enum log_level level, const char *part, const char *what,
                 const struct log_field *fields);
    void *context;
};

struct sim_plan {
    uint64_t seed;
    double chance[SIM_FAULT_COUNT]; /* each time it is asked */
    enum fail_point favourite;      /* a step at which crash and pause are much likelier */
    int64_t faults_us;              /* how long faults strike */
    const struct sim_strike *only;  /* NULL: what is drawn; else nothing but these */
    size_t only_count;
    struct sim_watch watch;
    bool tell; /* print the story */
};

enum { SIM_EPOCH_S = 1772442000 /* 2026-03-02T09:00:00Z */ };

void sim_begin(const struct sim_plan *plan);
void sim_end(void);

/* A process that runs main(context); restarts: started again a drawn time after it was killed.  When
 * main returns it has ended.  role: a constant. */
int sim_spawn(const char *role, void (*main)(void *context), void *context, bool restarts);

/* Kill it now (a person restarts everything); it is started again as after a crash. */
void sim_kill_all(void);

/* Run until done says so, asked every 50 virtual ms; false: the limit (span from now) was reached. */
bool sim_go(bool (*done)(void *context), void *context, int64_t limit_us);

/* By which the clock of the running process is wrong. */
int64_t sim_clock_error_us(void);

/* The log line of the running process (seams.c). */
void sim_said(enum log_level level, const char *part, const char *what,
              const struct log_field *fields);

/* A hash over everything that was scheduled: equal for equal seeds. */
uint64_t sim_digest(void);
void sim_digest_add(uint64_t value);

/* What has struck in this run, in order. */
size_t sim_strikes_of(const struct sim_strike **out);

/* Pairs that were asked about since the OS process began, and how often each struck. */
struct sim_pair {
    enum sim_fault fault;
    const char *step;
    uint64_t asked, struck;
};
size_t sim_pairs(const struct sim_pair **out);

const char *sim_fault_name(enum sim_fault fault); /* "CRASH" */
const char *sim_fault_text(enum sim_fault fault);

uint64_t sim_switches(void);          /* of this run */
const char *sim_what_is_broken(void); /* of this run; "": nothing */

#endif
