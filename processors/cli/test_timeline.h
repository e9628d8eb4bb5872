/* processors/cli/test_timeline.h - a case drawn on a scale of time, and told line by line on the
 * customer's clock.
 *
 *              0d                   7d                  14d  ...
 *              +--------------------+--------------------+-
 *   events     1
 *   timers                                               2
 *   tasks                                                3=====4
 *   silences                                                   4
 *
 *   1  0d      Mon 02 Mar 09:00  event     vehicle.registered {vin: V1, weight_kg: 1900}
 *                                          new-car-uninsured about V1: step 1 of 2 ...
 */
#ifndef ATTENT_PROCESSORS_CLI_TEST_TIMELINE_H
#define ATTENT_PROCESSORS_CLI_TEST_TIMELINE_H

#include "processors/cli/test_run.h"

void test_timeline(struct buf *out, const struct test_story *result, bool colours);

#endif
