#include "tests/support/naive_parts.h"

#include <stdio.h>

#include "core/when.h"

/* --- saying ------------------------------------------------------------------------------------------ */

const struct naive_moment *naive_moment_of(const struct run *run, const struct run_instance *in)
{
    return &run->plan->moments[in->moment];
}

void naive_say(struct run *run, int moment, int about, const char *what)
{
    when_put_span(run->out, run->now);
    buf_put_format(run->out, " m%d", moment);
    if (about >= 0)
        buf_put_format(run->out, "/K%d", about + 1);
    buf_put_format(run->out, " %s\n", what);
}

void naive_end(struct run *run, struct run_instance *in, const char *what)
{
    if (in->phase == OUT && run->event != NULL && run->now < in->task_until) {
        char text[64];

        snprintf(text, sizeof text, "withdrawn %s", naive_types[run->event->type]);
        naive_say(run, in->moment, in->about, text);
    }
    if (what != NULL)
        naive_say(run, in->moment, in->about, what);
    in->phase = ENDED;
    in->due = NEVER;
    run->limited[in->moment] = false;
}

/* --- arbitration ------------------------------------------------------------------------------------- */

void naive_candidate(struct run *run, struct run_instance *in, int act)
{
    in->phase = ASKING;
    in->act = act;
    in->asked = run->now;
    in->deadline = run->now + naive_moment_of(run, in)->deadline;
    in->due = NEVER;
    in->held_before = false;
}

static bool goes_before(const struct run *run, const struct run_instance *a,
                        const struct run_instance *b)
{
    const struct naive_moment *x = naive_moment_of(run, a), *y = naive_moment_of(run, b);

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
        if (naive_ask(run, naive_moment_of(run, in)->gates[g], in->completing, in, run->log_count,
                      run->now) != YES)
            naive_end(run, in, reasons[g]);
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
        naive_say(run, in->moment, in->about, buf_text(&what));
    buf_free(&what);
}

static void go_out(struct run *run, struct run_instance *in)
{
    const struct naive_moment *m = naive_moment_of(run, in);
    int64_t wait = m->waits[in->act] != 0 ? m->waits[in->act] : m->deadline;

    naive_say(run, in->moment, in->about, "task phone");
    in->phase = OUT;
    in->due = run->now + wait;
    in->task_until = run->now + (wait < m->deadline ? wait : m->deadline);
    run->last_moment = in->moment;
    run->last_about = in->about;
    run->last_act = in->act;
    if (m->again != 0)
        run->again[in->moment][in->about + 1] = (struct again){true, false, run->now};
}

void naive_arbitrate(struct run *run)
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
