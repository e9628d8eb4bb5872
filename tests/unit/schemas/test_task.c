#include "core/file.h"
#include "schemas/schema.h"
#include "schemas/task.h"
#include "tests/support/suite.h"

#define HEX "0123456789abcdef0123456789abcdef"

static struct arena *arena;
static struct buf out;

static void stop(void)
{
    buf_free(&out);
    arena_free(arena);
}

/* Does what was written fit the schema that is published for it? */
static void check_schema(const char *path)
{
    struct diags diags = {0};
    struct str text;
    struct value v;
    struct err err = {0};
    const struct schema *schema;

    ck_assert_int_eq(file_read(path, arena, &text, &err), ERR_NONE);
    schema = schema_read(text, path, arena, &diags);
    ck_assert_msg(schema != NULL, "%s", diags.count > 0 ? diags.items[0].what : "");
    ck_assert_int_eq(json_parse(buf_str(&out), arena, &v, &err), JSON_FINE);
    ck_assert_msg(schema_validate(schema, v, &err), "%s", err.text);
}

static struct task small_task(void)
{
    return (struct task){.id = STR(HEX),
                         .moment = STR("brake-pads"),
                         .title = STR("Brake pads worn"),
                         .version = STR("a1b2c3d4"),
                         .rule_set = STR(HEX),
                         .customer = STR("c1"),
                         .tier = STR("care"),
                         .purpose = STR("care"),
                         .channel = STR("phone"),
                         .reason = STR("pads are worn"),
                         .created_ms = 1772442000000,
                         .deadline_ms = 1772442000000 + 7 * 86400000,
                         .attempt = 1,
                         .decision = STR(HEX)};
}

static struct task full_task(void)
{
    static struct task_fact facts[2];
    static struct task_window windows[] = {{1772442000000, 1772445600000},
                                           {1772528400000, 1772532000250}};
    static struct task_outcome outcomes[2];
    struct task t = small_task();

    facts[0] = (struct task_fact){STR("pad_mm"), STR("Pad"), value_double(2), STR("mm")};
    facts[1] = (struct task_fact){STR("open"), STR("Open"), value_bool(false), STR_EMPTY};
    outcomes[0] = (struct task_outcome){STR("booked"), STR("end")};
    outcomes[1] = (struct task_outcome){STR("not_reached"), STR("next")};
    t.about = STR("VIN1");
    t.queue = STR("garage");
    t.address = STR("+3120000");
    t.say = STR("Your \"pads\"\nare worn");
    t.subject = STR("Pads");
    t.language = STR("nl-BE");
    t.text = STR("\xc3\xa9");
    t.sms_parts = 2;
    t.html = STR("<p>&eacute;</p>");
    t.appointment =
        (struct task_appointment){1772528400000, 1772530200000, STR("Brakes"), STR("Garage 1")};
    t.traceparent = STR("00-" HEX "-0123456789abcdef-01");
    t.facts = facts;
    t.fact_count = 2;
    t.outcomes = outcomes;
    t.outcome_count = 2;
    t.windows = windows;
    t.window_count = 2;
    return t;
}

START_TEST(a_task_prints_in_a_fixed_order_and_leaves_out_what_is_empty)
{
    struct task t = small_task();

    arena = arena_new(0);
    task_put_json(&out, &t);
    ck_assert_str_eq(
        buf_text(&out),
        "{\"id\":\"" HEX "\",\"moment\":\"brake-pads\",\"title\":\"Brake pads worn\","
        "\"version\":\"a1b2c3d4\",\"rule_set\":\"" HEX "\",\"customer\":\"c1\",\"tier\":\"care\","
        "\"purpose\":\"care\",\"channel\":\"phone\",\"reason\":\"pads are worn\",\"facts\":[],"
        "\"outcomes\":[],\"windows\":[],\"created\":\"2026-03-02T09:00:00Z\","
        "\"deadline\":\"2026-03-09T09:00:00Z\",\"attempt\":1,\"decision\":\"" HEX "\"}");
    check_schema("schemas/task.schema.json");
    stop();
}
END_TEST

START_TEST(a_task_reads_back_and_fits_its_schema)
{
    struct task t = full_task(), back;
    struct buf again = {0};
    struct err err;

    arena = arena_new(0);
    task_put_json(&out, &t);
    check_schema("schemas/task.schema.json");
    ck_assert_msg(task_read_json(buf_str(&out), arena, &back, &err), "%s", err.text);
    ck_assert(str_equal(back.say, t.say));
    ck_assert_uint_eq(back.fact_count, 2);
    ck_assert(value_same(back.facts[0].value, value_double(2)));
    ck_assert_int_eq(back.windows[1].to_ms, 1772532000250);
    ck_assert_int_eq(back.appointment.end_ms, 1772530200000);
    ck_assert(str_equal(back.appointment.place, t.appointment.place));
    task_put_json(&again, &back);
    ck_assert_str_eq(buf_text(&again), buf_text(&out));
    buf_free(&again);
    stop();
}
END_TEST

START_TEST(what_is_no_task_is_refused_with_the_field)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"[]", "not an object"},
        {"{}", "id: is missing"},
        {"{\"id\":7}", "id: is not a text"},
        {"{\"id\":\"a\",\"moment\":null}", "moment: is not a text"},
    };
    struct task t;
    struct err err;

    arena = arena_new(0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert(!task_read_json(str_of(cases[i].text), arena, &t, &err));
        ck_assert_str_eq(err.text, cases[i].why);
    }
    ck_assert(!task_read_json(STR("{"), arena, &t, NULL));
    stop();
}
END_TEST

START_TEST(a_wrong_item_is_named_with_its_list)
{
    struct decision d;
    struct err err;

    arena = arena_new(0);
    ck_assert(!decision_read_json(
        STR("{\"id\":\"a\",\"customer\":\"c\",\"moment\":\"m\",\"rule_set\":\"\",\"outcome\":"
            "\"task\",\"reason\":\"task\",\"at\":\"2026-03-02T09:00:00Z\",\"stages\":[{\"stage\":"
            "\"caps\",\"passed\":1}]}"),
        arena, &d, &err));
    ck_assert_str_eq(err.text, "stages: passed: is neither true nor false");
    stop();
}
END_TEST

START_TEST(a_withdrawal_reads_back_and_fits_its_schema)
{
    struct withdrawal w = {.task = STR(HEX),
                           .customer = STR("c1"),
                           .moment = STR("missed-payment"),
                           .channel = STR("email"),
                           .queue = STR("billing"),
                           .reason = STR("withdrawn"),
                           .because = STR("payment.received"),
                           .created_ms = 1772442000000},
                      back;

    arena = arena_new(0);
    withdrawal_put_json(&out, &w);
    check_schema("schemas/withdrawal.schema.json");
    ck_assert(withdrawal_read_json(buf_str(&out), arena, &back, NULL));
    ck_assert(str_equal(back.because, w.because));
    ck_assert_int_eq(back.created_ms, w.created_ms);
    stop();
}
END_TEST

START_TEST(a_decision_reads_back_and_fits_its_schema)
{
    const struct decision_stage stages[] = {{STR("pattern"), true, STR_EMPTY},
                                            {STR("caps"), false, STR("2 of at most 2 in 7d")}};
    struct decision d = {.id = STR(HEX),
                         .customer = STR("c1"),
                         .moment = STR("m"),
                         .version = STR("0123abcd"),
                         .rule_set = STR(HEX),
                         .outcome = STR("hold"),
                         .reason = STR("cap"),
                         .at_ms = 1772442000000,
                         .until_ms = 1772445600000,
                         .stages = stages,
                         .stage_count = 2},
                    back;

    arena = arena_new(0);
    decision_put_json(&out, &d);
    check_schema("schemas/decision.schema.json");
    ck_assert(decision_read_json(buf_str(&out), arena, &back, NULL));
    ck_assert_uint_eq(back.stage_count, 2);
    ck_assert(str_equal(back.stages[1].detail, stages[1].detail));
    ck_assert(!back.stages[1].passed);
    ck_assert(str_equal(back.version, d.version));
    ck_assert_int_eq(back.until_ms, d.until_ms);
    stop();
}
END_TEST

START_TEST(a_permission_reads_back_and_fits_its_schema)
{
    struct permission p = {.customer = STR("c1"),
                           .channel = STR("email"),
                           .because = STR("consent.withdrawn"),
                           .created_ms = 1772442000000},
                      back;

    arena = arena_new(0);
    permission_put_json(&out, &p);
    check_schema("schemas/permission.schema.json");
    ck_assert(permission_read_json(buf_str(&out), arena, &back, NULL));
    ck_assert(str_equal(back.channel, p.channel) && back.purpose.len == 0 && !back.erased);
    buf_clear(&out);
    p.purpose = STR("commercial");
    p.erased = true;
    permission_put_json(&out, &p);
    check_schema("schemas/permission.schema.json");
    stop();
}
END_TEST

START_TEST(an_outcome_fits_the_schema_of_its_event_type)
{
    struct outcome o = {.task = STR(HEX),
                        .moment = STR("m"),
                        .about = STR("V1"),
                        .channel = STR("phone"),
                        .code = STR("declined"),
                        .attempt = 2,
                        .final = true};

    arena = arena_new(0);
    outcome_put_json(&out, &o);
    check_schema("schemas/events/task.outcome.json");
    stop();
}
END_TEST

SUITE_MAIN("task", a_task_prints_in_a_fixed_order_and_leaves_out_what_is_empty,
           a_task_reads_back_and_fits_its_schema, what_is_no_task_is_refused_with_the_field,
           a_wrong_item_is_named_with_its_list, a_withdrawal_reads_back_and_fits_its_schema,
           a_decision_reads_back_and_fits_its_schema, a_permission_reads_back_and_fits_its_schema,
           an_outcome_fits_the_schema_of_its_event_type)
