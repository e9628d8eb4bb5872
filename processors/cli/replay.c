/* attent replay: the same step over the same log, without Redis and without writing; or the digest
 * of what Redis holds, to compare it with. */
#include <inttypes.h>
#include <stdio.h>

#include "processors/cli/cli.h"
#include "processors/cli/config.h"
#include "processors/cli/rules_topic.h"
#include "processors/cli/scan.h"
#include "processors/decide/decide.h"
#include "processors/worker/offline.h"
#include "processors/worker/redis_store.h"
#include "schemas/chain.h"

struct replay {
    struct offline *offline;
    const char *topics[DECIDE_TOPIC_COUNT]; /* by DECIDE_TOPIC_* */
    struct buf out;
    bool complete; /* the log is there from offset 0 */
    bool first_seen;
};

static void put_output(void *context, int topic, const struct record *record)
{
    struct replay *replay = context;
    struct json_writer w = json_writer_to(&replay->out);

    json_open(&w, '{');
    json_key(&w, "topic");
    json_str(&w, str_of(replay->topics[topic]));
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
    buf_put_char(&replay->out, '\n');
}

static enum err_code take(void *context, const struct record *record, struct err *err)
{
    struct replay *replay = context;
    enum err_code code = offline_record(replay->offline, record, err);

    if (!replay->first_seen)
        replay->complete = record->offset == 0;
    replay->first_seen = true;
    fputs(buf_text(&replay->out), stdout);
    buf_clear(&replay->out);
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

static enum err_code run_replay(const struct command *c, int32_t partition, struct err *err)
{
    struct kafka_settings kafka = config_kafka(c->conf, "replay", c->arena);
    struct config_topics topics = config_topics(c->conf, c->arena);
    const int32_t counts[DECIDE_TOPIC_COUNT] = {topics.task_partitions, topics.task_partitions,
                                                topics.partitions};
    struct rules_topic *rules = rules_topic_open(&kafka, topics.rules);
    struct decide_config decide = {.find = rules_topic_find,
                                   .context = rules,
                                   .watermarks_follow = str_is(conf_text(c->conf, "time"), "log"),
                                   .partitions = topics.partitions};
    struct replay replay = {.topics = {topics.tasks, topics.decisions, topics.events},
                            .complete = true};
    struct offline_setup setup = {.class = &decide_class,
                                  .config = &decide,
                                  .partition = partition,
                                  .topic_partitions = counts,
                                  .context = &replay,
                                  .output = put_output};
    struct scan scan = {.kafka = &kafka,
                        .topic = topics.events,
                        .partition = partition,
                        .context = &replay,
                        .record = take};
    enum err_code code = offline_open(&setup, &replay.offline, err);

    if (code == ERR_NONE)
        code = scan_topic(&scan, err);
    if (code == ERR_NONE)
        print_digest(offline_digest(replay.offline), offline_next(replay.offline));
    if (!replay.complete)
        fprintf(stderr, "attent: the log does not begin at offset 0 any more: what it says of "
                        "customers with older events is wrong\n");
    offline_close(replay.offline);
    rules_topic_close(rules);
    buf_free(&replay.out);
    return code;
}

static enum err_code print_state(const struct command *c, int32_t partition, struct err *err)
{
    struct redis_settings settings = config_redis(c->conf);
    struct store *store = NULL;
    struct hash128 digest;
    enum err_code code = redis_store_open(&settings, &store, err);

    if (code != ERR_NONE)
        return code;
    if (store_digest(store, decide_class.name, partition, &digest, err) == STORE_DONE)
        print_digest(digest, -1);
    else
        code = ERR_DOWN;
    store->class->close(store);
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
        (options_has(&c.options, "state") ? print_state(&c, (int32_t)partition, &err)
                                          : run_replay(&c, (int32_t)partition, &err)) != ERR_NONE)
        code = cli_fail(&err);
    return command_close(&c, code);
}
