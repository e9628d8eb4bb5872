/* What happened becomes marks: a number, a lane, a time.  Things of one lane at one time share a
 * mark; a mark that would stand on another moves to the right of it.  A task is drawn on until it is
 * no longer out.
 */
#include "processors/cli/test_timeline.h"

#include <stdio.h>

#include "core/mem.h"
#include "core/when.h"
#include "processors/cli/screen.h"
#include "processors/cli/test_show.h"

enum { SCALE_COLUMNS = 64, LABEL_COLUMNS = 12, TICKS = 5 };

enum lane { LANE_EVENT, LANE_TIMER, LANE_TASK, LANE_SILENCE, LANE_WITHDRAWN, LANE_COUNT };

static const struct {
    const char *plural, *word;
    enum screen_tone tone;
} lanes[] = {
    [LANE_EVENT] = {"events", "event", TONE_EVENT},
    [LANE_TIMER] = {"timers", "time", TONE_PLAIN},
    [LANE_TASK] = {"tasks", "task", TONE_TASK},
    [LANE_SILENCE] = {"silences", "silence", TONE_SILENCE},
    [LANE_WITHDRAWN] = {"withdrawn", "withdrawn", TONE_BAD},
};

struct mark {
    enum lane lane;
    int64_t at_ms, to_ms; /* to_ms: of a task, until when it is out */
    const struct happened *happened;
    int number;
};

struct timeline {
    struct buf *out;
    const struct test_story *result;
    const struct test_case *c;
    struct mark *marks; /* on the heap */
    size_t count, capacity;
    int64_t until_ms; /* end of the scale */
    bool colours;
};

/* --- marks ----------------------------------------------------------------------------------------- */

static bool same_chain(const struct came *a, const struct came *b)
{
    return str_equal(a->moment, b->moment) && str_equal(a->about, b->about);
}

/* Until the next thing of its chain, or its deadline. */
static int64_t out_until(const struct happened *task, int64_t until_ms)
{
    for (const struct happened *h = task->next; h != NULL; h = h->next)
        if (h->kind == HAPPENED_CAME && same_chain(h->came, task->came))
            return h->at_ms;
    return task->came->task.deadline_ms < until_ms ? task->came->task.deadline_ms : until_ms;
}

static bool is_mark(const struct happened *h, enum lane *lane)
{
    switch (h->kind) {
    case HAPPENED_EVENT: *lane = LANE_EVENT; return true;
    case HAPPENED_STEP: *lane = LANE_TIMER; return h->type.len == 0;
    case HAPPENED_MISS:
    case HAPPENED_WITHDRAW: return false;
    case HAPPENED_CAME:
        *lane = h->came->kind == EXPECT_TASK     ? LANE_TASK
                : h->came->kind == EXPECT_SILENT ? LANE_SILENCE
                                                 : LANE_WITHDRAWN;
        return true;
    }
    return false;
}

static void make_marks(struct timeline *t)
{
    enum lane lane;
    int number = 0;

    for (const struct happened *h = t->result->happened; h != NULL; h = h->next) {
        struct mark *mark;

        if (!is_mark(h, &lane))
            continue;
        MEM_RESERVE(t->marks, t->count, t->capacity);
        mark = &t->marks[t->count++];
        *mark = (struct mark){
            .lane = lane, .at_ms = h->at_ms, .to_ms = h->at_ms, .happened = h, .number = ++number};
        if (lane == LANE_TASK)
            mark->to_ms = out_until(h, t->until_ms);
    }
}

/* --- the drawing ------------------------------------------------------------------------------------ */

static int column_of(const struct timeline *t, int64_t at_ms)
{
    int64_t span_ms = t->until_ms - t->c->start_ms;

    if (at_ms <= t->c->start_ms)
        return 0;
    return (int)((at_ms - t->c->start_ms) * (SCALE_COLUMNS - 1) / span_ms);
}

/* A round span, so that about TICKS of them cover the case. */
static int64_t tick_ms(int64_t span_ms)
{
    static const int64_t rounds[] = {WHEN_SECOND_MS,
                                     5 * WHEN_SECOND_MS,
                                     15 * WHEN_SECOND_MS,
                                     WHEN_MINUTE_MS,
                                     5 * WHEN_MINUTE_MS,
                                     15 * WHEN_MINUTE_MS,
                                     30 * WHEN_MINUTE_MS,
                                     WHEN_HOUR_MS,
                                     2 * WHEN_HOUR_MS,
                                     6 * WHEN_HOUR_MS,
                                     12 * WHEN_HOUR_MS,
                                     WHEN_DAY_MS,
                                     2 * (int64_t)WHEN_DAY_MS,
                                     5 * (int64_t)WHEN_DAY_MS,
                                     10 * (int64_t)WHEN_DAY_MS,
                                     25 * (int64_t)WHEN_DAY_MS,
                                     50 * (int64_t)WHEN_DAY_MS,
                                     100 * (int64_t)WHEN_DAY_MS,
                                     200 * (int64_t)WHEN_DAY_MS,
                                     400 * (int64_t)WHEN_DAY_MS};
    size_t i = 0;

    while (i + 1 < sizeof rounds / sizeof rounds[0] && rounds[i] * (TICKS + 1) < span_ms)
        i++;
    return rounds[i];
}

static void put_row(struct timeline *t, const char *label, enum screen_tone tone, const char *row,
                    size_t bytes)
{
    while (bytes > 0 && row[bytes - 1] == ' ')
        bytes--;
    buf_put_format(t->out, "    %-*s", LABEL_COLUMNS, label);
    screen_paint(t->out, t->colours, tone, "%.*s", (int)bytes, row);
    buf_put_char(t->out, '\n');
}

static void put_scale(struct timeline *t)
{
    char names[SCALE_COLUMNS + 32], line[SCALE_COLUMNS];
    int64_t step_ms = tick_ms(t->until_ms - t->c->start_ms);

    memset(names, ' ', sizeof names);
    memset(line, '-', sizeof line);
    for (int64_t at_ms = t->c->start_ms; at_ms <= t->until_ms; at_ms += step_ms) {
        int column = column_of(t, at_ms);
        struct buf name = {0};

        test_put_time(&name, t->c, at_ms);
        line[column] = '+';
        memcpy(names + column, name.data, name.len < 16 ? name.len : 16);
        buf_free(&name);
    }
    put_row(t, "", TONE_PLAIN, names, sizeof names);
    put_row(t, "", TONE_PLAIN, line, sizeof line);
}

/* Where in the row a mark of `bytes` has room: at its column or to the right of what stands there. */
static int place_for(const char *row, int column, int bytes)
{
    while (column + bytes < SCALE_COLUMNS + 16) {
        bool free = column == 0 || row[column - 1] == ' ' || row[column - 1] == '=';

        for (int i = 0; i < bytes; i++)
            free = free && (row[column + i] == ' ' || row[column + i] == '=');
        if (free)
            return column;
        column++;
    }
    return -1;
}

static void draw_mark(const struct timeline *t, char *row, const struct mark *mark)
{
    char number[16];
    int bytes = snprintf(number, sizeof number, "%d", mark->number);
    int column = place_for(row, column_of(t, mark->at_ms), bytes);

    if (column < 0)
        return; /* no room: the line below tells it */
    memcpy(row + column, number, (size_t)bytes);
    for (int i = column + bytes; i <= column_of(t, mark->to_ms) && row[i] == ' '; i++)
        row[i] = '=';
}

static void put_lane(struct timeline *t, enum lane lane)
{
    char row[SCALE_COLUMNS + 32];
    bool any = false;

    memset(row, ' ', sizeof row);
    for (size_t i = 0; i < t->count; i++) {
        if (t->marks[i].lane != lane)
            continue;
        any = true;
        draw_mark(t, row, &t->marks[i]);
    }
    if (any)
        put_row(t, lanes[lane].plural, lanes[lane].tone, row, sizeof row);
}

/* --- the lines --------------------------------------------------------------------------------------- */

/* {vin: V1, weight_kg: 1900} */
static void put_data(struct buf *out, const struct yaml_node *data)
{
    if (data == NULL || data->kind != YAML_MAP)
        return;
    for (size_t i = 0; i < data->count; i++) {
        const struct yaml_node *item = data->items[i];
        bool nested = item->kind == YAML_MAP || item->kind == YAML_LIST;

        buf_put_format(out, "%s%.*s: %.*s", i == 0 ? " {" : ", ", STR_ARG(data->keys[i]->text),
                       STR_ARG(nested ? STR("...") : item->text));
    }
    buf_put_text(out, data->count != 0 ? "}" : "");
}

static void put_event(struct timeline *t, const struct test_event *event)
{
    if (event->source.len != 0) {
        buf_put_format(t->out, "%.*s %s", STR_ARG(event->source),
                       event->speaks ? "speaks again" : "falls silent");
        return;
    }
    if (event->type.len == 0) {
        buf_put_format(t->out, "outcome %.*s", STR_ARG(event->outcome));
        return;
    }
    buf_put(t->out, event->type);
    put_data(t->out, event->data);
    if (event->time_ms != event->at_ms) {
        buf_put_text(t->out, ", happened at ");
        test_put_time(t->out, t->c, event->time_ms);
    }
}

static void put_name(struct timeline *t, struct str moment, struct str about)
{
    buf_put_format(t->out, "%.*s%s%.*s", STR_ARG(moment), about.len != 0 ? " " : "",
                   STR_ARG(about));
}

/* "new-car V1: step 1 of 2 (event x) done; waits for step 2 of 2 (absent y) until 14d" */
static void put_step(struct timeline *t, const struct happened *h)
{
    const struct moment *moment = &t->result->set->moments[h->moment];

    put_name(t, moment->name, h->about);
    buf_put_text(t->out, ": ");
    test_put_step(t->out, t->result->set, moment, h->number);
    buf_put_text(t->out, h->type.len != 0 ? " done" : " is over");
    if (h->number + 1 == moment->step_count)
        return;
    buf_put_text(t->out, "; waits for ");
    test_put_step(t->out, t->result->set, moment, h->number + 1);
    if (h->until_ms != INT64_MAX) {
        buf_put_text(t->out, " until ");
        test_put_time(t->out, t->c, h->until_ms);
    }
}

static void put_came(struct timeline *t, const struct came *came)
{
    const struct task *task = &came->task;
    const struct decision *d = &came->decision;

    put_name(t, came->moment, came->about);
    if (came->kind == EXPECT_TASK) {
        struct str words = task->say.len != 0 ? task->say : task->subject;

        buf_put_format(t->out, ": %.*s%s%.*s", STR_ARG(task->channel),
                       task->queue.len != 0 ? ", queue " : "", STR_ARG(task->queue));
        if (words.len != 0)
            buf_put_format(t->out, ": \"%.*s%s\"", STR_ARG(str_head(words, 60)),
                           words.len > 60 ? "..." : "");
    } else if (came->kind == EXPECT_WITHDRAWN) {
        buf_put_format(t->out, ": the task is taken back, because of %.*s", STR_ARG(came->what));
    } else {
        buf_put_format(t->out, ": %.*s", STR_ARG(came->what));
        if (str_is(d->outcome, "hold")) {
            buf_put_text(t->out, ", held until ");
            test_put_time(t->out, t->c, d->until_ms);
        }
        for (size_t i = 0; i < d->stage_count; i++)
            if (!d->stages[i].passed) {
                buf_put_text(t->out, " (");
                test_put_detail(t->out, t->c, d->stages[i].detail);
                buf_put_char(t->out, ')');
            }
    }
}

static void put_head(struct timeline *t, const struct mark *mark)
{
    struct buf time = {0}, local = {0};

    test_put_time(&time, t->c, mark->at_ms);
    test_put_local(&local, t->c, mark->at_ms);
    buf_put_format(t->out, "    %2d  %-8s %s  ", mark->number, buf_text(&time), buf_text(&local));
    screen_paint(t->out, t->colours, lanes[mark->lane].tone, "%-9s", lanes[mark->lane].word);
    buf_put_char(t->out, ' ');
    buf_free(&time);
    buf_free(&local);
}

static void put_mark(struct timeline *t, const struct mark *mark)
{
    const struct happened *h = mark->happened;

    put_head(t, mark);
    if (h->kind == HAPPENED_EVENT)
        put_event(t, h->event);
    else if (h->kind == HAPPENED_CAME)
        put_came(t, h->came);
    else
        put_step(t, h);
    buf_put_char(t->out, '\n');
}

/* What is told below a mark: the steps that its event did, the conditions that did not hold. */
static void put_details(struct timeline *t, const struct happened *from)
{
    enum lane lane;

    for (const struct happened *h = from->next; h != NULL && !is_mark(h, &lane); h = h->next) {
        if (h->kind == HAPPENED_WITHDRAW)
            continue; /* the end that follows says it */
        buf_put_format(t->out, "%*s", 44, "");
        if (h->kind == HAPPENED_STEP) {
            put_step(t, h);
        } else {
            const struct moment *moment = &t->result->set->moments[h->moment];

            buf_put_format(t->out, "%.*s: not ", STR_ARG(moment->name));
            test_put_step(t->out, t->result->set, moment, h->number);
            buf_put_format(t->out, ": %.*s", STR_ARG(h->reads));
        }
        buf_put_char(t->out, '\n');
    }
}

void test_timeline(struct buf *out, const struct test_story *result, bool colours)
{
    const struct test_case *c = result->c;
    struct timeline t = {.out = out, .result = result, .c = c, .colours = colours};

    t.until_ms = c->until_ms > c->start_ms ? c->until_ms : c->start_ms + 1;
    make_marks(&t);
    put_scale(&t);
    for (int lane = 0; lane < LANE_COUNT; lane++)
        put_lane(&t, (enum lane)lane);
    buf_put_format(out, "\n    times are the customer's, %.*s\n",
                   STR_ARG(c->time_zone.len != 0 ? c->time_zone : STR("UTC (no zone given)")));
    for (size_t i = 0; i < t.count; i++) {
        put_mark(&t, &t.marks[i]);
        put_details(&t, t.marks[i].happened);
    }
    buf_put_char(out, '\n');
    mem_free(t.marks);
}
