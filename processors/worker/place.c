/* Claiming is where a wrong state would come in, so all that can be known beforehand is compared:
 * group, topic and number of partitions (the store does that), outputs' partitions and checksums
 * (meta), and the bounds of the log.  No state at all is right only where nothing has happened.
 */
#include "processors/worker/place.h"

#include <stdio.h>
#include <string.h>

#include "core/check.h"
#include "core/clock.h"
#include "core/fail_point.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/mutant.h"
#include "core/rng.h"
#include "processors/worker/evidence.h"
#include "processors/worker/flight.h"
#include "processors/worker/landmark.h"
#include "processors/worker/lost.h"

enum { BACKOFF_MS_MIN = 20, BACKOFF_MS_MAX = 1000, REPORT_NUMBER_SIZE = 16 };

struct place *place_new(struct worker *w, int32_t number, size_t cache_bytes_max)
{
    struct place *place = MEM_NEW(struct place);

    place->number = number;
    place->records = MEM_NEW_ARRAY(struct record, w->config.batch_records_max);
    place->next = -1;
    place->tick_ms = INT64_MIN;
    place->status.partition = number;
    place->status.lag = -1;
    place->setup = (struct engine_setup){.class = w->class,
                                         .config = w->step_config,
                                         .number = number,
                                         .topic_names = w->outputs,
                                         .topic_partitions = w->output_partitions,
                                         .generation = w->config.generation,
                                         .gaps = &place->gaps,
                                         .skips = &w->skips,
                                         .cache_bytes_max = cache_bytes_max,
                                         .timers_max = w->config.timers_max};
    return place;
}

/* The counters of an engine go on in the next one. */
static void close_engine(struct worker *w, struct place *place)
{
    flight_drop(w, place);
    if (place->engine != NULL)
        place->before = place->status.counts;
    engine_close(place->engine);
    place->engine = NULL;
}

void place_free(struct worker *w, struct place *place)
{
    close_engine(w, place);
    mem_free(place->records);
    gaps_forget(&place->gaps);
    buf_free(&place->meta);
    buf_free(&place->own);
    mem_free(place);
}

/* --- trouble -------------------------------------------------------------------------------- */

static void count_engine(struct place *place)
{
    const struct engine_counts *now, *before = &place->before;

    if (place->engine == NULL)
        return;
    now = engine_counts(place->engine);
    place->status.counts = (struct engine_counts){.records = before->records + now->records,
                                                  .wanted = before->wanted + now->wanted,
                                                  .timers = before->timers + now->timers,
                                                  .outputs = before->outputs + now->outputs,
                                                  .loads = before->loads + now->loads,
                                                  .repeats = before->repeats + now->repeats,
                                                  .gaps = before->gaps + now->gaps,
                                                  .junk = before->junk + now->junk,
                                                  .skipped = before->skipped + now->skipped};
}

static void leave(struct worker *w, struct place *place, enum worker_partition_state state,
                  const struct err *why)
{
    count_engine(place);
    if (MUTANT(CACHE_KEPT))
        flight_drop(w, place);
    else
        close_engine(w, place);
    place->state = state;
    snprintf(place->reason, sizeof place->reason, "%s", why->text);
    kafka_consumer_pause(w->consumer, w->config.input, place->number, true);
    w->report_mono_ms = 0; /* say it soon */
}

void place_suspend(struct worker *w, struct place *place, enum mend mend, const struct err *why)
{
    bool first = place->state == WORKER_RUNNING;

    leave(w, place, WORKER_SUSPENDED, why);
    place->mend = mend;
    place->status.suspended += first;
    place->backoff_ms = place->backoff_ms == 0 ? BACKOFF_MS_MIN : 2 * place->backoff_ms;
    if (place->backoff_ms > BACKOFF_MS_MAX)
        place->backoff_ms = BACKOFF_MS_MAX;
    place->retry_mono_ms = clock_mono_ms() + place->backoff_ms;
    log_at(first ? LOG_WARN : LOG_DEBUG, "worker", "partition suspended",
           LOG_TEXT("step", w->class->name), LOG_INT("partition", place->number),
           LOG_TEXT("reason", place->reason), LOG_END);
}

void place_stop(struct worker *w, struct place *place, const struct err *why)
{
    leave(w, place, WORKER_STOPPED, why);
    log_error("worker", "partition stopped: it needs a person", LOG_TEXT("step", w->class->name),
              LOG_INT("partition", place->number), LOG_TEXT("reason", place->reason), LOG_END);
}

void place_refused(struct worker *w, struct place *place, enum store_result result,
                   const struct err *why)
{
    switch (result) {
    case STORE_DONE: CHECK_NEVER("a refusal that is none");
    case STORE_FENCED:
    case STORE_GAP:
        place->status.fenced++;
        place_suspend(w, place, MEND_PROOF, why);
        return;
    case STORE_DOWN: place_suspend(w, place, MEND_PROOF, why); return;
    case STORE_REFUSED: place_stop(w, place, why); return;
    }
}

/* --- claim ---------------------------------------------------------------------------------- */

enum claimed { CLAIMED, CLAIM_RETRY, CLAIM_STOP };

static enum claimed retry_or_stop(enum err_code code)
{
    return code == ERR_DOWN || code == ERR_KAFKA || code == ERR_REDIS ? CLAIM_RETRY : CLAIM_STOP;
}

static enum claimed of_result(enum store_result result)
{
    return result == STORE_DONE ? CLAIMED : result == STORE_REFUSED ? CLAIM_STOP : CLAIM_RETRY;
}

static void new_token(char token[STORE_TOKEN_SIZE])
{
    struct hash128 random;

    rng_system(&random, sizeof random);
    hash128_hex(random, token);
}

void history_forget(struct history *history)
{
    mem_free(history->seen);
    *history = (struct history){0};
}

static enum err_code read_history(struct worker *w, int partitions, struct err *err)
{
    struct evidence_topic *topics;
    enum err_code code;

    if (w->history.known)
        return ERR_NONE;
    topics = MEM_NEW_ARRAY(struct evidence_topic, w->output_count + 1);
    for (size_t i = 0; i < w->output_count; i++)
        topics[i] = (struct evidence_topic){w->outputs[i], w->output_partitions[i]};
    w->history.count = (size_t)partitions;
    w->history.seen = mem_alloc(w->history.count + 1);
    code = evidence_look(&w->config.kafka, w->consumer, topics, w->output_count, w->class->name,
                         w->history.seen, w->history.count, err);
    w->history.known = code == ERR_NONE;
    if (code != ERR_NONE)
        history_forget(&w->history);
    mem_free(topics);
    return code;
}

/* No state: is that so because nothing has happened yet? */
static enum err_code look_for_history(struct worker *w, const struct place *place, int partitions,
                                      struct err *err)
{
    int64_t committed;
    enum err_code code =
        kafka_consumer_committed(w->consumer, w->config.input, place->number, &committed, err);

    if (code == ERR_NONE && committed >= 0)
        return err_set(err, ERR_STATE,
                       "group %s has read %s/%d up to %lld, but there is no state of it: `attent "
                       "restore` puts a snapshot back, without one `attent init` begins anew",
                       w->config.group, w->config.input, place->number, (long long)committed);
    if (code == ERR_NONE)
        code = read_history(w, partitions, err);
    if (code == ERR_NONE && (size_t)place->number < w->history.count &&
        w->history.seen[place->number])
        code =
            err_set(err, ERR_STATE,
                    "the output topics hold records of %s/%d, but there is no state of it: "
                    "`attent restore` puts a snapshot back, without one `attent init` begins anew",
                    w->class->name, place->number);
    return code;
}

static enum err_code check_bounds(struct worker *w, struct place *place, bool fresh,
                                  struct err *err)
{
    int64_t first, next, mine;
    enum err_code code =
        kafka_consumer_bounds(w->consumer, w->config.input, place->number, &first, &next, err);

    if (code != ERR_NONE || fresh) {
        place->setup.start = first;
        return code;
    }
    mine = engine_next(place->engine);
    if (mine < first)
        return err_set(err, ERR_STATE,
                       "the log of %s/%d begins at offset %lld and the state goes up to %lld: "
                       "records %lld to %lld were thrown away unread; `attent restore` with a "
                       "younger snapshot; or go on without them: `attent snapshot DIR` and `attent "
                       "init --from DIR --log beginning`, both with --step %s --partition %d",
                       w->config.input, place->number, (long long)first, (long long)mine,
                       (long long)mine, (long long)first - 1, w->class->name, place->number);
    if (mine > next)
        return err_set(err, ERR_STATE,
                       "the log of %s/%d ends at offset %lld and the state goes up to %lld: "
                       "records %lld to %lld are not in it; Kafka has lost them: `attent restore` "
                       "with an older snapshot; or the topic was made again: `attent snapshot DIR` "
                       "and `attent init --from DIR --log beginning`, both with --step %s",
                       w->config.input, place->number, (long long)next, (long long)mine,
                       (long long)next, (long long)mine - 1, w->class->name);
    landmark_begin(place, first);
    return ERR_NONE;
}

static void keep(struct buf *buf, struct str bytes)
{
    buf_clear(buf);
    buf_put(buf, bytes);
}

/* The first commit of a partition says only that it has begun.  It stands before the first offset
 * that Kafka keeps for the group, so that one without the other can be told. */
static enum claimed commit_beginning(struct worker *w, struct place *place, struct err *err)
{
    const struct store_class *store = w->store->class;
    struct engine_batch batch;
    enum store_result result;

    engine_plan(place->engine, NULL, 0);
    CHECK(engine_run(place->engine, &batch, err) == ERR_NONE);
    store->commit_send(w->store, w->class->name, place->number, place->token, 0, batch.meta, NULL,
                       0);
    engine_sent(place->engine);
    result = store->commit_wait(w->store, w->class->name, place->number, err);
    if (result == STORE_DONE) {
        keep(&place->meta, batch.meta);
        engine_committed(place->engine);
    }
    return of_result(result);
}

static enum claimed open_engine(struct worker *w, struct place *place, bool fresh, struct err *err)
{
    struct engine *before = place->engine; /* NULL, but for CACHE_KEPT */
    enum err_code code = ERR_NONE;

    place->landmark = false;
    if (fresh)
        code = check_bounds(w, place, true, err);
    if (code == ERR_NONE)
        code = engine_open(&place->setup, buf_str(&place->meta), buf_str(&place->own),
                           &place->engine, err);
    if (MUTANT(CACHE_KEPT) && code == ERR_NONE)
        engine_keep_cache(place->engine, before);
    if (code == ERR_NONE && !fresh)
        code = check_bounds(w, place, false, err);
    if (code != ERR_NONE)
        return retry_or_stop(code);
    return fresh ? commit_beginning(w, place, err) : CLAIMED;
}

/* Behind the claim, so that what owners before have skipped is among them. */
static enum err_code read_skips(struct worker *w, struct err *err)
{
    enum err_code code;

    if (w->config.skips == NULL || w->skips_known)
        return ERR_NONE;
    code = w->config.skips->read(w->config.skips->context, w->config.input, &w->skips, err);
    w->skips_known = code == ERR_NONE;
    return code;
}

/* A process that stood still behind its claim finds what another one has done meanwhile: no state that
 * is gone, but one that is no longer its own. */
static enum claimed still_fresh(struct worker *w, struct place *place, const struct err *history,
                                struct err *err)
{
    struct store_subject own = {0};
    enum store_result result = w->store->class->load(w->store, w->class->name, place->number,
                                                     place->token, 0, w->arena, &own, 1, err);

    if (result != STORE_DONE)
        return of_result(result);
    err_set(err, history->code, "%s", history->text);
    return CLAIM_STOP;
}

static enum claimed try_claim(struct worker *w, struct place *place, struct err *err)
{
    struct store_claim claim;
    char mine[STORE_TOKEN_SIZE];
    enum store_result result;
    enum claimed claimed;
    struct str identity;
    enum err_code code;
    int partitions;

    code = kafka_consumer_topic_partitions(w->consumer, w->config.input, &partitions, err);
    if (code != ERR_NONE)
        return CLAIM_RETRY;
    arena_reset(w->arena);
    identity = store_identity(w->arena, w->config.group, w->config.input, partitions);
    memcpy(mine, place->token, sizeof mine);
    new_token(place->token);
    result = w->store->class->claim(w->store, w->class->name, place->number, place->token, identity,
                                    w->arena, &claim, err);
    if (result != STORE_DONE)
        return of_result(result);
    FAIL_POINT_PASS(CLAIMED);
    keep(&place->meta, claim.meta);
    keep(&place->own, claim.own);
    if (claim.fresh) {
        struct err history = {0};

        code = look_for_history(w, place, partitions, &history);
        if (code == ERR_STATE)
            return still_fresh(w, place, &history, err);
        if (code != ERR_NONE) {
            err_set(err, code, "%s", history.text);
            return retry_or_stop(code);
        }
    }
    code = read_skips(w, err);
    if (code != ERR_NONE)
        return retry_or_stop(code);
    claimed = open_engine(w, place, claim.fresh, err);
    if (claimed != CLAIMED)
        return claimed;
    if (mine[0] != '\0' && str_is(claim.before, mine))
        claim.left = true; /* nobody had it meanwhile */
    code = trial_claimed(w, place, &claim, err);
    return code == ERR_NONE ? CLAIMED : retry_or_stop(code);
}

static void run_again(struct place *place)
{
    place->state = WORKER_RUNNING;
    place->reason[0] = '\0';
    place->next = engine_next(place->engine);
}

void place_claim(struct worker *w, struct place *place)
{
    struct err why = {0};

    switch (try_claim(w, place, &why)) {
    case CLAIMED:
        run_again(place);
        log_info("worker", "partition claimed", LOG_TEXT("step", w->class->name),
                 LOG_INT("partition", place->number), LOG_INT("next", place->next), LOG_END);
        return;
    case CLAIM_RETRY: place_suspend(w, place, MEND_CLAIM, &why); return;
    case CLAIM_STOP: place_stop(w, place, &why); return;
    }
}

/* --- mending -------------------------------------------------------------------------------- */

struct place *place_find(struct worker *w, int32_t number)
{
    for (size_t i = 0; i < w->place_count; i++)
        if (w->places[i]->number == number)
            return w->places[i];
    return NULL;
}

/* An accepted offset commit proves that I am a member of the group as it is now. */
static void on_proof(void *context, bool ok)
{
    struct worker *w = context;
    struct place *place = place_find(w, w->proving);
    struct err why = {0};

    w->proving = -1;
    if (place == NULL || place->state != WORKER_SUSPENDED || place->mend != MEND_PROOF)
        return;
    if (ok) {
        place->mend = MEND_CLAIM;
        place->retry_mono_ms = 0;
        return;
    }
    err_set(&why, ERR_FENCED, "the group does not know this process as owner");
    place_suspend(w, place, MEND_PROOF, &why);
}

static void ask_for_proof(struct worker *w, struct place *place)
{
    const struct kafka_partition at = {w->config.input, place->number, place->next};

    if (place->next < 0) { /* assigned a moment ago, nothing was owned yet */
        place->mend = MEND_CLAIM;
        return;
    }
    if (w->proving < 0 && kafka_consumer_commit_async(w->consumer, &at, 1, on_proof, w))
        w->proving = place->number;
}

static void rewind_to_next(struct worker *w, struct place *place)
{
    struct err why = {0};

    if (engine_open(&place->setup, buf_str(&place->meta), buf_str(&place->own), &place->engine,
                    &why) == ERR_NONE)
        run_again(place);
    else
        place_stop(w, place, &why);
}

void place_mend(struct worker *w, struct place *place)
{
    struct err why = {0};

    if (place->mend == MEND_PROOF) {
        ask_for_proof(w, place);
        return;
    }
    if (place->mend == MEND_REWIND)
        rewind_to_next(w, place);
    else
        place_claim(w, place);
    if (place->state != WORKER_RUNNING)
        return;
    kafka_consumer_pause(w->consumer, w->config.input, place->number, false);
    if (kafka_consumer_seek(w->consumer, w->config.input, place->number, landmark_start(place),
                            &why) != ERR_NONE)
        place_suspend(w, place, MEND_PROOF, &why);
}

void place_committed(struct place *place, const struct engine_batch *batch)
{
    for (size_t i = 0; i < batch->subject_count; i++)
        if (batch->subjects[i].subject.len == 0)
            keep(&place->own, batch->subjects[i].blob);
    keep(&place->meta, batch->meta);
    place->next = batch->next;
    engine_committed(place->engine);
    place->backoff_ms = 0;
    place->status.commits++;
}

/* --- report --------------------------------------------------------------------------------- */

static void report(struct worker *w, struct place *place, enum metric metric, double value)
{
    char number[REPORT_NUMBER_SIZE];
    struct str labels[2] = {str_of(w->class->name), {number, 0}};

    if (place->series[metric] == NULL) {
        labels[1].len = (size_t)snprintf(number, sizeof number, "%d", place->number);
        place->series[metric] = metric_series(metric, labels, 2);
    }
    metric_set(place->series[metric], value);
}

static const struct worker_source *source_of(const struct worker *w, const struct gap *gap)
{
    for (size_t i = 0; i < w->config.source_count; i++) {
        const struct worker_source *source = &w->config.sources[i];
        size_t bytes = strlen(source->step);

        if (strncmp(gap->from, source->step, bytes) == 0 && gap->from[bytes] == '/')
            return source;
    }
    return NULL;
}

/* First the producer's state, then the log's end. */
static void look_for_loss(struct worker *w, struct place *place, int64_t mono_ms)
{
    struct err why = {0};
    int64_t first, end;
    struct gap *gap;
    size_t at = 0;

    while ((gap = gaps_doubted(&place->gaps, mono_ms, &at)) != NULL) {
        const struct worker_source *source = source_of(w, gap);

        if (source != NULL && lost_is_counted(w->store, gap, source->topic, place->number) &&
            kafka_consumer_bounds(w->consumer, w->config.input, place->number, &first, &end,
                                  NULL) == ERR_NONE)
            gap->bound = end;
    }
    if (gaps_lost(&place->gaps, w->config.input, place->number, place->next, &why))
        place_stop(w, place, &why);
}

void place_lacks(struct worker *w, struct place *place, int64_t mono_ms, struct err *why)
{
    struct err fresh = {0};
    size_t count = gaps_look(&place->gaps, w->config.input, place->number, mono_ms, &fresh, why);

    report(w, place, METRIC_WORKER_LACKING, (double)count);
    if (fresh.code != ERR_NONE)
        log_error("worker", "a record does not come", LOG_TEXT("step", w->class->name),
                  LOG_TEXT("reason", fresh.text), LOG_END);
    if (count > 0 && place->state == WORKER_RUNNING)
        look_for_loss(w, place, mono_ms);
}

void place_report(struct worker *w, struct place *place)
{
    struct worker_partition_status *s = &place->status;
    int64_t end = kafka_consumer_end(w->consumer, w->config.input, place->number);

    count_engine(place);
    s->state = place->state;
    s->reason = place->reason;
    s->next = place->next;
    if (place->engine != NULL)
        s->now_ms = engine_now_ms(place->engine);
    s->lag = end < 0 || place->next < 0 ? -1 : end > place->next ? end - place->next : 0;
    report(w, place, METRIC_WORKER_NOW, (double)s->now_ms / 1000);
    report(w, place, METRIC_WORKER_NEXT, (double)s->next);
    report(w, place, METRIC_WORKER_LAG, (double)s->lag);
    report(w, place, METRIC_WORKER_BATCHES, (double)s->batches);
    report(w, place, METRIC_WORKER_RECORDS, (double)s->counts.records);
    report(w, place, METRIC_WORKER_TIMERS, (double)s->counts.timers);
    report(w, place, METRIC_WORKER_TICKS, (double)s->ticks);
    report(w, place, METRIC_WORKER_OUTPUTS, (double)s->counts.outputs);
    report(w, place, METRIC_WORKER_COMMITS, (double)s->commits);
    report(w, place, METRIC_WORKER_SUBJECTS,
           place->engine != NULL ? (double)engine_subjects(place->engine) : 0);
    report(w, place, METRIC_WORKER_LOADED, (double)s->counts.loads);
    report(w, place, METRIC_WORKER_REPEATS, (double)s->counts.repeats);
    report(w, place, METRIC_WORKER_GAPS, (double)s->counts.gaps);
    report(w, place, METRIC_WORKER_SKIPPED, (double)s->counts.skipped);
    report(w, place, METRIC_WORKER_FENCED, (double)s->fenced);
    report(w, place, METRIC_WORKER_STOPPED, place->state == WORKER_STOPPED);
}

void place_report_gone(struct worker *w, struct place *place)
{
    report(w, place, METRIC_WORKER_LAG, 0);
    report(w, place, METRIC_WORKER_LACKING, 0);
    report(w, place, METRIC_WORKER_SUBJECTS, 0);
    report(w, place, METRIC_WORKER_STOPPED, 0);
}
