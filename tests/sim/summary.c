#include "tests/sim/summary.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SEEDS_ENOUGH = 1000, COLUMNS = 92 };

static const struct {
    enum sim_fault fault;
    const char *step;
} required[] = {
#define SIM_PAIR(fault, step) {SIM_##fault, step},
#include "tests/sim/pairs.def"
#undef SIM_PAIR
};

static uint64_t struck(const struct runs_totals *totals, enum sim_fault fault, const char *step)
{
    for (size_t i = 0; i < totals->pair_count; i++)
        if (totals->pairs[i].fault == fault && strcmp(totals->pairs[i].step, step) == 0)
            return totals->pairs[i].struck;
    return 0;
}

/* Wrapped: a kind may strike at many steps. */
static void print_fault(const struct runs_totals *totals, enum sim_fault fault)
{
    uint64_t all = 0;
    int column = 0;

    for (size_t i = 0; i < totals->pair_count; i++)
        if (totals->pairs[i].fault == fault)
            all += totals->pairs[i].struck;
    printf("  %-18s %8" PRIu64 "  ", sim_fault_name(fault), all);
    for (size_t i = 0; i < totals->pair_count; i++) {
        const struct runs_pair *pair = &totals->pairs[i];

        if (pair->fault != fault)
            continue;
        if (column > COLUMNS - 40) {
            printf("\n  %-18s %8s  ", "", "");
            column = 0;
        }
        column += printf("%s %" PRIu64 "  ", pair->step, pair->struck);
    }
    putchar('\n');
}

static bool print_missing(const struct runs_totals *totals)
{
    bool all = true;

    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++) {
        if (struck(totals, required[i].fault, required[i].step) > 0)
            continue;
        printf("  never: %s at %s\n", sim_fault_name(required[i].fault), required[i].step);
        all = false;
    }
    return all;
}

bool summary_print(const struct runs_totals *totals, uint64_t seeds, bool whole, double seconds)
{
    for (int i = 0; i < SIM_FAULT_COUNT; i++)
        print_fault(totals, (enum sim_fault)i);
    printf("%" PRIu64 " seeds, %zu failed, %.1f s (%.2f ms of real time each), %.0f steps each, "
           "digest %016" PRIx64 "\n",
           totals->count, totals->failed_count, seconds,
           totals->count > 0 ? 1000 * seconds / (double)totals->count : 0.0,
           totals->count > 0 ? (double)totals->switches / (double)totals->count : 0.0,
           totals->digest);
    return !whole || seeds < SEEDS_ENOUGH || totals->failed_count > 0 || print_missing(totals);
}
