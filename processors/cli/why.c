/* attent why: the last decisions about one customer.  They are all in one partition, so that one
 * is read from its beginning; the newest are kept in a ring. */
#include <stdio.h>

#include "core/hash.h"
#include "processors/cli/cli.h"
#include "processors/cli/config.h"
#include "processors/cli/lines.h"
#include "processors/cli/scan.h"
#include "processors/cli/why_alias.h"

enum { LAST_DEFAULT = 5, LAST_MAX = 1000 };

struct why {
    struct str customer;
    struct buf *ring; /* their JSON; size of them */
    size_t size, count;
};

static enum err_code keep(void *context, const struct record *record, struct err *err)
{
    struct why *why = context;
    struct buf *place = &why->ring[why->count % why->size];

    (void)err;
    if (!str_equal(record->key, why->customer))
        return ERR_NONE;
    why->count++;
    buf_clear(place);
    buf_put(place, record->value);
    return ERR_NONE;
}

static void print(const struct why *why, bool json, struct arena *arena)
{
    size_t first = why->count > why->size ? why->count - why->size : 0;
    struct buf out = {0};

    for (size_t i = first; i < why->count; i++) {
        struct str text = buf_str(&why->ring[i % why->size]);
        struct decision decision;
        if (json) {
            buf_put(&out, text);
            buf_put_char(&out, '\n');
        } else if (decision_read_json(text, arena, &decision, NULL)) {
            lines_put_stages(&out, &decision);
            buf_put_char(&out, '\n');
        }
    }
    if (!json)
        buf_put_format(&out, "%zu of %zu decision%s about %.*s\n", why->count - first, why->count,
                       why->count == 1 ? "" : "s", STR_ARG(why->customer));
    fputs(buf_text(&out), stdout);
    buf_free(&out);
}

static enum err_code read_decisions(const struct command *c, struct why *why, struct err *err)
{
    struct kafka_settings kafka = config_kafka(c->conf, "why", c->arena);
    struct scan scan = {.kafka = &kafka,
                        .topic = config_topics(c->conf, c->arena).decisions,
                        .context = why,
                        .record = keep};
    int partitions;
    enum err_code code = kafka_topic_partitions(&kafka, scan.topic, &partitions, err);

    if (code != ERR_NONE) {
        err_prefix(err, "Kafka at %s", kafka.brokers);
        return code;
    }
    if (partitions > 0) /* else the scan says what to do */
        scan.partition = hash_kafka_partition(why->customer, partitions);
    return scan_topic(&scan, err);
}

int verb_why(int argc, char **argv)
{
    struct err err = {0};
    struct why why = {0};
    struct command c;
    const char *alias;
    int64_t last;
    int code;

    if (!command_open(&c, "why", argc, argv, 0, 1, &code))
        return command_close(&c, code);
    alias = options_value(&c.options, "alias");
    if ((alias != NULL) == (c.options.argument_count == 1)) {
        err_set(&err, ERR_USAGE,
                alias != NULL ? "a CUSTOMER or --alias, not both"
                              : "CUSTOMER is missing, or --alias KIND:VALUE");
        return command_close(&c, cli_fail(&err));
    }
    if (options_number(&c.options, "last", 1, LAST_MAX, LAST_DEFAULT, &last, &err) != ERR_NONE)
        return command_close(&c, cli_fail(&err));
    if (alias != NULL) {
        if (why_alias(&c, alias, options_has(&c.options, "last") ? (size_t)last : 0, &err) !=
            ERR_NONE)
            code = cli_fail(&err);
        return command_close(&c, code);
    }
    why.customer = str_of(c.options.arguments[0]);
    why.size = (size_t)last;
    why.ring = ARENA_ARRAY(c.arena, struct buf, why.size);
    if (read_decisions(&c, &why, &err) == ERR_NONE)
        print(&why, options_has(&c.options, "json"), c.arena);
    else
        code = cli_fail(&err);
    for (size_t i = 0; i < why.size; i++)
        buf_free(&why.ring[i]);
    return command_close(&c, code);
}
