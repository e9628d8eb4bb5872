/* tests/sim/whole_settings.h - how ingest and dispatch are set up in the play of all of them: made once per
 * process of the OS, transactional_id is the caller's. */
#ifndef TESTS_SIM_WHOLE_SETTINGS_H
#define TESTS_SIM_WHOLE_SETTINGS_H

#include "processors/dispatch/dispatch.h"
#include "processors/ingest/ingest.h"

void whole_settings_prepare(void); /* after chain_rules_prepare */
const struct ingest_config *whole_settings_ingest(void);
const struct dispatch_config *whole_settings_dispatch(void);

#endif
