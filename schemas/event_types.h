/* schemas/event_types.h - the event types that are declared: a schema for each, by name.
 *
 * The name of a type is its file's name without ".json".  A set lives in the arena that it was
 * made in, is not changed once made, and may be read by any thread.
 */
#ifndef ATTENT_SCHEMAS_EVENT_TYPES_H
#define ATTENT_SCHEMAS_EVENT_TYPES_H

#include "schemas/schema.h"

struct event_types;

struct event_type_file {
    const char *path; /* "schemas/events/order.placed.json"; lives as long as the diags */
    struct str text;
};

/* NULL when diags got errors. */
struct event_types *event_types_read(const struct event_type_file *files, size_t count,
                                     struct arena *arena, struct diags *diags);

/* The same from the *.json files of a folder.  A folder or file that cannot be read is an error in
 * diags too; paths in diags live in arena. */
struct event_types *event_types_load(const char *dir, struct arena *arena, struct diags *diags);

/* NULL: not declared. */
const struct schema *event_types_find(const struct event_types *types, struct str type);

/* The same text as `type`, living as long as types; empty: not declared. */
struct str event_types_declared(const struct event_types *types, struct str type);

size_t event_types_count(const struct event_types *types);
struct str event_types_name(const struct event_types *types, size_t index); /* sorted by name */

#endif
