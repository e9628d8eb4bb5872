/* The Kafka model: records, their acknowledgement and their reading. */
#include "tests/sim/kafka_model.h"
#include "tests/support/suite.h"
#include "tests/unit/sim/alone.h"
#include "tests/unit/sim/hands.h"

START_TEST(what_was_sent_is_read_in_order)
{
    struct kafka_producer *p = hands_producer(NULL);
    struct kafka_consumer *c = hands_reader("a", 0, KAFKA_OFFSET_BEGIN);

    kafka_model_create_topic("a", 2, 0);
    hands_send(p, "a", 0, "1");
    hands_send(p, "a", 1, "other");
    hands_send(p, "a", 0, "2");
    hands_flush(p);
    ck_assert_str_eq(hands_read(c, 50), "1,2");
    ck_assert(kafka_consumer_at_end(c, "a", 0));
    ck_assert_int_eq(kafka_consumer_read_to(c, "a", 0), 2);
    ck_assert_int_eq(kafka_consumer_end(c, "a", 0), 2);
    hands_send(p, "a", 0, "3");
    hands_flush(p);
    ck_assert_str_eq(hands_read(c, 50), "3");
    ck_assert_int_eq(kafka_consumer_seek(c, "a", 0, 1, NULL), ERR_NONE);
    ck_assert_str_eq(hands_read(c, 50), "2,3");
    kafka_consumer_close(c);
    kafka_producer_close(p);
}
END_TEST

START_TEST(headers_key_and_time_come_back)
{
    const struct header headers[] = {{STR("name"), STR("value")}, {STR("none"), STR_EMPTY}};
    struct record out = hands_record("a", -1, "v"), in[2];
    struct kafka_producer *p = hands_producer(NULL);
    struct kafka_consumer *c;
    size_t count;

    kafka_model_create_topic("a", 1, 0);
    out.headers = headers;
    out.header_count = 2;
    ck_assert_int_eq(kafka_produce(p, &out, NULL), ERR_NONE);
    hands_flush(p);
    c = hands_reader("a", 0, 0);
    ck_assert_int_eq(kafka_consumer_poll(c, 100, in, 2, &count, NULL), ERR_NONE);
    ck_assert_uint_eq(count, 1);
    ck_assert(str_is(in[0].topic, "a") && str_is(in[0].key, "key") && str_is(in[0].value, "v"));
    ck_assert_int_eq(in[0].timestamp_ms, 1600000000000);
    ck_assert(str_is(record_header(&in[0], STR("name")), "value"));
    ck_assert_uint_eq(in[0].header_count, 2);
    ck_assert_ptr_null(in[0].headers[1].value.data);
    kafka_consumer_close(c);
    kafka_producer_close(p);
}
END_TEST

START_TEST(a_receipt_is_complete_when_its_records_are_acknowledged)
{
    struct kafka_producer *p = hands_producer(NULL);
    struct kafka_receipt *receipt = kafka_receipt_new();
    struct record r = hands_record("a", 0, "v");
    const int fd = kafka_producer_fd(p);
    struct kafka_consumer *c;

    kafka_model_create_topic("a", 1, 0);
    kafka_model_create_topic("empty", 1, 0);
    c = hands_reader("empty", 0, 0);
    hands_read(c, 10);
    ck_assert_int_eq(kafka_produce_counted(p, &r, receipt, NULL), ERR_NONE);
    ck_assert(!kafka_receipt_is_complete(receipt));
    kafka_consumer_wait(c, &fd, 1, 10000); /* until there is something to hear */
    ck_assert_int_lt(sim_now_us() - 1700000000000000, 9000000);
    ck_assert(!kafka_receipt_is_complete(receipt));
    ck_assert_int_eq(kafka_hear(p, NULL, NULL, NULL), ERR_NONE);
    ck_assert(kafka_receipt_is_complete(receipt));
    kafka_receipt_drop(receipt);
    kafka_producer_close(p);
    kafka_consumer_close(c);
}
END_TEST

START_TEST(a_repeat_after_a_lost_answer_is_written_once)
{
    struct kafka_producer *p = hands_producer(NULL);

    kafka_model_create_topic("a", 1, 0);
    for (int round = 0; round < 30; round++) {
        lone_order(SIM_ANSWER_LOST, "produce", 1);
        hands_send(p, "a", 0, "1");
        if (kafka_flush(p, 20000, NULL, NULL, NULL) != ERR_NONE) { /* not heard of any more */
            kafka_producer_close(p);
            p = hands_producer(NULL);
        }
        ck_assert(!lone_is_ordered());
        ck_assert_int_eq(kafka_model_bounds("a", 0).next, round + 1);
    }
    kafka_producer_close(p);
}
END_TEST

START_TEST(a_refused_record_in_the_middle_fails_the_flush)
{
    kafka_model_create_topic("a", 1, 0);
    for (int round = 0; round < 40; round++) {
        struct kafka_producer *p = hands_producer(NULL);
        int64_t before = kafka_model_bounds("a", 0).next, written;
        bool fatal = false, lost = true;

        for (int i = 0; i < 8; i++) {
            hands_send(p, "a", 0, "x");
            if (i == 3)
                lone_pass_ms(30); /* they have arrived, and nobody has heard of it */
        }
        ck_assert_int_eq(kafka_model_bounds("a", 0).next, before + 4);
        lone_order(SIM_REFUSED, "produce", 1);
        ck_assert_int_eq(kafka_flush(p, 20000, &fatal, &lost, NULL), ERR_KAFKA);
        ck_assert(fatal && !lost);
        kafka_producer_close(p);
        lone_pass_ms(1000);
        written = kafka_model_bounds("a", 0).next - before;
        ck_assert(written >= 4 && written < 8);
    }
}
END_TEST

START_TEST(a_record_larger_than_its_topic_takes_is_refused)
{
    static char large[2000];
    struct kafka_producer *p = hands_producer(NULL);
    struct record r = hands_record("small", 0, "v");
    bool fatal;

    kafka_model_create_topic("small", 1, 1000);
    memset(large, 'x', sizeof large);
    r.value = (struct str){large, sizeof large};
    ck_assert_int_eq(kafka_produce(p, &r, NULL), ERR_NONE);
    ck_assert_int_eq(kafka_flush(p, 20000, &fatal, NULL, NULL), ERR_LIMIT);
    ck_assert(fatal);
    kafka_producer_close(p);
    ck_assert_int_eq(kafka_model_bounds("small", 0).next, 0);
}
END_TEST

START_TEST(acknowledged_records_that_are_lost_are_noticed)
{
    struct kafka_producer *p = hands_producer(NULL);
    bool fatal = false, lost = false;

    kafka_model_create_topic("a", 1, 0);
    hands_send(p, "a", 0, "1");
    hands_flush(p);
    hands_send(p, "a", 0, "2");
    hands_flush(p);
    kafka_model_lose_tail("a", 0, 1);
    hands_send(p, "a", 0, "3");
    ck_assert_int_eq(kafka_flush(p, 20000, &fatal, &lost, NULL), ERR_KAFKA);
    ck_assert(fatal && lost);
    kafka_producer_close(p);
    ck_assert_str_eq(hands_log("a", 0), "1");
}
END_TEST

START_TEST(a_broker_that_is_gone_for_a_while_is_waited_for)
{
    struct kafka_producer *p = hands_producer(NULL);
    struct kafka_consumer *c;
    bool fatal;

    kafka_model_create_topic("a", 1, 0);
    c = hands_reader("a", 0, 0);
    kafka_model_broker_gone(sim_now_us() + 3000000);
    hands_send(p, "a", 0, "1");
    hands_flush(p);
    ck_assert_str_eq(hands_read(c, 1000), "1");
    kafka_model_broker_gone(sim_now_us() + 30000000);
    hands_send(p, "a", 0, "2");
    ck_assert_int_eq(kafka_flush(p, 20000, &fatal, NULL, NULL), ERR_DOWN);
    ck_assert(fatal);
    ck_assert_int_eq(
        kafka_consumer_ask_ends(c, &(struct kafka_partition){"a", 0, 0}, 1, 1000, NULL), ERR_DOWN);
    kafka_model_end_faults();
    ck_assert_str_eq(hands_read(c, 60000), ""); /* what was timed out does not come later */
    kafka_producer_close(p);
    kafka_consumer_close(c);
}
END_TEST

START_TEST(a_full_disk_takes_nothing)
{
    struct kafka_producer *p = hands_producer(NULL);

    kafka_model_create_topic("a", 1, 0);
    kafka_model_disk_full(sim_now_us() + 30000000);
    hands_send(p, "a", 0, "1");
    ck_assert_int_eq(kafka_flush(p, 20000, NULL, NULL, NULL), ERR_DOWN);
    kafka_producer_close(p);
    kafka_model_end_faults();
    lone_pass_ms(30000);
    ck_assert_int_eq(kafka_model_bounds("a", 0).next, 0);
}
END_TEST

/* A partition takes any number of a producer that it does not know: the first record goes alone. */
START_TEST(a_new_producer_keeps_its_order_over_a_full_disk)
{
    kafka_model_create_topic("a", 1, 0);
    for (int round = 0; round < 300; round++) {
        struct kafka_producer *p = hands_producer(NULL);
        int64_t from = kafka_model_bounds("a", 0).next, next;
        struct record r[9];

        kafka_model_disk_full(sim_now_us() + 200 + round * 2); /* while they arrive */
        for (int i = 0; i < 8; i++)
            hands_send(p, "a", 0, (const char *[]){"0", "1", "2", "3", "4", "5", "6", "7"}[i]);
        hands_flush(p);
        ck_assert_uint_eq(kafka_model_read("a", 0, from, r, 9, &next), 8);
        for (int i = 0; i < 8; i++)
            ck_assert_int_eq(r[i].value.data[0], '0' + i);
        kafka_producer_close(p);
    }
}
END_TEST

START_TEST(an_offset_that_is_not_in_the_log_is_an_error)
{
    struct kafka_producer *p = hands_producer(NULL);
    struct kafka_consumer *c;
    struct record r[4];
    const char *topic;
    int32_t partition;
    size_t count;

    kafka_model_create_topic("a", 1, 0);
    for (int i = 0; i < 5; i++)
        hands_send(p, "a", 0, "x");
    hands_flush(p);
    kafka_model_trim("a", 0, 3);
    c = hands_reader("a", 0, 1);
    ck_assert_int_eq(kafka_consumer_poll(c, 100, r, 4, &count, NULL), ERR_STATE);
    ck_assert(kafka_consumer_fault(c, &topic, &partition) && strcmp(topic, "a") == 0);
    ck_assert_int_eq(kafka_consumer_poll(c, 100, r, 4, &count, NULL), ERR_NONE); /* told once */
    ck_assert_int_eq(kafka_consumer_seek(c, "a", 0, KAFKA_OFFSET_BEGIN, NULL), ERR_NONE);
    ck_assert_str_eq(hands_read(c, 50), "x,x");
    kafka_model_delete_topic("a");
    kafka_model_create_topic("a", 1, 0);
    ck_assert_int_eq(kafka_consumer_poll(c, 100, r, 4, &count, NULL), ERR_STATE);
    kafka_consumer_close(c);
    kafka_producer_close(p);
}
END_TEST

START_TEST(a_dead_process_sends_no_more)
{
    struct kafka_producer *p = hands_producer(NULL);

    kafka_model_create_topic("a", 1, 0);
    hands_send(p, "a", 0, "queued");
    kafka_model_process_died(0);
    lone_be(1);
    lone_pass_ms(20000);
    ck_assert_str_eq(hands_log("a", 0), "");
    p = hands_producer(NULL);
    lone_order(SIM_ANSWER_LATE, "produce", 1);
    hands_send(p, "a", 0, "sent");
    lone_pass_ms(1); /* on its way */
    kafka_model_bounds("a", 0);
    kafka_model_process_died(1);
    lone_pass_ms(20000);
    ck_assert_str_eq(hands_log("a", 0), "sent");
}
END_TEST

START_TEST(a_pause_holds_records_back)
{
    struct kafka_producer *p = hands_producer(NULL);
    struct kafka_consumer *c;

    kafka_model_create_topic("a", 1, 0);
    c = hands_reader("a", 0, KAFKA_OFFSET_BEGIN);
    hands_send(p, "a", 0, "1");
    hands_flush(p);
    kafka_consumer_pause(c, "a", 0, true);
    ck_assert_str_eq(hands_read(c, 50), "");
    kafka_consumer_pause(c, "a", 0, false);
    ck_assert_str_eq(hands_read(c, 50), "1");
    kafka_consumer_close(c);
    kafka_producer_close(p);
}
END_TEST

SUITE_MAIN_AROUND(
    "kafka model: records", hands_open, hands_close, what_was_sent_is_read_in_order,
    headers_key_and_time_come_back, a_receipt_is_complete_when_its_records_are_acknowledged,
    a_repeat_after_a_lost_answer_is_written_once, a_refused_record_in_the_middle_fails_the_flush,
    a_record_larger_than_its_topic_takes_is_refused, acknowledged_records_that_are_lost_are_noticed,
    a_broker_that_is_gone_for_a_while_is_waited_for, a_full_disk_takes_nothing,
    a_new_producer_keeps_its_order_over_a_full_disk, an_offset_that_is_not_in_the_log_is_an_error,
    a_dead_process_sends_no_more, a_pause_holds_records_back)
