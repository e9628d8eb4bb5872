/* tsan: yes */
#include <pthread.h>
#include <stdio.h>

#include "core/limit.h"
#include "core/metric.h"
#include "tests/support/suite.h"

/* Is this line, with its end, in what /metrics shows? */
static bool shown(const char *line)
{
    struct buf out = {0};
    bool found;

    metric_write_all(&out);
    found = str_contains(buf_str(&out), str_of(line));
    buf_free(&out);
    return found;
}

static struct metric_series *read_of(const char *topic)
{
    struct str label = str_of(topic);

    return metric_series(METRIC_INGEST_READ, &label, 1);
}

START_TEST(a_metric_has_help_type_and_its_series)
{
    metric_add(read_of("billing"), 2);
    metric_add(read_of("billing"), 3);
    ck_assert(shown("# HELP attent_ingest_records_read_total Records read from a source topic.\n"
                    "# TYPE attent_ingest_records_read_total counter\n"
                    "attent_ingest_records_read_total{topic=\"billing\"} 5\n"));
}
END_TEST

START_TEST(a_metric_without_labels_is_shown_from_the_start)
{
    ck_assert(shown("\nprocess_cpu_seconds_total 0\n"));
}
END_TEST

START_TEST(the_same_labels_are_the_same_series)
{
    ck_assert_ptr_eq(read_of("a"), read_of("a"));
    ck_assert_ptr_ne(read_of("a"), read_of("b"));
}
END_TEST

START_TEST(series_come_sorted_by_their_labels)
{
    metric_add(read_of("b"), 1);
    metric_add(read_of("c"), 1);
    metric_add(read_of("a"), 1);
    ck_assert(shown("attent_ingest_records_read_total{topic=\"a\"} 1\n"
                    "attent_ingest_records_read_total{topic=\"b\"} 1\n"
                    "attent_ingest_records_read_total{topic=\"c\"} 1\n"));
}
END_TEST

START_TEST(label_values_are_escaped)
{
    metric_add(read_of("a\"b\\c\nd\xff"), 1);
    ck_assert(shown("{topic=\"a\\\"b\\\\c\\nd?\"} 1\n"));
}
END_TEST

START_TEST(a_histogram_counts_up_to_each_bound)
{
    struct metric_series *s = metric_series(METRIC_DISPATCH_TRANSACTION, NULL, 0);

    metric_observe(s, 0.0005); /* a bound belongs to its bucket */
    metric_observe(s, 0.003);
    metric_observe(s, 99);
    ck_assert(shown("attent_dispatch_transaction_seconds_bucket{le=\"0.0005\"} 1\n"));
    ck_assert(shown("attent_dispatch_transaction_seconds_bucket{le=\"0.0025\"} 1\n"));
    ck_assert(shown("attent_dispatch_transaction_seconds_bucket{le=\"0.005\"} 2\n"));
    ck_assert(shown("attent_dispatch_transaction_seconds_bucket{le=\"+Inf\"} 3\n"
                    "attent_dispatch_transaction_seconds_sum 99.0035\n"
                    "attent_dispatch_transaction_seconds_count 3\n"));
}
END_TEST

START_TEST(too_many_series_share_one)
{
    char name[16];

    for (int i = 0; i < LIMIT_METRIC_SERIES + 10; i++) {
        snprintf(name, sizeof name, "t%d", i);
        metric_add(read_of(name), 1);
    }
    ck_assert(shown("{topic=\"other\"} 10\n"));
}
END_TEST

static void *add_a_thousand(void *unused)
{
    (void)unused;
    for (int i = 0; i < 1000; i++)
        metric_add(read_of("shared"), 1);
    return NULL;
}

START_TEST(threads_lose_no_count)
{
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, add_a_thousand, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    ck_assert(shown("{topic=\"shared\"} 4000\n"));
}
END_TEST

SUITE_MAIN("metric", a_metric_has_help_type_and_its_series,
           a_metric_without_labels_is_shown_from_the_start, the_same_labels_are_the_same_series,
           series_come_sorted_by_their_labels, label_values_are_escaped,
           a_histogram_counts_up_to_each_bound, too_many_series_share_one, threads_lose_no_count)
