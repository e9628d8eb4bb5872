/* Fork, redirect, exec.
 *
 * Nothing may outlive a test, whatever becomes of it: the child asks the kernel for SIGKILL at
 * its parent's death (PR_SET_PDEATHSIG), looks whether it came too late, and only then becomes
 * the program.  Descriptors of the test are not for the program: all above 2 close at exec.
 */
#include "tests/support/process.h"
#include "tests/support/scratch.h"
#include "tests/support/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* How often a wait looks again: short beside anything a program does, long beside a look. */
enum { LOOK_EVERY_MS = 5 };

struct process {
    pid_t pid;
    pid_t owner;
    int code; /* PROCESS_RUNNING until it is waited for */
    const char *stdout_path;
    const char *stderr_path;
    char *stdout_text;
    char *stderr_text;
};

static bool redirect(int fd, const char *path, int flags)
{
    int opened = open(path, flags, 0644);
    bool done = opened >= 0 && dup2(opened, fd) == fd;

    if (opened > 2)
        close(opened);
    return done;
}

static void reset_signals(void)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int number = 1; number < 32; number++)
        signal(number, SIG_DFL);
}

static _Noreturn void become(const struct process_spec *spec, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    setpgid(0, 0);
    reset_signals();
    if (!redirect(0, "/dev/null", O_RDONLY) ||
        !redirect(1, spec->stdout_path, O_WRONLY | O_CREAT | O_APPEND) ||
        !redirect(2, spec->stderr_path, O_WRONLY | O_CREAT | O_APPEND))
        _exit(127);
    syscall(SYS_close_range, 3u, ~0u, 4u); /* 4: CLOSE_RANGE_CLOEXEC; an old kernel has none */
    for (const char *const *add = spec->env; add != NULL && *add != NULL; add++)
        putenv((char *)(size_t)*add);
    execvp(spec->argv[0], (char *const *)(size_t)spec->argv);
    dprintf(2, "cannot run %s: %s\n", spec->argv[0], strerror(errno));
    _exit(127);
}

pid_t process_spawn(const struct process_spec *spec)
{
    pid_t parent = getpid();
    pid_t pid;

    fflush(NULL); /* or the child would hold a copy of what is not written yet */
    pid = fork();
    if (pid == 0)
        become(spec, parent);
    if (pid < 0)
        scratch_fail("cannot fork for %s: %s", spec->argv[0], strerror(errno));
    setpgid(pid, pid); /* the child does so too: the group is there whoever is first */
    return pid;
}

struct process *process_start(const char *const argv[], const char *const env[])
{
    struct process *process = calloc(1, sizeof *process);
    struct process_spec spec = {.argv = argv, .env = env};
    const char *dir = scratch_dir();

    if (process == NULL)
        scratch_fail("out of memory");
    process->stdout_path = spec.stdout_path = scratch_write(dir, "stdout", "");
    process->stderr_path = spec.stderr_path = scratch_write(dir, "stderr", "");
    process->owner = getpid();
    process->code = PROCESS_RUNNING;
    process->pid = process_spawn(&spec);
    return process;
}

/* Take its end from the kernel, if there is one. */
static int look(struct process *process)
{
    int status;

    if (process->code == PROCESS_RUNNING && waitpid(process->pid, &status, WNOHANG) == process->pid)
        process->code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return process->code;
}

int process_wait(struct process *process, int timeout_ms)
{
    int64_t end_ms = wait_now_ms() + timeout_ms;

    while (look(process) == PROCESS_RUNNING && wait_now_ms() < end_ms)
        wait_pause_ms(LOOK_EVERY_MS);
    return process->code;
}

static bool has_printed(struct process *process, const char *text)
{
    return strstr(process_stdout(process), text) != NULL ||
           strstr(process_stderr(process), text) != NULL;
}

bool process_wait_output(struct process *process, const char *text, int timeout_ms)
{
    int64_t end_ms = wait_now_ms() + timeout_ms;

    for (;;) {
        bool ended = look(process) != PROCESS_RUNNING; /* before reading: its last words count */

        if (has_printed(process, text))
            return true;
        if (ended || wait_now_ms() >= end_ms)
            return false;
        wait_pause_ms(LOOK_EVERY_MS);
    }
}

void process_kill(struct process *process, int signal_number)
{
    if (look(process) == PROCESS_RUNNING)
        kill(-process->pid, signal_number);
}

pid_t process_pid(const struct process *process)
{
    return process->pid;
}

static const char *refresh(char **text, const char *path)
{
    free(*text);
    *text = scratch_read(path, NULL);
    return *text != NULL ? *text : "";
}

const char *process_stdout(struct process *process)
{
    return refresh(&process->stdout_text, process->stdout_path);
}

const char *process_stderr(struct process *process)
{
    return refresh(&process->stderr_text, process->stderr_path);
}

const char *process_stderr_path(const struct process *process)
{
    return process->stderr_path;
}

int process_run(const char *const argv[], int timeout_ms, char **out)
{
    struct process *process = process_start(argv, NULL);
    int code = process_wait(process, timeout_ms);

    if (out != NULL)
        *out = scratch_read(process->stdout_path, NULL);
    process_free(process);
    return code;
}

void process_free(struct process *process)
{
    if (process == NULL)
        return;
    if (process->owner == getpid()) {
        kill(-process->pid, SIGKILL); /* also what an ended program left in its group */
        process_wait(process, 10000);
    }
    free(process->stdout_text);
    free(process->stderr_text);
    free(process);
}
