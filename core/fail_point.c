#include "core/fail_point.h"

#ifdef ATTENT_FAIL_POINTS

#include <signal.h>
#include <stdatomic.h>
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

#endif
