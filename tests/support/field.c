#include "tests/support/field.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/json.h"
#include "core/log.h"
#include "core/when.h"
#include "tests/support/scratch.h"

enum { ARGS_MAX = 24, RUN_MS_MAX = 120 * 1000, FLUSH_MS_MAX = 30 * 1000 };

static const char attent[] = "build/asan/attent";

/* --- servers, configuration, processes ---------------------------------------------------------- */

static void put_named(struct buf *out, const char *yaml, const char *name)
{
    const char *mark;

    for (; (mark = strstr(yaml, "{name}")) != NULL; yaml = mark + strlen("{name}")) {
        buf_put(out, (struct str){yaml, (size_t)(mark - yaml)});
        buf_put_text(out, name);
    }
    buf_put_text(out, yaml);
}

static void write_config(struct field *f, const char *yaml)
{
    struct buf text = {0};

    buf_put_format(&text,
                   "kafka: {brokers: \"%s\"}\nredis: {address: \"%s\"}\n"
                   "partitions: %d\nreplication: 1\ngroup: %s\ntopics: {prefix: %s.}\n",
                   f->kafka.brokers, server_address(f->redis), FIELD_PARTITIONS, f->name, f->name);
    put_named(&text, yaml, f->name);
    f->config = scratch_write(scratch_dir(), "attent.yaml", buf_text(&text));
    buf_free(&text);
}

void field_open(struct field *f, const char *name, struct server *kafka, const char *yaml)
{
    struct err err = {0};

    log_setup(LOG_ERROR, LOG_AUTO, true); /* of our own clients; attent's log is in its files */
    *f = (struct field){.name = name,
                        .kafka = {.brokers = server_address(kafka), .client_id = "test"},
                        .redis = redis_start(NULL),
                        .arena = arena_new(0)};
    write_config(f, yaml);
    free(field_run(f, 0, "topics", "--create", NULL));
    ck_assert_msg(kafka_producer_open(&f->kafka, NULL, &f->producer, &err) == ERR_NONE, "%s",
                  err.text);
}

void field_close(struct field *f)
{
    kafka_producer_close(f->producer);
    server_stop(f->redis);
    arena_free(f->arena);
}

const char *field_topic(struct field *f, const char *name)
{
    return arena_format(f->arena, "%s.%s", f->name, name).data;
}

static struct process *start(struct field *f, const char *verb, va_list more)
{
    const char *args[ARGS_MAX] = {attent, verb, "-c", f->config};
    size_t count = 4;

    while ((args[count] = va_arg(more, const char *)) != NULL)
        ck_assert_uint_lt(++count, ARGS_MAX);
    return process_start(args, NULL);
}

struct process *field_start(struct field *f, const char *verb, ...)
{
    struct process *process;
    va_list more;

    va_start(more, verb);
    process = start(f, verb, more);
    va_end(more);
    return process;
}

char *field_run(struct field *f, int exit_code, const char *verb, ...)
{
    struct process *process;
    va_list more;
    char *out;

    va_start(more, verb);
    process = start(f, verb, more);
    va_end(more);
    field_check(process, process_wait(process, RUN_MS_MAX) == exit_code, verb);
    out = strdup(process_stdout(process));
    process_free(process);
    return out;
}

void field_check(struct process *process, bool so, const char *what)
{
    enum { SHOWN_BYTES = 3000 };
    const char *said;
    size_t bytes;

    if (so)
        return;
    fputs(process_stdout(process), stdout);
    said = process_stderr(process);
    bytes = strlen(said);
    ck_abort_msg("%s (exit code %d); its last words:\n%s", what, process_wait(process, 0),
                 said + (bytes > SHOWN_BYTES ? bytes - SHOWN_BYTES : 0));
}

void field_ask_redis(struct field *f, const char *command, char *reply, size_t reply_bytes)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)server_port(f->redis, 0)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ssize_t got;

    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_gt(dprintf(fd, "%s\r\n", command), 0);
    got = recv(fd, reply, reply_bytes - 1, 0);
    ck_assert_int_gt(got, 0);
    reply[got] = '\0';
    close(fd);
}

/* --- what goes in ----------------------------------------------------------------------------- */

void field_flush(struct field *f)
{
    struct err err = {0};

    ck_assert_msg(kafka_flush(f->producer, FLUSH_MS_MAX, NULL, NULL, &err) == ERR_NONE, "%s",
                  err.text);
}

void field_put_record(struct field *f, const struct record *record)
{
    struct err err = {0};

    ck_assert_msg(kafka_produce(f->producer, record, &err) == ERR_NONE, "%s", err.text);
}

void field_send_record(struct field *f, const struct record *record)
{
    field_put_record(f, record);
    field_flush(f);
}

static void put_binary(struct field *f, struct record *record, const struct field_event *event,
                       struct str time)
{
    const struct header all[] = {
        {STR("ce_specversion"), STR("1.0")},
        {STR("ce_id"), str_of(event->id)},
        {STR("ce_source"), STR("/test/field")},
        {STR("ce_type"), str_of(event->type)},
        {STR("ce_subject"), str_of(event->customer)},
        {STR("ce_time"), time},
        {STR("content-type"), STR("application/json")},
        {STR("traceparent"), str_of(event->traceparent)},
    };
    struct header headers[sizeof all / sizeof all[0]];

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i].value.len != 0)
            headers[record->header_count++] = all[i];
    record->headers = headers;
    record->value = str_of(event->data);
    field_put_record(f, record);
}

static void put_structured(struct field *f, struct record *record, const struct field_event *event,
                           struct str time)
{
    static const struct header header = {STR("content-type"),
                                         STR("application/cloudevents+json; charset=UTF-8")};
    const struct {
        const char *key;
        struct str value;
    } attributes[] = {{"specversion", STR("1.0")},
                      {"id", str_of(event->id)},
                      {"source", STR("/test/field")},
                      {"type", str_of(event->type)},
                      {"subject", str_of(event->customer)},
                      {"time", time},
                      {"traceparent", str_of(event->traceparent)}};
    struct buf json = {0};
    struct json_writer w = json_writer_to(&json);

    json_open(&w, '{');
    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
        if (attributes[i].value.len == 0)
            continue;
        json_key(&w, attributes[i].key);
        json_str(&w, attributes[i].value);
    }
    json_key(&w, "data");
    json_raw(&w, str_of(event->data));
    json_close(&w, '}');
    record->headers = &header;
    record->header_count = 1;
    record->value = buf_str(&json);
    field_put_record(f, record);
    buf_free(&json);
}

void field_put(struct field *f, const char *topic, enum field_mode mode,
               const struct field_event *event)
{
    struct record record = {.topic = str_of(field_topic(f, topic)),
                            .partition = -1,
                            .timestamp_ms = event->at_ms,
                            .key = str_of(event->customer)};
    struct buf time = {0};

    when_put_rfc3339(&time, event->time_ms != 0 ? event->time_ms : event->at_ms);
    if (mode == FIELD_BINARY)
        put_binary(f, &record, event, buf_str(&time));
    else
        put_structured(f, &record, event, buf_str(&time));
    buf_free(&time);
}

void field_send(struct field *f, const char *topic, enum field_mode mode,
                const struct field_event *event)
{
    field_put(f, topic, mode, event);
    field_flush(f);
}

void field_tick(struct field *f, int64_t now_ms)
{
    static const struct header tick = {STR("attent-control"), STR("tick")};
    struct record record = {.topic = str_of(field_topic(f, "events")),
                            .timestamp_ms = now_ms,
                            .headers = &tick,
                            .header_count = 1};

    for (record.partition = 0; record.partition < FIELD_PARTITIONS; record.partition++)
        field_put_record(f, &record);
    field_flush(f);
}
