#include "tests/support/naive_parts.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

const char *const naive_types[NAIVE_TYPES] = {"a.one", "b.two", "c.three"};
const char *const naive_codes[5] = {"done", "more", "busy", "odd", "odd"};
const enum naive_effect naive_effects[5] = {NEFFECT_END, NEFFECT_NEXT, NEFFECT_WAIT, NEFFECT_END,
                                            NEFFECT_WAIT};

/* --- sources ----------------------------------------------------------------------------------------- */

/* The smallest of its partitions, of each the largest that was ever said. */
static int64_t read_until(const struct run *run, int source)
{
    int64_t least = NEVER;

    for (int p = 0; p < run->plan->sources[source].partitions; p++) {
        int64_t most = INT64_MIN;

        for (int i = 0; i < run->mark_count; i++)
            if (run->marks[i]->type == source && run->marks[i]->key == p &&
                run->marks[i]->time > most)
                most = run->marks[i]->time;
        least = most < least ? most : least;
    }
    return least;
}

/* A source that has not been read up to the instance's due time, by type and name; -1: none. */
static int behind(const struct run *run, const struct run_instance *in)
{
    unsigned types = naive_moment_of(run, in)->steps[in->step].types;

    for (int t = 0; t < NAIVE_TYPES; t++)
        for (int s = 0; s < run->plan->source_count; s++)
            if ((types >> t & 1) != 0 && (run->plan->sources[s].types >> t & 1) != 0 &&
                read_until(run, s) < in->due)
                return s;
    return -1;
}

static int64_t silent_at(const struct run *run, const struct run_instance *in)
{
    int64_t until = read_until(run, in->source);

    return until == INT64_MIN ? INT64_MIN : until + run->plan->sources[in->source].max_silence;
}

static void look_at_silence(struct run *run, struct run_instance *in)
{
    if (in->told || silent_at(run, in) > run->now)
        return;
    in->told = true;
    naive_say(run, in->moment, in->about, "silent source_behind");
}

static bool is_over(const struct run *run, const struct run_instance *in)
{
    return read_until(run, in->source) >= in->due;
}

/* It is due.  True: it has to wait. */
static bool waits_on(struct run *run, struct run_instance *in)
{
    int source = behind(run, in);

    if (source < 0)
        return false;
    in->told = in->waits && in->told;
    in->waits = true;
    in->source = source;
    look_at_silence(run, in);
    return true;
}

/* --- steps ------------------------------------------------------------------------------------------- */

static void begin_step(struct run *run, struct run_instance *in)
{
    const struct naive_step *s = &naive_moment_of(run, in)->steps[in->step];
    int64_t at;

    switch (s->kind) {
    case NSTEP_EVENT: in->due = in->before + (s->span != 0 ? s->span : EXPIRES_MS); return;
    case NSTEP_ABSENT:
    case NSTEP_WAIT: in->due = in->before + s->span; return;
    case NSTEP_EVERY: in->due = in->before + s->span + s->grace; return;
    case NSTEP_COUNT:
    case NSTEP_CROSSES:
    case NSTEP_BECOMES: in->due = in->before + EXPIRES_MS; return;
    case NSTEP_AT:
        at = s->hour >= 0 ? naive_at_hour(in->times[s->of], s->hour) : in->times[s->of] + s->span;
        in->due = at > in->before ? at : in->before;
        return;
    }
}

static void done(struct run *run, struct run_instance *in, int64_t time,
                 const struct naive_op *data)
{
    in->times[in->step] = time;
    in->data[in->step] = data;
    in->before = time;
    in->waits = false;
    if (in->step == 0)
        in->first = time;
    in->step++;
    in->counted_count = 0;
    if (in->step < naive_moment_of(run, in)->step_count) {
        begin_step(run, in);
        return;
    }
    in->completing = run->event;
    naive_candidate(run, in, 0);
}

static void count(struct run *run, struct run_instance *in, const struct naive_step *s)
{
    const struct naive_op *e = run->event, **c = in->counted;
    int at = in->counted_count++, last;

    for (; at > 0 && c[at - 1]->time > e->time; at--)
        c[at] = c[at - 1];
    c[at] = e;
    for (last = in->counted_count - 1; last >= s->count - 1; last--) {
        if (c[last]->time - c[last + 1 - s->count]->time < s->span) {
            done(run, in, c[last]->time, c[last]);
            return;
        }
    }
    if (in->step == 0) {
        in->first = in->before = c[0]->time;
        in->due = c[in->counted_count - 1]->time + s->span;
    }
}

static void heartbeat(struct run *run, struct run_instance *in, const struct naive_step *s)
{
    int64_t time = run->event->time, due;

    if (in->step == 0 && time > in->before)
        in->before = time;
    due = (in->step == 0 ? in->before : time) + s->span + s->grace;
    if (in->due == NEVER || due > in->due) {
        in->due = due;
        in->waits = false;
    }
}

/* Tell a `crosses` step a value: has it crossed?  From all that it has been told before. */
static bool feed(struct run *run, int moment, int step, int about, const struct run_instance *in)
{
    const struct naive_step *s = &run->plan->moments[moment].steps[step];
    const struct naive_op *e = run->event;
    bool known = false, past = false, was = false;
    int64_t time = 0;

    if ((s->types >> e->type & 1) == 0 || !naive_holds(run, s->cond, in) || !e->has_n)
        return false;
    ck_assert_int_lt(run->fed_count, FED_MAX);
    run->fed[run->fed_count++] = (struct fed){moment, step, about, e->time, e->n};
    for (int i = 0; i < run->fed_count; i++) {
        const struct fed *f = &run->fed[i];

        if (f->moment != moment || f->step != step || f->about != about)
            continue;
        if (known && f->time < time) {
            was = true; /* an older late value crosses nothing */
            continue;
        }
        was = past || !known;
        if (s->below ? f->n < s->bound : f->n > s->bound)
            past = true;
        else
            past = past && s->has_back && !(s->below ? f->n > s->back : f->n < s->back);
        known = true;
        time = f->time;
    }
    return past && !was;
}

static int about_of(const struct run *run, const struct naive_moment *m, bool *known)
{
    *known = !m->about || run->event == NULL || run->event->key >= 0;
    return m->about && run->event != NULL ? run->event->key : -1;
}

static bool concerns(const struct run *run, const struct run_instance *in, bool any_about)
{
    bool known;
    int about = about_of(run, naive_moment_of(run, in), &known);

    return any_about || !known || about == in->about;
}

static bool withdraws(struct run *run, struct run_instance *in)
{
    const struct naive_moment *m = naive_moment_of(run, in);

    for (int w = 0; w < m->withdraw_count; w++)
        if ((m->withdraw[w].types >> run->event->type & 1) != 0 &&
            concerns(run, in, m->withdraw[w].any_about) && run->event->time >= in->first &&
            naive_holds(run, m->withdraw[w].cond, in))
            return true;
    return false;
}

static bool matches(struct run *run, const struct run_instance *in, const struct naive_step *s)
{
    return (s->types >> run->event->type & 1) != 0 && concerns(run, in, s->any_about) &&
           naive_holds(run, s->cond, in);
}

/* True: the record is used up by it. */
static bool offer_step(struct run *run, struct run_instance *in, bool crossed)
{
    const struct naive_step *s = &naive_moment_of(run, in)->steps[in->step];
    const struct naive_op *e = run->event;

    if (in->step > 0 && (e->time < in->before || (e->time >= in->due && !in->waits)))
        return false;
    switch (s->kind) {
    case NSTEP_EVENT:
        if (matches(run, in, s))
            return done(run, in, e->time, e), true;
        return false;
    case NSTEP_ABSENT:
        if (matches(run, in, s))
            naive_end(run, in, "ended broken");
        return false;
    case NSTEP_COUNT:
        if (matches(run, in, s))
            return count(run, in, s), true;
        return false;
    case NSTEP_EVERY:
        if (matches(run, in, s))
            return heartbeat(run, in, s), true;
        return false;
    case NSTEP_CROSSES:
        if (crossed)
            return done(run, in, e->time, e), true;
        return false;
    case NSTEP_BECOMES:
        if (naive_turned(run, s->cond, in))
            return done(run, in, e->time, NULL), true;
        return false;
    case NSTEP_WAIT:
    case NSTEP_AT: return false;
    }
    return false;
}

static bool offer_instance(struct run *run, struct run_instance *in)
{
    const struct naive_moment *m = naive_moment_of(run, in);
    bool crossed = false;

    for (int s = 1; s < m->step_count; s++)
        if (m->steps[s].kind == NSTEP_CROSSES && concerns(run, in, m->steps[s].any_about) &&
            feed(run, in->moment, s, in->about, in) && in->phase == STEPS && in->step == s)
            crossed = true;
    if (in->phase == ENDED)
        return false;
    if (in->phase == STEPS && in->step == 0 && m->steps[0].kind == NSTEP_EVERY &&
        matches(run, in, &m->steps[0])) {
        heartbeat(run, in, &m->steps[0]);
        return true;
    }
    if (withdraws(run, in)) {
        naive_end(run, in, "ended withdrawn");
        return true;
    }
    return in->phase == STEPS && offer_step(run, in, crossed);
}

/* --- the first step ---------------------------------------------------------------------------------- */

static void start(struct run *run, struct run_instance *in, int64_t time)
{
    const struct naive_step *s = &naive_moment_of(run, in)->steps[0];

    in->phase = STEPS;
    in->step = 0;
    in->first = in->before = time;
    in->due = NEVER;
    in->waits = false;
    in->counted_count = 0;
    memset(in->data, 0, sizeof in->data); /* also of steps done before a restart */
    if (s->kind == NSTEP_COUNT)
        count(run, in, s);
    else if (s->kind == NSTEP_EVERY)
        heartbeat(run, in, s);
    else
        done(run, in, time, run->event);
}

static struct run_instance *insert(struct run *run, int moment, int about)
{
    int at = run->open_count++;

    ck_assert_int_le(run->open_count, OPEN_MAX);
    for (; at > 0 && (run->open[at - 1].moment > moment ||
                      (run->open[at - 1].moment == moment && run->open[at - 1].about > about));
         at--)
        run->open[at] = run->open[at - 1];
    run->open[at] = (struct run_instance){.moment = moment, .about = about, .due = NEVER};
    return &run->open[at];
}

static bool refused(struct run *run, int moment, int about, int64_t time, int open)
{
    const struct naive_moment *m = &run->plan->moments[moment];
    struct again *again = &run->again[moment][about + 1];

    if (again->known && time < again->at + m->again) {
        if (!again->refused)
            naive_say(run, moment, about, "silent again");
        again->refused = true;
        return true;
    }
    if (open >= (m->instances != 0 ? m->instances : 16)) {
        if (!run->limited[moment])
            naive_say(run, moment, about, "silent limit");
        run->limited[moment] = true;
        return true;
    }
    return false;
}

static void first_step(struct run *run, int moment, int about, int64_t time)
{
    const struct naive_step *s = &run->plan->moments[moment].steps[0];
    struct run_instance *same = NULL;
    int open = 0;

    for (int i = 0; i < run->open_count; i++) {
        struct run_instance *in = &run->open[i];

        if (in->moment != moment || in->phase == ENDED)
            continue;
        open++;
        if (in->about == about)
            same = in;
    }
    if (same != NULL && s->restart && same->phase == STEPS && time >= same->first)
        start(run, same, time);
    if (same == NULL && !refused(run, moment, about, time, open))
        start(run, insert(run, moment, about), time);
}

static void offer_moment(struct run *run, int moment)
{
    const struct naive_moment *m = &run->plan->moments[moment];
    const struct naive_step *s = &m->steps[0];
    bool known, now = false, took = false;
    int about = about_of(run, m, &known);

    if (s->kind == NSTEP_CROSSES)
        now = known && feed(run, moment, 0, about, NULL);
    else if (s->kind == NSTEP_BECOMES)
        now = naive_turned(run, s->cond, NULL);
    else
        now = (s->types >> run->event->type & 1) != 0 && naive_holds(run, s->cond, NULL);
    for (int i = 0; i < run->open_count; i++)
        if (run->open[i].moment == moment && offer_instance(run, &run->open[i]))
            took = true;
    if ((!took || s->kind == NSTEP_EVERY) && known && now)
        first_step(run, moment, about, run->event->time);
}

/* --- time -------------------------------------------------------------------------------------------- */

/* When any window or mark of any event runs out next. */
static int64_t next_change(const struct run *run)
{
    int64_t next = NEVER;

    for (int f = 0; f < run->plan->fact_count; f++) {
        const struct naive_fact *fact = &run->plan->facts[f];

        for (int i = 0; i < run->log_count && fact->over != 0; i++) {
            int64_t at = naive_falls_at(fact, run->log[i]) + fact->over;

            if (at > run->now && at < next)
                next = at;
        }
    }
    return next;
}

static int64_t next_due(const struct run *run)
{
    int64_t next = next_change(run);

    for (int i = 0; i < run->open_count; i++) {
        const struct run_instance *in = &run->open[i];
        int64_t due = in->due;

        if (in->waits && !is_over(run, in))
            due = in->told ? NEVER : silent_at(run, in);
        if (due < next)
            next = due;
    }
    return next;
}

static void next_act(struct run *run, struct run_instance *in, const char *at_the_end)
{
    in->task_until = run->now;
    if (in->act + 1 < naive_moment_of(run, in)->act_count)
        naive_candidate(run, in, in->act + 1);
    else
        naive_end(run, in, at_the_end);
}

static void step_time(struct run *run, struct run_instance *in)
{
    const struct naive_step *s = &naive_moment_of(run, in)->steps[in->step];

    switch (s->kind) {
    case NSTEP_ABSENT:
    case NSTEP_EVERY:
        if (!waits_on(run, in))
            done(run, in, in->due, NULL);
        return;
    case NSTEP_WAIT:
    case NSTEP_AT: done(run, in, in->due, NULL); return;
    case NSTEP_COUNT: naive_end(run, in, in->step == 0 ? NULL : "ended expired"); return;
    case NSTEP_EVENT:
    case NSTEP_CROSSES:
    case NSTEP_BECOMES: naive_end(run, in, "ended expired"); return;
    }
}

static void fire(struct run *run, struct run_instance *in, int64_t due)
{
    if (in->waits && !is_over(run, in)) {
        look_at_silence(run, in);
    } else if (in->phase == STEPS && in->due > due) { /* a window ran out, perhaps */
        const struct naive_step *s = &naive_moment_of(run, in)->steps[in->step];

        if (s->kind == NSTEP_BECOMES && naive_turned(run, s->cond, in))
            done(run, in, due, NULL);
    } else if (in->due <= due) {
        if (in->phase == STEPS)
            step_time(run, in);
        else if (in->phase == HELD)
            naive_end(run, in, "silent outranked");
        else if (in->phase == OUT)
            next_act(run, in, "ended chain_over");
    }
}

static void sweep(struct run *run)
{
    int kept = 0;

    for (int i = 0; i < run->open_count; i++)
        if (run->open[i].phase != ENDED)
            run->open[kept++] = run->open[i];
    run->open_count = kept;
}

/* All timers of one due time: those that they set are not of this round. */
static void time_comes(struct run *run, int64_t due)
{
    bool changes = due == next_change(run);

    run->event = NULL;
    run->now = due > run->now ? due : run->now;
    for (int m = 0; m < run->plan->moment_count; m++) {
        const struct naive_step *s = &run->plan->moments[m].steps[0];

        for (int i = 0; i < run->open_count; i++) {
            struct run_instance *in = &run->open[i];

            if (in->moment == m && (in->due <= due || changes))
                fire(run, in, due);
        }
        if (s->kind == NSTEP_BECOMES && changes && naive_turned(run, s->cond, NULL))
            first_step(run, m, -1, due);
    }
    naive_arbitrate(run);
    sweep(run);
}

static void advance(struct run *run, int64_t to)
{
    for (int64_t due = next_due(run); due <= to; due = next_due(run))
        time_comes(run, due);
    run->now = to > run->now ? to : run->now;
}

/* --- records ----------------------------------------------------------------------------------------- */

static void outcome(struct run *run, int code)
{
    for (int i = 0; i < run->open_count; i++) {
        struct run_instance *in = &run->open[i];

        if (in->phase != OUT || in->moment != run->last_moment || in->about != run->last_about ||
            in->act != run->last_act)
            continue;
        if (naive_effects[code] == NEFFECT_NEXT) {
            next_act(run, in, "ended outcome");
        } else if (naive_effects[code] == NEFFECT_END) {
            in->task_until = run->now;
            naive_end(run, in, "ended outcome");
        }
        return;
    }
}

static void take(struct run *run, const struct naive_op *op)
{
    if (op->kind == OP_WATERMARK) { /* time stands */
        ck_assert_int_lt(run->mark_count, LOG_MAX);
        run->marks[run->mark_count++] = op;
        advance(run, run->now);
        return;
    }
    advance(run, op->at);
    if (op->kind == OP_EVENT) {
        run->event = run->log[run->log_count++] = op;
        for (int m = 0; m < run->plan->moment_count; m++)
            offer_moment(run, m);
    } else if (op->kind == OP_OUTCOME && run->last_moment >= 0) {
        run->event = NULL;
        outcome(run, op->code);
    } else {
        return;
    }
    naive_arbitrate(run);
    sweep(run);
    advance(run, run->now); /* what was set in the past */
}

void naive_run(const struct naive_plan *plan, const struct naive_op *ops, int count_, int64_t until,
               struct buf *out)
{
    struct run *run = calloc(1, sizeof *run);

    ck_assert_ptr_nonnull(run);
    run->plan = plan;
    run->out = out;
    run->last_moment = -1;
    for (int i = 0; i < count_; i++)
        take(run, &ops[i]);
    advance(run, until);
    free(run);
}
