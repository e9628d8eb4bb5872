/* The simulator's command line.
 *
 *     sim --seeds 1000 [--from N] [--jobs N] [--play NAME]     many; a summary
 *     sim --seed 42 [--play NAME]                             one, told
 *
 * Exit code 1: a promise was broken, or something that has to go wrong never did.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/log.h"
#include "core/mem.h"
#include "tests/sim/progress.h"
#include "tests/sim/runs.h"
#include "tests/sim/summary.h"

enum { FAILURES_MAX = 3, TRIES_MAX = 400 };

struct options {
    uint64_t from, count;
    bool one;
    int jobs;
    const struct sim_play *play; /* NULL: that of the seed */
};

static int usage(void)
{
    fputs("sim --seeds COUNT [--from SEED] [--jobs COUNT] [--play NAME]\n"
          "sim --seed SEED [--play NAME]\n",
          stderr);
    return 2;
}

static bool read_options(int count, char **words, struct options *o)
{
    static const struct option options[] = {{"seeds", required_argument, NULL, 'n'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"from", required_argument, NULL, 'f'},
                                            {"jobs", required_argument, NULL, 'j'},
                                            {"play", required_argument, NULL, 'p'},
                                            {"chunk", required_argument, NULL, 'c'},
                                            {NULL, 0, NULL, 0}};
    int option;

    *o = (struct options){.from = 1, .count = 1000, .jobs = (int)sysconf(_SC_NPROCESSORS_ONLN)};
    while ((option = getopt_long(count, words, "", options, NULL)) != -1)
        switch (option) {
        case 'n': o->count = strtoull(optarg, NULL, 10); break;
        case 'f': o->from = strtoull(optarg, NULL, 10); break;
        case 'j': o->jobs = atoi(optarg); break;
        case 'c': runs_set_chunk(strtoull(optarg, NULL, 10)); break;
        case 's':
            o->from = strtoull(optarg, NULL, 10);
            o->one = true;
            break;
        case 'p':
            o->play = sim_play_named(optarg);
            if (o->play == NULL)
                return false;
            break;
        default: return false;
        }
    return optind == count && o->jobs > 0 && o->jobs <= 64;
}

/* --- one run, told ---------------------------------------------------------------------------------- */

static const struct sim_play *play_of(const struct options *o, uint64_t seed)
{
    return o->play != NULL ? o->play : sim_play_of(seed);
}

static void print_command(const struct options *o, uint64_t seed)
{
    printf("make sim SEED=%" PRIu64, seed);
    if (o->play != NULL)
        printf(" PLAY=%s", o->play->name);
    putchar('\n');
}

/* The same run with nothing but these. */
static void tell_shortened(const struct sim_play *play, struct sim_plan plan,
                           const struct runs_strike *strikes, size_t count,
                           struct runs_leaves *leaves)
{
    struct sim_strike *only = MEM_NEW_ARRAY(struct sim_strike, count + 1);

    for (size_t i = 0; i < count; i++)
        only[i] = (struct sim_strike){
            .fault = strikes[i].fault, .step = strikes[i].step, .nth = strikes[i].nth};
    plan.only = only;
    plan.only_count = count;
    plan.tell = true;
    runs_fails(play, &plan, leaves);
    printf("  => %s\n", leaves->failed ? leaves->why : "nothing is wrong");
    mem_free(only);
}

static void shorten_and_tell(const struct options *o, uint64_t seed, struct runs_leaves *leaves)
{
    const struct sim_play *play = play_of(o, seed);
    size_t count = leaves->strike_count, left;
    struct runs_strike *strikes = MEM_NEW_ARRAY(struct runs_strike, count + 1);
    struct sim_plan plan;

    memcpy(strikes, leaves->strikes, count * sizeof *strikes);
    sim_plan_draw(seed, &plan);
    left = runs_shorten(play, &plan, strikes, count, TRIES_MAX);
    printf("it takes %zu of the %zu faults that struck:\n", left, count);
    tell_shortened(play, plan, strikes, left, leaves);
    mem_free(strikes);
}

static int run_one(const struct options *o)
{
    const struct sim_play *play = play_of(o, o->from);
    struct runs_leaves *leaves = runs_shared();
    struct sim_plan plan;
    bool failed;

    sim_plan_draw(o->from, &plan);
    plan.tell = true;
    printf("seed %" PRIu64 ", play %s\n", o->from, play->name);
    failed = runs_fails(play, &plan, leaves);
    printf("%s\n", failed ? leaves->why : "all is as it must be");
    printf("digest %016" PRIx64 "\n", leaves->digest);
    if (failed)
        shorten_and_tell(o, o->from, leaves);
    munmap(leaves, sizeof *leaves);
    return failed;
}

/* --- many --------------------------------------------------------------------------------------------- */

static void report_failure(const struct options *o, uint64_t seed, const char *what)
{
    struct runs_leaves *leaves = runs_shared();
    struct sim_plan plan;

    printf("\nFAILED: %s\n", what);
    print_command(o, seed);
    sim_plan_draw(seed, &plan);
    if (runs_fails(play_of(o, seed), &plan, leaves))
        shorten_and_tell(o, seed, leaves);
    else
        printf("it does not fail when it runs alone: it depends on the seeds before it\n");
    munmap(leaves, sizeof *leaves);
}

static int run_many(const struct options *o)
{
    struct runs_totals *totals = MEM_NEW(struct runs_totals);
    struct progress progress;
    bool failed;

    progress_begin(&progress, o->count);
    runs_many(&(struct runs_wanted){.from = o->from,
                                    .count = o->count,
                                    .jobs = o->jobs,
                                    .play = o->play,
                                    .failures_max = FAILURES_MAX,
                                    .tell = progress_tell,
                                    .context = &progress},
              totals);
    progress_end(&progress);
    failed = !summary_print(totals, o->count, o->play == NULL, progress_seconds(&progress));
    for (size_t i = 0; i < totals->failed_count && i < FAILURES_MAX; i++)
        report_failure(o, totals->failed[i], totals->why[i]);
    failed |= totals->failed_count > 0;
    mem_free(totals);
    return failed;
}

int main(int count, char **words)
{
    struct options options;

    log_setup(LOG_ERROR, LOG_LOGFMT, false);
    if (!read_options(count, words, &options))
        return usage();
    return options.one ? run_one(&options) : run_many(&options);
}
