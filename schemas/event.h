/* schemas/event.h - a CloudEvent (CloudEvents 1.0, and its Kafka protocol binding).
 *
 *   binary mode      headers ce_id, ce_type, ...; value = data
 *   structured mode  content-type: application/cloudevents+json (or no ce_ headers and a JSON
 *                    object with "specversion"); value = the whole envelope
 *
 * Reading never fails half-way: either every attribute needed is there and well formed, or the
 * event has a fault with a reason code for the dead-letter topic.  data is JSON; data_base64 and
 * other content types are refused.  Of extension attributes partitionkey, traceparent and those of
 * schemas/geo.def are read, others are read over.
 */
#ifndef ATTENT_SCHEMAS_EVENT_H
#define ATTENT_SCHEMAS_EVENT_H

#include "core/json.h"
#include "core/record.h"

enum event_fault {
#define FAULT(name, code, text) EVENT_##name,
#include "schemas/event_faults.def"
#undef FAULT
    EVENT_FAULT_COUNT
};

const char *event_fault_code(enum event_fault fault); /* "bad_json", for headers and metrics */
const char *event_fault_text(enum event_fault fault);

enum geo { /* where the event's address is */
#define GEO(name, word, attribute, bytes_max, text) GEO_##name,
#include "schemas/geo.def"
#undef GEO
           GEO_COUNT
};

struct event {
    struct str id;
    struct str source;
    struct str type;
    struct str subject;     /* as the producer wrote it; empty: none */
    struct str traceparent; /* W3C trace context; empty: none */
    struct str partition_key;
    struct str schema;         /* dataschema; empty: none */
    struct str geo[GEO_COUNT]; /* empty: not known */
    int64_t time_ms;           /* CloudEvents time, corrected: never after the record's timestamp */
    int64_t time_cut_ms;     /* so much was cut: time_ms + time_cut_ms is what the producer wrote */
    bool time_corrected;     /* more than 60 s were cut */
    struct str data;         /* JSON text of data in binary mode, else empty */
    struct value data_value; /* data when read whole, else VALUE_NONE; no data: an empty map */
};

/* What a reader wants of events: which fields of data of which type, into which slots.  Made
 * from a rule set; one for all types together serves structured mode, one per type binary mode. */
struct event_reader;

struct event_reader *event_reader_new(void);
/* type: the event type; path: below data, JSON Pointer form ("/vin"); slot < slot_count later,
 * the same for a path in all types. */
void event_reader_add(struct event_reader *reader, struct str type, struct str path, uint32_t slot);
/* Listen to a type of which no field is wanted. */
void event_reader_listen(struct event_reader *reader, struct str type);
void event_reader_free(struct event_reader *reader);

/* The type alone, borrowed from the record, for who wants to drop it at a glance.  Empty: it cannot
 * be told so, read the event. */
struct str event_peek_type(const struct record *record);

/* Read a record with only the wanted fields (the hot path).  Slots in fields[] of wanted fields
 * that are not there are left untouched: the caller clears them.  A type that the reader does not
 * know gives *listened = false; then nothing but out->type is set, and the rest of the record may
 * not have been looked at.  In structured mode slots that other types want of the same path may be filled too.
 * Texts live in arena or are borrowed from the record. */
enum event_fault event_read(const struct event_reader *reader, const struct record *record,
                            struct arena *arena, struct event *out, struct value *fields,
                            bool *listened, struct err *err);

/* Read a record of attent's own topics whole: all attributes, and data parsed into out->data_value.  (What
 * comes from outside is read by processors/ingest/formats, to the letter.) */
enum event_fault event_read_whole(const struct record *record, struct arena *arena,
                                  struct event *out, struct err *err);

/* Is this what an attribute may hold: UTF-8 without control characters, at most bytes_max long?
 * EVENT_FINE, EVENT_BAD_UTF8 or EVENT_BAD_ATTRIBUTE, with a sentence about `name`. */
enum event_fault event_check_text(const char *name, struct str text, size_t bytes_max,
                                  struct err *err);

/* EVENT_FINE or EVENT_TOO_LARGE (LIMIT_EVENT_BYTES). */
enum event_fault event_check_size(const struct record *record, struct err *err);

/* The header traceparent, else the attribute of that name, if it is one; otherwise empty. */
struct str event_traceparent(const struct record *record, struct str attribute);

/* Set time_ms, time_cut_ms and time_corrected from the time that the producer wrote. */
void event_set_time(struct event *event, int64_t written_ms, int64_t record_ms);

/* The fault of a document that json_parse refused. */
enum event_fault event_fault_of_json(enum json_fault fault);

/* Headers of binary mode for an event (ce_specversion, ce_id, ...; ce_partitionkey, traceparent,
 * content-type: application/json).  Returns the count; the array lives in arena. */
size_t event_headers(const struct event *event, struct arena *arena, struct header **out);

#endif
