/* processors/decide/offer.h - a record, or time that ran out, offered to one moment: does it listen, is
 * it about the same, does its condition hold.
 *
 * Same about: an event on which `about` can be read belongs to the instance of that about; one
 * that lacks it belongs to all.  So `about` is evaluated once per moment and record.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_OFFER_H
#define ATTENT_PROCESSORS_DECIDE_OFFER_H

#include "processors/decide/scope.h"

struct offer { /* a record and one moment */
    struct turn *turn;
    const struct moment *moment;
    int index;        /* of the moment */
    bool about_known; /* or the moment has none */
    struct str about;
    struct value about_value;
    bool turned;     /* the first step is `crosses` or `becomes`, and did so now */
    int64_t time_ms; /* of the event, or when time ran out */
};

void offer_read_about(struct offer *offer);

bool offer_listens(const struct offer *offer, const uint16_t *types, size_t count);
bool offer_is_about(const struct offer *offer, const struct instance *in, bool any_about);
bool offer_holds(const struct offer *offer, const struct instance *in,
                 const struct cel_program *condition);
/* Would the record do this step, as far as type, about and condition say?  in NULL: the first. */
bool offer_matches(const struct offer *offer, const struct instance *in, size_t step);

/* Has it made the value of a `crosses` step cross the bound?  Every value moves the state, whatever
 * the instance waits for. */
bool offer_crosses(const struct offer *offer, const struct instance *in, size_t step,
                   struct str about);

#endif
