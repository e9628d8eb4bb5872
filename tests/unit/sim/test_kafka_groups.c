/* The Kafka model: groups, their members and their offsets. */
#include "tests/sim/kafka_model.h"
#include "tests/support/suite.h"
#include "tests/unit/sim/alone.h"
#include "tests/unit/sim/hands.h"

static struct hands_member a, b;
static struct hands_member *const both[] = {&a, &b};

static void open_two(void)
{
    hands_open();
    kafka_model_create_topic("t", 4, 0);
    hands_join(&a, 1, "g", "t");
    hands_poll(both, 1, 2000);
    ck_assert_uint_eq(a.assigned, 4);
    ck_assert_uint_eq(a.revoked, 0);
    hands_join(&b, 2, "g", "t");
    hands_poll(both, 2, 2000);
}

static void on_proof(void *context, bool ok)
{
    *(int *)context = ok ? 1 : 0;
}

START_TEST(two_members_share_the_partitions)
{
    ck_assert_uint_eq(a.revoked, 4);
    ck_assert_uint_eq(a.lost, 0);
    ck_assert_uint_eq(a.assigned, 6);
    ck_assert_uint_eq(b.assigned, 2);
    ck_assert_int_eq(a.first + b.first, 2);
    ck_assert_int_eq(kafka_model_generation("g"), 2);
    lone_be(2);
    kafka_consumer_close(b.consumer);
    ck_assert_uint_eq(b.revoked, 2);
    hands_poll(both, 1, 2000);
    ck_assert_uint_eq(a.assigned, 10);
}
END_TEST

START_TEST(a_dead_member_is_missed_after_its_session)
{
    kafka_model_process_died(2);
    hands_poll(both, 1, 5000);
    ck_assert_uint_eq(a.assigned, 6);
    hands_poll(both, 1, 3000);
    ck_assert_uint_eq(a.assigned, 10);
    ck_assert_uint_eq(kafka_model_members("g"), 1);
}
END_TEST

START_TEST(a_member_that_stood_still_has_lost_its_partitions)
{
    int proof = -1;
    const struct kafka_partition at = {"t", b.first, 7};

    kafka_model_process_stopped(2, sim_now_us() + 10000000);
    hands_poll(both, 1, 10000);
    ck_assert_uint_eq(a.assigned, 10);
    ck_assert_uint_eq(b.revoked, 0); /* it does not know yet */
    ck_assert(kafka_consumer_commit_async(b.consumer, &at, 1, on_proof, &proof));
    ck_assert(!kafka_consumer_commit_async(b.consumer, &at, 1, on_proof, &proof));
    lone_pass_ms(100);
    ck_assert_int_eq(kafka_consumer_serve(b.consumer, NULL), ERR_NONE);
    ck_assert_int_eq(proof, 0);
    ck_assert_int_eq(kafka_model_committed("g", "t", b.first), -1);
    hands_poll(both, 2, 3000);
    ck_assert_uint_eq(b.revoked, 2);
    ck_assert_uint_eq(b.lost, 2);
    ck_assert_uint_eq(b.assigned, 4); /* and back again */
}
END_TEST

START_TEST(a_short_stop_is_no_loss)
{
    kafka_model_process_stopped(2, sim_now_us() + 5000000);
    hands_poll(both, 1, 5000);
    hands_poll(both, 2, 8000);
    ck_assert_uint_eq(a.assigned, 6);
    ck_assert_uint_eq(b.revoked, 0);
}
END_TEST

START_TEST(a_late_revoke_leaves_a_zombie)
{
    lone_order(SIM_LATE_REVOKE, "heartbeat", 1);
    hands_poll(both, 2, 450);
    ck_assert(!lone_is_ordered());
    hands_poll(both, 2, 9000);
    ck_assert_uint_gt(a.lost + b.lost, 0);
    ck_assert_uint_eq(kafka_model_members("g"), 2);
}
END_TEST

START_TEST(an_ordered_rebalance_shares_out_anew)
{
    int32_t before = kafka_model_generation("g");

    lone_order(SIM_REBALANCE, "heartbeat", 1);
    hands_poll(both, 2, 2000);
    ck_assert_int_eq(kafka_model_generation("g"), before + 1);
    ck_assert_uint_eq(b.revoked, 2);
    ck_assert_uint_eq(b.lost, 0);
    ck_assert_uint_eq(b.assigned, 4);
}
END_TEST

START_TEST(a_member_goes_on_where_the_group_committed)
{
    const struct kafka_partition at = {"t", b.first, 2};
    struct kafka_producer *p = hands_producer(NULL);
    int64_t committed;
    int proof = -1;

    for (int i = 0; i < 3; i++)
        hands_send(p, "t", b.first, i == 2 ? "last" : "x");
    hands_flush(p);
    ck_assert(kafka_consumer_commit_async(b.consumer, &at, 1, on_proof, &proof));
    hands_poll(both, 2, 100);
    ck_assert_int_eq(proof, 1);
    ck_assert_int_eq(kafka_model_committed("g", "t", b.first), 2);
    ck_assert_int_eq(kafka_consumer_committed(a.consumer, "t", b.first, &committed, NULL),
                     ERR_NONE);
    ck_assert_int_eq(committed, 2);
    ck_assert_int_eq(kafka_consumer_seek(b.consumer, "t", b.first, KAFKA_OFFSET_GROUP, NULL),
                     ERR_NONE);
    ck_assert_str_eq(hands_read(b.consumer, 50), "last");
    ck_assert_int_eq(kafka_consumer_seek(b.consumer, "t", a.first, 0, NULL), ERR_FENCED);
    kafka_producer_close(p);
}
END_TEST

START_TEST(a_topic_made_again_is_shared_out_again)
{
    kafka_model_delete_topic("t");
    kafka_model_create_topic("t", 4, 0);
    hands_poll(both, 2, 8000);
    ck_assert_uint_ge(a.revoked, 6);
    ck_assert_uint_ge(b.revoked, 2);
    ck_assert_int_eq(kafka_model_bounds("t", 1).next, 0);
}
END_TEST

SUITE_MAIN_AROUND("kafka model: groups", open_two, hands_close, two_members_share_the_partitions,
                  a_dead_member_is_missed_after_its_session,
                  a_member_that_stood_still_has_lost_its_partitions, a_short_stop_is_no_loss,
                  a_late_revoke_leaves_a_zombie, an_ordered_rebalance_shares_out_anew,
                  a_member_goes_on_where_the_group_committed,
                  a_topic_made_again_is_shared_out_again)
