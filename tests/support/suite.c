#include "tests/support/suite.h"

#include <stdlib.h>

enum { SECONDS_PER_TEST = 30 }; /* sanitizers on a loaded machine are slow */

int suite_run_with(const char *name, const TTest *const *tests, size_t count, double seconds,
                   void (*start)(void), void (*stop)(void))
{
    Suite *suite = suite_create(name);
    TCase *group = tcase_create(name);
    SRunner *runner;
    int failed;

    tcase_set_timeout(group, seconds);
    if (start != NULL)
        tcase_add_unchecked_fixture(group, start, stop);
    for (size_t i = 0; i < count; i++)
        tcase_add_test(group, tests[i]);
    suite_add_tcase(suite, group);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int suite_run(const char *name, const TTest *const *tests, size_t count)
{
    return suite_run_with(name, tests, count, SECONDS_PER_TEST, NULL, NULL);
}
