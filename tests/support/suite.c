#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

enum { SECONDS_PER_TEST = 60 }; /* sanitizers on a loaded machine are slow */

static int run(const char *name, TCase *group, const TTest *const *tests, size_t count)
{
    Suite *suite = suite_create(name);
    SRunner *runner;
    const char *only = getenv("ONLY");
    int failed;

    for (size_t i = 0; i < count; i++)
        if (only == NULL || strstr(tests[i]->name, only) != NULL)
            tcase_add_test(group, tests[i]);
    suite_add_tcase(suite, group);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int suite_run_with(const char *name, const TTest *const *tests, size_t count, double seconds,
                   void (*start)(void), void (*stop)(void))
{
    TCase *group = tcase_create(name);

    tcase_set_timeout(group, seconds);
    if (start != NULL)
        tcase_add_unchecked_fixture(group, start, stop);
    return run(name, group, tests, count);
}

int suite_run_around(const char *name, const TTest *const *tests, size_t count,
                     void (*set_up)(void), void (*tear_down)(void))
{
    TCase *group = tcase_create(name);

    tcase_set_timeout(group, SECONDS_PER_TEST);
    tcase_add_checked_fixture(group, set_up, tear_down);
    return run(name, group, tests, count);
}

int suite_run(const char *name, const TTest *const *tests, size_t count)
{
    return suite_run_with(name, tests, count, SECONDS_PER_TEST, NULL, NULL);
}
