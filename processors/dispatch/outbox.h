/* processors/dispatch/outbox.h - records that have to be in Kafka before somebody is thanked.
 *
 * Several threads write at once; what they write while a flush runs goes with the next one, so a
 * flush is shared by as many as wait for it.  Idempotent, without transactions: a record of which
 * nobody knows whether it is in is written again by whoever is asked again, and its reader knows
 * it by its id.
 */
#ifndef ATTENT_PROCESSORS_DISPATCH_OUTBOX_H
#define ATTENT_PROCESSORS_DISPATCH_OUTBOX_H

#include "connectors/kafka/kafka.h"

struct outbox;

struct outbox *outbox_open(const struct kafka_settings *kafka); /* borrowed; connects when needed */
void outbox_close(struct outbox *outbox); /* nobody writes any more; NULL allowed */

/* Any thread.  ERR_NONE: Kafka has acknowledged all of them.  Else: perhaps it has some. */
enum err_code outbox_write(struct outbox *outbox, const struct record *records, size_t count,
                           struct err *err);

#endif
