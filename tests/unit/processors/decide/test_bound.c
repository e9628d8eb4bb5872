/* A customer who is flooded stays small, and nobody else notices. */
#include <stdio.h>

#include "core/mem.h"
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
    struct buf calm; /* outputs of the calm customer */
    int limits, tasks;
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

    if (str_is(record->key, "calm")) {
        buf_put_u8(&f->calm, (uint8_t)topic);
        buf_put(&f->calm, record->value);
    }
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

static void run(struct flood *f, const struct ruleset *set, int flood, struct hash128 *digest)
{
    const struct header control = {STR(CONTROL_HEADER), STR(CONTROL_ACTIVATE)};
    struct decide_config config = {.find = give, .context = (void *)(uintptr_t)set};
    struct offline_setup setup = {
        .class = &decide_class, .config = &config, .context = f, .output = note};
    struct offline *o;

    ck_assert_int_eq(offline_open(&setup, &o, NULL), ERR_NONE);
    send(o, (struct record){.timestamp_ms = START_MS, .headers = &control, .header_count = 1});
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

SUITE_MAIN("bound", a_flooded_customer_opens_nothing_and_forgets_and_others_do_not_notice,
           its_blob_is_never_larger_than_it_is_said_to_be_and_stays_below_the_bound)
