#include "processors/cli/dlq_replay.h"

#include "schemas/event.h"
#include "tests/support/suite.h"

static struct arena *arena;

static void set_up(void)
{
    arena = arena_new(0);
}

static void tear_down(void)
{
    arena_free(arena);
}

START_TEST(every_reason_that_is_given_has_an_advice)
{
    static const char *const others[] = {
#define REASON(name, code, text) code,
#include "processors/identify/reasons.def"
#undef REASON
        "unknown_task", "unknown_sender"};

    for (int fault = EVENT_FINE + 1; fault < EVENT_FAULT_COUNT; fault++)
        ck_assert_msg(dlq_advice(str_of(event_fault_code((enum event_fault)fault))) != NULL, "%s",
                      event_fault_code((enum event_fault)fault));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        ck_assert_msg(dlq_advice(str_of(others[i])) != NULL, "%s", others[i]);
    ck_assert_ptr_null(dlq_advice(STR("no_such_reason")));
}
END_TEST

static struct record put_aside(const char *part, const char *reason, const struct header *headers,
                               size_t count)
{
    const struct letter letter = {.from = {STR("crm"), 3, 17},
                                  .part = str_of(part),
                                  .stage = STR("S"),
                                  .reason = str_of(reason),
                                  .message = STR("m")};
    const struct record record = {.timestamp_ms = 5,
                                  .key = STR("k"),
                                  .value = STR("v"),
                                  .headers = headers,
                                  .header_count = count};

    return letter_write(&letter, &record, "crm.dlq", arena);
}

static struct record again(const struct record *record, struct dlq_way *way)
{
    struct letter letter;

    ck_assert(letter_read(record, &letter));
    *way = dlq_way_of(record, &letter, "attent.identify");
    return dlq_record_again(record, &letter, way, arena);
}

START_TEST(a_record_goes_back_as_it_was_to_where_it_stood)
{
    const struct header own[] = {{STR("ce_id"), STR("1")}, {STR("x"), STR("y")}};
    struct record letter = put_aside("attent-ingest", "bad_json", own, 2);
    struct dlq_way way;
    struct record out = again(&letter, &way);

    ck_assert_ptr_null(way.stays);
    ck_assert(str_is(out.topic, "crm") && out.partition == 3 && out.timestamp_ms == 5);
    ck_assert(str_is(out.key, "k") && str_is(out.value, "v"));
    ck_assert(out.header_count == 2 && str_is(out.headers[1].name, "x"));
}
END_TEST

START_TEST(what_had_a_number_of_a_step_goes_without_it)
{
    const struct header own[] = {{STR("attent-from"), STR("identify/1")},
                                 {STR("ce_id"), STR("1")},
                                 {STR("attent-seq"), STR("1-5")},
                                 {STR("attent-chain"), STR("00")}};
    struct record letter = put_aside("attent-decide", "poison", own, 4);
    struct dlq_way way;
    struct record out = again(&letter, &way);

    ck_assert(way.stays == NULL && out.header_count == 1 && str_is(out.headers[0].name, "ce_id"));
}
END_TEST

START_TEST(what_identify_gave_up_goes_to_identify)
{
    const struct header own[] = {{STR("attent-identify"), STR("last-event")},
                                 {STR("ce_id"), STR("1")}};
    struct record letter = put_aside("attent-identify", "unknown_subject", own, 2),
                  old = put_aside("attent-identify", "park_full", own + 1, 1),
                  poison = put_aside("attent-identify", "poison", own, 2);
    struct dlq_way way;
    struct record out = again(&letter, &way);

    ck_assert(str_is(out.topic, "attent.identify") && out.partition == -1);
    ck_assert(str_is(record_header(&out, STR("attent-identify")), "last-event"));
    out = again(&old, &way);
    ck_assert(str_is(record_header(&out, STR("attent-identify")), "event"));
    out = again(&poison, &way);
    ck_assert(str_is(out.topic, "crm") && out.partition == 3); /* where it was read */
}
END_TEST

START_TEST(what_cannot_go_stays_with_a_reason)
{
    const struct header control = {STR("attent-control"), STR("activate")};
    struct record activation = put_aside("attent-decide", "poison", &control, 1),
                  cut = put_aside("attent-ingest", "too_large", NULL, 0), report;
    struct header *headers = ARENA_ARRAY(arena, struct header, cut.header_count + 1);
    const struct header reason = {STR("attent-reason"), STR("unknown_task")};
    struct dlq_way way;

    again(&activation, &way);
    ck_assert_ptr_nonnull(way.stays);
    memcpy(headers, cut.headers, cut.header_count * sizeof *headers);
    headers[cut.header_count++] = (struct header){STR("attent-cut"), STR("value")};
    cut.headers = headers;
    again(&cut, &way);
    ck_assert_ptr_nonnull(way.stays);
    report = (struct record){.headers = &reason, .header_count = 1};
    again(&report, &way);
    ck_assert_ptr_nonnull(way.stays);
}
END_TEST

SUITE_MAIN_AROUND("dlq", set_up, tear_down, every_reason_that_is_given_has_an_advice,
                  a_record_goes_back_as_it_was_to_where_it_stood,
                  what_had_a_number_of_a_step_goes_without_it,
                  what_identify_gave_up_goes_to_identify, what_cannot_go_stays_with_a_reason)
