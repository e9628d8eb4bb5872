#include <stdio.h>

#include "core/rng.h"
#include "processors/decide/decide.h"
#include "processors/decide/state.h"
#include "processors/worker/offline.h"
#include "schemas/watermark.h"
#include "tests/support/decide_run.h"
#include "tests/support/suite.h"

#define START_MS 1772438400000

static const struct rule_file plain[] = {
    EVENT_SCHEMAS,
    {"moments/m.yaml", "moment: m\ntitle: M\ntier: service\nabout: event.data.key\n"
                       "when: [{event: a.one}, {event: b.two}]\nact: [{channel: phone}]\n"},
    {NULL, NULL}};

/* All that has a state: facts of each kind, all steps, policy. */
static const struct rule_file rich[] = {
    EVENT_SCHEMAS,
    {"facts.yaml", "n: {last: event.data.n, of: a.one}\n"
                   "often: {count: a.one, over: 2d, limit: 5}\n"
                   "total: {sum: event.data.n, of: [a.one, b.two], over: 3d}\n"
                   "per_key: {last: event.data.n, of: b.two, per: event.data.key, keys: 3}\n"
                   "upset: {mark: c.three, for: 6h}\n"
                   "seen: {since: b.two}\n"
                   "zone: {last: event.data.zone, of: customer.updated, role: time_zone}\n"},
    {"policy.yaml",
     "channels: {phone: {pace: {tasks: 1, per: 40m}}, email: {}}\ntime_zones: [Europe/Amsterdam]\n"
     "quiet: [{hours: 21-08, except: [safety]}]\n"
     "caps: [{max: 2, channel: phone, over: 2d}, {max: 3, tier: care, over: 3d}]\n"},
    {"moments/absent.yaml",
     "moment: absent\ntitle: A\ntier: care\nabout: event.data.key\nagain: 1d\nvalue: customer.total\n"
     "when: [{event: a.one, as: x, if: event.data.n > 3.0}, {absent: b.two, for: 12h}]\n"
     "withdraw: [{event: c.three}]\nsuitable: \"!customer.upset\"\n"
     "act: [{channel: phone, say: \"{{x.data.n}}\", wait: 1d}, {channel: email, text: x, wait: 1d}]\n"},
    {"moments/count.yaml",
     "moment: count\ntitle: C\ntier: service\nagain: 2d\n"
     "when: [{count: 3, of: b.two, within: 1d, as: y}]\nwithdraw: [{event: c.three}]\n"
     "reason: \"{{y.count}} {{y.first.data.n | none}}\"\nact: [{channel: phone, wait: 12h}]\n"},
    {"moments/cross.yaml",
     "moment: cross\ntitle: X\ntier: safety\nabout: event.data.key\ninstances: 2\n"
     "when: [{crosses: below 3, value: event.data.n, of: a.one, back: 5}]\n"
     "act: [{channel: phone, wait: 6h}]\n"},
    {"moments/watch.yaml", "moment: watch\ntitle: W\ntier: service\nabout: event.data.key\n"
                           "when: [{every: 9h, of: c.three}]\nwithdraw: [{event: c.three}]\n"
                           "act: [{channel: phone, wait: 6h}]\n"},
    {"sources.yaml", "one: {types: [b.two, c.three], max_silence: 8h}\n"
                     "two: {types: [c.three], max_silence: 1d}\n"},
    {NULL, NULL}};

/* The same with other steps, one moment less, and each fate of those under way. */
static struct ruleset *compile_changed(void)
{
    struct rule_file files[sizeof rich / sizeof rich[0]];
    size_t count = 0;

    for (size_t i = 0; rich[i].name != NULL; i++) {
        struct rule_file file = rich[i];

        if (strstr(file.name, "watch") != NULL)
            continue;
        if (strstr(file.name, "absent") != NULL)
            file.text = "moment: absent\ntitle: A\ntier: care\nabout: event.data.key\nagain: 1d\n"
                        "when: [{event: a.one, as: x, if: event.data.n > 3.0}, "
                        "{absent: b.two, for: 9h}, {wait: 2h}]\non_change: restart\n"
                        "act: [{channel: phone, say: \"{{x.data.n}}\", wait: 1d}]\n";
        else if (strstr(file.name, "count") != NULL)
            file.text = "moment: count\ntitle: C\ntier: service\non_change: keep\n"
                        "when: [{count: 2, of: b.two, within: 1d, as: y}]\n"
                        "act: [{channel: phone, wait: 12h}]\n";
        else if (strstr(file.name, "cross") != NULL)
            file.text = "moment: cross\ntitle: X\ntier: safety\nabout: event.data.key\n"
                        "when: [{crosses: below 4, value: event.data.n, of: a.one}]\n"
                        "act: [{channel: phone, wait: 6h}]\n";
        files[count++] = file;
    }
    files[count] = (struct rule_file){NULL, NULL};
    return decide_run_compile(files);
}

/* --- one customer -------------------------------------------------------------------------------- */

START_TEST(the_same_event_twice_is_looked_at_once)
{
    struct decide_run *run = decide_run_open(plain);
    struct hash128 once, twice;

    decide_run_late(run, "0s", "", "a.one", "{\"key\":\"V\"}", "id-1");
    decide_run_late(run, "1s", "", "b.two", "{\"key\":\"V\"}", "id-2");
    ck_assert_str_eq(decide_run_lines(run), "1s m/V task phone\n");
    decide_run_late(run, "2s", "1s", "b.two", "{\"key\":\"V\"}", "id-2");
    decide_run_late(run, "2s", "0s", "a.one", "{\"key\":\"V\"}", "id-1");
    ck_assert_str_eq(decide_run_lines(run), "2s  silent duplicate\n2s  silent duplicate\n");
    once = decide_run_digest(run);
    decide_run_late(run, "2s", "1s", "b.two", "{\"key\":\"V\"}", "id-2");
    decide_run_late(run, "2s", "0s", "a.one", "{\"key\":\"V\"}", "id-1");
    ck_assert_str_eq(decide_run_lines(run), "");
    twice = decide_run_digest(run);
    ck_assert(once.low == twice.low && once.high == twice.high);
    decide_run_close(run);
}
END_TEST

START_TEST(a_state_outlives_a_change_of_rules)
{
    struct rule_file changed[] = {
        EVENT_SCHEMAS,
        {"facts.yaml", "x: {last: event.data.n, of: c.three}\n"},
        {"moments/a-new-one.yaml", "moment: a-new-one\ntitle: N\ntier: care\n"
                                   "when: [{event: c.three}]\nact: [{channel: phone}]\n"},
        {"moments/m.yaml", "moment: m\ntitle: Another title\ntier: care\nabout: event.data.key\n"
                           "when: [{event: a.one}, {event: b.two}]\nact: [{channel: email}]\n"},
        {NULL, NULL}};
    struct ruleset *sets[] = {decide_run_compile(plain), decide_run_compile(changed)};
    struct decide_run *run = decide_run_open_sets(sets, 2);

    decide_run_event(run, "0s", "a.one", "{\"key\":\"V\"}");
    decide_run_activate(run, "1s", sets[1]);
    decide_run_event(run, "2s", "b.two", "{\"key\":\"V\"}");
    ck_assert_str_eq(decide_run_lines(run), "2s m/V task email\n");
    decide_run_close(run);
    ruleset_free(sets[0]);
    ruleset_free(sets[1]);
}
END_TEST

START_TEST(what_the_new_rules_do_not_know_is_ended_and_its_task_taken_back)
{
    struct rule_file other[] = {EVENT_SCHEMAS,
                                {"moments/o.yaml",
                                 "moment: o\ntitle: O\ntier: care\nwhen: [{event: c.three}]\n"
                                 "act: [{channel: phone}]\n"},
                                {NULL, NULL}};
    struct ruleset *sets[] = {decide_run_compile(plain), decide_run_compile(other)};
    struct decide_run *run = decide_run_open_sets(sets, 2);

    decide_run_event(run, "0s", "a.one", "{\"key\":\"V\"}");
    decide_run_event(run, "0s", "b.two", "{\"key\":\"V\"}");
    ck_assert_str_eq(decide_run_lines(run), "0s m/V task phone\n");
    decide_run_activate(run, "1s", sets[1]);
    decide_run_event(run, "2s", "c.three", "{}");
    ck_assert_ptr_nonnull(strstr(decide_run_lines(run), "/V ended retired\n2s o task phone\n"));
    decide_run_close(run);
    ruleset_free(sets[0]);
    ruleset_free(sets[1]);
}
END_TEST

/* --- the step by hand ----------------------------------------------------------------------------- */

static const struct ruleset *give(void *context, struct str hash_hex, struct err *err)
{
    const struct ruleset *set = context;

    if (str_is(hash_hex, set->hash_hex))
        return set;
    err_set(err, ERR_STATE, "not known");
    return NULL;
}

START_TEST(nothing_is_wanted_before_the_first_activation_and_then_what_somebody_listens_to)
{
    struct ruleset *set = decide_run_compile(plain);
    struct decide_config config = {.find = give, .context = set};
    const struct header type = {STR("ce_type"), STR("a.one")};
    const struct header other = {STR("ce_type"), STR("web.page_viewed")};
    const struct header control = {STR(CONTROL_HEADER), STR(CONTROL_ACTIVATE)};
    struct record record = {.headers = &type, .header_count = 1};
    struct buf saved = {0};
    struct step *step;
    bool changed = false;

    ck_assert_int_eq(decide_class.open(&config, 0, STR_EMPTY, &step, NULL), ERR_NONE);
    ck_assert(!decide_class.wants(step, &record));
    ck_assert_uint_eq(decide_counts(step)->not_active, 1);
    record =
        (struct record){.headers = &control, .header_count = 1, .value = str_of(set->hash_hex)};
    ck_assert_int_eq(decide_class.control(step, &record, NULL, NULL, &changed, NULL), ERR_NONE);
    ck_assert(changed);
    record.headers = &type;
    ck_assert(decide_class.wants(step, &record));
    record.headers = &other;
    ck_assert(!decide_class.wants(step, &record));
    decide_class.save_partition(step, &saved);
    decide_class.close(step);

    ck_assert_int_eq(decide_class.open(&config, 0, buf_str(&saved), &step, NULL), ERR_NONE);
    ck_assert_ptr_eq(decide_ruleset(step), set);
    decide_class.close(step);
    buf_free(&saved);
    ruleset_free(set);
}
END_TEST

START_TEST(a_rule_set_that_is_not_there_stops_the_partition)
{
    struct ruleset *set = decide_run_compile(plain);
    struct decide_config config = {.find = give, .context = set};
    struct step *step;
    struct err err;

    ck_assert_int_eq(
        decide_class.open(&config, 0, STR("0123456789abcdef0123456789abcdef"), &step, &err),
        ERR_STATE);
    ck_assert_str_eq(err.text, "rule set 0123456789abcdef0123456789abcdef: not known");
    ck_assert_ptr_null(step);
    ruleset_free(set);
}
END_TEST

/* --- random histories ----------------------------------------------------------------------------- */

enum { RECORDS = 250, LOG_MOST = 8 * RECORDS };

struct history {
    struct arena *arena;
    struct record records[RECORDS]; /* what comes from outside */
    struct record log[LOG_MOST];    /* that, and what decide writes to its own input */
    size_t log_count;
    bool live;               /* what is written to attent.events stands in the log then */
    struct ruleset *sets[2]; /* put in force in turn */
    struct buf came;         /* all outputs of a run */
    int tasks, changed;
};

static struct record copy_of(struct arena *arena, const struct record *record)
{
    struct header *headers = ARENA_ARRAY(arena, struct header, record->header_count);
    struct record copy = *record;

    for (size_t i = 0; i < record->header_count; i++)
        headers[i] = (struct header){arena_str(arena, record->headers[i].name),
                                     arena_str(arena, record->headers[i].value)};
    copy.key = arena_str(arena, record->key);
    copy.value = arena_str(arena, record->value);
    copy.headers = headers;
    return copy;
}

static void note(void *context, int topic, const struct record *record)
{
    struct history *h = context;

    buf_put_u8(&h->came, (uint8_t)topic);
    buf_put_zigzag(&h->came, record->timestamp_ms);
    buf_put_bytes(&h->came, record->key);
    buf_put_bytes(&h->came, record->value);
    for (size_t i = 0; i < record->header_count; i++) {
        buf_put_bytes(&h->came, record->headers[i].name);
        buf_put_bytes(&h->came, record->headers[i].value);
    }
    if (topic == DECIDE_TOPIC_TASKS)
        h->tasks++;
    if (topic == DECIDE_TOPIC_EVENTS && h->live)
        h->log[h->log_count++] = copy_of(h->arena, record);
    h->changed += str_contains(record->value, STR("\"reason\":\"changed\"")) ||
                  str_contains(record->value, STR("\"reason\":\"retired\""));
}

/* Now and then one that was here, a merge, or the end of a customer. */
static struct record some_event(struct history *h, struct rng *rng, int64_t at_ms, int number)
{
    static const char *const types[] = {"a.one", "a.one", "b.two", "b.two", "b.two", "c.three"};
    uint64_t special = rng_below(rng, 60);
    struct event event = {
        .id = arena_format(h->arena, "e%d", special < 4 ? number - (int)special : number),
        .source = STR("/test"),
        .type = str_of(special == 59   ? "customer.erased"
                       : special >= 56 ? "customer.merged"
                                       : types[rng_below(rng, 6)])};
    struct record record = {.offset = number, .timestamp_ms = at_ms};
    struct header *headers;

    event.time_ms = at_ms - (rng_below(rng, 4) == 0 ? (int64_t)rng_below(rng, 40000000) : 0);
    record.key = arena_format(h->arena, "c%d", (int)rng_below(rng, 4));
    event.subject = event.partition_key = record.key;
    record.value =
        arena_format(h->arena, "{\"key\":\"V%d\",\"n\":%d,\"into\":\"c%d\"}",
                     (int)rng_below(rng, 3), (int)rng_below(rng, 8), (int)rng_below(rng, 4));
    record.header_count = event_headers(&event, h->arena, &headers);
    record.headers = headers;
    return record;
}

static struct record some_watermark(struct history *h, struct rng *rng, int64_t at_ms, int number)
{
    static const struct header control = {{CONTROL_HEADER, sizeof CONTROL_HEADER - 1},
                                          {CONTROL_WATERMARK, sizeof CONTROL_WATERMARK - 1}};
    struct watermark_part part = {(int32_t)rng_below(rng, 2),
                                  at_ms - (int64_t)rng_below(rng, 20000000)};
    struct watermark w = {.source = rng_below(rng, 2) == 0 ? STR("one") : STR("two"),
                          .partitions = 2,
                          .parts = &part,
                          .part_count = 1};
    struct buf json = {0};
    struct record record = {
        .offset = number, .timestamp_ms = at_ms, .headers = &control, .header_count = 1};

    watermark_put_json(&json, &w);
    record.value = arena_str(h->arena, buf_str(&json));
    buf_free(&json);
    return record;
}

static struct record activation(const struct history *h, int set, int64_t at_ms, int number)
{
    static const struct header control = {{CONTROL_HEADER, sizeof CONTROL_HEADER - 1},
                                          {CONTROL_ACTIVATE, sizeof CONTROL_ACTIVATE - 1}};

    return (struct record){.offset = number,
                           .timestamp_ms = at_ms,
                           .value = str_of(h->sets[set]->hash_hex),
                           .headers = &control,
                           .header_count = 1};
}

static void make_history(struct history *h, uint64_t seed)
{
    struct rng rng = rng_seeded(seed);
    int64_t at_ms = START_MS;
    int set = 0;

    h->records[0] = activation(h, set, at_ms, 0);
    for (int i = 1; i < RECORDS; i++) {
        uint64_t kind = rng_below(&rng, 24);

        at_ms += (int64_t)rng_below(&rng, 12000000);
        if (rng_below(&rng, 20) == 0)
            at_ms += 86400000;
        if (kind == 0)
            h->records[i] = activation(h, set = 1 - set, at_ms, i);
        else
            h->records[i] =
                kind < 5 ? some_watermark(h, &rng, at_ms, i) : some_event(h, &rng, at_ms, i);
    }
}

static const struct ruleset *give_one_of(void *context, struct str hash_hex, struct err *err)
{
    const struct history *h = context;

    return give(h->sets[str_is(hash_hex, h->sets[1]->hash_hex)], hash_hex, err);
}

static struct offline *open_history(struct history *h, size_t most,
                                    const struct decide_config *config)
{
    struct offline_setup setup = {.class = &decide_class,
                                  .config = config,
                                  .cache_bytes_max = most == 1 ? 1 : 0,
                                  .context = h,
                                  .output = note};
    struct offline *o;

    buf_clear(&h->came);
    h->tasks = h->changed = 0;
    ck_assert_int_eq(offline_open(&setup, &o, NULL), ERR_NONE);
    return o;
}

static struct hash128 close_history(struct offline *o)
{
    struct hash128 digest;

    ck_assert_int_eq(offline_advance(o, START_MS + 400LL * 86400000, NULL), ERR_NONE);
    digest = offline_digest(o);
    offline_close(o);
    return digest;
}

static void read_log(struct history *h, struct offline *o, size_t from, size_t count)
{
    struct err err = {0};

    ck_assert_msg(offline_records(o, h->log + from, count, &err) == ERR_NONE, "%s", err.text);
}

/* One record after the other, and each that decide writes to its own input some records later.  The
 * log is what came of it. */
static void live_history(struct history *h, uint64_t seed)
{
    struct decide_config config = {.find = give_one_of, .context = h};
    struct offline *o = open_history(h, 1, &config);
    struct rng rng = rng_seeded(seed);
    struct record waiting[LOG_MOST];
    size_t first = 0, count = 0, log = 0;

    h->live = true;
    for (size_t i = 0; i < RECORDS || first < count;) {
        bool back = first < count && (i == RECORDS || rng_below(&rng, 3) == 0);
        struct record record = back ? waiting[first++] : h->records[i++];

        record.offset = (int64_t)log;
        h->log[log] = record;
        h->log_count = log + 1;
        read_log(h, o, log++, 1);
        for (size_t k = log; k < h->log_count; k++) {
            ck_assert_uint_lt(count, LOG_MOST);
            waiting[count++] = h->log[k];
        }
    }
    h->log_count = log;
    h->live = false;
    close_history(o);
}

/* Batches of 1 to `most` records; 1: with no room in the cache, so each state is loaded anew. */
static struct hash128 run_history(struct history *h, uint64_t seed, size_t most)
{
    struct decide_config config = {.find = give_one_of, .context = h};
    struct offline *o = open_history(h, most, &config);
    struct rng rng = rng_seeded(seed);

    for (size_t done = 0, count; done < h->log_count; done += count) {
        count = most > 1 ? 1 + rng_below(&rng, most) : 1;
        if (count > h->log_count - done)
            count = h->log_count - done;
        read_log(h, o, done, count);
    }
    return close_history(o);
}

START_TEST(any_split_into_batches_gives_the_same_bytes)
{
    struct ruleset *set = decide_run_compile(rich), *other = compile_changed();
    int tasks = 0, came_back = 0, changed = 0;

    for (uint64_t seed = 1; seed <= 20; seed++) {
        static struct history h; /* large */
        struct hash128 alone, split;
        struct str expected;

        h = (struct history){.arena = arena_new(0), .sets = {set, other}};
        make_history(&h, seed);
        live_history(&h, seed);
        expected = arena_str(h.arena, buf_str(&h.came));
        came_back += (int)(h.log_count - RECORDS);
        alone = run_history(&h, seed, 1);
        ck_assert_msg(str_equal(buf_str(&h.came), expected), "seed %d: replayed", (int)seed);
        tasks += h.tasks;
        changed += h.changed;
        for (size_t most = 2; most <= RECORDS; most *= 5) {
            split = run_history(&h, seed, most);
            ck_assert_msg(str_equal(buf_str(&h.came), expected), "seed %d", (int)seed);
            ck_assert_msg(alone.low == split.low && alone.high == split.high, "seed %d", (int)seed);
        }
        buf_free(&h.came);
        arena_free(h.arena);
    }
    ck_assert_int_gt(tasks, 200); /* the histories are not empty ones */
    ck_assert_int_gt(came_back, 200);
    ck_assert_int_gt(changed, 100);
    ruleset_free(set);
    ruleset_free(other);
}
END_TEST

START_TEST(a_broken_or_foreign_record_is_counted_and_changes_nothing)
{
    struct ruleset *set = decide_run_compile(plain);
    struct decide_config config = {.find = give, .context = set};
    const struct header type = {STR("ce_type"), STR("a.one")};
    struct record record = {
        .key = STR("c1"), .headers = &type, .header_count = 1, .value = STR("{\"key\":")};
    struct arena *arena = arena_new(0);
    struct step *step;
    void *state;
    bool changed = false;
    struct buf blob = {0};

    ck_assert_int_eq(decide_class.open(&config, 0, str_of(set->hash_hex), &step, NULL), ERR_NONE);
    ck_assert_int_eq(decide_class.load(step, STR("c1"), STR_EMPTY, arena, &state, NULL), ERR_NONE);
    decide_class.record(step, state, &record, START_MS, arena, NULL, &changed);
    record.value = STR("\xff\xfe");
    record.headers = NULL;
    record.header_count = 0;
    decide_class.record(step, state, &record, START_MS, arena, NULL, &changed);
    ck_assert(!changed);
    decide_class.save(step, state, &blob);
    ck_assert_uint_eq(blob.len, 0);
    ck_assert_uint_eq(decide_counts(step)->events, 0);
    buf_free(&blob);
    decide_class.close(step);
    arena_free(arena);
    ruleset_free(set);
}
END_TEST

static void take(struct step *step, void *state, struct arena *arena, const char *type,
                 const char *data)
{
    struct event event = {.id = arena_format(arena, "%s %s", type, data),
                          .source = STR("/test"),
                          .type = str_of(type),
                          .subject = STR("c1"),
                          .partition_key = STR("c1"),
                          .time_ms = START_MS};
    struct record record = {.key = STR("c1"), .value = str_of(data)};
    struct header *headers;
    bool changed = false;

    record.header_count = event_headers(&event, arena, &headers);
    record.headers = headers;
    decide_class.record(step, state, &record, START_MS, arena, NULL, &changed);
    ck_assert(changed);
}

#define V "{\"key\":\"V\",\"n\":1}"

START_TEST(an_event_without_the_about_belongs_to_all_and_is_no_error_unless_it_could_open)
{
    struct rule_file files[] = {EVENT_SCHEMAS,
                                {"moments/m.yaml",
                                 "moment: m\ntitle: M\ntier: care\nabout: event.data.key\n"
                                 "when: [{event: a.one}, {event: b.two}, {event: b.two}]\n"
                                 "act: [{channel: p}]\n"},
                                {NULL, NULL}};
    struct ruleset *set = decide_run_compile(files);
    struct decide_config config = {.find = give, .context = set};
    struct arena *arena = arena_new(0);
    struct step *step;
    struct state *state;
    void *loaded;

    ck_assert_int_eq(decide_class.open(&config, 0, str_of(set->hash_hex), &step, NULL), ERR_NONE);
    ck_assert_int_eq(decide_class.load(step, STR("c1"), STR_EMPTY, arena, &loaded, NULL), ERR_NONE);
    state = loaded;
    take(step, state, arena, "a.one", V);
    take(step, state, arena, "b.two", "{}");
    ck_assert_uint_eq(decide_counts(step)->moment_errors, 0);
    ck_assert_uint_eq(state->instances[0]->step, 2);
    take(step, state, arena, "a.one", "{}");
    ck_assert_uint_eq(decide_counts(step)->moment_errors, 1);
    decide_class.close(step);
    arena_free(arena);
    ruleset_free(set);
}
END_TEST

START_TEST(a_moment_costs_nothing_for_a_type_that_it_does_not_read)
{
    static const char reads[] = "moment: reads\ntitle: R\ntier: care\n"
                                "when: [{event: a.one, if: event.data.n > 3}]\n"
                                "act: [{channel: p}]\n";
    static const char others[] = "moment: others\ntitle: O\ntier: care\n"
                                 "when: [{event: b.two, if: event.data.n > 3}, "
                                 "{absent: c.three, for: 3d}]\nact: [{channel: p}]\n";
    struct rule_file files[] = {
        EVENT_SCHEMAS,
        {"facts.yaml", "zone: {last: event.data.zone, of: customer.updated}\n"},
        {"moments/reads.yaml", reads},
        {"moments/others.yaml", others},
        {NULL, NULL}};
    struct ruleset *set = decide_run_compile(files);
    struct decide_config config = {.find = give, .context = set};
    struct arena *arena = arena_new(0);
    struct step *step;
    void *state;

    ck_assert_int_eq(decide_class.open(&config, 0, str_of(set->hash_hex), &step, NULL), ERR_NONE);
    ck_assert_int_eq(decide_class.load(step, STR("c1"), STR_EMPTY, arena, &state, NULL), ERR_NONE);
    take(step, state, arena, "a.one", V);
    ck_assert_uint_eq(decide_counts(step)->offers, 1);
    take(step, state, arena, "c.three", V);
    ck_assert_uint_eq(decide_counts(step)->offers, 2);
    take(step, state, arena, "customer.updated", V); /* a fact's alone */
    ck_assert_uint_eq(decide_counts(step)->offers, 2);
    ck_assert_uint_eq(decide_counts(step)->events, 3);
    decide_class.close(step);
    arena_free(arena);
    ruleset_free(set);
}
END_TEST

SUITE_MAIN("decide", the_same_event_twice_is_looked_at_once, a_state_outlives_a_change_of_rules,
           what_the_new_rules_do_not_know_is_ended_and_its_task_taken_back,
           nothing_is_wanted_before_the_first_activation_and_then_what_somebody_listens_to,
           a_rule_set_that_is_not_there_stops_the_partition,
           any_split_into_batches_gives_the_same_bytes,
           a_broken_or_foreign_record_is_counted_and_changes_nothing,
           an_event_without_the_about_belongs_to_all_and_is_no_error_unless_it_could_open,
           a_moment_costs_nothing_for_a_type_that_it_does_not_read)
