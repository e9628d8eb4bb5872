/* processors/ingest/ingest.h - where the world enters: source topics in, attent.events out.
 *
 *     sources --read--> convert --validated, keyed by customer--> attent.events
 *                          |`--that name only an alias, and bindings--> attent.identify (alias.h)
 *                          `--what cannot be taken, untouched --> <source>.dlq
 *
 * One transaction with its offsets per round over all partitions of this process, so a reader
 * with read_committed sees each record once and, per source partition, in order.  Ingest reads a
 * clock and its configuration: it is an edge, not a step, and knows no rules.
 *
 * Nothing that it reads stops it.  What can stop it is its surroundings (Kafka, a topic that is
 * not there); then ingest_poll says so, and goes on by itself once they are mended.
 *
 * @thread one thread per struct ingest
 */
#ifndef ATTENT_PROCESSORS_INGEST_INGEST_H
#define ATTENT_PROCESSORS_INGEST_INGEST_H

#include "connectors/geoip/geoip.h"
#include "connectors/kafka/kafka.h"
#include "processors/ingest/formats/format.h"
#include "processors/ingest/formats/json/mapping.h"
#include "schemas/event_types.h"
#include "schemas/identity.h"
#include "schemas/skip.h"

/* What becomes of a record that has a key and no value and is no event. */
enum tombstone {
    TOMBSTONE_DLQ = 0, /* a dead letter */
    TOMBSTONE_IGNORE,  /* nothing */
    TOMBSTONE_ERASE,   /* customer.erased, for its key */
};

struct ingest_source {
    const char *topic;
    const char *dlq_topic; /* several sources may share one */
    const struct format *format;
    struct mapping mapping; /* of json_format */
    enum tombstone tombstone;
    struct str ip; /* JSON Pointer into data: an address whose place is looked up; or empty */
    int64_t max_silence_ms; /* of sources.yaml; 0: it is not there, and has no watermark */
    bool
        by_alias; /* events of its types (sources.yaml) may go to attent.identify: so do its watermarks */
};

struct ingest_config { /* borrowed as long as the ingest is open, with all that it points to */
    struct kafka_settings kafka;
    const char *group;            /* "attent-ingest" */
    const char *transactional_id; /* another for each process, the same after a restart */
    const struct ingest_source *sources;
    size_t source_count;
    const char *events_topic;
    const char *identify_topic; /* asked for only with an identity */
    const struct identity
        *identity; /* of the rule set in force; NULL or empty: each event names its
                                        customer */
    const struct event_types *types;
    struct geoip *geo;             /* NULL: there is none, and no source has an `ip` */
    int64_t watermark_interval_ms; /* 0: none are written */
    /* Records that end the process are put aside and passed over (suspects.h); the skip is written to
     * rules_topic.  NULL: they are not. */
    const struct skip_store *skips;
    const char *rules_topic;
    size_t round_records_max; /* in one transaction; 0: as many as ingest thinks right */
    int64_t (*wall_ms)(void); /* clock_wall_ms; a test's own */
};

/* Sums of what has been committed. */
struct ingest_counts {
    uint64_t read, written, ignored, times_corrected, bad_aliases;
    uint64_t dead[EVENT_FAULT_COUNT]; /* by reason */
    uint64_t geo[GEOIP_ANSWER_COUNT]; /* addresses by what became of them */
    uint64_t transactions, aborted, watermarks;
};

struct ingest;

/* ERR_CONFIG: no source is given, or one whose mapping does not say the type of its events or gives a
 * source that is no URI reference, or one that has an `ip` that cannot be looked up. */
enum err_code ingest_check_sources(const struct ingest_config *config, struct err *err);

/* ERR_CONFIG: as ingest_check_sources says, or a topic is not there.  On any error *out is NULL. */
enum err_code ingest_open(const struct ingest_config *config, struct ingest **out, struct err *err);

/* One round: wait up to timeout_ms for records, convert and commit what is there.  Sets *count
 * (NULL allowed) to the records taken.  An error: this round changed nothing (or nobody knows,
 * which the next one finds out); call again, it waits a little and starts from what is committed.
 * ERR_STATE: a source partition stands still and needs a person; the others go on. */
enum err_code ingest_poll(struct ingest *in, int timeout_ms, size_t *count, struct err *err);

const struct ingest_counts *ingest_counts(const struct ingest *in);

/* Which sources are silent or cannot be read, as a sentence; nothing: none is. */
void ingest_report_silence(struct ingest *in, struct buf *out);

void ingest_close(struct ingest *in); /* leaves the group; NULL allowed */

#endif
