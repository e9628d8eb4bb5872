#include <stdio.h>
#include <stdlib.h>

#include "processors/cli/cli.h"
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
}
END_TEST

SUITE_MAIN("eval", a_value_is_printed, an_event_is_read_from_a_file, what_is_wrong_ends_with_1)
