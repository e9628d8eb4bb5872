/* core/clock.h - the only place that asks the system what time it is.
 *
 * Steps never call this: what they write is a function of the log, so their time comes from there
 * (docs/architecture.md).  Edges (ingest, dispatch, console, the worker's ticks) get their times from here.
 */
#ifndef ATTENT_CORE_CLOCK_H
#define ATTENT_CORE_CLOCK_H

#include <stdint.h>

int64_t clock_wall_ms(void); /* UTC, milliseconds since 1970 */
int64_t clock_mono_ms(void); /* never goes back; for spans and deadlines */
int64_t clock_mono_us(void);
int64_t clock_cpu_us(void);           /* CPU time of this process, user + system */
void clock_sleep_ms(int64_t span_ms); /* returns early on a signal */

#endif
