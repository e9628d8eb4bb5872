#include "processors/cli/topics.h"

#include <stdio.h>

#include "core/check.h"
#include "core/clock.h"
#include "processors/cli/cli.h"
#include "processors/cli/config.h"
#include "processors/cli/rules_folder.h"

/* --- what they must be like -------------------------------------------------------------------- */

enum {
    PROPERTIES_MAX = 4,
    OWN_TOPICS = 9,
    OWN_BY_PARTITION = 2,
    APPEAR_MS_MAX = 3000,
    APPEAR_LOOK_MS = 50
};

#define KEEP_MS      "2592000000" /* 30 days: longer than a reader is ever away */

#define COMPACTED_MS "86400000" /* a day: then what was forgotten is gone (docs/privacy.md) */

static void add(struct topics_plan *plan, const struct conf *conf, struct arena *arena,
                const char *name, int partitions, bool compacted)
{
    struct kafka_property *p = ARENA_ARRAY(arena, struct kafka_property, PROPERTIES_MAX);
    int replication = (int)conf_int(conf, "replication");
    size_t count = 0;

    if (compacted) {
        p[count++] = (struct kafka_property){"cleanup.policy", "compact"};
        p[count++] = (struct kafka_property){"max.compaction.lag.ms", COMPACTED_MS};
    } else { /* in the log's own time records may be years old when they are written */
        p[count++] = (struct kafka_property){
            "retention.ms", str_is(conf_text(conf, "time"), "log") ? "-1" : KEEP_MS};
    }
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
    return arena_replace(arena, conf_text(conf_item(conf, "sources", index), "dlq"), STR("{topic}"),
                         conf_item_name(conf, "sources", index))
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
    add(&plan, conf, arena, topics.identify, topics.partitions, false);
    CHECK(plan.count == OWN_BY_PARTITION);
    add(&plan, conf, arena, topics.identify_dlq, 1, false);
    add(&plan, conf, arena, topics.events_dlq, 1, false);
    add(&plan, conf, arena, topics.tasks, topics.task_partitions, false);
    add(&plan, conf, arena, topics.decisions, topics.task_partitions, false);
    add(&plan, conf, arena, topics.outcomes, topics.task_partitions, false);
    add(&plan, conf, arena, topics.ledger, topics.task_partitions, true);
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

/* --- those of others ------------------------------------------------------------------------------ */

/* "contact.{queue}" of a channel; empty: its connector writes to no topic by queue. */
static const char *queue_topic(const struct conf *channel, struct str queue, struct arena *arena)
{
    if (!conf_has(channel, "topic"))
        return "";
    if (queue.len == 0)
        queue = conf_text(channel, "queue");
    return arena_replace(arena, conf_text(channel, "topic"), STR("{queue}"), queue).data;
}

static const struct conf *find_channel(const struct conf *conf, struct str name)
{
    for (size_t i = 0; i < conf_count(conf, "channels"); i++)
        if (str_equal(conf_item_name(conf, "channels", i), name))
            return conf_item(conf, "channels", i);
    return NULL;
}

static size_t count_acts(const struct ruleset *rules)
{
    size_t count = 0;

    for (size_t i = 0; rules != NULL && i < rules->moment_count; i++)
        count += rules->moments[i].act_count;
    return count;
}

static void add_queues(struct topics_plan *plan, const struct conf *conf, const struct moment *m,
                       struct arena *arena)
{
    for (size_t i = 0; i < m->act_count; i++) {
        const struct conf *channel = find_channel(conf, m->acts[i].channel);
        const char *name = channel != NULL ? queue_topic(channel, m->acts[i].queue, arena) : "";
        if (name[0] != '\0' && !is_planned(plan, name))
            add(plan, conf, arena, name, 1, false);
    }
}

struct topics_plan topics_others(const struct conf *conf, const struct ruleset *rules,
                                 struct arena *arena)
{
    size_t sources = conf_count(conf, "sources");
    struct topics_plan plan = {
        .items = ARENA_ARRAY(arena, struct kafka_topic_config, sources + count_acts(rules) + 1)};

    for (size_t i = 0; i < sources; i++)
        add(&plan, conf, arena, conf_item_name(conf, "sources", i).data, 1, false);
    for (size_t i = 0; rules != NULL && i < rules->moment_count; i++)
        add_queues(&plan, conf, &rules->moments[i], arena);
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
static void put_others(struct buf *out, const struct conf *conf, const struct topics_plan *others)
{
    size_t sources = conf_count(conf, "sources");

    buf_put_text(out, "\n# Topics of others, which have to be there as well (--all: these too):\n");
    for (size_t i = 0; i < others->count; i++)
        buf_put_format(out, "#   %s (%s)\n", others->items[i].name,
                       i < sources ? "a source" : "a queue of the contact centre");
}

void topics_put_commands(struct buf *out, const struct conf *conf, const struct ruleset *rules,
                         bool all, struct arena *arena)
{
    struct topics_plan plan = topics_plan(conf, arena), others = topics_others(conf, rules, arena);

    for (size_t i = 0; i < plan.count; i++)
        put_command(out, conf, &plan.items[i]);
    for (size_t i = 0; all && i < others.count; i++)
        put_command(out, conf, &others.items[i]);
    if (!all)
        put_others(out, conf, &others);
}

/* --- are they there? -------------------------------------------------------------------------------- */

/* One look at many topics.  A topic that was made a moment ago is not known to every broker at
 * once, so the first that is missing is asked for again until until_ms. */
struct look {
    struct kafka_consumer *asking;
    const char *brokers;
    int64_t until_ms;
    struct buf missing; /* their names, with commas */
    size_t missing_count;
};

static enum err_code count_partitions(const struct look *look, const char *name, int *partitions,
                                      struct err *err)
{
    enum err_code code;

    for (;;) {
        code = kafka_consumer_topic_partitions(look->asking, name, partitions, err);
        if (code != ERR_NONE || *partitions != 0 || clock_mono_ms() > look->until_ms)
            return code;
        clock_sleep_ms(APPEAR_LOOK_MS);
    }
}

/* wanted: how many partitions it has to have, by which key; 0: any number. */
static enum err_code look_at(struct look *look, const char *name, int wanted, const char *key,
                             struct err *err)
{
    int partitions;
    enum err_code code = count_partitions(look, name, &partitions, err);

    if (code != ERR_NONE) {
        err_prefix(err, "Kafka at %s", look->brokers);
        return code;
    }
    if (partitions == 0)
        buf_put_format(&look->missing, "%s%s", look->missing_count++ != 0 ? ", " : "", name);
    else if (wanted != 0 && partitions != wanted)
        return err_set(err, ERR_CONFIG,
                       "topic %s has %d partitions and the configuration says %d: set %s to what "
                       "was chosen at the first start; if somebody has added partitions since, "
                       "docs/operations.md says what to do",
                       name, partitions, wanted, key);
    return ERR_NONE;
}

static struct look begin_look(const struct conf *conf, struct kafka_consumer *asking)
{
    return (struct look){.asking = asking,
                         .brokers = conf_text(conf, "kafka.brokers").data,
                         .until_ms = clock_mono_ms() + APPEAR_MS_MAX};
}

static enum err_code end_look(struct look *look, enum err_code code, const char *whose,
                              const char *help, struct err *err)
{
    if (code == ERR_NONE && look->missing_count != 0)
        code = err_set(err, ERR_DOWN, "%s%s %s: not there; %s", whose,
                       look->missing_count == 1 ? "" : "s", buf_text(&look->missing), help);
    buf_free(&look->missing);
    return code;
}

static enum err_code check_own(const struct conf *conf, struct kafka_consumer *asking,
                               struct arena *arena, struct err *err)
{
    struct look look = begin_look(conf, asking);
    struct topics_plan plan = topics_plan(conf, arena);
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < plan.count && code == ERR_NONE; i++)
        code = look_at(&look, plan.items[i].name, i < OWN_TOPICS ? plan.items[i].partitions : 0,
                       i < OWN_BY_PARTITION ? "partitions" : "task_partitions", err);
    return end_look(&look, code, "topic", "`attent topics --create` makes what is missing", err);
}

static enum err_code check_sources(const struct conf *conf, struct kafka_consumer *asking,
                                   struct err *err)
{
    struct look look = begin_look(conf, asking);
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < conf_count(conf, "sources") && code == ERR_NONE; i++)
        code = look_at(&look, conf_item_name(conf, "sources", i).data, 0, "", err);
    return end_look(&look, code, "source topic",
                    "correct `sources`, or let `attent topics --create --all` make them", err);
}

enum err_code topics_check(const struct conf *conf, struct arena *arena, struct err *err)
{
    struct kafka_settings kafka = config_kafka(conf, "topics", arena);
    struct kafka_consumer *asking = NULL;
    enum err_code code = kafka_consumer_open_alone(&kafka, NULL, 0, &asking, err);

    if (code == ERR_NONE)
        code = check_own(conf, asking, arena, err);
    if (code == ERR_NONE)
        code = check_sources(conf, asking, err);
    kafka_consumer_close(asking);
    return code;
}

/* --- the verb ------------------------------------------------------------------------------------------ */

struct ruleset *topics_read_rules(const struct conf *conf, struct arena *arena)
{
    const char *folder = conf_text(conf, "rules.folder").data;
    struct ruleset *rules = NULL;
    struct diags diags = {0};
    struct bundle bundle;

    if (rules_folder_read(folder, arena, &bundle, NULL) == ERR_NONE)
        rules = rules_folder_compile(folder, &bundle, &diags);
    diags_free(&diags);
    return rules;
}

static void print_topics(const struct topics_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        printf("%s: %d partition%s\n", plan->items[i].name, plan->items[i].partitions,
               plan->items[i].partitions == 1 ? "" : "s");
}

static int create(const struct conf *conf, const struct topics_plan *others, struct arena *arena)
{
    struct kafka_settings kafka = config_kafka(conf, "topics", arena);
    struct topics_plan plan = topics_plan(conf, arena);
    struct err err = {0};
    struct kafka_consumer *asking = NULL;
    enum err_code code = kafka_topics_create(&kafka, plan.items, plan.count, &err);

    if (code == ERR_NONE && others->count != 0)
        code = kafka_topics_create(&kafka, others->items, others->count, &err);
    if (code != ERR_NONE)
        err_prefix(&err, "Kafka at %s", kafka.brokers);
    if (code == ERR_NONE)
        code = kafka_consumer_open_alone(&kafka, NULL, 0, &asking, &err);
    if (code == ERR_NONE) /* so that whoever waits for this command finds them */
        code = check_own(conf, asking, arena, &err);
    kafka_consumer_close(asking);
    if (code != ERR_NONE)
        return cli_fail(&err);
    print_topics(&plan);
    print_topics(others);
    return EXIT_FINE;
}

static int print_commands(const struct conf *conf, const struct ruleset *rules, bool all,
                          struct arena *arena)
{
    struct buf out = {0};

    topics_put_commands(&out, conf, rules, all, arena);
    fputs(buf_text(&out), stdout);
    buf_free(&out);
    return EXIT_FINE;
}

static int run_topics(const struct command *c)
{
    struct ruleset *rules = topics_read_rules(c->conf, c->arena);
    bool all = options_has(&c->options, "all");
    struct topics_plan others = {0};
    int code;

    if (all)
        others = topics_others(c->conf, rules, c->arena);
    code = options_has(&c->options, "create") ? create(c->conf, &others, c->arena)
                                              : print_commands(c->conf, rules, all, c->arena);
    ruleset_free(rules);
    return code;
}

int verb_topics(int argc, char **argv)
{
    struct command c;
    int code;

    if (command_open(&c, "topics", argc, argv, 0, 0, &code))
        code = run_topics(&c);
    return command_close(&c, code);
}
