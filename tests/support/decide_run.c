#include "tests/support/decide_run.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/when.h"
#include "processors/decide/decide.h"
#include "processors/worker/offline.h"
#include "schemas/task.h"
#include "schemas/watermark.h"

#define START_MS 1772438400000 /* 2026-03-02T08:00:00Z */

struct decide_run {
    struct ruleset *const *sets;
    size_t set_count;
    struct ruleset *own; /* NULL: borrowed sets */
    struct decide_config config;
    struct offline *offline;
    struct arena *arena;
    struct buf lines, said, task, decision, permission;
    struct str task_id;
    int events;
    size_t strays, permissions;
    struct record *back; /* written to attent.events, and not read yet */
    size_t back_count, back_capacity;
    bool held;
};

/* --- rules --------------------------------------------------------------------------------------- */

struct ruleset *decide_run_compile(const struct rule_file *files)
{
    struct bundle_file list[64];
    struct bundle bundle = {.files = list};
    struct diags diags = {0};
    struct buf text = {0};
    struct ruleset *set;

    for (; files[bundle.count].name != NULL; bundle.count++)
        list[bundle.count] = (struct bundle_file){str_of(files[bundle.count].name),
                                                  str_of(files[bundle.count].text)};
    bundle_sort(&bundle);
    set = ruleset_compile(&bundle, NULL, &diags);
    for (size_t i = 0; set == NULL && i < diags.count; i++)
        diag_print(&text, &diags.items[i], STR_EMPTY);
    ck_assert_msg(set != NULL, "%s", buf_text(&text));
    buf_free(&text);
    diags_free(&diags);
    return set;
}

static const struct ruleset *find_set(void *context, struct str hash_hex, struct err *err)
{
    const struct decide_run *run = context;

    for (size_t i = 0; i < run->set_count; i++)
        if (str_is(hash_hex, run->sets[i]->hash_hex))
            return run->sets[i];
    err_set(err, ERR_STATE, "not known");
    return NULL;
}

/* --- what comes ---------------------------------------------------------------------------------- */

static void put_head(struct decide_run *run, struct str customer, int64_t at_ms, struct str moment,
                     struct str about)
{
    if (!str_is(customer, "c1"))
        buf_put_format(&run->lines, "%.*s ", STR_ARG(customer));
    when_put_span(&run->lines, at_ms - START_MS);
    buf_put_format(&run->lines, " %.*s%s%.*s ", STR_ARG(moment), about.len != 0 ? "/" : "",
                   STR_ARG(about));
}

static void take_task(struct decide_run *run, struct str json)
{
    struct task task;
    struct err err;

    ck_assert_msg(task_read_json(json, run->arena, &task, &err), "%s", err.text);
    put_head(run, task.customer, task.created_ms, task.moment, task.about);
    buf_put_format(&run->lines, "task %.*s\n", STR_ARG(task.channel));
    run->task_id = task.id;
    buf_clear(&run->task);
    buf_put(&run->task, json);
}

static void take_withdrawal(struct decide_run *run, struct str json)
{
    struct withdrawal w;

    ck_assert(withdrawal_read_json(json, run->arena, &w, NULL));
    put_head(run, w.customer, w.created_ms, w.moment, w.about);
    buf_put_format(&run->lines, "%s %.*s\n", w.notice ? "notice" : "withdrawn", STR_ARG(w.because));
}

static void take_permission(struct decide_run *run, struct str json)
{
    struct permission permission;

    ck_assert(permission_read_json(json, run->arena, &permission, NULL));
    run->permissions++;
    buf_clear(&run->permission);
    buf_put(&run->permission, json);
}

static void take_decision(struct decide_run *run, struct str json)
{
    struct decision d;

    ck_assert(decision_read_json(json, run->arena, &d, NULL));
    buf_clear(&run->decision);
    buf_put(&run->decision, json);
    if (str_is(d.outcome, "task"))
        return;
    put_head(run, d.customer, d.at_ms, d.moment, d.about);
    buf_put_format(&run->lines, "%.*s %.*s", STR_ARG(d.outcome), STR_ARG(d.reason));
    if (d.until_ms != 0) {
        buf_put_char(&run->lines, ' ');
        when_put_span(&run->lines, d.until_ms - START_MS);
    }
    buf_put_char(&run->lines, '\n');
}

static void take_back(struct decide_run *run, const struct record *record)
{
    struct record *copy;

    MEM_RESERVE(run->back, run->back_count, run->back_capacity);
    copy = &run->back[run->back_count++];
    *copy = *record;
    copy->key = arena_str(run->arena, record->key);
    copy->value = arena_str(run->arena, record->value);
    copy->headers =
        arena_copy(run->arena, record->headers, record->header_count * sizeof *record->headers);
    for (size_t i = 0; i < record->header_count; i++) {
        struct header *h = (struct header *)(uintptr_t)&copy->headers[i];

        *h = (struct header){arena_str(run->arena, h->name), arena_str(run->arena, h->value)};
    }
}

static void take_output(void *context, int topic, const struct record *record)
{
    struct decide_run *run = context;
    struct str json = arena_str(run->arena, record->value);

    if (topic == DECIDE_TOPIC_EVENTS)
        take_back(run, record);
    else if (topic == DECIDE_TOPIC_DECISIONS)
        take_decision(run, json);
    else if (str_is(record_header(record, STR("ce_type")), TASK_CE_TYPE))
        take_task(run, json);
    else if (str_is(record_header(record, STR("ce_type")), WITHDRAWAL_CE_TYPE))
        take_withdrawal(run, json);
    else if (str_is(record_header(record, STR("ce_type")), STRAY_CE_TYPE))
        run->strays++;
    else
        take_permission(run, json);
}

const char *decide_run_lines(struct decide_run *run)
{
    buf_clear(&run->said);
    buf_put(&run->said, buf_str(&run->lines));
    buf_clear(&run->lines);
    return buf_text(&run->said);
}

const char *decide_run_task(const struct decide_run *run)
{
    return buf_text((struct buf *)(uintptr_t)&run->task);
}

const char *decide_run_decision(const struct decide_run *run)
{
    return buf_text((struct buf *)(uintptr_t)&run->decision);
}

const char *decide_run_permission(const struct decide_run *run)
{
    return run->permission.len != 0 ? buf_text((struct buf *)&run->permission) : "";
}

size_t decide_run_permissions(const struct decide_run *run)
{
    return run->permissions;
}

size_t decide_run_strays(const struct decide_run *run)
{
    return run->strays;
}

struct hash128 decide_run_digest(struct decide_run *run)
{
    return offline_digest(run->offline);
}

/* --- open and close ------------------------------------------------------------------------------ */

static struct decide_run *run_new(void)
{
    struct decide_run *run = MEM_NEW(struct decide_run);

    run->arena = arena_new(0);
    run->config = (struct decide_config){.find = find_set, .context = run};
    return run;
}

static struct decide_run *run_start(struct decide_run *run)
{
    struct offline_setup setup = {
        .class = &decide_class, .config = &run->config, .context = run, .output = take_output};
    struct err err = {0};

    ck_assert_msg(offline_open(&setup, &run->offline, &err) == ERR_NONE, "%s", err.text);
    decide_run_activate(run, "0s", run->sets[0]);
    return run;
}

struct decide_run *decide_run_open_sets(struct ruleset *const *sets, size_t count)
{
    struct decide_run *run = run_new();

    run->sets = sets;
    run->set_count = count;
    return run_start(run);
}

struct decide_run *decide_run_open(const struct rule_file *files)
{
    struct decide_run *run = run_new();

    run->own = decide_run_compile(files);
    run->sets = &run->own;
    run->set_count = 1;
    return run_start(run);
}

void decide_run_close(struct decide_run *run)
{
    offline_close(run->offline);
    ruleset_free(run->own);
    arena_free(run->arena);
    buf_free(&run->lines);
    buf_free(&run->said);
    buf_free(&run->task);
    buf_free(&run->permission);
    buf_free(&run->decision);
    mem_free(run->back);
    mem_free(run);
}

/* --- what goes in -------------------------------------------------------------------------------- */

static int64_t time_of(const char *at)
{
    bool before = at[0] == '-';
    int64_t span_ms;

    ck_assert_msg(when_parse_span_ms(str_of(at + (before ? 1 : 0)), &span_ms), "%s", at);
    return START_MS + (before ? -span_ms : span_ms);
}

static void read_back(struct decide_run *run)
{
    struct err err = {0};

    for (size_t i = 0; i < run->back_count; i++) {
        struct record again = run->back[i]; /* the list may move */

        again.offset = offline_next(run->offline);
        ck_assert_msg(offline_record(run->offline, &again, &err) == ERR_NONE, "%s", err.text);
    }
    run->back_count = 0;
}

static void send(struct decide_run *run, const struct record *record)
{
    struct err err = {0};

    ck_assert_msg(offline_record(run->offline, record, &err) == ERR_NONE, "%s", err.text);
    if (!run->held)
        read_back(run);
}

void decide_run_hold(struct decide_run *run, bool hold)
{
    run->held = hold;
    if (!hold)
        read_back(run);
}

static void send_event(struct decide_run *run, const char *customer, const char *at,
                       const char *time, const char *type, const char *data, const char *id)
{
    struct event event = {
        .id = id[0] != '\0' ? str_of(id) : arena_format(run->arena, "e%d", ++run->events),
        .source = STR("/test"),
        .type = str_of(type),
        .subject = str_of(customer),
        .partition_key = str_of(customer),
        .traceparent = STR("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        .time_ms = time_of(time[0] != '\0' ? time : at)};
    struct record record = {.offset = offline_next(run->offline),
                            .timestamp_ms = time_of(at),
                            .key = str_of(customer),
                            .value = str_of(data)};
    struct header *headers;

    record.header_count = event_headers(&event, run->arena, &headers);
    record.headers = headers;
    send(run, &record);
}

void decide_run_event_of(struct decide_run *run, const char *customer, const char *at,
                         const char *type, const char *data)
{
    send_event(run, customer, at, "", type, data, "");
}

void decide_run_late(struct decide_run *run, const char *at, const char *time, const char *type,
                     const char *data, const char *id)
{
    send_event(run, "c1", at, time, type, data, id);
}

void decide_run_event(struct decide_run *run, const char *at, const char *type, const char *data)
{
    decide_run_late(run, at, "", type, data, "");
}

void decide_run_outcome(struct decide_run *run, const char *at, const char *code, bool final)
{
    struct str data = arena_format(run->arena, "{\"task\":\"%.*s\",\"code\":\"%s\",\"final\":%s}",
                                   STR_ARG(run->task_id), code, final ? "true" : "false");

    decide_run_event(run, at, OUTCOME_EVENT_TYPE, data.data);
}

void decide_run_activate(struct decide_run *run, const char *at, const struct ruleset *set)
{
    const struct header header = {STR(CONTROL_HEADER), STR(CONTROL_ACTIVATE)};

    send(run, &(struct record){.offset = offline_next(run->offline),
                               .timestamp_ms = time_of(at),
                               .value = str_of(set->hash_hex),
                               .headers = &header,
                               .header_count = 1});
}

void decide_run_watermark(struct decide_run *run, const char *source, int partition, int partitions,
                          const char *until)
{
    const struct header header = {STR(CONTROL_HEADER), STR(CONTROL_WATERMARK)};
    struct watermark_part part = {partition, time_of(until)};
    struct buf json = {0};

    watermark_put_json(&json, &(struct watermark){.source = str_of(source),
                                                  .partitions = partitions,
                                                  .parts = &part,
                                                  .part_count = 1});
    send(run, &(struct record){.offset = offline_next(run->offline),
                               .timestamp_ms = START_MS,
                               .value = buf_str(&json),
                               .headers = &header,
                               .header_count = 1});
    buf_free(&json);
}

void decide_run_until(struct decide_run *run, const char *at)
{
    struct err err = {0};

    ck_assert_msg(offline_advance(run->offline, time_of(at), &err) == ERR_NONE, "%s", err.text);
}

struct decide_run *decide_run_open_asking(const char *facts, const char *say)
{
    char moment[1024];
    struct rule_file files[] = {
        EVENT_SCHEMAS, {"facts.yaml", facts}, {"moments/ask.yaml", moment}, {NULL, NULL}};

    snprintf(moment, sizeof moment,
             "moment: ask\ntitle: Ask\ntier: service\nabout: event.data.key\n"
             "when: [{event: c.three}]\nreason: \"%s\"\nact: [{channel: phone, wait: 1s}]\n"
             "deadline: 1s\n",
             say);
    return decide_run_open(files);
}

const char *decide_run_ask(struct decide_run *run, const char *at, const char *more)
{
    static char text[256];
    static int count;
    char data[64];
    const char *from;

    snprintf(data, sizeof data, "{\"key\":\"ask%d\"%s}", ++count, more);
    decide_run_event(run, at, "c.three", data);
    from = strstr(decide_run_task(run), "\"reason\":\"");
    ck_assert_ptr_nonnull(from);
    snprintf(text, sizeof text, "%s", from + strlen("\"reason\":\""));
    text[strcspn(text, "\"")] = '\0';
    return text;
}
