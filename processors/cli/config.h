/* processors/cli/config.h - attent.yaml: its table, reading it, and what the verbs take from it.
 *
 * Texts handed out live in the arena of the configuration.
 */
#ifndef ATTENT_PROCESSORS_CLI_CONFIG_H
#define ATTENT_PROCESSORS_CLI_CONFIG_H

#include "connectors/kafka/kafka.h"
#include "connectors/redis/redis.h"
#include "core/conf.h"
#include "processors/cli/options.h"

/* The table of config.def; the keys of a channel are those of all connectors (channels.def). */
const struct conf_field *config_table(void);

/* Read FILE (NULL: ./attent.yaml, or nothing when that is not there).  NULL: diags has errors, or
 * the file cannot be read and err says why.  source: the file's text, for diag_print. */
const struct conf *config_read(const char *file, const struct conf_override *overrides,
                               size_t override_count, struct arena *arena, struct diags *diags,
                               struct str *source, struct err *err);

/* The same for a verb: by its -c and -s; findings are printed to stderr.  *exit_code: EXIT_FINE, or
 * what to end with when it returns NULL. */
const struct conf *config_load(const struct options *options, struct arena *arena, int *exit_code);

/* The same with overrides of the program's own; those of -s come after them and win. */
const struct conf *config_load_over(const struct options *options, const struct conf_override *own,
                                    size_t own_count, struct arena *arena, int *exit_code);

/* Names of topics, {prefix} filled in. */
struct config_topics {
    const char *events, *identify, *identify_dlq, *events_dlq, *tasks, *decisions, *ledger,
        *outcomes, *rules;
    int partitions, replication; /* of events and identify */
    int task_partitions;         /* of tasks, decisions, outcomes and the ledger */
};
struct config_topics config_topics(const struct conf *conf, struct arena *arena);

struct kafka_settings config_kafka(const struct conf *conf, const char *role, struct arena *arena);
struct redis_settings config_redis(const struct conf *conf);

/* "attent-decide" */
const char *config_group(const struct conf *conf, const char *role, struct arena *arena);

/* Unlike any other process's, the same after a restart: "attent-ingest-web7-1". */
const char *config_process_id(const struct conf *conf, const char *role, struct arena *arena);

/* What keys of the view of the ledger begin with in Redis: "attent:view". */
const char *config_view_prefix(const struct conf *conf, struct arena *arena);

/* deploy/attent.yaml and docs/configuration.md, from the table. */
void config_put_example(struct buf *out);
void config_put_reference(struct buf *out);

void config_setup_log(const struct conf *conf);

#endif
