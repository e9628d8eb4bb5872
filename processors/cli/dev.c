/* attent dev: everything in one process, nothing needed beside it.
 *
 *   embedded broker (mock) + private Redis + partners + all roles [+ the demo]
 *
 * They are started in this order and stopped in the other.  Broker and Redis live and die
 * together, as state and log must.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base64.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/rng.h"
#include "processors/cli/cli.h"
#include "processors/cli/config.h"
#include "processors/cli/demo.h"
#include "processors/cli/loopback.h"
#include "processors/cli/partner.h"
#include "processors/cli/redis_server.h"
#include "processors/cli/roles.h"
#include "processors/cli/topics.h"

enum { IDLE_MS = 200, CONSOLE_PORT = 9464, OVERRIDES_MAX = 64, OTHERS_PARTITIONS = 1 };

struct dev {
    struct arena *arena;
    struct options options;
    const struct conf *conf;
    struct redis_server *redis;
    struct kafka_mock *mock;
    struct partner *partner; /* asked by webhook where the configuration names no channels */
    struct roles *roles;
    const char **queues; /* topics of the contact centre, NULL at the end */
    char console[32];    /* the usual port, or another one when that is taken */
    const volatile sig_atomic_t *stop;
    bool demo;
};

/* --- configuration --------------------------------------------------------------------------------- */

static void override(struct conf_override *list, size_t *count, const char *path, const char *value)
{
    list[(*count)++] = (struct conf_override){str_of(path), str_of(value)};
}

#define PARTNER_URL    "ATTENT_DEV_PARTNER_URL"
#define PARTNER_SECRET "ATTENT_DEV_PARTNER_SECRET"

/* A secret stands in a configuration by reference only, so the partner's are in the environment. */
static void tell_environment(const struct dev *dev)
{
    unsigned char secret[24];
    struct buf url = {0}, text = {0};

    rng_system(secret, sizeof secret);
    buf_put_text(&text, "whsec_");
    base64_put(&text, (struct str){(const char *)secret, sizeof secret});
    buf_put_format(&url, "http://127.0.0.1:%d/", partner_port(dev->partner));
    setenv(PARTNER_URL, buf_text(&url), 1);
    setenv(PARTNER_SECRET, buf_text(&text), 1);
    buf_free(&url);
    buf_free(&text);
}

static bool is_partner(struct str channel)
{
    return str_is(channel, "garage") || str_is(channel, "device");
}

/* The channels of the defaults, with the partners' by webhook. */
static struct str channels_of(struct dev *dev)
{
    struct buf out = {0};
    struct str text;

    for (size_t i = 0; i < conf_count(dev->conf, "channels"); i++) {
        struct str name = conf_item_name(dev->conf, "channels", i);

        buf_put_format(&out, "%s%.*s: %s", i == 0 ? "{" : ", ", STR_ARG(name),
                       is_partner(name) ? "{connector: webhook, url: \"${" PARTNER_URL
                                          "}\", secrets: \"${" PARTNER_SECRET
                                          "}\", private_network: true}"
                                        : "{connector: contact_centre}");
    }
    buf_put_char(&out, '}');
    text = arena_str(dev->arena, buf_str(&out));
    buf_free(&out);
    return text;
}

/* The configuration of this mode; what the user sets with -s comes last and wins. */
static const struct conf *configure(struct dev *dev, int *exit_code)
{
    struct conf_override list[OVERRIDES_MAX];
    size_t count = 0;

    override(list, &count, "kafka.brokers",
             dev->mock != NULL ? kafka_mock_brokers(dev->mock) : "127.0.0.1:1");
    override(list, &count, "redis.address",
             dev->redis != NULL ? redis_server_address(dev->redis) : "127.0.0.1:1");
    override(list, &count, "console.address", dev->console);
    override(list, &count, "partitions", "4");
    override(list, &count, "process", "dev");
    override(list, &count, "sources", "{crm: {}, billing: {}, vehicles: {}, devices: {}, web: {}}");
    if (dev->partner != NULL && conf_place(dev->conf, "channels").line == 0)
        override(list, &count, "channels", channels_of(dev).data);
    if (dev->demo) {
        override(list, &count, "time", "log");
        override(list, &count, "log.level", "error"); /* the screen is the story's */
    }
    return config_load_over(&dev->options, list, count, dev->arena, exit_code);
}

/* Topics of attent, the sources, and the queues that a contact centre would own. */
static enum err_code open_broker(struct dev *dev, struct err *err)
{
    struct ruleset *rules = topics_read_rules(dev->conf, dev->arena);
    struct topics_plan own = topics_plan(dev->conf, dev->arena);
    struct topics_plan others = topics_others(dev->conf, rules, dev->arena);
    size_t sources = conf_count(dev->conf, "sources"), count = own.count + others.count;
    struct kafka_topic_config *all = ARENA_ARRAY(dev->arena, struct kafka_topic_config, count);

    ruleset_free(rules);
    dev->queues = ARENA_ARRAY(dev->arena, const char *, others.count - sources + 1);
    for (size_t i = sources; i < others.count; i++)
        dev->queues[i - sources] = others.items[i].name;
    for (size_t i = 0; i < count; i++) {
        all[i] = i < own.count ? own.items[i] : others.items[i - own.count];
        all[i].replication = 1;
    }
    return kafka_mock_open(all, count, &dev->mock, err);
}

/* --- the run --------------------------------------------------------------------------------------- */

static void say_where(const struct dev *dev)
{
    struct str console = conf_text(dev->conf, "console.address");

    printf("attent dev: everything in one process\n"
           "  Kafka    %s (embedded)\n"
           "  Redis    %s (private, empty)\n"
           "  metrics  %s%.*s%s\n"
           "  partners http://127.0.0.1:%d (a garage and a pill dispenser, asked by webhook)\n"
           "  rules    %.*s/\n"
           "This mode gives no guarantees: the embedded broker forgets everything when it ends.\n",
           kafka_mock_brokers(dev->mock), redis_server_address(dev->redis),
           console.len != 0 ? "http://" : "not served", STR_ARG(console),
           console.len != 0 ? "/metrics" : "", partner_port(dev->partner),
           STR_ARG(conf_text(dev->conf, "rules.folder")));
    if (!dev->demo)
        printf(
            "Write events to the topics crm, billing, vehicles, devices or web; see what happens with\n"
            "  attent tap -s kafka.brokers=%s -s partitions=4\n"
            "Ctrl-C ends it.\n",
            kafka_mock_brokers(dev->mock));
    putchar('\n');
    fflush(stdout);
}

static enum err_code play(struct dev *dev, struct err *err)
{
    struct config_topics topics = config_topics(dev->conf, dev->arena);
    bool terminal = isatty(STDOUT_FILENO) == 1 && getenv("CI") == NULL;
    struct demo_config demo = {.kafka = config_kafka(dev->conf, "demo", dev->arena),
                               .partitions = topics.partitions,
                               .events = topics.events,
                               .decisions = topics.decisions,
                               .outcomes = topics.outcomes,
                               .queues = dev->queues,
                               .queue_partitions = OTHERS_PARTITIONS,
                               .partner = dev->partner,
                               .paced = terminal,
                               .endless = terminal,
                               .stop = dev->stop};

    return demo_play(&demo, err);
}

/* What the partners got, so that a person who tries it sees it. */
static void show_partner(struct dev *dev)
{
    struct arena *arena = arena_new(0);
    struct partner_message message;

    while (partner_take(dev->partner, arena, &message))
        printf("webhook  %.*s %.*s\n", STR_ARG(message.type), STR_ARG(message.data));
    fflush(stdout);
    arena_free(arena);
}

static enum err_code wait_for_stop(struct dev *dev, struct err *err)
{
    while (!*dev->stop && !roles_failed(dev->roles, err)) {
        clock_sleep_ms(IDLE_MS);
        show_partner(dev);
    }
    return *dev->stop ? ERR_NONE : err->code;
}

static enum err_code start(struct dev *dev, struct err *err)
{
    int exit_code;
    enum err_code code;

    puts("Starting an embedded Kafka and a private Redis.");
    fflush(stdout);
    code = redis_server_start(&dev->redis, err);

    if (code == ERR_NONE)
        code = open_broker(dev, err);
    if (code == ERR_NONE)
        code = partner_open(&dev->partner, err);
    if (code != ERR_NONE)
        return code;
    tell_environment(dev);
    dev->conf = configure(dev, &exit_code);
    if (dev->conf == NULL)
        return err_set(err, ERR_CONFIG, "the configuration is not right");
    config_setup_log(dev->conf);
    say_where(dev);
    code = roles_check(dev->conf, ROLES_ALL, false, err);
    return code == ERR_NONE ? roles_start(dev->conf, ROLES_ALL, &dev->roles, err) : code;
}

int verb_dev(int argc, char **argv)
{
    struct dev dev = {.arena = arena_new(0)};
    struct err err = {0};
    int exit_code = EXIT_FINE;
    enum err_code code;

    if (!cli_parse("dev", argc, argv, 0, 0, dev.arena, &dev.options)) {
        arena_free(dev.arena);
        return EXIT_USAGE;
    }
    dev.demo = options_has(&dev.options, "demo");
    snprintf(dev.console, sizeof dev.console, "127.0.0.1:%d", loopback_free_port(CONSOLE_PORT));
    dev.conf = configure(&dev, &exit_code); /* first without addresses: the topics come from it */
    if (dev.conf == NULL) {
        arena_free(dev.arena);
        return exit_code;
    }
    dev.stop = cli_catch_signals();
    exit_code = EXIT_FINE;
    code = start(&dev, &err);
    if (code == ERR_NONE)
        code = dev.demo ? play(&dev, &err) : wait_for_stop(&dev, &err);
    if (code == ERR_NONE && dev.demo && !*dev.stop)
        puts("The story is over: every expected task and silence came, and no other.");
    if (code != ERR_NONE)
        exit_code = cli_fail(&err);
    roles_stop(dev.roles);
    partner_close(dev.partner);
    kafka_mock_close(dev.mock);
    redis_server_stop(dev.redis);
    arena_free(dev.arena);
    return exit_code;
}
