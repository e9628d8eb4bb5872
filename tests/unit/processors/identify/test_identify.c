/* The step `identify`: whose an alias is at which time, what waits, in which order it leaves. */
#include "processors/identify/identify.h"

#include <stdio.h>

#include "core/hash.h"
#include "core/when.h"
#include "processors/identify/alias.h"
#include "processors/worker/offline.h"
#include "schemas/binding.h"
#include "tests/support/suite.h"

#define START_MS   1772438400000 /* 2026-03-02T08:00:00Z */
#define RULES      "0123456789abcdef0123456789abcdef"
#define PARTITIONS 3

static struct arena *arena;
static struct offline *offline;
static struct buf lines;
static int64_t offset;
static uint64_t happenings[IDENTIFY_HAPPENING_COUNT];

/* --- the run ----------------------------------------------------------------------------------------- */

static const struct identity *find(void *context, struct str hash_hex, struct err *err)
{
    static struct alias_kind kinds[] = {{.name = {"tag", 3},
                                         .owners = 2,
                                         .park_ms = WHEN_DAY_MS,
                                         .park_events = 2,
                                         .park_bytes = 400}};
    static const struct identity identity = {kinds, 1, NULL, 0};

    (void)context;
    if (str_is(hash_hex, RULES))
        return &identity;
    err_set(err, ERR_STATE, "not known");
    return NULL;
}

static void happened(void *context, enum identify_happening happening)
{
    (void)context;
    happenings[happening]++;
}

static const struct identify_config config = {
    .find = find, .happened = happened, .partitions = PARTITIONS};

static void put_text(const struct record *record, const char *header)
{
    struct str text = record_header(record, str_of(header));

    if (text.len != 0)
        buf_put_format(&lines, " %s=%.*s", header, STR_ARG(text));
}

/* customer:HASH as customer:ID, for those of these tests. */
static struct str legible(struct str key)
{
    for (int i = 1; i <= 3; i++) {
        struct str id = arena_format(arena, "c-%d", i);
        if (str_equal(key, binding_customer_key(id, arena)))
            return arena_format(arena, "customer:%.*s", STR_ARG(id));
    }
    return key;
}

/* "1h events c-1 ce_id=e1 ..." */
static void take_output(void *context, int topic, const struct record *record)
{
    static const char *const topics[] = {"event", "own", "dlq"};

    (void)context;
    if (topic == IDENTIFY_TOPIC_OWN) { /* what the worker reads back: see passes_itself */
        buf_put_format(&lines, "own %.*s", STR_ARG(legible(record->key)));
        put_text(record, IDENTIFY_HEADER);
    } else {
        buf_put_format(&lines, "%s %.*s", topics[topic], STR_ARG(record->key));
        put_text(record, "ce_id");
        put_text(record, "attent-reason");
    }
    buf_put_char(&lines, '\n');
}

static void open_run(void)
{
    static const int32_t partitions[] = {2, PARTITIONS, 1};
    const struct offline_setup setup = {.class = &identify_class,
                                        .config = &config,
                                        .partition = 1,
                                        .topic_partitions = partitions,
                                        .output = take_output};

    arena = arena_new(0);
    memset(happenings, 0, sizeof happenings);
    offset = 0;
    ck_assert_int_eq(offline_open(&setup, &offline, NULL), ERR_NONE);
}

static void close_run(void)
{
    offline_close(offline);
    buf_free(&lines);
    lines = (struct buf){0};
    arena_free(arena);
}

#define CAME(text)                                                                                 \
    do {                                                                                           \
        ck_assert_str_eq(buf_text(&lines), text);                                                  \
        buf_clear(&lines);                                                                         \
    } while (0)

static int64_t at(const char *span)
{
    int64_t ms;

    ck_assert(when_parse_span_ms(str_of(span), &ms));
    return START_MS + ms;
}

static void give(const char *came, const char *key, struct str value, const struct header *headers,
                 size_t count)
{
    struct record record = {.topic = STR("attent.identify"),
                            .partition = 1,
                            .offset = offset++,
                            .timestamp_ms = at(came),
                            .key = str_of(key),
                            .value = value,
                            .headers = headers,
                            .header_count = count};
    struct err err = {0};

    ck_assert_msg(offline_record(offline, &record, &err) == ERR_NONE, "%s", err.text);
}

static struct str time_text(const char *span)
{
    struct buf text = {0};
    struct str kept;

    when_put_rfc3339(&text, at(span));
    kept = arena_str(arena, buf_str(&text));
    buf_free(&text);
    return kept;
}

/* An event `id` of the time `at_`, that comes at `came`. */
static void event_of(const char *came, const char *time, const char *key, const char *id,
                     const char *kind)
{
    const struct header headers[] = {
        {STR("ce_specversion"), STR("1.0")},       {STR("ce_id"), str_of(id)},
        {STR("ce_source"), STR("/cars")},          {STR("ce_type"), STR("vehicle.telemetry")},
        {STR("ce_time"), time_text(time)},         {STR(IDENTIFY_HEADER), str_of(kind)},
        {STR(ORIGIN_HEADER), STR("vehicles/0/7")},
    };

    give(came, key, STR("{\"pad_mm\":2.5}"), headers, sizeof headers / sizeof headers[0]);
}

static void event(const char *when, const char *key, const char *id)
{
    event_of(when, when, key, id, "event");
}

static void tell(const char *came, const char *key, const char *kind, struct binding binding)
{
    const struct header header = {STR(IDENTIFY_HEADER), str_of(kind)};
    struct str customer = str_of(key);
    struct buf json = {0};

    if (str_starts(customer, STR("customer:"))) {
        customer = str_slice(customer, strlen("customer:"), customer.len);
        key = binding_customer_key(customer, arena).data;
        if (binding.customer.len == 0)
            binding.customer = customer;
    }
    binding_put_json(&json, &binding);
    give(came, key, buf_str(&json), &header, 1);
    buf_free(&json);
}

static void bind(const char *when, const char *key, const char *customer)
{
    tell(when, key, "bind", (struct binding){.customer = str_of(customer), .at_ms = at(when)});
}

static void unbind(const char *when, const char *key, const char *customer)
{
    tell(when, key, "unbind", (struct binding){.customer = str_of(customer), .at_ms = at(when)});
}

static void control(const char *kind, struct str value)
{
    const struct header header = {STR(CONTROL_HEADER), str_of(kind)};

    give("0s", "", value, &header, 1);
}

/* --- owners ------------------------------------------------------------------------------------------ */

START_TEST(an_event_goes_to_the_owner_of_its_alias)
{
    bind("0s", "vin:A", "c-1");
    CAME("own customer:c-1 attent-identify=owned\n");
    event("1h", "vin:A", "e1");
    event("1h", "vin:B", "e2");
    CAME("event c-1 ce_id=e1\n");
    ck_assert_uint_eq(happenings[IDENTIFY_HAPPENED_IDENTIFIED], 1);
    ck_assert_uint_eq(happenings[IDENTIFY_HAPPENED_PARKED], 1);
}
END_TEST

START_TEST(an_event_of_the_time_before_the_car_was_sold_belongs_to_the_former_owner)
{
    bind("0s", "vin:A", "c-1");
    unbind("10h", "vin:A", "c-1");
    bind("12h", "vin:A", "c-2");
    buf_clear(&lines);
    event_of("13h", "9h59m", "vin:A", "before", "event");
    event_of("13h", "11h", "vin:A", "between", "event"); /* to who comes next */
    event_of("13h", "12h30m", "vin:A", "after", "event");
    CAME("event c-1 ce_id=before\nevent c-2 ce_id=between\nevent c-2 ce_id=after\n");
}
END_TEST

START_TEST(a_new_binding_ends_the_one_before)
{
    bind("0s", "vin:A", "c-1");
    bind("12h", "vin:A", "c-2");
    bind("13h", "vin:A", "c-2"); /* known */
    buf_clear(&lines);
    event_of("13h", "11h", "vin:A", "e1", "event");
    event_of("13h", "12h", "vin:A", "e2", "event");
    CAME("event c-1 ce_id=e1\nevent c-2 ce_id=e2\n");
}
END_TEST

/* All orders in which the same changes can come in give the same owners. */
START_TEST(owners_do_not_depend_on_the_order_in_which_changes_come)
{
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const int64_t day = WHEN_DAY_MS;

    for (int i = 0; i < 6; i++) {
        struct owners o = {.known_from_ms = INT64_MIN};
        struct str who;

        for (int k = 0; k < 3; k++)
            switch (orders[i][k]) {
            case 0: owners_bind(&o, STR("c-1"), 0, 5, arena); break;
            case 1: owners_unbind(&o, STR("c-1"), 10, 5, arena); break;
            default: owners_bind(&o, STR("c-2"), 20, 5, arena); break;
            }
        ck_assert(owners_at(&o, 5, day, &who) == OWNER_FOUND && str_is(who, "c-1"));
        ck_assert(owners_at(&o, 15, day, &who) == OWNER_FOUND && str_is(who, "c-2"));
        ck_assert(owners_at(&o, 15, 4, &who) == OWNER_UNKNOWN);
        ck_assert(owners_at(&o, 25, day, &who) == OWNER_FOUND && str_is(who, "c-2"));
    }
}
END_TEST

START_TEST(who_gives_it_away_had_it_before)
{
    struct owners o = {.known_from_ms = INT64_MIN};
    struct str who;

    owners_unbind(&o, STR("c-1"), 100, 5, arena);
    ck_assert(owners_at(&o, 50, 60, &who) == OWNER_FOUND && str_is(who, "c-1"));
    ck_assert(owners_at(&o, 10, 60, &who) == OWNER_UNKNOWN);
    ck_assert(owners_at(&o, 100, 60, &who) == OWNER_UNKNOWN);
    owners_unbind(&o, STR_EMPTY, 40, 5, arena); /* somebody else's until 40 */
    ck_assert(owners_at(&o, 30, 60, &who) == OWNER_UNKNOWN);
}
END_TEST

START_TEST(one_who_does_not_own_it_cannot_give_it_away)
{
    bind("0s", "vin:A", "c-1");
    unbind("1h", "vin:A", "c-2");
    buf_clear(&lines);
    event("2h", "vin:A", "e1");
    CAME("event c-1 ce_id=e1\n");
}
END_TEST

START_TEST(the_last_event_still_belongs_to_its_owner)
{
    bind("0s", "vin:A", "c-1");
    buf_clear(&lines);
    event_of("5h", "5h", "vin:A", "sold", "last-event");
    event("6h", "vin:A", "e1");
    CAME("event c-1 ce_id=sold\n");
    bind("7h", "vin:A", "c-2");
    CAME("own customer:c-2 attent-identify=owned\nevent c-2 ce_id=e1\n");
}
END_TEST

/* What happened before a sale does not go to the buyer, even if the seller was never known. */
START_TEST(a_sale_keeps_what_was_before_from_the_buyer)
{
    event("1h", "vin:A", "before");
    event_of("2h", "2h", "vin:A", "sold", "last-event");
    bind("3h", "vin:A", "c-2");
    CAME("own customer:c-2 attent-identify=owned\n");
    bind("0s", "vin:A", "c-1"); /* now the seller is known: in the order in which they came */
    CAME("own customer:c-1 attent-identify=owned\nevent c-1 ce_id=before\nevent c-1 ce_id=sold\n");
}
END_TEST

START_TEST(the_time_before_the_last_few_owners_is_forgotten)
{
    control(CONTROL_ACTIVATE, STR(RULES));
    bind("0s", "tag:A", "c-1");
    bind("10h", "tag:A", "c-2");
    bind("20h", "tag:A", "c-3");
    buf_clear(&lines);
    event_of("21h", "5h", "tag:A", "e1", "event");
    event_of("21h", "15h", "tag:A", "e2", "event");
    CAME("dlq tag:A ce_id=e1 attent-reason=owner_forgotten\nevent c-2 ce_id=e2\n");
    bind("22h", "tag:A", "c-3");
    CAME("");
}
END_TEST

/* --- parking ------------------------------------------------------------------------------------------- */

START_TEST(what_waits_is_released_in_order_when_the_alias_becomes_known)
{
    event("1h", "vin:A", "e1");
    event_of("2h", "30m", "vin:A", "e2", "event");
    event("3h", "vin:A", "e3");
    CAME("");
    bind("4h", "vin:A", "c-1");
    CAME("own customer:c-1 attent-identify=owned\n"
         "event c-1 ce_id=e1\nevent c-1 ce_id=e2\nevent c-1 ce_id=e3\n");
    ck_assert_uint_eq(happenings[IDENTIFY_HAPPENED_RELEASED], 3);
    offline_advance(offline, at("100d"), NULL); /* nothing is left to run out */
    CAME("");
}
END_TEST

START_TEST(what_nobody_claims_goes_to_the_dead_letters_after_its_time)
{
    event("1h", "vin:A", "e1");
    event("2d", "vin:A", "e2");
    offline_advance(offline, at("14d1h") - 1, NULL);
    CAME("");
    offline_advance(offline, at("14d1h"), NULL);
    CAME("dlq vin:A ce_id=e1 attent-reason=unknown_subject\n");
    offline_advance(offline, at("16d"), NULL);
    CAME("dlq vin:A ce_id=e2 attent-reason=unknown_subject\n");
    ck_assert_int_eq(offline_due_next(offline), STEP_NO_TIMER);
}
END_TEST

START_TEST(over_the_limit_the_oldest_leaves)
{
    control(CONTROL_ACTIVATE, STR(RULES));
    event("1h", "tag:A", "e1");
    event("2h", "tag:A", "e2");
    event("3h", "tag:A", "e3");
    CAME("dlq tag:A ce_id=e1 attent-reason=park_full\n");
    bind("4h", "tag:A", "c-1");
    CAME("own customer:c-1 attent-identify=owned\nevent c-1 ce_id=e2\nevent c-1 ce_id=e3\n");
}
END_TEST

START_TEST(what_is_larger_than_all_that_may_wait_does_not_wait)
{
    char big[600];
    const struct header headers[] = {{STR("ce_id"), STR("big")},
                                     {STR(IDENTIFY_HEADER), STR("event")}};

    memset(big, ' ', sizeof big);
    control(CONTROL_ACTIVATE, STR(RULES));
    event("1h", "tag:A", "e1");
    give("2h", "tag:A", (struct str){big, sizeof big}, headers, 2);
    CAME("dlq tag:A ce_id=e1 attent-reason=park_full\n"
         "dlq tag:A ce_id=big attent-reason=park_full\n");
}
END_TEST

/* A binding from long after the event says nothing of it. */
START_TEST(an_owner_who_comes_too_late_is_not_the_owner)
{
    event_of("20d", "1h", "vin:A", "e1", "event");
    bind("20d", "vin:A", "c-1");
    CAME("own customer:c-1 attent-identify=owned\n");
    offline_advance(offline, at("34d"), NULL);
    CAME("dlq vin:A ce_id=e1 attent-reason=unknown_subject\n");
}
END_TEST

/* --- what it looks like ---------------------------------------------------------------------------------- */

static struct record seen;

static void keep_output(void *context, int topic, const struct record *record)
{
    struct header *headers = ARENA_ARRAY(arena, struct header, record->header_count);

    (void)context;
    (void)topic;
    for (size_t i = 0; i < record->header_count; i++)
        headers[i] = (struct header){arena_str(arena, record->headers[i].name),
                                     arena_str(arena, record->headers[i].value)};
    seen = *record;
    seen.headers = headers;
    seen.key = arena_str(arena, record->key);
    seen.value = arena_str(arena, record->value);
}

static void reopen_keeping(void)
{
    static const int32_t partitions[] = {2, PARTITIONS, 1};
    const struct offline_setup setup = {.class = &identify_class,
                                        .config = &config,
                                        .partition = 1,
                                        .topic_partitions = partitions,
                                        .output = keep_output};

    offline_close(offline);
    ck_assert_int_eq(offline_open(&setup, &offline, NULL), ERR_NONE);
    seen = (struct record){0};
    offset = 0;
}

#define HEADER(name) record_header(&seen, STR(name))

START_TEST(the_identified_event_is_what_its_source_wrote)
{
    reopen_keeping();
    bind("0s", "vin:A", "c-1");
    event("1h", "vin:A", "e1");
    ck_assert(str_is(seen.key, "c-1") && str_is(seen.value, "{\"pad_mm\":2.5}"));
    ck_assert_int_eq(seen.timestamp_ms, at("1h"));
    ck_assert(str_is(HEADER("ce_id"), "e1") && str_is(HEADER("ce_source"), "/cars"));
    ck_assert(str_is(HEADER("ce_subject"), "c-1") && str_is(HEADER("ce_partitionkey"), "c-1"));
    ck_assert(str_equal(HEADER("ce_time"), time_text("1h")));
    ck_assert(HEADER(IDENTIFY_HEADER).data == NULL && HEADER(ORIGIN_HEADER).data == NULL);
    ck_assert(str_is(HEADER("attent-from"), "identify/1"));
}
END_TEST

START_TEST(a_dead_letter_says_where_it_came_from)
{
    reopen_keeping();
    event("1h", "vin:A", "e1");
    offline_advance(offline, at("15d"), NULL);
    ck_assert(str_is(HEADER("__connect.errors.topic"), "vehicles"));
    ck_assert(str_is(HEADER("__connect.errors.partition"), "0"));
    ck_assert(str_is(HEADER("__connect.errors.offset"), "7"));
    ck_assert(str_is(HEADER("attent-reason"), "unknown_subject"));
    ck_assert(HEADER("ce_subject").data == NULL);
}
END_TEST

START_TEST(a_watermark_goes_on_with_the_way_it_came)
{
    reopen_keeping();
    control(CONTROL_WATERMARK,
            STR("{\"source\":\"cars\",\"partitions\":2,\"read\":[{\"partition\":1,"
                "\"until\":\"2026-03-02T08:00:00Z\"}]}"));
    ck_assert(str_is(seen.value, "{\"source\":\"cars\",\"partitions\":6,\"read\":[{\"partition\":3,"
                                 "\"until\":\"2026-03-02T08:00:00Z\"}]}"));
    ck_assert(str_is(HEADER(CONTROL_HEADER), CONTROL_WATERMARK));
    ck_assert_int_eq(seen.partition, 1); /* the last of both */
    ck_assert(str_is(HEADER("attent-seq"), "1.1"));
}
END_TEST

START_TEST(what_is_no_record_of_ours_is_counted)
{
    const struct header none = {STR("ce_id"), STR("x")};

    give("0s", "vin:A", STR("{}"), &none, 1);
    tell("0s", "vin:A", "bind", (struct binding){.at_ms = at("0s")}); /* of nobody */
    tell("0s", "vin:A", "owned", (struct binding){.alias = STR("vin:B"), .at_ms = at("0s")});
    tell("0s", "customer:c-1", "bind", (struct binding){.customer = STR("c"), .at_ms = 0});
    control(CONTROL_WATERMARK, STR("{}"));
    CAME("");
    ck_assert_uint_eq(happenings[IDENTIFY_HAPPENED_JUNK], 5);
}
END_TEST

/* --- customers who are gone ------------------------------------------------------------------------------ */

START_TEST(an_erased_customer_leaves_his_aliases)
{
    tell("0s", "customer:c-1", "owned", (struct binding){.alias = STR("vin:A"), .at_ms = at("0s")});
    tell("1h", "customer:c-1", "erased", (struct binding){.at_ms = at("1h")});
    CAME("own vin:A attent-identify=forget\n");
    /* a binding that was on its way, and one of a customer who came back */
    tell("1h", "customer:c-1", "owned",
         (struct binding){.alias = STR("vin:B"), .at_ms = at("30m")});
    CAME("own vin:B attent-identify=forget\n");
    tell("2h", "customer:c-1", "owned", (struct binding){.alias = STR("vin:B"), .at_ms = at("2h")});
    CAME("");
}
END_TEST

START_TEST(a_forgotten_owner_gets_nothing_more)
{
    bind("0s", "vin:A", "c-1");
    bind("1h", "vin:A", "c-2");
    tell("2h", "vin:A", "forget", (struct binding){.customer = STR("c-1"), .at_ms = at("2h")});
    buf_clear(&lines);
    event_of("2h", "30m", "vin:A", "e1", "event");
    event("2h", "vin:A", "e2");
    CAME("dlq vin:A ce_id=e1 attent-reason=owner_forgotten\nevent c-2 ce_id=e2\n");
}
END_TEST

START_TEST(an_alias_that_was_only_of_a_forgotten_owner_is_forgotten)
{
    struct hash128 nothing = offline_digest(offline), after;

    bind("0s", "email:c-1@example.com", "c-1");
    tell("1h", "email:c-1@example.com", "forget",
         (struct binding){.customer = STR("c-1"), .at_ms = at("1h")});
    after = offline_digest(offline);
    ck_assert(after.low == nothing.low && after.high == nothing.high);
}
END_TEST

START_TEST(the_aliases_of_a_merged_customer_are_the_others)
{
    tell("0s", "customer:c-1", "owned", (struct binding){.alias = STR("vin:A"), .at_ms = at("0s")});
    tell("1h", "customer:c-1", "merged", (struct binding){.to = STR("c-2"), .at_ms = at("1h")});
    CAME("own vin:A attent-identify=rename\nown customer:c-2 attent-identify=owned\n"
         "own customer:c-2 attent-identify=owned\n");
    bind("0s", "vin:A", "c-1");
    tell("1h", "vin:A", "rename",
         (struct binding){.customer = STR("c-1"), .to = STR("c-2"), .at_ms = at("1h")});
    buf_clear(&lines);
    event("30m", "vin:A", "e1");
    CAME("event c-2 ce_id=e1\n");
}
END_TEST

START_TEST(who_was_merged_is_erased_under_either_id)
{
    tell("1h", "customer:c-1", "merged", (struct binding){.to = STR("c-2"), .at_ms = at("1h")});
    buf_clear(&lines);
    tell("2h", "customer:c-1", "erased", (struct binding){.at_ms = at("2h")});
    CAME("own customer:c-2 attent-identify=erased\n");

    tell("3h", "customer:c-3", "merged", (struct binding){.to = STR("c-2"), .at_ms = at("3h")});
    tell("3h", "customer:c-2", "owned",
         (struct binding){.alias = binding_customer_key(STR("c-3"), arena), .at_ms = at("3h")});
    buf_clear(&lines);
    tell("4h", "customer:c-2", "erased", (struct binding){.at_ms = at("4h")});
    CAME("own customer:c-3 attent-identify=forget\n");
    tell("4h", "customer:c-3", "forget",
         (struct binding){.customer = STR("c-2"), .at_ms = at("4h")});
    buf_clear(&lines); /* a binding that was on its way is not given to c-2 any more */
    tell("4h", "customer:c-3", "owned", (struct binding){.alias = STR("vin:A"), .at_ms = at("3h")});
    CAME("own vin:A attent-identify=forget\n");
}
END_TEST

START_TEST(customers_who_are_merged_into_each_other_do_not_go_round_for_ever)
{
    tell("0s", "customer:c-1", "owned", (struct binding){.alias = STR("vin:A"), .at_ms = at("0s")});
    tell("1h", "customer:c-1", "merged", (struct binding){.to = STR("c-2"), .at_ms = at("1h")});
    tell("1h", "customer:c-2", "owned",
         (struct binding){.alias = binding_customer_key(STR("c-1"), arena), .at_ms = at("1h")});
    tell("2h", "customer:c-2", "merged", (struct binding){.to = STR("c-1"), .at_ms = at("2h")});
    tell("2h", "customer:c-1", "rename",
         (struct binding){.customer = STR("c-2"), .to = STR("c-1"), .at_ms = at("2h")});
    buf_clear(&lines);
    /* c-1 is a customer again, and keeps what it is told */
    tell("2h", "customer:c-1", "owned",
         (struct binding){.alias = binding_customer_key(STR("c-2"), arena), .at_ms = at("2h")});
    tell("2h", "customer:c-1", "owned", (struct binding){.alias = STR("vin:A"), .at_ms = at("2h")});
    CAME("");
    tell("3h", "customer:c-2", "owned", (struct binding){.alias = STR("vin:B"), .at_ms = at("3h")});
    CAME("own vin:B attent-identify=rename\nown customer:c-1 attent-identify=owned\n");
}
END_TEST

/* --- as bytes -------------------------------------------------------------------------------------------- */

START_TEST(a_state_reads_back_as_it_was)
{
    const struct header headers[] = {{STR("ce_id"), STR("e1")}};
    const struct record record = {
        .timestamp_ms = 7, .value = STR("{}"), .headers = headers, .header_count = 1};
    struct alias *a, *back;
    struct buf bytes = {0}, again = {0};

    ck_assert_int_eq(alias_decode(STR("vin:A"), STR_EMPTY, arena, &a, NULL), ERR_NONE);
    alias_encode(a, &bytes);
    ck_assert_uint_eq(bytes.len, 0);
    owners_bind(&a->owners, STR("c-1"), -5, 2, arena);
    owners_unbind(&a->owners, STR_EMPTY, 9, 2, arena);
    alias_park(a, &record, 99, arena);
    alias_add_name(a, STR("vin:B"), 3, arena);
    a->gone_ms = 1;
    a->gone_until_ms = 50;
    alias_encode(a, &bytes);
    ck_assert_int_eq(alias_decode(STR("vin:A"), buf_str(&bytes), arena, &back, NULL), ERR_NONE);
    ck_assert_int_eq(alias_due_ms(back), 50);
    ck_assert_uint_eq(parked_bytes(&back->parked[0]), 9);
    alias_encode(back, &again);
    ck_assert(str_equal(buf_str(&bytes), buf_str(&again)));
    for (size_t cut = 1; cut < bytes.len; cut++)
        ck_assert_int_eq(
            alias_decode(STR("vin:A"), str_slice(buf_str(&bytes), 0, cut), arena, &back, NULL),
            ERR_STATE);
    buf_free(&bytes);
    buf_free(&again);
}
END_TEST

SUITE_MAIN_AROUND(
    "identify", open_run, close_run, an_event_goes_to_the_owner_of_its_alias,
    an_event_of_the_time_before_the_car_was_sold_belongs_to_the_former_owner,
    a_new_binding_ends_the_one_before, owners_do_not_depend_on_the_order_in_which_changes_come,
    who_gives_it_away_had_it_before, one_who_does_not_own_it_cannot_give_it_away,
    the_last_event_still_belongs_to_its_owner, a_sale_keeps_what_was_before_from_the_buyer,
    the_time_before_the_last_few_owners_is_forgotten,
    what_waits_is_released_in_order_when_the_alias_becomes_known,
    what_nobody_claims_goes_to_the_dead_letters_after_its_time, over_the_limit_the_oldest_leaves,
    what_is_larger_than_all_that_may_wait_does_not_wait,
    an_owner_who_comes_too_late_is_not_the_owner, the_identified_event_is_what_its_source_wrote,
    a_dead_letter_says_where_it_came_from, a_watermark_goes_on_with_the_way_it_came,
    what_is_no_record_of_ours_is_counted, an_erased_customer_leaves_his_aliases,
    a_forgotten_owner_gets_nothing_more, an_alias_that_was_only_of_a_forgotten_owner_is_forgotten,
    who_was_merged_is_erased_under_either_id,
    customers_who_are_merged_into_each_other_do_not_go_round_for_ever,
    the_aliases_of_a_merged_customer_are_the_others, a_state_reads_back_as_it_was)
