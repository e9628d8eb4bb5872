/* processors/cli/rules_change.h - what an activation changes, moment by moment, in words.
 *
 *   brake-pads: other steps from step 2 on, no on_change: who stands before that goes on, the others end
 */
#ifndef ATTENT_PROCESSORS_CLI_RULES_CHANGE_H
#define ATTENT_PROCESSORS_CLI_RULES_CHANGE_H

#include "rules/moment/ruleset.h"

enum change {
    CHANGE_NONE = 0,
    CHANGE_WORDS, /* other words, conditions or actions: the steps are the same */
    CHANGE_STEPS,
    CHANGE_ADDED,
    CHANGE_GONE,
};

struct moment_change {
    struct str name;
    const struct moment *before, *after; /* NULL: not there */
    enum change change;
    size_t from_step; /* CHANGE_STEPS: the first that differs, from 0 */
};

const char *change_word(enum change change); /* "steps", "added": for JSON */

/* All moments of both, in order of name, in arena.  before NULL: nothing was in force. */
size_t rules_changes(const struct ruleset *before, const struct ruleset *after, struct arena *arena,
                     struct moment_change **out);

/* The sentence; nothing of CHANGE_NONE. */
void rules_change_put(struct buf *out, const struct moment_change *change);

#endif
