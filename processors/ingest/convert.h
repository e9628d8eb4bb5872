/* processors/ingest/convert.h - one source record to one event, or to the reason why not.
 *
 * Pure but for the time and the database of addresses that it is given: no Kafka, no clock.  The event
 * goes out in binary mode, key = customer, or alias (alias.h), timestamp = the record's own, but never
 * later than now + 60 s.
 */
#ifndef ATTENT_PROCESSORS_INGEST_CONVERT_H
#define ATTENT_PROCESSORS_INGEST_CONVERT_H

#include "processors/ingest/ingest.h"

struct converted {
    enum event_fault fault; /* EVENT_FINE: record is the event to write */
    bool ignored;           /* with EVENT_FINE: there is nothing to write (a tombstone) */
    struct str type;        /* of the event, if it is a declared one; lives as long as the types */
    struct record record;   /* in arena, or borrowed from what was read */
    struct message message; /* what the record says, as far as it could be read */
    struct record *more;    /* to attent.identify, beside it (alias.h) */
    size_t more_count;
    uint64_t bad_aliases; /* fields that bind or unbind and hold no alias: left out */
    bool time_corrected;
    bool geo_asked; /* it has an address */
    enum geoip_answer geo;
};

/* err: what exactly is wrong, for people; NULL allowed. */
struct converted ingest_convert(const struct ingest_config *config,
                                const struct ingest_source *source, const struct record *record,
                                int64_t now_ms, struct arena *arena, struct err *err);

/* The record for the dead-letter topic: as it was, with Kafka Connect's __connect.errors.*
 * headers, attent-reason and what err says.  A record that is so larger than bytes_max (what Kafka
 * takes) loses its value (header attent-cut: value), and if that is not enough also its key and
 * headers (attent-cut: all); topic, partition and offset always say where the original is.  A
 * timestamp that Kafka would not take becomes now_ms (header attent-timestamp: as it was). */
struct record ingest_dead_letter(const struct ingest_source *source, const struct record *record,
                                 enum event_fault fault, const struct err *err, int64_t now_ms,
                                 size_t bytes_max, struct arena *arena);

#endif
