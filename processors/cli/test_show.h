/* processors/cli/test_show.h - what a case did, in words for the person who wrote it.
 *
 *   line 117: expected, did not come:
 *     {at: 14d, silent: not_eligible}
 *     silent at that time, but for another reason: not_relevant
 *   what came:
 *     silence     {at: 14d, silent: not_relevant}  new-car-uninsured about V1, Mon 16 Mar 09:00
 *       yes  eligible     customer.country = NL (customer.country == "NL")
 *       no   relevant     customer.policy_change_pending = true since 4d (...)
 *
 * What came is printed as it would be written under `expect:`.
 */
#ifndef ATTENT_PROCESSORS_CLI_TEST_SHOW_H
#define ATTENT_PROCESSORS_CLI_TEST_SHOW_H

#include "processors/cli/test_run.h"

/* Of a case that failed, or `all` of any that ran.  moment: the one that is tested.  Lines are
 * indented by four. */
void test_show(struct buf *out, const struct test_story *result, struct str moment, bool all,
               bool colours);

/* A time as tests are written: 14d2h after the start; before it, the time itself. */
void test_put_time(struct buf *out, const struct test_case *c, int64_t at_ms);
/* "Mon 16 Mar 09:00" on the customer's clock, UTC if that is not known. */
void test_put_local(struct buf *out, const struct test_case *c, int64_t at_ms);
/* A detail of a stage with its times, RFC 3339 in UTC, on the customer's clock instead. */
void test_put_detail(struct buf *out, const struct test_case *c, struct str detail);

/* "step 2 of 2 (absent policy.updated)" */
void test_put_step(struct buf *out, const struct ruleset *set, const struct moment *moment,
                   size_t step);

#endif
