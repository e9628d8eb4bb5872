/* Switches on the bug that ATTENT_MUTANT names, before main of build/mutants/attent: attent itself knows
 * of none (core/mutant.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mutant.h"

__attribute__((constructor)) static void switch_on(void)
{
    const char *name = getenv("ATTENT_MUTANT");

    for (int i = 0; i < MUTANT_COUNT && name != NULL; i++)
        if (strcmp(name, mutant_name((enum mutant)i)) == 0) {
            mutant_switch((enum mutant)i);
            return;
        }
    if (name != NULL) {
        fprintf(stderr, "ATTENT_MUTANT=%s: there is no such bug (core/mutants.def)\n", name);
        exit(2);
    }
}
