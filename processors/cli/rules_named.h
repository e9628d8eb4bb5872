/* processors/cli/rules_named.h - rules that somebody names: a folder, or what was in force. */
#ifndef ATTENT_PROCESSORS_CLI_RULES_NAMED_H
#define ATTENT_PROCESSORS_CLI_RULES_NAMED_H

#include "core/conf.h"
#include "processors/cli/rules_topic.h"

#define RULES_NAMED_ACTIVE "active"

/* The newest activation of that number or first digits of a hash.  NULL: there is none, ERR_USAGE. */
const struct activation_entry *activation_find(const struct activation_history *history,
                                               const char *text, struct err *err);

/* name: a folder, a number, the first digits of a hash, or "active" for what is in force; only a folder
 * does without Kafka.  In arena. */
enum err_code rules_named_read(const struct conf *conf, const char *name, struct arena *arena,
                               struct bundle *out, struct err *err);

#endif
