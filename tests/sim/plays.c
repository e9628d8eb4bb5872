/* Every plan leaves some kinds out and makes others much likelier: a run in which a bit of everything
 * happens hides what only shows when one thing happens often (Groce et al., "Swarm testing", 2012).
 */
#include "tests/sim/plays.h"

#include <math.h>
#include <string.h>

#include "core/check.h"
#include "tests/sim/chain_rules.h"
#include "tests/sim/dispatch_play.h"
#include "tests/sim/ingest_play.h"
#include "tests/sim/steps_play.h"
#include "tests/sim/unwell_play.h"

static const struct sim_play plays[] = {
    {"toy", 3, toy_play, NULL},       {"chain", 3, chain_play, chain_rules_prepare},
    {"ingest", 2, ingest_play, NULL}, {"dispatch", 2, dispatch_play, NULL},
    {"guards", 1, guards_play, NULL}, {"whole", 2, whole_play, whole_play_prepare},
    {"unwell", 0, unwell_play, NULL}, /* for a test of the simulator itself */
};

enum { PLAYS = sizeof plays / sizeof plays[0] };

/* Each time it is asked; how often that is differs a lot: a heartbeat every 300 ms, a record that is
 * published, a commit. */
static const double usual[SIM_FAULT_COUNT] = {
    [SIM_CRASH] = 0.005,
    [SIM_PAUSE] = 0.003,
    [SIM_WRONG_CLOCK] = 0.1,
    [SIM_REBALANCE] = 0.008,
    [SIM_LATE_REVOKE] = 0.3,
    [SIM_ANSWER_LOST] = 0.01,
    [SIM_ANSWER_LATE] = 0.01,
    [SIM_REFUSED] = 0.01,
    [SIM_BROKER_GONE] = 0.002,
    [SIM_DISK_FULL] = 0.01,
    [SIM_COMMIT_UNKNOWN] = 0.02,
    [SIM_STORE_TIMEOUT_DONE] = 0.01,
    [SIM_STORE_TIMEOUT_NOT] = 0.01,
    [SIM_STORE_FAILOVER] = 0.006,
    [SIM_STORE_OLDER] = 0.02,
    [SIM_STORE_EMPTY] = 0.01,
    [SIM_STORE_FULL] = 0.004,
    [SIM_SOURCE_TWICE] = 0.03,
    [SIM_RECEIVER_FAILS] = 0.1,
};

enum {
    QUIET_PERCENT = 3, /* of runs: nothing goes wrong */
    LEFT_OUT_PERCENT = 45,
    FAULTS_MS_MIN = 2000,
    FAULTS_MS_MAX = 25000,
};

void sim_plan_draw(uint64_t seed, struct sim_plan *plan)
{
    struct rng rng = rng_seeded(seed * 0xd1342543de82ef95u + 1);
    bool quiet = rng_below(&rng, 100) < QUIET_PERCENT;

    *plan = (struct sim_plan){.seed = seed};
    plan->favourite = (enum fail_point)rng_below(&rng, FAIL_POINT_COUNT);
    plan->faults_us =
        1000 * (FAULTS_MS_MIN + (int64_t)rng_below(&rng, FAULTS_MS_MAX - FAULTS_MS_MIN));
    for (int i = 0; i < SIM_FAULT_COUNT; i++) {
        double times = exp2(4 * rng_unit(&rng) - 2); /* a quarter to four times as often */

        CHECK(usual[i] > 0);
        if (rng_below(&rng, 100) >= LEFT_OUT_PERCENT && !quiet)
            plan->chance[i] = usual[i] * times;
    }
}

const struct sim_play *sim_plays(size_t *count)
{
    *count = PLAYS;
    return plays;
}

const struct sim_play *sim_play_named(const char *name)
{
    for (size_t i = 0; i < PLAYS; i++)
        if (strcmp(plays[i].name, name) == 0)
            return &plays[i];
    return NULL;
}

const struct sim_play *sim_play_of(uint64_t seed)
{
    struct rng rng = rng_seeded(seed);
    uint64_t all = 0, at;
    size_t i = 0;

    for (size_t k = 0; k < PLAYS; k++)
        all += plays[k].weight;
    for (at = rng_below(&rng, all); at >= plays[i].weight; i++)
        at -= plays[i].weight;
    return &plays[i];
}

bool sim_play_runs_well(const struct sim_play *play, const struct sim_plan *plan, struct err *why)
{
    bool well;

    if (play->prepare != NULL)
        play->prepare();
    well = play->run(plan, why);
    if (well && sim_what_is_broken()[0] != '\0') {
        err_set(why, ERR_STATE, "%s", sim_what_is_broken());
        well = false;
    }
    return well;
}

bool sim_play(uint64_t seed, struct err *why)
{
    const struct sim_play *play = sim_play_of(seed);
    struct sim_plan plan;

    sim_plan_draw(seed, &plan);
    return sim_play_runs_well(play, &plan, why);
}
