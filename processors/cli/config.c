#include "processors/cli/config.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "connectors/channel.h"
#include "core/check.h"
#include "core/file.h"
#include "core/log.h"
#include "processors/cli/cli.h"

#define DEFAULT_FILE "attent.yaml"

/* --- the table -------------------------------------------------------------------------------- */

static const struct conf_field source_fields[] = {
#define CONF(path_, kind_, fallback_, doc_, ...)                                                   \
    {.path = path_, .kind = CONF_##kind_, .fallback = fallback_, .doc = doc_, __VA_ARGS__},
#include "processors/cli/source.def"
#undef CONF
    {0},
};

/* Filled by config_table: what all channels may say, and for each connector that and its own. */
enum { CONNECTORS_MAX = 32, CHANNEL_FIELDS_MAX = 48 };
static char connector_names[512];
static struct conf_field channel_fields[] = {
    {.path = "connector",
     .kind = CONF_CHOICE,
     .choices = connector_names,
     .doc = "What a task goes out by."},
#define CONF(path_, kind_, fallback_, doc_, ...)                                                   \
    {.path = path_, .kind = CONF_##kind_, .fallback = fallback_, .doc = doc_, __VA_ARGS__},
#include "processors/dispatch/channel_options.def"
#undef CONF
    {0},
};
enum { SHARED_FIELDS = sizeof channel_fields / sizeof channel_fields[0] - 1 };
static struct conf_field connector_fields[CONNECTORS_MAX][CHANNEL_FIELDS_MAX + 1];
static struct conf_variant connector_list[CONNECTORS_MAX + 1];
static const struct conf_variants channel_variants = {"connector", connector_list};

static const struct conf_field table[] = {
#define CONF(path_, kind_, fallback_, doc_, ...)                                                   \
    {.path = path_, .kind = CONF_##kind_, .fallback = fallback_, .doc = doc_, __VA_ARGS__},
#include "processors/cli/config.def"
#undef CONF
    {0},
};

/* A connector's field, in place of the shared one of that path or behind what is there. */
static size_t add_channel_field(struct conf_field *fields, size_t count,
                                const struct conf_field *field)
{
    for (size_t i = 0; i < SHARED_FIELDS; i++)
        if (strcmp(fields[i].path, field->path) == 0) {
            CHECK(fields[i].kind == field->kind);
            fields[i] = *field;
            return count;
        }
    CHECK(count < CHANNEL_FIELDS_MAX);
    fields[count] = *field;
    return count + 1;
}

static void fill_channel_fields(void)
{
    size_t bytes = 0;

    for (size_t i = 0; channel_at(i) != NULL; i++) {
        const struct connector_class *class = channel_at(i);
        size_t count = SHARED_FIELDS;
        CHECK(i < CONNECTORS_MAX);
        bytes += (size_t)snprintf(connector_names + bytes, sizeof connector_names - bytes, "%s%s",
                                  i == 0 ? "" : "|", class->name);
        CHECK(bytes < sizeof connector_names);
        memcpy(connector_fields[i], channel_fields, SHARED_FIELDS * sizeof *channel_fields);
        for (const struct conf_field *f = class->fields; f->path != NULL; f++)
            count = add_channel_field(connector_fields[i], count, f);
        connector_list[i] = (struct conf_variant){class->name, connector_fields[i]};
    }
}

const struct conf_field *config_table(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, fill_channel_fields);
    return table;
}

/* --- reading ---------------------------------------------------------------------------------- */

const struct conf *config_read(const char *file, const struct conf_override *overrides,
                               size_t override_count, struct arena *arena, struct diags *diags,
                               struct str *source, struct err *err)
{
    const char *name = file != NULL ? file : DEFAULT_FILE;

    *source = STR_EMPTY;
    if ((file != NULL || file_exists(DEFAULT_FILE)) &&
        file_read(name, arena, source, err) != ERR_NONE)
        return NULL;
    return conf_read(config_table(), *source, name, overrides, override_count, arena, diags);
}

/* What -s says is in no file: no line of one can be shown. */
static bool is_option(const struct place *place)
{
    return place->file != NULL && str_starts(str_of(place->file), STR("-s "));
}

static void print_findings(struct diags *diags, struct str source)
{
    struct buf text = {0};

    diags_sort(diags);
    for (size_t i = 0; i < diags->count; i++)
        diag_print(&text, &diags->items[i], is_option(&diags->items[i].place) ? STR_EMPTY : source);
    fputs(buf_text(&text), stderr);
    if (diags->error_count != 0)
        fprintf(stderr, "attent: %zu %s in the configuration; `attent config` lists all keys\n",
                diags->error_count, diags->error_count == 1 ? "error" : "errors");
    buf_free(&text);
}

/* -s PATH=VALUE, each; -1: one is none. */
static int collect_overrides(const struct options *options, struct conf_override *out)
{
    int count = 0;

    for (size_t i = 0; i < options->given_count; i++) {
        const struct option_given *given = &options->given[i];
        if (strcmp(given->spec->name, "set") != 0)
            continue;
        if (!str_cut(str_of(given->value), '=', &out[count].path, &out[count].value)) {
            fprintf(stderr, "attent: -s %s: write PATH=VALUE, as in -s kafka.brokers=kafka:9092\n",
                    given->value);
            return -1;
        }
        count++;
    }
    return count;
}

const struct conf *config_load_over(const struct options *options, const struct conf_override *own,
                                    size_t own_count, struct arena *arena, int *exit_code)
{
    struct conf_override *overrides =
        ARENA_ARRAY(arena, struct conf_override, own_count + options->given_count + 1);
    int count = collect_overrides(options, overrides + own_count);
    struct diags diags = {0};
    struct err err = {0};
    struct str source;
    const struct conf *conf;

    *exit_code = EXIT_USAGE;
    if (count < 0)
        return NULL;
    if (own_count != 0)
        memcpy(overrides, own, own_count * sizeof *own);
    *exit_code = EXIT_CONFIG;
    conf = config_read(options_value(options, "config"), overrides, own_count + (size_t)count,
                       arena, &diags, &source, &err);
    if (err.code != ERR_NONE)
        fprintf(stderr, "attent: %s\n", err.text);
    print_findings(&diags, source);
    diags_free(&diags);
    if (conf == NULL)
        return NULL;
    config_setup_log(conf);
    *exit_code = EXIT_FINE;
    return conf;
}

const struct conf *config_load(const struct options *options, struct arena *arena, int *exit_code)
{
    return config_load_over(options, NULL, 0, arena, exit_code);
}

/* --- what verbs take from it ------------------------------------------------------------------------- */

static const char *topic(const struct conf *conf, const char *path, struct arena *arena)
{
    return arena_replace(arena, conf_text(conf, path), STR("{prefix}"),
                         conf_text(conf, "topics.prefix"))
        .data;
}

struct config_topics config_topics(const struct conf *conf, struct arena *arena)
{
    return (struct config_topics){
        .events = topic(conf, "topics.events", arena),
        .identify = topic(conf, "topics.identify", arena),
        .events_dlq = arena_format(arena, "%s.dlq", topic(conf, "topics.events", arena)).data,
        .identify_dlq = arena_format(arena, "%s.dlq", topic(conf, "topics.identify", arena)).data,
        .tasks = topic(conf, "topics.tasks", arena),
        .decisions = topic(conf, "topics.decisions", arena),
        .ledger = topic(conf, "topics.ledger", arena),
        .outcomes = topic(conf, "topics.outcomes", arena),
        .rules = topic(conf, "topics.rules", arena),
        .partitions = (int)conf_int(conf, "partitions"),
        .replication = (int)conf_int(conf, "replication"),
        .task_partitions = (int)conf_int(
            conf, conf_int(conf, "task_partitions") != 0 ? "task_partitions" : "partitions"),
    };
}

struct kafka_settings config_kafka(const struct conf *conf, const char *role, struct arena *arena)
{
    size_t count = conf_count(conf, "kafka.librdkafka");
    struct kafka_property *properties = ARENA_ARRAY(arena, struct kafka_property, count + 1);

    for (size_t i = 0; i < count; i++)
        properties[i] = (struct kafka_property){conf_item_name(conf, "kafka.librdkafka", i).data,
                                                conf_free_value(conf, "kafka.librdkafka", i).data};
    return (struct kafka_settings){.brokers = conf_text(conf, "kafka.brokers").data,
                                   .client_id = config_group(conf, role, arena),
                                   .properties = properties,
                                   .property_count = count};
}

struct redis_settings config_redis(const struct conf *conf)
{
    return (struct redis_settings){.address = conf_text(conf, "redis.address").data,
                                   .user = conf_text(conf, "redis.user").data,
                                   .password = conf_text(conf, "redis.password").data,
                                   .ca_file = conf_text(conf, "redis.ca_file").data};
}

const char *config_group(const struct conf *conf, const char *role, struct arena *arena)
{
    return arena_format(arena, "%.*s-%s", STR_ARG(conf_text(conf, "group")), role).data;
}

const char *config_view_prefix(const struct conf *conf, struct arena *arena)
{
    return arena_format(arena, "%.*s:view", STR_ARG(conf_text(conf, "group"))).data;
}

const char *config_process_id(const struct conf *conf, const char *role, struct arena *arena)
{
    const char *group = config_group(conf, role, arena);
    struct str name = conf_text(conf, "process");
    char machine[256] = "";

    if (name.len != 0)
        return arena_format(arena, "%s-%.*s", group, STR_ARG(name)).data;
    if (gethostname(machine, sizeof machine - 1) != 0)
        strcpy(machine, "machine");
    return arena_format(arena, "%s-%s-%ld", group, machine, (long)getpid()).data;
}

/* The index of a choice in its list, which is the order of the enum. */
static int choice(const struct conf *conf, const char *path, const char *const *names)
{
    int i = 0;

    while (!str_is(conf_text(conf, path), names[i]))
        i++;
    return i;
}

void config_setup_log(const struct conf *conf)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    static const char *const formats[] = {"auto", "logfmt", "json"};

    log_setup((enum log_level)choice(conf, "log.level", levels),
              (enum log_format)choice(conf, "log.format", formats),
              str_is(conf_text(conf, "log.customers"), "plain"));
}
