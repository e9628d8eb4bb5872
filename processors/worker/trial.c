#include "processors/worker/trial.h"

#include "core/alone.h"
#include "core/clock.h"
#include "core/limit.h"
#include "core/log.h"
#include "processors/worker/place.h"
#include "schemas/letter.h"

enum { FETCH_MS_MAX = 10000, FETCH_POLL_MS = 100 };

/* --- notes -------------------------------------------------------------------------------------- */

static enum store_result write_note(struct worker *w, struct place *place, struct str text,
                                    struct err *err)
{
    return w->store->class->note(w->store, w->class->name, place->number, place->token, text, err);
}

static enum store_result note(struct trial *t, struct suspect s, struct err *err)
{
    struct buf text = {0};
    enum store_result result;

    s.deaths = t->singly ? t->among.deaths : t->deaths;
    suspect_put(&text, &s);
    result = write_note(t->worker, t->place, buf_str(&text), err);
    buf_free(&text);
    return result;
}

/* Nothing is in hand; what is known of earlier deaths stays. */
static void take_back(struct trial *t)
{
    struct buf text = {0};

    suspect_put(&text, &t->among);
    write_note(t->worker, t->place, buf_str(&text), NULL);
    buf_free(&text);
}

/* The engine is about to do something.  A note that cannot be written is none: if the process dies of
 * this, it is not known of what, and the next one finds out. */
static void watch(void *context, const struct engine_act *act)
{
    struct trial *t = context;
    struct suspect s = t->batch;

    if (!t->at_hand || !t->singly)
        return;
    if (act->kind == ENGINE_RECORD)
        s = (struct suspect){.from = act->offset, .to = act->offset + 1};
    s.timer = act->kind == ENGINE_TIMER ? act->subject : STR_EMPTY;
    s.due_ms = act->due_ms;
    note(t, s, NULL);
}

/* --- what kills --------------------------------------------------------------------------------- */

/* One record, with a consumer that is closed by the caller. */
static enum err_code fetch(struct worker *w, struct kafka_consumer *c, int64_t offset,
                           struct record *out, struct err *err)
{
    int64_t until_ms = clock_mono_ms() + FETCH_MS_MAX;
    enum err_code code = ERR_NONE;
    size_t count = 0;

    while (code == ERR_NONE && count == 0 && clock_mono_ms() < until_ms)
        code = kafka_consumer_poll(c, FETCH_POLL_MS, out, 1, &count, err);
    if (code == ERR_NONE && (count == 0 || out->offset != offset))
        code = err_set(err, ERR_DOWN, "%s/%d: record %lld, which is to be skipped, cannot be read",
                       w->config.input, out->partition, (long long)offset);
    return code;
}

static enum err_code add_skip(struct worker *w, const struct place *place,
                              const struct suspect *killer, const struct record *record,
                              struct err *err)
{
    struct arena *arena = arena_new(0);
    bool of_timer = killer->timer.len != 0;
    const struct skip skip = {.spot = spot_of(record),
                              .of_timer = of_timer,
                              .timer = skip_timer_of(killer->timer, killer->due_ms),
                              .reason = of_timer ? STR(SKIP_REASON_TIMER) : STR(SKIP_REASON_POISON),
                              .step = str_of(w->class->name),
                              .deaths = killer->deaths,
                              .at_ms = w->config.wall_ms()};
    const struct letter letter = {
        .from = skip.spot,
        .part = arena_format(arena, "attent-%s", w->class->name),
        .stage = STR("TRANSFORMATION"),
        .reason = skip.reason,
        .message =
            arena_format(arena, "%lld processes of %s/%d ended at this %s", (long long)skip.deaths,
                         w->class->name, place->number, of_timer ? "timer" : "record")};
    struct record dead = letter_write(&letter, record, w->config.dlq, arena);
    enum err_code code = w->config.skips->add(w->config.skips->context, &skip, &dead, err);

    arena_free(arena);
    if (code != ERR_NONE)
        return code;
    skip_list_take(&w->skips, &skip);
    log_error("worker",
              of_timer ? "a timer is skipped: processes end at it"
                       : "a record is skipped: processes end at it",
              LOG_TEXT("step", w->class->name), LOG_INT("partition", place->number),
              LOG_INT("offset", killer->from), LOG_INT("deaths", skip.deaths),
              LOG_TEXT("dlq", w->config.dlq), LOG_END);
    return ERR_NONE;
}

static enum err_code skip_record(struct worker *w, struct place *place,
                                 const struct suspect *killer, struct err *err)
{
    const struct kafka_partition at = {w->config.input, place->number, killer->from};
    struct record record = {.partition = place->number};
    struct kafka_consumer *c = NULL;
    enum err_code code = kafka_consumer_open_alone(&w->config.kafka, &at, 1, &c, err);

    if (code == ERR_NONE)
        code = fetch(w, c, killer->from, &record, err);
    if (code == ERR_NONE)
        code = add_skip(w, place, killer, &record, err);
    kafka_consumer_close(c);
    return code;
}

/* Its letter is a record that never was: whose timer it is, and when it is due. */
static enum err_code skip_timer(struct worker *w, struct place *place, const struct suspect *killer,
                                struct err *err)
{
    const struct record record = {.topic = str_of(w->config.input),
                                  .partition = place->number,
                                  .offset = killer->from,
                                  .timestamp_ms = killer->due_ms,
                                  .key = killer->timer};

    return add_skip(w, place, killer, &record, err);
}

static bool is_skipped(const struct worker *w, const struct place *place, const struct suspect *s)
{
    return s->timer.len != 0
               ? skip_list_has_timer(&w->skips, place->number, s->timer, s->due_ms)
               : suspect_is_one(s) && skip_list_has(&w->skips, place->number, s->from);
}

/* --- claim --------------------------------------------------------------------------------------- */

static enum err_code judge(struct worker *w, struct place *place, struct suspect *said,
                           struct err *err)
{
    if (!suspect_died(said, engine_next(place->engine)) || is_skipped(w, place, said))
        return ERR_NONE;
    place->trial.deaths = said->among; /* of another thing, or it is this one */
    log_warn("worker",
             said->timer.len != 0   ? "the process that had this timer in hand has ended"
             : suspect_is_one(said) ? "the process that had this record in hand has ended"
                                    : "the process that had these records in hand has ended",
             LOG_TEXT("step", w->class->name), LOG_INT("partition", place->number),
             LOG_INT("offset", said->from), LOG_INT("to", said->to),
             LOG_INT("deaths", said->deaths), LOG_END);
    if (suspect_is_poison(said))
        return (said->timer.len != 0 ? skip_timer : skip_record)(w, place, said, err);
    place->trial.among = *said;
    place->trial.among.among = true;
    place->trial.among.timer = STR_EMPTY; /* of the claim's arena */
    return ERR_NONE;
}

/* Two batches may have been in hand, of records that were there then; timers also where none is. */
static enum err_code be_careful(struct worker *w, struct place *place, struct err *err)
{
    struct trial *t = &place->trial;
    int64_t next = engine_next(place->engine), first, end;
    enum err_code code =
        kafka_consumer_bounds(w->consumer, w->config.input, place->number, &first, &end, err);

    if (code != ERR_NONE)
        return code;
    t->until = next + 2 * (int64_t)w->config.batch_records_max;
    if (t->until > end)
        t->until = end > next ? end : next;
    if (t->until < t->among.to)
        t->until = t->among.to;
    t->careful = true;
    t->since_mono_ms = clock_mono_ms();
    place->setup.watch = watch;
    if (t->until > next)
        log_info("worker", "the owner before did not hand over: records are run with care",
                 LOG_TEXT("step", w->class->name), LOG_INT("partition", place->number),
                 LOG_INT("next", next), LOG_INT("until", t->until), LOG_END);
    return ERR_NONE;
}

enum err_code trial_claimed(struct worker *w, struct place *place, const struct store_claim *claim,
                            struct err *err)
{
    struct suspect said;
    enum err_code code = ERR_NONE;

    place->trial = (struct trial){
        .worker = w, .place = place, .among = SUSPECT_NOBODY, .deaths = 1, .batch = SUSPECT_NOBODY};
    place->setup.watch = NULL;
    place->setup.watch_context = &place->trial;
    if (w->config.skips == NULL || w->store->class->note == NULL || claim->fresh || claim->left)
        return ERR_NONE;
    if (suspect_read(claim->note, &said))
        code = judge(w, place, &said, err);
    if (code == ERR_NONE)
        code = be_careful(w, place, err);
    if (code == ERR_NONE)
        take_back(&place->trial);
    return code;
}

/* --- a batch ------------------------------------------------------------------------------------- */

/* Of these records, the next batch: one, of those among which the killer is, or some. */
static size_t cut(const struct trial *t, const struct record *records, size_t count)
{
    size_t n = 0, most = t->singly ? 1 : TRIAL_RECORDS;

    while (n < count && n < most &&
           (n == 0 || t->singly || t->among.from < records[0].offset ||
            records[n].offset < t->among.from))
        n++;
    return n;
}

/* The next batch begins there. */
static void take_in_hand(struct trial *t, int64_t first, const struct record *records,
                         size_t *count)
{
    int64_t last = first;

    t->singly = first >= t->among.from && first < t->among.to;
    *count = cut(t, records, *count);
    if (*count > 0)
        last = records[*count - 1].offset;
    t->batch = (struct suspect){.from = first, .to = last + 1};
    if (*count == 0 || (!t->singly && *count == 1)) /* with timers: it is not known to be alone */
        t->batch.to++;
}

/* Past all that it may have been. */
static void end_care(struct trial *t)
{
    t->careful = false;
    t->place->setup.watch = NULL;
    log_info("worker", "no record of those killed: they are run at full speed again",
             LOG_TEXT("step", t->worker->class->name), LOG_INT("partition", t->place->number),
             LOG_INT("next", t->until), LOG_INT("ms", clock_mono_ms() - t->since_mono_ms), LOG_END);
}

bool trial_begin(struct worker *w, struct place *place, size_t *count)
{
    struct trial *t = &place->trial;
    struct err why = {0};
    enum store_result result;
    int64_t first;

    *count = place->run.count;
    if (!t->careful)
        return true;
    first = *count > 0 ? place->run.records[0].offset : engine_next(place->engine);
    if (*count > 0 && first >= t->until) {
        end_care(t);
        return true;
    }
    take_in_hand(t, first, place->run.records, count);
    alone_begin();
    t->at_hand = true;
    result = note(t, t->batch, &why);
    if (result == STORE_DONE)
        return true;
    trial_end(place);
    place_refused(w, place, result, &why);
    return false;
}

void trial_end(struct place *place)
{
    struct trial *t = &place->trial;

    if (!t->at_hand)
        return;
    t->at_hand = false;
    take_back(t);
    alone_end();
}

void trial_left(struct worker *w, struct place *place)
{
    const struct trial *t = &place->trial;

    if (w->config.skips != NULL && w->store->class->leave != NULL && place->token[0] != '\0' &&
        (!t->careful || place->next >= t->until))
        w->store->class->leave(w->store, w->class->name, place->number, place->token, NULL);
}
