/* Whether something strikes is a hash of (seed, fault, step, how often that was asked), not the next
 * number of a generator: so when a strike is left out, the others stay what they were, and a failure can be
 * made shorter by leaving out one after the other.
 */
#include "tests/sim/strikes.h"

#include <string.h>

#include "core/check.h"
#include "core/hash.h"
#include "core/mem.h"

enum { PAIRS_MAX = 512, SLOTS = 2048 };

static struct sim_pair pairs[PAIRS_MAX]; /* since the OS process began */
static uint64_t asked_now[PAIRS_MAX];    /* in this run */
static uint64_t names[PAIRS_MAX];        /* hash of the step's text */
static size_t pair_count;

/* Steps are constants, but one text may stand at several addresses. */
static struct slot {
    const char *step;
    enum sim_fault fault;
    size_t pair;
} slots[SLOTS];

static struct {
    const struct sim_plan *plan;
    struct sim_strike *items;
    size_t count, capacity;
} run;

static size_t find_by_text(enum sim_fault fault, const char *step)
{
    for (size_t i = 0; i < pair_count; i++)
        if (pairs[i].fault == fault && strcmp(pairs[i].step, step) == 0)
            return i;
    CHECK(pair_count < PAIRS_MAX);
    names[pair_count] = hash_bytes(str_of(step), (uint64_t)fault);
    pairs[pair_count] = (struct sim_pair){.fault = fault, .step = step};
    return pair_count++;
}

static size_t find(enum sim_fault fault, const char *step)
{
    size_t at = ((uintptr_t)step * 31 + (size_t)fault * 7) % SLOTS;

    while (slots[at].step != NULL && (slots[at].step != step || slots[at].fault != fault))
        at = (at + 1) % SLOTS;
    if (slots[at].step == NULL)
        slots[at] = (struct slot){step, fault, find_by_text(fault, step)};
    return slots[at].pair;
}

void strikes_begin(const struct sim_plan *plan)
{
    run.plan = plan;
    run.count = 0;
    memset(asked_now, 0, pair_count * sizeof *asked_now);
}

static bool is_listed(const struct sim_strike *list, size_t count, const struct sim_strike *strike)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].fault == strike->fault && list[i].nth == strike->nth &&
            strcmp(list[i].step, strike->step) == 0)
            return true;
    return false;
}

static bool is_drawn(size_t pair, const struct sim_strike *strike, double times)
{
    struct rng rng = rng_seeded(run.plan->seed * 0x9e3779b97f4a7c15u ^ names[pair]);

    rng.state += strike->nth * 0xd1b54a32d192ed03u;
    rng_next(&rng);
    return rng_unit(&rng) < run.plan->chance[strike->fault] * times;
}

bool strikes_ask(enum sim_fault fault, const char *step, double times, int64_t at_us, int process)
{
    size_t pair = find(fault, step);
    struct sim_strike strike = {fault, step, ++asked_now[pair], at_us, process};

    pairs[pair].asked++;
    if (run.plan->only != NULL ? !is_listed(run.plan->only, run.plan->only_count, &strike)
                               : !is_drawn(pair, &strike, times))
        return false;
    pairs[pair].struck++;
    MEM_RESERVE(run.items, run.count, run.capacity);
    run.items[run.count++] = strike;
    return true;
}

size_t sim_strikes_of(const struct sim_strike **out)
{
    *out = run.items;
    return run.count;
}

size_t sim_pairs(const struct sim_pair **out)
{
    *out = pairs;
    return pair_count;
}

const char *sim_fault_name(enum sim_fault fault)
{
    static const char *const all[] = {
#define SIM_FAULT(name, text) #name,
#include "tests/sim/faults.def"
#undef SIM_FAULT
    };

    return all[fault];
}

const char *sim_fault_text(enum sim_fault fault)
{
    static const char *const all[] = {
#define SIM_FAULT(name, text) text,
#include "tests/sim/faults.def"
#undef SIM_FAULT
    };

    return all[fault];
}
