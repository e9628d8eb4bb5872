/* tests/support/lives.h - kill -9 at each step of a role (core/fail_points.def).
 *
 * A life is a process with topics of its own, in which something dies at a step and something else
 * takes over.  All lives go side by side: most of their time is the broker's, which waits for the
 * dead to come back.
 */
#ifndef TESTS_SUPPORT_LIVES_H
#define TESTS_SUPPORT_LIVES_H

#include "core/fail_point.h"

/* "steps-PLANNED-1", valid until the next call. */
const char *lives_name(enum fail_point point, int pass);

/* A life for each step of the role and each pass from 1 to `passes`; it fails like a test.  Fails the
 * test if one has failed. */
void lives_run(const char *role, int passes, void (*live)(enum fail_point point, int pass));

#endif
