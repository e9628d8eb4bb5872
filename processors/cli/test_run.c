/* A case is a log of one customer: the activation of the rule set, the events at their times, and
 * a tick at `until`.  Before each event time is moved to it, so an outcome finds the task that
 * was out by then.  What decide writes is kept as a list of things that came; each expectation
 * takes the first of them that it fits.
 */
#include "processors/cli/test_run.h"

#include "core/check.h"
#include "core/when.h"
#include "processors/cli/test_coverage.h"
#include "processors/cli/test_identity.h"
#include "processors/decide/decide.h"
#include "processors/decide/explain.h"
#include "processors/decide/given.h"
#include "processors/worker/offline.h"
#include "schemas/watermark.h"

#define CUSTOMER "c-test"

struct run {
    const struct ruleset *set;
    const struct test_case *c;
    struct arena *arena;
    struct diags *diags;
    struct offline *offline;
    struct test_identity *identity; /* NULL: no event of the case goes by an alias */
    struct buf seed;                /* the customer's state with what is given */
    struct test_story *result;
    struct came **last;
    struct happened **last_happened;
    struct coverage *coverage;
    int event_number;
    bool wrong;
    struct back *back, **last_back; /* written to attent.events, and not read yet */
};

struct back {
    struct back *next;
    struct record record;
};

static void wrong(struct run *run, struct place place, const char *what, struct str name)
{
    run->wrong = true;
    diag_add(run->diags, DIAG_ERROR, place, "test", NULL, "%s%s%.*s", what,
             name.len != 0 ? " " : "", STR_ARG(name));
}

/* --- what is given ------------------------------------------------------------------------------- */

static struct value fitted(const struct cel_type *type, struct value v)
{
    int64_t seconds;
    int32_t nanos;

    if (type == NULL)
        return v;
    if (type->kind == CEL_DOUBLE && v.kind == VALUE_INT)
        return value_double((double)v.i);
    if (type->kind == CEL_TIMESTAMP && v.kind == VALUE_STRING &&
        when_parse_rfc3339(value_str(v), &seconds, &nanos))
        return (struct value){.kind = VALUE_TIMESTAMP, .n = (uint32_t)nanos, .i = seconds};
    return v;
}

static void give(struct run *run, struct given *given, size_t *count, uint32_t fact,
                 const struct yaml_node *node)
{
    const struct fact *f = &run->set->facts[fact];

    if (f->key == NULL) {
        given[(*count)++] =
            (struct given){.fact = fact, .value = fitted(f->type, yaml_value(node, run->arena))};
        return;
    }
    if (node->kind != YAML_MAP) {
        wrong(run, node->place, "this fact has one value per key, write {key: value}:", f->name);
        return;
    }
    for (size_t i = 0; i < node->count; i++)
        given[(*count)++] = (struct given){.fact = fact,
                                           .key = yaml_value(node->keys[i], run->arena),
                                           .value = fitted(f->type != NULL ? f->type->item : NULL,
                                                           yaml_value(node->items[i], run->arena))};
}

static size_t given_most(const struct yaml_node *map)
{
    size_t most = 1; /* the time zone */

    for (size_t i = 0; map != NULL && i < map->count; i++)
        most += 1 + map->items[i]->count;
    return most;
}

static bool gives(const struct yaml_node *map, struct str name)
{
    return map != NULL && yaml_get(map, name) != NULL;
}

static void make_seed(struct run *run)
{
    const struct yaml_node *map = run->c->given;
    struct given *given = ARENA_ARRAY(run->arena, struct given, given_most(map));
    int zone = run->set->time_zone_fact;
    struct err err = {0};
    size_t count = 0;

    for (size_t i = 0; map != NULL && i < map->count; i++) {
        int fact = ruleset_find_fact(run->set, map->keys[i]->text);

        if (fact < 0)
            wrong(run, map->keys[i]->place, "there is no fact", map->keys[i]->text);
        else
            give(run, given, &count, (uint32_t)fact, map->items[i]);
    }
    if (zone >= 0 && run->c->time_zone.len != 0 && !gives(map, run->set->facts[zone].name))
        given[count++] =
            (struct given){.fact = (uint32_t)zone, .value = value_string(run->c->time_zone)};
    if (given_encode(run->set, STR(CUSTOMER), given, count, run->c->start_ms, &run->seed, &err) !=
        ERR_NONE)
        wrong(run, map != NULL ? map->place : run->c->place, "given:", str_of(err.text));
}

/* --- what comes ---------------------------------------------------------------------------------- */

static struct happened *happened(struct run *run, enum happened_kind kind, int64_t at_ms)
{
    struct happened *h = ARENA_NEW(run->arena, struct happened);

    h->kind = kind;
    h->at_ms = at_ms;
    *run->last_happened = h;
    run->last_happened = &h->next;
    return h;
}

static struct came *add_came(struct run *run, enum expected kind, int64_t at_ms)
{
    struct came *came = ARENA_NEW(run->arena, struct came);

    came->kind = kind;
    came->at_ms = at_ms;
    *run->last = came;
    run->last = &came->next;
    happened(run, HAPPENED_CAME, at_ms)->came = came;
    return came;
}

static void take_task(struct run *run, struct str json)
{
    struct task task;
    struct came *came;
    struct err err;

    if (!task_read_json(json, run->arena, &task, &err)) {
        wrong(run, run->c->place, "a task cannot be read:", str_of(err.text));
        return;
    }
    came = add_came(run, EXPECT_TASK, task.created_ms);
    came->what = task.channel;
    came->moment = task.moment;
    came->about = task.about;
    came->task = task;
}

static void take_withdrawal(struct run *run, struct str json)
{
    struct withdrawal w;
    struct came *came;
    struct err err;

    if (!withdrawal_read_json(json, run->arena, &w, &err)) {
        wrong(run, run->c->place, "a withdrawal cannot be read:", str_of(err.text));
        return;
    }
    came = add_came(run, EXPECT_WITHDRAWN, w.created_ms);
    came->what = w.because;
    came->moment = w.moment;
    came->about = w.about;
}

static void take_decision(struct run *run, struct str json)
{
    struct decision d;
    struct came *came;
    struct err err;

    if (!decision_read_json(json, run->arena, &d, &err)) {
        wrong(run, run->c->place, "a decision cannot be read:", str_of(err.text));
        return;
    }
    if (str_is(d.outcome, "task")) {
        for (came = run->result->came; came != NULL; came = came->next)
            if (came->kind == EXPECT_TASK && str_equal(came->task.id, d.task))
                came->decision = d;
        return;
    }
    came = add_came(run, EXPECT_SILENT, d.at_ms);
    came->what = d.reason;
    came->moment = d.moment;
    came->about = d.about;
    came->decision = d;
}

/* It lives until the batch is over; the copy as long as the case. */
static void take_back(struct run *run, const struct record *record)
{
    struct header *headers = ARENA_ARRAY(run->arena, struct header, record->header_count);
    struct back *back = ARENA_NEW(run->arena, struct back);

    for (size_t i = 0; i < record->header_count; i++)
        headers[i] = (struct header){arena_str(run->arena, record->headers[i].name),
                                     arena_str(run->arena, record->headers[i].value)};
    back->record = *record;
    back->record.key = arena_str(run->arena, record->key);
    back->record.value = arena_str(run->arena, record->value);
    back->record.headers = headers;
    *run->last_back = back;
    run->last_back = &back->next;
}

static void take_output(void *context, int topic, const struct record *record)
{
    struct run *run = context;
    struct str json;

    if (topic == DECIDE_TOPIC_EVENTS) {
        take_back(run, record);
        return;
    }
    json = arena_str(run->arena, record->value);
    if (topic == DECIDE_TOPIC_DECISIONS)
        take_decision(run, json);
    else if (str_is(record_header(record, STR("ce_type")), TASK_CE_TYPE))
        take_task(run, json);
    else if (str_is(record_header(record, STR("ce_type")), WITHDRAWAL_CE_TYPE))
        take_withdrawal(run, json);
}

/* --- what goes in -------------------------------------------------------------------------------- */

/* What decide writes to its own input comes back at once. */
static enum err_code decide(struct run *run, const struct record *record, struct err *err)
{
    enum err_code code = offline_record(run->offline, record, err);

    for (; code == ERR_NONE && run->back != NULL; run->back = run->back->next) {
        run->back->record.offset = offline_next(run->offline);
        code = offline_record(run->offline, &run->back->record, err);
    }
    run->last_back = &run->back;
    return code;
}

/* Of an event that named an alias, or whose alias is known by now. */
static enum err_code take_identified(void *context, const struct record *record, struct err *err)
{
    struct run *run = context;
    struct record next = *record;

    next.offset = offline_next(run->offline);
    return decide(run, &next, err);
}

/* What it says to attent.identify, as ingest would: behind the event, if that is its customer's. */
static enum err_code identify(struct run *run, struct event *event, const struct record *record,
                              struct str customer, struct err *err)
{
    event->subject = event->partition_key = customer;
    if (json_parse(record->value, run->arena, &event->data_value, err) != JSON_FINE)
        return ERR_PARSE;
    return test_identity_send(run->identity, event, record, err);
}

static void send(struct run *run, const struct test_event *event, struct str customer,
                 struct str type, struct str data)
{
    struct event e = {
        .id = event->id.len != 0 ? event->id : arena_format(run->arena, "e%d", ++run->event_number),
        .source = STR("/test"),
        .type = type,
        .subject = event->by_alias ? STR_EMPTY : STR(CUSTOMER),
        .partition_key = event->by_alias ? STR_EMPTY : STR(CUSTOMER),
        .time_ms = event->time_ms};
    struct record record = {.topic = STR("attent.events"),
                            .offset = offline_next(run->offline),
                            .timestamp_ms = event->at_ms,
                            .key = customer,
                            .value = data};
    struct header *headers;
    struct err err = {0};

    memcpy(e.geo, event->geo, sizeof e.geo);
    record.header_count = event_headers(&e, run->arena, &headers);
    record.headers = headers;
    if (!event->by_alias && decide(run, &record, &err) != ERR_NONE)
        wrong(run, event->place, "the event cannot be decided:", str_of(err.text));
    else if (run->identity != NULL &&
             identify(run, &e, &record, event->by_alias ? STR_EMPTY : customer, &err) != ERR_NONE)
        wrong(run, event->place, "the event cannot be identified:", str_of(err.text));
}

static struct str json_of(struct arena *arena, struct value v)
{
    struct buf json = {0};
    struct str text;

    json_put_value(&json, v);
    text = arena_str(arena, buf_str(&json));
    buf_free(&json);
    return text;
}

static void send_event(struct run *run, const struct test_event *event)
{
    int type = ruleset_find_type(run->set, event->type);
    struct value data = event->data != NULL && event->data->kind == YAML_MAP
                            ? yaml_value(event->data, run->arena)
                            : value_map(NULL, 0);
    struct err err = {0};

    if (type < 0)
        wrong(run, event->place, "there is no event type", event->type);
    else if (!schema_validate(run->set->types[type].schema, data, &err))
        wrong(run, event->place, "data does not fit its type:", str_of(err.text));
    else
        send(run, event, event->customer.len != 0 ? event->customer : STR(CUSTOMER), event->type,
             json_of(run->arena, data));
}

/* It stops at the time of the record; when it speaks again, it has been read as far as the rest. */
static void send_silence(struct run *run, const struct test_event *event)
{
    const struct header header = {STR(CONTROL_HEADER), STR(CONTROL_WATERMARK)};
    struct watermark_part part = {0, event->at_ms};
    struct watermark watermark = {.source = event->source,
                                  .follows = event->speaks,
                                  .partitions = 1,
                                  .parts = &part,
                                  .part_count = 1};
    struct buf json = {0};
    struct err err = {0};

    if (ruleset_find_source(run->set, event->source) < 0) {
        wrong(run, event->place, "sources.yaml has no source", event->source);
        return;
    }
    watermark_put_json(&json, &watermark);
    if (offline_record(run->offline,
                       &(struct record){.topic = STR("attent.events"),
                                        .offset = offline_next(run->offline),
                                        .timestamp_ms = event->at_ms,
                                        .value = buf_str(&json),
                                        .headers = &header,
                                        .header_count = 1},
                       &err) != ERR_NONE)
        wrong(run, event->place, "the watermark cannot be taken:", str_of(err.text));
    buf_free(&json);
}

static const struct came *last_task(const struct run *run, struct str moment)
{
    const struct came *last = NULL;

    for (const struct came *came = run->result->came; came != NULL; came = came->next)
        if (came->kind == EXPECT_TASK && (moment.len == 0 || str_equal(came->moment, moment)))
            last = came;
    return last;
}

static bool is_listed(const struct task *task, struct str code)
{
    for (size_t i = 0; i < task->outcome_count; i++)
        if (str_equal(task->outcomes[i].code, code))
            return true;
    return false;
}

static void send_outcome(struct run *run, const struct test_event *event)
{
    const struct came *last = last_task(run, event->of);
    struct outcome outcome = {.code = event->outcome, .final = true};
    struct buf json = {0};

    if (last == NULL) {
        wrong(run, event->place, "there is no task yet to have the outcome", event->outcome);
        return;
    }
    if (run->coverage != NULL)
        coverage_outcome(run->coverage, &last->task, event->outcome);
    if (!is_listed(&last->task, event->outcome) && !event->final_given) {
        wrong(run, event->place,
              "the action does not list this outcome, add final: true or false:", event->outcome);
        return;
    }
    if (event->final_given)
        outcome.final = event->final;
    outcome.task = last->task.id;
    outcome.moment = last->task.moment;
    outcome.about = last->task.about;
    outcome.channel = last->task.channel;
    outcome.attempt = last->task.attempt;
    outcome_put_json(&json, &outcome);
    send(run, event, last->task.customer, STR(OUTCOME_EVENT_TYPE),
         arena_str(run->arena, buf_str(&json)));
    buf_free(&json);
}

/* --- what moves inside --------------------------------------------------------------------------- */

static void take_did(void *context, const struct decide_did *did)
{
    struct run *run = context;
    struct happened *h =
        happened(run, did->what == DID_STEP ? HAPPENED_STEP : HAPPENED_WITHDRAW, did->now_ms);

    h->moment = did->moment;
    h->number = did->number;
    h->about = arena_str(run->arena, did->about);
    h->type = did->event != NULL ? arena_str(run->arena, did->event->type) : STR_EMPTY;
    h->until_ms = did->until_ms;
    if (run->coverage != NULL)
        coverage_did(run->coverage, did);
}

/* The step that waits for an event on this condition; step_count: none. */
static size_t step_of(const struct moment *moment, const struct cel_program *condition)
{
    for (size_t i = 0; i < moment->step_count; i++) {
        enum step_kind kind = moment->steps[i].kind;

        if (moment->steps[i].condition == condition)
            return kind == STEP_EVENT || kind == STEP_COUNT || kind == STEP_CROSSES ||
                           kind == STEP_EVERY
                       ? i
                       : moment->step_count;
    }
    return moment->step_count;
}

static void take_asked(void *context, struct scope *scope, int moment,
                       const struct cel_program *program, struct value v)
{
    struct run *run = context;
    const struct moment *m = moment >= 0 ? &run->set->moments[moment] : NULL;
    size_t step = m != NULL ? step_of(m, program) : 0;
    struct happened *h;

    if (run->coverage != NULL)
        coverage_asked(run->coverage, scope, moment, program, v);
    if (m == NULL || step == m->step_count || (v.kind == VALUE_BOOL && v.boolean) ||
        scope->turn->event == NULL)
        return;
    h = happened(run, HAPPENED_MISS, scope->turn->now_ms);
    h->moment = (size_t)moment;
    h->number = step;
    h->type = arena_str(run->arena, scope->turn->event->type);
    h->reads = arena_str(run->arena, explain_reads(scope, program, false));
}

/* --- the run ------------------------------------------------------------------------------------- */

static const struct ruleset *find_set(void *context, struct str hash_hex, struct err *err)
{
    const struct run *run = context;

    (void)hash_hex; /* there is but one */
    (void)err;
    return run->set;
}

static struct str find_seed(void *context, struct str customer)
{
    const struct run *run = context;

    return str_is(customer, CUSTOMER) ? buf_str(&run->seed) : STR_EMPTY;
}

static const struct pace *find_pace(const struct policy *policy, struct str name)
{
    const struct queue *queue = policy_find_queue(policy, name);
    const struct channel_rule *channel = policy_find_channel(policy, name);

    if (queue != NULL && queue->pace.tasks != 0)
        return &queue->pace;
    return channel != NULL && channel->pace.tasks != 0 ? &channel->pace : NULL;
}

static void read_ahead(struct run *run, struct decide_config *config)
{
    const struct yaml_node *map = run->c->ahead;
    struct decide_ahead *ahead =
        map != NULL ? ARENA_ARRAY(run->arena, struct decide_ahead, map->count) : NULL;

    config->ahead = ahead;
    for (size_t i = 0; map != NULL && i < map->count; i++) {
        struct value tasks = yaml_value(map->items[i], run->arena);

        if (find_pace(&run->set->policy, map->keys[i]->text) == NULL)
            wrong(run, map->keys[i]->place, "no queue or channel with a pace is called",
                  map->keys[i]->text);
        else if (tasks.kind != VALUE_INT || tasks.i < 0 || tasks.i > LIMIT_PACE_PLACES)
            wrong(run, map->items[i]->place, "how many tasks? not", map->items[i]->text);
        else
            ahead[config->ahead_count++] =
                (struct decide_ahead){map->keys[i]->text, (uint32_t)tasks.i};
    }
}

static void move_time(struct run *run, int64_t at_ms)
{
    struct err err = {0};
    enum err_code code = ERR_NONE;

    if (run->identity != NULL)
        code = test_identity_advance(run->identity, at_ms, &err);
    if (code != ERR_NONE || offline_advance(run->offline, at_ms, &err) != ERR_NONE)
        wrong(run, run->c->place, "the case cannot be run:", str_of(err.text));
}

static void activate(struct run *run)
{
    const struct header header = {STR(CONTROL_HEADER), STR(CONTROL_ACTIVATE)};
    const struct record record = {.topic = STR("attent.events"),
                                  .offset = offline_next(run->offline),
                                  .timestamp_ms = run->c->start_ms,
                                  .value = str_of(run->set->hash_hex),
                                  .headers = &header,
                                  .header_count = 1};
    struct err err = {0};

    if (offline_record(run->offline, &record, &err) != ERR_NONE)
        wrong(run, run->c->place, "the rules cannot be put in force:", str_of(err.text));
}

static bool goes_by_alias(const struct test_case *c)
{
    bool any = false;

    for (size_t i = 0; i < c->event_count; i++)
        any |= c->events[i].by_alias;
    return any;
}

static void play(struct run *run)
{
    struct decide_observer observer = {.context = run, .did = take_did, .asked = take_asked};
    struct decide_config config = {.find = find_set,
                                   .seed = find_seed,
                                   .context = run,
                                   .observer = &observer,
                                   .control = run->c->control ? DECIDE_CONTROL_EVERYBODY
                                                              : DECIDE_CONTROL_NOBODY,
                                   .watermarks_follow = true};
    struct offline_setup setup = {
        .class = &decide_class, .config = &config, .context = run, .output = take_output};
    const struct test_identity_setup identity = {.set = run->set,
                                                 .start_ms = run->c->start_ms,
                                                 .arena = run->arena,
                                                 .context = run,
                                                 .identified = take_identified};
    struct err err = {0};

    read_ahead(run, &config);
    if (offline_open(&setup, &run->offline, &err) != ERR_NONE) {
        wrong(run, run->c->place, "the case cannot be run:", str_of(err.text));
        return;
    }
    activate(run);
    if (goes_by_alias(run->c) && test_identity_open(&identity, &run->identity, &err) != ERR_NONE)
        wrong(run, run->c->place, "the case cannot be run:", str_of(err.text));
    for (size_t i = 0; i < run->c->event_count && !run->wrong; i++) {
        const struct test_event *event = &run->c->events[i];

        if (event->at_ms > run->c->until_ms)
            break; /* a source that speaks again later */
        move_time(run, event->at_ms);
        happened(run, HAPPENED_EVENT, event->at_ms)->event = event;
        if (event->source.len != 0)
            send_silence(run, event);
        else if (event->outcome.len != 0)
            send_outcome(run, event);
        else
            send_event(run, event);
    }
    if (!run->wrong)
        move_time(run, run->c->until_ms);
    test_identity_close(run->identity);
    offline_close(run->offline);
}

/* --- comparing ----------------------------------------------------------------------------------- */

static bool fits_text(struct str wanted, struct str came)
{
    return wanted.len == 0 || str_contains(came, wanted);
}

static bool fits_but_time(const struct test_expect *expect, const struct came *came)
{
    const struct task *task = &came->task;

    return expect->kind == came->kind && str_equal(expect->what, came->what) &&
           (expect->of.len == 0 || str_equal(expect->of, came->moment)) &&
           (expect->about.len == 0 || str_equal(expect->about, came->about)) &&
           (expect->queue.len == 0 || str_equal(expect->queue, task->queue)) &&
           (expect->language.len == 0 || str_equal(expect->language, task->language)) &&
           fits_text(expect->say, task->say) && fits_text(expect->subject, task->subject) &&
           fits_text(expect->text, task->text) && fits_text(expect->html, task->html) &&
           fits_text(expect->reason, task->reason);
}

static bool find_expected(struct run *run, const struct test_expect *expect)
{
    for (struct came *came = run->result->came; came != NULL; came = came->next) {
        if (!came->taken && came->at_ms >= expect->from_ms && came->at_ms <= expect->to_ms &&
            fits_but_time(expect, came)) {
            came->taken = true;
            return true;
        }
    }
    return false;
}

/* Reasons and moments that are not there could never come: say so, also for silences. */
static void check_names(struct run *run, const struct test_expect *expect)
{
    bool known = expect->kind != EXPECT_SILENT;

    for (int r = 0; r < REASON_COUNT && !known; r++)
        known = str_is(expect->what, reason_code((enum reason)r));
    if (!known)
        wrong(run, expect->place, "there is no reason", expect->what);
    if (expect->of.len != 0 && ruleset_find_moment(run->set, expect->of) < 0)
        wrong(run, expect->place, "there is no moment", expect->of);
    if (expect->kind == EXPECT_WITHDRAWN && ruleset_find_type(run->set, expect->what) < 0)
        wrong(run, expect->place, "there is no event type", expect->what);
}

static bool compare(struct run *run)
{
    struct test_story *result = run->result;
    bool same = true;

    for (size_t i = 0; i < run->c->expect_count; i++) {
        result->met[i] = find_expected(run, &run->c->expects[i]);
        same = same && result->met[i];
    }
    for (const struct came *came = result->came; came != NULL; came = came->next)
        same = same && (came->taken || came->kind == EXPECT_SILENT);
    return same;
}

static enum test_verdict run_case(struct run *run)
{
    bool same = false;

    for (size_t i = 0; i < run->c->expect_count; i++)
        check_names(run, &run->c->expects[i]);
    make_seed(run);
    if (!run->wrong)
        play(run);
    if (!run->wrong)
        same = compare(run);
    buf_free(&run->seed);
    if (run->wrong)
        return TEST_WRONG;
    if (run->coverage != NULL)
        coverage_came(run->coverage, run->result);
    return same ? TEST_PASSED : TEST_FAILED;
}

enum test_verdict test_run_case(const struct ruleset *set, const struct test_case *c,
                                struct coverage *coverage, struct arena *arena,
                                struct test_story *out, struct diags *diags)
{
    struct run run = {
        .set = set, .c = c, .arena = arena, .diags = diags, .result = out, .coverage = coverage};

    *out = (struct test_story){.set = set, .c = c};
    out->met = ARENA_ARRAY(arena, bool, c->expect_count);
    run.last = &out->came;
    run.last_happened = &out->happened;
    run.last_back = &run.back;
    out->verdict = run_case(&run);
    return out->verdict;
}
