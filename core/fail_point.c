#include "core/fail_point.h"

#ifdef ATTENT_FAIL_POINTS

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int passes_left[FAIL_POINT_COUNT]; /* 0: never */

void fail_point_set(enum fail_point point, int pass)
{
    atomic_store(&passes_left[point], pass);
}

void fail_point_pass(enum fail_point point)
{
    if (atomic_load(&passes_left[point]) > 0 && atomic_fetch_sub(&passes_left[point], 1) == 1)
        kill(getpid(), SIGKILL);
}

void fail_point_meet(const char *role, struct str value)
{
    const char *poison = getenv("ATTENT_POISON");
    struct str rest = str_of(poison), one, of, text;

    while (rest.len != 0) {
        if (!str_cut(rest, ',', &one, &rest)) {
            one = rest;
            rest = STR_EMPTY;
        }
        if (str_cut(one, '=', &of, &text) && str_is(of, role) && str_contains(value, text))
            kill(getpid(), SIGKILL);
    }
}

#endif
