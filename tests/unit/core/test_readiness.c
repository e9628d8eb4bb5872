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

SUITE_MAIN("readiness", a_process_whose_parts_have_said_nothing_is_not_ready,
           one_part_that_is_not_ready_says_why, the_last_word_of_a_part_counts)
