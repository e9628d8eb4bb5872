/* What is commercial and goes out while an interlock holds is shown with a state in which it does. */
#include "rules/moment/interlock_gap.h"

#include "tests/support/suite.h"

#define MOMENT(name, tier, gates)                                                                  \
    {                                                                                              \
        STR("moments/" name ".yaml"), STR("moment: " name "\n"                                     \
                                          "title: A moment\n"                                      \
                                          "tier: " tier "\n" gates "when:\n"                       \
                                          "  - event: a.one\n"                                     \
                                          "act:\n"                                                 \
                                          "  - channel: mail\n")                                   \
    }

static struct ruleset *rules(void)
{
    static struct bundle_file files[] = {
        {STR("facts.yaml"), STR("bereaved: {mark: a.one, for: 9d}\n"
                                "calls: {count: a.one, over: 9d}\n"
                                "land: {last: event.data.land, of: a.one}\n")},
        MOMENT("careful", "sale", "suitable: \"!customer.bereaved\"\n"),
        MOMENT("counted", "sale", "relevant: customer.calls < 3\n"),
        MOMENT("plain", "sale", ""),
        MOMENT("stopped", "gift", ""),
        {STR("policy.yaml"),
         STR("tiers: {sale: {consent: opt_in}, gift: {consent: opt_in}}\n"
             "channels: {mail: }\n"
             "interlocks:\n"
             "  - {name: grief, if: customer.bereaved, stops: [gift]}\n"
             "  - {name: called, if: customer.calls >= 3 && customer.land == \"NL\", stops: [gift]}\n")},
        {STR("schemas/events/a.one.json"),
         STR("{\"type\":\"object\",\"properties\":{\"land\":{\"type\":\"string\"}}}")},
    };
    struct bundle bundle = {files, sizeof files / sizeof files[0]};
    struct diags diags = {0};
    struct ruleset *set = ruleset_compile(&bundle, NULL, &diags);

    ck_assert_msg(set != NULL, "%s", diags.count != 0 ? diags.items[0].what : "");
    diags_free(&diags);
    return set;
}

/* The state; NULL: there is no gap. */
static const char *gap(struct ruleset *set, const char *moment, size_t lock, struct buf *state)
{
    int index = ruleset_find_moment(set, str_of(moment));

    ck_assert_int_ge(index, 0);
    state->len = 0;
    return interlock_gap(set, &set->moments[index], &set->policy.interlocks[lock], state)
               ? buf_text(state)
               : NULL;
}

START_TEST(a_gap_is_shown_with_what_the_facts_are)
{
    struct ruleset *set = rules();
    struct buf state = {0};

    ck_assert_str_eq(gap(set, "plain", 0, &state), "customer.bereaved = true");
    ck_assert_str_eq(gap(set, "counted", 0, &state),
                     "customer.bereaved = true, customer.calls = 0");
    ck_assert_str_eq(gap(set, "careful", 1, &state),
                     "customer.calls = 3, customer.land = \"NL\", customer.bereaved = false");
    buf_free(&state);
    ruleset_free(set);
}
END_TEST

START_TEST(no_gap_where_the_tier_is_stopped_or_the_gates_contradict)
{
    struct ruleset *set = rules();
    struct buf state = {0};

    ck_assert_ptr_null(gap(set, "stopped", 0, &state));
    ck_assert_ptr_null(gap(set, "careful", 0, &state));
    ck_assert_ptr_null(gap(set, "counted", 1, &state));
    buf_free(&state);
    ruleset_free(set);
}
END_TEST

SUITE_MAIN("interlock gap", a_gap_is_shown_with_what_the_facts_are,
           no_gap_where_the_tier_is_stopped_or_the_gates_contradict)
