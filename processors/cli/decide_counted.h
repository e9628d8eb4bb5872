/* processors/cli/decide_counted.h - the step decide, with what it does shown as metrics.
 *
 * A wrapper: every call goes to decide_class, and what it has added to the outputs is counted by
 * moment (the DECIDE_* lines of core/metrics.def).  It changes nothing.
 */
#ifndef ATTENT_PROCESSORS_CLI_DECIDE_COUNTED_H
#define ATTENT_PROCESSORS_CLI_DECIDE_COUNTED_H

#include "processors/decide/decide.h"

extern const struct step_class decide_counted_class; /* config: struct decide_config */

#endif
