/* tests/bench/cap.h - a process that may not have more memory than this: a control group of Linux, as a
 * container has one.  (A limit of the process itself, RLIMIT_DATA, counts what is reserved as well as
 * what is used: 487 MiB where 81 were in use.) */
#ifndef TESTS_BENCH_CAP_H
#define TESTS_BENCH_CAP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/err.h"

/* Beyond it the kernel kills the process.  ERR_IO where such a group cannot be made (not root). */
enum err_code cap_memory(pid_t pid, uint64_t mib, struct err *err);

/* The group goes, once its process has ended; at the end of the program as well. */
void cap_end(void);

#endif
