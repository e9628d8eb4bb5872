#include "tests/sim/whole_settings.h"

#include "core/check.h"
#include "core/clock.h"
#include "tests/sim/chain_rules.h"

static struct arena *settings;
static struct ingest_config ingest_settings;
static struct dispatch_config dispatch_settings;

static void set_ingest(void)
{
    static const struct event_type_file files[] = {{"a.one.json", {"{}", 2}},
                                                   {"b.two.json", {"{}", 2}},
                                                   {"c.three.json", {"{}", 2}},
                                                   {"d.four.json", {"{}", 2}},
                                                   {"task.outcome.json", {"{}", 2}}};
    static struct ingest_source sources[] = {
        {.topic = "shop",
         .dlq_topic = "shop.dlq",
         .format = &cloudevents_format,
         .max_silence_ms = 25000,
         .by_alias = true},
        {.topic = "attent.outcomes", .dlq_topic = "shop.dlq", .format = &cloudevents_format}};
    struct diags diags = {0};

    ingest_settings = (struct ingest_config){
        .kafka = {.brokers = "simulated", .client_id = "ingest"},
        .group = "attent-ingest",
        .sources = sources,
        .source_count = sizeof sources / sizeof sources[0],
        .events_topic = "attent.events",
        .identify_topic = "attent.identify",
        .identity = &chain_rules(0)->identity,
        .types = event_types_read(files, sizeof files / sizeof files[0], settings, &diags),
        .watermark_interval_ms = 2000,
        .wall_ms = clock_wall_ms};
    CHECK(ingest_settings.types != NULL);
}

static void set_dispatch(void)
{
    static struct channel_config channels[2];
    static const char *const names[] = {"phone", "chat"};
    const struct connector_class *class = channel_find(STR("contact_centre"));
    struct diags diags = {0};

    for (int i = 0; i < 2; i++) {
        channels[i] = (struct channel_config){
            str_of(names[i]), class,
            conf_read(class->fields, STR_EMPTY, "sim", NULL, 0, settings, &diags)};
        CHECK(channels[i].conf != NULL);
    }
    dispatch_settings =
        (struct dispatch_config){.kafka = {.brokers = "simulated", .client_id = "dispatch"},
                                 .group = "attent-dispatch",
                                 .tasks_topic = "attent.tasks",
                                 .ledger_topic = "attent.ledger",
                                 .outcomes_topic = "attent.outcomes",
                                 .channels = channels,
                                 .channel_count = 2,
                                 .clock_ms = clock_wall_ms,
                                 .keep_ms = INT64_C(30) * 86400000,
                                 .retry_ms = 1000};
}

void whole_settings_prepare(void)
{
    if (settings != NULL)
        return;
    settings = arena_new(0);
    set_ingest();
    set_dispatch();
}

const struct ingest_config *whole_settings_ingest(void)
{
    return &ingest_settings;
}

const struct dispatch_config *whole_settings_dispatch(void)
{
    return &dispatch_settings;
}
