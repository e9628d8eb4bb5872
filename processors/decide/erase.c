#include "processors/decide/erase.h"

#include "processors/decide/consent.h"
#include "processors/decide/instances.h"
#include "processors/decide/merge.h"

void erase_customer(struct turn *turn)
{
    struct state *state = turn->state;

    for (uint32_t i = 0; i < state->instance_count; i++)
        if (state->instances[i]->phase != PHASE_ENDED)
            instances_end(turn, state->instances[i], REASON_ERASED, NULL);
    consent_tell_dispatch(turn, (struct permission){.erased = true}); /* behind the withdrawals */
    merge_forget(turn);
    *state = (struct state){.customer = state->customer, .adopted = state->adopted};
    turn->changed = true;
}
