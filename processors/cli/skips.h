/* processors/cli/skips.h - skips (schemas/skip.h) as they stand in attent.rules.
 *
 * A skip and its dead letter are one transaction, under a transactional id of the record: whoever comes
 * second finds the first one's skip and writes nothing.
 */
#ifndef ATTENT_PROCESSORS_CLI_SKIPS_H
#define ATTENT_PROCESSORS_CLI_SKIPS_H

#include "core/conf.h"
#include "schemas/skip.h"

/* Lives in arena, as long as conf.  Any thread. */
const struct skip_store *skips_of(const struct conf *conf, struct arena *arena);

#endif
