#include "tests/sim/unwell_play.h"

enum { TURNS = 200, TURN_US = 20000, RUN_US = 60000000 };

struct seen {
    bool lost, late;
    int ended;
};

static void look(void *context)
{
    struct seen *seen = context;

    for (int i = 0; i < TURNS; i++) {
        sim_sleep_us(TURN_US);
        fail_point_pass(FAIL_DECIDED);
        seen->lost |= sim_strikes(SIM_ANSWER_LOST, "look");
        seen->late |= sim_strikes(SIM_ANSWER_LATE, "look");
        if (seen->lost && seen->late)
            sim_broken("an answer was lost, and one was late");
    }
    seen->ended++;
}

static bool is_over(void *context)
{
    return ((struct seen *)context)->ended == 2;
}

bool unwell_play(const struct sim_plan *plan, struct err *why)
{
    struct seen seen = {0};
    bool well;

    sim_begin(plan);
    sim_spawn("one", look, &seen, true);
    sim_spawn("two", look, &seen, true);
    well = sim_go(is_over, &seen, RUN_US);
    if (!well)
        err_set(why, ERR_STATE, "it does not end");
    sim_end();
    return well;
}
