/* tests/chaos/findings.h - what is wrong, one line each: some of a kind are printed, all are in a file.
 *
 * For one thread at a time: that of the accounts while they run, then main's.
 */
#ifndef TESTS_CHAOS_FINDINGS_H
#define TESTS_CHAOS_FINDINGS_H

void findings_open(const char *path);
void findings_close(void);
void findings_next_kind(void); /* so that some of it are printed whatever came before */
void finding(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
