/* tsan: yes */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/buf.h"
#include "core/log.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"

static const int64_t AT_MS = 1772438400123; /* 2026-03-02T08:00:00.123Z */

START_TEST(logfmt_quotes_only_what_needs_it)
{
    struct buf out = {0};

    log_put_line(&out, LOG_LOGFMT, AT_MS, LOG_INFO, "worker", "took over",
                 (const struct log_field[]){LOG_TEXT("topic", "attent.events"),
                                            LOG_INT("partition", -3), LOG_TEXT("empty", ""),
                                            LOG_TEXT("why", "say \"x\"\n"), LOG_END});
    ck_assert_str_eq(buf_text(&out), "time=2026-03-02T08:00:00.123Z level=info part=worker "
                                     "msg=\"took over\" topic=attent.events partition=-3 "
                                     "empty=\"\" why=\"say \\\"x\\\"\\n\"\n");
    buf_free(&out);
}
END_TEST

START_TEST(json_has_one_object_per_line)
{
    struct buf out = {0};

    log_put_line(&out, LOG_JSON, AT_MS, LOG_ERROR, "ingest", "a \"word\"",
                 (const struct log_field[]){LOG_INT("count", 7), LOG_TEXT("t", "x\ty"), LOG_END});
    ck_assert_str_eq(
        buf_text(&out),
        "{\"time\":\"2026-03-02T08:00:00.123Z\",\"level\":\"error\","
        "\"part\":\"ingest\",\"msg\":\"a \\\"word\\\"\",\"count\":7,\"t\":\"x\\ty\"}\n");
    buf_free(&out);
}
END_TEST

START_TEST(a_broken_text_stays_one_valid_line)
{
    struct buf out = {0};
    char large[5000];

    memset(large, 'x', sizeof large);
    log_put_line(&out, LOG_JSON, AT_MS, LOG_WARN, "p", "m",
                 (const struct log_field[]){LOG_STR("bad", STR("a\xff\nb")),
                                            LOG_STR("large", ((struct str){large, sizeof large})),
                                            LOG_END});
    ck_assert(str_is_utf8(buf_str(&out)));
    ck_assert(str_contains(buf_str(&out), STR("\"bad\":\"a?\\nb\"")));
    ck_assert_uint_lt(out.len, 4096); /* PIPE_BUF: a longer write may be torn */
    ck_assert_ptr_eq(memchr(out.data, '\n', out.len), out.data + out.len - 1);
    buf_free(&out);
}
END_TEST

START_TEST(customers_are_hashed_unless_told_otherwise)
{
    char out[LOG_CUSTOMER_SIZE], again[LOG_CUSTOMER_SIZE];

    log_setup(LOG_INFO, LOG_JSON, false);
    ck_assert_uint_eq(log_customer(STR("C-1"), out).len, 12);
    ck_assert(!str_contains(str_of(out), STR("C-1")));
    ck_assert(str_equal(log_customer(STR("C-1"), out), log_customer(STR("C-1"), again)));
    log_setup(LOG_INFO, LOG_JSON, true);
    ck_assert(str_is(log_customer(STR("C-1"), out), "C-1"));
}
END_TEST

static void *write_lines(void *unused)
{
    (void)unused;
    for (int i = 0; i < 50; i++)
        log_error("test", "line", LOG_INT("i", i), LOG_END);
    return NULL;
}

START_TEST(lines_of_many_threads_stay_whole)
{
    const char *path = scratch_path(scratch_dir(), "log");
    struct str rest, line;
    pthread_t threads[4];
    size_t lines = 0;
    char *text;

    ck_assert_ptr_nonnull(freopen(path, "w", stderr));
    log_setup(LOG_INFO, LOG_JSON, false);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, write_lines, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    text = scratch_read(path, NULL);
    ck_assert_ptr_nonnull(text);
    for (rest = str_of(text); str_cut(rest, '\n', &line, &rest); lines++)
        ck_assert(str_starts(line, STR("{\"time\"")) && str_ends(line, STR("}")));
    ck_assert_uint_eq(lines, 200);
    free(text);
}
END_TEST

SUITE_MAIN("log", logfmt_quotes_only_what_needs_it, json_has_one_object_per_line,
           a_broken_text_stays_one_valid_line, customers_are_hashed_unless_told_otherwise,
           lines_of_many_threads_stay_whole)
