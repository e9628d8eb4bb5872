/* attent repartition: the states of N partitions, handed out anew to M.
 *
 * States live longer than logs, so they are handed out, not derived again: each subject goes to the
 * partition that Kafka's partitioner gives its key when there are M.  That is right only where
 * nothing of the old order is undecided, so the snapshot has to stand at the end of every log.  From
 * there on numbers are those of a new generation, of both steps, in all partitions.
 *
 * It reads the snapshot alone, and so gives the same when it is done again after it was broken off. */
#include <inttypes.h>
#include <stdio.h>

#include "core/check.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/mem.h"
#include "processors/cli/change.h"
#include "processors/cli/scan.h"
#include "processors/worker/handout.h"
#include "processors/worker/meta.h"
#include "processors/worker/snapshot.h"

struct moving {
    struct steps *steps;
    const char *dir;
    int32_t before, after; /* partitions */
    uint64_t generation;
    bool has_states
        [STEPS_COUNT]; /* in the snapshot; a step that nobody runs has none, and begins some day */
};

struct old { /* the partitions of one step as they were */
    struct store_copy *copies;
    int64_t *ends; /* of the logs */
    int64_t now_ms;
    size_t missing; /* without a file */
};

static void look_for_states(struct moving *m)
{
    for (size_t i = 0; i < STEPS_COUNT; i++)
        for (int32_t p = 0; p < m->before; p++)
            if (file_exists(
                    snapshot_path(m->steps->arena, m->dir, m->steps->items[i].class->name, p).data))
                m->has_states[i] = true;
}

/* --- what there was ------------------------------------------------------------------------------ */

static enum err_code count_undecided(void *context, const struct record *record, struct err *err)
{
    (void)record, (void)err;
    ++*(size_t *)context;
    return ERR_NONE;
}

/* Has all of the log been decided? */
static enum err_code look_at_end(struct moving *m, struct changes *changes,
                                 const struct cli_step *step, int32_t p, int64_t next, int64_t *end,
                                 struct err *err)
{
    size_t undecided = 0;
    struct scan scan = {.kafka = &m->steps->kafka,
                        .topic = step->input,
                        .partition = p,
                        .from = next,
                        .context = &undecided,
                        .record = count_undecided};
    int64_t first;
    enum err_code code = kafka_consumer_bounds(m->steps->asking, step->input, p, &first, end, err);

    if (code == ERR_NONE && next < *end)
        code = scan_topic(&scan, err);
    if (code == ERR_NONE && undecided > 0)
        changes_refuse(changes, step, p,
                       "%zu records of %s/%d are not in the snapshot: stop ingest, wait until all "
                       "is decided, stop the workers, and take another snapshot",
                       undecided, step->input, p);
    return code;
}

static enum err_code read_one(struct moving *m, struct changes *changes,
                              const struct cli_step *step, int32_t p, struct old *old,
                              struct err *err)
{
    struct str path = snapshot_path(m->steps->arena, m->dir, step->class->name, p);
    struct snapshot snapshot;
    struct meta meta = {0};
    enum err_code code = ERR_NONE;
    int64_t next = 0;

    if (file_exists(path.data)) {
        code = snapshot_read(path.data, m->steps->arena, &snapshot, err);
        old->copies[p] = snapshot.copy;
        if (code == ERR_NONE)
            code = meta_decode_any(snapshot.copy.meta, &meta, err);
        next = meta.next;
        if (code == ERR_NONE && meta.now_ms > old->now_ms)
            old->now_ms = meta.now_ms;
        if (code == ERR_NONE && meta.generation >= m->generation)
            changes_refuse(changes, step, p, "its outputs are of the future: is this clock right?");
    } else {
        old->missing++;
    }
    if (code == ERR_NONE)
        code = look_at_end(m, changes, step, p, next, &old->ends[p], err);
    meta_free(&meta);
    return code;
}

/* --- what there will be ----------------------------------------------------------------------------- */

/* Older generations of both steps are over. */
static void give_up_older(const struct moving *m, struct taken *taken)
{
    for (size_t i = 0; i < STEPS_COUNT; i++)
        for (int32_t n = 0; m->has_states[i] && n < m->after; n++)
            taken_advance(taken, &(struct taken_source){
                                     .from = arena_format(m->steps->arena, "%s/%d",
                                                          m->steps->items[i].class->name, n),
                                     .generation = m->generation});
}

static void make_meta(const struct moving *m, const struct cli_step *step, const struct old *old,
                      int32_t to, struct store_copy *out)
{
    int32_t counts[STEPS_OUTPUTS_MAX];
    struct buf bytes = {0};
    struct meta meta;

    for (size_t t = 0; t < step->output_count; t++) /* those that grow have grown by then */
        counts[t] = strcmp(step->outputs[t], m->steps->topics.events) == 0 ||
                            strcmp(step->outputs[t], m->steps->topics.identify) == 0
                        ? m->after
                        : step->counts[t];
    meta_init(&meta, to < m->before ? old->ends[to] : 0, m->generation, counts, step->output_count);
    meta.commit = 1;
    meta.now_ms = old->now_ms;
    give_up_older(m, &meta.taken);
    meta_encode(&meta, &bytes);
    out->commit = 1;
    out->meta = arena_str(m->steps->arena, buf_str(&bytes));
    out->identity = store_identity(m->steps->arena, step->group, step->input, m->after);
    meta_free(&meta);
    buf_free(&bytes);
}

static enum err_code move_step(struct moving *m, struct changes *changes,
                               const struct cli_step *step, struct err *err)
{
    struct old old = {.copies = ARENA_ARRAY(m->steps->arena, struct store_copy, (size_t)m->before),
                      .ends = ARENA_ARRAY(m->steps->arena, int64_t, (size_t)m->before)};
    int now = 0;
    enum err_code code = /* it may have grown already, and the other one not */
        kafka_consumer_topic_partitions(m->steps->asking, step->input, &now, err);

    changes->there = now;
    for (int32_t p = 0; p < m->before && code == ERR_NONE; p++)
        code = read_one(m, changes, step, p, &old, err);
    if (code == ERR_NONE && old.missing > 0)
        changes_refuse(changes, step, 0, "%s lacks %zu of its %d partitions", m->dir, old.missing,
                       m->before);
    for (int32_t to = 0; to < m->after && code == ERR_NONE; to++) {
        struct store_copy copy = {0};

        handout(old.copies, m->before, m->after, to, m->steps->arena, &copy);
        make_meta(m, step, &old, to, &copy);
        code = changes_add(changes, step, to, &copy, to < m->before ? "" : ", new", err);
        if (code == ERR_NONE && to >= m->before && changes->items[changes->count - 1].end > 0)
            changes_refuse(changes, step, to, "somebody has written to the new partition already");
    }
    return code;
}

/* --- the verb ------------------------------------------------------------------------------------------ */

static enum err_code grow_topics(const struct moving *m, struct err *err)
{
    enum err_code code = steps_are_at_rest(m->steps, err);

    if (code == ERR_NONE)
        code = kafka_topic_grow(&m->steps->kafka, m->steps->topics.identify, m->after, err);
    if (code == ERR_NONE)
        code = kafka_topic_grow(&m->steps->kafka, m->steps->topics.events, m->after, err);
    return code;
}

static enum err_code prepare(struct moving *m, struct changes *changes, const struct command *c,
                             struct err *err)
{
    int64_t after;
    enum err_code code;

    m->steps->growing = true;
    code = steps_open(m->steps, c, true, err);
    m->before = m->steps->topics.partitions;
    if (code == ERR_NONE)
        code = options_number(&c->options, "partitions", m->before + 1, 1024, -1, &after, err);
    if (code == ERR_NONE && after < 0)
        return err_set(err, ERR_USAGE, "--partitions is missing: how many there are to be");
    if (code != ERR_NONE)
        return code;
    m->after = (int32_t)after;
    m->generation = (uint64_t)(clock_wall_ms() / 1000);
    look_for_states(m);
    for (size_t i = 0; i < STEPS_COUNT && code == ERR_NONE; i++)
        if (m->has_states[i])
            code = move_step(m, changes, &m->steps->items[i], err);
    if (code == ERR_NONE && changes->count == 0)
        code = err_set(err, ERR_STATE, "%s holds no snapshot of these steps", m->dir);
    return code;
}

int verb_repartition(int argc, char **argv)
{
    struct steps steps = {0};
    struct moving m = {.steps = &steps};
    struct changes changes = {.steps = &steps, .verb = "repartition", .over = true};
    struct err err = {0};
    struct command c;
    enum err_code code;
    int exit_code;
    bool yes;

    if (!command_open(&c, "repartition", argc, argv, 1, 1, &exit_code))
        return command_close(&c, exit_code);
    yes = options_has(&c.options, "yes");
    m.dir = c.options.arguments[0];
    code = prepare(&m, &changes, &c, &err);
    if (code == ERR_NONE && yes && changes.refused == 0)
        code = grow_topics(&m, &err);
    exit_code = code != ERR_NONE ? cli_fail(&err) : changes_finish(&changes, yes, &err);
    if (exit_code == EXIT_FINE && yes)
        printf("set partitions: %d and task_partitions: %d first\n", m.after,
               steps.topics.task_partitions);
    changes_free(&changes);
    steps_close(&steps);
    return command_close(&c, exit_code);
}
