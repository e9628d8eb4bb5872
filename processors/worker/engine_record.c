/* Before a record is looked at, time moves to its timestamp, and every timer up to there fires; after
 * it, what it has set in the past fires.
 */
#include "processors/worker/engine_parts.h"

#include "core/check.h"
#include "core/fail_point.h"

/* Firings without an end are a bug of the step: timers of one record that set each other. */
enum { FIRINGS_MAX = 1000000 };

static void tell_record(struct engine *p, int64_t offset)
{
    engine_tell(p, &(struct engine_act){.kind = ENGINE_RECORD, .offset = offset});
}

static enum progress run_subject(struct engine *p, const struct record *record, struct subject *s,
                                 struct err *err)
{
    enum progress progress;
    bool changed = false;

    tell_record(p, record->offset);
    FAIL_POINT_MEET(p->class->name, record);
    if (engine_decode(p, s, err) != ERR_NONE)
        return PROGRESS_FAILED;
    p->class->record(p->step, s->state, record, p->meta.now_ms, p->arena, &p->batch->outputs,
                     &changed);
    p->counts.wanted++;
    if (!changed)
        return PROGRESS_ON;
    s->changed = true;
    engine_state_changed(p, s);
    if (s->due_ms > p->meta.now_ms)
        return PROGRESS_ON;
    /* set in the past: only this subject's, and it is loaded */
    p->in_record = true;
    progress = engine_advance(p, p->meta.now_ms, FIRINGS_MAX, err);
    p->in_record = false;
    CHECK(progress != PROGRESS_STOP);
    return progress;
}

/* Nothing that comes behind it can be trusted: a person has to give the numbers up. */
static enum progress broken_chain(struct err *err)
{
    struct err why;

    if (err == NULL)
        return PROGRESS_FAILED;
    why = *err;
    err_set(err, why.code,
            "%s: two runs have decided differently; `attent snapshot DIR` and `attent init --from "
            "DIR` begin new numbers (docs/operations.md)",
            why.text);
    return PROGRESS_FAILED;
}

/* The reader's rule.  False: drop the record. */
static enum progress look(struct engine *p, const struct record *record,
                          struct taken_source *source, bool *take, struct err *err)
{
    *take = false;
    switch (taken_look(&p->meta.taken, record, &p->batch->outputs.scratch, source, err)) {
    case TAKEN_PLAIN:
    case TAKEN_NEXT: *take = true; break;
    case TAKEN_REPEAT:
    case TAKEN_OLD: p->counts.repeats++; break;
    case TAKEN_GAP:
        p->counts.gaps++;
        if (p->setup->gaps != NULL)
            gaps_open(p->setup->gaps, &p->meta.taken, source);
        break;
    case TAKEN_JUNK: p->counts.junk++; break;
    case TAKEN_BROKEN: return broken_chain(err);
    }
    return PROGRESS_ON;
}

enum progress engine_run_record(struct engine *p, const struct record *record, struct item *item,
                                struct err *err)
{
    struct taken_source source;
    enum progress progress;
    bool take = true;

    if (record->offset < p->meta.next)
        return PROGRESS_ON;
    progress = engine_settle(p, err);
    if (progress == PROGRESS_ON && item->numbered)
        progress = look(p, record, &source, &take, err);
    if (progress == PROGRESS_ON && item->kind == ITEM_SKIPPED) {
        p->counts.skipped++;
    } else if (progress == PROGRESS_ON && take && item->kind == ITEM_CONTROL) {
        tell_record(p, record->offset);
        if (p->class->control(p->step, record, p->arena, &p->batch->outputs, &p->own_changed,
                              err) != ERR_NONE)
            return PROGRESS_FAILED;
        lanes_refresh(&p->lanes, p->class, p->step);
    } else if (progress == PROGRESS_ON && take) {
        progress = engine_advance(p, record->timestamp_ms, engine_firings_left(p), err);
        if (progress == PROGRESS_ON && item->subject != NULL)
            progress = run_subject(p, record, item->subject, err);
    }
    if (progress != PROGRESS_ON)
        return progress;
    if (item->numbered && take) {
        taken_advance(&p->meta.taken, &source);
        if (p->setup->gaps != NULL)
            gaps_close(p->setup->gaps, source.from);
    }
    p->meta.next = record->offset + 1;
    p->moved = true;
    p->counts.records++;
    return PROGRESS_ON;
}
