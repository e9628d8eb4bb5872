/* core/mutant.h - deliberate bugs, to see that the simulator finds them.
 *
 * In a build with ATTENT_MUTANTS one of them can be switched on while it runs; in any other MUTANT(name)
 * is false and there is nothing of it.  docs/simulator.md lists them.  One thread.
 */
#ifndef ATTENT_CORE_MUTANT_H
#define ATTENT_CORE_MUTANT_H

#include <stdbool.h>

enum mutant {
    MUTANT_NONE,
#define MUTATION(name, text) MUTANT_##name,
#include "core/mutants.def"
#undef MUTATION
    MUTANT_COUNT,
};

#ifdef ATTENT_MUTANTS
extern enum mutant mutant_on;
#define MUTANT(name) (mutant_on == MUTANT_##name)
#else
#define MUTANT(name) ((void)MUTANT_##name, false)
#endif

/* Switch one on; gives the one that was.  In a normal build: nothing. */
enum mutant mutant_switch(enum mutant mutant);

const char *mutant_name(enum mutant mutant); /* "COMMIT_BEFORE_PUBLISH" */
const char *mutant_text(enum mutant mutant);

#endif
