#include "processors/cli/lines.h"

#include "tests/support/suite.h"

enum { AT_MS = 0 };

static const struct decision_stage stages[] = {
    {STR("pattern"), true, STR("")},
    {STR("slot"), false, STR("it is 22:40 for the customer")},
};

static struct decision a_decision(void)
{
    return (struct decision){.id = STR("d1"),
                             .customer = STR("c-1"),
                             .moment = STR("brake-pads"),
                             .about = STR("V1"),
                             .rule_set = STR("00"),
                             .outcome = STR("hold"),
                             .reason = STR("quiet_hours"),
                             .channel = STR("phone"),
                             .event = STR("e1"),
                             .event_type = STR("vehicle.telemetry"),
                             .at_ms = AT_MS,
                             .until_ms = 60000,
                             .stages = stages,
                             .stage_count = 2};
}

static void line_is(struct buf *out, const char *text)
{
    ck_assert_str_eq(buf_text(out), text);
    buf_free(out);
}

START_TEST(a_decision_is_one_line)
{
    struct decision d = a_decision();
    struct buf out = {0};

    lines_put_decision(&out, &d);
    line_is(&out, "1970-01-01T00:00:00Z  c-1  brake-pads V1  hold: quiet_hours (phone), until "
                  "1970-01-01T00:01:00Z\n");
}
END_TEST

START_TEST(why_shows_each_stage_and_the_words_of_the_reason)
{
    struct decision d = a_decision();
    struct buf out = {0};

    lines_put_stages(&out, &d);
    ck_assert_ptr_nonnull(strstr(buf_text(&out), "    pattern      passed\n"));
    ck_assert_ptr_nonnull(
        strstr(buf_text(&out), "    slot         STOPPED  it is 22:40 for the customer\n"));
    ck_assert_ptr_nonnull(
        strstr(buf_text(&out), "= quiet_hours: held: it is too early or too late"));
    buf_free(&out);
}
END_TEST

START_TEST(why_says_what_would_have_had_to_differ_and_what_was_not_asked)
{
    struct decision d = a_decision();
    struct buf out = {0};

    d.needed = STR("after 2026-03-06T07:00:00Z");
    lines_put_stages(&out, &d);
    ck_assert_ptr_nonnull(strstr(buf_text(&out),
                                 "    > it could go out after 2026-03-06T07:00:00Z\n"
                                 "      not asked any more: pace, text\n"));
    buf_clear(&out);
    d.outcome = STR("silent");
    lines_put_stages(&out, &d);
    ck_assert_ptr_nonnull(strstr(buf_text(&out), "    > it would have gone out after "));
    buf_clear(&out);
    d.outcome = STR("ended");
    d.task = STR("00112233445566778899aabbccddeeff");
    d.stage_count = 0;
    lines_put_stages(&out, &d);
    ck_assert_ptr_nonnull(strstr(buf_text(&out), "    > the task would still be out after "));
    ck_assert_ptr_null(strstr(buf_text(&out), "not asked"));
    buf_free(&out);
}
END_TEST

static bool put(struct buf *out, const char *type, struct str value)
{
    struct header headers[] = {
        {STR("ce_specversion"), STR("1.0")}, {STR("ce_id"), STR("i")},
        {STR("ce_source"), STR("s")},        {STR("ce_type"), str_of(type)},
        {STR("ce_subject"), STR("c-1")},     {STR("ce_time"), STR("1970-01-01T00:00:00Z")}};
    struct record record = {.topic = STR("t"),
                            .key = STR("c-1"),
                            .value = value,
                            .headers = headers,
                            .header_count = 6};
    struct arena *arena = arena_new(0);
    bool known = lines_put_record(out, &record, arena);

    arena_free(arena);
    return known;
}

START_TEST(records_are_known_by_their_type)
{
    struct decision d = a_decision();
    struct withdrawal w = {.task = STR("t1"),
                           .customer = STR("c-1"),
                           .moment = STR("m"),
                           .channel = STR("phone"),
                           .queue = STR("garage"),
                           .reason = STR("withdrawn"),
                           .because = STR("garage.booked")};
    struct buf json = {0}, out = {0};

    decision_put_json(&json, &d);
    ck_assert(put(&out, DECISION_CE_TYPE, buf_str(&json)));
    ck_assert_ptr_nonnull(strstr(buf_text(&out), "hold: quiet_hours"));
    buf_clear(&json);
    buf_clear(&out);
    withdrawal_put_json(&json, &w);
    ck_assert(put(&out, WITHDRAWAL_CE_TYPE, buf_str(&json)));
    line_is(&out, "1970-01-01T00:00:00Z  c-1  m  WITHDRAWN phone, queue garage: withdrawn by "
                  "garage.booked\n");
    ck_assert(put(&out, OUTCOME_EVENT_TYPE,
                  STR("{\"moment\":\"m\",\"channel\":\"phone\",\"code\":\"declined\"}")));
    line_is(&out, "1970-01-01T00:00:00Z  c-1  m  outcome phone: declined\n");
    buf_free(&json);
}
END_TEST

START_TEST(what_cannot_be_read_is_left_out)
{
    struct buf out = {0};

    ck_assert(!put(&out, DECISION_CE_TYPE, STR("{")));
    ck_assert(!put(&out, OUTCOME_EVENT_TYPE, STR("[1]")));
    ck_assert(!put(&out, "order.placed", STR("{}")));
    ck_assert_uint_eq(out.len, 0);
}
END_TEST

START_TEST(control_characters_do_not_reach_the_terminal)
{
    struct buf out = {0};

    ck_assert(put(&out, OUTCOME_EVENT_TYPE, STR("{\"code\":\"\\u001b[2J\\u0007\\nx\"}")));
    ck_assert_ptr_null(strchr(buf_text(&out), '\033'));
    ck_assert_ptr_null(strchr(buf_text(&out), '\a'));
    ck_assert_uint_eq(str_of(strchr(buf_text(&out), '\n')).len, 1);
    buf_free(&out);
}
END_TEST

SUITE_MAIN("lines", a_decision_is_one_line, why_shows_each_stage_and_the_words_of_the_reason,
           why_says_what_would_have_had_to_differ_and_what_was_not_asked,
           records_are_known_by_their_type, what_cannot_be_read_is_left_out,
           control_characters_do_not_reach_the_terminal)
