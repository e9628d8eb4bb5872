/* tests/support/process.h - run a program and look at what it prints and how it ends.
 *
 * Standard output and standard error go to files in a scratch folder; standard input is empty.
 * The program has a process group of its own and is killed when the thread that started it
 * ends: start it in the main thread of a test (or of the suite).  A process belongs to the
 * test process that started it and is used from one thread.
 */
#ifndef TESTS_SUPPORT_PROCESS_H
#define TESTS_SUPPORT_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

struct process;

enum {
    PROCESS_RUNNING = -1, /* process_wait: the time is over and it has not ended */
};

/* Start argv[0] (looked up in PATH; both lists end with NULL).  env are "NAME=value" to add to
 * this process's own, or NULL.  Never NULL: a program that cannot be run ends with 127 and the
 * reason on its standard error. */
struct process *process_start(const char *const argv[], const char *const env[]);

/* Wait until it has ended: its exit code, 128 + the signal that killed it, or PROCESS_RUNNING.
 * May be called again after it has ended. */
int process_wait(struct process *process, int timeout_ms);

/* Wait until standard output or standard error holds text.  False when time is over or the
 * process has ended without it. */
bool process_wait_output(struct process *process, const char *text, int timeout_ms);

/* Send a signal to it and to all that it started.  Does not wait. */
void process_kill(struct process *process, int signal_number);

pid_t process_pid(const struct process *process);

/* What it has printed so far.  Valid until the next call with the same process. */
const char *process_stdout(struct process *process);
const char *process_stderr(struct process *process);

/* The file that its standard error goes to. */
const char *process_stderr_path(const struct process *process);

/* Start, wait and give the exit code as process_wait does; a program that is not done in time
 * is killed.  *out, if out is not NULL, is standard output, to be freed by the caller. */
int process_run(const char *const argv[], int timeout_ms, char **out);

/* Kill it if it still runs.  NULL is allowed. */
void process_free(struct process *process);

/* --- for server.c --------------------------------------------------------------------- */

struct process_spec {
    const char *const *argv; /* ends with NULL                                  */
    const char *const *env;  /* additions, ends with NULL; or NULL              */
    const char *stdout_path; /* appended to                                     */
    const char *stderr_path; /* appended to; may be the same file               */
};

/* Fork and exec in a new process group, to be killed with the calling thread.  The pid is the
 * caller's to wait for. */
pid_t process_spawn(const struct process_spec *spec);

#endif
