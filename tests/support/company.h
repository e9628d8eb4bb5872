/* tests/support/company.h - a company that uses attent: three source systems, three teams of a contact
 * centre, and all roles of attent in one process.
 *
 *   NAME.crm, NAME.vehicles   CloudEvents     NAME.billing   JSON of its own, mapped
 *   NAME.queue.billing, .garage, .insurance   where tasks go
 *
 * Each event is written when the ones before have passed ingest, so their order in the events
 * topic is that of the test.  Fails the test, as a field does.  One thread.
 */
#ifndef TESTS_SUPPORT_COMPANY_H
#define TESTS_SUPPORT_COMPANY_H

#include "tests/support/field.h"
#include "tests/support/watch.h"

enum { COMPANY_SOURCE_PARTITIONS = 2, COMPANY_WAIT_MS_MAX = 60 * 1000 };

struct company {
    struct field field;
    struct process *attent; /* attent run, all roles */
    struct watch *watch;    /* of events, decisions, queues and dead letters */
    struct arena *arena;
    int events; /* written to sources so far */
};

/* yaml: more lines for attent.yaml, "time: log\n" as a rule. */
void company_open(struct company *c, const char *name, struct server *kafka, const char *yaml);
void company_close(struct company *c);

/* SIGTERM; it must end with 0 in less than 5 s. */
void company_end(struct company *c);

/* "2025-03-04T10:00:00+01:00" in ms. */
int64_t company_at(const char *text);

/* A CloudEvent about a customer, written to a source. */
void company_tell(struct company *c, const char *source, enum field_mode mode, const char *customer,
                  const char *at, const char *type, const char *data);

/* A record of billing: JSON of its own, its key is the invoice. */
void company_bill(struct company *c, const char *customer, const char *at, const char *kind,
                  const char *invoice);

/* Wait until all that was written has passed ingest. */
void company_await_ingest(struct company *c);

/* Ticks, as the log's time is the clock. */
void company_time_passes(struct company *c, const char *until);

/* Number n (0: the first) of the records with this key in a topic of the field. */
const struct record *company_await(struct company *c, const char *topic, const char *key, size_t n);

/* How many records a topic holds in the end. */
size_t company_count(struct company *c, const char *topic);

#endif
