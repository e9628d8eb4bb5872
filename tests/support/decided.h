/* tests/support/decided.h - what decide has written: as a reader takes it by the rule of
 * schemas/chain.h, or as `attent replay` says it must be; and whether the two are equal.
 *
 * Nothing here returns a failure: it fails the test and says why.  One thread.
 */
#ifndef TESTS_SUPPORT_DECIDED_H
#define TESTS_SUPPORT_DECIDED_H

#include "schemas/chain.h"
#include "tests/support/field.h"
#include "tests/support/watch.h"

enum decided_topic { DECIDED_TASKS, DECIDED_DECISIONS, DECIDED_TOPIC_COUNT };

struct decided_output {
    struct str key, id;
    struct str seq, chain; /* as in its headers */
};

struct decided_list { /* of one partition, in order */
    struct decided_output *items;
    size_t count, capacity;
    struct taken taken;
};

struct decided {
    struct decided_list lists[DECIDED_TOPIC_COUNT][FIELD_PARTITIONS];
    const char *topics[DECIDED_TOPIC_COUNT];
    const char *digests[FIELD_PARTITIONS]; /* of the states; replay only */
    size_t repeats, gaps;                  /* records that were not taken */
    struct arena *arena;
    struct buf scratch;
};

void decided_open(struct decided *decided, struct field *field);
void decided_close(struct decided *decided);

/* Take a record of tasks or decisions if it is its turn (the record outlives decided).  False: it
 * was not taken.  A broken chain, a repeat with another content, a record without a number or a
 * source other than the partition of the same number fails the test. */
bool decided_take(struct decided *decided, const struct record *record);

/* Read both topics to their end and take what is to be taken. */
void decided_read(struct decided *decided, struct field *field);

/* What `attent replay` makes of the whole log, and the digests of the states. */
void decided_replay(struct decided *decided, struct field *field);

/* Equal in content and order?  prefix: `live` may lack outputs at the end. */
void decided_compare(const struct decided *live, const struct decided *replay, bool prefix);

/* The same where generations may be others: who, what and in which order. */
void decided_compare_content(const struct decided *live, const struct decided *replay);

size_t decided_count(const struct decided *decided, enum decided_topic topic);

/* The digest that `attent replay --state` gives; valid until field_close. */
const char *decided_state_digest(struct field *field, int partition);

#endif
