/* tests/support/suite.h - the main() of a Check program.
 *
 *   SUITE_MAIN("str", slices_are_clamped, nearest_name_is_found)
 */
#ifndef TESTS_SUPPORT_SUITE_H
#define TESTS_SUPPORT_SUITE_H

#include <check.h>
#include <stddef.h>

/* Run the tests of one suite, each in a process of its own unless CK_FORK=no; the exit status. */
int suite_run(const char *name, const TTest *const *tests, size_t count);

/* The same with a fixture around each test, in its process. */
int suite_run_around(const char *name, const TTest *const *tests, size_t count,
                     void (*set_up)(void), void (*tear_down)(void));

/* The same with a time limit per test in seconds and a fixture around all of them (NULL: none). */
int suite_run_with(const char *name, const TTest *const *tests, size_t count, double seconds,
                   void (*start)(void), void (*stop)(void));

#define SUITE_MAIN(name, ...)                                                                      \
    int main(void)                                                                                 \
    {                                                                                              \
        const TTest *const tests[] = {__VA_ARGS__};                                                \
        return suite_run((name), tests, sizeof tests / sizeof tests[0]);                           \
    }

#define SUITE_MAIN_AROUND(name, set_up, tear_down, ...)                                            \
    int main(void)                                                                                 \
    {                                                                                              \
        const TTest *const tests[] = {__VA_ARGS__};                                                \
        return suite_run_around((name), tests, sizeof tests / sizeof tests[0], (set_up),           \
                                (tear_down));                                                      \
    }

#endif
