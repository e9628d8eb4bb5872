/* schemas/chain.h - numbered outputs: what a step's record says of itself, and what a reader makes
 * of it (docs/architecture.md, the commit protocol).
 *
 *   attent-from   decide/3                who wrote it: STEP/PARTITION, the source
 *   attent-seq    1.42                    generation and number of (source -> this partition)
 *   attent-chain  32 hex digits           hash over the chain before, key, timestamp, ce_ headers
 *                                         and body
 *
 * A writer may die after it has published and before it has kept its state: then it writes the
 * same records again, and a reader sees repeats, gaps and fresh records in any mixture.  The
 * reader's rule sorts them out: of each source it takes 1, 2, 3, ... and nothing else.
 *
 * No I/O.  One thread at a time.
 */
#ifndef ATTENT_SCHEMAS_CHAIN_H
#define ATTENT_SCHEMAS_CHAIN_H

#include "core/buf.h"
#include "core/err.h"
#include "core/hash.h"
#include "core/record.h"

#define CHAIN_FROM_HEADER "attent-from"
#define CHAIN_SEQ_HEADER  "attent-seq"
#define CHAIN_HASH_HEADER "attent-chain"

enum { CHAIN_HEADERS = 3, CHAIN_SEQ_SIZE = 42 };

/* How far a source has come in one partition. */
struct chain {
    uint64_t number; /* of the last record; 0: none yet */
    struct hash128 hash;
};

/* --- writing ------------------------------------------------------------------------------- */

struct chain_stamp { /* keeps the text of the headers */
    char seq[CHAIN_SEQ_SIZE];
    char hash[HASH128_HEX_SIZE];
};

/* Number the next record of a source: advances *last, and fills headers[CHAIN_HEADERS], whose
 * texts are borrowed from `from` and `stamp`.  record has its other headers already.  scratch is
 * used for hashing. */
void chain_stamp(struct chain *last, uint64_t generation, struct str from,
                 const struct record *record, struct buf *scratch, struct chain_stamp *stamp,
                 struct header headers[CHAIN_HEADERS]);

/* --- reading ------------------------------------------------------------------------------- */

enum taken_verdict {
    TAKEN_PLAIN,  /* not numbered: taken by its offset alone                            */
    TAKEN_NEXT,   /* take it, then taken_advance                                         */
    TAKEN_REPEAT, /* seen before: drop                                                   */
    TAKEN_GAP,    /* something is missing before it: drop, its source will send it again */
    TAKEN_OLD,    /* of a generation that was given up: drop                             */
    TAKEN_JUNK,   /* its headers are malformed: no source of ours wrote it: drop         */
    TAKEN_BROKEN, /* the content does not follow: stop this source                       */
};

struct taken_source {
    struct str from;
    uint64_t generation;
    uint64_t number;
    struct hash128 hash;
};

/* What has been taken of each source, in one partition.  Sorted by `from`.  Start with {0}. */
struct taken {
    struct taken_source *sources; /* owned, and so are the names */
    size_t count, capacity;
};

/* In place of a hash that nobody knows: whoever begins in the middle of a log (`attent init`) takes the
 * next number at its word, and checks from there on. */
#define CHAIN_UNKNOWN ((struct hash128){0, 0})

/* What to do with this record.  Changes nothing.  *out: where its source stands once it is taken
 * (from borrowed from the record); set for TAKEN_NEXT.  err: of TAKEN_BROKEN and TAKEN_JUNK. */
enum taken_verdict taken_look(const struct taken *taken, const struct record *record,
                              struct buf *scratch, struct taken_source *out, struct err *err);

/* Remember how far a source is (name copied). */
void taken_advance(struct taken *taken, const struct taken_source *source);

const struct taken_source *taken_find(const struct taken *taken, struct str from); /* NULL: none */
void taken_free(struct taken *taken); /* the contents; NULL allowed */

/* The hash in hex and back; false: it is none. */
bool chain_hash_read(struct str hex, struct hash128 *out);

#endif
