/* Two moments that complete together whenever one of them does: the same steps under the same
 * conditions, or where one asks nothing more.  One of them goes first and the other waits behind it,
 * which is seldom what was meant.
 */
#include "rules/moment/inspect.h"

static bool same_step(const struct moment_step *a, const struct moment_step *b)
{
    return a->kind == b->kind &&
           inspect_same_types(a->types, a->type_count, b->types, b->type_count) &&
           a->span_ms == b->span_ms && a->grace_ms == b->grace_ms && a->count == b->count &&
           a->below == b->below && a->bound >= b->bound && a->bound <= b->bound &&
           a->back >= b->back && a->back <= b->back && a->any_about == b->any_about &&
           a->restart == b->restart && inspect_same(a->condition, b->condition) &&
           inspect_same(a->value, b->value);
}

/* A moment that begins and ends with any event of these. */
static bool takes_all(const struct moment *a, const struct moment *b)
{
    const struct moment_step *x = &a->steps[0], *y = &b->steps[0];

    if (a->step_count != 1 || b->step_count != 1 || x->kind != STEP_EVENT ||
        y->kind != STEP_EVENT || x->condition != NULL)
        return false;
    for (size_t i = 0; i < y->type_count; i++) {
        bool taken = false;
        for (size_t k = 0; k < x->type_count; k++)
            taken |= x->types[k] == y->types[i];
        if (!taken)
            return false;
    }
    return true;
}

static bool same_gates(const struct moment *a, const struct moment *b)
{
    return inspect_same(a->eligible, b->eligible) && inspect_same(a->relevant, b->relevant) &&
           inspect_same(a->suitable, b->suitable);
}

static bool has_gates(const struct moment *a)
{
    return a->eligible != NULL || a->relevant != NULL || a->suitable != NULL;
}

/* Whenever b fires, so does a. */
static bool fires_with(const struct moment *a, const struct moment *b)
{
    bool steps = a->step_count == b->step_count;

    if (a->step_count == 0 || b->step_count == 0 || a->again_ms > b->again_ms ||
        (has_gates(a) && !same_gates(a, b)))
        return false;
    if (a->about != NULL && !inspect_same(a->about, b->about))
        return false;
    for (size_t i = 0; steps && i < a->step_count; i++)
        steps = same_step(&a->steps[i], &b->steps[i]);
    return steps || takes_all(a, b);
}

static bool constant_value(const struct moment *moment, double *value)
{
    struct value v;

    *value = 0;
    if (moment->value == NULL)
        return true;
    if (!cel_program_constant(moment->value, &v))
        return false;
    *value = v.kind == VALUE_DOUBLE ? v.d : v.kind == VALUE_INT ? (double)v.i : 0;
    return true;
}

/* "x goes first: its tier service is before care" */
static void put_winner(struct buf *out, const struct ruleset *set, const struct moment *a,
                       const struct moment *b)
{
    double x, y;

    if (a->tier != b->tier) {
        const struct moment *first = a->tier < b->tier ? a : b, *other = first == a ? b : a;
        buf_put_format(out, "%.*s goes first, its tier %.*s is before %.*s", STR_ARG(first->name),
                       STR_ARG(set->policy.tiers[first->tier].name),
                       STR_ARG(set->policy.tiers[other->tier].name));
    } else if (!constant_value(a, &x) || !constant_value(b, &y)) {
        buf_put_text(out, "whichever has the greater `value` goes first");
    } else if (x < y || x > y) {
        const struct moment *first = x > y ? a : b;
        buf_put_format(out, "%.*s goes first, its value is %g and the other's %g",
                       STR_ARG(first->name), x > y ? x : y, x > y ? y : x);
    } else {
        buf_put_format(out, "both have the value %g, so %.*s goes first by its name", x,
                       STR_ARG(str_compare(a->name, b->name) < 0 ? a->name : b->name));
    }
}

static void inspect_pair(const struct inspector *in, const struct moment *a, const struct moment *b)
{
    struct str file = arena_format(in->arena, "moments/%.*s.yaml", STR_ARG(b->name));
    bool with = fires_with(a, b), too = fires_with(b, a);
    struct buf winner = {0};
    struct filled form;

    if ((!with && !too) || !inspect_form(FORM_OF_MOMENT, inspect_read(in, file), &form))
        return;
    put_winner(&winner, in->set, a, b);
    diag_add(in->c->diags, DIAG_WARNING, form.at[FIELD_MOMENT_WHEN]->place, "same-moment",
             "make them one moment, or tell them apart by an `if`; if it is meant, show in a case "
             "how the other waits: silent: outranked",
             "whenever %.*s fires, so does %.*s: %s", STR_ARG(with ? b->name : a->name),
             STR_ARG(with ? a->name : b->name), buf_text(&winner));
    buf_free(&winner);
}

void inspect_pairs(struct inspector *in)
{
    const struct ruleset *set = in->set;

    for (size_t b = 0; b < set->moment_count; b++)
        for (size_t a = 0; a < b; a++)
            inspect_pair(in, &set->moments[a], &set->moments[b]);
}
