/* tests/support/watch.h - all that some topics hold, read from their beginning and kept.
 *
 * A reader without a group, as an outsider would be (read_committed).  The records are in the
 * order of arrival: that of the log within a partition, any order between partitions.
 * One thread.
 */
#ifndef TESTS_SUPPORT_WATCH_H
#define TESTS_SUPPORT_WATCH_H

#include "connectors/kafka/kafka.h"

struct watch;

/* topics: names, NULL at the end; one that is not there is waited for.  Fails the test if it cannot read. */
struct watch *watch_open(const struct kafka_settings *kafka, const char *const *topics);
void watch_close(struct watch *watch); /* NULL allowed */

/* Wait up to timeout_ms for something new and take what there is. */
void watch_poll(struct watch *watch, int timeout_ms);

/* Read on until every partition has been read to its end.  The end is that of now only for a
 * watch that was opened after the last writer was done.  Fails the test after a minute. */
void watch_to_end(struct watch *watch);

/* What has come so far; valid until watch_close. */
size_t watch_count(const struct watch *watch);
const struct record *watch_at(const struct watch *watch, size_t index);
size_t watch_count_of(const struct watch *watch, const char *topic);

/* Number n (0: the first) of the records of this topic with this key (NULL: any); waits for it.
 * NULL: it did not come in time. */
const struct record *watch_nth(struct watch *watch, const char *topic, const char *key, size_t n,
                               int timeout_ms);

#endif
