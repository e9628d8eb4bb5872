#include "tests/sim/runs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/check.h"
#include "core/mem.h"

enum {
    RUN_S_MAX = 30,    /* of a processor; the usual run takes milliseconds */
    STILL_S_MAX = 600, /* real time: it waits for something, which none should */
    JOBS_MAX = 64,
};

static uint64_t chunk = 200;

void runs_set_chunk(uint64_t seeds)
{
    chunk = seeds;
}

struct runs_leaves *runs_shared(void)
{
    void *p = mmap(NULL, sizeof(struct runs_leaves), PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    CHECK(p != MAP_FAILED);
    return p;
}

/* --- inside a child -------------------------------------------------------------------------------- */

static void leave_strikes(struct runs_leaves *leaves)
{
    const struct sim_strike *strikes;
    size_t count = sim_strikes_of(&strikes);

    leaves->strike_count = count < RUNS_STRIKES_MAX ? count : RUNS_STRIKES_MAX;
    for (size_t i = 0; i < leaves->strike_count; i++) {
        leaves->strikes[i].fault = strikes[i].fault;
        leaves->strikes[i].nth = strikes[i].nth;
        snprintf(leaves->strikes[i].step, RUNS_STEP_SIZE, "%s", strikes[i].step);
    }
}

static void leave_pairs(struct runs_leaves *leaves)
{
    const struct sim_pair *pairs;
    size_t count = sim_pairs(&pairs);

    CHECK(count <= RUNS_PAIRS_MAX);
    leaves->pair_count = count;
    for (size_t i = 0; i < count; i++) {
        leaves->pairs[i].fault = pairs[i].fault;
        leaves->pairs[i].asked = pairs[i].asked;
        leaves->pairs[i].struck = pairs[i].struck;
        CHECK(strlen(pairs[i].step) < RUNS_STEP_SIZE);
        strcpy(leaves->pairs[i].step, pairs[i].step);
    }
}

/* The strikes are written down as they come, so that they are there when the process is not. */
static struct runs_leaves *leaves_now;

static void note_at_exit(void)
{
    if (leaves_now != NULL)
        leave_strikes(leaves_now);
}

/* By the processor's time: on a machine with much to do a run may take long, and is no loop. */
static void limit_time(int processor_s, unsigned real_s)
{
    const struct itimerval processor = {.it_value = {.tv_sec = processor_s}};

    CHECK(setitimer(ITIMER_PROF, &processor, NULL) == 0);
    alarm(real_s);
}

static bool run_one(const struct sim_play *play, const struct sim_plan *plan,
                    struct runs_leaves *leaves)
{
    struct err why = {0};

    leaves->seed = plan->seed;
    leaves->running = true;
    limit_time(RUN_S_MAX, STILL_S_MAX);
    leaves->failed = !sim_play_runs_well(play, plan, &why);
    limit_time(0, 0);
    snprintf(leaves->why, sizeof leaves->why, "%s", why.text);
    leaves->running = false;
    leaves->count++;
    leaves->switches += sim_switches();
    leaves->digest += sim_digest();
    return !leaves->failed;
}

static void on_signal(int number)
{
    note_at_exit();
    signal(number, SIG_DFL);
    raise(number);
}

static void catch_signals(struct runs_leaves *leaves)
{
    leaves_now = leaves;
    signal(SIGABRT, on_signal);
    signal(SIGSEGV, on_signal);
    signal(SIGPROF, on_signal);
    signal(SIGALRM, on_signal);
}

static void run_chunk(uint64_t from, uint64_t count, const struct sim_play *play,
                      struct runs_leaves *leaves)
{
    struct sim_plan plan;

    catch_signals(leaves);
    for (uint64_t seed = from; seed < from + count; seed++) {
        sim_plan_draw(seed, &plan);
        if (!run_one(play != NULL ? play : sim_play_of(seed), &plan, leaves))
            break;
    }
    leave_pairs(leaves);
    leave_strikes(leaves);
    _exit(0);
}

/* --- one run ---------------------------------------------------------------------------------------- */

static void judge_end(struct runs_leaves *leaves, int status)
{
    if (!leaves->running && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    leaves->failed = true;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF)
        snprintf(leaves->why, sizeof leaves->why, "no end within %d s of a processor", RUN_S_MAX);
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(leaves->why, sizeof leaves->why, "it stands still for %d s", STILL_S_MAX);
    else if (WIFSIGNALED(status))
        snprintf(leaves->why, sizeof leaves->why, "ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(leaves->why, sizeof leaves->why, "exit code %d", WEXITSTATUS(status));
}

static pid_t start_child(void)
{
    pid_t child;

    fflush(NULL);
    child = fork();
    CHECK(child >= 0);
    return child;
}

bool runs_fails(const struct sim_play *play, const struct sim_plan *plan,
                struct runs_leaves *leaves)
{
    pid_t child;
    int status;

    leaves->failed = leaves->running = false;
    leaves->why[0] = '\0';
    leaves->count = leaves->digest = leaves->switches = 0;
    child = start_child();
    if (child == 0) {
        if (!plan->tell)
            freopen("/dev/null", "w", stderr);
        catch_signals(leaves);
        run_one(play, plan, leaves);
        leave_strikes(leaves);
        fflush(NULL);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    judge_end(leaves, status);
    return leaves->failed;
}

/* --- a shorter schedule -------------------------------------------------------------------------------- */

static bool fails_with(const struct sim_play *play, const struct sim_plan *plan,
                       const struct runs_strike *strikes, size_t count, struct runs_leaves *leaves)
{
    struct sim_plan shorter = *plan;
    struct sim_strike *only = MEM_NEW_ARRAY(struct sim_strike, count + 1);
    bool fails;

    for (size_t i = 0; i < count; i++)
        only[i] = (struct sim_strike){
            .fault = strikes[i].fault, .step = strikes[i].step, .nth = strikes[i].nth};
    shorter.only = only;
    shorter.only_count = count;
    fails = runs_fails(play, &shorter, leaves);
    mem_free(only);
    return fails;
}

/* Without those from `at`, `span` of them. */
static size_t without(struct runs_strike *out, const struct runs_strike *from, size_t count,
                      size_t at, size_t span)
{
    size_t left = 0;

    for (size_t i = 0; i < count; i++)
        if (i < at || i >= at + span)
            out[left++] = from[i];
    return left;
}

size_t runs_shorten(const struct sim_play *play, const struct sim_plan *plan,
                    struct runs_strike *strikes, size_t count, int tries)
{
    struct runs_leaves *leaves = runs_shared();
    struct runs_strike *trial = MEM_NEW_ARRAY(struct runs_strike, count + 1);
    size_t span = count;

    while (span > 0 && tries > 0) {
        bool shorter = false;

        for (size_t at = 0; at < count && tries > 0;) {
            size_t left = without(trial, strikes, count, at, span);

            tries--;
            if (!fails_with(play, plan, trial, left, leaves)) {
                at += span;
                continue;
            }
            memcpy(strikes, trial, left * sizeof *trial);
            count = left;
            shorter = true;
        }
        if (!shorter || span > 1)
            span /= 2;
    }
    mem_free(trial);
    munmap(leaves, sizeof *leaves);
    return count;
}

/* --- many ---------------------------------------------------------------------------------------------- */

static void add_pair(struct runs_totals *totals, const struct runs_pair *pair)
{
    size_t at = 0;

    while (at < totals->pair_count && (totals->pairs[at].fault != pair->fault ||
                                       strcmp(totals->pairs[at].step, pair->step) != 0))
        at++;
    if (at == totals->pair_count) {
        CHECK(at < RUNS_PAIRS_MAX);
        totals->pairs[totals->pair_count++] = *pair;
        return;
    }
    totals->pairs[at].asked += pair->asked;
    totals->pairs[at].struck += pair->struck;
}

static void add_failure(struct runs_totals *totals, const struct runs_leaves *leaves)
{
    if (totals->failed_count < 64) {
        totals->failed[totals->failed_count] = leaves->seed;
        memcpy(totals->why[totals->failed_count], leaves->why, sizeof leaves->why);
    }
    totals->failed_count++;
}

struct job {
    pid_t child; /* 0: none */
    uint64_t from, count;
    struct runs_leaves *leaves;
};

struct many {
    const struct runs_wanted *wanted;
    uint64_t next, end; /* seeds that are still to be given out */
    struct runs_totals *totals;
};

static void start_job(struct job *job, uint64_t from, uint64_t count, const struct sim_play *play)
{
    job->from = from;
    job->count = count;
    memset(job->leaves, 0, offsetof(struct runs_leaves, pairs));
    job->leaves->strike_count = 0;
    job->child = start_child();
    if (job->child == 0)
        run_chunk(from, count, play, job->leaves);
}

/* Add up what it leaves; the seeds behind one that failed are given to another child. */
static void end_job(struct many *many, struct job *job, int status)
{
    struct runs_leaves *leaves = job->leaves;
    uint64_t end = job->from + job->count;

    job->child = 0;
    judge_end(leaves, status);
    many->totals->count += leaves->count + (leaves->running ? 1 : 0);
    many->totals->switches += leaves->switches;
    many->totals->digest += leaves->digest;
    for (size_t i = 0; i < leaves->pair_count; i++)
        add_pair(many->totals, &leaves->pairs[i]);
    if (!leaves->failed)
        return;
    add_failure(many->totals, leaves);
    if (leaves->seed + 1 < end && many->totals->failed_count < many->wanted->failures_max)
        start_job(job, leaves->seed + 1, end - leaves->seed - 1, many->wanted->play);
}

static void give_job(struct many *many, struct job *job)
{
    uint64_t count = many->end - many->next < chunk ? many->end - many->next : chunk;

    if (job->child != 0 || count == 0 || many->totals->failed_count >= many->wanted->failures_max)
        return;
    start_job(job, many->next, count, many->wanted->play);
    many->next += count;
}

void runs_many(const struct runs_wanted *wanted, struct runs_totals *out)
{
    struct many many = {wanted, wanted->from, wanted->from + wanted->count, out};
    int jobs = wanted->jobs;
    struct job all[JOBS_MAX] = {0};
    pid_t child;
    int status;

    *out = (struct runs_totals){0};
    CHECK(jobs > 0 && jobs <= JOBS_MAX);
    for (int i = 0; i < jobs; i++) {
        all[i].leaves = runs_shared();
        give_job(&many, &all[i]);
    }
    while ((child = wait(&status)) > 0)
        for (int i = 0; i < jobs; i++)
            if (all[i].child == child) {
                end_job(&many, &all[i], status);
                give_job(&many, &all[i]);
                if (wanted->tell != NULL)
                    wanted->tell(wanted->context, out);
            }
    for (int i = 0; i < jobs; i++)
        munmap(all[i].leaves, sizeof *all[i].leaves);
}
