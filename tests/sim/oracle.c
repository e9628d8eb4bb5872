#include "tests/sim/oracle.h"

#include <string.h>

#include "core/mem.h"
#include "core/mutant.h"
#include "processors/worker/offline.h"
#include "schemas/chain.h"
#include "schemas/control.h"
#include "tests/sim/kafka_model.h"

enum {
    PAGE = 512,
    TOPICS_MAX = CLUSTER_STEPS_MAX * CLUSTER_TOPICS_MAX,
    PARTITIONS_MAX = 8,
    AHEAD_MS_MAX = 7000, /* clocks may differ by 5 s, and a question takes its time */
};

struct topic { /* one that steps write to */
    const char *name;
    int32_t partitions;
    struct taken expected[PARTITIONS_MAX];
    size_t count[PARTITIONS_MAX];
};

struct oracle {
    struct topic topics[TOPICS_MAX];
    size_t topic_count;
    const struct cluster_role *role; /* whose outputs come */
    struct buf scratch;
    size_t outputs;
    struct err *why;
    bool wrong;
};

static struct topic *topic_of(struct oracle *o, const char *name)
{
    for (size_t i = 0; i < o->topic_count; i++)
        if (strcmp(o->topics[i].name, name) == 0)
            return &o->topics[i];
    o->topics[o->topic_count] = (struct topic){name, kafka_model_partitions(name), {{0}}, {0}};
    return &o->topics[o->topic_count++];
}

static void fail(struct oracle *o, const char *what, const char *topic, int32_t partition,
                 const char *detail)
{
    if (!o->wrong)
        err_set(o->why, ERR_STATE, "%s: %s/%d%s%s", what, topic, partition,
                detail[0] != '\0' ? ": " : "", detail);
    o->wrong = true;
}

/* --- a whole log -------------------------------------------------------------------------------- */

static void read_log(const char *topic, int32_t partition,
                     void (*each)(void *context, const struct record *record), void *context)
{
    static struct record page[PAGE];
    int64_t from = kafka_model_bounds(topic, partition).first;
    size_t count;

    while ((count = kafka_model_read(topic, partition, from, page, PAGE, &from)) > 0)
        for (size_t i = 0; i < count; i++)
            each(context, &page[i]);
}

/* --- what is right ---------------------------------------------------------------------------------- */

static void expect(void *context, int topic, const struct record *record)
{
    struct oracle *o = context;
    struct topic *t = topic_of(o, o->role->step.outputs[topic]);
    struct taken_source source;
    struct err err = {0};

    if (taken_look(&t->expected[record->partition], record, &o->scratch, &source, &err) !=
        TAKEN_NEXT) {
        fail(o, "an offline run does not number its outputs", t->name, record->partition, err.text);
        return;
    }
    taken_advance(&t->expected[record->partition], &source);
    t->count[record->partition]++;
}

struct offline_run {
    struct oracle *oracle;
    struct offline *offline;
};

static void check_tick(struct oracle *o, const struct record *record)
{
    struct str control = record_header(record, STR(CONTROL_HEADER));

    if (str_is(control, CONTROL_TICK) && record->timestamp_ms > sim_now_us() / 1000 + AHEAD_MS_MAX)
        fail(o, "a tick is ahead of time", o->role->step.input, record->partition, "");
}

static void give(void *context, const struct record *record)
{
    struct offline_run *run = context;
    struct err err = {0};

    check_tick(run->oracle, record);
    if (!run->oracle->wrong && offline_record(run->offline, record, &err) != ERR_NONE)
        fail(run->oracle, "an offline run stops", run->oracle->role->step.input, record->partition,
             err.text);
}

static void compare_state(struct oracle *o, struct cluster *c, int32_t partition,
                          struct offline *offline)
{
    const char *step = o->role->step.class->name;
    struct hash128 right = offline_digest(offline);
    struct hash128 is = store_model_digest(c->store, step, partition);
    struct err err = {0};

    if (right.low != is.low || right.high != is.high)
        fail(o, "the states are other ones", step, partition, "");
    else if (!store_model_timers_fit(c->store, step, partition, &err))
        fail(o, "the timers are other ones", step, partition, err.text);
}

static void run_offline(struct oracle *o, struct cluster *c, int32_t partition)
{
    const struct offline_setup setup = {.class = o->role->step.class,
                                        .config = o->role->step.config,
                                        .partition = partition,
                                        .topic_partitions = o->role->output_partitions,
                                        .context = o,
                                        .output = expect};
    struct offline_run run = {.oracle = o};
    struct err err = {0};

    if (offline_open(&setup, &run.offline, &err) != ERR_NONE) {
        fail(o, "an offline run does not begin", o->role->step.input, partition, err.text);
        return;
    }
    read_log(o->role->step.input, partition, give, &run);
    if (!o->wrong)
        compare_state(o, c, partition, run.offline);
    offline_close(run.offline);
}

/* --- what came ------------------------------------------------------------------------------------------ */

struct reading {
    struct oracle *oracle;
    const struct topic *topic;
    int32_t partition;
    struct taken taken;
    size_t count;
};

static void take(void *context, const struct record *record)
{
    struct reading *r = context;
    struct taken_source source;
    struct err err = {0};

    switch (taken_look(&r->taken, record, &r->oracle->scratch, &source, &err)) {
    case TAKEN_NEXT:
        taken_advance(&r->taken, &source);
        r->count++;
        return;
    case TAKEN_PLAIN:
    case TAKEN_REPEAT:
    case TAKEN_GAP: return;
    case TAKEN_OLD:
    case TAKEN_JUNK:
    case TAKEN_BROKEN: fail(r->oracle, "a reader stops", r->topic->name, r->partition, err.text);
    }
}

/* What stands in the log of a source, for who reads a failure. */
static void tell_record(void *context, const struct record *record)
{
    (void)context;
    sim_tell("@%lld %.*s %.*s at %lld", (long long)record->offset,
             STR_ARG(record_header(record, STR(CHAIN_FROM_HEADER))),
             STR_ARG(record_header(record, STR(CHAIN_SEQ_HEADER))),
             (long long)record->timestamp_ms);
}

static void compare_source(struct reading *r, const struct taken_source *right)
{
    const struct taken_source *is = taken_find(&r->taken, right->from);
    struct err detail;

    if (is != NULL && is->number == right->number && is->hash.low == right->hash.low &&
        is->hash.high == right->hash.high)
        return;
    read_log(r->topic->name, r->partition, tell_record, NULL);
    err_set(&detail, ERR_STATE, "of %.*s a reader takes %llu records, and %llu are right",
            STR_ARG(right->from), is != NULL ? (unsigned long long)is->number : 0,
            (unsigned long long)right->number);
    fail(r->oracle, "outputs are other ones", r->topic->name, r->partition, detail.text);
}

static void compare_output(struct oracle *o, const struct topic *topic, int32_t partition)
{
    const struct taken *right = &topic->expected[partition];
    struct reading r = {.oracle = o, .topic = topic, .partition = partition};

    read_log(topic->name, partition, take, &r);
    for (size_t i = 0; i < right->count && !o->wrong; i++)
        compare_source(&r, &right->sources[i]);
    if (r.count != topic->count[partition])
        fail(o, "a reader takes more than is right", topic->name, partition, "");
    sim_digest_add(r.count);
    o->outputs += r.count;
    taken_free(&r.taken);
}

static void forget(struct oracle *o)
{
    for (size_t i = 0; i < o->topic_count; i++)
        for (int32_t p = 0; p < o->topics[i].partitions; p++)
            taken_free(&o->topics[i].expected[p]);
    buf_free(&o->scratch);
}

bool oracle_compare(struct cluster *c, struct err *why)
{
    enum mutant was = mutant_switch(MUTANT_NONE);
    struct oracle o = {.why = why};

    for (size_t i = 0; i < c->role_count; i++) {
        o.role = &c->roles[i];
        for (int k = 0; o.role->step.outputs[k] != NULL; k++)
            topic_of(&o, o.role->step.outputs[k]);
        for (int32_t p = 0; p < o.role->partitions && !o.wrong; p++)
            run_offline(&o, c, p);
    }
    for (size_t i = 0; i < o.topic_count; i++)
        for (int32_t p = 0; p < o.topics[i].partitions && !o.wrong; p++)
            compare_output(&o, &o.topics[i], p);
    if (!o.wrong)
        sim_tell("%zu outputs and all states are those of an undisturbed run", o.outputs);
    forget(&o);
    mutant_switch(was);
    return !o.wrong;
}
