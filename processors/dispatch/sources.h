/* processors/dispatch/sources.h - which numbers of which source have been taken, in one partition.
 *
 * The reader's rule itself is in schemas/chain.h.  Here are what dispatch needs around it: changes
 * that are taken back with their transaction, and sources that are stopped because their chain
 * broke (until this process ends: a person has to look).  One thread at a time.
 */
#ifndef ATTENT_PROCESSORS_DISPATCH_SOURCES_H
#define ATTENT_PROCESSORS_DISPATCH_SOURCES_H

#include "schemas/gaps.h"

struct sources;

struct sources *sources_new(void);
void sources_free(struct sources *sources); /* NULL allowed */

/* Judge a record, and if it is the next of its source, remember that.  TAKEN_BROKEN stops the
 * source and sets err; the records of a source that is stopped are TAKEN_BROKEN too, without. */
enum taken_verdict sources_take(struct sources *sources, const struct record *record,
                                struct err *err);

/* How far a source is, as the ledger says: while reading it, before any sources_take. */
void sources_restore(struct sources *sources, const struct taken_source *source);

/* Sources that have moved since the last commit: start with *at = 0; NULL at the end. */
const struct taken_source *sources_next_change(const struct sources *sources, size_t *at);

size_t sources_stopped(const struct sources *sources); /* how many */

/* Those of which a record is missing (schemas/gaps.h). */
struct gaps *sources_gaps(struct sources *sources);

void sources_commit(struct sources *sources);
void sources_rollback(struct sources *sources);

#endif
