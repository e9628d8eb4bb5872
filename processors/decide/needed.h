/* processors/decide/needed.h - what would have had to differ: the last word of a decision record.
 *
 * It stands behind "it would have gone out": "if customer.open_complaint were false", "after
 * 2026-03-04T08:00:00Z".  Said of the stage that stopped the candidate; what the stages behind it
 * would have said was not asked.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_NEEDED_H
#define ATTENT_PROCESSORS_DECIDE_NEEDED_H

#include "processors/decide/explain.h"

/* What a condition would have had to read to be `want`: "if customer.upset were false and event.data.n
 * > 1.0 were true".  In arena. */
struct str needed_of(struct scope *scope, const struct cel_program *program, bool want);

/* What the trail says; of an end without stages what its reason says.  Empty: nothing. */
struct str needed_for(const struct turn *turn, const struct explained *explained);

#endif
