/* processors/worker/trial.h - which record has ended the process?  Private to the worker.
 *
 * In normal times nothing is noted.  An owner that hands a partition over says so (store leave); where
 * that is missing, the one before has died, or was cut off, with records in hand that nobody knows.
 * Then the next one is careful with all that may have been among them: it notes in the store what it
 * takes in hand, before it does, and takes the note back behind it.
 *
 *   claim: left?   -- yes --> normal
 *            |                                 note before each batch: [from, to)
 *            no  --> careful, up to `until'    note before each of its records: [x, x + 1)
 *            |                                 note when timers fire
 *            |
 *            '-- a note is still there: [x, x + 1)  died of it once more; at LIMIT_POISON_DEATHS: skip
 *                                       [from, to)  these in batches of one
 *                                       timers      nothing can be skipped: it is said
 *
 * What counts are deaths with one record in hand, in a row; the death that began it counts as one.
 * While a note stands, no other thread of the process has one (core/alone.h), and nothing is waited
 * for but the store's states: neither Kafka's acknowledgements nor a commit.
 */
#ifndef ATTENT_PROCESSORS_WORKER_TRIAL_H
#define ATTENT_PROCESSORS_WORKER_TRIAL_H

#include "processors/worker/store.h"
#include "schemas/suspect.h"

struct place;
struct worker;

struct trial {
    struct worker *worker;
    struct place *place;
    int64_t until;          /* offsets below it are run with care; 0: none is */
    int64_t one_by_one;     /* below it: in batches of one record */
    struct suspect suspect; /* the record that processes have died of; from -1: none */
    struct suspect batch;   /* at hand */
    struct suspect noted;
    bool at_hand;
};

/* The place has an engine; read what the owner before has left, and skip what has killed often enough.
 * Errors as of a claim. */
enum err_code trial_claimed(struct worker *w, struct place *place, const struct store_claim *claim,
                            struct err *err);

/* Around the planning and running of the place's next batch.  begin sets *count to how many of its
 * records may be in it.  False: the place has been suspended. */
bool trial_begin(struct worker *w, struct place *place, size_t *count);
void trial_end(struct worker *w, struct place *place);

/* The place is handed over in good order. */
void trial_left(struct worker *w, struct place *place);

#endif
