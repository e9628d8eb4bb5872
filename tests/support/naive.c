#include "tests/support/naive.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/when.h"

const char *const naive_types[NAIVE_TYPES] = {"a.one", "b.two", "c.three"};
const char *const naive_codes[5] = {"done", "more", "busy", "odd", "odd"};
const enum naive_effect naive_effects[5] = {NEFFECT_END, NEFFECT_NEXT, NEFFECT_WAIT, NEFFECT_END,
                                            NEFFECT_WAIT};

#define START_MS   1772438400000 /* 2026-03-02T08:00:00Z */
#define SUMMER_MS  1774746000000 /* 2026-03-29T01:00:00Z: two becomes three */
#define HOUR_MS    ((int64_t)3600000)
#define DAY_MS     (24 * HOUR_MS)
#define NEVER      INT64_MAX
#define EXPIRES_MS (400 * DAY_MS)

enum { LOG_MAX = NAIVE_OPS, OPEN_MAX = 64, FED_MAX = 4096 };

enum truth { NO, YES, FAILED };
enum phase { STEPS, ASKING, HELD, OUT, ENDED };

struct run_instance {
    int moment, about; /* about -1: none */
    enum phase phase;
    int step, act;
    int64_t first, before, due; /* before: time of the step before */
    int64_t asked, deadline, task_until;
    bool fresh, held_before;
    bool waits, told;              /* due, but a source is behind; that was said */
    int source;                    /* which */
    int ahead_moment, ahead_about; /* HELD: behind whom */
    const struct naive_op *data[NAIVE_STEPS];
    int64_t times[NAIVE_STEPS];
    const struct naive_op *counted[LOG_MAX], *completing;
    int counted_count;
};

struct fed { /* a value that a `crosses` step has been told */
    int moment, step, about;
    int64_t time;
    double n;
};

struct again {
    bool known, refused;
    int64_t at;
};

struct run {
    const struct naive_plan *plan;
    struct buf *out;
    int64_t now;
    const struct naive_op *log[LOG_MAX];
    int log_count;
    const struct naive_op *event; /* NULL: time */
    struct run_instance open[OPEN_MAX];
    int open_count;
    struct fed fed[FED_MAX];
    int fed_count;
    struct again again[NAIVE_MOMENTS][NAIVE_KEYS + 1];
    bool limited[NAIVE_MOMENTS];
    const struct naive_op *marks[LOG_MAX]; /* watermarks */
    int mark_count;
    int last_moment, last_about, last_act; /* the last task */
    int64_t last_opened;
    int opened; /* counts openings, to know tasks by */
};

/* --- the wall clock of Amsterdam in spring ----------------------------------------------------------- */

static int64_t offset_at(int64_t ms)
{
    return ms < SUMMER_MS ? HOUR_MS : 2 * HOUR_MS;
}

static int hour_at(int64_t at)
{
    int64_t ms = START_MS + at;

    return (int)((ms + offset_at(ms)) % DAY_MS / HOUR_MS);
}

/* That hour of the day of `at`; there is no two o'clock on the day of the change. */
static int64_t at_hour(int64_t at, int hour)
{
    int64_t ms = START_MS + at, day = (ms + offset_at(ms)) / DAY_MS * DAY_MS;
    int64_t wall = day + hour * HOUR_MS;

    if (wall - HOUR_MS < SUMMER_MS)
        return wall - HOUR_MS - START_MS;
    if (wall - 2 * HOUR_MS >= SUMMER_MS)
        return wall - 2 * HOUR_MS - START_MS;
    return SUMMER_MS - START_MS;
}

/* --- facts ------------------------------------------------------------------------------------------- */

struct cell {
    int key;
    const struct naive_op *events[LOG_MAX];
    int count;
};

struct answer {
    bool there, mark;
    double n;
};

static enum truth ask(struct run *run, int cond, const struct naive_op *event,
                      const struct run_instance *in, int log_count, int64_t now);

static int64_t floor_to(int64_t at, int64_t step)
{
    int64_t ms = START_MS + at;

    return ms / step * step - START_MS;
}

static bool windowed(const struct naive_fact *f)
{
    return f->over != 0 && f->kind != NFACT_MARK;
}

static int64_t falls_at(const struct naive_fact *f, const struct naive_op *e)
{
    return f->step != 0 ? floor_to(e->time, f->step) : e->time;
}

static bool moves(const struct naive_fact *f, const struct cell *cell, const struct naive_op *e)
{
    bool latest = f->kind == NFACT_LAST || f->kind == NFACT_MARK || f->kind == NFACT_SINCE;

    if (windowed(f))
        return falls_at(f, e) > e->at - f->over;
    if (cell == NULL || cell->count == 0)
        return true;
    if (latest)
        return e->time >= cell->events[cell->count - 1]->time;
    return f->kind != NFACT_FIRST || e->time < cell->events[cell->count - 1]->time;
}

/* All cells of a fact, made anew from the first `log_count` events. */
static int make_cells(struct run *run, const struct naive_fact *f, int log_count,
                      struct cell cells[NAIVE_KEYS + 1])
{
    int count = 0, most = f->per ? f->keys : 1;

    for (int i = 0; i < log_count; i++) {
        const struct naive_op *e = run->log[i];
        bool needs_n = f->kind != NFACT_COUNT && f->kind != NFACT_MARK && f->kind != NFACT_SINCE;
        int key = f->per ? e->key : 0, at;

        if ((f->types >> e->type & 1) == 0 || (f->per && key < 0) || (needs_n && !e->has_n) ||
            ask(run, f->cond, e, NULL, 0, 0) != YES)
            continue;
        for (at = 0; at < count && cells[at].key != key; at++)
            ;
        if (!moves(f, at < count ? &cells[at] : NULL, e))
            continue;
        if (at < count) { /* the one updated last stands last */
            struct cell moved = cells[at];

            memmove(&cells[at], &cells[at + 1], (size_t)(count - at - 1) * sizeof cells[0]);
            cells[count - 1] = moved;
        } else {
            if (count == most)
                memmove(&cells[0], &cells[1], (size_t)(--count) * sizeof cells[0]);
            cells[count].count = 0;
            cells[count++].key = key;
        }
        cells[count - 1].events[cells[count - 1].count++] = e;
    }
    return count;
}

static double slope(const struct naive_op *const *events, int count, bool *there)
{
    double x = 0, y = 0, xx = 0, xy = 0, n = count;

    *there = count >= 3 && events[0]->time != events[count - 1]->time;
    for (int i = 0; i < count; i++) {
        double t = (double)(events[i]->time - events[0]->time) / (double)DAY_MS;

        x += t;
        y += events[i]->n;
        xx += t * t;
        xy += t * events[i]->n;
    }
    return *there ? (n * xy - x * y) / (n * xx - x * x) : 0;
}

static struct answer amount(const struct naive_fact *f, const struct naive_op *const *events,
                            int count)
{
    struct answer a = {.there = count != 0};
    double sum = 0, least = INFINITY, most = -INFINITY;
    int different = 0;

    for (int i = 0; i < count; i++) {
        bool seen = false;

        for (int k = 0; k < i; k++)
            seen |= events[k]->n == events[i]->n;
        different += !seen;
        sum += events[i]->n;
        least = fmin(least, events[i]->n);
        most = fmax(most, events[i]->n);
    }
    switch (f->kind) {
    case NFACT_COUNT: return (struct answer){true, false, count};
    case NFACT_SUM: return (struct answer){true, false, sum};
    case NFACT_DISTINCT: return (struct answer){true, false, different};
    case NFACT_MIN: a.n = least; return a;
    case NFACT_MAX: a.n = most; return a;
    case NFACT_MEAN: a.n = count != 0 ? sum / count : 0; return a;
    case NFACT_TREND: a.n = slope(events, count, &a.there); return a;
    case NFACT_LAST:
    case NFACT_FIRST:
    case NFACT_MARK:
    case NFACT_SINCE: break;
    }
    return a;
}

/* Of a window: what is young enough, by (time, arrival), the last `limit` of it. */
static struct answer amount_of(const struct naive_fact *f, const struct cell *cell, int64_t now)
{
    const struct naive_op *in[LOG_MAX];
    int count = 0, from;

    for (int i = 0; i < cell->count; i++) {
        int at = count;

        if (windowed(f) && falls_at(f, cell->events[i]) <= now - f->over)
            continue;
        for (; at > 0 && in[at - 1]->time > cell->events[i]->time; at--)
            in[at] = in[at - 1];
        in[at] = cell->events[i];
        count++;
    }
    from = f->limit != 0 && windowed(f) && count > f->limit ? count - f->limit : 0;
    return amount(f, in + from, count - from);
}

static struct answer fact_at(struct run *run, int fact, int key, int log_count, int64_t now)
{
    const struct naive_fact *f = &run->plan->facts[fact];
    static struct cell all[8][NAIVE_KEYS + 1]; /* facts do not read facts: depth 1 */
    struct cell *cells = all[0], *cell = NULL;
    int count = make_cells(run, f, log_count, cells);
    struct answer a = {0};

    for (int i = 0; i < count; i++)
        if (cells[i].key == (f->per ? key : 0))
            cell = &cells[i];
    if (f->kind == NFACT_MARK) {
        a.there = true;
        a.mark = cell != NULL && now < cell->events[cell->count - 1]->time + f->over;
        return a;
    }
    if (f->kind == NFACT_LAST || f->kind == NFACT_FIRST || f->kind == NFACT_SINCE) {
        a.there = cell != NULL;
        a.n = cell != NULL && f->kind != NFACT_SINCE ? cell->events[cell->count - 1]->n : 0;
    } else if (cell != NULL) {
        a = amount_of(f, cell, now);
    } else {
        a = amount(f, NULL, 0);
    }
    if (!a.there && f->defaulted)
        a = (struct answer){true, false, 0.5};
    return a;
}

/* --- conditions -------------------------------------------------------------------------------------- */

static enum truth compare(const struct naive_cond *c, bool there, double n)
{
    if (!there)
        return FAILED;
    return (c->less ? n < c->k : n > c->k) ? YES : NO;
}

/* One that decides lets an error of the other side be. */
static enum truth both(enum truth a, enum truth b, enum truth decides)
{
    if (a == decides || b == decides)
        return decides;
    return a == FAILED || b == FAILED ? FAILED : a;
}

static enum truth ask(struct run *run, int cond, const struct naive_op *event,
                      const struct run_instance *in, int log_count, int64_t now)
{
    const struct naive_cond *c = &run->plan->conds[cond];
    struct answer a;
    enum truth t;

    switch (c->kind) {
    case COND_TRUE: return YES;
    case COND_EVENT_N: return compare(c, event != NULL && event->has_n, event ? event->n : 0);
    case COND_EVENT_HOUR: return event == NULL ? FAILED : hour_at(event->time) >= c->k ? YES : NO;
    case COND_NOW_HOUR: return hour_at(now) >= c->k ? YES : NO;
    case COND_FACT: a = fact_at(run, c->fact, 0, log_count, now); return compare(c, a.there, a.n);
    case COND_FACT_BEFORE:
        a = fact_at(run, c->fact, 0, log_count - 1, now);
        return compare(c, a.there, a.n);
    case COND_FACT_KEY:
        if (event == NULL || event->key < 0)
            return FAILED;
        a = fact_at(run, c->fact, event->key, log_count, now);
        return compare(c, a.there, a.n);
    case COND_FACT_CONST:
        a = fact_at(run, c->fact, c->step, log_count, now);
        return compare(c, a.there, a.n);
    case COND_MARK: return fact_at(run, c->fact, 0, log_count, now).mark ? YES : NO;
    case COND_HAS: return fact_at(run, c->fact, 0, log_count, now).there ? YES : NO;
    case COND_STEP_N:
        if (in == NULL || in->data[c->step] == NULL)
            return FAILED;
        return compare(c, in->data[c->step]->has_n, in->data[c->step]->n);
    case COND_NOT:
        t = ask(run, c->a, event, in, log_count, now);
        return t == FAILED ? FAILED : t == YES ? NO : YES;
    case COND_AND:
        return both(ask(run, c->a, event, in, log_count, now),
                    ask(run, c->b, event, in, log_count, now), NO);
    case COND_OR:
        return both(ask(run, c->a, event, in, log_count, now),
                    ask(run, c->b, event, in, log_count, now), YES);
    }
    return FAILED;
}

static bool holds(struct run *run, int cond, const struct run_instance *in)
{
    return ask(run, cond, run->event, in, run->log_count, run->now) == YES;
}

static bool turned(struct run *run, int cond, const struct run_instance *in)
{
    int64_t then = run->event != NULL ? run->now : run->now - 1;
    int before = run->event != NULL ? run->log_count - 1 : run->log_count;

    return ask(run, cond, NULL, in, run->log_count, run->now) == YES &&
           ask(run, cond, NULL, in, before, then) != YES;
}

/* --- saying ------------------------------------------------------------------------------------------ */

static const struct naive_moment *moment_of(const struct run *run, const struct run_instance *in)
{
    return &run->plan->moments[in->moment];
}

static void say(struct run *run, int moment, int about, const char *what)
{
    when_put_span(run->out, run->now);
    buf_put_format(run->out, " m%d", moment);
    if (about >= 0)
        buf_put_format(run->out, "/K%d", about + 1);
    buf_put_format(run->out, " %s\n", what);
}

static void end(struct run *run, struct run_instance *in, const char *what)
{
    if (in->phase == OUT && run->event != NULL && run->now < in->task_until) {
        char text[64];

        snprintf(text, sizeof text, "withdrawn %s", naive_types[run->event->type]);
        say(run, in->moment, in->about, text);
    }
    if (what != NULL)
        say(run, in->moment, in->about, what);
    in->phase = ENDED;
    in->due = NEVER;
    run->limited[in->moment] = false;
}

/* --- arbitration ------------------------------------------------------------------------------------- */

static void candidate(struct run *run, struct run_instance *in, int act)
{
    in->phase = ASKING;
    in->act = act;
    in->asked = run->now;
    in->deadline = run->now + moment_of(run, in)->deadline;
    in->due = NEVER;
    in->held_before = false;
}

static bool goes_before(const struct run *run, const struct run_instance *a,
                        const struct run_instance *b)
{
    const struct naive_moment *x = moment_of(run, a), *y = moment_of(run, b);

    if (x->urgent != y->urgent)
        return x->urgent;
    if (x->value != y->value)
        return x->value > y->value;
    if (a->asked != b->asked)
        return a->asked < b->asked;
    if (a->moment != b->moment)
        return a->moment < b->moment;
    return a->about < b->about;
}

static bool is_behind(const struct run *run, const struct run_instance *in)
{
    for (int i = 0; i < run->open_count; i++) {
        const struct run_instance *x = &run->open[i];

        if (x->moment == in->ahead_moment && x->about == in->ahead_about &&
            (x->phase == HELD || x->phase == OUT))
            return true;
    }
    return false;
}

static bool wake_one(struct run *run)
{
    for (int i = 0; i < run->open_count; i++) {
        if (run->open[i].phase == HELD && !is_behind(run, &run->open[i])) {
            run->open[i].phase = ASKING;
            return true;
        }
    }
    return false;
}

static void ask_gates(struct run *run, struct run_instance *in)
{
    static const char *const reasons[] = {"silent not_eligible", "silent not_relevant",
                                          "silent not_suitable"};

    for (int g = 0; g < 3 && in->phase == ASKING; g++)
        if (ask(run, moment_of(run, in)->gates[g], in->completing, in, run->log_count, run->now) !=
            YES)
            end(run, in, reasons[g]);
}

static void hold_behind(struct run *run, struct run_instance *in, const struct run_instance *best)
{
    bool news =
        !in->held_before || in->ahead_moment != best->moment || in->ahead_about != best->about;
    struct buf what = {0};

    in->phase = HELD;
    in->due = in->deadline;
    in->held_before = true;
    in->ahead_moment = best->moment;
    in->ahead_about = best->about;
    buf_put_text(&what, "hold outranked ");
    when_put_span(&what, in->due);
    if (news)
        say(run, in->moment, in->about, buf_text(&what));
    buf_free(&what);
}

static void go_out(struct run *run, struct run_instance *in)
{
    const struct naive_moment *m = moment_of(run, in);
    int64_t wait = m->waits[in->act] != 0 ? m->waits[in->act] : m->deadline;

    say(run, in->moment, in->about, "task phone");
    in->phase = OUT;
    in->due = run->now + wait;
    in->task_until = run->now + (wait < m->deadline ? wait : m->deadline);
    run->last_moment = in->moment;
    run->last_about = in->about;
    run->last_act = in->act;
    if (m->again != 0)
        run->again[in->moment][in->about + 1] = (struct again){true, false, run->now};
}

static void arbitrate(struct run *run)
{
    for (;;) {
        struct run_instance *best = NULL;
        bool any = false;

        while (wake_one(run))
            ;
        for (int i = 0; i < run->open_count; i++)
            if (run->open[i].phase == ASKING)
                ask_gates(run, &run->open[i]), any = true;
        if (!any)
            return;
        for (int i = 0; i < run->open_count; i++) {
            struct run_instance *in = &run->open[i];

            if ((in->phase == ASKING || in->phase == HELD) &&
                (best == NULL || goes_before(run, in, best)))
                best = in;
        }
        if (best != NULL && best->phase == ASKING)
            go_out(run, best);
        for (int i = 0; i < run->open_count && best != NULL; i++)
            if (run->open[i].phase == ASKING)
                hold_behind(run, &run->open[i], best);
    }
}

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
    unsigned types = moment_of(run, in)->steps[in->step].types;

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
    say(run, in->moment, in->about, "silent source_behind");
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
    const struct naive_step *s = &moment_of(run, in)->steps[in->step];
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
        at = s->hour >= 0 ? at_hour(in->times[s->of], s->hour) : in->times[s->of] + s->span;
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
    if (in->step < moment_of(run, in)->step_count) {
        begin_step(run, in);
        return;
    }
    in->completing = run->event;
    candidate(run, in, 0);
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

    if ((s->types >> e->type & 1) == 0 || !holds(run, s->cond, in) || !e->has_n)
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
    int about = about_of(run, moment_of(run, in), &known);

    return any_about || !known || about == in->about;
}

static bool withdraws(struct run *run, struct run_instance *in)
{
    const struct naive_moment *m = moment_of(run, in);

    for (int w = 0; w < m->withdraw_count; w++)
        if ((m->withdraw[w].types >> run->event->type & 1) != 0 &&
            concerns(run, in, m->withdraw[w].any_about) && run->event->time >= in->first &&
            holds(run, m->withdraw[w].cond, in))
            return true;
    return false;
}

static bool matches(struct run *run, const struct run_instance *in, const struct naive_step *s)
{
    return (s->types >> run->event->type & 1) != 0 && concerns(run, in, s->any_about) &&
           holds(run, s->cond, in);
}

/* True: the record is used up by it. */
static bool offer_step(struct run *run, struct run_instance *in, bool crossed)
{
    const struct naive_step *s = &moment_of(run, in)->steps[in->step];
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
            end(run, in, "ended broken");
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
        if (turned(run, s->cond, in))
            return done(run, in, e->time, NULL), true;
        return false;
    case NSTEP_WAIT:
    case NSTEP_AT: return false;
    }
    return false;
}

static bool offer_instance(struct run *run, struct run_instance *in)
{
    const struct naive_moment *m = moment_of(run, in);
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
        end(run, in, "ended withdrawn");
        return true;
    }
    return in->phase == STEPS && offer_step(run, in, crossed);
}

/* --- the first step ---------------------------------------------------------------------------------- */

static void start(struct run *run, struct run_instance *in, int64_t time)
{
    const struct naive_step *s = &moment_of(run, in)->steps[0];

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
            say(run, moment, about, "silent again");
        again->refused = true;
        return true;
    }
    if (open >= (m->instances != 0 ? m->instances : 16)) {
        if (!run->limited[moment])
            say(run, moment, about, "silent limit");
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
        now = turned(run, s->cond, NULL);
    else
        now = (s->types >> run->event->type & 1) != 0 && holds(run, s->cond, NULL);
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
            int64_t at = falls_at(fact, run->log[i]) + fact->over;

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
    if (in->act + 1 < moment_of(run, in)->act_count)
        candidate(run, in, in->act + 1);
    else
        end(run, in, at_the_end);
}

static void step_time(struct run *run, struct run_instance *in)
{
    const struct naive_step *s = &moment_of(run, in)->steps[in->step];

    switch (s->kind) {
    case NSTEP_ABSENT:
    case NSTEP_EVERY:
        if (!waits_on(run, in))
            done(run, in, in->due, NULL);
        return;
    case NSTEP_WAIT:
    case NSTEP_AT: done(run, in, in->due, NULL); return;
    case NSTEP_COUNT: end(run, in, in->step == 0 ? NULL : "ended expired"); return;
    case NSTEP_EVENT:
    case NSTEP_CROSSES:
    case NSTEP_BECOMES: end(run, in, "ended expired"); return;
    }
}

static void fire(struct run *run, struct run_instance *in, int64_t due)
{
    if (in->waits && !is_over(run, in)) {
        look_at_silence(run, in);
    } else if (in->phase == STEPS && in->due > due) { /* a window ran out, perhaps */
        const struct naive_step *s = &moment_of(run, in)->steps[in->step];

        if (s->kind == NSTEP_BECOMES && turned(run, s->cond, in))
            done(run, in, due, NULL);
    } else if (in->due <= due) {
        if (in->phase == STEPS)
            step_time(run, in);
        else if (in->phase == HELD)
            end(run, in, "silent outranked");
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
        if (s->kind == NSTEP_BECOMES && changes && turned(run, s->cond, NULL))
            first_step(run, m, -1, due);
    }
    arbitrate(run);
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
            end(run, in, "ended outcome");
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
    arbitrate(run);
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
