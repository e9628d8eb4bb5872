/* processors/worker/trial.h - which record has ended the process?  Private to the worker.
 *
 * In normal times nothing is noted.  An owner that hands a partition over says so (store leave); where
 * that is missing, the one before has died, or was cut off, with records in hand that nobody knows.
 * Then the next one is careful with all that may have been among them: it takes it in small batches, and
 * notes in the store what it takes in hand, before it does, and takes the note back behind it.
 *
 *   claim: left?   -- yes --> normal
 *            |
 *            no  --> careful, up to `until': TRIAL_RECORDS in a batch, one note for each batch
 *            |
 *            '-- a note is still there, of several records [from, to)
 *            |       --> these one by one, a note for each record, and for each timer before it; and
 *            |           between them the note that it is among these, whatever this one dies of
 *            |
 *            '-- of one record, or of one timer
 *                    --> put aside, it was in hand three times: with all, with some, alone
 *
 * So it costs two writes per TRIAL_RECORDS, and in one life a write for each of so many.
 *
 * While a note stands, no other thread of the process has one (core/alone.h), and nothing is waited
 * for but the store's states: neither Kafka's acknowledgements nor a commit.
 */
#ifndef ATTENT_PROCESSORS_WORKER_TRIAL_H
#define ATTENT_PROCESSORS_WORKER_TRIAL_H

#include "processors/worker/store.h"
#include "schemas/suspect.h"

struct place;
struct worker;

enum {
    TRIAL_RECORDS = 64
}; /* the root of 4096, of as many may be in hand: as few notes as can be */

struct trial {
    struct worker *worker;
    struct place *place;
    bool careful;
    int64_t since_mono_ms;
    int64_t until;        /* offsets below it are run with care */
    struct suspect among; /* what owners before died of is in it */
    int64_t deaths;       /* of what is not: 1, where nobody knows of what the last one died */
    struct suspect batch; /* at hand */
    bool at_hand, singly;
};

/* The place has an engine; read what the owner before has left, and skip what has killed often enough.
 * Errors as of a claim. */
enum err_code trial_claimed(struct worker *w, struct place *place, const struct store_claim *claim,
                            struct err *err);

/* Around the planning and running of the place's next batch.  begin sets *count to how many of its
 * records may be in it.  False: the place has been suspended. */
bool trial_begin(struct worker *w, struct place *place, size_t *count);
void trial_end(struct place *place);

/* The place is handed over in good order. */
void trial_left(struct worker *w, struct place *place);

#endif
