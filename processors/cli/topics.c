#include "processors/cli/topics.h"

#include <stdio.h>

#include "core/check.h"
#include "core/clock.h"
#include "processors/cli/cli.h"
#include "processors/cli/config.h"

/* --- what they must be like -------------------------------------------------------------------- */

enum { PROPERTIES_MAX = 4, OWN_TOPICS = 6, APPEAR_MS_MAX = 3000, APPEAR_LOOK_MS = 50 };

#define KEEP_MS "2592000000" /* 30 days: longer than a reader is ever away */

static void add(struct topics_plan *plan, const struct conf *conf, struct arena *arena,
                const char *name, int partitions, bool compacted)
{
    struct kafka_property *p = ARENA_ARRAY(arena, struct kafka_property, PROPERTIES_MAX);
    int replication = (int)conf_int(conf, "replication");
    size_t count = 0;

    if (compacted)
        p[count++] = (struct kafka_property){"cleanup.policy", "compact"};
    else /* in the log's own time records may be years old when they are written */
        p[count++] = (struct kafka_property){
            "retention.ms", str_is(conf_text(conf, "time"), "log") ? "-1" : KEEP_MS};
    p[count++] = (struct kafka_property){"unclean.leader.election.enable", "false"};
    if (replication >= 3) /* an acknowledged record is on two machines */
        p[count++] = (struct kafka_property){"min.insync.replicas", "2"};
    plan->items[plan->count++] = (struct kafka_topic_config){
        .name = name,
        .partitions = partitions,
        .replication = replication,
        .properties = p,
        .property_count = count,
    };
}

const char *topics_dlq(const struct conf *conf, size_t index, struct arena *arena)
{
    struct str dlq = conf_text(conf_item(conf, "sources", index), "dlq"), mark = STR("{topic}");
    struct str source = conf_item_name(conf, "sources", index);
    const char *at = dlq.len != 0 ? strstr(dlq.data, mark.data) : NULL;

    if (at == NULL)
        return dlq.data;
    return arena_format(arena, "%.*s%.*s%s", (int)(at - dlq.data), dlq.data, STR_ARG(source),
                        at + mark.len)
        .data;
}

static bool is_planned(const struct topics_plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->count; i++)
        if (strcmp(plan->items[i].name, name) == 0)
            return true;
    return false;
}

struct topics_plan topics_plan(const struct conf *conf, struct arena *arena)
{
    struct config_topics topics = config_topics(conf, arena);
    size_t sources = conf_count(conf, "sources");
    struct topics_plan plan = {
        .items = ARENA_ARRAY(arena, struct kafka_topic_config, OWN_TOPICS + 1 + sources)};
    const char *outcomes_dlq = arena_format(arena, "%s.dlq", topics.outcomes).data;

    add(&plan, conf, arena, topics.events, topics.partitions, false);
    add(&plan, conf, arena, topics.tasks, topics.partitions, false);
    add(&plan, conf, arena, topics.decisions, topics.partitions, false);
    add(&plan, conf, arena, topics.outcomes, topics.partitions, false);
    add(&plan, conf, arena, topics.ledger, topics.partitions, true);
    add(&plan, conf, arena, topics.rules, 1, true);
    CHECK(plan.count == OWN_TOPICS);
    for (size_t i = 0; i < sources; i++) {
        const char *dlq = topics_dlq(conf, i, arena);
        if (!is_planned(&plan, dlq)) /* sources may share one */
            add(&plan, conf, arena, dlq, 1, false);
    }
    if (!is_planned(&plan, outcomes_dlq))
        add(&plan, conf, arena, outcomes_dlq, 1, false);
    return plan;
}

/* --- commands ------------------------------------------------------------------------------------- */

static void put_command(struct buf *out, const struct conf *conf,
                        const struct kafka_topic_config *topic)
{
    buf_put_format(out,
                   "kafka-topics.sh --bootstrap-server %.*s --create --if-not-exists --topic %s"
                   " --partitions %d",
                   STR_ARG(conf_text(conf, "kafka.brokers")), topic->name, topic->partitions);
    if (topic->replication > 0)
        buf_put_format(out, " --replication-factor %d", topic->replication);
    for (size_t i = 0; i < topic->property_count; i++)
        buf_put_format(out, " --config %s=%s", topic->properties[i].name,
                       topic->properties[i].value);
    buf_put_char(out, '\n');
}

/* Topics of others, so that nobody looks for them in vain. */
static void put_others(struct buf *out, const struct conf *conf)
{
    buf_put_text(out, "\n# Topics of others, which have to be there as well:\n");
    for (size_t i = 0; i < conf_count(conf, "sources"); i++)
        buf_put_format(out, "#   %.*s (a source)\n", STR_ARG(conf_item_name(conf, "sources", i)));
    for (size_t i = 0; i < conf_count(conf, "channels"); i++)
        buf_put_format(out, "#   %.*s (tasks of the channel %.*s)\n",
                       STR_ARG(conf_text(conf_item(conf, "channels", i), "topic")),
                       STR_ARG(conf_item_name(conf, "channels", i)));
}

void topics_put_commands(struct buf *out, const struct conf *conf, struct arena *arena)
{
    struct topics_plan plan = topics_plan(conf, arena);

    for (size_t i = 0; i < plan.count; i++)
        put_command(out, conf, &plan.items[i]);
    put_others(out, conf);
}

/* --- are they there? -------------------------------------------------------------------------------- */

/* A topic that was made a moment ago is not known to every broker at once. */
static enum err_code count_partitions(struct kafka_consumer *asking, const char *name,
                                      int *partitions, struct err *err)
{
    int64_t until_ms = clock_mono_ms() + APPEAR_MS_MAX;
    enum err_code code;

    for (;;) {
        code = kafka_consumer_topic_partitions(asking, name, partitions, err);
        if (code != ERR_NONE || *partitions != 0 || clock_mono_ms() > until_ms)
            return code;
        clock_sleep_ms(APPEAR_LOOK_MS);
    }
}

static enum err_code check_topic(struct kafka_consumer *asking, const char *name, int wanted,
                                 const char *help, struct err *err)
{
    int partitions;
    enum err_code code = count_partitions(asking, name, &partitions, err);

    if (code != ERR_NONE)
        return code;
    if (partitions == 0)
        return err_set(err, ERR_DOWN, "topic %s is not there; %s", name, help);
    if (wanted != 0 && partitions != wanted)
        return err_set(err, ERR_CONFIG,
                       "topic %s has %d partitions and the configuration says %d: set partitions "
                       "to what was chosen at the first start",
                       name, partitions, wanted);
    return ERR_NONE;
}

static enum err_code check_own(const struct conf *conf, struct kafka_consumer *asking,
                               struct arena *arena, struct err *err)
{
    struct topics_plan plan = topics_plan(conf, arena);
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < plan.count && code == ERR_NONE; i++)
        code =
            check_topic(asking, plan.items[i].name, i < OWN_TOPICS ? plan.items[i].partitions : 0,
                        "`attent topics --create` makes it", err);
    return code;
}

enum err_code topics_check(const struct conf *conf, struct arena *arena, struct err *err)
{
    struct kafka_settings kafka = config_kafka(conf, "topics", arena);
    struct kafka_consumer *asking = NULL;
    enum err_code code = kafka_consumer_open_alone(&kafka, NULL, 0, &asking, err);

    if (code == ERR_NONE)
        code = check_own(conf, asking, arena, err);
    for (size_t i = 0; i < conf_count(conf, "sources") && code == ERR_NONE; i++)
        code = check_topic(asking, conf_item_name(conf, "sources", i).data, 0,
                           "it is a source of the configuration", err);
    kafka_consumer_close(asking);
    return code;
}

/* --- the verb ------------------------------------------------------------------------------------------ */

static int create(const struct conf *conf, struct arena *arena)
{
    struct kafka_settings kafka = config_kafka(conf, "topics", arena);
    struct topics_plan plan = topics_plan(conf, arena);
    struct err err = {0};
    struct kafka_consumer *asking = NULL;
    enum err_code code = kafka_topics_create(&kafka, plan.items, plan.count, &err);

    if (code == ERR_NONE)
        code = kafka_consumer_open_alone(&kafka, NULL, 0, &asking, &err);
    if (code == ERR_NONE) /* so that whoever waits for this command finds them */
        code = check_own(conf, asking, arena, &err);
    kafka_consumer_close(asking);
    if (code != ERR_NONE)
        return cli_fail(&err);
    for (size_t i = 0; i < plan.count; i++)
        printf("%s: %d partition%s\n", plan.items[i].name, plan.items[i].partitions,
               plan.items[i].partitions == 1 ? "" : "s");
    return EXIT_FINE;
}

static int print_commands(const struct conf *conf, struct arena *arena)
{
    struct buf out = {0};

    topics_put_commands(&out, conf, arena);
    fputs(buf_text(&out), stdout);
    buf_free(&out);
    return EXIT_FINE;
}

int verb_topics(int argc, char **argv)
{
    struct command c;
    int code;

    if (command_open(&c, "topics", argc, argv, 0, 0, &code))
        code = options_has(&c.options, "create") ? create(c.conf, c.arena)
                                                 : print_commands(c.conf, c.arena);
    return command_close(&c, code);
}
