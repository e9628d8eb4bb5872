/* processors/cli/scan.h - read a topic once: from its first record, or some before its end, to what is its
 * end now.
 *
 * Joins no group.  For rules, `why`, `replay` and samples; what comes in while it reads may be left out.
 */
#ifndef ATTENT_PROCESSORS_CLI_SCAN_H
#define ATTENT_PROCESSORS_CLI_SCAN_H

#include "connectors/kafka/kafka.h"

enum { SCAN_ALL = -1 };

struct scan {
    const struct kafka_settings *kafka;
    const char *topic;
    int32_t partition; /* SCAN_ALL: every one, each in order */
    int64_t newest;    /* about so many in all, the newest that are there; 0: all */
    int64_t from;      /* of one partition: the first offset that is read; 0: all that are there */
    int64_t until;     /* the first that is not; 0: what is the end now */
    void *context;
    /* One record, borrowed.  An error ends the scan and is its result. */
    enum err_code (*record)(void *context, const struct record *record, struct err *err);
};

/* ERR_DOWN: the topic is not there, or Kafka does not answer.  ERR_STATE: the log does not go back to
 * `from` any more. */
enum err_code scan_topic(const struct scan *scan, struct err *err);

#endif
