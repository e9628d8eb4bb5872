/* A condition that is nothing but tests runs as a graph; whatever the slots hold, it says what the
 * bytecode says. */
#include <check.h>
#include <math.h>

#include "rules/cel/program.h"
#include "tests/support/suite.h"

enum { SLOTS = 6 };

/* A slot of each type that a test can be made of, named by its first letter. */
static struct cel_found resolve(void *context, const struct str *path, size_t count)
{
    static const struct cel_type *const types[SLOTS] = {&cel_bool,   &cel_int, &cel_double,
                                                        &cel_string, &cel_dyn, &cel_uint};
    const char *names = "bidsyu", *at = strchr(names, path[0].data[0]);

    (void)context;
    if (at == NULL || path[0].len != 1)
        return (struct cel_found){0};
    return (struct cel_found){.result = CEL_SLOT,
                              .slot = (uint32_t)(at - names),
                              .type = types[at - names],
                              .taken = count};
}

static struct value load(void *context, uint32_t slot)
{
    return ((const struct value *)context)[slot];
}

static const struct value held[] = {
    {.kind = VALUE_ABSENT},
    {.kind = VALUE_NULL},
    {.kind = VALUE_BOOL, .boolean = false},
    {.kind = VALUE_BOOL, .boolean = true},
    {.kind = VALUE_INT, .i = -1},
    {.kind = VALUE_INT, .i = 3},
    {.kind = VALUE_INT, .i = INT64_MAX},
    {.kind = VALUE_UINT, .u = 3},
    {.kind = VALUE_DOUBLE, .d = 3.0},
    {.kind = VALUE_DOUBLE, .d = 2.5},
    {.kind = VALUE_DOUBLE, .d = -0.0},
    {.kind = VALUE_DOUBLE, .d = NAN},
    {.kind = VALUE_DOUBLE, .d = INFINITY},
    {.kind = VALUE_STRING},
    {.kind = VALUE_STRING, .n = 2, .text = "NL"},
    {.kind = VALUE_STRING, .n = 3, .text = "NLx"},
    {.kind = VALUE_STRING, .n = 1, .text = "g"},
    {.kind = VALUE_BYTES, .n = 2, .text = "NL"},
    {.kind = VALUE_TIMESTAMP, .i = 3},
    {.kind = VALUE_ERROR, .n = 4, .text = "gone"},
};
enum { HELD = sizeof held / sizeof held[0] };

/* What a program says of every mixture of two of the values, one after the other. */
static struct buf answers(struct cel_env env, const char *text, bool graph)
{
    struct arena *arena = arena_new(0);
    struct diags diags = {0};
    struct buf said = {0};
    const struct cel_program *program;

    env.unfolded = !graph;
    program = cel_compile(&env, str_of(text), (struct place){NULL, 1, 1}, NULL, arena, &diags);
    ck_assert_msg(program != NULL, "%s: %s", text, diags.count > 0 ? diags.items[0].what : "");
    ck_assert_msg((program->test_count > 0) == graph, "%s", text);
    for (size_t i = 0; i < HELD; i++)
        for (size_t j = 0; j < HELD; j++) {
            struct value slots[SLOTS];
            struct cel_input input = {.context = slots, .load = load};
            for (size_t k = 0; k < SLOTS; k++)
                slots[k] = held[k % 2 == 0 ? i : j];
            cel_print(&said, cel_eval(program, &input, arena));
            buf_put_char(&said, '\n');
        }
    diags_free(&diags);
    arena_free(arena);
    return said;
}

static const char *const conditions[] = {
    "b",
    "!b",
    "y",
    "!y",
    "b == true",
    "b != true",
    "y == false",
    "i == 3",
    "i != 3",
    "i < 3",
    "i <= 3",
    "i > 3",
    "i >= 3",
    "d == 3.0",
    "d != 3.0",
    "d < 3.0",
    "d <= 3.0",
    "d > 3.0",
    "d >= 3.0",
    "d != 0.0",
    "s == 'NL'",
    "s != 'NL'",
    "s == ''",
    "y == 3",
    "y == 3.0",
    "y < 3",
    "y >= 2.5",
    "y == 'NL'",
    "has(s.x)",
    "!has(i.x)",
    "i in [1, 2, 3]",
    "s in ['BE', 'NL']",
    "y in ['BE', 'NL']",
    "!(d in [1.0, 3.0])",
    "i in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]",
    "s in ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']",
    "y in ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']",
    "b && i > 2",
    "b || i > 2",
    "i > 2 && b || d < 3.0 && s == 'NL'",
    "!(i > 2 && b) && (d < 3.0 || !(s == 'NL'))",
    "b ? i > 2 : d > 2.0",
    "(b ? y == 3 : has(s.x)) ? b || i == 3 : !(d >= 3.0)",
    "b || 1 == 1 && i > 2",
};

START_TEST(a_graph_says_what_the_bytecode_says)
{
    struct cel_env env = {.resolve = resolve};

    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++)
        for (int mode = 0; mode < 3; mode++) {
            struct buf graph, bytecode;
            env.unchecked = mode == 1;
            env.mixed_numbers = env.own_functions = mode == 2;
            graph = answers(env, conditions[i], true);
            bytecode = answers(env, conditions[i], false);
            ck_assert_msg(str_equal(buf_str(&graph), buf_str(&bytecode)), "%s in mode %d",
                          conditions[i], mode);
            buf_free(&graph);
            buf_free(&bytecode);
        }
}
END_TEST

START_TEST(what_is_more_than_tests_has_no_graph)
{
    static const char *const others[] = {
        "i + 1 > 3",        "i > 3 && s.startsWith('a')",
        "s < 'NL'",         "u == 3u",
        "i == 3.0",         "i == y",
        "i in [1, 2.0]",    "s in []",
        "(b && b) == true", "[b].all(x, x)",
        "b ? i : 3",        "true",
    };

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct cel_env env = {.resolve = resolve, .unchecked = true};
        struct arena *arena = arena_new(0);
        struct diags diags = {0};
        const struct cel_program *program =
            cel_compile(&env, str_of(others[i]), (struct place){NULL, 1, 1}, NULL, arena, &diags);
        ck_assert_msg(program != NULL && program->test_count == 0, "%s", others[i]);
        diags_free(&diags);
        arena_free(arena);
    }
}
END_TEST

SUITE_MAIN("cel graphs", a_graph_says_what_the_bytecode_says, what_is_more_than_tests_has_no_graph)
