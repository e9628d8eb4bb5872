/* A worker that stands still behind its claim, over the simulated Kafka. */
#include "core/log.h"
#include "processors/worker/memory_store.h"
#include "processors/worker/meta.h"
#include "processors/worker/worker.h"
#include "schemas/chain.h"
#include "tests/sim/kafka_model.h"
#include "tests/support/suite.h"
#include "tests/support/toy_step.h"
#include "tests/unit/sim/alone.h"
#include "tests/unit/sim/hands.h"

#define OTHER "ffffffffffffffffffffffffffffffff"
enum { POLLS = 300 };

static const struct store_class *real;
static bool overtaken;

/* What a successor does: it begins the partition, and writes. */
static void another_goes_on(struct store *s, const char *step, struct str identity,
                            struct arena *arena)
{
    static const int32_t partitions[] = {1, 1};
    const struct header header = {STR(CHAIN_FROM_HEADER), STR("toy/0")};
    struct record output = hands_record("toy.a", 0, "its output");
    struct store_claim claim;
    struct meta meta;
    struct buf bytes = {0};

    meta_init(&meta, 0, 1, partitions, 2);
    meta.commit = 1;
    meta_encode(&meta, &bytes);
    ck_assert_int_eq(real->claim(s, step, 0, OTHER, identity, arena, &claim, NULL), STORE_DONE);
    ck_assert(claim.fresh);
    real->commit_send(s, step, 0, OTHER, 0, buf_str(&bytes), NULL, 0);
    ck_assert_int_eq(real->commit_wait(s, step, 0, NULL), STORE_DONE);
    output.headers = &header;
    output.header_count = 1;
    kafka_model_append(&output);
    meta_free(&meta);
    buf_free(&bytes);
}

static enum store_result claim_and_stand_still(struct store *s, const char *step, int32_t partition,
                                               const char *token, struct str identity,
                                               struct arena *arena, struct store_claim *out,
                                               struct err *err)
{
    enum store_result result = real->claim(s, step, partition, token, identity, arena, out, err);

    if (!overtaken) {
        overtaken = true;
        another_goes_on(s, step, identity, arena);
    }
    return result;
}

START_TEST(what_a_successor_wrote_is_no_state_that_is_gone)
{
    const struct worker_config usual = {.kafka = {.brokers = "simulated"},
                                        .group = "toy",
                                        .input = "toy.in",
                                        .time = WORKER_TIME_LOG};
    struct worker_config config = usual;
    struct worker_partition_status status = {0};
    struct store_class overtaking;
    struct worker *w;
    struct err err = {0};

    log_setup(LOG_ERROR, LOG_LOGFMT, false);
    hands_open();
    kafka_model_create_topic("toy.in", 1, 0);
    kafka_model_create_topic("toy.a", 1, 0);
    kafka_model_create_topic("toy.b", 1, 0);
    config.store = memory_store_open();
    real = config.store->class;
    overtaking = *real;
    overtaking.claim = claim_and_stand_still;
    config.store->class = &overtaking;
    ck_assert_msg(worker_open(&config, &toy_step_class, NULL, &w, &err) == ERR_NONE, "%s",
                  err.text);
    for (int i = 0; i < POLLS && (!overtaken || status.state != WORKER_RUNNING); i++) {
        worker_poll(w, 100, &err);
        if (worker_status(w, &status, 1) == 1)
            ck_assert_msg(status.state != WORKER_STOPPED, "%s", status.reason);
    }
    ck_assert_uint_eq(worker_status(w, &status, 1), 1);
    ck_assert_int_eq(status.state, WORKER_RUNNING);
    worker_close(w);
    real->close(config.store);
    hands_close();
}
END_TEST

SUITE_MAIN("fresh claim", what_a_successor_wrote_is_no_state_that_is_gone)
