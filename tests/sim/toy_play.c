/* The toy step writes a hash of everything it has seen, so whatever goes wrong shows behind it.
 */
#include <stdio.h>

#include "schemas/control.h"
#include "tests/sim/kafka_model.h"
#include "tests/sim/oracle.h"
#include "tests/sim/steps_play.h"
#include "tests/support/toy_step.h"

enum {
    SUBJECTS = 25,
    RECORDS_MIN = 10,
    RECORDS_MAX = 120,
    GAP_MS_MAX = 600,
    LATE_MS_MAX = 300,
    CONTROL_EVERY = 30,
    VALUE_BYTES = 4,
    KEY_SIZE = 16,
};

static void append(struct rng *rng)
{
    static const struct header control = {{CONTROL_HEADER, sizeof CONTROL_HEADER - 1},
                                          {CONTROL_WATERMARK, sizeof CONTROL_WATERMARK - 1}};
    char key[KEY_SIZE], value[VALUE_BYTES];
    struct record r = {
        .topic = STR("toy.in"), .partition = -1, .key = {key, 0}, .value = {value, VALUE_BYTES}};

    r.key.len = (size_t)snprintf(key, sizeof key, "c%d", (int)rng_below(rng, SUBJECTS));
    for (int i = 0; i < VALUE_BYTES; i++)
        value[i] = (char)rng_below(rng, 256);
    r.timestamp_ms = sim_now_us() / 1000 - (int64_t)rng_below(rng, LATE_MS_MAX);
    if (rng_below(rng, CONTROL_EVERY) == 0) {
        r.headers = &control;
        r.header_count = 1;
    }
    kafka_model_append(&r);
    if (sim_strikes(SIM_SOURCE_TWICE, "source"))
        kafka_model_append(&r);
}

static void feed(void *context)
{
    struct cluster *c = context;
    struct rng rng = rng_seeded(rng_next(sim_rng()));
    uint64_t count = RECORDS_MIN + rng_below(&rng, RECORDS_MAX - RECORDS_MIN);
    uint64_t gap_ms = 1 + rng_below(&rng, GAP_MS_MAX);

    for (uint64_t i = 0; i < count; i++) {
        append(&rng);
        if (rng_below(&rng, 3) != 0) /* several at once, now and then */
            sim_sleep_us((int64_t)rng_below(&rng, gap_ms * 2000) + 1);
    }
    cluster_fed(c);
}

void toy_play_nudge(void *context)
{
    (void)context;
    for (int32_t p = 0; p < kafka_model_partitions("toy.in"); p++)
        kafka_model_append(&(struct record){.topic = STR("toy.in"),
                                            .partition = p,
                                            .timestamp_ms = sim_now_us() / 1000,
                                            .key = STR("last"),
                                            .value = STR("\x02\x08")});
}

void toy_play_set_up(struct cluster *c)
{
    kafka_model_create_topic("toy.in", 1 + (int)rng_below(sim_rng(), 3), 0);
    kafka_model_create_topic("toy.a", 1 + (int)rng_below(sim_rng(), 3), 0);
    kafka_model_create_topic("toy.b", 1, 0);
    cluster_add_step(c, &(struct cluster_step){.class = &toy_step_class,
                                               .input = "toy.in",
                                               .outputs = {"toy.a", "toy.b"},
                                               .processes = 1 + (int)rng_below(sim_rng(), 3)});
    cluster_start(c);
    cluster_feed(c, feed, c);
}

bool toy_play(const struct sim_plan *plan, struct err *why)
{
    struct cluster c;
    bool well;

    cluster_open(&c, plan);
    toy_play_set_up(&c);
    well = cluster_settle(&c, toy_play_nudge, NULL, why) && oracle_compare(&c, why);
    cluster_close(&c);
    return well;
}
