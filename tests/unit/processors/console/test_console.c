/* tsan: yes */
#include <stdio.h>
#include <stdlib.h>

#include "core/metric.h"
#include "core/readiness.h"
#include "processors/console/console.h"
#include "tests/support/http.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"

static struct console *open_console(void)
{
    struct console *console;
    struct err err;

    ck_assert_msg(console_open("127.0.0.1:0", &console, &err) == ERR_NONE, "%s", err.text);
    return console;
}

START_TEST(readyz_is_503_with_the_reason_until_every_part_is_ready)
{
    struct console *console = open_console();
    char *answer;

    readiness_set("decide", false, "reading the rules");
    ck_assert_int_eq(http_ask(console_port(console), "GET", "/readyz", NULL, 0, &answer), 503);
    ck_assert_ptr_nonnull(strstr(answer, "reading the rules"));
    free(answer);
    readiness_set("decide", true, NULL);
    ck_assert_int_eq(http_ask(console_port(console), "GET", "/readyz", NULL, 0, NULL), 200);
    console_close(console);
}
END_TEST

START_TEST(livez_does_not_depend_on_the_parts)
{
    struct console *console = open_console();

    readiness_set("decide", false, "Redis is down");
    ck_assert_int_eq(http_ask(console_port(console), "GET", "/livez", NULL, 0, NULL), 200);
    console_close(console);
}
END_TEST

START_TEST(it_only_looks)
{
    struct console *console = open_console();

    ck_assert_int_eq(http_ask(console_port(console), "POST", "/metrics", "x", 1, NULL), 405);
    ck_assert_int_eq(http_ask(console_port(console), "GET", "/nothing", NULL, 0, NULL), 404);
    ck_assert_int_eq(http_ask(console_port(console), "GET", "/", NULL, 0, NULL), 200);
    console_close(console);
}
END_TEST

/* Every metric has a series, so that promtool sees all of the table. */
static void touch_all(void)
{
    static const char *const label_names[] = {
#define METRIC(name, kind, prometheus_name, labels, help) labels,
#include "core/metrics.def"
#undef METRIC
    };
    const struct str values[] = {STR("a\"b"), STR("1"), STR("x\\y"), STR("z")};

    for (int i = 0; i < METRIC_COUNT; i++) {
        size_t count = label_names[i][0] != '\0';
        for (const char *c = label_names[i]; *c != '\0'; c++)
            count += *c == ',';
        metric_set(metric_series((enum metric)i, values, count), 1);
    }
}

START_TEST(promtool_finds_nothing_to_say_about_the_metrics)
{
    struct console *console = open_console();
    char command[512];
    char *answer;

    touch_all();
    ck_assert_int_eq(http_ask(console_port(console), "GET", "/metrics", NULL, 0, &answer), 200);
    ck_assert_ptr_nonnull(strstr(answer, "\nprocess_resident_memory_bytes "));
    snprintf(command, sizeof command, "promtool check metrics < %s",
             scratch_write(scratch_dir(), "metrics", answer));
    ck_assert_int_eq(system(command), 0);
    free(answer);
    console_close(console);
}
END_TEST

SUITE_MAIN("console", readyz_is_503_with_the_reason_until_every_part_is_ready,
           livez_does_not_depend_on_the_parts, it_only_looks,
           promtool_finds_nothing_to_say_about_the_metrics)
