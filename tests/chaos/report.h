/* tests/chaos/report.h - what a run says: a line while it runs, a table at the end, and the folder in
 * which a campaign keeps its figures.
 */
#ifndef TESTS_CHAOS_REPORT_H
#define TESTS_CHAOS_REPORT_H

#include "tests/chaos/faults.h"

/* One line, rewritten on a terminal; else a line of its own every ten seconds. */
void report_line(const struct site *site, struct load *load, struct accounts *accounts,
                 const struct faults *faults, int64_t begin_ms);
void report_line_end(void);

/* Faults by kind and the longest time that a probe took while each was there. */
void report_stops(struct load *load, const struct faults *faults, int64_t end_ms,
                  struct figures *out);

/* DIR/faults: what began and ended when, whom it hit. */
void report_faults(const char *dir, const struct faults *faults);

void report_table(const struct figures *figures);
uint64_t report_count_faults(const struct figures *figures);
bool report_is_well(const struct figures *figures);

void report_add(struct figures *to, const struct figures *more);

/* DIR/figures: text, a line for each figure.  False: there is none yet. */
bool report_read(const char *dir, struct figures *out);
void report_write(const char *dir, const struct figures *figures);
/* A line more in DIR/pieces. */
void report_piece(const char *dir, uint64_t seed, const struct figures *piece);

#endif
