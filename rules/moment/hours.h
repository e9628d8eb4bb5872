/* rules/moment/hours.h - hours of a week as people write them: 21-08, mon-fri 18-21.
 *
 * Whole hours; a span over midnight belongs to the day on which it begins.  A week is a bitmap: bit h of
 * hours[d], d = 0 is Sunday.
 */
#ifndef ATTENT_RULES_MOMENT_HOURS_H
#define ATTENT_RULES_MOMENT_HOURS_H

#include <stdint.h>

#include "core/str.h"

/* "08-18", or over midnight "21-08": what is past 24 belongs to the next day.  False: it is none. */
bool hours_span(struct str s, unsigned *from, unsigned *to);
/* "mon-fri", "sat", "daily"; what is past 6 belongs to the next week. */
bool hours_days(struct str s, unsigned *first, unsigned *last);
/* Add a span on these days; both can be read. */
void hours_set(uint32_t hours[7], struct str days, struct str span);

/* A wish that came as one text: "18-21", "mon-fri 18-21, sat 10-12".  False: it cannot be read, hours is
 * as it was. */
bool hours_read(struct str text, uint32_t hours[7]);

#endif
