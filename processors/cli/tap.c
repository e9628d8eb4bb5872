/* attent tap: follow decisions, tasks and outcomes. */
#include <inttypes.h>
#include <stdio.h>

#include "core/clock.h"
#include "core/mem.h"
#include "processors/cli/cli.h"
#include "processors/cli/config.h"
#include "processors/cli/lines.h"

enum { POLL_MS = 200, BATCH_RECORDS = 256 };

struct tap {
    const struct options *options;
    struct arena *arena; /* of one batch */
    struct kafka_partition *partitions;
    size_t count, capacity;
    struct str customer; /* empty: all */
    int64_t left;        /* lines */
    struct buf out;
};

static enum err_code add_topic(struct tap *tap, const struct kafka_settings *kafka,
                               const char *topic, struct err *err)
{
    int64_t from =
        options_has(tap->options, "from-beginning") ? KAFKA_OFFSET_BEGIN : KAFKA_OFFSET_END;
    int partitions;
    enum err_code code = kafka_topic_partitions(kafka, topic, &partitions, err);

    if (code != ERR_NONE)
        err_prefix(err, "Kafka at %s", kafka->brokers);
    if (code == ERR_NONE && partitions == 0)
        return err_set(err, ERR_DOWN, "topic %s is not there; `attent topics --create` makes it",
                       topic);
    for (int p = 0; p < partitions && code == ERR_NONE; p++) {
        MEM_RESERVE(tap->partitions, tap->count, tap->capacity);
        tap->partitions[tap->count++] = (struct kafka_partition){topic, p, from};
    }
    return code;
}

static enum err_code add_topics(struct tap *tap, const struct kafka_settings *kafka,
                                const struct config_topics *topics, struct err *err)
{
    const struct options *o = tap->options;
    bool all =
        !options_has(o, "decisions") && !options_has(o, "tasks") && !options_has(o, "outcomes");
    enum err_code code = ERR_NONE;

    if (all || options_has(o, "decisions"))
        code = add_topic(tap, kafka, topics->decisions, err);
    if (code == ERR_NONE && (all || options_has(o, "tasks")))
        code = add_topic(tap, kafka, topics->tasks, err);
    if (code == ERR_NONE && (all || options_has(o, "outcomes")))
        code = add_topic(tap, kafka, topics->outcomes, err);
    return code;
}

static void show(struct tap *tap, const struct record *record)
{
    size_t before = tap->out.len;

    if (tap->left == 0 || (tap->customer.len != 0 && !str_equal(tap->customer, record->key)))
        return;
    if (options_has(tap->options, "json"))
        lines_put_json(&tap->out, record, tap->arena);
    else
        lines_put_record(&tap->out, record, tap->arena);
    tap->left -= tap->out.len != before;
}

/* False: nobody reads any more. */
static bool write_out(struct tap *tap)
{
    bool fine =
        tap->out.len == 0 ||
        (fwrite(tap->out.data, 1, tap->out.len, stdout) == tap->out.len && fflush(stdout) == 0);

    buf_clear(&tap->out);
    arena_reset(tap->arena);
    return fine;
}

static enum err_code follow(struct tap *tap, struct kafka_consumer *consumer, struct err *err)
{
    const volatile sig_atomic_t *stop = cli_catch_signals();
    struct record records[BATCH_RECORDS];
    bool read = true;

    while (!*stop && tap->left != 0 && read) {
        size_t count;
        enum err_code code =
            kafka_consumer_poll(consumer, POLL_MS, records, BATCH_RECORDS, &count, err);
        if (code == ERR_STATE)
            return code;
        if (code != ERR_NONE) { /* a broker that restarts */
            fprintf(stderr, "attent: %s\n", err->text);
            clock_sleep_ms(POLL_MS);
            count = 0;
        }
        for (size_t i = 0; i < count; i++)
            show(tap, &records[i]);
        kafka_consumer_release(consumer);
        read = write_out(tap);
    }
    return ERR_NONE;
}

static int run_tap(const struct command *c)
{
    struct config_topics topics = config_topics(c->conf, c->arena);
    struct kafka_settings kafka = config_kafka(c->conf, "tap", c->arena);
    struct tap tap = {.options = &c->options,
                      .customer = str_of(options_value(&c->options, "customer"))};
    struct kafka_consumer *consumer = NULL;
    struct err err = {0};
    enum err_code code = options_number(&c->options, "count", 1, INT64_MAX, -1, &tap.left, &err);

    tap.arena = arena_new(0);
    if (code == ERR_NONE)
        code = add_topics(&tap, &kafka, &topics, &err);
    if (code == ERR_NONE)
        code = kafka_consumer_open_alone(&kafka, tap.partitions, tap.count, &consumer, &err);
    if (code == ERR_NONE)
        code = follow(&tap, consumer, &err);
    kafka_consumer_close(consumer);
    mem_free(tap.partitions);
    buf_free(&tap.out);
    arena_free(tap.arena);
    return code == ERR_NONE ? EXIT_FINE : cli_fail(&err);
}

int verb_tap(int argc, char **argv)
{
    struct command c;
    int code;

    if (command_open(&c, "tap", argc, argv, 0, 0, &code))
        code = run_tap(&c);
    return command_close(&c, code);
}
