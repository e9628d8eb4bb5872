/* schemas/schema_infer.h - a first schema of an event type, from events that were seen.
 *
 * For a person to edit.  It says what all of them have in common: types, what is always there, values
 * that come again and again (enum), no number below 0 (minimum); what is only likely (ranges, how often
 * a field is missing) stands in the description.  No other text of an event is copied: it may be a
 * person's.  Each event that was seen fits it.
 */
#ifndef ATTENT_SCHEMAS_SCHEMA_INFER_H
#define ATTENT_SCHEMAS_SCHEMA_INFER_H

#include "core/json.h"

struct schema_infer;

struct schema_infer *schema_infer_new(void);
void schema_infer_free(struct schema_infer *infer); /* NULL allowed */

void schema_infer_see(struct schema_infer *infer, struct value data); /* an object */
size_t schema_infer_count(const struct schema_infer *infer);          /* of events seen */
size_t schema_infer_fields(const struct schema_infer *infer);         /* of data itself */

/* The schema of an event type, as a file. */
void schema_infer_write(const struct schema_infer *infer, struct str type, struct buf *out);

#endif
