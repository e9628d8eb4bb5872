/* A customer who is flooded stays small, and nobody else notices. */
#include <stdio.h>

#include "core/mem.h"
#include "core/when.h"
#include "processors/decide/decide.h"
#include "processors/decide/state.h"
#include "processors/worker/offline.h"
#include "schemas/event.h"
#include "tests/support/decide_run.h"
#include "tests/support/suite.h"

#define START_MS 1772438400000

enum { FLOOD = 300, TEXT_BYTES = 3000 };

/* `words` and `per` could have 4096 and 256 texts, `keep` 1024 instances that remember one each. */
static const struct rule_file rules[] = {
    EVENT_SCHEMAS,
    {"facts.yaml", "words: {distinct: event.data.email, of: a.one, over: 400d, limit: 4096}\n"
                   "per: {last: event.data.email, of: a.one, per: event.data.key, keys: 256}\n"
                   "mail: {last: event.data.email, of: a.one}\n"},
    {"moments/keep.yaml", "moment: keep\ntitle: K\ntier: care\nabout: event.data.key\n"
                          "instances: 1024\nwhen: [{event: b.two, as: x}, {event: c.three}]\n"
                          "relevant: x.data.email != 'x'\nact: [{channel: phone}]\n"},
    {NULL, NULL}};

struct flood {
    struct arena *arena;
    struct buf calm; /* outputs of those who are not flooded */
    int limits, full, tasks;
};

static const struct ruleset *give(void *context, struct str hash_hex, struct err *err)
{
    (void)hash_hex;
    (void)err;
    return context;
}

static void note(void *context, int topic, const struct record *record)
{
    struct flood *f = context;

    if (!str_is(record->key, "hot")) {
        buf_put_u8(&f->calm, (uint8_t)topic);
        buf_put(&f->calm, record->value);
    }
    f->full += str_contains(record->value, STR("the customer's state is full"));
    f->limits += str_is(record->key, "hot") && str_contains(record->value, STR("\"limit\""));
    f->tasks += topic == DECIDE_TOPIC_TASKS;
}

static struct record event_of(struct flood *f, const char *customer, int number, const char *type)
{
    char *text = arena_alloc(f->arena, TEXT_BYTES + 1);
    struct event event = {.id = arena_format(f->arena, "%s-%d-%s", customer, number, type),
                          .source = STR("/test"),
                          .type = str_of(type),
                          .subject = str_of(customer),
                          .partition_key = str_of(customer),
                          .time_ms = START_MS + number};
    struct record record = {.timestamp_ms = START_MS + number, .key = str_of(customer)};
    struct header *headers;

    memset(text, 'a' + number % 26, TEXT_BYTES);
    text[TEXT_BYTES] = '\0';
    snprintf(text, 12, "%010d", number);
    text[10] = 'y';
    record.value = arena_format(f->arena, "{\"key\":\"K%d\",\"email\":\"%s\"}", number, text);
    record.header_count = event_headers(&event, f->arena, &headers);
    record.headers = headers;
    return record;
}

static void send(struct offline *o, struct record record)
{
    struct err err = {0};

    record.offset = offline_next(o);
    ck_assert_msg(offline_record(o, &record, &err) == ERR_NONE, "%s", err.text);
}

static struct offline *open_run(struct flood *f, struct decide_config *config)
{
    const struct header control = {STR(CONTROL_HEADER), STR(CONTROL_ACTIVATE)};
    struct offline_setup setup = {
        .class = &decide_class, .config = config, .context = f, .output = note};
    struct offline *o;

    ck_assert_int_eq(offline_open(&setup, &o, NULL), ERR_NONE);
    send(o, (struct record){.timestamp_ms = START_MS, .headers = &control, .header_count = 1});
    return o;
}

static void run(struct flood *f, const struct ruleset *set, int flood, struct hash128 *digest)
{
    struct decide_config config = {.find = give, .context = (void *)(uintptr_t)set};
    struct offline *o = open_run(f, &config);

    for (int i = 0; i < FLOOD; i++) {
        if (i < flood) {
            send(o, event_of(f, "hot", i, "a.one"));
            send(o, event_of(f, "hot", i, "b.two"));
        }
        if (i % 30 == 0) {
            send(o, event_of(f, "calm", i, "a.one"));
            send(o, event_of(f, "calm", i, "b.two"));
            send(o, event_of(f, "calm", i, "c.three"));
        }
    }
    send(o, event_of(f, "hot", 3, "c.three")); /* what is open goes on */
    *digest = offline_digest(o);
    offline_close(o);
}

START_TEST(a_flooded_customer_opens_nothing_and_forgets_and_others_do_not_notice)
{
    struct ruleset *set = decide_run_compile(rules);
    struct flood hot = {.arena = arena_new(0)}, again = {.arena = hot.arena},
                 alone = {.arena = hot.arena};
    struct hash128 one, two, three;

    run(&hot, set, FLOOD, &one);
    run(&again, set, FLOOD, &two);
    run(&alone, set, 0, &three);
    ck_assert_int_eq(hot.limits, 1); /* the first refusal is told */
    ck_assert_int_eq(hot.tasks, alone.tasks + 1);
    ck_assert_uint_gt(alone.calm.len, 0);
    ck_assert(str_equal(buf_str(&hot.calm), buf_str(&alone.calm)));
    ck_assert(one.low == two.low && one.high == two.high);
    buf_free(&hot.calm);
    buf_free(&again.calm);
    buf_free(&alone.calm);
    arena_free(hot.arena);
    ruleset_free(set);
}
END_TEST

/* The step by hand, to see the state. */
START_TEST(its_blob_is_never_larger_than_it_is_said_to_be_and_stays_below_the_bound)
{
    struct ruleset *set = decide_run_compile(rules);
    struct decide_config config = {.find = give, .context = set};
    struct flood f = {.arena = arena_new(0)};
    struct step *step;
    struct buf blob = {0};
    void *state;
    size_t most = 0;

    ck_assert_int_eq(decide_class.open(&config, 0, str_of(set->hash_hex), &step, NULL), ERR_NONE);
    ck_assert_int_eq(decide_class.load(step, STR("hot"), STR_EMPTY, f.arena, &state, NULL),
                     ERR_NONE);
    for (int i = 0; i < FLOOD; i++) {
        struct record record = event_of(&f, "hot", i, "a.one");
        bool changed = false;

        decide_class.record(step, state, &record, START_MS + i, f.arena, NULL, &changed);
        ck_assert(changed);
        buf_clear(&blob);
        decide_class.save(step, state, &blob);
        ck_assert_uint_le(blob.len, state_bytes_most(state));
        ck_assert_uint_le(state_bytes_most(state), LIMIT_CUSTOMER_BYTES);
        most = blob.len > most ? blob.len : most;
    }
    ck_assert_uint_gt(most, LIMIT_CUSTOMER_BYTES / 2); /* it was full */
    ck_assert_uint_gt(decide_counts(step)->forgotten, 0);
    decide_class.close(step);
    buf_free(&blob);
    arena_free(f.arena);
    ruleset_free(set);
}
END_TEST

/* --- half of the events ---------------------------------------------------------------------------- */

enum { HALF = 1500, OTHERS = 10, BATCH = 256 };

static void send_all(struct offline *o, struct record *records, size_t count)
{
    struct err err = {0};

    for (size_t i = 0; i < count; i++)
        records[i].offset = offline_next(o) + (int64_t)i;
    ck_assert_msg(offline_records(o, records, count, &err) == ERR_NONE, "%s", err.text);
}

/* Every second event is of one customer, or there are none of that one. */
static void run_half(struct flood *f, const struct ruleset *set, bool hot)
{
    struct decide_config config = {.find = give, .context = (void *)(uintptr_t)set};
    static const char *const types[] = {"a.one", "b.two", "c.three"};
    struct offline *o = open_run(f, &config);
    struct record records[2 * BATCH];

    for (int at = 0; at < HALF; at += BATCH) {
        size_t count = 0;

        for (int i = at; i < at + BATCH; i++) {
            const char *other = arena_format(f->arena, "other%d", i / 3 % OTHERS).data;

            if (hot)
                records[count++] = event_of(f, "hot", i, types[i % 2]);
            records[count++] = event_of(f, other, i - i % 3, types[i % 3]);
            records[count - 1].timestamp_ms = START_MS + i;
        }
        send_all(o, records, count);
    }
    ck_assert_int_eq(offline_advance(o, START_MS + HALF + 30 * (int64_t)WHEN_DAY_MS, NULL),
                     ERR_NONE);
    offline_close(o);
}

START_TEST(one_with_half_of_the_events_changes_nothing_for_the_others)
{
    struct ruleset *set = decide_run_compile(rules);
    struct flood with = {.arena = arena_new(0)}, without = {.arena = with.arena};

    run_half(&with, set, true);
    run_half(&without, set, false);
    ck_assert_int_ge(with.full, 1);
    ck_assert_int_eq(without.full, 0);
    ck_assert_uint_gt(without.calm.len, 10000);
    ck_assert(str_equal(buf_str(&with.calm), buf_str(&without.calm)));
    buf_free(&with.calm);
    buf_free(&without.calm);
    arena_free(with.arena);
    ruleset_free(set);
}
END_TEST

/* --- very many instances ----------------------------------------------------------------------------- */

#define WAITING(n)                                                                                 \
    {                                                                                              \
        "moments/w" #n ".yaml", "moment: w" #n "\ntitle: W\ntier: care\nabout: event.data.key\n"   \
                                "instances: 1024\nwhen: [{event: b.two}, {absent: c.three, "       \
                                "for: 1h}]\nact: [{channel: phone}]\n"                             \
    }

enum { WAITING_MOMENTS = 10, KEYS = 1000 };

static const struct rule_file waiting[] = {EVENT_SCHEMAS, WAITING(0), WAITING(1), WAITING(2),
                                           WAITING(3),    WAITING(4), WAITING(5), WAITING(6),
                                           WAITING(7),    WAITING(8), WAITING(9), {NULL, NULL}};

/* 10,000 would be open, each with a timer at about the same time. */
START_TEST(ten_thousand_instances_of_a_customer_are_refused_and_the_refusal_is_told)
{
    struct ruleset *set = decide_run_compile(waiting);
    struct decide_config config = {.find = give, .context = set};
    struct flood f = {.arena = arena_new(0)};
    struct offline *o = open_run(&f, &config);
    struct record records[KEYS];
    int limits;

    for (int i = 0; i < KEYS; i++)
        records[i] = event_of(&f, "hot", i, "b.two");
    send_all(o, records, KEYS);
    ck_assert_int_eq(f.full, WAITING_MOMENTS); /* once for each moment */
    ck_assert_int_eq(f.limits, WAITING_MOMENTS);
    ck_assert_int_eq(offline_advance(o, START_MS + 2 * (int64_t)WHEN_HOUR_MS, NULL), ERR_NONE);
    ck_assert_int_eq(f.tasks, 1); /* the first of all; the others wait behind it */
    ck_assert_int_eq(offline_advance(o, START_MS + 30 * (int64_t)WHEN_DAY_MS, NULL), ERR_NONE);
    limits = f.limits;
    for (int i = KEYS; i < KEYS + 10; i++) { /* all have ended: there is room again */
        struct record record = event_of(&f, "hot", i, "b.two");

        record.timestamp_ms += 30 * (int64_t)WHEN_DAY_MS;
        send(o, record);
    }
    ck_assert_int_eq(f.limits, limits);
    offline_close(o);
    buf_free(&f.calm);
    arena_free(f.arena);
    ruleset_free(set);
}
END_TEST

/* --- told once ----------------------------------------------------------------------------------------- */

static const struct rule_file once[] = {
    EVENT_SCHEMAS,
    WAITING(0),
    WAITING(1),
    WAITING(2),
    WAITING(3),
    {"moments/once.yaml", "moment: once\ntitle: O\ntier: safety\nagain: 30d\ndeadline: 1m\n"
                          "when: [{event: a.one}]\nact: [{channel: phone}]\n"},
    {NULL, NULL}};

/* The instances that are open fill the bound by themselves. */
START_TEST(who_has_been_told_is_not_told_again_because_the_state_is_full)
{
    enum { LATER_MS = 10 * 60 * 1000 };
    struct ruleset *set = decide_run_compile(once);
    struct decide_config config = {.find = give, .context = set};
    struct flood f = {.arena = arena_new(0)};
    struct offline *o = open_run(&f, &config);

    send(o, event_of(&f, "hot", 0, "a.one"));
    ck_assert_int_eq(f.tasks, 1);
    for (int i = 1; i <= KEYS; i++)
        send(o, event_of(&f, "hot", i, "b.two"));
    ck_assert_int_ge(f.full, 1);
    for (int i = 1; i <= KEYS / 2; i++) /* room again */
        send(o, event_of(&f, "hot", i, "c.three"));
    send(o, event_of(&f, "hot", LATER_MS, "a.one"));
    ck_assert_int_eq(f.tasks, 1);
    offline_close(o);
    buf_free(&f.calm);
    arena_free(f.arena);
    ruleset_free(set);
}
END_TEST

/* --- a state of a megabyte ----------------------------------------------------------------------------- */

/* Such as one that was kept before there was a bound: `words` has so many texts. */
static struct str megabyte(struct flood *f, struct step *step)
{
    enum { WORDS = 340 };
    struct record record = event_of(f, "hot", 1, "a.one");
    struct buf blob = {0};
    struct state *state;
    struct fact_cell *cell = NULL;
    bool changed;
    void *loaded;
    struct str kept;

    ck_assert_int_eq(decide_class.load(step, STR("hot"), STR_EMPTY, f->arena, &loaded, NULL),
                     ERR_NONE);
    state = loaded;
    decide_class.record(step, state, &record, START_MS + 1, f->arena, NULL, &changed);
    for (uint32_t i = 0; i < state->fact_count; i++)
        if ((state->facts[i].form & FORM_BASE) == FORM_VALUES)
            cell = &state->facts[i].cells[0];
    ck_assert_ptr_nonnull(cell);
    cell->points = ARENA_ARRAY(f->arena, struct fact_point, WORDS);
    for (cell->count = 0; cell->count < WORDS; cell->count++) {
        char *text = arena_alloc(f->arena, TEXT_BYTES + 1);

        memset(text, 'x', TEXT_BYTES);
        snprintf(text, 12, "%010u", cell->count);
        cell->points[cell->count] =
            (struct fact_point){.time_ms = START_MS - WORDS + cell->count,
                                .value = value_string((struct str){text, TEXT_BYTES})};
    }
    decide_class.save(step, state, &blob);
    kept = arena_str(f->arena, buf_str(&blob));
    buf_free(&blob);
    return kept;
}

struct seeded {
    const struct ruleset *set;
    struct str blob;
};

static const struct ruleset *give_seeded(void *context, struct str hash_hex, struct err *err)
{
    return give((void *)(uintptr_t)((struct seeded *)context)->set, hash_hex, err);
}

static struct str seed(void *context, struct str customer)
{
    return str_is(customer, "hot") ? ((struct seeded *)context)->blob : STR_EMPTY;
}

START_TEST(a_state_of_a_megabyte_is_small_again_after_an_event)
{
    struct ruleset *set = decide_run_compile(rules);
    struct seeded seeded = {.set = set};
    struct decide_config config = {.find = give_seeded, .seed = seed, .context = &seeded};
    struct flood f = {.arena = arena_new(0)};
    struct record record = event_of(&f, "hot", 2, "a.one");
    struct buf blob = {0};
    struct offline *o;
    struct step *step;
    bool changed;
    void *state;

    ck_assert_int_eq(decide_class.open(&config, 0, str_of(set->hash_hex), &step, NULL), ERR_NONE);
    seeded.blob = megabyte(&f, step);
    ck_assert_uint_gt(seeded.blob.len, LIMIT_STATE_BYTES - 64 * 1024);
    o = open_run(&f, &config);
    send(o, event_of(&f, "hot", 2, "b.two"));
    ck_assert_int_eq(f.full, 1); /* it opens nothing yet, and says so */
    send(o, event_of(&f, "calm", 2, "b.two"));
    send(o, event_of(&f, "hot", 3, "b.two"));
    send(o, event_of(&f, "hot", 3, "c.three"));
    ck_assert_int_eq(f.full, 1);
    ck_assert_int_eq(f.tasks, 1);
    offline_close(o);

    ck_assert_int_eq(decide_class.load(step, STR("hot"), seeded.blob, f.arena, &state, NULL),
                     ERR_NONE);
    decide_class.record(step, state, &record, START_MS + 2, f.arena, NULL, &changed);
    decide_class.save(step, state, &blob);
    ck_assert_uint_le(blob.len, LIMIT_CUSTOMER_BYTES);
    ck_assert_uint_gt(blob.len, LIMIT_CUSTOMER_BYTES / 4); /* the younger half of a half is there */
    ck_assert_uint_gt(decide_counts(step)->forgotten, 0);
    decide_class.close(step);
    buf_free(&blob);
    buf_free(&f.calm);
    arena_free(f.arena);
    ruleset_free(set);
}
END_TEST

SUITE_MAIN("bound", a_flooded_customer_opens_nothing_and_forgets_and_others_do_not_notice,
           its_blob_is_never_larger_than_it_is_said_to_be_and_stays_below_the_bound,
           one_with_half_of_the_events_changes_nothing_for_the_others,
           ten_thousand_instances_of_a_customer_are_refused_and_the_refusal_is_told,
           who_has_been_told_is_not_told_again_because_the_state_is_full,
           a_state_of_a_megabyte_is_small_again_after_an_event)
