#include "processors/cli/demo_parts.h"

#include <inttypes.h>

static enum err_code send(struct demo *demo, const char *topic, struct str key, struct str value,
                          int32_t partition, const struct header *header, struct err *err)
{
    struct record record = {.topic = str_of(topic),
                            .partition = partition,
                            .timestamp_ms = demo->now_ms,
                            .key = key,
                            .value = value,
                            .headers = header,
                            .header_count = header != NULL ? 1 : 0};
    enum err_code code = kafka_produce(demo->producer, &record, err);

    return code == ERR_NONE ? kafka_flush(demo->producer, DEMO_ANSWER_MS_MAX, NULL, NULL, err)
                            : code;
}

enum err_code demo_send_event(struct demo *demo, const char *topic, const char *customer,
                              const char *type, struct str data, struct err *err)
{
    struct buf out = {0};
    struct json_writer w = json_writer_to(&out);
    enum err_code code;

    json_open(&w, '{');
    json_key(&w, "specversion");
    json_str(&w, STR("1.0"));
    json_key(&w, "id");
    json_str(&w, arena_format(demo->arena, "demo-%" PRIu64, ++demo->sent));
    json_key(&w, "source");
    json_str(&w, arena_format(demo->arena, "/demo/%s", topic));
    json_key(&w, "type");
    json_str(&w, str_of(type));
    if (customer != NULL) {
        json_key(&w, "subject");
        json_str(&w, str_of(customer));
    }
    json_key(&w, "time");
    json_time(&w, demo->now_ms);
    json_key(&w, "data");
    json_raw(&w, data);
    json_close(&w, '}');
    code = send(demo, topic, str_of(customer), buf_str(&out), -1, NULL, err);
    buf_free(&out);
    return code;
}

enum err_code demo_send_ticks(struct demo *demo, struct err *err)
{
    const struct header tick = {STR("attent-control"), STR("tick")};
    enum err_code code = demo_wait_until(demo, demo_has_arrived, err);

    for (int p = 0; code == ERR_NONE && p < demo->config->partitions; p++)
        code = send(demo, demo->config->events, STR_EMPTY, STR_EMPTY, p, &tick, err);
    return code;
}

enum err_code demo_send_outcome(struct demo *demo, size_t index, const char *result,
                                struct err *err)
{
    const struct task task = demo->open[index];
    struct outcome outcome = {.task = task.id,
                              .moment = task.moment,
                              .about = task.about,
                              .channel = task.channel,
                              .attempt = task.attempt,
                              .code = str_of(result),
                              .final = true};
    struct buf data = {0};
    enum err_code code;

    outcome_put_json(&data, &outcome);
    if (demo->scene != NULL)
        picture_mark(&demo->picture, task.customer, task.moment, task.about, str_of(result), true);
    demo_close_task(demo, index);
    code = demo_send_event(demo, demo->config->outcomes, arena_str(demo->arena, task.customer).data,
                           OUTCOME_EVENT_TYPE, buf_str(&data), err);
    buf_free(&data);
    return code;
}
