#include "core/mutant.h"

#include "core/check.h"

#ifdef ATTENT_MUTANTS
enum mutant mutant_on = MUTANT_NONE;

enum mutant mutant_switch(enum mutant mutant)
{
    enum mutant before = mutant_on;

    mutant_on = mutant;
    return before;
}
#else
enum mutant mutant_switch(enum mutant mutant)
{
    (void)mutant;
    return MUTANT_NONE;
}
#endif

static const struct {
    const char *name, *text;
} mutants[MUTANT_COUNT] = {
    [MUTANT_NONE] = {"NONE", "as it should be"},
#define MUTATION(name, text) [MUTANT_##name] = {#name, text},
#include "core/mutants.def"
#undef MUTATION
};

const char *mutant_name(enum mutant mutant)
{
    CHECK(mutant < MUTANT_COUNT);
    return mutants[mutant].name;
}

const char *mutant_text(enum mutant mutant)
{
    CHECK(mutant < MUTANT_COUNT);
    return mutants[mutant].text;
}
