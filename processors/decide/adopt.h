/* processors/decide/adopt.h - a state meets the rule set in force for the first time.
 *
 * Facts and memories that the rule set does not know are dropped.  Of each instance it is settled
 * what becomes of it (docs/moments.md, "When the rules change"): it goes on, begins again, or ends
 * with a decision, and its task, if one is out, is taken back.  Done once per activation and loaded
 * state, before anything looks at it.
 *
 * When an activation gives a moment other steps, or takes one away, each customer who has something
 * under way is visited before the next record is looked at: whoever has one waits in a lane
 * (worker/step.h) that ends with the rule set.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_ADOPT_H
#define ATTENT_PROCESSORS_DECIDE_ADOPT_H

#include "processors/decide/turn.h"

/* What becomes of an instance under a rule set. */
enum fate {
    FATE_SAME,         /* goes on: the steps are the same */
    FATE_UP_TO_HERE,   /* goes on: the steps up to where it stands are the same */
    FATE_KEPT,         /* goes on, on_change: keep */
    FATE_RESTARTED,    /* begins again, on_change: restart */
    FATE_AFTER_TASK,   /* goes on: a task was sent, nothing begins again */
    FATE_DROPPED,      /* ends, on_change: drop */
    FATE_STEPS_DIFFER, /* ends: no on_change, and the steps up to there are others now */
    FATE_NO_PLACE,     /* ends: the step or action where it stands is gone */
    FATE_NO_OPENING,   /* ends: what opened it no longer does, so it cannot begin again */
    FATE_RETIRED,      /* ends: the moment is gone */
    FATE_COUNT,
};

bool fate_ends(enum fate fate);
const char *fate_word(enum fate fate); /* "steps_differ" */
const char *fate_text(enum fate fate); /* why: "the steps up to there are others now" */

/* moment NULL: it is gone. */
enum fate adopt_fate(const struct moment *moment, const struct instance *in);

/* Does anything under way have to be looked at?  before NULL: the first rule set. */
bool adopt_visits(const struct ruleset *before, const struct ruleset *after);

/* Two lanes take turns: when one ends all of it is visited, before the next record. */
enum { ADOPT_LANES = 2, ADOPT_DUE_MS = 0 };

void adopt_state(struct turn *turn);

#endif
