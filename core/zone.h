/* core/zone.h - time zones: the system's zone data (TZif, RFC 8536), read by us.
 *
 * The C library's own functions keep one zone per process, so they can't serve many customers.
 * A zone is loaded at its first use and lives until the process ends; looking up a loaded zone
 * and asking it is pure.  Any thread.
 */
#ifndef ATTENT_CORE_ZONE_H
#define ATTENT_CORE_ZONE_H

#include <stdint.h>

#include "core/str.h"

struct zone;

/* The zone of an IANA name ("Europe/Amsterdam"), "UTC", or a fixed offset ("+02:00").
 * NULL: there is none of that name (names that would leave the folder never are). */
const struct zone *zone_find(struct str name);

/* Wall clock of a place. */
struct zone_local {
    int64_t year;
    int month; /* 1..12 */
    int day;   /* 1..31 */
    int hour, minute, second;
    int weekday; /* 0 = Sunday */
    int yearday; /* 0 = 1 January */
};

int32_t zone_offset_s(const struct zone *zone, int64_t at_s); /* east of UTC is positive */
struct zone_local zone_to_local(const struct zone *zone, int64_t at_s);

/* The UTC second of a wall-clock time.  In a gap: the first valid instant after it; where the
 * time comes twice: the first.  Fields out of range carry over (day 32 = the next month). */
int64_t zone_to_utc_s(const struct zone *zone, int64_t year, int month, int day, int hour,
                      int minute, int second);

/* Which zone data this is (its version and content), for the rule set: "2024a-<hash>". */
struct str zone_data_version(void);

/* --- for tests ------------------------------------------------------------------------------- */

void zone_set_folder(const char *path); /* read zones from here; those already read stay */

/* A zone from the bytes of a TZif file, without a name; NULL: malformed.  Caller releases. */
struct zone *zone_read(struct str data);
void zone_release(struct zone *zone); /* only of zone_read; NULL allowed */

#endif
