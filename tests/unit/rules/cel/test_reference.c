/* The reference is complete and true: everything that can be called has an example, and every
 * example gives what the page says. */
#include <check.h>

#include "rules/cel/funcs.h"
#include "rules/cel/parse.h"
#include "rules/cel/reference.h"
#include "tests/support/cel_table.h"
#include "tests/support/suite.h"

static const struct cel_program *compile(const struct cel_example *example, enum table_mode mode,
                                         struct arena *arena)
{
    struct cel_env env = table_env(mode);
    struct diags diags = {0};
    const struct cel_program *program = cel_compile(
        &env, str_of(example->expression), (struct place){NULL, 1, 1}, NULL, arena, &diags);

    diags_free(&diags);
    return program;
}

/* An example is of plain CEL, unless only moments have what it shows. */
START_TEST(every_example_gives_what_it_says)
{
    const struct cel_example *example;

    for (size_t i = 0; (example = cel_example_at(i)) != NULL; i++) {
        struct arena *arena = arena_new(0);
        struct cel_input input = table_input(zone_find(STR("Europe/Amsterdam")));
        struct buf got = {0};
        const struct cel_program *program;
        if (example->of != NULL) {
            program = compile(example, TABLE_STRICT, arena);
            if (program == NULL)
                program = compile(example, TABLE_MOMENT, arena);
            ck_assert_msg(program != NULL, "%s does not compile", example->expression);
            cel_print_literal(&got, cel_eval(program, &input, arena));
            ck_assert_msg(str_is(buf_str(&got), example->gives), "%s is %s, not %s",
                          example->expression, buf_text(&got), example->gives);
        }
        buf_free(&got);
        arena_free(arena);
    }
}
END_TEST

START_TEST(every_function_and_macro_has_an_example)
{
    static const char *const macros[] = {
#define MACRO(name, vars, args, collect, filtered, usage, text) usage,
#include "rules/cel/macros.def"
#undef MACRO
    };
    const struct cel_func *func;
    size_t number = 0;

    for (size_t i = 0; (func = cel_func_at(i)) != NULL; i++) {
        number = cel_func_find(str_of(func->name)) == i ? 0 : number + 1;
        ck_assert_msg(func->name[0] == '@' || cel_example_find(func->name, number) != NULL,
                      "%s: no example number %zu", func->name, number);
    }
    for (size_t i = 0; i < sizeof macros / sizeof macros[0]; i++)
        ck_assert_msg(cel_example_find(macros[i], 0) != NULL, "%s: no example", macros[i]);
}
END_TEST

START_TEST(every_example_is_of_something)
{
    const struct cel_example *example;

    for (size_t i = 0; (example = cel_example_at(i)) != NULL; i++)
        ck_assert_msg(example->text != NULL || cel_macro_used(example->of) != NULL ||
                          cel_func_find(str_of(example->of)) != SIZE_MAX,
                      "%s", example->of);
}
END_TEST

SUITE_MAIN("cel reference", every_example_gives_what_it_says,
           every_function_and_macro_has_an_example, every_example_is_of_something)
