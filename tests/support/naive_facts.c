#include "tests/support/naive_parts.h"

#include <math.h>
#include <string.h>

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
int64_t naive_at_hour(int64_t at, int hour)
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

static int64_t floor_to(int64_t at, int64_t step)
{
    int64_t ms = START_MS + at;

    return ms / step * step - START_MS;
}

static bool windowed(const struct naive_fact *f)
{
    return f->over != 0 && f->kind != NFACT_MARK;
}

int64_t naive_falls_at(const struct naive_fact *f, const struct naive_op *e)
{
    return f->step != 0 ? floor_to(e->time, f->step) : e->time;
}

static bool moves(const struct naive_fact *f, const struct cell *cell, const struct naive_op *e)
{
    bool latest = f->kind == NFACT_LAST || f->kind == NFACT_MARK || f->kind == NFACT_SINCE;

    if (windowed(f))
        return naive_falls_at(f, e) > e->at - f->over;
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
            naive_ask(run, f->cond, e, NULL, 0, 0) != YES)
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

        if (windowed(f) && naive_falls_at(f, cell->events[i]) <= now - f->over)
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

enum truth naive_ask(struct run *run, int cond, const struct naive_op *event,
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
        t = naive_ask(run, c->a, event, in, log_count, now);
        return t == FAILED ? FAILED : t == YES ? NO : YES;
    case COND_AND:
        return both(naive_ask(run, c->a, event, in, log_count, now),
                    naive_ask(run, c->b, event, in, log_count, now), NO);
    case COND_OR:
        return both(naive_ask(run, c->a, event, in, log_count, now),
                    naive_ask(run, c->b, event, in, log_count, now), YES);
    }
    return FAILED;
}

bool naive_holds(struct run *run, int cond, const struct run_instance *in)
{
    return naive_ask(run, cond, run->event, in, run->log_count, run->now) == YES;
}

bool naive_turned(struct run *run, int cond, const struct run_instance *in)
{
    int64_t then = run->event != NULL ? run->now : run->now - 1;
    int before = run->event != NULL ? run->log_count - 1 : run->log_count;

    return naive_ask(run, cond, NULL, in, run->log_count, run->now) == YES &&
           naive_ask(run, cond, NULL, in, before, then) != YES;
}
