#include "processors/decide/erase.h"

#include "processors/decide/instances.h"

/* Behind the withdrawals: under the same key it comes after them. */
static void tell_dispatch(struct turn *turn)
{
    const struct permission permission = {.customer = turn->state->customer,
                                          .because = turn->event->type,
                                          .erased = true,
                                          .created_ms = turn->now_ms};
    struct buf json = {0};

    permission_put_json(&json, &permission);
    explain_send(turn, DECIDE_TOPIC_TASKS, PERMISSION_CE_TYPE,
                 explain_next_id(turn, STR("permission"), STR_EMPTY), turn->event->traceparent,
                 buf_str(&json));
    buf_free(&json);
}

void erase_customer(struct turn *turn)
{
    struct state *state = turn->state;

    for (uint32_t i = 0; i < state->instance_count; i++)
        if (state->instances[i]->phase != PHASE_ENDED)
            instances_end(turn, state->instances[i], REASON_ERASED, NULL);
    tell_dispatch(turn);
    *state = (struct state){.customer = state->customer, .adopted = state->adopted};
    turn->changed = true;
}
