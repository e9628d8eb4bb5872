/* processors/cli/rules_topic.h - rule sets, from attent.rules alone.
 *
 *   key HASH        value = the bundle (rules/moment/ruleset.h), as canonical JSON
 *   key history/N   value = {"number": N, "at": RFC 3339, "hash": HASH}; N counts from 1 and each
 *                   activation has one, so that the compacted topic still tells what was in force
 *                   when.  The last one is in force
 *
 * Workers never decide from local files: what the log's activation names is looked up here, is
 * checked against its hash, compiled once and kept until close.  Any thread.
 */
#ifndef ATTENT_PROCESSORS_CLI_RULES_TOPIC_H
#define ATTENT_PROCESSORS_CLI_RULES_TOPIC_H

#include "connectors/kafka/kafka.h"
#include "core/json.h"
#include "rules/moment/ruleset.h"

struct rules_topic;

/* settings and topic are borrowed and outlive the result. */
struct rules_topic *rules_topic_open(const struct kafka_settings *settings, const char *topic);
void rules_topic_close(struct rules_topic *rules); /* frees the rule sets; NULL allowed */

/* The rule set of a content hash.  NULL: err says why (ERR_STATE: it is not in the topic, or this
 * build cannot compile it; ERR_DOWN: Kafka).  Fits decide_config.find with context = rules. */
const struct ruleset *rules_topic_find(void *rules, struct str hash_hex, struct err *err);

/* The hash activated last; empty: none yet. */
enum err_code rules_topic_active(struct rules_topic *rules, char out[HASH128_HEX_SIZE],
                                 struct err *err);

/* Every activation, oldest first; the last one is in force.  count 0: none yet. */
struct activation_entry {
    int64_t number; /* from 1 */
    int64_t at_ms;  /* by the clock of who activated it */
    char hash[HASH128_HEX_SIZE];
};
struct activation_history {
    struct activation_entry *entries; /* in arena */
    size_t count;
};
enum err_code rules_topic_history(struct rules_topic *rules, struct arena *arena,
                                  struct activation_history *out, struct err *err);
const struct activation_entry *activation_in_force(
    const struct activation_history *history); /* NULL: none */

/* The record that says it.  read: false, *err unset: it is another record; *err set: it is broken. */
void activation_entry_key(const struct activation_entry *entry, struct buf *out);
void activation_entry_write(const struct activation_entry *entry, struct buf *out);
bool activation_entry_read(const struct record *record, struct arena *arena,
                           struct activation_entry *out, struct err *err);

/* Number, time and hash, into an open JSON object. */
void activation_entry_put(const struct activation_entry *entry, struct json_writer *w);

/* The files of a rule set; they live in arena. */
enum err_code rules_topic_bundle(struct rules_topic *rules, struct str hash_hex,
                                 struct arena *arena, struct bundle *out, struct err *err);

#endif
