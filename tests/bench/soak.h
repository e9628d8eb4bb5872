/* tests/bench/soak.h - `make soak`: memory over a long run (soak.c). */
#ifndef TESTS_BENCH_SOAK_H
#define TESTS_BENCH_SOAK_H

#include "tests/bench/common.h"

/* False: memory grew after the caches were full. */
bool soak_run(struct bench *b);

#endif
