/* Absorption of errors, macros, has() and slots, optional values: expression -> value. */
#include "tests/support/cel_table.h"
#include "tests/support/suite.h"

START_TEST(and_and_or_absorb_errors_from_either_side)
{
    static const struct table_case cases[] = {
        {"true && true", "true"},
        {"b && i > 3 && d < 3.0 && s == 'text'", "true"},
        {"b && i > 3 && d > 3.0 && s == 'text'", "false"},
        {"i / 0 == 1 && false", "false"},
        {"false && i / 0 == 1", "false"},
        {"i / 0 == 1 && true", "error: divide by zero"},
        {"true && i / 0 == 1", "error: divide by zero"},
        {"i / 0 == 1 || true", "true"},
        {"true || i / 0 == 1", "true"},
        {"i / 0 == 1 || false", "error: divide by zero"},
        {"false || i / 0 == 1", "error: divide by zero"},
        {"i / 0 == 1 && i % 0 == 1", "error: divide by zero"},
        {"i / 0 == 1 && b && i < 0", "false"},
        {"b && i / 0 == 1 && i < 0", "false"},
        {"!b || i / 0 == 1 || i > 0", "true"},
        {"customer.score > 1.0 || b", "true"},
        {"customer.score > 1.0 && !b", "false"},
        {"customer.score > 1.0 && b", "error: no such key: customer.score"},
        {"dyn(1) && false", "false"},
        {"dyn(1) && true", "error: no such overload"},
        {"true && dyn('x')", "error: no such overload"},
        {"dyn(1) || true", "true"},
        {"false || dyn(null)", "error: no such overload"},
        {"i / 0 == 1 ? 1 : 2", "error: divide by zero"},
        {"dyn(1) ? 1 : 2", "error: no such overload"},
        {"b ? 1 : i / 0", "1"},
        {"!b ? i / 0 : 2", "2"},
        {"!(i / 0 == 1)", "error: divide by zero"},
        {"[i / 0, 1]", "error: divide by zero"},
        {"{'a': i / 0}", "error: divide by zero"},
        {"size([i / 0])", "error: divide by zero"},
    };

    TABLE_CHECK(TABLE_STRICT, cases);
}
END_TEST

START_TEST(macros_go_over_lists_and_keys)
{
    static const struct table_case cases[] = {
        {"list.all(x, x > 0)", "true"},
        {"list.all(x, x > 1)", "false"},
        {"[].all(x, false)", "true"},
        {"list.exists(x, x == 2)", "true"},
        {"list.exists(x, x == 9)", "false"},
        {"[].exists(x, true)", "false"},
        {"list.exists_one(x, x > 2)", "true"},
        {"list.exists_one(x, x > 1)", "false"},
        {"list.existsOne(x, x > 2)", "true"},
        {"list.map(x, x * 2)", "[2, 4, 6]"},
        {"list.map(x, x > 1, x * 2)", "[4, 6]"},
        {"list.filter(x, x % 2 == 1)", "[1, 3]"},
        {"list.all(x, i / (x - 2) > 100)", "false"},
        {"list.exists(x, 6 / (x - 2) == 6)", "true"},
        {"list.all(x, x > 0 || i / 0 > 0)", "true"},
        {"list.all(x, i / (x - 2) > -100)", "error: divide by zero"},
        {"list.exists(x, i / (x - 2) > 100)", "error: divide by zero"},
        {"list.exists_one(x, i / (x - 1) > 0)", "error: divide by zero"},
        {"list.map(x, i / (x - 2))", "error: divide by zero"},
        {"list.filter(x, i / (x - 2) > 0)", "error: divide by zero"},
        {"list.map(x, i / (x - 1) > 0, x)", "error: divide by zero"},
        {"{'a': 1, 'b': 2}.map(k, k + '!')", "[\"a!\", \"b!\"]"},
        {"{'a': 1, 'b': 2}.exists(k, k == 'b')", "true"},
        {"m.all(k, k < 'c')", "true"},
        {"m.filter(k, m[k] > 2)", "[\"b\"]"},
        {"list.map(x, list.map(y, x * y))", "[[1, 2, 3], [2, 4, 6], [3, 6, 9]]"},
        {"list.map(x, list.filter(y, y < x).size())", "[0, 1, 2]"},
        {"list.exists(i, i == 1) && i == 7", "true"},
        {"list.map(s, s)", "[1, 2, 3]"},
        {"list.map(x, .i + x)", "[8, 9, 10]"},
        {"list.map(i, .i + i)", "[8, 9, 10]"},
        {"dyn(1).all(x, true)", "error: no such overload"},
        {"list.all(x, dyn(x))", "error: no such overload"},
        {"list.all(i, x, i < x)", "true"},
        {"list.transformList(i, x, i * x)", "[0, 2, 6]"},
        {"list.transformList(i, x, i > 0, x)", "[2, 3]"},
        {"{'a': 1}.transformMap(k, v, k + string(v))", "{\"a\": \"a1\"}"},
        {"{'a': 1, 'b': 2}.transformMap(k, v, v > 1, v)", "{\"b\": 2}"},
        {"{'a': 'x'}.transformMapEntry(k, v, {v: k})", "{\"x\": \"a\"}"},
        {"list.transformMapEntry(i, x, {'same': x})", "error: Failed with repeated key"},
        {"cel.bind(x, i + 1, x * x)", "64"},
        {"cel.bind(x, i / 0, true)", "true"},
    };

    TABLE_CHECK(TABLE_STRICT, cases);
}
END_TEST

START_TEST(has_asks_slots_maps_and_what_is_behind_them)
{
    static const struct table_case cases[] = {
        {"has(customer.country)", "true"},
        {"has(customer.score)", "false"},
        {"customer.score", "error: no such key: customer.score"},
        {"has(event.data.pads.front)", "true"},
        {"has(event.data.pads.rear)", "false"},
        {"event.data.pads.front", "3"},
        {"event.data.pads.rear", "error: no such key: rear"},
        {"has(event.none.deep)", "false"},
        {"has(m.a)", "true"},
        {"has(m.c)", "false"},
        {"has({'a': 1}.a)", "true"},
        {"has({'a': {'b': 1}}.a.c)", "false"},
        {"has({'a': {'b': 1}}.c.b)", "error: no such key: c"},
        {"[{'a': 1}, {'b': 2}].filter(x, has(x.a))", "[{\"a\": 1}]"},
        {"has(dyn(1).a)", "error: no such overload"},
        {"event['data'].vin", "\"V1\""},
        {"event[\"data\"][\"weight_kg\"]", "1900"},
        {"customer.pad_mm[event.data.vin]", "2.8"},
        {"customer.pad_mm['V1']", "2.8"},
        {"customer.pad_mm['V2']", "error: no such key: V2"},
        {"'V1' in customer.pad_mm", "true"},
        {"customer.missed['V1'] + customer.missed[s]", "4"},
        {"customer.missed.V9", "0"},
        {"has(customer.missed.V9)", "false"},
        {"'V9' in customer.missed", "false"},
        {"(customer.country)", "\"NL\""},
        {"wrong", "error: wrong has another type than declared"},
        {"wrong + 1", "error: wrong has another type than declared"},
        {"n.x", "error: no such overload"},
        {"m.b > 2.0", "true"},
    };

    TABLE_CHECK(TABLE_STRICT, cases);
}
END_TEST

START_TEST(optional_values_hold_or_hold_not)
{
    static const struct table_case cases[] = {
        {"m.?a", "optional.of(1)"},
        {"m.?c", "optional.none()"},
        {"m.?c.d", "optional.none()"},
        {"m[?'a'].value()", "1"},
        {"list[?9]", "optional.none()"},
        {"list[?0].orValue(5)", "1"},
        {"list[?9].orValue(5)", "5"},
        {"m.?c.orValue('none')", "\"none\""},
        {"m.?a.orValue(i / 0)", "1"},
        {"optional.none().or(optional.of(2)).value()", "2"},
        {"optional.none().value()", "error: optional.none() dereference"},
        {"optional.of(1).hasValue()", "true"},
        {"optional.ofNonZeroValue('').hasValue()", "false"},
        {"optional.of(2).optMap(x, x * 2)", "optional.of(4)"},
        {"optional.none().optMap(x, x)", "optional.none()"},
        {"optional.of(m).optFlatMap(x, x.?b)", "optional.of(2.5)"},
        {"[?m.?a, ?m.?c, 3]", "[1, 3]"},
        {"{?'x': m.?a, ?'y': m.?c}", "{\"x\": 1}"},
        {"optional.of(dyn(1)) == optional.of(1.0)", "true"},
        {"optional.none() == optional.none()", "true"},
    };

    TABLE_CHECK(TABLE_STRICT, cases);
}
END_TEST

SUITE_MAIN("cel logic", and_and_or_absorb_errors_from_either_side, macros_go_over_lists_and_keys,
           has_asks_slots_maps_and_what_is_behind_them, optional_values_hold_or_hold_not)
