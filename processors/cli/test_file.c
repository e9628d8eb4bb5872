#include "processors/cli/test_file.h"

#include "core/when.h"

struct reading {
    struct arena *arena;
    struct diags *diags;
    int64_t start_ms;
};

/* --- pieces -------------------------------------------------------------------------------------- */

static void wrong(struct reading *r, struct place place, const char *help, const char *what,
                  struct str name)
{
    diag_add(r->diags, DIAG_ERROR, place, "test", help, "%s%s%.*s", what, name.len != 0 ? " " : "",
             STR_ARG(name));
}

static bool is_map(struct reading *r, const struct yaml_node *node, const char *what)
{
    if (node->kind == YAML_MAP)
        return true;
    diag_add(r->diags, DIAG_ERROR, node->place, "test", "write key: value, each on its line",
             "%s needs keys with values, but here is %s", what, yaml_kind_name(node->kind));
    return false;
}

enum where { WHERE_TOP, WHERE_CASE, WHERE_EVENT, WHERE_GEO, WHERE_EXPECT };

static const struct {
    enum where where;
    const char *key;
} known_keys[] = {
#define TEST_KEY(where, key, kind, needed, text) {WHERE_##where, key},
#include "processors/cli/test_file.def"
#undef TEST_KEY
};
enum { KNOWN_KEYS = sizeof known_keys / sizeof known_keys[0] };

static const char *list_of(struct reading *r, const struct str *names, size_t count)
{
    struct str list = arena_format(r->arena, "there is: %.*s", STR_ARG(names[0]));

    for (size_t i = 1; i < count; i++)
        list = arena_format(r->arena, "%.*s %.*s", STR_ARG(list), STR_ARG(names[i]));
    return list.data;
}

/* Every key has to be among those that may stand there. */
static void check_keys(struct reading *r, const struct yaml_node *map, enum where where)
{
    struct str names[KNOWN_KEYS], near;
    size_t count = 0;

    for (size_t i = 0; i < KNOWN_KEYS; i++)
        if (known_keys[i].where == where)
            names[count++] = str_of(known_keys[i].key);
    for (size_t i = 0; i < map->count; i++) {
        bool found = false;

        for (size_t k = 0; k < count; k++)
            found |= str_equal(map->keys[i]->text, names[k]);
        if (found)
            continue;
        near = str_nearest(map->keys[i]->text, names, count);
        wrong(r, map->keys[i]->place,
              near.len != 0 ? arena_format(r->arena, "write %.*s", STR_ARG(near)).data
                            : list_of(r, names, count),
              "there is no such key:", map->keys[i]->text);
    }
}

static struct str get_text(struct reading *r, const struct yaml_node *map, const char *key)
{
    const struct yaml_node *node = yaml_get(map, str_of(key));

    if (node == NULL)
        return STR_EMPTY;
    if (node->kind == YAML_LIST || node->kind == YAML_MAP || node->kind == YAML_NULL) {
        diag_add(r->diags, DIAG_ERROR, node->place, "test", "write it behind the colon",
                 "\"%s\" needs a text, but here is %s", key, yaml_kind_name(node->kind));
        return STR_EMPTY;
    }
    return node->text;
}

static const struct yaml_node *get_list(struct reading *r, const struct yaml_node *map,
                                        const char *key)
{
    const struct yaml_node *node = yaml_get(map, str_of(key));

    if (node == NULL || node->kind == YAML_NULL)
        return NULL;
    if (node->kind == YAML_LIST)
        return node;
    diag_add(r->diags, DIAG_ERROR, node->place, "test", "write each entry with a dash in front",
             "\"%s\" needs a list, but here is %s", key, yaml_kind_name(node->kind));
    return NULL;
}

/* A span from the start (-3d: before it), or an absolute time. */
static bool read_time(struct reading *r, const struct yaml_node *node, int64_t *at_ms)
{
    struct str text = node->text;
    bool before = text.len > 1 && text.data[0] == '-';
    int64_t span_ms;

    if (node->kind != YAML_LIST && node->kind != YAML_MAP) {
        if (when_parse_ms(text, at_ms))
            return true;
        if (when_parse_span_ms(before ? str_slice(text, 1, text.len) : text, &span_ms)) {
            *at_ms = r->start_ms + (before ? -span_ms : span_ms);
            return true;
        }
    }
    wrong(r, node->place, "write a span from the start (14d2h) or a time (2026-03-02T09:00:00Z)",
          "no time:", text);
    return false;
}

/* --- events -------------------------------------------------------------------------------------- */

static bool get_bool(struct reading *r, const struct yaml_node *map, const char *key)
{
    const struct yaml_node *node = yaml_get(map, str_of(key));

    if (node != NULL && node->kind != YAML_BOOL)
        wrong(r, node->place, "write true or false", arena_format(r->arena, "%s:", key).data,
              node->text);
    return node != NULL && node->boolean;
}

static void read_final(struct reading *r, const struct yaml_node *map, struct test_event *event)
{
    event->final_given = yaml_get(map, STR("final")) != NULL;
    event->final = get_bool(r, map, "final");
}

static void read_geo(struct reading *r, const struct yaml_node *node, struct test_event *event)
{
    if (node == NULL || !is_map(r, node, "geo"))
        return;
    check_keys(r, node, WHERE_GEO);
#define GEO(name, word, attribute, bytes_max, text)                                                \
    event->geo[GEO_##name] = get_text(r, node, word);
#include "schemas/geo.def"
#undef GEO
    if (event->type.len == 0)
        wrong(r, node->place, "write it where there is a type",
              "only an event has an address:", STR("geo"));
}

static void read_event(struct reading *r, const struct yaml_node *node, struct test_event *event)
{
    const struct yaml_node *at, *time;

    *event = (struct test_event){.place = node->place, .at_ms = r->start_ms};
    if (!is_map(r, node, "an event"))
        return;
    check_keys(r, node, WHERE_EVENT);
    at = yaml_get(node, STR("at"));
    if (at == NULL)
        wrong(r, node->place, "add at: 0d", "an event without a time", STR_EMPTY);
    else
        read_time(r, at, &event->at_ms);
    event->time_ms = event->at_ms;
    time = yaml_get(node, STR("time"));
    if (time != NULL && read_time(r, time, &event->time_ms) && event->time_ms > event->at_ms)
        wrong(r, time->place, "write a time before its `at`",
              "an event cannot be later than its record:", time->text);
    event->type = get_text(r, node, "type");
    event->outcome = get_text(r, node, "outcome");
    event->id = get_text(r, node, "id");
    event->customer = get_text(r, node, "customer");
    event->by_alias = get_bool(r, node, "by_alias");
    if (event->by_alias && (event->customer.len != 0 || event->type.len == 0))
        wrong(r, node->place, "leave out one of the two",
              "who names an alias has a type and no customer", STR_EMPTY);
    event->of = get_text(r, node, "of");
    event->data = yaml_get(node, STR("data"));
    event->source = get_text(r, node, "source");
    read_geo(r, yaml_get(node, STR("geo")), event);
    read_final(r, node, event);
    if ((event->type.len != 0) + (event->outcome.len != 0) + (event->source.len != 0) != 1)
        wrong(r, node->place, "write type: TYPE, outcome: CODE or source: NAME",
              "an event has a type, is an outcome, or is a source that is silent: one of these",
              STR_EMPTY);
    if (event->data != NULL && event->data->kind != YAML_NULL)
        is_map(r, event->data, "data");
}

/* A source that falls silent speaks again, which is an event of its own. */
static bool read_silence(struct reading *r, const struct yaml_node *node,
                         const struct test_event *event, struct test_event *end)
{
    const struct yaml_node *span = yaml_get(node, STR("silent_for"));
    int64_t span_ms = 0;

    if (event->source.len == 0 && span == NULL)
        return false;
    if (event->source.len == 0 || span == NULL || !when_parse_span_ms(span->text, &span_ms)) {
        wrong(r, node->place, "write {at: 2d, source: billing, silent_for: 3d}",
              "a source is silent for a span", STR_EMPTY);
        return false;
    }
    *end = *event;
    end->at_ms = end->time_ms = event->at_ms + span_ms;
    end->speaks = true;
    return true;
}

/* By time; equal times as they were written. */
static void sort_events(struct test_case *c)
{
    for (size_t i = 1; i < c->event_count; i++) {
        struct test_event event = c->events[i];
        size_t at = i;

        for (; at > 0 && c->events[at - 1].at_ms > event.at_ms; at--)
            c->events[at] = c->events[at - 1];
        c->events[at] = event;
    }
}

static void read_events(struct reading *r, const struct yaml_node *map, struct test_case *c)
{
    const struct yaml_node *list = get_list(r, map, "events");

    if (list == NULL)
        return;
    c->events = ARENA_ARRAY(r->arena, struct test_event, 2 * list->count);
    for (size_t i = 0; i < list->count; i++) {
        struct test_event *event = &c->events[c->event_count++];

        read_event(r, list->items[i], event);
        if (list->items[i]->kind == YAML_MAP &&
            read_silence(r, list->items[i], event, &c->events[c->event_count]))
            c->event_count++;
    }
    sort_events(c);
}

/* --- expectations -------------------------------------------------------------------------------- */

static struct str line_of(struct str text, int line)
{
    struct str rest = text, first = STR_EMPTY;

    for (int i = 0; i < line; i++) {
        if (!str_cut(rest, '\n', &first, &rest)) {
            first = rest;
            rest = STR_EMPTY;
        }
    }
    first = str_trim(first);
    return str_starts(first, STR("- ")) ? str_slice(first, 2, first.len) : first;
}

static void read_when(struct reading *r, const struct yaml_node *node, struct test_expect *expect)
{
    const struct yaml_node *at = yaml_get(node, STR("at"));
    const struct yaml_node *between = get_list(r, node, "between");

    if ((at != NULL) == (between != NULL)) {
        wrong(r, node->place, "write at: 14d or between: [13d, 15d]", "when?", STR_EMPTY);
        return;
    }
    if (at != NULL) {
        read_time(r, at, &expect->from_ms);
        expect->to_ms = expect->from_ms;
    } else if (between->count != 2) {
        wrong(r, between->place, "write between: [13d, 15d]", "not two times", STR_EMPTY);
    } else {
        read_time(r, between->items[0], &expect->from_ms);
        read_time(r, between->items[1], &expect->to_ms);
    }
}

static void read_what(struct reading *r, const struct yaml_node *node, struct test_expect *expect)
{
    static const char *const words[] = {"task", "silent", "withdrawn"};
    int found = 0;

    for (size_t i = 0; i < 3; i++) {
        struct str what = get_text(r, node, words[i]);

        if (what.len == 0)
            continue;
        found++;
        expect->kind = (enum expected)i;
        expect->what = what;
    }
    if (found != 1)
        wrong(r, node->place, "write task: CHANNEL, silent: REASON or withdrawn: EVENT TYPE",
              "what is expected?", STR_EMPTY);
}

static void read_expect(struct reading *r, const struct yaml_node *node, struct str text,
                        struct test_expect *expect)
{
    *expect = (struct test_expect){.place = node->place, .source = line_of(text, node->place.line)};
    if (!is_map(r, node, "an expectation"))
        return;
    check_keys(r, node, WHERE_EXPECT);
    read_when(r, node, expect);
    read_what(r, node, expect);
    expect->of = get_text(r, node, "of");
    expect->about = get_text(r, node, "about");
    expect->queue = get_text(r, node, "queue");
    expect->say = get_text(r, node, "say");
    expect->subject = get_text(r, node, "subject");
    expect->text = get_text(r, node, "text");
    expect->html = get_text(r, node, "html");
    expect->reason = get_text(r, node, "reason");
    expect->language = get_text(r, node, "language");
}

static void read_expects(struct reading *r, const struct yaml_node *map, struct str text,
                         struct test_case *c)
{
    const struct yaml_node *list = get_list(r, map, "expect");

    if (yaml_get(map, STR("expect")) == NULL)
        wrong(r, map->place, "add expect: [] if nothing may happen", "a case without expect",
              STR_EMPTY);
    if (list == NULL)
        return;
    c->expect_count = list->count;
    c->expects = ARENA_ARRAY(r->arena, struct test_expect, list->count);
    for (size_t i = 0; i < list->count; i++)
        read_expect(r, list->items[i], text, &c->expects[i]);
}

/* --- cases --------------------------------------------------------------------------------------- */

static void read_only(struct reading *r, const struct yaml_node *map, struct test_case *c)
{
    const struct yaml_node *list = get_list(r, map, "only");

    if (list == NULL)
        return;
    c->only_count = list->count;
    c->only = ARENA_ARRAY(r->arena, struct str, list->count);
    for (size_t i = 0; i < list->count; i++)
        c->only[i] = list->items[i]->text;
}

static void read_until(struct reading *r, const struct yaml_node *map, struct test_case *c)
{
    const struct yaml_node *until = yaml_get(map, STR("until"));

    int64_t last_ms = c->start_ms;

    for (size_t i = 0; i < c->event_count; i++)
        if (!c->events[i].speaks)
            last_ms = c->events[i].at_ms;
    c->until_ms = last_ms;
    if (until != NULL)
        read_time(r, until, &c->until_ms);
    if (c->until_ms < last_ms)
        wrong(r, until != NULL ? until->place : map->place, "write a later `until`",
              "the last event is later than until", STR_EMPTY);
}

static void read_case(struct reading *r, const struct yaml_node *node, struct str text,
                      struct str time_zone, struct test_case *c)
{
    const struct yaml_node *given, *ahead;

    *c = (struct test_case){.place = node->place, .time_zone = time_zone, .start_ms = r->start_ms};
    if (!is_map(r, node, "a case"))
        return;
    check_keys(r, node, WHERE_CASE);
    c->name = get_text(r, node, "name");
    if (c->name.len == 0)
        wrong(r, node->place, "add name:", "a case without a name", STR_EMPTY);
    c->todo = get_text(r, node, "todo");
    c->hint = get_text(r, node, "hint");
    c->control = get_bool(r, node, "control");
    if (yaml_get(node, STR("time_zone")) != NULL)
        c->time_zone = get_text(r, node, "time_zone");
    given = yaml_get(node, STR("given"));
    if (given != NULL && given->kind != YAML_NULL && is_map(r, given, "given"))
        c->given = given;
    ahead = yaml_get(node, STR("ahead"));
    if (ahead != NULL && is_map(r, ahead, "ahead"))
        c->ahead = ahead;
    read_events(r, node, c);
    read_until(r, node, c);
    read_expects(r, node, text, c);
    read_only(r, node, c);
}

static void read_top(struct reading *r, const struct yaml_node *top, struct str text,
                     struct test_file *out)
{
    const struct yaml_node *start, *cases;

    check_keys(r, top, WHERE_TOP);
    out->moment = get_text(r, top, "test");
    if (out->moment.len == 0)
        wrong(r, top->place, "add test: NAME of the moment", "which moment?", STR_EMPTY);
    start = yaml_get(top, STR("start"));
    if (start == NULL || !when_parse_ms(start->text, &r->start_ms))
        wrong(r, start != NULL ? start->place : top->place,
              "write start: 2026-03-02T09:00:00+01:00", "a test needs a start", STR_EMPTY);
    cases = get_list(r, top, "cases");
    if (cases == NULL || cases->count == 0) {
        diag_add(r->diags, DIAG_ERROR, cases != NULL ? cases->place : top->place, "no-test",
                 "write cases, each with name, events and expect (docs/testing-moments.md)",
                 "this test has no case, so it shows nothing");
        return;
    }
    out->case_count = cases->count;
    out->cases = ARENA_ARRAY(r->arena, struct test_case, cases->count);
    for (size_t i = 0; i < cases->count; i++)
        read_case(r, cases->items[i], text, get_text(r, top, "time_zone"), &out->cases[i]);
}

bool test_file_read(struct str text, const char *file, struct arena *arena, struct test_file *out,
                    struct diags *diags)
{
    struct reading r = {.arena = arena, .diags = diags};
    size_t errors = diags->error_count;
    const struct yaml_node *top = yaml_read(text, file, arena, diags);

    *out = (struct test_file){.place = {.file = file}};
    if (top == NULL)
        return false;
    out->place = top->place;
    if (is_map(&r, top, "a test"))
        read_top(&r, top, text, out);
    return diags->error_count == errors;
}
