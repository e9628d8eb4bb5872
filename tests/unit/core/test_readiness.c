/* tsan: yes */
#include <pthread.h>

#include "core/readiness.h"
#include "tests/support/suite.h"

/* Each test is a process of its own: the registry starts empty. */

START_TEST(a_process_whose_parts_have_said_nothing_is_not_ready)
{
    struct buf out = {0};

    ck_assert(!readiness_put_json(&out));
    ck_assert_str_eq(buf_text(&out), "{\"ready\":false,\"parts\":{}}\n");
    buf_free(&out);
}
END_TEST

START_TEST(one_part_that_is_not_ready_says_why)
{
    struct buf out = {0};

    readiness_set("ingest", true, NULL);
    readiness_set("decide", false, "Redis does not answer");
    ck_assert(!readiness_put_json(&out));
    ck_assert_str_eq(buf_text(&out), "{\"ready\":false,\"parts\":{"
                                     "\"ingest\":{\"ready\":true,\"why\":\"\"},"
                                     "\"decide\":{\"ready\":false,"
                                     "\"why\":\"Redis does not answer\"}}}\n");
    buf_free(&out);
}
END_TEST

START_TEST(the_last_word_of_a_part_counts)
{
    struct buf out = {0};

    readiness_set("decide", false, "starting");
    readiness_set("decide", true, NULL);
    ck_assert(readiness_put_json(&out));
    ck_assert_str_eq(buf_text(&out),
                     "{\"ready\":true,\"parts\":{\"decide\":{\"ready\":true,\"why\":\"\"}}}\n");
    buf_free(&out);
}
END_TEST

static void *say_and_show(void *part)
{
    for (int i = 0; i < 200; i++) {
        struct buf out = {0};
        readiness_set(part, i % 2 == 1, "odd");
        readiness_put_json(&out);
        buf_free(&out);
    }
    return NULL;
}

START_TEST(parts_of_many_threads_are_all_heard)
{
    char names[4][2] = {"a", "b", "c", "d"};
    pthread_t threads[4];
    struct buf out = {0};

    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, say_and_show, names[i]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    ck_assert(readiness_put_json(&out));
    for (int i = 0; i < 4; i++)
        ck_assert(str_contains(buf_str(&out), str_of(names[i])));
    buf_free(&out);
}
END_TEST

SUITE_MAIN("readiness", a_process_whose_parts_have_said_nothing_is_not_ready,
           one_part_that_is_not_ready_says_why, the_last_word_of_a_part_counts,
           parts_of_many_threads_are_all_heard)
