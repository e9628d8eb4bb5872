#include "processors/worker/trial.h"

#include "core/alone.h"
#include "core/clock.h"
#include "core/limit.h"
#include "core/log.h"
#include "processors/worker/place.h"
#include "schemas/letter.h"

enum { FETCH_MS_MAX = 10000, FETCH_POLL_MS = 100 };

#define NOBODY ((struct suspect){-1, -1, 0})

/* --- notes -------------------------------------------------------------------------------------- */

static enum store_result write_note(struct worker *w, struct place *place, struct str text,
                                    struct err *err)
{
    return w->store->class->note(w->store, w->class->name, place->number, place->token, text, err);
}

static bool is_noted(const struct suspect *a, const struct suspect *b)
{
    return a->from == b->from && a->to == b->to;
}

static enum store_result note(struct trial *t, struct suspect s, struct err *err)
{
    struct buf text = {0};
    enum store_result result;

    if (s.from == t->suspect.from && s.to == t->suspect.to)
        s.deaths = t->suspect.deaths;
    suspect_put(&text, &s);
    result = write_note(t->worker, t->place, buf_str(&text), err);
    buf_free(&text);
    if (result == STORE_DONE)
        t->noted = s;
    return result;
}

/* The engine is about to do something.  A note that cannot be written is none: if the process dies of
 * this, it is not known of what, and the next one finds out. */
static void watch(void *context, int64_t at)
{
    struct trial *t = context;
    struct suspect s = at >= 0                  ? (struct suspect){at, at + 1, 0}
                       : at == ENGINE_AT_TIMERS ? NOBODY
                                                : t->batch;

    if (t->at_hand && !is_noted(&s, &t->noted))
        note(t, s, NULL);
}

/* --- a record that kills ------------------------------------------------------------------------ */

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

static enum err_code add_skip(struct worker *w, struct place *place, const struct record *record,
                              int64_t deaths, struct err *err)
{
    struct arena *arena = arena_new(0);
    const struct skip skip = {.spot = spot_of(record),
                              .reason = STR(SKIP_REASON_POISON),
                              .step = str_of(w->class->name),
                              .deaths = deaths,
                              .at_ms = w->config.wall_ms()};
    const struct letter letter = {
        .from = skip.spot,
        .part = arena_format(arena, "attent-%s", w->class->name),
        .stage = STR("TRANSFORMATION"),
        .reason = skip.reason,
        .message = arena_format(arena, "%lld processes of %s/%d ended at this record",
                                (long long)deaths, w->class->name, place->number)};
    struct record dead = letter_write(&letter, record, w->config.dlq, arena);
    enum err_code code = w->config.skips->add(w->config.skips->context, &skip, &dead, err);

    arena_free(arena);
    return code;
}

static enum err_code skip(struct worker *w, struct place *place, int64_t offset, int64_t deaths,
                          struct err *err)
{
    const struct kafka_partition at = {w->config.input, place->number, offset};
    struct record record = {.partition = place->number};
    struct kafka_consumer *c = NULL;
    enum err_code code = kafka_consumer_open_alone(&w->config.kafka, &at, 1, &c, err);

    if (code == ERR_NONE)
        code = fetch(w, c, offset, &record, err);
    if (code == ERR_NONE)
        code = add_skip(w, place, &record, deaths, err);
    kafka_consumer_close(c);
    if (code != ERR_NONE)
        return code;
    skip_list_add(&w->skips, place->number, offset);
    log_error("worker", "a record is skipped: processes end at it",
              LOG_TEXT("step", w->class->name), LOG_INT("partition", place->number),
              LOG_INT("offset", offset), LOG_INT("deaths", deaths), LOG_TEXT("dlq", w->config.dlq),
              LOG_END);
    return ERR_NONE;
}

/* --- claim --------------------------------------------------------------------------------------- */

static enum err_code judge(struct worker *w, struct place *place, const struct suspect *said,
                           struct err *err)
{
    struct trial *t = &place->trial;
    int64_t deaths;

    if (said->from < 0) {
        log_warn("worker", "the process that had this partition ended while timers fired",
                 LOG_TEXT("step", w->class->name), LOG_INT("partition", place->number), LOG_END);
        return ERR_NONE;
    }
    if (!suspect_is_alive(said, engine_next(place->engine), &deaths) ||
        skip_list_has(&w->skips, place->number, said->from))
        return ERR_NONE;
    if (deaths == 0) {
        t->one_by_one = said->to;
        return ERR_NONE;
    }
    log_warn("worker", "the process that had this record in hand has ended",
             LOG_TEXT("step", w->class->name), LOG_INT("partition", place->number),
             LOG_INT("offset", said->from), LOG_INT("deaths", deaths + 1), LOG_END);
    if (deaths + 1 >= LIMIT_POISON_DEATHS)
        return skip(w, place, said->from, deaths + 1, err);
    t->suspect = (struct suspect){said->from, said->to, deaths};
    return ERR_NONE;
}

/* Two batches may have been in hand, of records that were there then. */
static enum err_code be_careful(struct worker *w, struct place *place, struct err *err)
{
    struct trial *t = &place->trial;
    int64_t next = engine_next(place->engine), first, end;
    enum err_code code =
        kafka_consumer_bounds(w->consumer, w->config.input, place->number, &first, &end, err);

    if (code != ERR_NONE || end <= next)
        return code;
    t->until = next + 2 * (int64_t)w->config.batch_records_max;
    if (t->until > end)
        t->until = end;
    if (t->until < t->one_by_one)
        t->until = t->one_by_one;
    place->setup.watch = watch;
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
        .worker = w, .place = place, .suspect = NOBODY, .batch = NOBODY, .noted = NOBODY};
    place->setup.watch = NULL;
    place->setup.watch_context = &place->trial;
    if (w->config.skips == NULL || w->store->class->note == NULL || claim->fresh || claim->left)
        return ERR_NONE;
    if (suspect_read(claim->note, &said))
        code = judge(w, place, &said, err);
    return code == ERR_NONE ? be_careful(w, place, err) : code;
}

/* --- a batch ------------------------------------------------------------------------------------- */

bool trial_begin(struct worker *w, struct place *place, size_t *count)
{
    struct trial *t = &place->trial;
    struct err why = {0};
    enum store_result result;
    int64_t first, last;

    *count = place->run.count;
    if (t->until == 0 || *count == 0)
        return true;
    first = place->run.records[0].offset;
    if (first >= t->until) { /* past all that it may have been */
        t->until = 0;
        place->setup.watch = NULL;
        return true;
    }
    if (first < t->one_by_one)
        *count = 1;
    last = place->run.records[*count - 1].offset;
    t->batch = (struct suspect){first, last + 1, 0};
    alone_begin();
    t->at_hand = true;
    result = note(t, t->batch, &why);
    if (result == STORE_DONE)
        return true;
    trial_end(w, place);
    place_refused(w, place, result, &why);
    return false;
}

void trial_end(struct worker *w, struct place *place)
{
    struct trial *t = &place->trial;

    if (!t->at_hand)
        return;
    t->at_hand = false;
    t->noted = NOBODY;
    write_note(w, place, STR_EMPTY, NULL);
    alone_end();
}

void trial_left(struct worker *w, struct place *place)
{
    if (w->config.skips != NULL && w->store->class->leave != NULL && place->trial.until == 0 &&
        place->token[0] != '\0')
        w->store->class->leave(w->store, w->class->name, place->number, place->token, NULL);
}
