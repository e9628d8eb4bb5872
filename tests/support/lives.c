#include "tests/support/lives.h"

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PASSES_MAX = 8, NAME_BYTES = 64 };

static const struct {
    const char *role, *name;
} points[FAIL_POINT_COUNT] = {
#define FAIL_POINT(role, name, text) {#role, #name},
#include "core/fail_points.def"
#undef FAIL_POINT
};

const char *lives_name(enum fail_point point, int pass)
{
    static char name[NAME_BYTES];

    snprintf(name, sizeof name, "steps-%s-%d", points[point].name, pass);
    return name;
}

/* Failed checks end it with another status than 0. */
static pid_t begin(void (*live)(enum fail_point point, int pass), enum fail_point point, int pass)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    live(point, pass);
    _exit(0);
}

static bool ended_well(pid_t pid, enum fail_point point, int pass)
{
    int status;

    waitpid(pid, &status, 0);
    if (status != 0)
        fprintf(stderr, "killed at pass %d of %s: a promise was broken\n", pass,
                points[point].name);
    return status == 0;
}

void lives_run(const char *role, int passes, void (*live)(enum fail_point point, int pass))
{
    pid_t pids[FAIL_POINT_COUNT][PASSES_MAX];
    int failed = 0;

    ck_assert_int_le(passes, PASSES_MAX);
    for (int point = 0; point < FAIL_POINT_COUNT; point++)
        for (int pass = 0; pass < passes && strcmp(points[point].role, role) == 0; pass++)
            pids[point][pass] = begin(live, (enum fail_point)point, pass + 1);
    for (int point = 0; point < FAIL_POINT_COUNT; point++)
        for (int pass = 0; pass < passes && strcmp(points[point].role, role) == 0; pass++)
            failed += !ended_well(pids[point][pass], (enum fail_point)point, pass + 1);
    ck_assert_int_eq(failed, 0);
}
