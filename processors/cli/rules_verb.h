/* processors/cli/rules_verb.h - what verbs about a folder of rules have in common. */
#ifndef ATTENT_PROCESSORS_CLI_RULES_VERB_H
#define ATTENT_PROCESSORS_CLI_RULES_VERB_H

#include "core/json.h"
#include "processors/cli/options.h"
#include "processors/cli/rules_folder.h"

struct rules_verb {
    struct arena *arena;
    const char *dir;
    struct bundle bundle;
    struct diags diags;
    struct ruleset *set; /* NULL: diags has errors */
};

/* Read and compile the folder that argument number `argument` names, else the configuration's.
 * Not EXIT_FINE: the reason was printed and nothing is open. */
int rules_verb_open(struct rules_verb *v, const struct options *options, size_t argument);
/* The same without compiling. */
int rules_verb_read(struct rules_verb *v, const struct options *options, size_t argument);
void rules_verb_close(struct rules_verb *v);

/* For verbs that need rules without errors: prints the findings and closes when there are some. */
int rules_verb_need_set(struct rules_verb *v);

#endif
