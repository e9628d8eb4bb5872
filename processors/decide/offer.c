#include "processors/decide/offer.h"

#include "processors/decide/memory.h"

bool offer_listens(const struct offer *offer, const uint16_t *types, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (types[i] == offer->turn->type_index)
            return true;
    return false;
}

bool offer_is_about(const struct offer *offer, const struct instance *in, bool any_about)
{
    return any_about || !offer->about_known || str_equal(offer->about, in->about);
}

bool offer_holds(const struct offer *offer, const struct instance *in,
                 const struct cel_program *condition)
{
    struct scope scope = {.turn = offer->turn, .instance = in, .about = offer->about_value};

    return scope_ask(&scope, offer->index, condition) == TRUTH_YES;
}

bool offer_matches(const struct offer *offer, const struct instance *in, size_t step)
{
    const struct moment_step *s = &offer->moment->steps[step];

    return offer_listens(offer, s->types, s->type_count) &&
           offer_is_about(offer, in, s->any_about) && offer_holds(offer, in, s->condition);
}

bool offer_crosses(const struct offer *offer, const struct instance *in, size_t step,
                   struct str about)
{
    const struct moment_step *s = &offer->moment->steps[step];
    struct scope scope = {.turn = offer->turn, .instance = in, .about = offer->about_value};
    struct value v;
    double number;

    if (!offer_listens(offer, s->types, s->type_count) || !offer_holds(offer, in, s->condition))
        return false;
    v = scope_eval(&scope, offer->index, s->value);
    if (v.kind == VALUE_DOUBLE)
        number = v.d;
    else if (v.kind == VALUE_INT)
        number = (double)v.i;
    else
        return false;
    if (number != number)
        return false;
    return memory_cross(offer->turn, offer->moment, step, about, number,
                        offer->turn->event->time_ms);
}

/* About as text: what names the instance, the same for 1 and 1.0. */
void offer_read_about(struct offer *offer)
{
    struct scope scope = {.turn = offer->turn};
    struct buf text = {0};
    struct value v;

    offer->about_known = true;
    if (offer->moment->about == NULL)
        return;
    /* only an event that could open an instance has to have it */
    v = offer_listens(offer, offer->moment->steps[0].types, offer->moment->steps[0].type_count)
            ? scope_eval(&scope, offer->index, offer->moment->about)
            : scope_try(&scope, offer->moment->about);
    offer->about_known = v.kind == VALUE_STRING || v.kind == VALUE_BOOL || v.kind == VALUE_INT ||
                         v.kind == VALUE_UINT || v.kind == VALUE_DOUBLE ||
                         v.kind == VALUE_TIMESTAMP;
    if (!offer->about_known)
        return;
    offer->about_value = v;
    if (v.kind == VALUE_STRING) {
        offer->about = value_str(v);
    } else {
        cel_print(&text, v);
        offer->about = arena_str(offer->turn->arena, buf_str(&text));
        buf_free(&text);
    }
    if (offer->about.len > LIMIT_ABOUT_BYTES)
        offer->about_known = false;
}
