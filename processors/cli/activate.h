/* processors/cli/activate.h - put a bundle of rules in force.
 *
 * One Kafka transaction writes the bundle and an entry of the history (rules_topic.h) to
 * attent.rules and a control record to every partition of attent.events: decisions change at one place of each partition's log, in all
 * of them or in none.  The transactional id is the installation's, so of two that activate at once
 * one is fenced and looks again.
 */
#ifndef ATTENT_PROCESSORS_CLI_ACTIVATE_H
#define ATTENT_PROCESSORS_CLI_ACTIVATE_H

#include "core/conf.h"
#include "rules/moment/ruleset.h"

/* Nothing is written when the bundle is active already (*written false).  only_first: nor when
 * any other is; then *hash is that one's. */
enum err_code activate_bundle(const struct conf *conf, const struct bundle *bundle, bool only_first,
                              char hash[HASH128_HEX_SIZE], bool *written, struct err *err);

/* Read and compile a rules folder into arena; findings are printed to stderr.  False: it cannot be
 * put in force.  before (NULL: none): what its event schemas are compared with.  proved: its tests are run, and each moment needs a passing case in which it speaks
 * and one in which it does not (test_proof.h). */
bool activate_read_folder(const char *folder, const struct bundle *before, bool proved,
                          struct arena *arena, struct bundle *out);

/* What `attent run` does at its start: activates rules.folder when nothing is active yet, else
 * warns when the folder differs from what is. */
enum err_code activate_at_start(const struct conf *conf, struct err *err);

#endif
