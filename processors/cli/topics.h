/* processors/cli/topics.h - the topics that attent owns: what they must be like, are they there. */
#ifndef ATTENT_PROCESSORS_CLI_TOPICS_H
#define ATTENT_PROCESSORS_CLI_TOPICS_H

#include "connectors/kafka/kafka.h"
#include "core/conf.h"
#include "rules/moment/ruleset.h"

/* Every topic of ours by the configuration: attent.*, and the dead-letter topics of the sources.
 * Not the sources and not the contact centre's queues: those belong to others.  In arena. */
struct topics_plan {
    struct kafka_topic_config *items;
    size_t count;
};
struct topics_plan topics_plan(const struct conf *conf, struct arena *arena);

/* The rules of rules.folder, for the names of queues; NULL: there are none that compile, which is
 * another verb's business.  Free with ruleset_free. */
struct ruleset *topics_read_rules(const struct conf *conf, struct arena *arena);

/* Those of others: the sources, and the queues that the moments of rules (NULL: none) name.  Made by
 * attent only where a person says so, on an empty Kafka, with one partition each. */
struct topics_plan topics_others(const struct conf *conf, const struct ruleset *rules,
                                 struct arena *arena);

/* Commands for kafka-topics.sh; the topics of others as comments, or with `all` as commands too. */
void topics_put_commands(struct buf *out, const struct conf *conf, const struct ruleset *rules,
                         bool all, struct arena *arena);

/* Are our own topics and the sources there, with the right number of partitions?  ERR_DOWN: some
 * are not there, all are named; ERR_CONFIG: one has another number. */
enum err_code topics_check(const struct conf *conf, struct arena *arena, struct err *err);

/* The dead-letter topic of source `index`. */
const char *topics_dlq(const struct conf *conf, size_t index, struct arena *arena);

#endif
