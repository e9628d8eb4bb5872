/* processors/decide/adopt.h - a state meets the rule set in force for the first time.
 *
 * Facts and memories that the rule set does not know are dropped; instances whose moment is gone
 * or has other steps now are ended, and their tasks taken back.  Done once per activation and
 * loaded state, before anything looks at it.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_ADOPT_H
#define ATTENT_PROCESSORS_DECIDE_ADOPT_H

#include "processors/decide/turn.h"

void adopt_state(struct turn *turn);

#endif
