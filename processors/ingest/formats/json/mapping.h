/* processors/ingest/formats/json/mapping.h - where an event's attributes stand in plain JSON.
 *
 * For producers that know nothing of CloudEvents:
 *
 *     {"order_no": "o1", "kind": "order.placed", "when": "2026-03-02T09:00:00Z",
 *      "customer": {"id": 17}, "amount": 12.5}
 *
 *     id: /order_no   type: /kind   time: /when   subject: /customer/id
 *
 * These are the options of json_format (../format.h).
 */
#ifndef ATTENT_PROCESSORS_INGEST_FORMATS_JSON_MAPPING_H
#define ATTENT_PROCESSORS_INGEST_FORMATS_JSON_MAPPING_H

#include "core/str.h"

enum mapping_from {
    MAPPING_NOTHING = 0, /* what the attribute does without, see struct mapping */
    MAPPING_CONSTANT,
    MAPPING_POINTER, /* a JSON Pointer */
};

struct mapping_origin {
    enum mapping_from from;
    struct str text; /* the constant or the pointer */
};

struct mapping {
    struct mapping_origin id;   /* nothing: topic/partition/offset */
    struct mapping_origin type; /* nothing is an error of the configuration */
    struct mapping_origin time; /* RFC 3339, or a whole number of ms; nothing: the event has none */
    struct mapping_origin subject; /* nothing: the record's key; a pointer to nothing: none */
    struct mapping_origin data;    /* nothing: the whole document */
    struct str source;             /* CloudEvents source; empty: the topic's name */
};

/* As written in the configuration: "" is nothing, "/..." a pointer, anything else a constant. */
struct mapping_origin mapping_origin_of(struct str text);

#endif
