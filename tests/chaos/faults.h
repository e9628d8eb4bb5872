/* tests/chaos/faults.h - what happens to a site, drawn by the seed.
 *
 * Kinds are drawn from a bag without putting back, so that each comes before any comes again, up to two
 * at once.  The seed gives their order, the time from one to the next and whom each hits, by number;
 * the next waits until its kind of server is well again, so moments are not the seed's.
 */
#ifndef TESTS_CHAOS_FAULTS_H
#define TESTS_CHAOS_FAULTS_H

#include "tests/chaos/site.h"

struct faults;

struct fault_span {
    enum fault_kind kind;
    int64_t begin_ms, end_ms; /* monotonic; end 0: it is there */
    int target;               /* the process, broker or node of Redis that was hit; -1: not one */
};

struct faults *faults_new(const struct chaos *chaos, struct site *site, struct load *load);
void faults_free(struct faults *f); /* NULL allowed */

/* Begin and end what is due; may take some seconds.  What a fault has hit is waited for while all else
 * goes on. */
void faults_go_on(struct faults *f);
/* End all, and begin no more.  True: all is well again. */
bool faults_heal(struct faults *f);

size_t faults_count(const struct faults *f); /* begun so far */
const struct fault_span *faults_at(const struct faults *f, size_t index);
const char *faults_code(enum fault_kind kind);
bool faults_find(struct str code, enum fault_kind *out);

#endif
