#include "tests/support/sample.h"

#include "schemas/event.h"

struct task sample_task(const char *id)
{
    static struct task_fact facts[] = {
        {STR("weight_kg"), STR("Weight"), {.kind = VALUE_DOUBLE, .d = 1900}, STR("kg")}};
    static struct task_outcome outcomes[] = {{STR("declined"), STR("end")},
                                             {STR("not_reached"), STR("next")}};

    return (struct task){.id = str_of(id),
                         .moment = STR("new-car-uninsured"),
                         .title = STR("New car, policy still on the old one"),
                         .version = STR("0a1b2c3d"),
                         .rule_set = STR("00112233445566778899aabbccddeeff"),
                         .customer = STR("C-1"),
                         .about = STR("V1"),
                         .tier = STR("care"),
                         .purpose = STR("care"),
                         .channel = STR("phone"),
                         .queue = STR("insurance"),
                         .reason = STR("A new car was registered 14 days ago."),
                         .say = STR("Your new Volvo is heavier than the car on your policy."),
                         .facts = facts,
                         .fact_count = 1,
                         .outcomes = outcomes,
                         .outcome_count = 2,
                         .created_ms = SAMPLE_CREATED_MS,
                         .deadline_ms = SAMPLE_CREATED_MS + INT64_C(7) * 24 * 3600 * 1000,
                         .attempt = 1,
                         .decision = STR("ffeeddccbbaa99887766554433221100")};
}

struct withdrawal sample_withdrawal(const char *id)
{
    return (struct withdrawal){.task = str_of(id),
                               .customer = STR("C-1"),
                               .moment = STR("new-car-uninsured"),
                               .about = STR("V1"),
                               .channel = STR("phone"),
                               .queue = STR("insurance"),
                               .reason = STR("withdrawn"),
                               .because = STR("policy.updated"),
                               .created_ms = SAMPLE_CREATED_MS + 60000};
}

static struct record make_record(const struct event *event, struct buf *json, struct arena *arena)
{
    struct record record = {.topic = STR("attent.tasks"),
                            .timestamp_ms = event->time_ms,
                            .key = event->subject,
                            .value = arena_str(arena, buf_str(json))};
    struct header *headers;

    record.header_count = event_headers(event, arena, &headers);
    record.headers = headers;
    buf_free(json);
    return record;
}

struct record sample_task_record(const struct task *task, struct arena *arena)
{
    const struct event event = {.id = task->id,
                                .source = STR("/attent/decide"),
                                .type = STR(TASK_CE_TYPE),
                                .subject = task->customer,
                                .partition_key = task->customer,
                                .time_ms = task->created_ms};
    struct buf json = {0};

    task_put_json(&json, task);
    return make_record(&event, &json, arena);
}

struct record sample_withdrawal_record(const struct withdrawal *w, struct arena *arena)
{
    const struct event event = {.id = arena_format(arena, "%.*s-withdrawn", STR_ARG(w->task)),
                                .source = STR("/attent/decide"),
                                .type = STR(WITHDRAWAL_CE_TYPE),
                                .subject = w->customer,
                                .partition_key = w->customer,
                                .time_ms = w->created_ms};
    struct buf json = {0};

    withdrawal_put_json(&json, w);
    return make_record(&event, &json, arena);
}

struct record sample_numbered(struct record record, struct chain *last, const char *from,
                              uint64_t generation, struct arena *arena)
{
    struct chain_stamp *stamp = ARENA_NEW(arena, struct chain_stamp);
    struct header *headers = ARENA_ARRAY(arena, struct header, record.header_count + CHAIN_HEADERS);
    struct buf scratch = {0};

    chain_stamp(last, generation, str_of(from), &record, &scratch, stamp, headers);
    if (record.header_count != 0)
        memcpy(headers + CHAIN_HEADERS, record.headers, record.header_count * sizeof *headers);
    record.headers = headers;
    record.header_count += CHAIN_HEADERS;
    buf_free(&scratch);
    return record;
}
