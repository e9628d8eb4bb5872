/* core/check.h - CHECK: a bug stops the process.
 *
 * For what can only be wrong when our own code is wrong.  It is always on, prints where, what
 * and the event that was being looked at, and aborts.  Bad input and a failing world are not
 * bugs: see core/err.h.
 */
#ifndef ATTENT_CORE_CHECK_H
#define ATTENT_CORE_CHECK_H

#define CHECK(cond) ((cond) ? (void)0 : check_failed(__FILE__, __LINE__, #cond))

/* A place that cannot be reached: behind a switch over every value of an enum. */
#define CHECK_NEVER(what) check_failed(__FILE__, __LINE__, what)

/* Name what this thread is working on (an event id, a file); borrowed until the next call.
 * NULL: nothing.  Printed when a CHECK of this thread fails. */
void check_context(const char *what);

_Noreturn void check_failed(const char *file, int line, const char *cond);

#endif
