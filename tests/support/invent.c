/* Spans are a few units, and so are the distances of events: that things happen together, just in
 * time and just too late is the rule. */
#include "tests/support/invent.h"

#include "core/when.h"

#define HOUR_MS ((int64_t)3600000)
#define DAY_MS  (24 * HOUR_MS)

struct dice {
    uint64_t state;
};

static int below(struct dice *d, int n)
{
    d->state = d->state * 6364136223846793005u + 1442695040888963407u;
    return (int)((d->state >> 33) % (uint64_t)n);
}

static bool one_in(struct dice *d, int n)
{
    return below(d, n) == 0;
}

static struct dice dice_of(uint64_t seed, uint64_t what)
{
    return (struct dice){(seed * 2 + what) * 0x9e3779b97f4a7c15u};
}

static unsigned some_types(struct dice *d)
{
    unsigned types = 1U << below(d, NAIVE_TYPES);

    return one_in(d, 3) ? types | 1U << below(d, NAIVE_TYPES) : types;
}

static int64_t some_span(struct dice *d, const struct naive_plan *plan, int most)
{
    return (1 + below(d, most)) * plan->unit;
}

/* --- conditions -------------------------------------------------------------------------------------- */

struct sight { /* what a condition may read */
    bool event, before, now, customer;
    int step_count; /* earlier steps */
    const struct naive_step *steps;
};

static bool is_number(const struct naive_fact *f)
{
    return f->kind != NFACT_MARK && f->kind != NFACT_SINCE;
}

static bool can_be_absent(const struct naive_fact *f)
{
    return !f->defaulted && !f->per && f->kind != NFACT_MARK && f->kind != NFACT_COUNT &&
           f->kind != NFACT_SUM && f->kind != NFACT_DISTINCT;
}

static bool has_data(const struct naive_step *s)
{
    return s->kind == NSTEP_EVENT || s->kind == NSTEP_COUNT || s->kind == NSTEP_CROSSES;
}

static double some_bound(struct dice *d, const struct naive_fact *f)
{
    if (f != NULL && f->kind == NFACT_TREND)
        return one_in(d, 2) ? 3.7 : -211.3;
    return below(d, 5) + (one_in(d, 2) ? 0.5 : 1.0);
}

static bool of_fact(struct dice *d, const struct naive_plan *plan, const struct sight *sight,
                    struct naive_cond *c)
{
    const struct naive_fact *f;

    if (!sight->customer || plan->fact_count == 0)
        return false;
    c->fact = below(d, plan->fact_count);
    f = &plan->facts[c->fact];
    c->k = some_bound(d, f);
    if (f->kind == NFACT_MARK) {
        c->kind = COND_MARK;
    } else if (can_be_absent(f) && (!is_number(f) || one_in(d, 4))) {
        c->kind = COND_HAS;
    } else if (!is_number(f)) {
        return false;
    } else if (f->per) {
        c->kind = sight->event && one_in(d, 2) ? COND_FACT_KEY : COND_FACT_CONST;
        c->step = below(d, NAIVE_KEYS);
    } else {
        c->kind = sight->before && one_in(d, 3) ? COND_FACT_BEFORE : COND_FACT;
    }
    return true;
}

static bool of_step(struct dice *d, const struct sight *sight, struct naive_cond *c)
{
    if (sight->step_count == 0)
        return false;
    c->kind = COND_STEP_N;
    c->step = below(d, sight->step_count);
    return has_data(&sight->steps[c->step]);
}

static int add_cond(struct naive_plan *plan, struct naive_cond c)
{
    if (plan->cond_count == NAIVE_CONDS)
        return 0;
    plan->conds[plan->cond_count] = c;
    return plan->cond_count++;
}

/* 0: none came to mind. */
static int one_cond(struct dice *d, struct naive_plan *plan, const struct sight *sight)
{
    struct naive_cond c = {.less = one_in(d, 2), .k = some_bound(d, NULL)};

    switch (below(d, 6)) {
    case 0:
    case 1: c.kind = COND_EVENT_N; return sight->event ? add_cond(plan, c) : 0;
    case 2:
        c.kind = sight->event ? COND_EVENT_HOUR : COND_NOW_HOUR;
        c.k = 1 + below(d, 22);
        return sight->now ? add_cond(plan, c) : 0;
    case 3: return of_step(d, sight, &c) ? add_cond(plan, c) : 0;
    default: return of_fact(d, plan, sight, &c) ? add_cond(plan, c) : 0;
    }
}

static int some_cond(struct dice *d, struct naive_plan *plan, const struct sight *sight)
{
    int a = one_cond(d, plan, sight), b = one_in(d, 3) ? one_cond(d, plan, sight) : 0;

    if (a != 0 && one_in(d, 5))
        a = add_cond(plan, (struct naive_cond){.kind = COND_NOT, .a = a});
    if (a == 0 || b == 0)
        return a;
    return add_cond(plan,
                    (struct naive_cond){.kind = one_in(d, 2) ? COND_AND : COND_OR, .a = a, .b = b});
}

/* --- facts ------------------------------------------------------------------------------------------- */

static bool may_have_window(enum naive_fact_kind kind)
{
    return kind >= NFACT_COUNT && kind <= NFACT_TREND;
}

static void invent_fact(struct dice *d, struct naive_plan *plan)
{
    static const struct sight sight = {.event = true};
    struct naive_fact *f = &plan->facts[plan->fact_count++];
    bool window;

    *f = (struct naive_fact){.kind = (enum naive_fact_kind)below(d, NFACT_SINCE + 1),
                             .types = some_types(d),
                             .keys = 1 + below(d, 3)};
    f->cond = one_in(d, 3) ? one_cond(d, plan, &sight) : 0;
    f->per = one_in(d, 4) && f->kind != NFACT_MARK && f->kind != NFACT_SINCE;
    window = f->kind == NFACT_DISTINCT || f->kind == NFACT_TREND ||
             (may_have_window(f->kind) && !one_in(d, 3));
    if (f->kind == NFACT_MARK || window)
        f->over = some_span(d, plan, 12);
    if (window && f->kind <= NFACT_MEAN && one_in(d, 4)) {
        f->step = plan->unit;
        f->over *= 2;
    } else if (window && f->kind != NFACT_DISTINCT && one_in(d, 3)) {
        f->limit = 3 + below(d, 3);
    }
    f->defaulted =
        one_in(d, 4) && (f->kind == NFACT_LAST || f->kind == NFACT_FIRST || f->kind == NFACT_MIN ||
                         f->kind == NFACT_MAX || f->kind == NFACT_MEAN || f->kind == NFACT_TREND);
}

/* --- moments ----------------------------------------------------------------------------------------- */

/* Facts alone, none of them since ever and growing only: such a condition turns once at most. */
static int some_turn(struct dice *d, struct naive_plan *plan, int step_count,
                     const struct naive_step *steps)
{
    const struct sight sight = {.customer = true, .step_count = step_count, .steps = steps};
    int a = 0;

    for (int i = 0; i < 20 && a == 0; i++) {
        struct naive_cond c = {.less = one_in(d, 2)};

        if (of_fact(d, plan, &sight, &c))
            a = add_cond(plan, c);
    }
    if (a != 0 && one_in(d, 4))
        a = add_cond(plan, (struct naive_cond){.kind = COND_NOT, .a = a});
    return a;
}

static void at_step(struct dice *d, struct naive_plan *plan, struct naive_step *s, int index)
{
    s->of = below(d, index);
    s->hour = one_in(d, 2) ? below(d, 24) : -1;
    s->span = some_span(d, plan, 10);
}

static void invent_step(struct dice *d, struct naive_plan *plan, struct naive_moment *m, int index)
{
    static const enum naive_step_kind firsts[] = {NSTEP_EVENT, NSTEP_EVENT,   NSTEP_COUNT,
                                                  NSTEP_EVERY, NSTEP_CROSSES, NSTEP_BECOMES};
    const struct sight sight = {.event = true,
                                .before = true,
                                .now = true,
                                .customer = true,
                                .step_count = index,
                                .steps = m->steps};
    struct naive_step *s = &m->steps[index];

    *s = (struct naive_step){.types = some_types(d), .hour = -1};
    s->kind = index == 0 ? firsts[below(d, 6)] : (enum naive_step_kind)below(d, NSTEP_AT + 1);
    if (s->kind == NSTEP_BECOMES && (s->cond = some_turn(d, plan, index, m->steps)) == 0)
        s->kind = NSTEP_EVENT;
    if (s->kind != NSTEP_BECOMES && s->kind != NSTEP_WAIT && s->kind != NSTEP_AT) {
        s->cond = one_in(d, 2) ? some_cond(d, plan, &sight) : 0;
        s->any_about = index > 0 && one_in(d, 4);
    }
    if (s->kind == NSTEP_ABSENT || s->kind == NSTEP_EVERY || s->kind == NSTEP_WAIT ||
        s->kind == NSTEP_COUNT || (s->kind == NSTEP_EVENT && index > 0 && one_in(d, 2)))
        s->span = some_span(d, plan, 8);
    s->grace = s->kind == NSTEP_EVERY && one_in(d, 2) ? plan->unit : 0;
    s->count = 2 + below(d, 2);
    s->bound = 1 + below(d, 4);
    s->below = one_in(d, 2);
    s->has_back = one_in(d, 2);
    s->back = s->bound + (s->below ? 0.5 : -0.5);
    s->restart = index == 0 && (s->kind == NSTEP_EVENT || s->kind == NSTEP_CROSSES) && one_in(d, 3);
    if (s->kind == NSTEP_AT)
        at_step(d, plan, s, index);
}

static void invent_withdraw(struct dice *d, struct naive_plan *plan, struct naive_moment *m)
{
    const struct sight sight = {.event = true,
                                .before = true,
                                .now = true,
                                .customer = true,
                                .step_count = m->step_count,
                                .steps = m->steps};

    m->withdraw_count = one_in(d, 2) ? 1 + below(d, 2) : 0;
    for (int i = 0; i < m->withdraw_count; i++)
        m->withdraw[i] = (struct naive_withdraw){
            some_types(d), one_in(d, 3) ? 0 : some_cond(d, plan, &sight), one_in(d, 4)};
}

static void invent_gates(struct dice *d, struct naive_plan *plan, struct naive_moment *m)
{
    const struct sight sight = {.event = has_data(&m->steps[m->step_count - 1]),
                                .now = true,
                                .customer = true,
                                .step_count = m->step_count,
                                .steps = m->steps};

    for (int g = 0; g < 3; g++)
        m->gates[g] = one_in(d, 4) ? some_cond(d, plan, &sight) : 0;
}

static void invent_moment(struct dice *d, struct naive_plan *plan)
{
    struct naive_moment *m = &plan->moments[plan->moment_count++];

    *m = (struct naive_moment){.step_count = 1 + below(d, NAIVE_STEPS),
                               .urgent = one_in(d, 2),
                               .value = below(d, 3),
                               .deadline = some_span(d, plan, 10),
                               .act_count = 1 + below(d, NAIVE_ACTS)};
    for (int i = 0; i < m->step_count; i++)
        invent_step(d, plan, m, i);
    m->about = m->steps[0].kind != NSTEP_BECOMES && !one_in(d, 3);
    invent_withdraw(d, plan, m);
    invent_gates(d, plan, m);
    m->again = one_in(d, 2) ? some_span(d, plan, 30) : 0;
    m->instances = one_in(d, 3) ? 1 + below(d, 2) : 0;
    for (int i = 0; i < m->act_count; i++)
        m->waits[i] = one_in(d, 3) ? 0 : some_span(d, plan, 6);
}

static void invent_source(struct dice *d, struct naive_plan *plan)
{
    struct naive_source *s = &plan->sources[plan->source_count++];

    *s = (struct naive_source){.types = some_types(d),
                               .partitions = 1 + below(d, NAIVE_PARTITIONS),
                               .max_silence = some_span(d, plan, 12)};
}

void invent_plan(uint64_t seed, struct naive_plan *plan)
{
    struct dice d = dice_of(seed, 0);
    int facts = 1 + below(&d, NAIVE_FACTS), moments = 1 + below(&d, NAIVE_MOMENTS);

    *plan = (struct naive_plan){.cond_count = 1, .unit = one_in(&d, 2) ? HOUR_MS : 1000};
    for (int i = 0; i < facts; i++)
        invent_fact(&d, plan);
    for (int i = 0; i < moments; i++)
        invent_moment(&d, plan);
    for (int i = one_in(&d, 2) ? 1 + below(&d, NAIVE_SOURCES) : 0; i > 0; i--)
        invent_source(&d, plan);
}

/* --- histories --------------------------------------------------------------------------------------- */

int invent_history(uint64_t seed, const struct naive_plan *plan, struct naive_op ops[NAIVE_OPS],
                   int64_t *until)
{
    struct dice d = dice_of(seed, 1);
    int count = 4 + below(&d, NAIVE_OPS - 4);
    /* the clocks change after 26 days and 17 hours */
    int64_t now = plan->unit == HOUR_MS ? 25 * DAY_MS + below(&d, 40) * HOUR_MS
                                        : 26 * DAY_MS + 17 * HOUR_MS - 40 * plan->unit;

    for (int i = 0; i < count; i++) {
        struct naive_op *op = &ops[i];

        now += one_in(&d, 3) ? 0 : below(&d, one_in(&d, 4) ? 12 : 3) * plan->unit;
        *op = (struct naive_op){.at = now, .time = now, .key = below(&d, NAIVE_KEYS)};
        op->kind = one_in(&d, 6) ? OP_OUTCOME : one_in(&d, 8) ? OP_TICK : OP_EVENT;
        op->type = below(&d, NAIVE_TYPES);
        op->code = below(&d, 5);
        op->has_n = !one_in(&d, 10);
        op->n = below(&d, 11) / 2.0;
        if (one_in(&d, 10))
            op->key = -1;
        if (one_in(&d, 3))
            op->time -= below(&d, 8) * plan->unit;
        if (plan->source_count != 0 && one_in(&d, 4)) {
            op->kind = OP_WATERMARK;
            op->type = below(&d, plan->source_count);
            op->key = below(&d, plan->sources[op->type].partitions);
        }
    }
    *until = now + below(&d, 60) * plan->unit;
    return count;
}

/* --- as YAML ----------------------------------------------------------------------------------------- */

static void put_cond(struct buf *out, const struct naive_plan *plan, int cond)
{
    const struct naive_cond *c = &plan->conds[cond];
    const char *sign = c->less ? "<" : ">";

    switch (c->kind) {
    case COND_TRUE: buf_put_text(out, "true"); return;
    case COND_EVENT_N: buf_put_format(out, "event.data.n %s %g", sign, c->k); return;
    case COND_EVENT_HOUR: buf_put_format(out, "local(event.time).getHours() >= %g", c->k); return;
    case COND_NOW_HOUR: buf_put_format(out, "local(now).getHours() >= %g", c->k); return;
    case COND_FACT: buf_put_format(out, "customer.f%d %s %g", c->fact, sign, c->k); return;
    case COND_FACT_BEFORE: buf_put_format(out, "before.f%d %s %g", c->fact, sign, c->k); return;
    case COND_FACT_KEY:
        buf_put_format(out, "customer.f%d[event.data.key] %s %g", c->fact, sign, c->k);
        return;
    case COND_FACT_CONST:
        buf_put_format(out, "customer.f%d[\"K%d\"] %s %g", c->fact, c->step + 1, sign, c->k);
        return;
    case COND_MARK: buf_put_format(out, "customer.f%d", c->fact); return;
    case COND_HAS: buf_put_format(out, "has(customer.f%d)", c->fact); return;
    case COND_STEP_N: buf_put_format(out, "s%d.data.n %s %g", c->step, sign, c->k); return;
    case COND_NOT:
    case COND_AND:
    case COND_OR: break;
    }
    buf_put_text(out, c->kind == COND_NOT ? "!(" : "((");
    put_cond(out, plan, c->a);
    if (c->kind != COND_NOT) {
        buf_put_text(out, c->kind == COND_AND ? ") && (" : ") || (");
        put_cond(out, plan, c->b);
        buf_put_char(out, ')');
    }
    buf_put_char(out, ')');
}

static void put_key_cond(struct buf *out, const struct naive_plan *plan, const char *key, int cond)
{
    if (cond == 0)
        return;
    buf_put_format(out, ", %s: '", key);
    put_cond(out, plan, cond);
    buf_put_char(out, '\'');
}

static void put_types(struct buf *out, unsigned types)
{
    const char *before = "[";

    for (int t = 0; t < NAIVE_TYPES; t++) {
        if ((types >> t & 1) == 0)
            continue;
        buf_put_format(out, "%s%s", before, naive_types[t]);
        before = ", ";
    }
    buf_put_char(out, ']');
}

static void put_span(struct buf *out, const char *key, int64_t span)
{
    if (span == 0)
        return;
    buf_put_format(out, ", %s: ", key);
    when_put_span(out, span);
}

static void put_fact(struct buf *out, const struct naive_plan *plan, int index)
{
    static const char *const words[] = {"last", "first",    "count", "sum",  "min",  "max",
                                        "mean", "distinct", "trend", "mark", "since"};
    const struct naive_fact *f = &plan->facts[index];

    buf_put_format(out, "f%d: {%s: ", index, words[f->kind]);
    if (f->kind == NFACT_COUNT || f->kind == NFACT_MARK || f->kind == NFACT_SINCE) {
        put_types(out, f->types);
    } else {
        buf_put_text(out, "event.data.n, of: ");
        put_types(out, f->types);
    }
    put_span(out, f->kind == NFACT_MARK ? "for" : "over", f->over);
    put_span(out, "step", f->step);
    if (f->limit != 0)
        buf_put_format(out, ", limit: %d", f->limit);
    if (f->per)
        buf_put_format(out, ", per: event.data.key, keys: %d", f->keys);
    if (f->defaulted)
        buf_put_text(out, ", default: 0.5");
    put_key_cond(out, plan, "if", f->cond);
    buf_put_text(out, "}\n");
}

void invent_put_facts(struct buf *out, const struct naive_plan *plan)
{
    buf_put_text(out, "zone: {last: event.data.zone, of: customer.updated, role: time_zone}\n");
    for (int i = 0; i < plan->fact_count; i++)
        put_fact(out, plan, i);
}

void invent_put_sources(struct buf *out, const struct naive_plan *plan)
{
    for (int i = 0; i < plan->source_count; i++) {
        buf_put_format(out, "s%d: {types: ", i);
        put_types(out, plan->sources[i].types);
        put_span(out, "max_silence", plan->sources[i].max_silence);
        buf_put_text(out, "}\n");
    }
}

static void put_at(struct buf *out, const struct naive_step *s)
{
    if (s->hour >= 0) {
        buf_put_format(out, "  - {at: 'local_at(s%d.time, \"%02d:00\")'", s->of, s->hour);
        return;
    }
    buf_put_format(out, "  - {at: 's%d.time + duration(\"%llds\")'", s->of,
                   (long long)(s->span / 1000));
}

static void put_span_first(struct buf *out, const char *key, int64_t span)
{
    buf_put_format(out, "  - {%s: ", key);
    when_put_span(out, span);
}

static void put_listening(struct buf *out, const char *key, unsigned types)
{
    buf_put_format(out, "  - {%s: ", key);
    put_types(out, types);
}

static void put_of(struct buf *out, unsigned types)
{
    buf_put_text(out, ", of: ");
    put_types(out, types);
}

static void put_crossing(struct buf *out, const struct naive_step *s)
{
    buf_put_format(out, "  - {crosses: %s %g, value: event.data.n", s->below ? "below" : "above",
                   s->bound);
    put_of(out, s->types);
    if (s->has_back)
        buf_put_format(out, ", back: %g", s->back);
}

static void put_step(struct buf *out, const struct naive_plan *plan, const struct naive_step *s,
                     int index)
{
    switch (s->kind) {
    case NSTEP_EVENT:
        put_listening(out, "event", s->types);
        put_span(out, "within", s->span);
        break;
    case NSTEP_ABSENT:
        put_listening(out, "absent", s->types);
        put_span(out, "for", s->span);
        break;
    case NSTEP_COUNT:
        buf_put_format(out, "  - {count: %d", s->count);
        put_of(out, s->types);
        put_span(out, "within", s->span);
        break;
    case NSTEP_EVERY:
        put_span_first(out, "every", s->span);
        put_of(out, s->types);
        put_span(out, "grace", s->grace);
        break;
    case NSTEP_CROSSES: put_crossing(out, s); break;
    case NSTEP_BECOMES:
        buf_put_text(out, "  - {becomes: '");
        put_cond(out, plan, s->cond);
        buf_put_char(out, '\'');
        break;
    case NSTEP_WAIT: put_span_first(out, "wait", s->span); break;
    case NSTEP_AT: put_at(out, s); break;
    }
    if (s->kind != NSTEP_BECOMES)
        put_key_cond(out, plan, "if", s->cond);
    buf_put_format(out, ", as: s%d%s%s}\n", index, s->any_about ? ", any_about: true" : "",
                   s->restart ? ", restart: true" : "");
}

static void put_head(struct buf *out, const struct naive_plan *plan, const struct naive_moment *m)
{
    static const char *const gates[] = {"eligible", "relevant", "suitable"};

    buf_put_format(out, "title: M\ntier: %s\nvalue: %d\n", m->urgent ? "service" : "care",
                   m->value);
    if (m->about)
        buf_put_text(out, "about: event.data.key\n");
    for (int g = 0; g < 3; g++) {
        if (m->gates[g] == 0)
            continue;
        buf_put_format(out, "%s: '", gates[g]);
        put_cond(out, plan, m->gates[g]);
        buf_put_text(out, "'\n");
    }
    buf_put_text(out, "deadline: ");
    when_put_span(out, m->deadline);
    if (m->again != 0)
        buf_put_text(out, "\nagain: ");
    if (m->again != 0)
        when_put_span(out, m->again);
    if (m->instances != 0)
        buf_put_format(out, "\ninstances: %d", m->instances);
}

void invent_put_moment(struct buf *out, const struct naive_plan *plan, int moment)
{
    const struct naive_moment *m = &plan->moments[moment];

    buf_put_format(out, "moment: m%d\n", moment);
    put_head(out, plan, m);
    buf_put_text(out, "\nwhen:\n");
    for (int i = 0; i < m->step_count; i++)
        put_step(out, plan, &m->steps[i], i);
    for (int i = 0; i < m->withdraw_count; i++) {
        if (i == 0)
            buf_put_text(out, "withdraw:\n");
        put_listening(out, "event", m->withdraw[i].types);
        put_key_cond(out, plan, "if", m->withdraw[i].cond);
        buf_put_text(out, m->withdraw[i].any_about ? ", any_about: true}\n" : "}\n");
    }
    buf_put_text(out, "act:\n");
    for (int i = 0; i < m->act_count; i++) {
        buf_put_text(out, "  - {channel: phone, outcomes: {done: end, more: next, busy: wait}");
        put_span(out, "wait", m->waits[i]);
        buf_put_text(out, "}\n");
    }
}
