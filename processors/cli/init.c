/* attent init: a new state at some place of the log, and a new generation of outputs.
 *
 * The state is made offline, by the step itself: it is told which rules are in force there, and nothing
 * else.  A generation is a time in seconds (or one more than what was there), so it is newer than any
 * that was published before, also when nobody knows any more which that was.
 *
 * The log may hold numbered records of steps that are not begun anew, and the new state begins in the
 * midst of their numbers.  The lowest that comes behind is the one to begin with: who sends again
 * sends everything from there on.  Of steps that are begun anew older generations are dropped.
 *
 * States of a snapshot may also go on elsewhere in the log (--log), where the log has a hole behind them or
 * is another one: they stay, and are told the rules in force there. */
#include <inttypes.h>
#include <stdio.h>

#include "core/clock.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/when.h"
#include "processors/cli/change.h"
#include "processors/cli/scan.h"
#include "processors/worker/meta.h"
#include "processors/worker/snapshot.h"

enum from { FROM_BEGINNING, FROM_END, FROM_TIME, FROM_SNAPSHOT };

struct beginning {
    enum from from;
    int64_t at_ms;   /* FROM_TIME */
    const char *dir; /* FROM_SNAPSHOT */
    enum from log;   /* where it goes on: as `from`, or of a snapshot what --log says */
    struct steps *steps;
    uint64_t generation;
    struct activation_history history;
    struct buf scratch;
};

/* --- what the log holds from there on ----------------------------------------------------------- */

struct ahead {
    struct beginning *b;
    int64_t start;
    struct taken lowest;          /* of each source the first to be taken */
    int64_t first_ms;             /* time of the first record; INT64_MIN: there is none */
    char rules[HASH128_HEX_SIZE]; /* put in force last in front of the start; empty: not there */
};

static void look_behind(struct ahead *a, const struct record *record)
{
    if (str_is(record_header(record, STR(CONTROL_HEADER)), CONTROL_ACTIVATE) &&
        record->value.len < sizeof a->rules)
        snprintf(a->rules, sizeof a->rules, "%.*s", STR_ARG(record->value));
}

static enum err_code look_ahead(void *context, const struct record *record, struct err *err)
{
    static const struct taken nothing;
    struct ahead *a = context;
    struct taken_source claim;
    const struct taken_source *known;

    (void)err;
    if (record->offset < a->start) {
        look_behind(a, record);
        return ERR_NONE;
    }
    if (a->first_ms == INT64_MIN)
        a->first_ms = record->timestamp_ms;
    switch (taken_look(&nothing, record, &a->b->scratch, &claim, NULL)) {
    case TAKEN_PLAIN:
    case TAKEN_JUNK:
    case TAKEN_OLD:
    case TAKEN_REPEAT: return ERR_NONE;
    case TAKEN_NEXT:
    case TAKEN_GAP:
    case TAKEN_BROKEN: break;
    }
    known = taken_find(&a->lowest, claim.from);
    if (known == NULL || claim.generation < known->generation ||
        (claim.generation == known->generation && claim.number < known->number))
        taken_advance(&a->lowest, &claim);
    return ERR_NONE;
}

static enum err_code look_through(struct beginning *b, const struct cli_step *step,
                                  int32_t partition, struct ahead *out, struct err *err)
{
    struct scan scan = {.kafka = &b->steps->kafka,
                        .topic = step->input,
                        .partition = partition,
                        .context = out,
                        .record = look_ahead};

    return scan_topic(&scan, err);
}

/* --- sources --------------------------------------------------------------------------------------- */

static bool is_begun_anew(const struct steps *steps, const struct cli_step *step, int32_t partition)
{
    return step->chosen && partition >= steps->first && partition < steps->end;
}

/* What a source that is not begun anew has published last, by its own state; false: nothing. */
static bool published(struct beginning *b, const struct cli_step *source, int32_t number,
                      size_t topic, int32_t partition, struct taken_source *out)
{
    struct store *store = b->steps->store;
    struct arena *arena = arena_new(0);
    struct meta meta = {0};
    struct str bytes;
    bool found = false;

    if (store->class->meta(store, source->class->name, number, arena, &bytes, NULL) == STORE_DONE &&
        bytes.len > 0 && meta_decode_any(bytes, &meta, NULL) == ERR_NONE &&
        topic < meta.topic_count && partition < meta.topics[topic].partition_count) {
        const struct chain *sent = &meta.topics[topic].sent[partition];

        out->generation = meta.generation;
        out->number = sent->number;
        out->hash = sent->hash;
        found = sent->number > 0;
    }
    meta_free(&meta);
    arena_free(arena);
    return found;
}

/* Where a new state stands with one source of its input; false: at its very beginning. */
static bool stand(struct beginning *b, const struct ahead *ahead, const struct cli_step *source,
                  int32_t number, size_t topic, int32_t partition, struct taken_source *out)
{
    const struct taken_source *lowest = taken_find(&ahead->lowest, out->from);

    if (is_begun_anew(b->steps, source, number)) {
        out->generation = b->generation;
        out->number = 0;
        out->hash = CHAIN_UNKNOWN;
        return true;
    }
    if (lowest == NULL)
        return published(b, source, number, topic, partition, out);
    out->generation = lowest->generation;
    out->number = lowest->number - 1;
    out->hash = CHAIN_UNKNOWN;
    return out->number > 0;
}

static void add_sources(struct beginning *b, const struct ahead *ahead, const struct cli_step *step,
                        int32_t partition, struct taken *taken)
{
    for (size_t i = 0; i < STEPS_COUNT; i++) {
        const struct cli_step *source = &b->steps->items[i];

        for (size_t t = 0; t < source->output_count; t++)
            for (int32_t n = 0;
                 strcmp(source->outputs[t], step->input) == 0 && n < b->steps->topics.partitions;
                 n++) {
                struct taken_source at = {
                    .from = arena_format(b->steps->arena, "%s/%d", source->class->name, n)};

                if (stand(b, ahead, source, n, t, partition, &at))
                    taken_advance(taken, &at);
            }
    }
}

/* --- the new state ---------------------------------------------------------------------------------- */

/* The rules in force at the start: as the log says, or, where it does not go back so far, as the rules
 * topic does.  NULL: none were, or the log itself will say. */
static const char *rules_at(const struct beginning *b, const struct ahead *a)
{
    int64_t at_ms = b->log == FROM_TIME ? b->at_ms : a->first_ms;
    const char *hash = NULL;

    if (a->rules[0] != '\0')
        return a->rules;
    if (a->start == 0 && a->first_ms != INT64_MIN && b->from != FROM_SNAPSHOT)
        return NULL;
    for (size_t i = 0; i < b->history.count; i++)
        if (b->log == FROM_END || at_ms == INT64_MIN || b->history.entries[i].at_ms <= at_ms)
            hash = b->history.entries[i].hash;
    return hash;
}

/* By a record as it stands in the log. */
static enum err_code tell_rules(struct offline *offline, const char *hash, struct err *err)
{
    const struct header header = {STR(CONTROL_HEADER), STR(CONTROL_ACTIVATE)};
    const struct record record = {.offset = offline_next(offline),
                                  .timestamp_ms = 0,
                                  .value = str_of(hash),
                                  .headers = &header,
                                  .header_count = 1};

    return offline_record(offline, &record, err);
}

/* A copy that has nothing in it. */
static struct store_copy empty_copy(struct beginning *b, const struct cli_step *step)
{
    struct buf out = {0};
    struct meta meta;
    struct store_copy copy = {.commit = 1};

    meta_init(&meta, 0, b->generation, step->counts, step->output_count);
    meta.commit = 1;
    meta_encode(&meta, &out);
    copy.meta = arena_str(b->steps->arena, buf_str(&out));
    meta_free(&meta);
    buf_free(&out);
    return copy;
}

/* from: the states to begin with; NULL: none. */
static enum err_code make_state(struct beginning *b, const struct cli_step *step, int32_t partition,
                                const struct store_copy *from, const char *rules,
                                struct store_copy *out, struct err *err)
{
    struct offline_setup setup = steps_offline(step, partition);
    struct offline *offline;
    enum err_code code;

    setup.from = from;
    code = offline_open(&setup, &offline, err);
    if (code == ERR_NONE && rules != NULL)
        code = tell_rules(offline, rules, err);
    if (code == ERR_NONE)
        *out = offline_copy(offline, b->steps->arena);
    if (code == ERR_NONE && out->commit == 0)
        *out = empty_copy(b, step);
    offline_close(offline);
    return code;
}

/* What a snapshot has taken already comes again: its numbers stay. */
static bool is_behind(const struct taken *old, const struct taken_source *source)
{
    const struct taken_source *known = taken_find(old, source->from);

    return known != NULL && known->generation == source->generation &&
           known->number >= source->number;
}

/* Numbers begin again, and what is known of sources is what was found out.  start: -1, as it was. */
static enum err_code renumber(struct beginning *b, const struct cli_step *step, int64_t start,
                              const struct taken *sources, struct store_copy *copy, struct err *err)
{
    struct meta old, meta;
    struct buf out = {0};
    enum err_code code = meta_decode_any(copy->meta, &old, err);

    if (code == ERR_NONE) {
        meta_init(&meta, start >= 0 ? start : old.next, b->generation, step->counts,
                  step->output_count);
        meta.commit = old.commit;
        meta.now_ms = old.now_ms;
        for (size_t i = 0; i < old.taken.count; i++)
            taken_advance(&meta.taken, &old.taken.sources[i]);
        for (size_t i = 0; i < sources->count; i++)
            if (!is_behind(&old.taken, &sources->sources[i]))
                taken_advance(&meta.taken, &sources->sources[i]);
        if (start < 0)
            meta.last = old.last;
        meta_encode(&meta, &out);
        copy->meta = arena_str(b->steps->arena, buf_str(&out));
        copy->identity = steps_identity(b->steps, step);
        meta_free(&meta);
    }
    meta_free(&old);
    buf_free(&out);
    return code;
}

/* --- a partition -------------------------------------------------------------------------------------- */

static enum err_code find_start(struct beginning *b, const struct cli_step *step, int32_t partition,
                                int64_t *start, struct err *err)
{
    int64_t first, end;
    enum err_code code =
        kafka_consumer_bounds(b->steps->asking, step->input, partition, &first, &end, err);

    *start = b->log == FROM_END ? end : first;
    if (code == ERR_NONE && b->log == FROM_TIME)
        code =
            kafka_topic_offset_at(&b->steps->kafka, step->input, partition, b->at_ms, start, err);
    return code;
}

/* states: those of a snapshot, or NULL. */
static enum err_code from_log(struct beginning *b, const struct cli_step *step, int32_t partition,
                              const struct store_copy *states, int64_t *start,
                              struct store_copy *copy, struct taken *sources, struct err *err)
{
    struct ahead ahead = {.b = b, .first_ms = INT64_MIN};
    enum err_code code = find_start(b, step, partition, &ahead.start, err);

    if (code == ERR_NONE)
        code = look_through(b, step, partition, &ahead, err);
    if (code == ERR_NONE)
        code = make_state(b, step, partition, states, rules_at(b, &ahead), copy, err);
    if (code == ERR_NONE)
        add_sources(b, &ahead, step, partition, sources);
    *start = ahead.start;
    taken_free(&ahead.lowest);
    return code;
}

/* Of sources that are begun anew in the same run the older generations are given up. */
static enum err_code from_snapshot(struct beginning *b, const struct cli_step *step,
                                   int32_t partition, int64_t *start, struct store_copy *copy,
                                   struct taken *sources, struct err *err)
{
    struct str path = snapshot_path(b->steps->arena, b->dir, step->class->name, partition);
    struct ahead nothing = {.b = b};
    struct snapshot snapshot;
    struct taken all = {0};
    enum err_code code = snapshot_read(path.data, b->steps->arena, &snapshot, err);

    if (code != ERR_NONE)
        return code;
    if (b->log != FROM_SNAPSHOT) {
        code = renumber(b, step, -1, &all, &snapshot.copy, err);
        return code == ERR_NONE
                   ? from_log(b, step, partition, &snapshot.copy, start, copy, sources, err)
                   : code;
    }
    *copy = snapshot.copy;
    add_sources(b, &nothing, step, partition, &all);
    for (size_t i = 0; i < all.count; i++)
        if (all.sources[i].number == 0)
            taken_advance(sources, &all.sources[i]);
    taken_free(&all);
    return ERR_NONE;
}

/* A partition that had no state when the snapshot was taken, and has none now, begins as it would by
 * itself; with the new generation, because the readers of this run know no other. */
static bool has_nothing(struct beginning *b, const struct cli_step *step, int32_t partition)
{
    struct store *store = b->steps->store;
    uint64_t commit;

    return b->from == FROM_SNAPSHOT &&
           !file_exists(
               snapshot_path(b->steps->arena, b->dir, step->class->name, partition).data) &&
           store->class->commit_number(store, step->class->name, partition, &commit, NULL) ==
               STORE_DONE &&
           commit == 0;
}

static enum err_code add_one(struct beginning *b, struct changes *changes,
                             const struct cli_step *step, int32_t partition, struct err *err)
{
    struct store_copy copy = {0};
    struct taken sources = {0};
    int64_t start = -1;
    enum err_code code = b->from == FROM_SNAPSHOT && !has_nothing(b, step, partition)
                             ? from_snapshot(b, step, partition, &start, &copy, &sources, err)
                             : from_log(b, step, partition, NULL, &start, &copy, &sources, err);

    if (code == ERR_NONE)
        code = renumber(b, step, start, &sources, &copy, err);
    if (code == ERR_NONE)
        code = changes_add(changes, step, partition, &copy, "", err);
    else
        err_prefix(err, "%s/%d", step->class->name, partition);
    taken_free(&sources);
    return code;
}

/* --- the verb -------------------------------------------------------------------------------------------- */

static enum err_code read_log(struct beginning *b, const char *log, struct err *err)
{
    b->log = b->from;
    if (log == NULL)
        return ERR_NONE;
    if (b->from != FROM_SNAPSHOT)
        return err_set(err, ERR_USAGE, "--log goes with --from DIR alone");
    if (strcmp(log, "beginning") != 0 && strcmp(log, "end") != 0)
        return err_set(err, ERR_USAGE, "--log %s: there are beginning and end", log);
    b->log = strcmp(log, "end") == 0 ? FROM_END : FROM_BEGINNING;
    return ERR_NONE;
}

static enum err_code read_from(struct beginning *b, const char *from, struct err *err)
{
    if (from == NULL)
        return err_set(err, ERR_USAGE, "--from is missing: beginning, end, a time or a snapshot");
    if (strcmp(from, "beginning") == 0)
        b->from = FROM_BEGINNING;
    else if (strcmp(from, "end") == 0)
        b->from = FROM_END;
    else if (when_parse_ms(str_of(from), &b->at_ms))
        b->from = FROM_TIME;
    else if (file_is_folder(from)) {
        b->from = FROM_SNAPSHOT;
        b->dir = from;
    } else
        return err_set(err, ERR_USAGE,
                       "--from %s: it is no folder, no time (2026-11-27T08:00:00Z), and neither "
                       "beginning nor end",
                       from);
    return ERR_NONE;
}

/* Newer than any that is there. */
static enum err_code choose_generation(struct beginning *b, struct err *err)
{
    struct store *store = b->steps->store;

    b->generation = (uint64_t)(clock_wall_ms() / 1000);
    for (size_t i = 0; i < STEPS_COUNT; i++)
        for (int32_t p = 0; p < b->steps->topics.partitions; p++) {
            struct meta meta = {0};
            struct str bytes;

            if (store->class->meta(store, b->steps->items[i].class->name, p, b->steps->arena,
                                   &bytes, err) != STORE_DONE)
                return ERR_DOWN;
            if (bytes.len > 0 && meta_decode_any(bytes, &meta, NULL) == ERR_NONE &&
                meta.generation >= b->generation)
                b->generation = meta.generation + 1;
            meta_free(&meta);
        }
    return ERR_NONE;
}

static enum err_code add_all(struct beginning *b, struct changes *changes, struct err *err)
{
    struct steps *steps = b->steps;
    enum err_code code = choose_generation(b, err);

    if (code == ERR_NONE)
        code = rules_topic_history(steps->rules, steps->arena, &b->history, err);
    for (size_t i = 0; i < STEPS_COUNT; i++)
        for (int32_t p = steps->first; p < steps->end && code == ERR_NONE; p++)
            if (steps->items[i].chosen)
                code = add_one(b, changes, &steps->items[i], p, err);
    return code;
}

int verb_init(int argc, char **argv)
{
    struct steps steps = {0};
    struct beginning b = {.steps = &steps};
    struct changes changes = {.steps = &steps, .verb = "init", .over = true};
    struct err err = {0};
    struct command c;
    enum err_code code;
    int exit_code;

    if (!command_open(&c, "init", argc, argv, 0, 0, &exit_code))
        return command_close(&c, exit_code);
    code = read_from(&b, options_value(&c.options, "from"), &err);
    if (code == ERR_NONE)
        code = read_log(&b, options_value(&c.options, "log"), &err);
    if (code == ERR_NONE)
        code = steps_open(&steps, &c, true, &err);
    if (code == ERR_NONE)
        code = add_all(&b, &changes, &err);
    exit_code = code != ERR_NONE ? cli_fail(&err)
                                 : changes_finish(&changes, options_has(&c.options, "yes"), &err);
    buf_free(&b.scratch);
    changes_free(&changes);
    steps_close(&steps);
    return command_close(&c, exit_code);
}
