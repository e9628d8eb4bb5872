/* The step says what becomes of an event by what it puts out: the event, keyed by its customer, or a dead
 * letter.  An event that has put out nothing waits.  Which binding it was is told by the rule of
 * processors/identify/owners.h: the last one of this customer up to the event's time, else the next.
 */
#include "processors/cli/why_alias.h"

#include <stdio.h>

#include "core/hash.h"
#include "core/json.h"
#include "core/mem.h"
#include "core/when.h"
#include "processors/cli/config.h"
#include "processors/cli/identities.h"
#include "processors/cli/rules_topic.h"
#include "processors/cli/scan.h"
#include "processors/cli/skips.h"
#include "processors/identify/identify.h"
#include "processors/worker/offline.h"
#include "schemas/binding.h"

struct named {          /* that names the alias; texts in arena */
    struct named *next; /* that waits */
    struct str source, id, type;
    struct spot at;
    int64_t time_ms;
};

struct change {
    enum identify_kind kind;
    struct str customer;
    int64_t at_ms;
    struct spot at;
};

struct why {
    struct arena *arena;
    struct str alias;
    bool json;
    struct offline *offline;
    struct named *waiting; /* the oldest first */
    struct change *changes;
    size_t change_count, change_capacity;
    struct str *lines;
    size_t line_count, line_capacity;
    size_t events, dead;
    bool cut; /* the log does not begin at its beginning any more */
};

/* --- lines --------------------------------------------------------------------------------------- */

static void add_line(struct why *w, struct buf *line)
{
    MEM_RESERVE(w->lines, w->line_count, w->line_capacity);
    w->lines[w->line_count++] = arena_str(w->arena, buf_str(line));
    buf_free(line);
}

static void put_spot_member(struct json_writer *j, const char *key, const struct spot *at)
{
    struct buf text = {0};

    if (at != NULL)
        spot_put(&text, at);
    json_key(j, key);
    json_str(j, buf_str(&text));
    buf_free(&text);
}

static void put_text_member(struct json_writer *j, const char *key, struct str text)
{
    json_key(j, key);
    json_str(j, text);
}

/* became: "customer", "waits", "dead". */
static void tell_event(struct why *w, const struct named *e, const char *became,
                       struct str customer, const struct change *by, struct str reason)
{
    struct buf line = {0};

    if (w->json) {
        struct json_writer j = json_writer_to(&line);

        json_open(&j, '{');
        put_text_member(&j, "event", e->id);
        put_text_member(&j, "source", e->source);
        put_text_member(&j, "type", e->type);
        json_key(&j, "time");
        json_time(&j, e->time_ms);
        put_spot_member(&j, "record", &e->at);
        put_text_member(&j, "became", str_of(became));
        put_text_member(&j, "customer", customer);
        put_spot_member(&j, "by", by != NULL ? &by->at : NULL);
        put_text_member(&j, "reason", reason);
        json_close(&j, '}');
        add_line(w, &line);
        return;
    }
    when_put_rfc3339(&line, e->time_ms);
    buf_put_format(&line, "  %.*s %.*s  ", STR_ARG(e->type), STR_ARG(e->id));
    if (reason.len != 0) {
        buf_put_format(&line, "dead letter: %.*s", STR_ARG(reason));
    } else if (customer.len == 0) {
        buf_put_text(&line, "waits: nobody has said whose it is");
    } else {
        buf_put_format(&line, "-> %.*s", STR_ARG(customer));
        if (by != NULL) {
            buf_put_text(&line,
                         by->at_ms <= e->time_ms ? ", bound since " : ", bound later, from ");
            when_put_rfc3339(&line, by->at_ms);
            buf_put_text(&line, " (");
            spot_put(&line, &by->at);
            buf_put_char(&line, ')');
        }
    }
    add_line(w, &line);
}

static void tell_change(struct why *w, const struct change *change)
{
    const char *what = identify_kind_text(change->kind);
    struct buf line = {0};

    if (w->json) {
        struct json_writer j = json_writer_to(&line);

        json_open(&j, '{');
        put_text_member(&j, "change", str_of(what));
        put_text_member(&j, "customer", change->customer);
        json_key(&j, "time");
        json_time(&j, change->at_ms);
        put_spot_member(&j, "record", &change->at);
        json_close(&j, '}');
        add_line(w, &line);
        return;
    }
    when_put_rfc3339(&line, change->at_ms);
    buf_put_format(&line, "  %s", what);
    if (change->customer.len != 0)
        buf_put_format(&line, " %.*s", STR_ARG(change->customer));
    buf_put_text(&line, "  (");
    spot_put(&line, &change->at);
    buf_put_char(&line, ')');
    add_line(w, &line);
}

/* --- what comes out ------------------------------------------------------------------------------- */

/* Taken from those that wait.  NULL: it is none of this alias. */
static struct named *find_event(struct why *w, const struct record *out)
{
    struct str source = record_header(out, STR("ce_source")), id = record_header(out, STR("ce_id"));
    struct named **at = &w->waiting, *found;

    while (*at != NULL && (!str_equal((*at)->id, id) || !str_equal((*at)->source, source)))
        at = &(*at)->next;
    found = *at;
    if (found != NULL)
        *at = found->next;
    return found;
}

static const struct change *binding_of(const struct why *w, struct str customer, int64_t time_ms)
{
    const struct change *before = NULL, *after = NULL;

    for (size_t i = 0; i < w->change_count; i++) {
        const struct change *change = &w->changes[i];

        if (change->kind != IDENTIFY_BIND || !str_equal(change->customer, customer))
            continue;
        if (change->at_ms <= time_ms && (before == NULL || change->at_ms >= before->at_ms))
            before = change;
        if (change->at_ms > time_ms && (after == NULL || change->at_ms < after->at_ms))
            after = change;
    }
    return before != NULL ? before : after;
}

static void take_output(void *context, int topic, const struct record *out)
{
    struct why *w = context;
    struct named *e;

    if (topic == IDENTIFY_TOPIC_OWN || (e = find_event(w, out)) == NULL)
        return;
    if (topic == IDENTIFY_TOPIC_EVENTS) {
        struct str customer = arena_str(w->arena, out->key);

        tell_event(w, e, "customer", customer, binding_of(w, customer, e->time_ms), STR_EMPTY);
        return;
    }
    w->dead++;
    tell_event(w, e, "dead", STR_EMPTY, NULL,
               arena_str(w->arena, record_header(out, STR("attent-reason"))));
}

/* --- what goes in --------------------------------------------------------------------------------- */

static struct spot keep_spot(const struct why *w, const struct record *record)
{
    struct spot spot = spot_of(record);

    spot.topic = arena_str(w->arena, record->topic);
    return spot;
}

static struct named *add_event(struct why *w, const struct record *record)
{
    struct named *e = ARENA_NEW(w->arena, struct named), **end = &w->waiting;

    e->source = arena_str(w->arena, record_header(record, STR("ce_source")));
    e->id = arena_str(w->arena, record_header(record, STR("ce_id")));
    e->type = arena_str(w->arena, record_header(record, STR("ce_type")));
    e->at = keep_spot(w, record);
    if (!when_parse_ms(record_header(record, STR("ce_time")), &e->time_ms))
        e->time_ms = record->timestamp_ms;
    while (*end != NULL)
        end = &(*end)->next;
    *end = e;
    w->events++;
    return e;
}

static void add_change(struct why *w, const struct record *record, enum identify_kind kind)
{
    struct binding b;

    if (!binding_read_json(arena_str(w->arena, record->value), w->arena, &b))
        return;
    MEM_RESERVE(w->changes, w->change_count, w->change_capacity);
    w->changes[w->change_count] = (struct change){kind, b.customer, b.at_ms, keep_spot(w, record)};
    tell_change(w, &w->changes[w->change_count++]);
}

static bool is_waiting(const struct why *w, const struct named *sought)
{
    const struct named *e = w->waiting;

    while (e != NULL && e != sought)
        e = e->next;
    return e != NULL;
}

static enum err_code take(void *context, const struct record *record, struct err *err)
{
    struct why *w = context;
    enum identify_kind kind = IDENTIFY_EVENT;
    struct named *e = NULL;
    enum err_code code;

    w->cut |= record->offset > 0 && offline_next(w->offline) == 0;
    if (str_equal(record->key, w->alias) && identify_kind_of(record, &kind)) {
        if (kind == IDENTIFY_EVENT || kind == IDENTIFY_LAST_EVENT)
            e = add_event(w, record);
        else
            add_change(w, record, kind);
    }
    code = offline_record(w->offline, record, err);
    if (e != NULL && is_waiting(w, e))
        tell_event(w, e, "waits", STR_EMPTY, NULL, STR_EMPTY);
    return code;
}

/* --- the whole ------------------------------------------------------------------------------------ */

static const struct identity *find_identity(void *context, struct str hash_hex, struct err *err)
{
    return identities_find(context, hash_hex, err);
}

static void print(const struct why *w, size_t last)
{
    size_t first = last != 0 && w->line_count > last ? w->line_count - last : 0, waiting = 0;

    for (size_t i = first; i < w->line_count; i++)
        printf("%.*s\n", STR_ARG(w->lines[i]));
    for (const struct named *e = w->waiting; e != NULL; e = e->next)
        waiting++;
    if (!w->json)
        printf("%.*s: %zu event%s, %zu of them wait, %zu are dead letters\n", STR_ARG(w->alias),
               w->events, w->events == 1 ? "" : "s", waiting, w->dead);
    if (w->line_count == 0 && !w->json)
        puts("an alias has one spelling, the one that `format` of its kind makes (identity.yaml)");
    if (w->cut)
        fputs("attent: the log does not begin at offset 0 any more: what was bound before is not "
              "known here\n",
              stderr);
}

static enum err_code run(struct why *w, const struct command *c, const struct kafka_settings *kafka,
                         struct rules_topic *rules, struct err *err)
{
    struct config_topics topics = config_topics(c->conf, c->arena);
    const struct identify_config config = {
        .find = find_identity, .context = rules, .partitions = topics.partitions};
    const struct skip_store *skips = skips_of(c->conf, c->arena);
    struct skip_list skipped = {0};
    const int32_t partitions[] = {topics.partitions, topics.partitions, 1};
    struct offline_setup setup = {.class = &identify_class,
                                  .config = &config,
                                  .partition = hash_kafka_partition(w->alias, topics.partitions),
                                  .topic_partitions = partitions,
                                  .skips = &skipped,
                                  .context = w,
                                  .output = take_output};
    struct scan scan = {.kafka = kafka,
                        .topic = topics.identify,
                        .partition = setup.partition,
                        .context = w,
                        .record = take};
    enum err_code code = skips->read(skips->context, topics.identify, &skipped, err);

    if (code == ERR_NONE)
        code = offline_open(&setup, &w->offline, err);
    if (code == ERR_NONE)
        code = scan_topic(&scan, err);
    offline_close(w->offline);
    skip_list_free(&skipped);
    return code;
}

enum err_code why_alias(const struct command *c, const char *alias, size_t last, struct err *err)
{
    struct kafka_settings kafka = config_kafka(c->conf, "why", c->arena);
    struct rules_topic *rules = rules_topic_open(&kafka, config_topics(c->conf, c->arena).rules);
    struct why w = {
        .arena = arena_new(0), .alias = str_of(alias), .json = options_has(&c->options, "json")};
    enum err_code code = run(&w, c, &kafka, rules, err);

    if (code == ERR_NONE)
        print(&w, last);
    rules_topic_close(rules);
    mem_free(w.changes);
    mem_free(w.lines);
    arena_free(w.arena);
    return code;
}
