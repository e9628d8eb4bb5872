/* The Kafka model: transactions. */
#include "tests/sim/kafka_model.h"
#include "tests/support/suite.h"
#include "tests/unit/sim/alone.h"
#include "tests/unit/sim/hands.h"

static void open_topics(void)
{
    hands_open();
    kafka_model_create_topic("out", 1, 0);
    kafka_model_create_topic("in", 2, 0);
}

static struct kafka_producer *begun(const char *id, const char *value)
{
    struct kafka_producer *p = hands_producer(id);

    ck_assert_int_eq(kafka_begin(p, NULL), ERR_NONE);
    hands_send(p, "out", 0, value);
    hands_flush(p);
    return p;
}

static void commit(struct kafka_producer *p)
{
    struct err err = {0};
    bool fatal = true;

    ck_assert_msg(kafka_commit(p, NULL, NULL, 0, &fatal, &err) == ERR_NONE, "%s", err.text);
    ck_assert(!fatal);
    lone_pass_ms(100); /* the markers are written */
}

START_TEST(what_is_committed_is_read_and_what_is_aborted_not)
{
    struct kafka_producer *p = begun("id", "1");
    struct kafka_consumer *c = hands_reader("out", 0, 0);
    bool fatal;

    ck_assert_str_eq(hands_read(c, 50), "");
    ck_assert_int_eq(kafka_model_bounds("out", 0).stable, 0);
    commit(p);
    ck_assert_str_eq(hands_read(c, 50), "1");
    ck_assert_int_eq(kafka_consumer_read_to(c, "out", 0), 2); /* the marker has an offset */
    ck_assert_int_eq(kafka_begin(p, NULL), ERR_NONE);
    hands_send(p, "out", 0, "2");
    hands_flush(p);
    ck_assert_int_eq(kafka_abort(p, &fatal, NULL), ERR_NONE);
    ck_assert(!fatal);
    lone_pass_ms(100);
    ck_assert_str_eq(hands_read(c, 50), "");
    ck_assert_int_eq(kafka_consumer_read_to(c, "out", 0), 4);
    ck_assert(kafka_consumer_at_end(c, "out", 0));
    ck_assert_int_eq(kafka_begin(p, NULL), ERR_NONE);
    hands_send(p, "out", 0, "3");
    commit(p);
    ck_assert_str_eq(hands_log("out", 0), "1,3");
    kafka_producer_close(p);
    kafka_consumer_close(c);
}
END_TEST

START_TEST(an_open_transaction_holds_back_what_is_behind_it)
{
    struct kafka_producer *p = begun("id", "1"), *other = hands_producer(NULL);
    struct kafka_consumer *c = hands_reader("out", 0, 0);
    struct kafka_partition end = {"out", 0, 0};

    hands_send(other, "out", 0, "plain");
    hands_flush(other);
    ck_assert_str_eq(hands_read(c, 50), "");
    ck_assert_int_eq(kafka_consumer_ask_ends(c, &end, 1, 1000, NULL), ERR_NONE);
    ck_assert_int_eq(end.offset, 0);
    commit(p);
    ck_assert_str_eq(hands_read(c, 50), "1,plain");
    kafka_producer_close(p);
    kafka_producer_close(other);
    kafka_consumer_close(c);
}
END_TEST

START_TEST(a_newer_producer_fences_the_older)
{
    struct kafka_producer *old = begun("id", "old"), *young;
    bool fatal;

    young = begun("id", "young");
    ck_assert_int_ne(kafka_commit(old, NULL, NULL, 0, &fatal, NULL), ERR_NONE);
    ck_assert(fatal);
    commit(young);
    ck_assert_str_eq(hands_log("out", 0), "young");
    kafka_producer_close(old);
    old = young;
    young = hands_producer("id");
    ck_assert_int_eq(kafka_begin(old, NULL), ERR_NONE);
    hands_send(old, "out", 0, "late");
    ck_assert_int_eq(kafka_flush(old, 20000, &fatal, NULL, NULL), ERR_KAFKA);
    ck_assert(fatal);
    kafka_producer_close(old);
    kafka_producer_close(young);
    ck_assert_str_eq(hands_log("out", 0), "young");
}
END_TEST

START_TEST(a_transaction_that_stays_open_is_given_up)
{
    struct kafka_producer *p = begun("id", "1");
    bool fatal;

    kafka_model_process_died(0);
    lone_pass_ms(9000);
    ck_assert_int_eq(kafka_model_bounds("out", 0).stable, 0);
    lone_pass_ms(2000);
    ck_assert_int_eq(kafka_model_bounds("out", 0).stable, 2);
    p = begun("id", "2");
    lone_pass_ms(11000);
    ck_assert_int_ne(kafka_commit(p, NULL, NULL, 0, &fatal, NULL), ERR_NONE);
    ck_assert(fatal);
    kafka_producer_close(p);
    ck_assert_str_eq(hands_log("out", 0), "");
}
END_TEST

START_TEST(a_commit_may_be_unknown)
{
    bool in = false, out = false;

    for (int round = 0; round < 40; round++) {
        struct kafka_producer *p = begun("id", "x");
        int64_t before = kafka_model_bounds("out", 0).stable;
        struct record r;
        bool fatal = false;
        int64_t next;

        lone_order(SIM_COMMIT_UNKNOWN, "end transaction", 1);
        ck_assert_int_eq(kafka_commit(p, NULL, NULL, 0, &fatal, NULL), ERR_DOWN);
        ck_assert(fatal);
        kafka_producer_close(p);
        p = hands_producer("id"); /* ends what is open */
        if (kafka_model_read("out", 0, before, &r, 1, &next) == 1)
            in = true;
        else
            out = true;
        kafka_producer_close(p);
    }
    ck_assert(in && out);
}
END_TEST

START_TEST(offsets_go_with_the_transaction)
{
    struct hands_member m, *const one[] = {&m};
    struct kafka_partition at = {"in", 0, 5};
    struct kafka_producer *p = begun("id", "1");
    bool fatal = true;

    hands_join(&m, 1, "g", "in");
    hands_poll(one, 1, 1000);
    ck_assert_int_eq(kafka_commit(p, m.consumer, &at, 1, &fatal, NULL), ERR_NONE);
    lone_pass_ms(100);
    ck_assert_int_eq(kafka_model_committed("g", "in", 0), 5);
    ck_assert_int_eq(kafka_begin(p, NULL), ERR_NONE);
    hands_send(p, "out", 0, "2");
    kafka_model_process_stopped(1, sim_now_us() + 8000000);
    lone_pass_ms(8000); /* its session is over, and it does not know */
    at.offset = 6;
    ck_assert_uint_eq(kafka_model_members("g"), 0);
    ck_assert_int_eq(kafka_commit(p, m.consumer, &at, 1, &fatal, NULL), ERR_FENCED);
    ck_assert(!fatal);
    lone_pass_ms(100);
    ck_assert_int_eq(kafka_model_committed("g", "in", 0), 5);
    ck_assert_str_eq(hands_log("out", 0), "1");
    kafka_consumer_close(m.consumer);
    kafka_producer_close(p);
}
END_TEST

START_TEST(a_refused_record_aborts_and_the_producer_goes_on)
{
    struct kafka_producer *p = begun("id", "1");
    bool fatal = true;

    lone_order(SIM_REFUSED, "produce", 1);
    for (int i = 0; i < 8; i++)
        hands_send(p, "out", 0, "2");
    ck_assert_int_eq(kafka_commit(p, NULL, NULL, 0, &fatal, NULL), ERR_KAFKA);
    ck_assert(!fatal);
    for (int round = 0; round < 5; round++) {
        ck_assert_int_eq(kafka_begin(p, NULL), ERR_NONE);
        hands_send(p, "out", 0, "3");
        commit(p);
    }
    ck_assert_str_eq(hands_log("out", 0), "3,3,3,3,3");
    kafka_producer_close(p);
}
END_TEST

START_TEST(an_abort_of_what_is_under_way_leaves_nothing_behind)
{
    struct kafka_producer *p = hands_producer("id");

    for (int round = 0; round < 50; round++) {
        bool fatal = true;

        ck_assert_int_eq(kafka_begin(p, NULL), ERR_NONE);
        for (int i = 0; i < 5; i++)
            hands_send(p, "out", 0, "x");
        lone_pass_ms(round % 5);
        ck_assert_int_eq(kafka_abort(p, &fatal, NULL), ERR_NONE);
        ck_assert(!fatal);
        ck_assert_int_eq(kafka_begin(p, NULL), ERR_NONE);
        hands_send(p, "out", 0, "y");
        commit(p);
        ck_assert_int_eq(kafka_model_bounds("out", 0).stable, kafka_model_bounds("out", 0).next);
        ck_assert(strchr(hands_log("out", 0), 'x') == NULL);
    }
    kafka_producer_close(p);
}
END_TEST

START_TEST(what_is_no_transaction_cannot_be_ended)
{
    struct kafka_producer *p = hands_producer("id");
    struct record r = hands_record("out", 0, "v");
    bool fatal = false;

    ck_assert_int_eq(kafka_produce(p, &r, NULL), ERR_KAFKA);
    ck_assert_int_eq(kafka_begin(p, NULL), ERR_NONE);
    ck_assert_int_eq(kafka_begin(p, NULL), ERR_KAFKA);
    ck_assert_int_eq(kafka_commit(p, NULL, NULL, 0, &fatal, NULL), ERR_NONE);
    ck_assert(!fatal);
    ck_assert_int_eq(kafka_abort(p, &fatal, NULL), ERR_KAFKA);
    kafka_producer_close(p);
}
END_TEST

SUITE_MAIN_AROUND("kafka model: transactions", open_topics, hands_close,
                  what_is_committed_is_read_and_what_is_aborted_not,
                  an_open_transaction_holds_back_what_is_behind_it,
                  a_newer_producer_fences_the_older, a_transaction_that_stays_open_is_given_up,
                  a_commit_may_be_unknown, offsets_go_with_the_transaction,
                  a_refused_record_aborts_and_the_producer_goes_on,
                  an_abort_of_what_is_under_way_leaves_nothing_behind,
                  what_is_no_transaction_cannot_be_ended)
