/* Programs from outside: slots, constants, types, listing, limits. */
#include <check.h>

#include "rules/cel/program.h"
#include "tests/support/cel_table.h"
#include "tests/support/suite.h"

struct fixture {
    struct arena *arena;
    struct diags diags;
};

static const struct cel_program *compile(struct fixture *f, enum table_mode mode, const char *text,
                                         const struct cel_type *want)
{
    struct cel_env env = table_env(mode);
    const struct cel_program *program;

    if (f->arena == NULL)
        f->arena = arena_new(0);
    program =
        cel_compile(&env, str_of(text), (struct place){NULL, 1, 1}, want, f->arena, &f->diags);
    ck_assert_msg(program != NULL, "%s", text);
    return program;
}

static void fixture_free(struct fixture *f)
{
    diags_free(&f->diags);
    arena_free(f->arena);
}

START_TEST(a_program_names_its_slots_once_and_ascending)
{
    struct fixture f = {0};
    size_t count;
    const uint32_t *slots = cel_program_slots(
        compile(&f, TABLE_STRICT,
                "customer.country == s && i > 0 || has(customer.country) || i < 3", NULL),
        &count);

    ck_assert_uint_eq(count, 3);
    ck_assert_uint_eq(slots[0], 100);
    ck_assert_uint_eq(slots[1], 103);
    ck_assert_uint_eq(slots[2], 113);
    fixture_free(&f);
}
END_TEST

START_TEST(what_cannot_change_is_known_when_compiled)
{
    static const struct {
        const char *text;
        bool constant;
    } cases[] = {
        {"1 + 2 == 3", true},
        {"false && i > 3", true},
        {"i > 3 || true", true},
        {"i > 3", false},
        {"true ? 1 : i", true},
        {"false ? 1 : i", false},
        {"[1, 2].all(x, x > 0)", true},
        {"list.all(x, true)", false},
        {"local(t).getHours() > 25", false},
        {"days(14) > hours(1)", true},
        {"b && false", true},
        {"b && true", false},
        {"[1].map(x, x + i)", false},
        {"optional.none().hasValue()", true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f = {0};
        struct value v;
        const struct cel_program *program = compile(&f, TABLE_MOMENT, cases[i].text, NULL);
        ck_assert_msg(cel_program_constant(program, &v) == cases[i].constant, "%s", cases[i].text);
        fixture_free(&f);
    }
}
END_TEST

START_TEST(every_expression_has_a_type)
{
    static const struct {
        const char *text, *type;
    } cases[] = {
        {"i + 1", "int"},
        {"i > 1", "bool"},
        {"[1, 2]", "list(int)"},
        {"[1, 'a']", "list(dyn)"},
        {"[]", "list(dyn)"},
        {"[[], [[1]], []]", "list(list(list(int)))"},
        {"[optional.of(1), optional.of(dyn(1))]", "list(optional(dyn))"},
        {"b ? [] : [1]", "list(int)"},
        {"b ? (b ? [] : [1, ?optional.none()]) : ['a']", "list(dyn)"},
        {"b ? google.protobuf.Struct{fields: {s: i}} : {1: 2}", "map(dyn, dyn)"},
        {"list.slice(0, 1)", "list(int)"},
        {"['b', 'a'].sortBy(x, size(x))", "list(string)"},
        {"lists.range(3)", "list(int)"},
        {"{'a': 1.5}", "map(string, double)"},
        {"list.map(x, string(x))", "list(string)"},
        {"list.filter(x, x > 1)", "list(int)"},
        {"m.a", "dyn"},
        {"m.a + 1", "int"},
        {"t - t", "duration"},
        {"t - days(1)", "timestamp"},
        {"customer.pad_mm['V1']", "double"},
        {"b ? list : []", "list(int)"},
        {"b ? 1 : 2.5", "double"},
        {"i * 1.5", "double"},
        {"s.split('x')", "list(string)"},
        {"m.?a", "optional(dyn)"},
        {"list[?0].orValue(1)", "int"},
        {"type(i)", "type"},
        {"dyn(i)", "dyn"},
        {"has(m.a)", "bool"},
        {"list.transformMap(i, x, x > 1)", "map(int, bool)"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f = {0};
        struct buf got = {0};
        cel_type_print(&got, cel_program_type(compile(&f, TABLE_MOMENT, cases[i].text, NULL)));
        ck_assert_msg(str_is(buf_str(&got), cases[i].type), "%s: %s", cases[i].text,
                      buf_text(&got));
        buf_free(&got);
        fixture_free(&f);
    }
}
END_TEST

START_TEST(a_listing_shows_what_runs)
{
    struct fixture f = {0};
    struct buf got = {0};

    cel_disassemble(&got, compile(&f, TABLE_MOMENT,
                                  "event.data.weight_kg > 3 * 500 && has(customer.score)", NULL));
    ck_assert_str_eq(buf_text(&got), "   0 TEST GT event.data.weight_kg #111 1500\n"
                                     "   1 JUMP_FALSE -> 4\n"
                                     "   2 HAS_SLOT customer.score #114\n"
                                     "   3 AND -> 4\n"
                                     "   4 RETURN\n"
                                     "test 1: event.data.weight_kg #111 > 1500 ? 0 : false\n"
                                     "test 0: has customer.score #114 ? true : false\n");
    buf_free(&got);
    fixture_free(&f);
}
END_TEST

/* Also far apart: a hundred other texts stand between them. */
START_TEST(a_text_is_kept_once)
{
    struct fixture f = {0};
    struct buf text = {0};
    const struct cel_program *program;

    buf_put_text(&text, "s == 'kept once' + s");
    for (int i = 0; i < 100; i++)
        buf_put_format(&text, " || s == 'text %d' + s", i % 50);
    buf_put_text(&text, " || 'kept once' in m || s.contains('kept once')");
    program = compile(&f, TABLE_STRICT, buf_text(&text), NULL);
    ck_assert_uint_eq(program->constant_count, 51);
    buf_free(&text);
    fixture_free(&f);
}
END_TEST

START_TEST(a_wanted_type_is_kept_when_running)
{
    struct fixture f = {0};
    struct cel_input input = table_input(NULL);
    struct value v = cel_eval(compile(&f, TABLE_MOMENT, "m.a", &cel_bool), &input, f.arena);

    ck_assert_int_eq(v.kind, VALUE_ERROR);
    v = cel_eval(compile(&f, TABLE_MOMENT, "i", &cel_double), &input, f.arena);
    ck_assert_int_eq(v.kind, VALUE_DOUBLE);
    v = cel_eval(compile(&f, TABLE_MOMENT, "b", &cel_bool), &input, f.arena);
    ck_assert_int_eq(v.kind, VALUE_BOOL);
    fixture_free(&f);
}
END_TEST

START_TEST(no_expression_runs_away)
{
    static const char *const hungry[] = {
        "list.map(a, list.map(b, list.map(c, list.map(d, list.map(e, list.map(f, list.map(g, "
        "list.map(h, list.map(i, list.map(j, list.map(k, list)))))))))))",
        "cel.bind(a, s + s + s + s, cel.bind(b, a + a + a + a, cel.bind(c, b + b + b + b, "
        "cel.bind(d, c + c + c + c, cel.bind(e, d + d + d + d, cel.bind(f, e + e + e + e, "
        "cel.bind(g, f + f + f + f, cel.bind(h, g + g + g + g, cel.bind(i, h + h + h + h, "
        "i + i + i + i)))))))))",
        "cel.bind(a, list + list + list, cel.bind(b, a + a + a + a + a, cel.bind(c, b + b + b + b, "
        "cel.bind(d, c + c + c + c, cel.bind(e, d + d + d + d, cel.bind(f, e + e + e + e, "
        "cel.bind(g, f + f + f + f, g.all(x, g.all(y, x == y)))))))))",
        "list.all(x, list.all(y, list.all(z, (s + 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')"
        ".matches('^t(ext)(a+)+$'))))",
    };

    for (size_t i = 0; i < sizeof hungry / sizeof hungry[0]; i++) {
        struct fixture f = {0};
        struct cel_input input = table_input(NULL);
        const struct cel_program *program = compile(&f, TABLE_STRICT, hungry[i], NULL);
        size_t before = arena_bytes(f.arena);
        struct value v = cel_eval(program, &input, f.arena);
        ck_assert_msg(i == 3 || v.kind == VALUE_ERROR, "%zu", i);
        ck_assert_uint_lt(arena_bytes(f.arena) - before, 8 * 1024 * 1024);
        fixture_free(&f);
    }
}
END_TEST

/* Of the sanitizer that tests run with; gcc has the function and not the header. */
int __sanitizer_install_malloc_and_free_hooks(void (*took)(const volatile void *, size_t),
                                              void (*freed)(const volatile void *));

static size_t heap_count; /* blocks taken since counting began */

static void count_block(const volatile void *block, size_t bytes)
{
    (void)block;
    (void)bytes;
    heap_count++;
}

static void no_count(const volatile void *block)
{
    (void)block;
}

/* Neither of the arena nor of the heap. */
START_TEST(what_builds_nothing_takes_no_memory)
{
    static const char *const frugal[] = {
        "i == 7",
        "i > 3 && d < 3.0 && s == 'text'",
        "event.data.weight_kg > 1.2 * d",
        "s in ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'text']",
        "i in [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]",
        "s.startsWith('te') || s.contains('xt')",
        "s.matches('^te+xt$')",
        "t > timestamp('2026-01-01T00:00:00Z') && t.getHours() < 24",
        "t - duration('1h') < t",
        "list.all(x, x > 0) && list.exists(x, x == 3) && list.exists_one(x, x == 1)",
        "has(m.a) && m.a == 1 && m['b'] > 2.0",
        "local(t).getHours() >= 9 ? span > hours(1) : b",
        "s.size() + list.size() == i",
        "!b || has(customer.score) || has(customer.country)",
        "customer.country == 'NL' && i >= 3 && d > 2.0",
        "i > 500 ? d > 50.0 : d > 2.0",
        "customer.country in ['NL', 'BE'] && !(i in [1, 2, 3])",
        "customer.pad_mm['V1'] < 3.0 || customer.missed['x'] == 0",
        "s == 'text' || 1 / (i - 7) > 0",
        "m.exists(k, k == 'b') && m.all(k, v, v > 0.5)",
        "t.getDayOfWeek('Europe/Amsterdam') == 0 && int(d) == 2 && double(i) / 2.0 == 3.5",
        "math.greatest(i, d) == 7 && math.abs(-d) > 2.0 && s.indexOf('x') == 2",
        "list == list && m == m && type(i) == int && u == 5u && n == null",
    };

    ck_assert_int_ne(__sanitizer_install_malloc_and_free_hooks(count_block, no_count), 0);
    for (size_t i = 0; i < sizeof frugal / sizeof frugal[0]; i++) {
        struct fixture f = {0};
        struct cel_input input = table_input(zone_find(STR("Europe/Amsterdam")));
        const struct cel_program *program = compile(&f, TABLE_MOMENT, frugal[i], NULL);
        size_t heap;
        struct value v;
        size_t before = arena_bytes(f.arena);
        cel_eval(program, &input, f.arena); /* the first run of a process reads zone data */
        heap_count = 0;
        v = cel_eval(program, &input, f.arena);
        heap = heap_count;
        ck_assert_msg(v.kind == VALUE_BOOL, "%s", frugal[i]);
        ck_assert_msg(heap == 0, "%s takes %zu blocks of the heap", frugal[i], heap);
        ck_assert_msg(arena_bytes(f.arena) == before, "%s takes %zu bytes", frugal[i],
                      arena_bytes(f.arena) - before);
        fixture_free(&f);
    }
}
END_TEST

START_TEST(values_print_as_people_read_them)
{
    static const struct {
        double number;
        const char *text;
    } cases[] = {{1900, "1900"},
                 {0.1, "0.1"},
                 {-2.5, "-2.5"},
                 {1e21, "1e+21"},
                 {1e20, "100000000000000000000"},
                 {0.00001, "0.00001"},
                 {1e-7, "1e-07"},
                 {123456.789, "123456.789"},
                 {1.0 / 3, "0.3333333333333333"},
                 {5e-324, "5e-324"},
                 {1.7976931348623157e308, "1.7976931348623157e+308"},
                 {0, "0"}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf got = {0};
        cel_print(&got, value_double(cases[i].number));
        ck_assert_str_eq(buf_text(&got), cases[i].text);
        buf_free(&got);
    }
    ck_assert(cel_equal(value_int(1), value_double(1.0)));
    ck_assert(!cel_equal(value_int(1), value_string(STR("1"))));
}
END_TEST

START_TEST(without_the_checker_errors_come_when_running)
{
    static const struct {
        const char *text;
        enum value_kind kind;
    } cases[] = {
        {"1 == 1.0", VALUE_BOOL},
        {"nobody || true", VALUE_BOOL},
        {"nobody.knows && b", VALUE_ERROR},
        {"f_unknown(17) || true", VALUE_BOOL},
        {"s + 1", VALUE_ERROR},
        {"'horses' && false", VALUE_BOOL},
        {"b ? 'cows' : 17", VALUE_STRING},
        {"s.as() || true", VALUE_BOOL},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena *arena = arena_new(0);
        struct diags diags = {0};
        struct cel_env env = table_env(TABLE_STRICT);
        struct cel_input input = table_input(NULL);
        env.unchecked = true;
        const struct cel_program *program = cel_compile(
            &env, str_of(cases[i].text), (struct place){NULL, 1, 1}, NULL, arena, &diags);
        ck_assert_msg(program != NULL, "%s", cases[i].text);
        ck_assert_msg(cel_eval(program, &input, arena).kind == cases[i].kind, "%s", cases[i].text);
        diags_free(&diags);
        arena_free(arena);
    }
}
END_TEST

SUITE_MAIN("cel programs", a_program_names_its_slots_once_and_ascending,
           what_cannot_change_is_known_when_compiled, every_expression_has_a_type,
           a_listing_shows_what_runs, a_text_is_kept_once, a_wanted_type_is_kept_when_running,
           no_expression_runs_away, what_builds_nothing_takes_no_memory,
           values_print_as_people_read_them, without_the_checker_errors_come_when_running)
