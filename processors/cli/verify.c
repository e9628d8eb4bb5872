/* attent verify: is the live state of a partition what the log makes of it?
 *
 * The live state is copied as it was at one moment, while the workers go on.  The log is decided again
 * up to that moment, from a snapshot or from its beginning, and the two are compared subject by
 * subject.  The moment may lie between two records, or between timers that are due together (a
 * worker commits where a batch ends); then the offline run stands a little before or behind, and
 * a later moment is looked at. */
#include <inttypes.h>
#include <stdio.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "processors/cli/scan.h"
#include "processors/cli/steps.h"
#include "processors/worker/blob.h"
#include "processors/worker/meta.h"
#include "processors/worker/snapshot.h"

enum { TRIES = 3, PAUSE_MS = 300, DIFFERENT_SHOWN = 20 };

struct verifying {
    struct steps *steps;
    const struct cli_step *step;
    int32_t partition;
    struct offline *offline;
    uint64_t generation; /* of its outputs */
    struct arena *arena; /* of one look */
    struct store_copy live, mine;
    struct meta live_meta, mine_meta;
    struct buf different; /* a line each, or a JSON list */
    size_t different_count;
    bool json;
};

/* --- comparing ---------------------------------------------------------------------------------- */

static void note(struct verifying *v, struct str subject, const char *how)
{
    char name[LOG_CUSTOMER_SIZE];
    struct str shown = subject.len > 0 ? log_customer(subject, name) : STR("(the partition's own)");

    if (v->different_count++ >= DIFFERENT_SHOWN)
        return;
    if (v->json)
        buf_put_format(&v->different, "%s\"%.*s\"", v->different.len > 0 ? "," : "",
                       STR_ARG(shown));
    else
        buf_put_format(&v->different, "  %.*s: %s\n", STR_ARG(shown), how);
}

/* Both ascend. */
static void compare_subjects(struct verifying *v)
{
    size_t l = 0, m = 0;

    while (l < v->live.count || m < v->mine.count) {
        const struct store_subject *live = &v->live.subjects[l], *mine = &v->mine.subjects[m];
        int order = l == v->live.count   ? 1
                    : m == v->mine.count ? -1
                                         : str_compare(live->subject, mine->subject);

        if (order < 0)
            note(v, live->subject, "Redis has a state, the log makes none");
        else if (order > 0)
            note(v, mine->subject, "the log makes a state, Redis has none");
        else if (!str_equal(blob_renewed(live->subject, live->blob, v->arena),
                            blob_renewed(mine->subject, mine->blob, v->arena)))
            note(v, live->subject, "Redis has another state than the log makes");
        l += order <= 0;
        m += order >= 0;
    }
}

static bool same_chain(const struct chain *a, const struct chain *b)
{
    return a->number == b->number && a->hash.low == b->hash.low && a->hash.high == b->hash.high;
}

/* How far it is with its outputs; a log that does not go back to its beginning makes other numbers. */
static bool same_outputs(const struct verifying *v)
{
    bool same = v->live_meta.topic_count == v->mine_meta.topic_count;

    for (size_t t = 0; t < v->live_meta.topic_count && same; t++) {
        const struct meta_topic *live = &v->live_meta.topics[t], *mine = &v->mine_meta.topics[t];

        same = live->partition_count == mine->partition_count;
        for (int32_t p = 0; p < live->partition_count && same; p++)
            same = same_chain(&live->sent[p], &mine->sent[p]);
    }
    return same;
}

/* And how far it has taken those of others. */
static bool same_sources(const struct taken *live, const struct taken *mine)
{
    bool same = live->count == mine->count;

    for (size_t i = 0; i < live->count && same; i++) {
        const struct taken_source *a = &live->sources[i], *b = &mine->sources[i];

        same = str_equal(a->from, b->from) && a->generation == b->generation &&
               a->number == b->number && a->hash.low == b->hash.low && a->hash.high == b->hash.high;
    }
    return same;
}

/* --- one look ------------------------------------------------------------------------------------ */

static enum err_code take(void *context, const struct record *record, struct err *err)
{
    struct verifying *v = context;

    return offline_record(v->offline, record, err);
}

/* Records up to where the live state stands, then its time. */
static enum err_code catch_up(struct verifying *v, struct err *err)
{
    struct scan scan = {.kafka = &v->steps->kafka,
                        .topic = v->step->input,
                        .partition = v->partition,
                        .from = offline_next(v->offline),
                        .until = v->live_meta.next,
                        .context = v,
                        .record = take};
    enum err_code code = ERR_NONE;

    if (offline_next(v->offline) < v->live_meta.next)
        code = scan_topic(&scan, err);
    if (code == ERR_NONE && offline_now_ms(v->offline) < v->live_meta.now_ms)
        code = offline_advance(v->offline, v->live_meta.now_ms, err);
    return code;
}

static enum err_code copy_live(struct verifying *v, struct err *err)
{
    struct store *store = v->steps->store;
    enum store_result result =
        store->class->copy(store, v->step->class->name, v->partition, v->arena, &v->live, err);

    if (result != STORE_DONE)
        return result == STORE_DOWN ? ERR_DOWN : ERR_STATE;
    if (v->live.commit == 0)
        return err_set(err, ERR_STATE, "%s/%d has no state in Redis", v->step->class->name,
                       v->partition);
    meta_free(&v->live_meta);
    return meta_decode_any(v->live.meta, &v->live_meta, err);
}

static enum err_code look(struct verifying *v, struct err *err)
{
    enum err_code code;

    arena_reset(v->arena);
    buf_clear(&v->different);
    v->different_count = 0;
    code = copy_live(v, err);
    if (code == ERR_NONE && v->live_meta.generation != v->generation)
        code = err_set(err, ERR_STATE,
                       "%s/%d was begun anew by `attent init` (generation %" PRIu64
                       "): verify it from a snapshot that was taken since",
                       v->step->class->name, v->partition, v->live_meta.generation);
    if (code == ERR_NONE && v->live_meta.next < offline_next(v->offline))
        code = err_set(err, ERR_STATE,
                       "the live state stands at offset %" PRId64 ", before the snapshot",
                       v->live_meta.next);
    if (code == ERR_NONE)
        code = catch_up(v, err);
    if (code != ERR_NONE)
        return code;
    v->mine = offline_copy(v->offline, v->arena);
    meta_free(&v->mine_meta);
    if (v->mine.commit != 0)
        code = meta_decode_any(v->mine.meta, &v->mine_meta, err);
    if (code == ERR_NONE)
        compare_subjects(v);
    return code;
}

/* --- a partition --------------------------------------------------------------------------------- */

static enum err_code read_snapshot(struct verifying *v, const char *dir, struct snapshot *out,
                                   struct err *err)
{
    struct str path = snapshot_path(v->steps->arena, dir, v->step->class->name, v->partition);
    struct meta meta = {0};
    enum err_code code = snapshot_read(path.data, v->steps->arena, out, err);

    if (code == ERR_NONE)
        code = meta_decode_any(out->copy.meta, &meta, err);
    v->generation = meta.generation;
    meta_free(&meta);
    return code;
}

/* Without a snapshot: the log has to be whole. */
static enum err_code look_at_beginning(struct verifying *v, struct err *err)
{
    int64_t first, end;
    enum err_code code =
        kafka_consumer_bounds(v->steps->asking, v->step->input, v->partition, &first, &end, err);

    v->generation = 1;
    if (code == ERR_NONE && first > 0)
        code = err_set(err, ERR_STATE,
                       "the log of %s/%d begins at offset %" PRId64
                       ": verify it from a snapshot (--from DIR)",
                       v->step->input, v->partition, first);
    return code;
}

static enum err_code open_offline(struct verifying *v, const char *dir, struct err *err)
{
    struct offline_setup setup = steps_offline(v->step, v->partition);
    struct snapshot snapshot;
    enum err_code code =
        dir != NULL ? read_snapshot(v, dir, &snapshot, err) : look_at_beginning(v, err);

    if (dir != NULL)
        setup.from = &snapshot.copy;
    return code == ERR_NONE ? offline_open(&setup, &v->offline, err) : code;
}

static void print_json(const struct verifying *v, bool outputs)
{
    printf("{\"step\":\"%s\",\"partition\":%d,\"next\":%" PRId64 ",\"subjects\":%zu,"
           "\"different\":%zu,\"outputs\":%s,\"who\":[%.*s]}\n",
           v->step->class->name, v->partition, v->live_meta.next, v->live.count, v->different_count,
           outputs ? "true" : "false", STR_ARG(buf_str(&v->different)));
}

static void print_text(const struct verifying *v, bool outputs)
{
    if (v->different_count == 0 && outputs) {
        printf("%s/%d: equal at offset %" PRId64 ", %zu subjects\n", v->step->class->name,
               v->partition, v->live_meta.next, v->live.count);
        return;
    }
    printf("%s/%d: DIFFERENT at offset %" PRId64 ": %zu of %zu subjects%s\n%.*s",
           v->step->class->name, v->partition, v->live_meta.next, v->different_count, v->live.count,
           outputs ? "" : ", and the numbers of what it writes or reads",
           STR_ARG(buf_str(&v->different)));
    if (v->different_count > DIFFERENT_SHOWN)
        printf("  and %zu more\n", v->different_count - DIFFERENT_SHOWN);
}

static enum err_code verify_one(struct steps *steps, const struct cli_step *step, int32_t partition,
                                const struct options *options, bool *equal, struct err *err)
{
    struct verifying v = {.steps = steps,
                          .step = step,
                          .partition = partition,
                          .arena = arena_new(0),
                          .json = options_has(options, "json")};
    enum err_code code = open_offline(&v, options_value(options, "from"), err);
    bool outputs = false;

    for (int i = 0; i < TRIES && code == ERR_NONE && (i == 0 || !*equal); i++) {
        clock_sleep_ms(i * PAUSE_MS);
        code = look(&v, err);
        outputs = same_outputs(&v) && same_sources(&v.live_meta.taken, &v.mine_meta.taken);
        *equal = v.different_count == 0 && outputs;
    }
    if (code == ERR_NONE && v.json)
        print_json(&v, outputs);
    else if (code == ERR_NONE)
        print_text(&v, outputs);
    offline_close(v.offline);
    meta_free(&v.live_meta);
    meta_free(&v.mine_meta);
    buf_free(&v.different);
    arena_free(v.arena);
    return code;
}

int verb_verify(int argc, char **argv)
{
    struct err err = {0};
    struct command c;
    struct steps steps = {0};
    enum err_code code;
    size_t different = 0;
    int exit_code;

    if (!command_open(&c, "verify", argc, argv, 0, 0, &exit_code))
        return command_close(&c, exit_code);
    code = steps_open(&steps, &c, true, &err);
    for (size_t i = 0; i < STEPS_COUNT; i++)
        for (int32_t p = steps.first; p < steps.end && code == ERR_NONE; p++) {
            bool equal = true;

            if (steps.items[i].chosen)
                code = verify_one(&steps, &steps.items[i], p, &c.options, &equal, &err);
            different += !equal;
        }
    steps_close(&steps);
    exit_code = code != ERR_NONE ? cli_fail(&err) : different > 0 ? EXIT_FINDINGS : EXIT_FINE;
    return command_close(&c, exit_code);
}
