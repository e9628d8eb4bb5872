/* attent create moment, and what a person does next: check, test, list. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "processors/cli/cli.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"

static const char *dir;

static void set_up(void)
{
    dir = scratch_dir();
    scratch_write(dir, "facts.yaml",
                  "tel: {last: event.data.tel, of: person.moved, address: phone,"
                  " title: Telephone}\n");
    scratch_write(dir, "policy.yaml",
                  "tiers: {alarm: {consent: always}, calm: {consent: opt_out}, "
                  "sales: {consent: opt_in}}\n"
                  "queues: {helpers: {hours: {mon-fri: 08-18}, time_zone: Europe/Amsterdam}}\n"
                  "channels: {phone: {address: phone}}\n"
                  "caps: [{max: 2, over: 7d}]\n");
    scratch_write(dir, "schemas/events/person.moved.json",
                  "{\"title\":\"Moved\",\"type\":\"object\",\"properties\":{"
                  "\"tel\":{\"type\":\"string\",\"examples\":[\"+31\"]}}}");
    scratch_write(dir, "schemas/events/parcel.late.json",
                  "{\"title\":\"Parcel is late\",\"type\":\"object\",\"required\":[\"parcel\"],"
                  "\"properties\":{\"parcel\":{\"type\":\"string\",\"title\":\"Parcel\"},"
                  "\"days\":{\"type\":\"integer\",\"unit\":\"d\"}}}");
}

static int run(const char *a, const char *b, const char *c, const char *d)
{
    const char *argv[] = {"attent", a, b, c, d, NULL};
    int argc = d != NULL ? 5 : c != NULL ? 4 : 3;

    return cli_run(argc, (char **)(uintptr_t)argv);
}

/* What the command prints; the caller frees it. */
static char *printed(const char *a, const char *b, const char *c, const char *d, int *code)
{
    const char *file = scratch_path(dir, "stdout");
    int before = dup(STDOUT_FILENO);

    ck_assert_ptr_nonnull(freopen(file, "w", stdout));
    *code = run(a, b, c, d);
    fflush(stdout);
    dup2(before, STDOUT_FILENO);
    close(before);
    return scratch_read(file, NULL);
}

static void check_has(const char *text, const char *what)
{
    ck_assert_msg(strstr(text, what) != NULL, "no \"%s\" in:\n%s", what, text);
}

START_TEST(the_name_says_what_it_begins_with)
{
    char *moment;

    ck_assert_int_eq(run("create", "moment", "person-gone", dir), EXIT_FINE);
    moment = scratch_read(scratch_path(dir, "moments/person-gone.yaml"), NULL);
    check_has(moment, "  - event: person.moved ");
    free(moment);
}
END_TEST

START_TEST(what_is_created_checks_and_its_test_says_what_to_do)
{
    char *text, *moment;
    int code;

    ck_assert_int_eq(run("create", "moment", "late-parcel", dir), EXIT_FINE);
    moment = scratch_read(scratch_path(dir, "moments/late-parcel.yaml"), NULL);
    check_has(moment, "moment: late-parcel\ntitle: Late parcel\ntier: calm ");
    check_has(moment, "about: event.data.parcel ");
    check_has(moment, "  - event: parcel.late    # Parcel is late\n");
    check_has(moment, "  - channel: phone\n    queue: helpers\n");
    free(moment);
    text = printed("check", dir, NULL, NULL, &code);
    ck_assert_int_eq(code, EXIT_FINE);
    free(text);
    text = printed("test", dir, NULL, NULL, &code);
    ck_assert_int_eq(code, EXIT_FINDINGS);
    check_has(text, "unexpected {at: 0d, task: phone, queue: helpers}  late-parcel about P1");
    check_has(text, "hint: That is what late-parcel does as it was created.");
    check_has(text, "1 of 2 cases failed, in 1 of 1 file\n");
    free(text);
}
END_TEST

START_TEST(strict_wants_a_case_that_speaks_and_one_that_does_not)
{
    char *text;
    int code;

    ck_assert_int_eq(run("create", "moment", "late-parcel", dir), EXIT_FINE);
    text = printed("check", dir, "--strict", NULL, &code);
    ck_assert_int_eq(code, EXIT_FINDINGS);
    check_has(text, "the case fails: it speaks\n");
    check_has(text,
              "late-parcel.yaml:1:1: error[test]: no passing case shows late-parcel speaking\n");
    free(text);
    scratch_write(dir, "moments/late-parcel_test.yaml",
                  "test: late-parcel\nstart: 2026-03-02T10:00:00+01:00\ncases:\n"
                  "  - name: it speaks\n    given: {tel: \"+31\"}\n"
                  "    events: [{at: 0d, type: parcel.late, data: {parcel: P}}]\n"
                  "    expect: [{at: 0d, task: phone}]\n");
    text = printed("check", dir, "--strict", NULL, &code);
    ck_assert_int_eq(code, EXIT_FINDINGS);
    check_has(text, "no passing case shows late-parcel silent\n");
    ck_assert_ptr_null(strstr(text, "speaking"));
    check_has(text, "1 error\n");
    free(text);
    scratch_write(dir, "moments/late-parcel_test.yaml",
                  "test: late-parcel\nstart: 2026-03-02T10:00:00+01:00\ncases:\n"
                  "  - name: it speaks\n    given: {tel: \"+31\"}\n    only: [late-parcel]\n"
                  "    events: [{at: 0d, type: parcel.late, data: {parcel: P}}]\n"
                  "    expect: [{at: 0d, task: phone}]\n"
                  "  - name: it does not\n    expect: []\n"
                  "  - name: one day\n    todo: later\n    expect: [{at: 0d, task: phone}]\n");
    text = printed("check", dir, "--strict", NULL, &code);
    ck_assert_int_eq(code, EXIT_FINE);
    free(text);
}
END_TEST

START_TEST(nothing_is_overwritten)
{
    const char *test = scratch_write(dir, "moments/mine_test.yaml", "mine");
    char *text;

    ck_assert_int_eq(run("create", "moment", "mine", dir), EXIT_USAGE);
    text = scratch_read(test, NULL);
    ck_assert_str_eq(text, "mine");
    free(text);
    ck_assert_ptr_null(scratch_read(scratch_path(dir, "moments/mine.yaml"), NULL));
    ck_assert_int_eq(run("create", "moment", "../mine", dir), EXIT_USAGE);
    ck_assert_int_eq(run("create", "fact", "mine", dir), EXIT_USAGE);
}
END_TEST

START_TEST(lists_say_who_reads_what)
{
    char *text;
    int code;

    ck_assert_int_eq(run("create", "moment", "late-parcel", dir), EXIT_FINE);
    text = printed("list", "events", dir, "--json", &code);
    check_has(text, "{\"event\":\"parcel.late\",\"title\":\"Parcel is late\",\"facts\":[],"
                    "\"moments\":[\"late-parcel\"],\"fields\":[{\"field\":\"days\","
                    "\"type\":\"integer\",\"unit\":\"d\",\"title\":\"\",\"required\":false,"
                    "\"example\":100,\"read_by\":[]},{\"field\":\"parcel\",\"type\":\"string\","
                    "\"unit\":\"\",\"title\":\"Parcel\",\"required\":true,\"example\":\"P1\","
                    "\"read_by\":[\"late-parcel\"]}]}\n");
    free(text);
    text = printed("list", "facts", dir, NULL, &code);
    check_has(text, "customer.tel  last  string  Telephone  \"+31\"    person.moved\n");
    free(text);
    text = printed("list", "channels", dir, "--json", &code);
    check_has(text, "{\"channel\":\"phone\",\"address\":\"phone\",\"facts\":[\"customer.tel\"],"
                    "\"used_by\":[\"late-parcel\"]}\n");
    free(text);
}
END_TEST

SUITE_MAIN_AROUND("create", set_up, NULL, the_name_says_what_it_begins_with,
                  what_is_created_checks_and_its_test_says_what_to_do,
                  strict_wants_a_case_that_speaks_and_one_that_does_not, nothing_is_overwritten,
                  lists_say_who_reads_what)
