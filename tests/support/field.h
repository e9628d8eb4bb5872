/* tests/support/field.h - attent in the field: a real Kafka, a Redis of its own, a configuration,
 * processes of the sanitizer build, and events that go in.
 *
 *     field_open(&field, "story", kafka, "time: log\n");
 *     attent = field_start(&field, "run", "--role", "decide", NULL);
 *     field_send(&field, "crm", FIELD_BINARY, &(struct field_event){...});
 *     ...
 *     field_close(&field);
 *
 * All topics of a field begin with its name, so several fields may stand in one Kafka.  Nothing
 * here returns a failure: it fails the test and says why.  One thread.
 */
#ifndef TESTS_SUPPORT_FIELD_H
#define TESTS_SUPPORT_FIELD_H

#include "connectors/kafka/kafka.h"
#include "tests/support/process.h"
#include "tests/support/server.h"

enum { FIELD_PARTITIONS = 4 };

struct field {
    const char *name;
    struct kafka_settings kafka;
    struct server *redis;
    const char *config; /* path of attent.yaml */
    struct kafka_producer *producer;
    struct arena *arena; /* of the names that field_topic gives */
};

/* yaml: more lines for attent.yaml; "{name}" in it stands for the field's name.  Makes the topics
 * by `attent topics --create`.  The Kafka server is borrowed. */
void field_open(struct field *field, const char *name, struct server *kafka, const char *yaml);
void field_close(struct field *field);

/* "events" -> "NAME.events", valid until field_close. */
const char *field_topic(struct field *field, const char *name);

/* Start `attent VERB -c CONFIG ...`; the list ends with NULL.  To be freed with process_free. */
struct process *field_start(struct field *field, const char *verb, ...) __attribute__((sentinel));

/* The same, to its end: standard output, to be freed by the caller.  Fails the test if the exit
 * code is another. */
char *field_run(struct field *field, int exit_code, const char *verb, ...)
    __attribute__((sentinel));

/* Fail the test with what a process has said, unless it is so. */
void field_check(struct process *process, bool so, const char *what);

/* One command without blanks inside its words ("FLUSHALL"); the reply's first bytes. */
void field_ask_redis(struct field *field, const char *command, char *reply, size_t reply_bytes);

/* --- what goes in ----------------------------------------------------------------------------- */

enum field_mode { FIELD_BINARY, FIELD_STRUCTURED };

struct field_event {
    const char *id;
    const char *customer;
    const char *type;
    const char *data;        /* JSON */
    int64_t at_ms;           /* the record's time */
    int64_t time_ms;         /* of the event; 0: at_ms */
    const char *traceparent; /* NULL: none */
};

/* Write to a topic of the field; returns when Kafka has it.  field_put only queues it. */
void field_send(struct field *field, const char *topic, enum field_mode mode,
                const struct field_event *event);
void field_put(struct field *field, const char *topic, enum field_mode mode,
               const struct field_event *event);
void field_send_record(struct field *field, const struct record *record); /* as it stands */
void field_put_record(struct field *field, const struct record *record);
void field_flush(struct field *field);

/* A tick in every partition of events: the log's time has come to now_ms. */
void field_tick(struct field *field, int64_t now_ms);

#endif
