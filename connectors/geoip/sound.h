/* connectors/geoip/sound.h - is the data section of a database what the format says?
 *
 * libmaxminddb follows what stands in a file: a pointer to itself, or lists in lists in lists, would
 * send it round for ever.  So before it reads a record, that record is walked here, with a bound on
 * depth and on how much there is.
 */
#ifndef ATTENT_CONNECTORS_GEOIP_SOUND_H
#define ATTENT_CONNECTORS_GEOIP_SOUND_H

#include "core/str.h"

/* Where the metadata begins (behind its mark) in a whole file; false: it is no such file. */
bool sound_metadata(struct str file, struct str *metadata);

/* Is the value at `offset` of a section well formed, and what hangs on it? */
bool sound_value(struct str section, size_t offset);

#endif
