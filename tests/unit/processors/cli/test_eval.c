#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "processors/cli/cli.h"
#include "processors/cli/eval_lines.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"

/* What `attent eval ...` prints to standard output, its exit code checked. */
static void prints(int code, const char *text, const char *one, const char *two, const char *three)
{
    const char *path = scratch_path(scratch_dir(), "stdout");
    char *argv[] = {(char *)(uintptr_t) "eval", (char *)(uintptr_t)one, (char *)(uintptr_t)two,
                    (char *)(uintptr_t)three, NULL};
    char *printed;

    ck_assert_ptr_nonnull(freopen(path, "w", stdout));
    ck_assert_int_eq(verb_eval(three != NULL ? 4 : two != NULL ? 3 : 2, argv), code);
    fflush(stdout);
    printed = scratch_read(path, NULL);
    ck_assert_str_eq(printed, text);
    free(printed);
}

START_TEST(a_value_is_printed)
{
    prints(EXIT_FINE, "7\n", "1 + 2 * 3", NULL, NULL);
    prints(EXIT_FINE, "true\n", "'ab'.startsWith('a')", NULL, NULL);
    prints(EXIT_FINE, "\"ab\"\n", "'a' + 'b'", "--json", NULL);
}
END_TEST

START_TEST(an_event_is_read_from_a_file)
{
    const char *file = scratch_write(scratch_dir(), "e.json", "{\"data\":{\"weight_kg\":1900.0}}");

    prints(EXIT_FINE, "true\n", "event.data.weight_kg > 1500.0", "--event", file);
    prints(EXIT_FINE, "true\n", "has(customer.data)", "--customer", file);
    prints(EXIT_FINE, "false\n", "has(event.data.vin)", "--event", file);
    prints(EXIT_FINDINGS, "", "event.data.vin == ''", "--event", file);
    prints(EXIT_CONFIG, "", "event", "--event", "/no/such/file");
    prints(EXIT_FINDINGS, "", "event", "--event", scratch_write(scratch_dir(), "b.json", "{"));
}
END_TEST

START_TEST(what_is_wrong_ends_with_1)
{
    prints(EXIT_FINDINGS, "", "1 +", NULL, NULL);
    prints(EXIT_FINDINGS, "", "event.data", NULL, NULL);
    prints(EXIT_FINDINGS, "", "1 / 0", NULL, NULL);
    prints(EXIT_USAGE, "", "1", "2", NULL);
    prints(EXIT_USAGE, "", "1", "--lines", NULL);
    prints(EXIT_USAGE, "", "--json", NULL, NULL);
}
END_TEST

START_TEST(a_trace_shows_the_parts_under_the_source)
{
    prints(EXIT_FINE, "1 + 2 > 3\n  ^ 3\n      ^ false\nfalse\n", "1 + 2 > 3", "--trace", NULL);
    prints(EXIT_FINE, "'ä' + 'b'\n    ^ äb\näb\n", "'ä' + 'b'", "--trace", NULL);
    prints(EXIT_FINE, "1 > 2 ||\n  ^ false\n      ^ true\n 3 > 2\n   ^ true\ntrue\n",
           "1 > 2 ||\n 3 > 2", "--trace", NULL);
}
END_TEST

START_TEST(a_trace_shows_what_is_inside_a_macro_for_each_item)
{
    prints(EXIT_FINE,
           "[1, 2].map(x, x * 2)\n^ [1, 2]\n       ^ [2, 4]\n              ^ [1, 2]\n"
           "                ^ [2, 4]\n[2, 4]\n",
           "[1, 2].map(x, x * 2)", "--trace", NULL);
    prints(EXIT_FINE,
           "cel.bind(x, 1 + 1, x > 1)\n    ^ true\n              ^ 2\n"
           "                   ^ 2\n                     ^ true\ntrue\n",
           "cel.bind(x, 1 + 1, x > 1)", "--trace", NULL);
    prints(EXIT_FINE,
           "['b', 'a'].sortBy(x, x)\n^ [\"b\", \"a\"]\n           ^ [\"a\", \"b\"]\n"
           "                     ^ [\"b\", \"a\"]\n[\"a\", \"b\"]\n",
           "['b', 'a'].sortBy(x, x)", "--trace", NULL);
}
END_TEST

static void answers(const char *line, const char *answer)
{
    struct arena *arena = arena_new(0);
    struct buf out = {0};

    eval_line(str_of(line), arena, &out);
    ck_assert_str_eq(buf_text(&out), answer);
    buf_free(&out);
    arena_free(arena);
}

START_TEST(every_kind_of_value_comes_back_as_it_went_in)
{
    static const char *const values[] = {
        "{\"null\":null}",
        "{\"bool\":true}",
        "{\"int\":\"-9223372036854775808\"}",
        "{\"uint\":\"18446744073709551615\"}",
        "{\"double\":1.5}",
        "{\"double\":\"NaN\"}",
        "{\"double\":\"-Infinity\"}",
        "{\"string\":\"ä\"}",
        "{\"bytes\":\"AP8=\"}",
        "{\"list\":[{\"int\":\"1\"},{\"string\":\"\"}]}",
        "{\"map\":[[{\"string\":\"a\"},{\"list\":[]}]]}",
        "{\"type\":\"int\"}",
        "{\"timestamp\":\"2009-02-13T23:31:30Z\"}",
        "{\"duration\":\"-1.5s\"}",
        "{\"optional\":{\"int\":\"1\"}}",
        "{\"optional\":null}",
    };

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char line[256], answer[256];
        snprintf(line, sizeof line, "{\"expr\":\"x\",\"bindings\":{\"x\":%s}}", values[i]);
        snprintf(answer, sizeof answer, "{\"value\":%s}\n", values[i]);
        answers(line, answer);
    }
}
END_TEST

START_TEST(names_are_looked_for_in_the_container_from_the_inside_out)
{
#define NAMES                                                                                      \
    "\"bindings\":{\"a.b.x\":{\"int\":\"1\"},\"a.x\":{\"int\":\"2\"},\"x\":{\"int\":\"3\"}}"
    answers("{\"expr\":\"x\",\"container\":\"a.b\"," NAMES "}", "{\"value\":{\"int\":\"1\"}}\n");
    answers("{\"expr\":\"x\",\"container\":\"a.c\"," NAMES "}", "{\"value\":{\"int\":\"2\"}}\n");
    answers("{\"expr\":\".x\",\"container\":\"a.b\"," NAMES "}", "{\"value\":{\"int\":\"3\"}}\n");
    answers("{\"expr\":\"b.x\",\"container\":\"a\"," NAMES "}", "{\"value\":{\"int\":\"1\"}}\n");
#undef NAMES
}
END_TEST

START_TEST(a_line_may_ask_for_the_type_or_for_no_checks)
{
    answers("{\"expr\":\"[x]\",\"check_only\":true,\"type_env\":{\"x\":\"map(string, int)\"}}",
            "{\"type\":\"list(map(string, int))\"}\n");
    answers("{\"expr\":\"true || 1 == '1'\",\"disable_check\":true}",
            "{\"value\":{\"bool\":true}}\n");
    answers("{\"expr\":\"[1].all(x, true)\",\"disable_macros\":true,\"disable_check\":true}",
            "{\"error\":\"no such overload: all\"}\n");
    answers("{\"expr\":\"x\",\"type_env\":{\"x\":\"int\"}}", "{\"error\":\"no such key: x\"}\n");
}
END_TEST

START_TEST(a_line_that_is_no_request_gives_an_error_line)
{
    answers("[1]", "{\"error\":\"a line is an object: {\\\"expr\\\": \\\"1 + 2\\\"}\"}\n");
    answers("{\"expr\":\"1\",\"container\":7}",
            "{\"error\":\"\\\"container\\\" is a text: \\\"a.b\\\"\"}\n");
    answers("{\"expr\":\"1\",\"check_only\":\"yes\"}",
            "{\"error\":\"\\\"check_only\\\" is true or false\"}\n");
    answers("{\"expr\":\"1\",\"container\":null,\"bindings\":null,\"type_env\":null}",
            "{\"value\":{\"int\":\"1\"}}\n");
    answers("{}", "{\"error\":\"\\\"expr\\\", a text, is missing\"}\n");
    answers("{\"expr\":\"x\",\"bindings\":{\"x\":{\"int\":\"1x\"}}}",
            "{\"error\":\"type conversion error from \\\"1x\\\" to int\"}\n");
    answers("{\"expr\":\"x\",\"bindings\":{\"x\":1}}",
            "{\"error\":\"a VALUE is an object of one key\"}\n");
    answers("{\"expr\":\"x\",\"bindings\":{\"x\":{\"no\":\"\"}}}",
            "{\"error\":\"there is no kind \\\"no\\\"\"}\n");
}
END_TEST

START_TEST(the_rest_goes_on_after_a_line_that_is_no_json)
{
    char in[] = "what\n{\"expr\":\"1\"}\n", *printed = NULL;
    size_t bytes = 0;
    FILE *from = fmemopen(in, sizeof in - 1, "r"), *to = open_memstream(&printed, &bytes);

    eval_lines(from, to);
    fclose(from);
    fclose(to);
    ck_assert(strncmp(printed, "{\"error\":\"not JSON: ", 20) == 0);
    ck_assert_ptr_nonnull(strstr(printed, "\n{\"value\":{\"int\":\"1\"}}\n"));
    free(printed);
}
END_TEST

/* A program that asks, waits, and asks again. */
START_TEST(an_answer_comes_before_the_next_line_is_read)
{
    int ask[2], answer[2];
    char got[64] = "";
    FILE *from, *to;

    ck_assert_int_eq(pipe(ask), 0);
    ck_assert_int_eq(pipe(answer), 0);
    if (fork() == 0) {
        close(ask[1]);
        from = fdopen(ask[0], "r");
        to = fdopen(answer[1], "w");
        eval_lines(from, to);
        _exit(0);
    }
    close(ask[0]);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(write(ask[1], "{\"expr\":\"1\"}\n", 13), 13);
        ck_assert_int_eq(read(answer[0], got, sizeof got), 22);
        ck_assert_mem_eq(got, "{\"value\":{\"int\":\"1\"}}\n", 22);
    }
    close(ask[1]);
    close(answer[0]);
    close(answer[1]);
    wait(NULL);
}
END_TEST

SUITE_MAIN("eval", a_value_is_printed, an_event_is_read_from_a_file, what_is_wrong_ends_with_1,
           a_trace_shows_the_parts_under_the_source,
           a_trace_shows_what_is_inside_a_macro_for_each_item,
           every_kind_of_value_comes_back_as_it_went_in,
           names_are_looked_for_in_the_container_from_the_inside_out,
           a_line_may_ask_for_the_type_or_for_no_checks,
           a_line_that_is_no_request_gives_an_error_line,
           the_rest_goes_on_after_a_line_that_is_no_json,
           an_answer_comes_before_the_next_line_is_read)
