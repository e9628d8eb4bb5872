/* processors/cli/test_junit.h - results of rule tests as JUnit XML, for whatever shows test results.
 *
 * A suite for each file, a case for each case; `todo` is a skipped case.  A file that cannot be read
 * is a suite with one case that has an error.  No times: a case runs on a virtual clock.
 */
#ifndef ATTENT_PROCESSORS_CLI_TEST_JUNIT_H
#define ATTENT_PROCESSORS_CLI_TEST_JUNIT_H

#include "core/buf.h"
#include "core/err.h"
#include "processors/cli/test_run.h"

struct junit {                /* zero-initialised */
    struct buf suites, cases; /* cases: of the suite at hand */
    size_t tests, failures, errors, skipped;
};

void junit_case(struct junit *junit, struct str moment, const struct test_case *c,
                enum test_verdict verdict, struct str report);
void junit_suite(struct junit *junit, const char *file, bool readable, struct str findings);
enum err_code junit_write(const struct junit *junit, const char *path, struct err *err);
void junit_free(struct junit *junit);

#endif
