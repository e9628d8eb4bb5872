/* Ingest validates by the event types of the rule set that was activated last, and says how far the
 * sources of its sources.yaml have been read.  When another one is activated while it runs, it is opened again: a watch on attent.rules costs one poll a round. */
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metric.h"
#include "core/readiness.h"
#include "processors/cli/config.h"
#include "processors/cli/role.h"
#include "processors/cli/role_ingest.h"
#include "processors/cli/rules_topic.h"
#include "processors/cli/skips.h"
#include "processors/cli/topics.h"
#include "processors/ingest/ingest.h"

enum { WATCH_RECORDS = 16 };

struct ingest_state {
    struct arena *arena; /* of this opening: types, configuration */
    struct ingest_config config;
    struct ingest_source *sources; /* those of config */
    struct ingest *ingest;
    struct kafka_consumer *watch; /* of attent.rules */
    const char *rules_topic;
    char active[HASH128_HEX_SIZE]; /* whose types these are */
    char newest[HASH128_HEX_SIZE]; /* that the watch has seen; empty: none yet */
};

/* --- event types ---------------------------------------------------------------------------------- */

static const struct {
    const char *type, *schema;
} builtins[] = {
#define BUILTIN(name, type, schema) {type, schema},
#include "rules/moment/builtin.def"
#undef BUILTIN
};
enum { BUILTIN_COUNT = sizeof builtins / sizeof builtins[0] };

#define SCHEMA_FOLDER STR("schemas/events/")

static bool has_file(const struct bundle *bundle, struct str name)
{
    for (size_t i = 0; i < bundle->count; i++)
        if (str_equal(bundle->files[i].name, name))
            return true;
    return false;
}

struct event_types *ingest_types_of(const struct bundle *bundle, struct arena *arena,
                                    struct err *err)
{
    struct event_type_file *files =
        ARENA_ARRAY(arena, struct event_type_file, bundle->count + BUILTIN_COUNT);
    struct diags diags = {0};
    struct event_types *types;
    size_t count = 0;

    for (size_t i = 0; i < bundle->count; i++)
        if (str_starts(bundle->files[i].name, SCHEMA_FOLDER))
            files[count++] = (struct event_type_file){arena_str(arena, bundle->files[i].name).data,
                                                      bundle->files[i].text};
    for (size_t i = 0; i < BUILTIN_COUNT; i++) {
        struct str name = arena_format(arena, "schemas/events/%s.json", builtins[i].type);
        if (!has_file(bundle, name))
            files[count++] = (struct event_type_file){name.data, str_of(builtins[i].schema)};
    }
    types = event_types_read(files, count, arena, &diags);
    if (types == NULL)
        err_set(err, ERR_STATE, "event types of the rule set: %s: %s",
                diags.count != 0 ? diags.items[0].place.file : "",
                diags.count != 0 ? diags.items[0].what : "");
    diags_free(&diags);
    return types;
}

static enum err_code load_types(struct ingest_state *s, struct rules_topic *rules, struct err *err)
{
    struct bundle bundle;
    enum err_code code = rules_topic_active(rules, s->active, err);

    if (code == ERR_NONE && s->active[0] == '\0')
        return err_set(err, ERR_DOWN, "no rules are in force yet: `attent activate`");
    if (code == ERR_NONE)
        code = rules_topic_bundle(rules, str_of(s->active), s->arena, &bundle, err);
    if (code != ERR_NONE)
        return code;
    s->config.types = ingest_types_of(&bundle, s->arena, err);
    return s->config.types != NULL ? ERR_NONE : ERR_STATE;
}

/* --- sources ---------------------------------------------------------------------------------------- */

static struct mapping mapping_of(const struct conf *item)
{
    return (struct mapping){
        .id = mapping_origin_of(conf_text(item, "id")),
        .type = mapping_origin_of(conf_text(item, "type")),
        .time = mapping_origin_of(conf_text(item, "time")),
        .subject = mapping_origin_of(conf_text(item, "subject")),
        .data = mapping_origin_of(conf_text(item, "data")),
        .source = conf_text(item, "source"),
    };
}

static enum tombstone tombstone_of(struct str word)
{
    if (str_is(word, "ignore"))
        return TOMBSTONE_IGNORE;
    return str_is(word, "erase") ? TOMBSTONE_ERASE : TOMBSTONE_DLQ;
}

struct ingest_source *ingest_sources_of(const struct conf *conf, const char *outcomes,
                                        struct arena *arena, size_t *source_count)
{
    size_t count = conf_count(conf, "sources");
    struct ingest_source *sources = ARENA_ARRAY(arena, struct ingest_source, count + 1);
    bool outcomes_given = false;

    for (size_t i = 0; i < count; i++) {
        const struct conf *item = conf_item(conf, "sources", i);
        sources[i] = (struct ingest_source){
            .topic = conf_item_name(conf, "sources", i).data,
            .dlq_topic = topics_dlq(conf, i, arena),
            .format = format_find(conf_text(item, "mode")),
            .mapping = mapping_of(item),
            .tombstone = tombstone_of(conf_text(item, "tombstone")),
            .ip = conf_text(item, "ip"),
        };
        outcomes_given |= strcmp(sources[i].topic, outcomes) == 0;
    }
    if (!outcomes_given)
        sources[count++] =
            (struct ingest_source){.topic = outcomes,
                                   .dlq_topic = arena_format(arena, "%s.dlq", outcomes).data,
                                   .format = &cloudevents_format};
    *source_count = count;
    return sources;
}

/* A source that the rules wait for and nobody reads would keep them silent for ever. */
static void warn_unread(const struct ingest_state *s, struct str name)
{
    for (size_t i = 0; i < s->config.source_count; i++)
        if (str_is(name, s->config.sources[i].topic))
            return;
    log_warn("ingest", "sources.yaml names a source that is not among those of the configuration",
             LOG_STR("source", name), LOG_END);
}

static bool goes_by_alias(const struct ruleset *set, const struct source *source)
{
    for (size_t i = 0; i < source->type_count; i++)
        if (identity_use(&set->identity, set->types[source->types[i]].name) != NULL)
            return true;
    return false;
}

/* By name: the source of the configuration is its topic. */
static enum err_code find_silences(struct ingest_state *s, struct rules_topic *rules,
                                   struct err *err)
{
    const struct ruleset *set = rules_topic_find(rules, str_of(s->active), err);

    for (size_t i = 0; set != NULL && i < s->config.source_count; i++) {
        struct ingest_source *source = &s->sources[i];
        int found = ruleset_find_source(set, str_of(source->topic));

        source->max_silence_ms = found >= 0 ? set->sources[found].max_silence_ms : 0;
        source->by_alias = found >= 0 && goes_by_alias(set, &set->sources[found]);
    }
    s->config.identity = set != NULL ? &set->identity : NULL;
    for (size_t i = 0; set != NULL && i < set->source_count; i++)
        warn_unread(s, set->sources[i].name);
    return set != NULL ? ERR_NONE : err->code;
}

/* --- the role ---------------------------------------------------------------------------------------- */

static void close_ingest(void *state)
{
    struct ingest_state *s = state;

    ingest_close(s->ingest);
    kafka_consumer_close(s->watch);
    arena_free(s->arena);
    mem_free(s);
}

static enum err_code open_watch(struct ingest_state *s, struct err *err)
{
    const struct kafka_partition all = {s->rules_topic, 0, KAFKA_OFFSET_BEGIN};

    return kafka_consumer_open_alone(&s->config.kafka, &all, 1, &s->watch, err);
}

static enum err_code open_ingest(const struct role_context *context, void **out, struct err *err)
{
    const struct conf *conf = context->conf;
    struct ingest_state *s = MEM_NEW(struct ingest_state);
    struct config_topics topics;
    enum err_code code;

    s->arena = arena_new(0);
    topics = config_topics(conf, s->arena);
    s->config = (struct ingest_config){
        .kafka = config_kafka(conf, "ingest", s->arena),
        .group = config_group(conf, "ingest", s->arena),
        .transactional_id = config_process_id(conf, "ingest", s->arena),
        .events_topic = topics.events,
        .identify_topic = topics.identify,
        .watermark_interval_ms =
            str_is(conf_text(conf, "time"), "log") ? 0 : conf_int(conf, "watermarks"),
        .geo = context->geo,
        .skips = skips_of(conf, s->arena),
        .rules_topic = topics.rules,
        .wall_ms = clock_wall_ms,
    };
    s->rules_topic = topics.rules;
    s->config.sources = s->sources =
        ingest_sources_of(conf, topics.outcomes, s->arena, &s->config.source_count);
    code = load_types(s, context->rules, err);
    if (code == ERR_NONE)
        code = find_silences(s, context->rules, err);
    if (code == ERR_NONE)
        code = open_watch(s, err);
    if (code == ERR_NONE)
        code = ingest_open(&s->config, &s->ingest, err);
    if (code != ERR_NONE) {
        close_ingest(s);
        return code;
    }
    if (s->config.geo != NULL)
        metric_set(metric_series(METRIC_GEO_BUILT, NULL, 0), (double)geoip_built_s(s->config.geo));
    log_info("ingest", "reading", LOG_INT("sources", s->config.source_count),
             LOG_INT("types", event_types_count(s->config.types)), LOG_TEXT("rules", s->active),
             LOG_END);
    *out = s;
    return ERR_NONE;
}

static void watch_record(struct ingest_state *s, const struct record *record)
{
    struct arena *arena = arena_new(0);
    struct activation_entry entry;

    if (activation_entry_read(record, arena, &entry, NULL))
        memcpy(s->newest, entry.hash, sizeof s->newest);
    arena_free(arena);
}

/* Is another rule set active now?  The topic is read from its beginning, so only its end counts;
 * errors are the business of the next round. */
static bool rules_changed(struct ingest_state *s)
{
    struct record records[WATCH_RECORDS];
    size_t count = 0;

    do {
        if (kafka_consumer_poll(s->watch, 0, records, WATCH_RECORDS, &count, NULL) != ERR_NONE)
            count = 0;
        for (size_t i = 0; i < count; i++)
            watch_record(s, &records[i]);
        kafka_consumer_release(s->watch);
    } while (count != 0);
    return s->newest[0] != '\0' && strcmp(s->newest, s->active) != 0 &&
           kafka_consumer_at_end(s->watch, s->rules_topic, 0);
}

static void report_silence(struct ingest_state *s)
{
    struct buf why = {0};
    bool any = false;

    for (size_t i = 0; i < s->config.source_count; i++)
        any |= s->sources[i].max_silence_ms != 0;
    if (!any)
        return;
    ingest_report_silence(s->ingest, &why);
    readiness_set("sources", why.len == 0, why.len != 0 ? buf_text(&why) : NULL);
    buf_free(&why);
}

/* A new database is taken between two rounds. */
static void refresh_geo(struct geoip *geo)
{
    struct err err;

    switch (geoip_refresh(geo, clock_mono_ms(), &err)) {
    case GEOIP_SAME: return;
    case GEOIP_SWITCHED:
        log_info("geo", "another database is in use", LOG_INT("built_s", geoip_built_s(geo)),
                 LOG_END);
        metric_set(metric_series(METRIC_GEO_BUILT, NULL, 0), (double)geoip_built_s(geo));
        return;
    case GEOIP_REFUSED:
        log_error("geo", "a new database is no good, the one before stays in use",
                  LOG_TEXT("reason", err.text), LOG_INT("built_s", geoip_built_s(geo)), LOG_END);
        metric_add(metric_series(METRIC_GEO_REFUSED, NULL, 0), 1);
        return;
    }
}

static enum err_code poll_ingest(void *state, bool *again, struct err *err)
{
    struct ingest_state *s = state;
    enum err_code code = ingest_poll(s->ingest, ROLE_POLL_MS, NULL, err);

    if (s->config.geo != NULL)
        refresh_geo(s->config.geo);
    readiness_set("ingest", code == ERR_NONE, code == ERR_NONE ? NULL : err->text);
    report_silence(s);
    *again = rules_changed(s);
    if (*again)
        log_info("ingest", "other rules are in force: its event types are read again", LOG_END);
    return code;
}

const struct role_class role_ingest = {
    .name = "ingest",
    .open = open_ingest,
    .poll = poll_ingest,
    .close = close_ingest,
};
