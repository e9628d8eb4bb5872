/* The whole language against a second evaluator (tests/support/naive.h): random moments, facts and
 * histories, with late and equal times, outcomes, ticks and watermarks anywhere, and the change to
 * summer time.
 * Every task, withdrawal, hold and reason has to be the same, in the same order.
 *
 *   make property HISTORIES=100000      so many (as part of make check: a few)
 *   make property SEED=42               that one alone
 *
 * A difference is made as short as it can be and then told with the rules, the history and what
 * each of the two said.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/when.h"
#include "tests/support/decide_run.h"
#include "tests/support/invent.h"
#include "tests/support/suite.h"

enum { HISTORIES = 400, NAME_BYTES = 32 };

struct trial {
    struct naive_plan plan;
    struct ruleset *set;
    struct naive_op ops[NAIVE_OPS];
    int count;
    int64_t until;
    struct buf facts, sources, moments[NAIVE_MOMENTS];
    struct buf naive, product;
};

/* --- the product ------------------------------------------------------------------------------------- */

static void compile(struct trial *t)
{
    struct rule_file files[] = {EVENT_SCHEMAS, {"facts.yaml", NULL}, {"sources.yaml", NULL},
                                {NULL, NULL},  {NULL, NULL},         {NULL, NULL}};
    struct rule_file *at = files;

    while (strcmp(at->name, "facts.yaml") != 0)
        at++;
    invent_put_facts(&t->facts, &t->plan);
    at->text = buf_text(&t->facts);
    invent_put_sources(&t->sources, &t->plan);
    (++at)->text = buf_text(&t->sources);
    for (int i = 0; i < t->plan.moment_count; i++) {
        invent_put_moment(&t->moments[i], &t->plan, i);
        at[i + 1] = (struct rule_file){i == 0 ? "moments/m0.yaml" : "moments/m1.yaml",
                                       buf_text(&t->moments[i])};
    }
    t->set = decide_run_compile(files);
}

static const char *span(char text[NAME_BYTES], int64_t ms)
{
    struct buf out = {0};

    when_put_span(&out, ms);
    snprintf(text, NAME_BYTES, "%s", buf_text(&out));
    buf_free(&out);
    return text;
}

static void data_of(const struct naive_op *op, char *data, size_t bytes)
{
    char key[NAME_BYTES] = "", n[NAME_BYTES] = "";

    if (op->key >= 0)
        snprintf(key, sizeof key, "\"key\":\"K%d\"", op->key + 1);
    if (op->has_n)
        snprintf(n, sizeof n, "%s\"n\":%.1f", op->key >= 0 ? "," : "", op->n);
    snprintf(data, bytes, "{%s%s}", key, n);
}

static void play(struct decide_run *run, const struct naive_plan *plan, const struct naive_op *op)
{
    int partitions = op->kind == OP_WATERMARK ? plan->sources[op->type].partitions : 0;
    char source[NAME_BYTES], at[NAME_BYTES], time[NAME_BYTES], data[3 * NAME_BYTES];

    span(at, op->at);
    switch (op->kind) {
    case OP_TICK: decide_run_until(run, at); return;
    case OP_OUTCOME:
        decide_run_until(run, at); /* the last task is the one that is out by then */
        if (decide_run_task(run)[0] != '\0')
            decide_run_outcome(run, at, naive_codes[op->code], op->code == 3);
        return;
    case OP_WATERMARK:
        snprintf(source, sizeof source, "s%d", op->type);
        decide_run_watermark(run, source, op->key, partitions, span(time, op->time));
        return;
    case OP_EVENT:
        data_of(op, data, sizeof data);
        decide_run_late(run, at, span(time, op->time), naive_types[op->type], data, "");
        return;
    }
}

static void run_product(struct trial *t)
{
    struct decide_run *run = decide_run_open_sets(&t->set, 1);
    char until[NAME_BYTES];

    decide_run_event(run, "0s", "customer.updated", "{\"zone\":\"Europe/Amsterdam\"}");
    for (int i = 0; i < t->count; i++)
        play(run, &t->plan, &t->ops[i]);
    decide_run_until(run, span(until, t->until));
    buf_clear(&t->product);
    buf_put_text(&t->product, decide_run_lines(run));
    decide_run_close(run);
}

static bool differs(struct trial *t)
{
    run_product(t);
    buf_clear(&t->naive);
    naive_run(&t->plan, t->ops, t->count, t->until, &t->naive);
    return strcmp(buf_text(&t->product), buf_text(&t->naive)) != 0;
}

/* --- a difference ------------------------------------------------------------------------------------ */

static bool shorter(struct trial *t)
{
    for (int i = t->count; i-- > 0;) {
        struct naive_op op = t->ops[i];

        memmove(&t->ops[i], &t->ops[i + 1], (size_t)(--t->count - i) * sizeof op);
        if (differs(t))
            return true;
        memmove(&t->ops[i + 1], &t->ops[i], (size_t)(t->count++ - i) * sizeof op);
        t->ops[i] = op;
    }
    return false;
}

static void put_op(struct buf *out, const struct naive_op *op)
{
    char at[NAME_BYTES], time[NAME_BYTES], data[3 * NAME_BYTES];

    buf_put_format(out, "  %s ", span(at, op->at));
    data_of(op, data, sizeof data);
    if (op->kind == OP_TICK)
        buf_put_text(out, "tick\n");
    else if (op->kind == OP_WATERMARK)
        buf_put_format(out, "s%d, partition %d: read up to %s\n", op->type, op->key,
                       span(time, op->time));
    else if (op->kind == OP_OUTCOME)
        buf_put_format(out, "outcome %s, final: %d\n", naive_codes[op->code], op->code == 3);
    else
        buf_put_format(out, "%s of %s: %s\n", naive_types[op->type], span(time, op->time), data);
}

static void tell(struct trial *t, uint64_t seed)
{
    struct buf out = {0};
    char until[NAME_BYTES];

    while (shorter(t))
        ;
    differs(t);
    buf_put_format(&out, "to repeat: make property SEED=%llu\n%s%s", (unsigned long long)seed,
                   buf_text(&t->facts), buf_text(&t->sources));
    for (int i = 0; i < t->plan.moment_count; i++)
        buf_put(&out, buf_str(&t->moments[i]));
    buf_put_text(&out, "history:\n");
    for (int i = 0; i < t->count; i++)
        put_op(&out, &t->ops[i]);
    buf_put_format(&out, "  %s the end\nthe product says:\n%sthe naive evaluator says:\n%s",
                   span(until, t->until), buf_text(&t->product), buf_text(&t->naive));
    ck_abort_msg("%s", buf_text(&out));
}

/* --- trials ------------------------------------------------------------------------------------------ */

static size_t try_one(uint64_t seed)
{
    struct trial *t = MEM_NEW(struct trial);
    size_t lines = 0;

    invent_plan(seed, &t->plan);
    t->count = invent_history(seed, &t->plan, t->ops, &t->until);
    compile(t);
    if (differs(t))
        tell(t, seed);
    for (size_t i = 0; i < t->naive.len; i++)
        lines += t->naive.data[i] == '\n';
    ruleset_free(t->set);
    buf_free(&t->facts);
    buf_free(&t->sources);
    buf_free(&t->moments[0]);
    buf_free(&t->moments[1]);
    buf_free(&t->naive);
    buf_free(&t->product);
    mem_free(t);
    return lines;
}

START_TEST(two_evaluators_of_the_language_agree)
{
    const char *seed = getenv("SEED"), *wanted = getenv("HISTORIES");
    uint64_t count = wanted != NULL ? strtoull(wanted, NULL, 10) : HISTORIES;
    size_t lines = 0;

    if (seed != NULL) {
        try_one(strtoull(seed, NULL, 10));
        return;
    }
    for (uint64_t i = 1; i <= count; i++)
        lines += try_one(i);
    ck_assert_uint_gt(lines, count); /* they have something to agree on */
    if (wanted != NULL)
        printf("%llu histories, %zu tasks and reasons: the same\n", (unsigned long long)count,
               lines);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {two_evaluators_of_the_language_agree};

    return suite_run_with("language", tests, 1, 3600, NULL, NULL);
}
