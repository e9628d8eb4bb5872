#include "rules/moment/foresee.h"

#include <math.h>

/* --- knowledge ------------------------------------------------------------------------------------ */

const struct possible *knowledge_find(const struct knowledge *k, uint32_t slot)
{
    for (size_t i = 0; i < k->count; i++)
        if (k->items[i].slot == slot)
            return &k->items[i].possible;
    return NULL;
}

void knowledge_set(struct knowledge *k, uint32_t slot, const struct possible *possible)
{
    size_t i = 0;

    while (i < k->count && k->items[i].slot != slot)
        i++;
    if (i == KNOWN_MAX)
        return;
    k->items[i] = (struct known){slot, *possible};
    k->count += i == k->count;
}

/* What holds in both. */
static void join(struct foresight *f, struct knowledge *into, const struct knowledge *other)
{
    size_t kept = 0;

    for (size_t i = 0; i < into->count; i++) {
        const struct possible *also = knowledge_find(other, into->items[i].slot);
        struct possible joined;
        if (also == NULL)
            continue;
        joined = possible_join(f->arena, &into->items[i].possible, also);
        into->items[kept++] = (struct known){into->items[i].slot, joined};
    }
    into->count = kept;
}

static bool exhausted(struct foresight *f)
{
    return f->steps++ > FORESEE_STEPS_MAX;
}

/* --- values --------------------------------------------------------------------------------------- */

static struct possible value_of(struct foresight *f, const struct cel_tree *tree,
                                const struct knowledge *k);
static struct outcomes outcomes_of(struct foresight *f, const struct cel_tree *tree,
                                   const struct knowledge *k);
static bool assume(struct foresight *f, const struct cel_tree *tree, bool wanted,
                   struct knowledge *k);

static struct possible slot_value(struct foresight *f, uint32_t slot, const struct knowledge *k)
{
    const struct possible *known = knowledge_find(k, slot);

    return known != NULL ? *known : f->slot(f->context, slot, k);
}

static bool is_comparison(const struct cel_tree *tree, enum comparison *c)
{
    static const struct {
        const char *sign;
        enum comparison comparison;
    } signs[] = {{"==", IS_EQUAL},         {"!=", IS_UNEQUAL}, {"<", IS_LESS},
                 {"<=", IS_LESS_OR_EQUAL}, {">", IS_MORE},     {">=", IS_MORE_OR_EQUAL}};

    if (tree->kind != TREE_OPERATOR || tree->count != 2)
        return false;
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (str_is(tree->name, signs[i].sign)) {
            *c = signs[i].comparison;
            return true;
        }
    return false;
}

static bool is_sign(const struct cel_tree *tree, const char *sign, size_t count)
{
    return tree->kind == TREE_OPERATOR && tree->count == count && str_is(tree->name, sign);
}

static bool is_logical(const struct cel_tree *tree)
{
    return tree->kind == TREE_AND || tree->kind == TREE_OR || tree->kind == TREE_CHOICE ||
           is_sign(tree, "!", 1);
}

/* Not uint: below 0 it fails. */
static bool is_numeric(const struct cel_tree *tree)
{
    return tree->type->kind == CEL_INT || tree->type->kind == CEL_DOUBLE;
}

/* a - b is a + -b; int with double is double. */
static struct possible arithmetic(struct foresight *f, const struct cel_tree *tree,
                                  const struct knowledge *k)
{
    struct possible a, b;

    if (!is_numeric(tree))
        return possible_anything(true);
    a = value_of(f, tree->items[0], k);
    b = value_of(f, tree->items[1], k);
    if (tree->type->kind == CEL_DOUBLE) {
        a = possible_not_whole(a);
        b = possible_not_whole(b);
    }
    if (str_is(tree->name, "+"))
        return possible_sum(&a, &b);
    if (str_is(tree->name, "*"))
        return possible_product(&a, &b);
    if (!str_is(tree->name, "-"))
        return possible_anything(true);
    b = possible_negative(&b);
    return possible_sum(&a, &b);
}

/* All that the items of a list can be; false: not a list of its items. */
static bool list_items(struct foresight *f, const struct cel_tree *list, const struct knowledge *k,
                       struct possible *all)
{
    *all = possible_nothing();
    if (list->kind != TREE_LIST)
        return false;
    for (size_t i = 0; i < list->count; i++) {
        struct possible item = value_of(f, list->items[i], k);
        *all = possible_join(f->arena, all, &item);
    }
    return true;
}

/* What is left of *p when it is none of a list. */
static struct possible none_of(struct foresight *f, const struct cel_tree *list,
                               const struct knowledge *k, struct possible p)
{
    for (size_t i = 0; i < list->count; i++) {
        struct possible item = value_of(f, list->items[i], k);
        if (item.kind == POSSIBLE_ONE_OF && item.count == 1 && !item.missing)
            p = possible_where(f->arena, &p, IS_UNEQUAL, &item);
    }
    return p;
}

static struct outcomes in_list(struct foresight *f, const struct cel_tree *tree,
                               const struct knowledge *k)
{
    struct possible item = value_of(f, tree->items[0], k), all, left;

    if (!list_items(f, tree->items[1], k, &all))
        return (struct outcomes){true, true, true};
    left = none_of(f, tree->items[1], k, item);
    return (struct outcomes){.yes = possible_compare(IS_EQUAL, &item, &all).yes,
                             .no = !possible_none(&left),
                             .error = item.missing || all.missing};
}

static struct possible operator_value(struct foresight *f, const struct cel_tree *tree,
                                      const struct knowledge *k)
{
    enum comparison c;

    if (is_comparison(tree, &c)) {
        struct possible a = value_of(f, tree->items[0], k), b = value_of(f, tree->items[1], k);
        return possible_truth(possible_compare(c, &a, &b));
    }
    if (is_sign(tree, "in", 2))
        return possible_truth(in_list(f, tree, k));
    if (is_sign(tree, "-", 1)) {
        struct possible a = value_of(f, tree->items[0], k);
        return is_numeric(tree) ? possible_negative(&a) : possible_anything(true);
    }
    return tree->count == 2 ? arithmetic(f, tree, k) : possible_anything(true);
}

static struct possible has_value(struct foresight *f, const struct cel_tree *of,
                                 const struct knowledge *k)
{
    struct possible p;

    if (of->kind != TREE_SLOT)
        return possible_truth((struct outcomes){true, true, true});
    p = slot_value(f, of->slot, k);
    return possible_truth((struct outcomes){.yes = !possible_none(&p), .no = p.missing});
}

static struct possible index_value(struct foresight *f, const struct cel_tree *tree,
                                   const struct knowledge *k)
{
    const struct cel_tree *of = tree->items[0];
    struct possible p, key;

    if (of->kind != TREE_SLOT || of->type->kind != CEL_MAP || tree->optional)
        return possible_anything(true);
    p = f->entry(f->context, of->slot);
    key = value_of(f, tree->items[1], k);
    p.missing |= key.missing;
    return p;
}

static struct possible call_value(struct foresight *f, const struct cel_tree *tree,
                                  const struct knowledge *k)
{
    struct possible of, size = possible_between(0, INFINITY, true);

    if (!str_is(tree->name, "size") || tree->count != 1)
        return possible_anything(true);
    of = value_of(f, tree->items[0], k);
    size.missing = of.missing || tree->items[0]->type->kind == CEL_DYN;
    return size;
}

/* Both sides, each where its condition holds. */
static struct possible choice_value(struct foresight *f, const struct cel_tree *tree,
                                    const struct knowledge *k)
{
    struct possible all = possible_nothing();

    for (size_t i = 0; i < 2; i++) {
        struct knowledge here = *k;
        struct possible side;
        if (!assume(f, tree->items[0], i == 0, &here))
            continue;
        side = value_of(f, tree->items[1 + i], &here);
        all = possible_join(f->arena, &all, &side);
    }
    all.missing |= outcomes_of(f, tree->items[0], k).error;
    return all;
}

static struct possible value_of(struct foresight *f, const struct cel_tree *tree,
                                const struct knowledge *k)
{
    if (exhausted(f))
        return possible_anything(true);
    switch (tree->kind) {
    case TREE_LITERAL: return possible_value(f->arena, tree->literal);
    case TREE_SLOT: return slot_value(f, tree->slot, k);
    case TREE_HAS: return has_value(f, tree->items[0], k);
    case TREE_INDEX: return index_value(f, tree, k);
    case TREE_CALL: return call_value(f, tree, k);
    case TREE_AND:
    case TREE_OR: return possible_truth(outcomes_of(f, tree, k));
    case TREE_CHOICE: return choice_value(f, tree, k);
    case TREE_OPERATOR:
        return is_logical(tree) ? possible_truth(outcomes_of(f, tree, k))
                                : operator_value(f, tree, k);
    case TREE_SELECT:
    case TREE_LIST:
    case TREE_MAP:
    case TREE_MACRO:
    case TREE_LOCAL: break;
    }
    return possible_anything(true);
}

/* --- outcomes ------------------------------------------------------------------------------------- */

/* && fails when a part fails and no other is false; of the others those count that cannot fail
 * themselves.  || likewise with true. */
static bool parts_fail(struct foresight *f, const struct cel_tree *tree, const struct knowledge *k)
{
    bool and = tree->kind == TREE_AND;

    for (size_t i = 0; i < tree->count; i++) {
        struct knowledge here = *k;
        bool possible = true;
        if (!outcomes_of(f, tree->items[i], k).error)
            continue;
        for (size_t j = 0; possible && j < tree->count; j++)
            if (j != i && !outcomes_of(f, tree->items[j], k).error)
                possible = assume(f, tree->items[j], and, &here);
        if (possible && outcomes_of(f, tree->items[i], &here).error)
            return true;
    }
    return false;
}

static struct outcomes outcomes_of(struct foresight *f, const struct cel_tree *tree,
                                   const struct knowledge *k)
{
    struct knowledge yes = *k, no = *k;
    struct outcomes o;

    if (exhausted(f))
        return (struct outcomes){true, true, true};
    if (!is_logical(tree)) {
        struct possible p = value_of(f, tree, k);
        return possible_as_truth(&p);
    }
    if (is_sign(tree, "!", 1)) {
        o = outcomes_of(f, tree->items[0], k);
        return (struct outcomes){.yes = o.no, .no = o.yes, .error = o.error};
    }
    if (tree->kind == TREE_CHOICE) {
        struct possible p = choice_value(f, tree, k);
        return possible_as_truth(&p);
    }
    o.yes = assume(f, tree, true, &yes);
    o.no = assume(f, tree, false, &no);
    o.error = parts_fail(f, tree, k);
    return o;
}

/* --- assuming ------------------------------------------------------------------------------------- */

static bool set_present(struct foresight *f, uint32_t slot, struct knowledge *k)
{
    struct possible p = slot_value(f, slot, k);

    p.missing = false;
    knowledge_set(k, slot, &p);
    return !possible_none(&p);
}

/* A value came out, so what it needs was there.  False: it cannot have been. */
static bool needs_present(struct foresight *f, const struct cel_tree *tree, struct knowledge *k)
{
    bool all = true;

    if (tree->kind == TREE_SLOT)
        return set_present(f, tree->slot, k);
    if (is_logical(tree) || tree->kind == TREE_HAS || tree->kind == TREE_MACRO || tree->optional)
        return true;
    for (size_t i = 0; i < tree->count; i++)
        all = needs_present(f, tree->items[i], k) && all;
    return all;
}

static bool leave(struct foresight *f, const struct cel_tree *tree, struct knowledge *k,
                  const struct possible *p, enum comparison c, const struct possible *other)
{
    struct possible left;

    if (tree->kind != TREE_SLOT)
        return true;
    left = possible_where(f->arena, p, c, other);
    knowledge_set(k, tree->slot, &left);
    return !possible_none(&left);
}

static bool assume_comparison(struct foresight *f, const struct cel_tree *tree, enum comparison c,
                              bool wanted, struct knowledge *k)
{
    struct possible a = value_of(f, tree->items[0], k), b = value_of(f, tree->items[1], k);
    struct outcomes o = possible_compare(c, &a, &b);

    if (wanted ? !o.yes : !o.no)
        return false;
    if (!needs_present(f, tree, k))
        return false;
    if (!wanted && (a.nan || b.nan)) /* false says nothing of what is no number */
        return true;
    c = wanted ? c : comparison_opposite(c);
    return leave(f, tree->items[0], k, &a, c, &b) &&
           leave(f, tree->items[1], k, &b, comparison_turned(c), &a);
}

static bool assume_in(struct foresight *f, const struct cel_tree *tree, bool wanted,
                      struct knowledge *k)
{
    struct possible item = value_of(f, tree->items[0], k), all;
    struct outcomes o = in_list(f, tree, k);

    if (wanted ? !o.yes : !o.no)
        return false;
    if (!needs_present(f, tree, k))
        return false;
    if (!list_items(f, tree->items[1], k, &all) || tree->items[0]->kind != TREE_SLOT)
        return true;
    item = wanted ? possible_where(f->arena, &item, IS_EQUAL, &all)
                  : none_of(f, tree->items[1], k, item);
    item.missing = false;
    knowledge_set(k, tree->items[0]->slot, &item);
    return !possible_none(&item);
}

static bool assume_has(struct foresight *f, const struct cel_tree *of, bool wanted,
                       struct knowledge *k)
{
    struct possible p;

    if (of->kind != TREE_SLOT)
        return true;
    if (wanted)
        return set_present(f, of->slot, k);
    p = slot_value(f, of->slot, k);
    if (!p.missing)
        return false;
    p = possible_nothing();
    p.missing = true;
    knowledge_set(k, of->slot, &p);
    return true;
}

static bool assume_slot(struct foresight *f, uint32_t slot, bool wanted, struct knowledge *k)
{
    struct possible p = slot_value(f, slot, k);
    struct possible truth = possible_truth((struct outcomes){.yes = wanted, .no = !wanted});

    p = possible_where(f->arena, &p, IS_EQUAL, &truth);
    knowledge_set(k, slot, &p);
    return !possible_none(&p);
}

/* At least one of the items comes out as wanted: what holds whichever it is. */
static bool assume_some(struct foresight *f, const struct cel_tree *tree, bool wanted,
                        struct knowledge *k)
{
    struct knowledge all = {0};
    bool any = false;

    for (size_t i = 0; i < tree->count; i++) {
        struct knowledge here = *k;
        if (!assume(f, tree->items[i], wanted, &here))
            continue;
        if (any)
            join(f, &all, &here);
        else
            all = here;
        any = true;
    }
    if (any)
        *k = all;
    return any;
}

static bool assume_each(struct foresight *f, const struct cel_tree *tree, bool wanted,
                        struct knowledge *k)
{
    for (size_t i = 0; i < tree->count; i++)
        if (!assume(f, tree->items[i], wanted, k))
            return false;
    return true;
}

static bool assume_choice(struct foresight *f, const struct cel_tree *tree, bool wanted,
                          struct knowledge *k)
{
    struct knowledge first = *k, second = *k;
    bool a = assume(f, tree->items[0], true, &first) && assume(f, tree->items[1], wanted, &first);
    bool b =
        assume(f, tree->items[0], false, &second) && assume(f, tree->items[2], wanted, &second);

    if (a && b)
        join(f, &first, &second);
    if (a || b)
        *k = a ? first : second;
    return a || b;
}

static bool assume(struct foresight *f, const struct cel_tree *tree, bool wanted,
                   struct knowledge *k)
{
    enum comparison c;
    struct outcomes o;

    if (exhausted(f))
        return true;
    if (tree->kind == TREE_AND || tree->kind == TREE_OR)
        return (tree->kind == TREE_AND) == wanted ? assume_each(f, tree, wanted, k)
                                                  : assume_some(f, tree, wanted, k);
    if (tree->kind == TREE_CHOICE)
        return assume_choice(f, tree, wanted, k);
    if (is_sign(tree, "!", 1))
        return assume(f, tree->items[0], !wanted, k);
    if (is_comparison(tree, &c))
        return assume_comparison(f, tree, c, wanted, k);
    if (is_sign(tree, "in", 2))
        return assume_in(f, tree, wanted, k);
    if (tree->kind == TREE_HAS)
        return assume_has(f, tree->items[0], wanted, k);
    if (tree->kind == TREE_SLOT)
        return assume_slot(f, tree->slot, wanted, k);
    o = outcomes_of(f, tree, k);
    return (wanted ? o.yes : o.no) && needs_present(f, tree, k);
}

/* --- missing -------------------------------------------------------------------------------------- */

struct missing_walk {
    void *context;
    void (*report)(void *context, const struct cel_tree *slot);
};

static void walk(struct foresight *f, const struct cel_tree *tree, struct knowledge *k,
                 const struct missing_walk *w)
{
    size_t count = tree->kind == TREE_MACRO && tree->count != 0 ? 1 : tree->count;

    if (exhausted(f) || tree->kind == TREE_HAS || tree->optional)
        return;
    if (tree->kind == TREE_SLOT) {
        if (slot_value(f, tree->slot, k).missing)
            w->report(w->context, tree);
        return;
    }
    if (tree->kind == TREE_CHOICE) {
        walk(f, tree->items[0], k, w);
        for (size_t i = 0; i < 2; i++) {
            struct knowledge here = *k;
            if (assume(f, tree->items[0], i == 0, &here))
                walk(f, tree->items[1 + i], &here, w);
        }
        return;
    }
    for (size_t i = 0; i < count; i++) {
        walk(f, tree->items[i], k, w);
        if ((tree->kind == TREE_AND || tree->kind == TREE_OR) &&
            !assume(f, tree->items[i], tree->kind == TREE_AND, k))
            return;
    }
}

void foresee_missing(struct foresight *f, const struct cel_tree *tree,
                     const struct knowledge *known, void *context,
                     void (*report)(void *context, const struct cel_tree *slot))
{
    struct knowledge k = known != NULL ? *known : (struct knowledge){0};
    struct missing_walk w = {context, report};

    f->steps = 0;
    walk(f, tree, &k, &w);
}

/* --- from outside --------------------------------------------------------------------------------- */

struct possible foresee_value(struct foresight *f, const struct cel_tree *tree,
                              const struct knowledge *known)
{
    struct knowledge k = known != NULL ? *known : (struct knowledge){0};

    f->steps = 0;
    return value_of(f, tree, &k);
}

struct outcomes foresee_outcomes(struct foresight *f, const struct cel_tree *tree,
                                 const struct knowledge *known)
{
    struct knowledge k = known != NULL ? *known : (struct knowledge){0};

    f->steps = 0;
    return outcomes_of(f, tree, &k);
}

bool foresee_assume(struct foresight *f, const struct cel_tree *tree, bool wanted,
                    struct knowledge *known)
{
    f->steps = 0;
    return assume(f, tree, wanted, known);
}

void foresee_present(struct foresight *f, const struct cel_tree *tree, struct knowledge *known)
{
    f->steps = 0;
    needs_present(f, tree, known);
}
