/* What comes out of the compiler.  What it says of mistakes: processors/cli/test_errors.c. */
#include "core/file.h"
#include "core/mem.h"
#include "rules/moment/ruleset.h"
#include "tests/support/suite.h"

static struct arena *arena;
static struct bundle_file files[128];
static struct bundle bundle;

static struct str file_text(const char *path)
{
    struct str text;
    struct err err = {0};

    ck_assert_msg(file_read(path, arena, &text, &err) == ERR_NONE, "%s", err.text);
    return text;
}

static void add(struct str name, struct str text)
{
    size_t at = bundle.count++;

    ck_assert_uint_lt(at, sizeof files / sizeof files[0]);
    for (; at > 0 && str_compare(files[at - 1].name, name) > 0; at--)
        files[at] = files[at - 1];
    files[at] = (struct bundle_file){name, text};
}

/* The base with one file of the fixture's in it. */
static void make_bundle(struct str name, struct str text)
{
    struct str *paths;
    size_t count;

    if (arena == NULL)
        arena = arena_new(0);
    bundle = (struct bundle){.files = files};
    ck_assert_int_eq(file_list("schemas/events", ".json", arena, &paths, &count, NULL), ERR_NONE);
    for (size_t i = 0; i < count; i++)
        add(paths[i], file_text(paths[i].data));
    add(STR("facts.yaml"),
        str_starts(name, STR("facts")) ? text : file_text("tests/moments/base/facts.yaml"));
    add(STR("policy.yaml"),
        str_starts(name, STR("policy")) ? text : file_text("tests/moments/base/policy.yaml"));
    if (!str_starts(name, STR("facts")) && !str_starts(name, STR("policy")))
        add(arena_format(arena, "moments/%.*s.yaml", STR_ARG(name)), text);
}

static struct ruleset *compile(struct str *findings)
{
    struct diags diags = {0};
    struct ruleset *set = ruleset_compile(&bundle, NULL, &diags);
    struct buf out = {0};

    diags_sort(&diags);
    for (size_t i = 0; i < diags.count; i++) {
        struct str source = STR_EMPTY;
        for (size_t k = 0; k < bundle.count; k++)
            if (str_is(files[k].name, diags.items[i].place.file))
                source = files[k].text;
        diag_print(&out, &diags.items[i], source);
    }
    ck_assert((set == NULL) == (diags.error_count != 0));
    *findings = arena_str(arena, buf_str(&out));
    buf_free(&out);
    diags_free(&diags);
    return set;
}

static struct ruleset *compile_good(const char *name)
{
    struct str findings;
    struct ruleset *set;

    if (arena == NULL)
        arena = arena_new(0);
    make_bundle(str_of(name),
                file_text(arena_format(arena, "tests/moments/%s.good.yaml", name).data));
    set = compile(&findings);
    ck_assert_msg(set != NULL && findings.len == 0, "%s:\n%.*s", name, STR_ARG(findings));
    return set;
}

/* --- what comes out ----------------------------------------------------------------------------- */

static const struct event_type *type_of(const struct ruleset *set, const char *name)
{
    int type = ruleset_find_type(set, str_of(name));

    ck_assert_msg(type >= 0, "no type %s", name);
    return &set->types[type];
}

static bool reads(const struct ruleset *set, const char *type, const char *pointer)
{
    const struct event_type *t = type_of(set, type);

    for (size_t i = 0; i < t->path_count; i++)
        if (str_is(set->paths[t->paths[i]].pointer, pointer))
            return true;
    return false;
}

START_TEST(only_fields_that_somebody_reads_are_read)
{
    struct ruleset *set = compile_good("everything");

    ck_assert(reads(set, "vehicle.registered", "/vin"));
    ck_assert(reads(set, "vehicle.registered", "/weight_kg"));
    ck_assert(reads(set, "vehicle.registered", "/make"));
    ck_assert(!reads(set, "vehicle.registered", "/model"));
    ck_assert(reads(set, "vehicle.telemetry", "/speed_kmh"));
    ck_assert(!reads(set, "vehicle.telemetry", "/odometer_km"));
    ck_assert(!reads(set, "policy.updated", "/make")); /* it has none */
    ck_assert_uint_eq(type_of(set, "web.page_viewed")->path_count, 0);
    ck_assert(!type_of(set, "web.page_viewed")->listened);
    ck_assert(type_of(set, "complaint.opened")->listened);
    ruleset_free(set);
}
END_TEST

START_TEST(types_know_who_listens)
{
    struct ruleset *set = compile_good("everything");

    ck_assert_uint_eq(type_of(set, "vehicle.telemetry")->moment_count, 1);
    ck_assert_uint_eq(type_of(set, "complaint.opened")->moment_count, 1);
    ck_assert_uint_eq(type_of(set, "complaint.opened")->fact_count, 1);
    ck_assert_uint_eq(type_of(set, "order.placed")->moment_count, 0);
    ck_assert_uint_eq(type_of(set, "order.placed")->fact_count, 2);
    ruleset_free(set);
}
END_TEST

START_TEST(built_in_types_are_always_listened_to_with_all_their_fields)
{
    struct ruleset *set = compile_good("smallest");
    const struct builtin_paths *b = &set->builtin;

    ck_assert(str_is(set->types[b->task_outcome].name, "task.outcome"));
    ck_assert(set->types[b->task_outcome].listened);
    ck_assert(set->types[b->consent_withdrawn].listened);
    ck_assert(str_is(set->paths[b->task].pointer, "/task"));
    ck_assert(str_is(set->paths[b->final].pointer, "/final"));
    ck_assert(reads(set, "consent.given", "/channel"));
    ck_assert(reads(set, "task.outcome", "/code"));
    ck_assert(str_is(set->paths[b->channel].pointer, "/channel"));
    ruleset_free(set);
}
END_TEST

START_TEST(a_moment_has_what_its_file_says)
{
    struct ruleset *set = compile_good("everything");
    const struct moment *m = &set->moments[0];
    const struct moment_step *s = m->steps;

    ck_assert(str_is(m->name, "everything") && str_is(m->purpose, "reminders"));
    ck_assert_int_eq(m->on_change, ON_CHANGE_RESTART);
    ck_assert_uint_eq(m->tier, 1);
    ck_assert_uint_eq(m->step_count, 5);
    ck_assert(s[0].kind == STEP_EVENT && s[0].restart && s[0].type_count == 2);
    ck_assert(s[1].kind == STEP_COUNT && s[1].count == 2 && s[1].first_captured);
    ck_assert_int_eq(s[1].span_ms, 36 * INT64_C(3600000));
    ck_assert(s[2].kind == STEP_CROSSES && !s[2].below && s[2].bound == 80 && s[2].back == 60);
    ck_assert(s[3].any_about && s[3].span_ms == 30 * INT64_C(86400000));
    ck_assert(s[4].kind == STEP_ABSENT && s[4].span_ms == 14 * INT64_C(86400000));
    ck_assert_int_eq(m->again_ms, 180 * INT64_C(86400000));
    ck_assert_int_eq(m->deadline_ms, 3 * INT64_C(86400000));
    ck_assert_uint_eq(m->instances, 4);
    ck_assert_uint_eq(m->withdraw_count, 2);
    ck_assert_uint_eq(m->act_count, 2);
    ck_assert_int_eq(m->acts[0].outcomes[2].effect, EFFECT_NEXT);
    ck_assert_int_eq(m->acts[1].wait_ms, m->deadline_ms);
    ck_assert(set->facts[ruleset_find_fact(set, STR("country"))].before_read);
    ck_assert(!set->facts[ruleset_find_fact(set, STR("missed"))].before_read);
    ruleset_free(set);
}
END_TEST

START_TEST(what_conditions_and_texts_read_is_shown_with_label_and_unit)
{
    struct ruleset *set = compile_good("everything");
    const struct moment *m = &set->moments[0];
    bool weight = false, spend = false;

    for (size_t i = 0; i < m->shown_count; i++) {
        const struct shown *s = &m->shown[i];
        if (str_is(s->name, "weight_kg")) {
            weight = true;
            ck_assert_int_eq(slot_kind(s->slot), SLOT_STEP_DATA);
            ck_assert_uint_eq(slot_a(s->slot), 0);
            ck_assert(
                str_is(set->paths[m->steps[0].captures[slot_b(s->slot)]].pointer, "/weight_kg"));
            ck_assert(s->label.len != 0 && str_is(s->unit, "kg"));
        }
        if (str_is(s->name, "spend_30d")) {
            spend = true;
            ck_assert(str_is(s->label, "Spend 30d") && str_is(s->unit, "EUR"));
        }
    }
    ck_assert(weight && !spend); /* the value is nobody's business */
    ruleset_free(set);
}
END_TEST

START_TEST(facts_are_typed_by_what_they_hold)
{
    static const struct {
        const char *name, *type;
    } cases[] = {
        {"country", "string"},       {"missed", "int"},          {"spend_30d", "double"},
        {"last_order", "timestamp"}, {"open_complaint", "bool"}, {"pad_mm", "map(string, double)"},
    };
    struct ruleset *set = compile_good("smallest");

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf text = {0};
        cel_type_print(&text, set->facts[ruleset_find_fact(set, str_of(cases[i].name))].type);
        ck_assert_msg(str_is(buf_str(&text), cases[i].type) ||
                          strstr(buf_text(&text), cases[i].type) != NULL,
                      "%s is %s", cases[i].name, buf_text(&text));
        buf_free(&text);
    }
    ck_assert_int_eq(set->time_zone_fact, ruleset_find_fact(set, STR("time_zone")));
    ck_assert_int_eq(set->language_fact, -1);
    ruleset_free(set);
}
END_TEST

START_TEST(hours_of_quiet_and_of_queues_are_bits_of_a_week)
{
    struct ruleset *set;
    struct str findings;
    const struct queue *queue;

    arena = arena_new(0);
    make_bundle(STR("policy"),
                STR("quiet: [{hours: 21-08, except: [safety]}, {hours: {sat-sun: 00-24}, tiers: "
                    "[commercial]}]\n"
                    "queues: {q: {hours: {mon-fri: 08-18, sat: [09-12, 13-14], sun: 22-02}, "
                    "time_zone: Europe/Amsterdam, holidays: [2026-12-25, 2026-01-01]}}\n"
                    "caps: [{max: 2, over: 7d, tier: care}]\n"));
    set = compile(&findings);
    ck_assert_msg(set != NULL, "%.*s", STR_ARG(findings));
    ck_assert_uint_eq(set->policy.quiet[0].allowed.hours[3], 0x1fff00);
    ck_assert_uint_eq(set->policy.quiet[0].tiers & 0xf, 0xe);
    ck_assert_uint_eq(set->policy.quiet[1].allowed.hours[6], 0);
    ck_assert_uint_eq(set->policy.quiet[1].allowed.hours[0], 0);
    ck_assert_uint_eq(set->policy.quiet[1].allowed.hours[1], 0xffffff);
    queue = policy_find_queue(&set->policy, STR("q"));
    ck_assert_uint_eq(queue->open.hours[1], 0x3ff00 | 3); /* and the end of Sunday night */
    ck_assert_uint_eq(queue->open.hours[2], 0x3ff00);
    ck_assert_uint_eq(queue->open.hours[6], 0xe00 | 0x2000);
    ck_assert_uint_eq(queue->open.hours[0], 0xc00000);
    ck_assert_int_eq(queue->holidays.days[0], 20454);
    ck_assert_uint_eq(set->policy.zone_count, 1);
    ck_assert(str_is(set->policy.caps[0].text, "2 care in 1w"));
    ck_assert_ptr_null(policy_find_queue(&set->policy, STR("r")));
    ruleset_free(set);
}
END_TEST

START_TEST(without_a_policy_there_are_four_tiers_and_no_rules)
{
    struct ruleset *set;
    struct str findings;

    arena = arena_new(0);
    bundle = (struct bundle){.files = files};
    set = compile(&findings);
    ck_assert_ptr_nonnull(set);
    ck_assert(!set->policy.given);
    ck_assert_uint_eq(set->policy.tier_count, 4);
    ck_assert(str_is(set->policy.tiers[3].name, "commercial"));
    ck_assert_int_eq(set->policy.tiers[3].consent, CONSENT_OPT_IN);
    ck_assert_uint_eq(set->policy.zone_count, 1);
    ck_assert_uint_eq(set->moment_count, 0);
    ruleset_free(set);
}
END_TEST

START_TEST(the_same_files_give_the_same_set)
{
    struct ruleset *a = compile_good("everything"), *b = compile_good("everything"), *c;

    ck_assert_str_eq(a->hash_hex, b->hash_hex);
    ck_assert_uint_eq(a->path_count, b->path_count);
    for (size_t i = 0; i < a->path_count; i++)
        ck_assert(str_equal(a->paths[i].pointer, b->paths[i].pointer));
    ck_assert_str_eq(a->moments[0].version, b->moments[0].version);
    c = compile_good("smallest");
    ck_assert_str_ne(a->hash_hex, c->hash_hex);
    ruleset_free(a);
    ruleset_free(b);
    ruleset_free(c);
}
END_TEST

START_TEST(a_text_knows_where_its_expression_was_written)
{
    struct ruleset *set = compile_good("everything");

    ck_assert(str_is(ruleset_text(set, set->moments[0].suitable), "!customer.open_complaint"));
    ck_assert(str_is(ruleset_text(set, NULL), ""));
    ruleset_free(set);
}
END_TEST

SUITE_MAIN("compile", only_fields_that_somebody_reads_are_read, types_know_who_listens,
           built_in_types_are_always_listened_to_with_all_their_fields,
           a_moment_has_what_its_file_says,
           what_conditions_and_texts_read_is_shown_with_label_and_unit,
           facts_are_typed_by_what_they_hold, hours_of_quiet_and_of_queues_are_bits_of_a_week,
           without_a_policy_there_are_four_tiers_and_no_rules, the_same_files_give_the_same_set,
           a_text_knows_where_its_expression_was_written)
