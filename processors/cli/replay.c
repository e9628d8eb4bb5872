/* attent replay: the same step over the same log and its skips, without Redis and without writing; or the digest
 * of what Redis holds, to compare it with. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "processors/cli/cli.h"
#include "processors/cli/config.h"
#include "processors/cli/identities.h"
#include "processors/cli/rules_topic.h"
#include "processors/cli/scan.h"
#include "processors/cli/skips.h"
#include "processors/decide/decide.h"
#include "processors/identify/identify.h"
#include "processors/worker/offline.h"
#include "processors/worker/redis_store.h"
#include "schemas/chain.h"

enum { TOPICS_MAX = 4 };

struct replay {
    const struct step_class *class;
    const void *config; /* of the step */
    const char *input;
    const char *topics[TOPICS_MAX]; /* by DECIDE_TOPIC_* or IDENTIFY_TOPIC_* */
    int32_t partitions[TOPICS_MAX]; /* of each */
    struct decide_config decide;
    struct identify_config identify;
    struct offline *offline;
    struct buf out;
    bool complete; /* the log is there from offset 0 */
    bool first_seen;
};

static void put_output(void *context, int topic, const struct record *record)
{
    struct replay *r = context;
    struct json_writer w = json_writer_to(&r->out);

    json_open(&w, '{');
    json_key(&w, "topic");
    json_str(&w, str_of(r->topics[topic]));
    json_key(&w, "partition");
    json_int(&w, record->partition);
    json_key(&w, "key");
    json_str(&w, record->key);
    json_key(&w, "ce_id");
    json_str(&w, record_header(record, STR("ce_id")));
    json_key(&w, "seq");
    json_str(&w, record_header(record, STR(CHAIN_SEQ_HEADER)));
    json_key(&w, "chain");
    json_str(&w, record_header(record, STR(CHAIN_HASH_HEADER)));
    json_close(&w, '}');
    buf_put_char(&r->out, '\n');
}

static enum err_code take(void *context, const struct record *record, struct err *err)
{
    struct replay *r = context;
    enum err_code code = offline_record(r->offline, record, err);

    if (!r->first_seen)
        r->complete = record->offset == 0;
    r->first_seen = true;
    fputs(buf_text(&r->out), stdout);
    buf_clear(&r->out);
    return code;
}

static void print_digest(struct hash128 digest, int64_t next)
{
    char hex[HASH128_HEX_SIZE];

    hash128_hex(digest, hex);
    if (next >= 0)
        printf("{\"state\":\"%s\",\"next\":%" PRId64 "}\n", hex, next);
    else
        printf("{\"state\":\"%s\"}\n", hex);
}

static const struct identity *find_identity(void *context, struct str hash_hex, struct err *err)
{
    return identities_find(context, hash_hex, err);
}

/* --- which step ----------------------------------------------------------------------------------- */

static void use_decide(struct replay *r, const struct command *c, struct rules_topic *rules)
{
    struct config_topics topics = config_topics(c->conf, c->arena);

    r->decide =
        (struct decide_config){.find = rules_topic_find,
                               .context = rules,
                               .watermarks_follow = str_is(conf_text(c->conf, "time"), "log"),
                               .partitions = topics.partitions};
    r->class = &decide_class;
    r->config = &r->decide;
    r->input = topics.events;
    r->topics[DECIDE_TOPIC_TASKS] = topics.tasks;
    r->topics[DECIDE_TOPIC_DECISIONS] = topics.decisions;
    r->topics[DECIDE_TOPIC_EVENTS] = topics.events;
}

static void use_identify(struct replay *r, const struct command *c, struct rules_topic *rules)
{
    struct config_topics topics = config_topics(c->conf, c->arena);

    r->identify = (struct identify_config){
        .find = find_identity, .context = rules, .partitions = topics.partitions};
    r->class = &identify_class;
    r->config = &r->identify;
    r->input = topics.identify;
    r->topics[IDENTIFY_TOPIC_EVENTS] = topics.events;
    r->topics[IDENTIFY_TOPIC_OWN] = topics.identify;
    r->topics[IDENTIFY_TOPIC_DLQ] = topics.identify_dlq;
}

static enum err_code use_step(struct replay *r, const struct command *c, struct rules_topic *rules,
                              struct err *err)
{
    const char *step = options_value(&c->options, "step");

    if (step == NULL || strcmp(step, decide_class.name) == 0)
        use_decide(r, c, rules);
    else if (strcmp(step, identify_class.name) == 0)
        use_identify(r, c, rules);
    else
        return err_set(err, ERR_USAGE, "there is no step \"%s\", but decide and identify", step);
    return ERR_NONE;
}

/* Outputs are numbered by partition, so it counts how many there are. */
static enum err_code count_partitions(struct replay *r, const struct kafka_settings *kafka,
                                      struct err *err)
{
    enum err_code code = ERR_NONE;
    int count;

    for (size_t i = 0; i < TOPICS_MAX && r->topics[i] != NULL && code == ERR_NONE; i++) {
        code = kafka_topic_partitions(kafka, r->topics[i], &count, err);
        if (code == ERR_NONE && count == 0)
            code = err_set(err, ERR_DOWN, "topic %s is not there", r->topics[i]);
        r->partitions[i] = count;
    }
    return code;
}

/* --- both answers --------------------------------------------------------------------------------- */

static enum err_code run_replay(struct replay *r, const struct command *c, int32_t partition,
                                struct err *err)
{
    struct kafka_settings kafka = config_kafka(c->conf, "replay", c->arena);
    const struct skip_store *skips = skips_of(c->conf, c->arena);
    struct skip_list skipped = {0};
    struct offline_setup setup = {.class = r->class,
                                  .config = r->config,
                                  .partition = partition,
                                  .topic_partitions = r->partitions,
                                  .skips = &skipped,
                                  .context = r,
                                  .output = put_output};
    struct scan scan = {
        .kafka = &kafka, .topic = r->input, .partition = partition, .context = r, .record = take};
    enum err_code code = count_partitions(r, &kafka, err);

    r->complete = true;
    if (code == ERR_NONE)
        code = skips->read(skips->context, r->input, &skipped, err);
    if (code == ERR_NONE)
        code = offline_open(&setup, &r->offline, err);
    if (code == ERR_NONE)
        code = scan_topic(&scan, err);
    if (code == ERR_NONE)
        print_digest(offline_digest(r->offline), offline_next(r->offline));
    if (!r->complete)
        fprintf(stderr, "attent: the log does not begin at offset 0 any more: what it says of "
                        "subjects with older records is wrong\n");
    offline_close(r->offline);
    skip_list_free(&skipped);
    buf_free(&r->out);
    return code;
}

static enum err_code print_state(const struct replay *r, const struct command *c, int32_t partition,
                                 struct err *err)
{
    struct redis_settings settings = config_redis(c->conf);
    struct store *store = NULL;
    struct hash128 digest;
    enum err_code code = redis_store_open(&settings, &store, err);

    if (code != ERR_NONE)
        return code;
    if (store_digest(store, r->class->name, partition, &digest, err) == STORE_DONE)
        print_digest(digest, -1);
    else
        code = ERR_DOWN;
    store->class->close(store);
    return code;
}

static enum err_code replay(const struct command *c, int32_t partition, struct err *err)
{
    struct kafka_settings kafka = config_kafka(c->conf, "replay", c->arena);
    struct rules_topic *rules = rules_topic_open(&kafka, config_topics(c->conf, c->arena).rules);
    struct replay r = {0};
    enum err_code code = use_step(&r, c, rules, err);

    if (code == ERR_NONE)
        code = options_has(&c->options, "state") ? print_state(&r, c, partition, err)
                                                 : run_replay(&r, c, partition, err);
    rules_topic_close(rules);
    return code;
}

int verb_replay(int argc, char **argv)
{
    struct err err = {0};
    struct command c;
    int64_t partition;
    int code;

    if (!command_open(&c, "replay", argc, argv, 0, 0, &code))
        return command_close(&c, code);
    if (options_number(&c.options, "partition", 0, conf_int(c.conf, "partitions") - 1, 0,
                       &partition, &err) != ERR_NONE ||
        replay(&c, (int32_t)partition, &err) != ERR_NONE)
        code = cli_fail(&err);
    return command_close(&c, code);
}
