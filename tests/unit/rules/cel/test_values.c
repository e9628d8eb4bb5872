/* Literals, operators, conversions, containers: expression -> value. */
#include "tests/support/cel_table.h"
#include "tests/support/suite.h"

START_TEST(literals_of_all_kinds)
{
    static const struct table_case cases[] = {
        {"42", "42"},
        {"-42", "-42"},
        {"0xFF", "255"},
        {"-0x10", "-16"},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"42u", "42u"},
        {"0xFFu", "255u"},
        {"18446744073709551615u", "18446744073709551615u"},
        {"1.5", "1.5"},
        {".5", "0.5"},
        {"1e3", "1000"},
        {"-2.5e-3", "-0.0025"},
        {"true", "true"},
        {"null", "null"},
    };

    TABLE_CHECK(TABLE_STRICT, cases);
}
END_TEST

START_TEST(texts_with_escapes_raw_and_triple)
{
    static const struct table_case cases[] = {
        {"\"a\\nb\"", "\"a\\nb\""},
        {"'\\x41\\u00e9\\U0001F600\\101'", "\"A\xc3\xa9\xf0\x9f\x98\x80"
                                           "A\""},
        {"'\\a\\b\\f\\r\\t\\v' == '\\x07\\x08\\x0c\\x0d\\x09\\x0b'", "true"},
        {"'\\\\ \\' \\\" \\` \\?'", "\"\\\\ ' \\\" ` ?\""},
        {"r'a\\nb'", "\"a\\\\nb\""},
        {"R\"\\d+\"", "\"\\\\d+\""},
        {"'''a 'quoted' \"word\"'''", "\"a 'quoted' \\\"word\\\"\""},
        {"\"\"\"two\nlines\"\"\"", "\"two\\nlines\""},
        {"b'\\xff\\377'", "b\"\\xff\\xff\""},
        {"b'\xc3\xbf'", "b\"\\xc3\\xbf\""},
        {"rb'\\n'", "b\"\\x5cn\""},
        {"br'\\n'", "b\"\\x5cn\""},
        {"size('\xc3\xa9\xf0\x9f\x98\x80')", "2"},
        {"size(b'\xc3\xa9')", "2"},
    };

    TABLE_CHECK(TABLE_STRICT, cases);
}
END_TEST

START_TEST(operators_bind_as_the_language_says)
{
    static const struct table_case cases[] = {
        {"1 + 2 * 3", "7"},
        {"(1 + 2) * 3", "9"},
        {"10 - 3 - 2", "5"},
        {"100 / 10 / 2", "5"},
        {"7 % 4 * 2", "6"},
        {"-2 + 3", "1"},
        {"- i + 1", "-6"},
        {"--i", "7"},
        {"!true || true", "true"},
        {"!(true || true)", "false"},
        {"!!b", "true"},
        {"true || false && false", "true"},
        {"(true || false) && false", "false"},
        {"1 + 1 == 2 && 3 > 2", "true"},
        {"1 < 2 == true", "true"},
        {"1 in [1] == true", "true"},
        {"true ? 1 : false ? 2 : 3", "1"},
        {"false ? 1 : false ? 2 : 3", "3"},
        {"b ? i : 0", "7"},
        {"2 * (3 + 4) - 20 / 3 % 4", "12"},
        {"[1, 2][1] + {'a': 3}.a", "5"},
        {"-list[0]", "-1"},
        {"i // a comment\n + 1", "8"},
    };

    TABLE_CHECK(TABLE_STRICT, cases);
}
END_TEST

START_TEST(arithmetic_that_does_not_fit_is_an_error)
{
    static const struct table_case cases[] = {
        {"9223372036854775807 + 1", "error: integer overflow"},
        {"-9223372036854775808 - 1", "error: integer overflow"},
        {"9223372036854775807 * 2", "error: integer overflow"},
        {"-(-9223372036854775808)", "error: integer overflow"},
        {"-9223372036854775808 / -1", "error: integer overflow"},
        {"-9223372036854775808 % -1", "error: integer overflow"},
        {"18446744073709551615u + 1u", "error: unsigned integer overflow"},
        {"0u - 1u", "error: unsigned integer overflow"},
        {"i / 0", "error: divide by zero"},
        {"i % 0", "error: modulus by zero"},
        {"u / 0u", "error: divide by zero"},
        {"1.0 / 0.0", "Infinity"},
        {"-1.0 / 0.0", "-Infinity"},
        {"0.0 / 0.0", "NaN"},
        {"-7 / 2", "-3"},
        {"-7 % 2", "-1"},
        {"u * 3u - 1u", "14u"},
        {"d * 2.0 + 0.5", "5.5"},
        {"dyn(1) + 1u", "error: no such overload"},
        {"dyn(1) + 1.5", "error: no such overload"},
        {"dyn('a') - dyn('b')", "error: no such overload"},
    };

    TABLE_CHECK(TABLE_STRICT, cases);
}
END_TEST

START_TEST(numbers_compare_on_one_line_whatever_their_kind)
{
    static const struct table_case cases[] = {
        {"dyn(1) == 1.0", "true"},
        {"dyn(1) == 1u", "true"},
        {"dyn(1u) == 1.0", "true"},
        {"dyn(1) == 1.5", "false"},
        {"dyn(-1) < 1u", "true"},
        {"dyn(1u) > -1", "true"},
        {"dyn(1) < 1.5", "true"},
        {"dyn(2.5) >= 2", "true"},
        {"dyn(18446744073709551615u) > 9223372036854775807", "true"},
        {"dyn(1e30) > 9223372036854775807", "true"},
        {"dyn(-1e30) < -9223372036854775808", "true"},
        {"double('NaN') == double('NaN')", "false"},
        {"double('NaN') != double('NaN')", "true"},
        {"double('NaN') < 1.0", "false"},
        {"double('NaN') >= 1.0", "false"},
        {"dyn(1) == 'a'", "false"},
        {"dyn(1) != 'a'", "true"},
        {"dyn(1) < 'a'", "error: no such overload"},
        {"n == null", "true"},
        {"n == 1", "false"},
        {"'a' < 'b'", "true"},
        {"'a' < 'B'", "false"},
        {"'ab' < 'abc'", "true"},
        {"b'a' < b'b'", "true"},
        {"false < true", "true"},
        {"type(1) == int", "true"},
        {"type(t) == google.protobuf.Timestamp", "true"},
        {"type(type(1)) == type", "true"},
        {"type({}) == map && type(null) == null_type && type(1.0) == double", "true"},
        {"type(1u)", "uint"},
    };

    TABLE_CHECK(TABLE_STRICT, cases);
}
END_TEST

START_TEST(lists_and_maps_are_looked_into)
{
    static const struct table_case cases[] = {
        {"[1, 2] + [3]", "[1, 2, 3]"},
        {"[] + []", "[]"},
        {"size(list)", "3"},
        {"list.size()", "3"},
        {"list[2]", "3"},
        {"list[3]", "error: index out of bounds: 3"},
        {"list[-1]", "error: index out of bounds: -1"},
        {"list[dyn(1u)]", "2"},
        {"list[dyn(1.0)]", "2"},
        {"list[dyn(1.5)]", "error: invalid_argument"},
        {"list[dyn('a')]", "error: no such overload"},
        {"2 in list", "true"},
        {"9 in list", "false"},
        {"dyn(2.0) in list", "true"},
        {"'x' in []", "false"},
        {"{'b': 2, 'a': 1}", "{\"b\": 2, \"a\": 1}"},
        {"{'b': 2, 'a': 1} == {'a': 1, 'b': 2}", "true"},
        {"{'b': 2, 'a': 1}.map(k, k)", "[\"b\", \"a\"]"},
        {"{'b': 2, 'a': 1}.transformMap(k, v, v + 1)", "{\"b\": 3, \"a\": 2}"},
        {"{9: 0, 8: 0, 7: 0, 6: 0, 5: 0, 4: 0, 3: 0, 2: 0, 1: 0, 0: 7}.map(k, k)",
         "[9, 8, 7, 6, 5, 4, 3, 2, 1, 0]"},
        {"{9: 0, 8: 0, 7: 0, 6: 0, 5: 0, 4: 0, 3: 0, 2: 0, 1: 0, 0: 7}[0]", "7"},
        {"{9: 0, 8: 0, 7: 0, 6: 0, 5: 0, 4: 0, 3: 0, 2: 0, 1: 0, 9: 7}",
         "error: Failed with repeated key"},
        {"google.protobuf.Struct{fields: {'k': 1, 'j': 1, 'i': 1, 'h': 1, 'g': 1, 'f': 1, "
         "'e': 1, 'd': 1, 'c': 1, 'b': 1, 'a': 2}}.a",
         "2"},
        {"{1: 'x', 2u: 'y', true: 'z', 'k': 'w'}.size()", "4"},
        {"{1: 'x'}[1]", "\"x\""},
        {"{1: 'x'}[dyn(1.0)]", "\"x\""},
        {"{1u: 'x'}[dyn(1)]", "\"x\""},
        {"{'a': 1}.b", "error: no such key: b"},
        {"{'a': 1}['b']", "error: no such key: b"},
        {"{1: 1}[2]", "error: no such key: 2"},
        {"{'a': 1, 'a': 2}", "error: Failed with repeated key"},
        {"{1: 1, 1u: 2}", "error: Failed with repeated key"},
        {"{dyn(1.5): 1}", "error: unsupported key type"},
        {"'a' in {'a': 1}", "true"},
        {"dyn(1u) in {1: 2}", "true"},
        {"{'a': [1, {'b': 2}]}.a[1].b", "2"},
        {"dyn({'a': 1}) == {'a': 1.0}", "true"},
        {"[1, [2]] == [1, [2]]", "true"},
        {"dyn([1, 2]) == [1.0, 2.0]", "true"},
        {"[1, 2] == [2, 1]", "false"},
        {"{'a b': 1}.`a b`", "1"},
        {"'d' in ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']", "true"},
        {"s in ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']", "false"},
        {"i in [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]", "true"},
        {"dyn(d) in [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]", "false"},
        {"dyn(7.0) in [10, 9, 8, i, 6, 5, 4, 3, 2, 1]", "true"},
    };

    TABLE_CHECK(TABLE_STRICT, cases);
}
END_TEST

START_TEST(conversions_keep_to_their_ranges)
{
    static const struct table_case cases[] = {
        {"int(42u)", "42"},
        {"int(-3.9)", "-3"},
        {"int('-12')", "-12"},
        {"int('12x')", "error: type conversion error"},
        {"int(9223372036854775808u)", "error: range"},
        {"int(1e19)", "error: range"},
        {"int(timestamp('1970-01-01T00:01:00Z'))", "60"},
        {"uint(7)", "7u"},
        {"uint(-1)", "error: range"},
        {"uint(3.9)", "3u"},
        {"uint('18446744073709551615')", "18446744073709551615u"},
        {"uint('18446744073709551616')", "error: type conversion error"},
        {"double(3)", "3"},
        {"double('1e3')", "1000"},
        {"double('0x10')", "error: type conversion error"},
        {"double(' 1')", "error: type conversion error"},
        {"string(1.0)", "\"1\""},
        {"string(1900.0)", "\"1900\""},
        {"string(1234567.5)", "\"1234567.5\""},
        {"string(0.1 + 0.2)", "\"0.30000000000000004\""},
        {"string(6.02214e23)", "\"6.02214e+23\""},
        {"string(-1.5e-9)", "\"-1.5e-09\""},
        {"string(0.00012)", "\"0.00012\""},
        {"string(123u)", "\"123\""},
        {"string(true)", "\"true\""},
        {"string(b'abc')", "\"abc\""},
        {"string(b'\\xff')", "error: invalid UTF-8"},
        {"bytes('\xc3\xa9')", "b\"\\xc3\\xa9\""},
        {"bool('true') && bool('1') && !bool('FALSE')", "true"},
        {"bool('yes')", "error: type conversion error"},
        {"string(timestamp('2026-03-02T09:00:00.120+01:00'))", "\"2026-03-02T08:00:00.12Z\""},
        {"string(duration('1m1ms'))", "\"60.001s\""},
        {"string(duration('-1.5s'))", "\"-1.5s\""},
        {"timestamp(0)", "1970-01-01T00:00:00Z"},
        {"timestamp('yesterday')", "error: type conversion error"},
        {"duration('1h30m')", "5400s"},
        {"duration('0')", "0s"},
        {"duration('-1.5h')", "-5400s"},
        {"duration('1d')", "error: type conversion error"},
        {"duration('-')", "error: type conversion error"},
        {"duration('400000h')", "1440000000s"},
        {"duration('4000000h')", "error: "},
        {"type(dyn(1))", "int"},
    };

    TABLE_CHECK(TABLE_STRICT, cases);
}
END_TEST

START_TEST(texts_are_searched_and_cut)
{
    static const struct table_case cases[] = {
        {"s.contains('ex')", "true"},
        {"s.contains('')", "true"},
        {"s.startsWith('te') && s.endsWith('xt')", "true"},
        {"s.startsWith('texts')", "false"},
        {"s.matches('^t.*t$')", "true"},
        {"matches(s, 'e')", "true"},
        {"s.matches('E')", "false"},
        {"s.matches('(?i)E')", "true"},
        {"'a\\n'.matches('a$')", "false"},
        {"s.matches(s)", "true"},
        {"s.matches('(' + s)", "error: invalid regular expression"},
        {"('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab').matches('^(a+)+$')",
         "error: the regular expression takes too long"},
        {"'h\xc3\xa9llo'.charAt(1)", "\"\xc3\xa9\""},
        {"'abc'.charAt(3)", "\"\""},
        {"'abc'.charAt(4)", "error: index out of range"},
        {"'h\xc3\xa9llo'.indexOf('l')", "2"},
        {"'hello'.indexOf('l', 3)", "3"},
        {"'hello'.lastIndexOf('l')", "3"},
        {"'hello'.indexOf('x')", "-1"},
        {"'h\xc3\xa9llo'.substring(1, 3)", "\"\xc3\xa9l\""},
        {"'hello'.substring(3)", "\"lo\""},
        {"'hello'.substring(3, 1)", "error: invalid substring range"},
        {"'TacoCat'.lowerAscii() + 'x'.upperAscii()", "\"tacocatX\""},
        {"'a-b-c'.split('-')", "[\"a\", \"b\", \"c\"]"},
        {"'a-b-c'.split('-', 2)", "[\"a\", \"b-c\"]"},
        {"'h\xc3\xa9'.split('')", "[\"h\", \"\xc3\xa9\"]"},
        {"['a', 'b'].join(', ')", "\"a, b\""},
        {"['a', 'b'].join()", "\"ab\""},
        {"'hello'.replace('l', 'L')", "\"heLLo\""},
        {"'hello'.replace('l', 'L', 1)", "\"heLlo\""},
        {"'ab'.replace('', '-')", "\"-a-b-\""},
        {"'  a b\\t'.trim()", "\"a b\""},
        {"'ab\xc3\xa9'.reverse()", "\"\xc3\xa9"
                                   "ba\""},
        {"strings.quote('a\"b')", "\"\\\"a\\\\\\\"b\\\"\""},
        {"base64.encode(b'hello')", "\"aGVsbG8=\""},
        {"string(base64.decode('aGVsbG8'))", "\"hello\""},
        {"base64.decode('a*')", "error: not base64"},
        {"math.greatest(1, 3, 2)", "3"},
        {"math.least([1.5, -2.0])", "-2"},
        {"math.round(-2.5) + math.abs(-1.0) + math.sqrt(4)", "0"},
        {"math.bitShiftLeft(1, 4) + math.bitAnd(6, 3)", "18"},
    };

    TABLE_CHECK(TABLE_STRICT, cases);
}
END_TEST

START_TEST(a_format_is_filled_from_a_list)
{
    static const struct table_case cases[] = {
        {"'%s is %d%%'.format([s, 40])", "\"text is 40%\""},
        {"'%.2f %e'.format([d, 1500.0])", "\"2.50 1.500000e+03\""},
        {"'%x %X %o %b'.format([255, 255u, 8, -5])", "\"ff FF 10 -101\""},
        {"'%s'.format([{'b': [1, 'x'], 'a': null}])", "\"{a: null, b: [1, x]}\""},
        {"'%x'.format(['hi'])", "\"6869\""},
        {"'%s'.format([])", "error: format: index out of range"},
        {"'%d'.format(['a'])", "error: format: no such overload"},
        {"'%z'.format([1])", "error: format: could not parse"},
        {"'%.999f'.format([1.0])", "error: format: a precision is 0 to 100"},
        {"'%'.format([])", "error: format: could not parse"},
    };

    TABLE_CHECK(TABLE_STRICT, cases);
}
END_TEST

SUITE_MAIN("cel values", literals_of_all_kinds, texts_with_escapes_raw_and_triple,
           operators_bind_as_the_language_says, arithmetic_that_does_not_fit_is_an_error,
           numbers_compare_on_one_line_whatever_their_kind, lists_and_maps_are_looked_into,
           conversions_keep_to_their_ranges, texts_are_searched_and_cut,
           a_format_is_filled_from_a_list)
