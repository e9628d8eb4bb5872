#include "processors/cli/sample.h"

#include "core/file.h"
#include "processors/cli/config.h"
#include "processors/cli/role_ingest.h"
#include "processors/cli/rules_folder.h"
#include "processors/cli/scan.h"

enum { SAMPLE_DEFAULT = 100, SAMPLE_MOST = 1000 * 1000 };

static bool is_configured(const struct options *options)
{
    return options_has(options, "config") || options_has(options, "set") ||
           file_exists("attent.yaml");
}

enum err_code sample_configure(const struct command *c, struct ingest_trial *trial, struct err *err)
{
    struct ingest_config *config = ARENA_NEW(c->arena, struct ingest_config);
    struct config_topics topics;
    struct bundle bundle;
    enum err_code code;

    if (!is_configured(&c->options))
        return ERR_NONE;
    code = rules_folder_read(conf_text(c->conf, "rules.folder").data, c->arena, &bundle, err);
    if (code != ERR_NONE)
        return code;
    topics = config_topics(c->conf, c->arena);
    config->events_topic = topics.events;
    config->sources = ingest_sources_of(c->conf, topics.outcomes, c->arena, &config->source_count);
    config->types = ingest_types_of(&bundle, c->arena, err);
    if (config->types == NULL)
        return err->code;
    trial->config = config;
    return ingest_check_sources(config, err);
}

struct counted {
    int64_t left;
    enum err_code (*record)(void *context, const struct record *record, struct err *err);
    void *context;
};

static enum err_code take(void *context, const struct record *record, struct err *err)
{
    struct counted *counted = context;

    return counted->left-- > 0 ? counted->record(counted->context, record, err) : ERR_NONE;
}

enum err_code sample_topic(const struct command *c, const char *topic,
                           enum err_code (*record)(void *context, const struct record *record,
                                                   struct err *err),
                           void *context, struct err *err)
{
    struct kafka_settings kafka = config_kafka(c->conf, "sample", c->arena);
    struct counted counted = {.record = record, .context = context};
    struct scan scan = {.kafka = &kafka,
                        .topic = topic,
                        .partition = SCAN_ALL,
                        .context = &counted,
                        .record = take};
    enum err_code code =
        options_number(&c->options, "count", 1, SAMPLE_MOST, SAMPLE_DEFAULT, &scan.newest, err);

    counted.left = scan.newest;
    return code == ERR_NONE ? scan_topic(&scan, err) : code;
}
