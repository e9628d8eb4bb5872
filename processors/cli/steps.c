#include "processors/cli/steps.h"

#include "processors/cli/identities.h"
#include "processors/cli/skips.h"
#include "processors/worker/redis_store.h"

static const struct identity *find_identity(void *context, struct str hash_hex, struct err *err)
{
    return identities_find(context, hash_hex, err);
}

static void describe(struct steps *s, const struct conf *conf)
{
    struct config_topics *t = &s->topics;

    s->decide = (struct decide_config){.find = rules_topic_find,
                                       .context = s->rules,
                                       .watermarks_follow = str_is(conf_text(conf, "time"), "log"),
                                       .partitions = t->partitions};
    s->identify = (struct identify_config){
        .find = find_identity, .context = s->rules, .partitions = t->partitions};
    s->items[0] = (struct cli_step){.class = &identify_class,
                                    .config = &s->identify,
                                    .group = config_group(conf, "identify", s->arena),
                                    .input = t->identify,
                                    .output_count = 3};
    s->items[0].outputs[IDENTIFY_TOPIC_EVENTS] = t->events;
    s->items[0].outputs[IDENTIFY_TOPIC_OWN] = t->identify;
    s->items[0].outputs[IDENTIFY_TOPIC_DLQ] = t->identify_dlq;
    s->items[1] = (struct cli_step){.class = &decide_class,
                                    .config = &s->decide,
                                    .group = config_group(conf, "decide", s->arena),
                                    .input = t->events,
                                    .output_count = DECIDE_TOPIC_COUNT};
    s->items[1].outputs[DECIDE_TOPIC_TASKS] = t->tasks;
    s->items[1].outputs[DECIDE_TOPIC_DECISIONS] = t->decisions;
    s->items[1].outputs[DECIDE_TOPIC_EVENTS] = t->events;
}

static enum err_code choose(struct steps *s, const struct options *options, struct err *err)
{
    const char *name = options_value(options, "step");
    int64_t partition;
    bool any = false;

    for (size_t i = 0; i < STEPS_COUNT; i++) {
        s->items[i].chosen = name == NULL || strcmp(s->items[i].class->name, name) == 0;
        any = any || s->items[i].chosen;
    }
    if (!any)
        return err_set(err, ERR_USAGE, "--step %s: there are identify and decide", name);
    if (options_number(options, "partition", 0, s->topics.partitions - 1, -1, &partition, err) !=
        ERR_NONE)
        return ERR_USAGE;
    s->first = partition >= 0 ? (int32_t)partition : 0;
    s->end = partition >= 0 ? s->first + 1 : s->topics.partitions;
    return ERR_NONE;
}

static enum err_code count_one(struct steps *s, const char *topic, int *partitions, struct err *err)
{
    enum err_code code = kafka_consumer_topic_partitions(s->asking, topic, partitions, err);

    if (code != ERR_NONE)
        return err_prefix(err, "Kafka at %s", s->kafka.brokers);
    if (*partitions == 0)
        return err_set(err, ERR_DOWN, "topic %s is not there; `attent topics --create` makes it",
                       topic);
    return ERR_NONE;
}

static enum err_code count_partitions(struct steps *s, struct err *err)
{
    enum err_code code = ERR_NONE;
    int partitions;

    for (size_t i = 0; i < STEPS_COUNT && code == ERR_NONE; i++) {
        struct cli_step *step = &s->items[i];

        code = count_one(s, step->input, &partitions, err);
        if (code == ERR_NONE && partitions != s->topics.partitions && !s->growing)
            return err_set(err, ERR_CONFIG,
                           "topic %s has %d partitions and the configuration says %d", step->input,
                           partitions, s->topics.partitions);
        for (size_t t = 0; t < step->output_count && code == ERR_NONE; t++) {
            code = count_one(s, step->outputs[t], &partitions, err);
            step->counts[t] = partitions;
        }
    }
    return code;
}

static enum err_code read_skips(struct steps *s, const struct conf *conf, struct err *err)
{
    const struct skip_store *skips = skips_of(conf, s->arena);
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < STEPS_COUNT && code == ERR_NONE; i++)
        code = skips->read(skips->context, s->items[i].input, &s->items[i].skips, err);
    return code;
}

enum err_code steps_open(struct steps *s, const struct command *c, bool with_store, struct err *err)
{
    enum err_code code;

    *s = (struct steps){.growing = s->growing,
                        .arena = c->arena,
                        .kafka = config_kafka(c->conf, "states", c->arena),
                        .redis = config_redis(c->conf),
                        .topics = config_topics(c->conf, c->arena)};
    s->rules = rules_topic_open(&s->kafka, s->topics.rules);
    describe(s, c->conf);
    code = choose(s, &c->options, err);
    if (code == ERR_NONE)
        code = kafka_consumer_open_alone(&s->kafka, NULL, 0, &s->asking, err);
    if (code == ERR_NONE)
        code = count_partitions(s, err);
    if (code == ERR_NONE)
        code = read_skips(s, c->conf, err);
    if (code == ERR_NONE && with_store)
        code = redis_store_open(&s->redis, &s->store, err);
    return code;
}

void steps_close(struct steps *s)
{
    if (s->store != NULL)
        s->store->class->close(s->store);
    kafka_consumer_close(s->asking);
    rules_topic_close(s->rules);
    for (size_t i = 0; i < STEPS_COUNT; i++)
        skip_list_free(&s->items[i].skips);
    *s = (struct steps){0};
}

enum err_code steps_are_at_rest(const struct steps *s, struct err *err)
{
    enum err_code code = ERR_NONE;
    int members;

    for (size_t i = 0; i < STEPS_COUNT && code == ERR_NONE; i++) {
        if (!s->items[i].chosen)
            continue;
        code = kafka_group_members(&s->kafka, s->items[i].group, &members, err);
        if (code == ERR_NONE && members > 0)
            code = err_set(err, ERR_STATE,
                           "%d process%s of group %s at work (or ended less than 6 s ago without "
                           "leaving): stop `attent run --role %s` everywhere first",
                           members, members == 1 ? " is" : "es are", s->items[i].group,
                           s->items[i].class->name);
    }
    return code;
}

struct str steps_identity(const struct steps *s, const struct cli_step *step)
{
    return store_identity(s->arena, step->group, step->input, s->topics.partitions);
}

struct offline_setup steps_offline(const struct cli_step *step, int32_t partition)
{
    return (struct offline_setup){.class = step->class,
                                  .config = step->config,
                                  .partition = partition,
                                  .topic_partitions = step->counts,
                                  .skips = &step->skips};
}
