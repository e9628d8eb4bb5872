/* The expectation that was not met comes first, with the nearest thing that did come, because the
 * difference between the two is what has to be mended.  When nothing came at all, the steps that
 * were done and the conditions that did not hold say how far the moment got.
 */
#include "processors/cli/test_show.h"

#include "core/check.h"
#include "core/when.h"
#include "core/zone.h"
#include "processors/cli/lines.h"
#include "processors/cli/screen.h"

enum { HINT_COLUMNS = 84, TIME_BYTES = sizeof "2026-03-30T06:00:00Z" - 1 };

struct show {
    struct buf *out;
    const struct test_story *result;
    const struct test_case *c;
    struct str moment; /* that is tested */
    bool colours;
};

/* --- times --------------------------------------------------------------------------------------- */

void test_put_time(struct buf *out, const struct test_case *c, int64_t at_ms)
{
    if (at_ms < c->start_ms)
        when_put_rfc3339(out, at_ms);
    else
        when_put_days(out, at_ms - c->start_ms);
}

void test_put_local(struct buf *out, const struct test_case *c, int64_t at_ms)
{
    const struct zone *zone = c->time_zone.len != 0 ? zone_find(c->time_zone) : NULL;
    char text[SCREEN_TIME_SIZE];

    screen_local(zone != NULL ? zone : zone_find(STR("UTC")), at_ms, text);
    buf_put_text(out, text);
}

static bool begins_with_time(struct str text, int64_t *at_ms)
{
    return text.len >= TIME_BYTES && text.data[4] == '-' && text.data[10] == 'T' &&
           text.data[TIME_BYTES - 1] == 'Z' && when_parse_ms(str_slice(text, 0, TIME_BYTES), at_ms);
}

void test_put_detail(struct buf *out, const struct test_case *c, struct str detail)
{
    int64_t at_ms;

    for (size_t i = 0; i < detail.len; i++)
        if (begins_with_time(str_slice(detail, i, detail.len), &at_ms)) {
            test_put_local(out, c, at_ms);
            i += TIME_BYTES - 1;
        } else {
            buf_put_char(out, detail.data[i]);
        }
}

void test_put_step(struct buf *out, const struct ruleset *set, const struct moment *moment,
                   size_t step)
{
    static const char *const words[] = {
#define STEP(name, word, may_be_first, text) word,
#include "rules/moment/steps.def"
#undef STEP
    };
    const struct moment_step *s = &moment->steps[step];

    buf_put_format(out, "step %zu of %zu (%s", step + 1, moment->step_count, words[s->kind]);
    for (size_t i = 0; i < s->type_count; i++)
        buf_put_format(out, "%s%.*s", i == 0 ? " " : " or ", STR_ARG(set->types[s->types[i]].name));
    buf_put_char(out, ')');
}

/* --- what came ------------------------------------------------------------------------------------ */

static void put_line(const struct show *s, const struct came *came)
{
    static const char *const words[] = {"task", "silent", "withdrawn"};

    buf_put_text(s->out, "{at: ");
    test_put_time(s->out, s->c, came->at_ms);
    buf_put_format(s->out, ", %s: %.*s", words[came->kind], STR_ARG(came->what));
    if (came->task.queue.len != 0)
        buf_put_format(s->out, ", queue: %.*s", STR_ARG(came->task.queue));
    if (came->moment.len != 0 && !str_equal(came->moment, s->moment)) /* else it would not be met */
        buf_put_format(s->out, ", of: %.*s", STR_ARG(came->moment));
    buf_put_char(s->out, '}');
}

static void put_whose(const struct show *s, const struct came *came)
{
    buf_put_format(s->out, "  %.*s", STR_ARG(came->moment));
    if (came->about.len != 0)
        buf_put_format(s->out, " about %.*s", STR_ARG(came->about));
    buf_put_text(s->out, ", ");
    test_put_local(s->out, s->c, came->at_ms);
    if (str_is(came->decision.outcome, "hold")) {
        buf_put_text(s->out, ", held until ");
        test_put_local(s->out, s->c, came->decision.until_ms);
    }
    buf_put_char(s->out, '\n');
}

static void put_words(const struct show *s, const char *what, struct str text)
{
    struct str line;

    for (const char *lead = what; text.len != 0; lead = "") {
        if (!str_cut(text, '\n', &line, &text)) {
            line = text;
            text = STR_EMPTY;
        }
        buf_put_format(s->out, "          %-8s %.*s\n", lead, STR_ARG(line));
    }
}

static void put_stages(const struct show *s, const struct decision *d)
{
    for (size_t i = 0; i < d->stage_count; i++) {
        const struct decision_stage *stage = &d->stages[i];

        buf_put_text(s->out, "          ");
        screen_paint(s->out, s->colours, stage->passed ? TONE_TASK : TONE_SILENCE, "%s",
                     stage->passed ? "yes" : "no ");
        buf_put_format(s->out, "  %-12.*s ", STR_ARG(stage->stage));
        test_put_detail(s->out, s->c, stage->detail);
        screen_end_line(s->out);
    }
    if (d->needed.len == 0)
        return;
    buf_put_format(s->out, "               %s ", lines_would(d));
    test_put_detail(s->out, s->c, d->needed);
    screen_end_line(s->out);
}

static void put_came(const struct show *s, const struct came *came, bool all)
{
    bool silent = came->kind == EXPECT_SILENT;
    const char *word = came->taken  ? "expected"
                       : came->near ? "not so"
                       : silent     ? "silence"
                                    : "unexpected";

    buf_put_text(s->out, "      ");
    screen_paint(s->out, s->colours,
                 came->taken             ? TONE_TASK
                 : silent && !came->near ? TONE_SILENCE
                                         : TONE_BAD,
                 "%-10s", word);
    buf_put_char(s->out, ' ');
    put_line(s, came);
    put_whose(s, came);
    if ((came->taken || came->near) && !all)
        return;
    put_words(s, "say", came->task.say);
    put_words(s, "subject", came->task.subject);
    put_words(s, "text", came->task.text);
    put_words(s, "html", came->task.html);
    put_stages(s, &came->decision);
}

/* --- what is nearest to an expectation ------------------------------------------------------------- */

static bool is_same(const struct test_expect *expect, const struct came *came)
{
    return came->kind == expect->kind && str_equal(came->what, expect->what);
}

static bool in_time(const struct test_expect *expect, const struct came *came)
{
    return came->at_ms >= expect->from_ms && came->at_ms <= expect->to_ms;
}

static bool is_whose(const struct show *s, const struct test_expect *expect,
                     const struct came *came)
{
    return str_equal(came->moment, expect->of.len != 0 ? expect->of : s->moment);
}

/* How near: the same thing, at the same time, of the moment that is meant; 0: not at all. */
static int nearness(const struct show *s, const struct test_expect *expect, const struct came *came)
{
    bool same = is_same(expect, came);

    if (came->taken || came->near || !is_whose(s, expect, came) ||
        (!same && !in_time(expect, came)))
        return 0;
    return 1 + (same ? 4 : 0) + (in_time(expect, came) ? 2 : 0) +
           (came->kind == expect->kind ? 1 : 0);
}

static struct came *find_nearest(const struct show *s, const struct test_expect *expect)
{
    struct came *nearest = NULL;
    int best = 0;

    for (struct came *came = s->result->came; came != NULL; came = came->next) {
        int near = nearness(s, expect, came);

        if (near > best) {
            best = near;
            nearest = came;
        }
    }
    return nearest;
}

static void put_differs(const struct show *s, const char *key, struct str came, bool fits)
{
    if (!fits)
        buf_put_format(s->out, "      but %s is \"%.*s\"\n", key, STR_ARG(came));
}

static bool has(struct str came, struct str wanted)
{
    return wanted.len == 0 || str_contains(came, wanted);
}

static bool is(struct str came, struct str wanted)
{
    return wanted.len == 0 || str_equal(came, wanted);
}

/* ": 3h earlier; if that is right, write at: 29d23h" */
static void put_apart(const struct show *s, const struct test_expect *expect,
                      const struct came *came)
{
    int64_t early_ms = expect->from_ms - came->at_ms, late_ms = came->at_ms - expect->to_ms;

    buf_put_text(s->out, ": ");
    when_put_days(s->out, early_ms > 0 ? early_ms : late_ms);
    buf_put_format(s->out, " %s; if that is right, write at: ", early_ms > 0 ? "earlier" : "later");
    test_put_time(s->out, s->c, came->at_ms);
    buf_put_char(s->out, '\n');
}

/* The same thing came, but not as it was expected. */
static void put_differences(const struct show *s, const struct test_expect *expect,
                            const struct came *came)
{
    const struct task *task = &came->task;

    if (!in_time(expect, came)) {
        buf_put_text(s->out, "      it came at ");
        test_put_time(s->out, s->c, came->at_ms);
        buf_put_text(s->out, ", ");
        test_put_local(s->out, s->c, came->at_ms);
        put_apart(s, expect, came);
    } else {
        buf_put_text(s->out, "      it came then\n");
    }
    put_differs(s, "about", came->about, is(came->about, expect->about));
    put_differs(s, "queue", task->queue, is(task->queue, expect->queue));
    put_differs(s, "language", task->language, is(task->language, expect->language));
    put_differs(s, "say", task->say, has(task->say, expect->say));
    put_differs(s, "subject", task->subject, has(task->subject, expect->subject));
    put_differs(s, "text", task->text, has(task->text, expect->text));
    put_differs(s, "html", task->html, has(task->html, expect->html));
    put_differs(s, "reason", task->reason, has(task->reason, expect->reason));
}

/* Something else came at that time. */
static void put_instead(const struct show *s, const struct test_expect *expect,
                        const struct came *came)
{
    if (came->kind != EXPECT_SILENT)
        buf_put_format(s->out, "      instead a %s came: %.*s\n",
                       came->kind == EXPECT_TASK ? "task" : "withdrawal", STR_ARG(came->what));
    else if (str_is(came->decision.outcome, "hold"))
        buf_put_format(s->out, "      it is held then: %.*s\n", STR_ARG(came->what));
    else
        buf_put_format(s->out, "      silent at that time%s: %.*s\n",
                       expect->kind == EXPECT_SILENT ? ", but for another reason" : "",
                       STR_ARG(came->what));
}

/* --- how far it got ------------------------------------------------------------------------------- */

static const struct moment *meant(const struct show *s, const struct test_expect *expect)
{
    int moment = ruleset_find_moment(s->result->set, expect->of.len != 0 ? expect->of : s->moment);

    return moment >= 0 ? &s->result->set->moments[moment] : NULL;
}

static void put_miss(const struct show *s, const struct moment *moment, const struct happened *h)
{
    buf_put_text(s->out, "      ");
    test_put_time(s->out, s->c, h->at_ms);
    buf_put_format(s->out, " %.*s did not do ", STR_ARG(h->type));
    test_put_step(s->out, s->result->set, moment, h->number);
    buf_put_format(s->out, ":\n        %.*s\n", STR_ARG(h->reads));
}

static void put_waiting(const struct show *s, const struct moment *moment, const struct happened *h)
{
    buf_put_format(s->out, "      %.*s%s%.*s waits for ", STR_ARG(moment->name),
                   h->about.len != 0 ? " about " : "", STR_ARG(h->about));
    test_put_step(s->out, s->result->set, moment, h->number + 1);
    if (h->until_ms != INT64_MAX) {
        buf_put_text(s->out, " until ");
        test_put_time(s->out, s->c, h->until_ms);
    }
    if (h->until_ms > s->c->until_ms) {
        buf_put_text(s->out, "; the case ends at ");
        test_put_time(s->out, s->c, s->c->until_ms);
    }
    buf_put_char(s->out, '\n');
}

/* The steps and conditions of the moment that is meant. */
static void put_progress(const struct show *s, const struct moment *moment)
{
    const struct happened *waiting = NULL;
    size_t index = (size_t)(moment - s->result->set->moments), misses = 0;

    for (const struct happened *h = s->result->happened; h != NULL; h = h->next) {
        if (h->kind == HAPPENED_MISS && h->moment == index && misses++ < 3)
            put_miss(s, moment, h);
        if (h->kind == HAPPENED_STEP && h->moment == index)
            waiting = h;
    }
    if (waiting != NULL && waiting->number + 1 < moment->step_count)
        put_waiting(s, moment, waiting);
    else if (waiting == NULL && misses == 0)
        buf_put_format(s->out, "      no event began %.*s\n", STR_ARG(moment->name));
}

static bool did_anything(const struct show *s, const struct moment *moment)
{
    for (const struct came *came = s->result->came; came != NULL; came = came->next)
        if (str_equal(came->moment, moment->name))
            return true;
    return false;
}

/* --- the report ----------------------------------------------------------------------------------- */

static void put_unmet(const struct show *s, const struct test_expect *expect,
                      const struct came *near)
{
    const struct moment *moment = meant(s, expect);

    buf_put_text(s->out, "    ");
    screen_paint(s->out, s->colours, TONE_BAD,
                 "line %d: expected, did not come:", expect->place.line);
    buf_put_format(s->out, "\n      %.*s\n", STR_ARG(expect->source));
    if (near == NULL) {
        if (moment != NULL && !did_anything(s, moment))
            put_progress(s, moment);
    } else if (is_same(expect, near)) {
        put_differences(s, expect, near);
    } else {
        put_instead(s, expect, near);
    }
}

static size_t count_unexpected(const struct test_story *result)
{
    size_t count = 0;

    for (const struct came *came = result->came; came != NULL; came = came->next)
        count += !came->taken && !came->near && came->kind != EXPECT_SILENT ? 1 : 0;
    return count;
}

/* In lines that a terminal has room for. */
static void put_hint(struct buf *out, struct str hint)
{
    struct str word, rest = str_trim(hint);
    size_t column = 0;

    buf_put_text(out, "    hint:");
    while (rest.len != 0) {
        if (!str_cut(rest, ' ', &word, &rest)) {
            word = rest;
            rest = STR_EMPTY;
        }
        if (column + word.len > HINT_COLUMNS) {
            buf_put_text(out, "\n         ");
            column = 0;
        }
        buf_put_format(out, " %.*s", STR_ARG(word));
        column += 1 + word.len;
    }
    buf_put_char(out, '\n');
}

void test_show(struct buf *out, const struct test_story *result, struct str moment, bool all,
               bool colours)
{
    struct show s = {
        .out = out, .result = result, .c = result->c, .moment = moment, .colours = colours};

    for (size_t i = 0; i < s.c->expect_count; i++) {
        struct came *near = result->met[i] ? NULL : find_nearest(&s, &s.c->expects[i]);
        if (!result->met[i])
            put_unmet(&s, &s.c->expects[i], near);
        if (near != NULL && is_same(&s.c->expects[i], near))
            near->near = true;
    }
    if (count_unexpected(result) != 0) {
        buf_put_text(out, "    ");
        screen_paint(out, colours, TONE_BAD, "came, was not expected:");
        buf_put_format(out, " %zu (below); if it is right, write what is in braces under expect\n",
                       count_unexpected(result));
    }
    buf_put_text(out, result->came != NULL
                          ? "    what came:\n"
                          : "    nothing came: no candidate, and no instance ended\n");
    for (const struct came *came = result->came; came != NULL; came = came->next)
        put_came(&s, came, all);
    if (result->verdict == TEST_FAILED && s.c->hint.len != 0)
        put_hint(out, s.c->hint);
}
