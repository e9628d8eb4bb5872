/* tests/support/scratch.h - folders, files and ports that a test may use and forget.
 *
 * Every folder is removed when the process that asked for it exits.  What a killed process
 * left behind is removed by the next one: the name of a folder holds the pid of its owner.
 * Under Check each test is a process of its own, so each test cleans up after itself.
 *
 * A test that cannot have a folder or a port is of no use: these functions never fail but
 * print why and exit.  They are called from one thread at a time.
 */
#ifndef TESTS_SUPPORT_SCRATCH_H
#define TESTS_SUPPORT_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

/* A new empty folder under $TMPDIR or /tmp.  The name is valid until exit. */
const char *scratch_dir(void);

/* Write text (and nothing else) to dir/name and give the path, valid until exit.  Missing
 * folders within name are made. */
const char *scratch_write(const char *dir, const char *name, const char *text);

/* The path dir/name, valid until exit; nothing is made. */
const char *scratch_path(const char *dir, const char *name);

/* A copy of text, valid until exit. */
const char *scratch_keep(const char *text);

/* All of a file, with a zero byte after it; the caller frees it.  bytes may be NULL.  NULL if
 * there is no such file. */
char *scratch_read(const char *path, size_t *bytes);

/* How many entries a folder has, hidden ones too, "." and ".." not; -1 if it is no folder. */
int scratch_count_files(const char *dir);

/* A TCP port of 127.0.0.1 that nobody listens on, and that no other caller gets while this
 * process lives.  It is not one that the kernel gives to outgoing connections, so a client
 * that reconnects to a dead server cannot take its place; and port + 10000, where Redis
 * Cluster has its bus, is not either. */
int scratch_free_port(void);

/* Remove a folder and all in it.  NULL and what is not there are fine. */
void scratch_remove(const char *dir);

/* Remove the folders of dead programs.  The first scratch_dir of a program does it by itself. */
void scratch_sweep(void);

/* Print "support: ..." to standard error and exit with 1.  Check reports the test as an early
 * exit; outside a test the program ends without a summary and counts as failed. */
_Noreturn void scratch_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
