/* tests/support/wait.h - the clock of those who wait for a server or a program.
 *
 * Not for unit tests, which have a clock of their own.  Any thread.
 */
#ifndef TESTS_SUPPORT_WAIT_H
#define TESTS_SUPPORT_WAIT_H

#include <stdint.h>

/* Milliseconds of the monotonic clock. */
int64_t wait_now_ms(void);

/* Let time pass between two looks. */
void wait_pause_ms(int ms);

#endif
