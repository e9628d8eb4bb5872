/* Facts against a second evaluator without any cleverness: it keeps every event for ever and
 * computes each fact from all of them at each question.  Histories are random, with late and
 * equal times.  A failure prints its seed: SEED=n runs that history alone.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/cel/cel.h"
#include "tests/support/decide_run.h"
#include "tests/support/suite.h"

enum { HISTORIES = 500, RECORDS = 60, OVER_S = 40, STEP_S = 10, KEPT = 6 };

static const char facts[] = "a: {last: event.data.n, of: a.one}\n"
                            "b: {first: event.data.n, of: a.one}\n"
                            "c: {count: a.one, over: 40s}\n"
                            "d: {sum: event.data.n, of: a.one, over: 40s, limit: 6}\n"
                            "e: {min: event.data.n, of: a.one, over: 40s}\n"
                            "f: {max: event.data.n, of: a.one}\n"
                            "g: {mean: event.data.n, of: a.one, over: 40s}\n"
                            "h: {distinct: event.data.n, of: a.one, over: 40s}\n"
                            "i: {mark: a.one, for: 7s}\n"
                            "j: {count: a.one, over: 40s, step: 10s}\n"
                            "k: {mean: event.data.n, of: a.one, over: 40s, step: 10s}\n"
                            "l: {trend: event.data.n, of: a.one, over: 40s}\n";

static const char moment[] =
    "moment: ask\ntitle: Ask\ntier: service\nabout: event.data.key\ndeadline: 1s\n"
    "when: [{event: c.three}]\nact: [{channel: phone, wait: 1s}]\n"
    "reason: \"{{customer.a|-}} {{customer.b|-}} {{customer.c}} {{customer.d}} {{customer.e|-}} "
    "{{customer.f|-}} {{customer.g|-}} {{customer.h}} {{customer.i}} {{customer.j}} "
    "{{customer.k|-}} {{customer.l|-}}\"\n";

struct happened {
    int time_s;
    double n;
};

static struct happened log_[RECORDS]; /* in order of arrival */
static int log_count;
static uint64_t chance;

static int below(int n)
{
    chance = chance * 6364136223846793005u + 1442695040888963407u;
    return (int)((chance >> 33) % (uint64_t)n);
}

/* --- the naive evaluator -------------------------------------------------------------------------- */

/* Events of the last OVER_S seconds in order of (time, arrival). */
static int window(int now_s, struct happened *into)
{
    int count = 0;

    for (int t = now_s - OVER_S + 1; t <= now_s; t++)
        for (int i = 0; i < log_count; i++)
            if (log_[i].time_s == t)
                into[count++] = log_[i];
    return count;
}

static double sum_of(const struct happened *items, int count)
{
    double sum = 0;

    for (int i = 0; i < count; i++)
        sum += items[i].n;
    return sum;
}

static int different(const struct happened *items, int count)
{
    int found = 0;

    for (int i = 0; i < count; i++) {
        bool again = false;

        for (int k = 0; k < i; k++)
            again |= items[k].n == items[i].n;
        found += again ? 0 : 1;
    }
    return found;
}

static const struct happened *extreme(bool latest)
{
    const struct happened *best = NULL;

    for (int i = 0; i < log_count; i++)
        if (best == NULL ||
            (latest ? log_[i].time_s >= best->time_s : log_[i].time_s < best->time_s))
            best = &log_[i];
    return best;
}

/* By the formula of the schoolbook, not that of the product; NAN: none. */
static double slope(const struct happened *items, int count)
{
    double x = 0, y = 0, xx = 0, xy = 0, n = count;

    if (count < 3 || items[0].time_s == items[count - 1].time_s)
        return (double)NAN;
    for (int i = 0; i < count; i++) {
        double t = items[i].time_s - items[0].time_s;

        x += t;
        y += items[i].n;
        xx += t * t;
        xy += t * items[i].n;
    }
    return 86400 * (n * xy - x * y) / (n * xx - x * x);
}

static void put(struct buf *out, bool there, double n)
{
    if (there)
        cel_print(out, value_double(n));
    else
        buf_put_char(out, '-');
    buf_put_char(out, ' ');
}

/* Steps begin at multiples of STEP_S, as the start of the runs does. */
static int in_steps(int now_s, double *sum)
{
    int count = 0;

    *sum = 0;
    for (int start = 0; start <= now_s; start += STEP_S) {
        double of_step = 0;

        for (int i = 0; i < log_count && start > now_s - OVER_S; i++)
            if (log_[i].time_s / STEP_S * STEP_S == start) {
                of_step += log_[i].n;
                count++;
            }
        *sum += of_step;
    }
    return count;
}

static double least_or_most(const struct happened *items, int count, bool least)
{
    double best = count != 0 ? items[0].n : 0;

    for (int i = 1; i < count; i++)
        best = least ? fmin(best, items[i].n) : fmax(best, items[i].n);
    return best;
}

/* All but the trend, as the task's text says it. */
static void expect(struct buf *out, int now_s, double *trend)
{
    struct happened in[RECORDS];
    int count = window(now_s, in), kept = count < KEPT ? count : KEPT, stepped;
    double stepped_sum;

    put(out, log_count != 0, log_count != 0 ? extreme(true)->n : 0);
    put(out, log_count != 0, log_count != 0 ? extreme(false)->n : 0);
    buf_put_format(out, "%d ", count);
    put(out, true, sum_of(in + count - kept, kept));
    put(out, count != 0, least_or_most(in, count, true));
    put(out, log_count != 0, least_or_most(log_, log_count, false));
    put(out, count != 0, sum_of(in, count) / count);
    buf_put_format(out, "%d ", different(in, count));
    buf_put_format(out, "%s ",
                   log_count != 0 && now_s < extreme(true)->time_s + 7 ? "true" : "false");
    stepped = in_steps(now_s, &stepped_sum);
    buf_put_format(out, "%d ", stepped);
    put(out, stepped != 0, stepped_sum / stepped);
    *trend = slope(in, count);
}

/* --- histories ------------------------------------------------------------------------------------ */

static void happen(struct decide_run *run, int now_s)
{
    int late = below(3) == 0 ? below(60) : below(2);
    struct happened h = {now_s > late ? now_s - late : 0, below(20) / 10.0 - 0.7};
    char at[16], time[16], data[64];

    snprintf(at, sizeof at, "%ds", now_s);
    snprintf(time, sizeof time, "%ds", h.time_s);
    snprintf(data, sizeof data, "{\"n\":%.17g}", h.n);
    decide_run_late(run, at, time, "a.one", data, "");
    log_[log_count++] = h;
}

static void check_trend(const char *said, double trend, uint64_t seed)
{
    double got = strtod(said, NULL);

    ck_assert_msg((said[0] == '-' && said[1] == '"') ? isnan(trend)
                                                     : fabs(got - trend) < 1e-6 * (1 + fabs(trend)),
                  "SEED=%llu: the trend is %.20s, not %g", (unsigned long long)seed, said, trend);
}

static void ask(struct decide_run *run, int now_s, uint64_t seed)
{
    char at[16], data[32];
    struct buf want = {0};
    const char *said;
    double trend;

    snprintf(at, sizeof at, "%ds", now_s);
    snprintf(data, sizeof data, "{\"key\":\"at%d\"}", now_s);
    decide_run_event(run, at, "c.three", data);
    said = strstr(decide_run_task(run), "\"reason\":\"");
    ck_assert_ptr_nonnull(said);
    said += strlen("\"reason\":\"");
    expect(&want, now_s, &trend);
    ck_assert_msg(strncmp(said, buf_text(&want), want.len) == 0,
                  "SEED=%llu at %ds: it says\n  %.200s\nnot\n  %s", (unsigned long long)seed, now_s,
                  said, buf_text(&want));
    check_trend(said + want.len, trend, seed);
    buf_free(&want);
}

static void play(uint64_t seed)
{
    struct rule_file files[] = {
        EVENT_SCHEMAS, {"facts.yaml", facts}, {"moments/ask.yaml", moment}, {NULL, NULL}};
    struct decide_run *run = decide_run_open(files);
    int now_s = 0;

    chance = seed * 0x9e3779b97f4a7c15u; /* small seeds are far apart then */
    log_count = 0;
    while (log_count < RECORDS) {
        now_s += below(4) == 0 ? below(30) : below(3);
        happen(run, now_s);
        if (below(3) == 0)
            ask(run, now_s += 1, seed);
    }
    decide_run_close(run);
}

START_TEST(facts_are_what_all_events_say)
{
    const char *seed = getenv("SEED");

    for (uint64_t i = 1; seed == NULL && i <= HISTORIES; i++)
        play(i);
    if (seed != NULL)
        play(strtoull(seed, NULL, 10));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {facts_are_what_all_events_say};

    return suite_run_with("facts_random", tests, 1, 300, NULL, NULL);
}
