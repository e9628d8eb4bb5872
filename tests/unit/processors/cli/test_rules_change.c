/* What an activation changes, moment by moment, in words. */
#include "processors/cli/rules_change.h"
#include "processors/cli/rules_diff.h"
#include "tests/support/decide_run.h"
#include "tests/support/suite.h"

#define MOMENT(name, steps, more)                                                                  \
    {                                                                                              \
        "moments/" name ".yaml", "moment: " name "\ntitle: T\ntier: care\nwhen: [" steps "]\n"     \
                                 "act: [{channel: phone}]\n" more                                  \
    }
#define ONE "{event: a.one}"
#define TWO ONE ", {wait: 2d}"

static const struct rule_file before[] = {
    EVENT_SCHEMAS,           MOMENT("auto", TWO, ""),  MOMENT("drop", TWO, ""),
    MOMENT("gone", ONE, ""), MOMENT("keep", TWO, ""),  MOMENT("restart", TWO, ""),
    MOMENT("same", ONE, ""), MOMENT("words", ONE, ""), {NULL, NULL}};

static const struct rule_file after[] = {EVENT_SCHEMAS,
                                         MOMENT("added", ONE, ""),
                                         MOMENT("auto", "{event: b.two}, {wait: 2d}", ""),
                                         MOMENT("drop", TWO ", {wait: 1d}", "on_change: drop\n"),
                                         MOMENT("keep", ONE ", {wait: 3d}", "on_change: keep\n"),
                                         MOMENT("restart", ONE, "on_change: restart\n"),
                                         MOMENT("same", ONE, ""),
                                         MOMENT("words", ONE, "value: 3\n"),
                                         {NULL, NULL}};

START_TEST(each_moment_says_what_changes_and_what_becomes_of_those_under_way)
{
    struct ruleset *old = decide_run_compile(before), *new = decide_run_compile(after);
    struct arena *arena = arena_new(0);
    struct moment_change *changes;
    size_t count = rules_changes(old, new, arena, &changes);
    struct buf out = {0};

    for (size_t i = 0; i < count; i++)
        rules_change_put(&out, &changes[i]);
    ck_assert_str_eq(
        buf_text(&out),
        "added: a new moment\n"
        "auto: other steps from step 1 on, no on_change: who stands before that goes on, the others "
        "end\n"
        "drop: other steps from step 3 on, on_change: drop: it ends for who is under way\n"
        "gone: gone: it ends for who is under way\n"
        "keep: other steps from step 2 on, on_change: keep: who is under way goes on where they "
        "stand\n"
        "restart: other steps from step 2 on, on_change: restart: who is under way begins again "
        "behind the first step\n"
        "words: the steps are the same: who is under way goes on, with what is new\n");
    buf_free(&out);
    arena_free(arena);
    ruleset_free(old);
    ruleset_free(new);
}
END_TEST

START_TEST(where_nothing_was_in_force_all_is_new)
{
    struct ruleset *new = decide_run_compile(after);
    struct arena *arena = arena_new(0);
    struct moment_change *changes;

    ck_assert_uint_eq(rules_changes(NULL, new, arena, &changes), 7);
    for (size_t i = 0; i < 7; i++)
        ck_assert_int_eq(changes[i].change, CHANGE_ADDED);
    arena_free(arena);
    ruleset_free(new);
}
END_TEST

START_TEST(files_that_differ_are_named_in_order)
{
    struct bundle_file a[] = {{STR("facts.yaml"), STR("x")}, {STR("moments/b.yaml"), STR("y")}};
    struct bundle_file b[] = {{STR("facts.yaml"), STR("z")}, {STR("moments/c.yaml"), STR("y")}};
    struct arena *arena = arena_new(0);
    struct rules_file *files;

    ck_assert_uint_eq(
        rules_diff_files(&(struct bundle){a, 2}, &(struct bundle){b, 2}, arena, &files), 3);
    ck_assert(files[0].mark == '~' && str_is(files[0].name, "facts.yaml"));
    ck_assert(files[1].mark == '-' && str_is(files[1].name, "moments/b.yaml"));
    ck_assert(files[2].mark == '+' && str_is(files[2].name, "moments/c.yaml"));
    arena_free(arena);
}
END_TEST

SUITE_MAIN("rules change", each_moment_says_what_changes_and_what_becomes_of_those_under_way,
           where_nothing_was_in_force_all_is_new, files_that_differ_are_named_in_order)
