/* tests/sim/coroutine.h - a second stack to run on, and back.
 *
 * One thread; no coroutine starts another.  One that is abandoned leaves its stack to the next.
 */
#ifndef TESTS_SIM_COROUTINE_H
#define TESTS_SIM_COROUTINE_H

#include <stdbool.h>

struct coroutine;

struct coroutine *coroutine_new(void (*main)(void *context), void *context);
void coroutine_free(
    struct coroutine *c); /* at whatever point it stands; what it has allocated leaks */

/* Run it until it leaves; false: its main has returned. */
bool coroutine_enter(struct coroutine *c);

/* Back to who entered. */
void coroutine_leave(void);

#endif
