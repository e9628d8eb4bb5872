/* processors/decide/caps.h - how often a customer may be contacted: rolling windows, counted at
 * the decision, in the same state, so there is no race.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_CAPS_H
#define ATTENT_PROCESSORS_DECIDE_CAPS_H

#include "processors/decide/turn.h"

struct caps_answer {
    const struct cap
        *cap;      /* the one that refuses for longest, else that with least left; or NULL */
    uint32_t used; /* of it */
    bool refuses;
    int64_t free_ms; /* when it will be free */
    size_t asked;    /* caps that this action falls under */
};

struct caps_answer caps_ask(const struct turn *turn, const struct moment *moment,
                            const struct act *act);
/* What would have had to differ for one that refuses. */
void caps_need(struct trail *trail, struct arena *arena, const struct caps_answer *answer);
void caps_take(struct turn *turn, const struct moment *moment, const struct act *act);
/* The task of `in` was taken back or failed before it reached anybody.  channel empty: any. */
void caps_give_back(struct turn *turn, const struct instance *in, struct str channel);

/* The contacts of a customer who is merged into this one count as well; beyond LIMIT_CONTACTS the
 * oldest go. */
void caps_merge(struct turn *turn, const struct state *other);

#endif
