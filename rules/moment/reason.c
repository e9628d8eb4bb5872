/* Of a condition only what is compared is told, with the values of the time; the rest stands among
 * the facts of the task.
 */
#include "rules/moment/reason.h"

#include "core/check.h"
#include "rules/moment/say.h"

struct reasoner {
    struct teller t;
    const struct cel_input *input;
    uint32_t step;
    struct str all;
};

#define SAY(r, name, ...)                                                                          \
    wording_say((r)->t.arena, (r)->t.tongue, WORDING_##name, (struct words){{__VA_ARGS__}})

static void add(struct reasoner *r, struct str part)
{
    r->all = r->all.len == 0 ? part : SAY(r, REASON_AND, r->all, part);
}

/* A condition reads the event at hand; long after, its step has kept it. */
static struct value value_of(const struct reasoner *r, const struct cel_tree *tree)
{
    const struct moment_step *step = &r->t.moment->steps[r->step];
    uint32_t slot = tree->slot;

    if (tree->kind != TREE_SLOT)
        return VALUE_NONE;
    if (slot_kind(slot) != SLOT_EVENT_DATA)
        return r->input->load(r->input->context, slot);
    for (uint32_t i = 0; i < step->capture_count; i++)
        if (step->captures[i] == slot_b(slot))
            return r->input->load(r->input->context, slot_of(SLOT_STEP_DATA, r->step, i));
    return VALUE_NONE;
}

/* "1,900 kg"; empty: it is not known. */
static struct str value_text(struct reasoner *r, const struct cel_tree *tree)
{
    struct value v = value_of(r, tree);

    if (v.kind != VALUE_BOOL && v.kind != VALUE_INT && v.kind != VALUE_UINT &&
        v.kind != VALUE_DOUBLE && v.kind != VALUE_STRING && v.kind != VALUE_TIMESTAMP)
        return STR_EMPTY;
    return say_plain(&r->t, v, tree);
}

/* "3 mm", or "Weight on the policy, 1,100 kg". */
static struct str other_side(struct reasoner *r, const struct cel_tree *tree,
                             const struct cel_tree *beside)
{
    struct str value;

    if (tree->kind != TREE_SLOT)
        return say_value(&r->t, tree, beside);
    value = value_text(r, tree);
    return value.len != 0 ? SAY(r, REASON_LABELLED, say_label(&r->t, tree), value)
                          : say_label(&r->t, tree);
}

static void add_compared(struct reasoner *r, const struct comparison *c)
{
    struct str value = value_text(r, c->left), how, than;

    if (value.len == 0)
        return;
    value = SAY(r, REASON_VALUE, say_label(&r->t, c->left), value);
    if (c->how == WORDING_EQUAL) {
        add(r, value);
        return;
    }
    how = wording_say(r->t.arena, r->t.tongue, c->how, (struct words){{STR_EMPTY}});
    if (c->base != NULL)
        than = SAY(r, REASON_ABOVE, how, say_plain(&r->t, value_double(c->percent), NULL),
                   other_side(r, c->base, NULL));
    else
        than = SAY(r, REASON_THAN, how, other_side(r, c->right, c->left));
    add(r, SAY(r, REASON_COMPARED, value, than));
}

static void add_condition(struct reasoner *r, const struct cel_tree *tree)
{
    struct comparison comparison;

    if (tree->kind == TREE_AND)
        for (size_t i = 0; i < tree->count; i++)
            add_condition(r, tree->items[i]);
    else if (say_comparison(tree, true, &comparison))
        add_compared(r, &comparison);
}

static struct str titles_of(struct reasoner *r, const struct moment_step *step)
{
    struct str *items = ARENA_ARRAY(r->t.arena, struct str, step->type_count);

    for (size_t i = 0; i < step->type_count; i++)
        items[i] = say_event_title(&r->t, step->types[i]);
    return say_list(&r->t, WORDING_OR, items, step->type_count);
}

static void add_crossing(struct reasoner *r, const struct moment_step *step)
{
    const struct cel_tree *tree = cel_program_tree(step->value);
    struct str value = value_text(r, tree), label = say_label(&r->t, tree);
    struct str bound = say_plain(&r->t, value_double(step->bound), tree);

    bound = step->below ? SAY(r, REASON_BELOW_BOUND, bound) : SAY(r, REASON_ABOVE_BOUND, bound);
    if (value.len == 0)
        add(r, SAY(r, REASON_VALUE, label, bound));
    else
        add(r, SAY(r, REASON_COMPARED, SAY(r, REASON_VALUE, label, value), bound));
}

static void add_step(struct reasoner *r, const struct moment_step *step)
{
    struct str span = wording_span(r->t.arena, r->t.tongue, step->span_ms);

    switch (step->kind) {
    case STEP_EVENT: add(r, titles_of(r, step)); break;
    case STEP_ABSENT:
    case STEP_EVERY: add(r, SAY(r, REASON_NONE, titles_of(r, step), span)); return;
    case STEP_COUNT:
        add(r, SAY(r, REASON_COUNT, titles_of(r, step), arena_format(r->t.arena, "%u", step->count),
                   span));
        break;
    case STEP_CROSSES: add_crossing(r, step); break;
    case STEP_BECOMES: break; /* its condition says it all */
    case STEP_WAIT:
    case STEP_AT:
    case STEP_KIND_COUNT: return;
    }
    if (step->condition != NULL)
        add_condition(r, cel_program_tree(step->condition));
}

struct str moment_reason(const struct ruleset *set, const struct moment *moment, enum tongue tongue,
                         const struct cel_input *input, struct arena *arena)
{
    struct reasoner r = {
        .t = {.set = set, .moment = moment, .tongue = tongue, .arena = arena, .zone = input->zone},
        .input = input};

    for (size_t i = 0; i < moment->step_count; i++) {
        r.step = (uint32_t)i;
        r.t.types = moment->steps[i].types;
        r.t.type_count = moment->steps[i].type_count;
        add_step(&r, &moment->steps[i]);
    }
    return r.all;
}
