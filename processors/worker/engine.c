/* Exactness first: what a record does depends on the log before it and on nothing else.
 *
 * A batch goes through the files of the engine (engine_parts.h) in this order:
 *
 *   engine_plan.c     guesses what the run will need
 *   engine_record.c   runs a record, behind the timers that are due before it
 *   engine_time.c     fires timers
 *   engine_state.c    decodes the state that a record or a timer meets, encodes what has changed
 *
 * The run asks for nothing: where it meets a subject that is not loaded, it stops, and the next plan
 * starts there.  Between batches a state is its blob, in the cache; what is in an arena belongs to one
 * batch.  A subject leaves the cache, and a timer memory, when the next batch is planned: all that
 * was decided is in commits that were sent then, and a load comes behind them.
 */
#include "processors/worker/engine_parts.h"

#include <stdio.h>
#include <string.h>

#include "core/check.h"
#include "core/mem.h"
#include "core/mutant.h"
#include "processors/worker/blob.h"

/* --- open and close ----------------------------------------------------------------------- */

static enum err_code read_own(struct engine *p, struct str own, struct err *err)
{
    struct blob_timers none;
    struct str inner;
    enum err_code code;

    if (blob_unwrap(STR_EMPTY, own, p->arena, &none, &inner, err) != ERR_NONE)
        return engine_unreadable(p, "the partition's own state", err);
    code = p->class->open(p->setup->config, p->setup->number, inner, &p->step, err);
    if (code == ERR_NONE)
        lanes_refresh(&p->lanes, p->class, p->step);
    return code;
}

static enum err_code read_meta(struct engine *p, struct str meta, struct err *err)
{
    const struct engine_setup *setup = p->setup;
    size_t topics = 0;

    while (p->class->topics != NULL && p->class->topics[topics] != NULL)
        topics++;
    if (meta.len == 0) {
        meta_init(&p->meta, setup->start, setup->generation, setup->topic_partitions, topics);
        return ERR_NONE;
    }
    if (meta_decode(meta, setup->topic_partitions, topics, &p->meta, err) != ERR_NONE)
        return err_prefix(err, "%s", p->from);
    p->sent = p->meta.commit;
    for (size_t i = 0; MUTANT(NUMBERS_ANEW) && i < topics; i++)
        memset(p->meta.topics[i].sent, 0,
               (size_t)p->meta.topics[i].partition_count * sizeof *p->meta.topics[i].sent);
    return ERR_NONE;
}

static void use_batch(struct engine *p, struct batch *batch)
{
    p->batch = batch;
    p->arena = batch->arena;
}

enum err_code engine_open(const struct engine_setup *setup, struct str meta, struct str own,
                          struct engine **out, struct err *err)
{
    struct engine *p = MEM_NEW(struct engine);
    struct outputs outputs;
    enum err_code code;
    int len;

    *out = NULL;
    CHECK(setup->timers_max > 0);
    p->setup = setup;
    p->class = setup->class;
    len = snprintf(p->from, sizeof p->from, "%s/%d", p->class->name, setup->number);
    CHECK(len > 0 && (size_t)len < sizeof p->from);
    p->cache.bytes_max = setup->cache_bytes_max;
    timers_init(&p->timers);
    outputs = (struct outputs){.meta = &p->meta,
                               .topic_names = setup->topic_names != NULL ? setup->topic_names
                                                                         : p->class->topics,
                               .from = {p->from, (size_t)len}};
    for (int i = 0; i < 2; i++)
        batch_init(&p->batches[i], &outputs);
    use_batch(p, &p->batches[0]);
    code = read_meta(p, meta, err);
    if (code == ERR_NONE)
        code = read_own(p, own, err);
    if (code != ERR_NONE) {
        engine_close(p);
        return code;
    }
    *out = p;
    return ERR_NONE;
}

void engine_close(struct engine *p)
{
    if (p == NULL)
        return;
    p->class->close(p->step);
    meta_free(&p->meta);
    cache_free(&p->cache);
    timers_free(&p->timers);
    lanes_free(&p->lanes);
    for (int i = 0; i < 2; i++)
        batch_free(&p->batches[i]);
    mem_free(p->missing);
    mem_free(p->opened);
    buf_free(&p->inner);
    buf_free(&p->wrapped);
    mem_free(p);
}

/* --- where it stands ------------------------------------------------------------------------ */

int64_t engine_next(const struct engine *p)
{
    return p->meta.next;
}

struct hash128 engine_last(const struct engine *p)
{
    return p->meta.last;
}

int64_t engine_now_ms(const struct engine *p)
{
    return p->meta.now_ms;
}

uint64_t engine_commit(const struct engine *p)
{
    return p->sent;
}

const struct engine_counts *engine_counts(const struct engine *p)
{
    return &p->counts;
}

size_t engine_subjects(const struct engine *p)
{
    return p->cache.table.count;
}

/* --- a batch ---------------------------------------------------------------------------------- */

static enum progress run_records(struct engine *p, size_t *done, struct err *err)
{
    enum progress progress = PROGRESS_ON;

    if (p->planned == 0)
        progress = engine_settle(p, err);
    for (; *done < p->planned && progress == PROGRESS_ON; *done += progress == PROGRESS_ON)
        progress = engine_run_record(p, &p->records[*done], &p->items[*done], err);
    if (*done > 0 && p->records[*done - 1].offset + 1 == p->meta.next)
        p->meta.last = record_hash(&p->records[*done - 1]);
    engine_tell(p, &(struct engine_act){.kind = ENGINE_BATCH});
    return progress;
}

static enum progress run_time(struct engine *p, size_t *done, struct err *err)
{
    enum progress progress = PROGRESS_ON;

    progress = engine_settle(p, err);
    if (progress == PROGRESS_ON && p->horizon_ms > p->meta.now_ms) {
        p->moved = true;
        progress = engine_advance(p, p->horizon_ms, p->setup->timers_max, err);
    }
    *done = progress == PROGRESS_ON;
    return progress;
}

/* They are blobs again. */
static void forget_states(struct engine *p)
{
    for (size_t i = 0; i < p->opened_count; i++) {
        p->opened[i]->state = NULL;
        p->opened[i]->changed = p->opened[i]->due_changed = p->opened[i]->opened = false;
    }
    p->opened_count = 0;
    p->records = NULL;
    p->planned = 0;
}

enum err_code engine_run(struct engine *p, struct engine_batch *out, struct err *err)
{
    struct batch *batch = p->batch;
    struct err own = {0};
    enum progress progress;
    size_t done = 0;

    *out = (struct engine_batch){0};
    CHECK(p->missing_count == 0);
    progress = p->time_only ? run_time(p, &done, &own) : run_records(p, &done, &own);
    if (progress == PROGRESS_FAILED || engine_collect(p, &own) != ERR_NONE)
        return err_set(err, own.code, "%s", own.text);
    forget_states(p);
    p->meta.commit = p->sent + 1;
    p->meta.next += MUTANT(NEXT_TOO_FAR);
    meta_encode(&p->meta, &batch->meta);
    p->meta.next -= MUTANT(NEXT_TOO_FAR);
    p->counts.outputs += batch->outputs.count;
    *out = (struct engine_batch){.done = done,
                                 .next = p->meta.next,
                                 .outputs = batch->outputs.items,
                                 .output_count = batch->outputs.count,
                                 .meta = buf_str(&batch->meta),
                                 .subjects = batch->commit,
                                 .subject_count = batch->commit_count,
                                 .moved = p->moved};
    return ERR_NONE;
}

void engine_sent(struct engine *p)
{
    CHECK(!p->in_flight && p->meta.commit == p->sent + 1);
    p->sent = p->meta.commit;
    p->in_flight = true;
    use_batch(p, p->batch == &p->batches[0] ? &p->batches[1] : &p->batches[0]);
}

void engine_committed(struct engine *p)
{
    CHECK(p->in_flight);
    p->in_flight = false;
}

void engine_keep_cache(struct engine *p, struct engine *before)
{
    if (p != NULL && before != NULL) {
        forget_states(before);
        cache_free(&p->cache);
        p->cache = before->cache;
        before->cache = (struct cache){0};
    }
    engine_close(before);
}
