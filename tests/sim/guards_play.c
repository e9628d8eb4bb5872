/* Something is lost that nothing can bring back: then nothing may go on as if it were not.  After a usual
 * toy play, with everything at rest, one calamity; each partition that it concerns has to stop and say why, and
 * no state may go anywhere.
 */
#include "schemas/chain.h"
#include "tests/sim/kafka_model.h"
#include "tests/sim/oracle.h"
#include "tests/sim/steps_play.h"

enum {
    PARTITIONS_MAX = 8,
    STOP_US_MAX = 90000000, /* take-over, back-off */
    LOOK_RECORDS = 64,
    MORE_RECORDS = 3,
};

struct guards {
    struct cluster *cluster;
    const struct cluster_role *role;
    int32_t partitions;
    bool concerned[PARTITIONS_MAX];
    int64_t next[PARTITIONS_MAX]; /* before */
};

/* Has the step ever written anything that is kept of this partition? */
static bool has_written(const char *topic, int32_t partition)
{
    struct record page[LOOK_RECORDS];
    char from[] = "toy/0";
    bool found = false;

    from[sizeof from - 2] = (char)('0' + partition);
    for (int32_t p = 0; p < kafka_model_partitions(topic); p++) {
        int64_t at = 0;
        size_t count;

        while ((count = kafka_model_read(topic, p, at, page, LOOK_RECORDS, &at)) > 0)
            for (size_t i = 0; i < count; i++)
                found |= str_is(record_header(&page[i], STR(CHAIN_FROM_HEADER)), from);
    }
    return found;
}

/* Nobody puts a copy back. */
static void empty_store(struct guards *g)
{
    for (int32_t p = 0; p < g->partitions; p++)
        g->concerned[p] = kafka_model_committed("toy", "toy.in", p) >= 0 ||
                          has_written("toy.a", p) || has_written("toy.b", p);
    store_model_empty(g->cluster->store);
    toy_play_nudge(NULL);
    sim_tell("Redis is empty, and stays so");
}

/* Nobody reads for so long that Kafka drops what was not read. */
static void trim_input(struct guards *g)
{
    for (int i = 0; i < MORE_RECORDS; i++)
        toy_play_nudge(NULL);
    for (int32_t p = 0; p < g->partitions; p++) {
        g->concerned[p] = rng_below(sim_rng(), 2) == 0;
        if (g->concerned[p])
            kafka_model_trim("toy.in", p, kafka_model_bounds("toy.in", p).next - 1);
    }
    sim_tell("what was not read yet has expired");
}

static void replace_input(const struct guards *g)
{
    kafka_model_delete_topic("toy.in");
    kafka_model_create_topic("toy.in", (int)g->partitions, 0);
    toy_play_nudge(NULL);
}

/* With what is in the new one being less than what was read of the old. */
static void make_input_again(struct guards *g)
{
    replace_input(g);
    for (int32_t p = 0; p < g->partitions; p++)
        g->concerned[p] = g->next[p] > 1;
    sim_tell("the input is another topic of the same name");
}

/* With more in it: it is noticed by the record that stands where the last one was taken. */
static void make_input_again_and_longer(struct guards *g)
{
    int64_t longest = 0;

    for (int32_t p = 0; p < g->partitions; p++) {
        g->concerned[p] = g->next[p] > 0;
        if (g->next[p] > longest)
            longest = g->next[p];
    }
    replace_input(g);
    for (int64_t i = 0; i < longest; i++)
        toy_play_nudge(NULL);
    sim_tell("the input is another topic of the same name, and has grown past the states");
}

static void make_input_wider(struct guards *g)
{
    kafka_model_delete_topic("toy.in");
    kafka_model_create_topic("toy.in", (int)g->partitions + 1, 0);
    for (int32_t p = 0; p < g->partitions; p++)
        g->concerned[p] = true;
    sim_tell("the input has another number of partitions");
}

static void strike(struct guards *g)
{
    static void (*const calamities[])(struct guards * g) = {
        empty_store, trim_input, make_input_again, make_input_again_and_longer, make_input_wider};
    uint64_t which = rng_below(sim_rng(), sizeof calamities / sizeof calamities[0]);

    for (int32_t p = 0; p < g->partitions; p++)
        g->next[p] = cluster_kept_next(g->role, p);
    if (which > 1 || rng_below(sim_rng(), 2) == 0)
        sim_kill_all();
    g->cluster->stops_wanted = true;
    calamities[which](g);
}

static bool all_stopped(void *context)
{
    const struct guards *g = context;

    for (int32_t p = 0; p < g->partitions; p++)
        if (g->concerned[p] && (g->cluster->stops & UINT64_C(1) << p) == 0)
            return false;
    return true;
}

static bool judge(struct guards *g, struct err *why)
{
    for (int32_t p = 0; p < g->partitions; p++) {
        int64_t next = cluster_kept_next(g->role, p);

        if (g->concerned[p] && (g->cluster->stops & UINT64_C(1) << p) == 0)
            err_set(why, ERR_STATE, "toy/%d goes on as if nothing were lost, at %lld", p,
                    (long long)next);
        else if (g->concerned[p] && next >= 0 && next != g->next[p])
            err_set(why, ERR_STATE, "toy/%d has stopped, and its state went from %lld to %lld", p,
                    (long long)g->next[p], (long long)next);
        else
            continue;
        return false;
    }
    return true;
}

bool guards_play(const struct sim_plan *plan, struct err *why)
{
    struct cluster c;
    struct guards g = {.cluster = &c};
    bool well;

    cluster_open(&c, plan);
    toy_play_set_up(&c);
    g.role = &c.roles[0];
    g.partitions = g.role->partitions;
    well = cluster_settle(&c, toy_play_nudge, NULL, why);
    if (well) {
        strike(&g);
        sim_go(all_stopped, &g, STOP_US_MAX);
        well = judge(&g, why);
    }
    cluster_close(&c);
    return well;
}
