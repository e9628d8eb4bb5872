/* processors/ingest/formats/media.h - media types (RFC 2045, section 5.1): "text/plain; charset=utf-8". */
#ifndef ATTENT_PROCESSORS_INGEST_FORMATS_MEDIA_H
#define ATTENT_PROCESSORS_INGEST_FORMATS_MEDIA_H

#include "core/str.h"

bool media_is_type(struct str text); /* is it well formed? */

/* Type and subtype, without parameters; compare it with media_is. */
struct str media_essence(struct str text);
bool media_is(struct str essence, const char *name); /* upper and lower case are the same */
bool media_starts(struct str essence, const char *lower_case); /* likewise */

bool media_is_json(struct str text);   /* any/json, any/any+json */
bool media_is_binary(struct str text); /* pictures, sound, films, application/octet-stream */

/* Its charset is UTF-8 or a part of it, or not given. */
bool media_is_utf8(struct str text);

#endif
