/* tests/sim/mutants/mutants.c - does the simulator find each deliberate bug of core/mutants.def?
 *
 *     sim-mutants [--seeds N] [--jobs N] [NAME...]
 *
 * For each mutant seeds 1, 2, ... are run until a rule is broken or a process gives up (CHECK, a signal,
 * no end), with a seed in which nothing is wrong without it.  Exit 0: each was found.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/mutant.h"
#include "tests/sim/progress.h"
#include "tests/sim/runs.h"

enum { SEEDS = 10000, JOBS = 2 };

struct options {
    uint64_t seeds;
    int jobs;
    char **names; /* none: all */
    int name_count;
};

static bool is_asked_for(const struct options *o, const char *name)
{
    for (int i = 0; i < o->name_count; i++)
        if (strcmp(o->names[i], name) == 0)
            return true;
    return o->name_count == 0;
}

/* Children of several jobs find several: the first counts. */
static size_t first_of(const struct runs_totals *totals)
{
    size_t first = 0;

    for (size_t i = 1; i < totals->failed_count; i++)
        if (totals->failed[i] < totals->failed[first])
            first = i;
    return first;
}

/* It fails without a mutant, too: it says nothing about one. */
static bool fails_anyway(uint64_t seed)
{
    struct runs_leaves *leaves = runs_shared();
    struct sim_plan plan;
    bool fails;

    sim_plan_draw(seed, &plan);
    fails = runs_fails(sim_play_of(seed), &plan, leaves);
    munmap(leaves, sizeof *leaves);
    return fails;
}

/* The first seed with which this mutant is found, 0: none; why says how. */
static uint64_t search(const struct options *o, enum mutant mutant, char why[RUNS_WHY_SIZE])
{
    struct runs_totals *totals = MEM_NEW(struct runs_totals);
    uint64_t found = 0;

    for (uint64_t from = 1; from <= o->seeds && found == 0;) {
        size_t first;

        mutant_switch(mutant);
        runs_many(
            &(struct runs_wanted){
                .from = from, .count = o->seeds - from + 1, .jobs = o->jobs, .failures_max = 1},
            totals);
        mutant_switch(MUTANT_NONE);
        if (totals->failed_count == 0)
            break;
        first = first_of(totals);
        memcpy(why, totals->why[first], RUNS_WHY_SIZE);
        from = totals->failed[first] + 1;
        if (!fails_anyway(from - 1))
            found = from - 1;
        else
            printf("seed %" PRIu64 " fails without a mutant, too: %s\n", from - 1, why);
    }
    mem_free(totals);
    return found;
}

static bool look_for(const struct options *o, enum mutant mutant)
{
    char why[RUNS_WHY_SIZE];
    struct progress progress;
    uint64_t seed;

    progress_begin(&progress, o->seeds);
    seed = search(o, mutant, why);
    if (seed == 0)
        printf("%-24s      -  %5.1f s  NOT FOUND: %s\n", mutant_name(mutant),
               progress_seconds(&progress), mutant_text(mutant));
    else
        printf("%-24s %6" PRIu64 "  %5.1f s  %s: %s\n", mutant_name(mutant), seed,
               progress_seconds(&progress), sim_play_of(seed)->name, why);
    fflush(stdout);
    return seed != 0;
}

static bool read_options(int count, char **words, struct options *o)
{
    int at = 1;

    *o = (struct options){.seeds = SEEDS, .jobs = JOBS};
    for (; at + 1 < count && strncmp(words[at], "--", 2) == 0; at += 2) {
        if (strcmp(words[at], "--seeds") == 0)
            o->seeds = strtoull(words[at + 1], NULL, 10);
        else if (strcmp(words[at], "--jobs") == 0)
            o->jobs = atoi(words[at + 1]);
        else
            return false;
    }
    o->names = words + at;
    o->name_count = count - at;
    return o->jobs > 0 && o->jobs <= 64;
}

int main(int count, char **words)
{
    size_t asked = 0, found = 0;
    struct options options;

    if (!read_options(count, words, &options)) {
        fputs("sim-mutants [--seeds N] [--jobs N] [NAME...]\n", stderr);
        return 2;
    }
    log_setup(LOG_ERROR, LOG_LOGFMT, false);
    if (freopen("/dev/null", "w", stderr) == NULL) /* what mutants complain of */
        return 1;
    printf("%-24s %6s  %7s  what is wrong then\n", "mutant", "seed", "time");
    for (int m = MUTANT_NONE + 1; m < MUTANT_COUNT; m++) {
        if (!is_asked_for(&options, mutant_name((enum mutant)m)))
            continue;
        asked++;
        found += look_for(&options, (enum mutant)m);
    }
    printf("%zu of %zu found\n", found, asked);
    return found == asked && asked > 0 ? 0 : 1;
}
