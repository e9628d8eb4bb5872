/* One function for each shape that a condition can have.  Negation goes down to the leaves, as
 * people say it: not (a and b) is "not a or not b", not (x < 3) is "x is at least 3".
 */
#include "rules/moment/say.h"

#include "core/check.h"
#include "core/when.h"

#define SAY(t, name, ...)                                                                          \
    wording_say((t)->arena, (t)->tongue, WORDING_##name, (struct words){{__VA_ARGS__}})
#define TURN(t, name, so, ...)                                                                     \
    wording_turn((t)->arena, (t)->tongue, WORDING_##name, (so), (struct words){{__VA_ARGS__}})

/* --- what authors wrote --------------------------------------------------------------------------- */

struct str say_phrase(const struct teller *t, const struct phrases *phrases)
{
    int found = phrases_find(phrases, tongue_language(t->tongue), policy_language(&t->set->policy));

    return found >= 0 ? phrases->items[found].text : STR_EMPTY;
}

/* The title, in the default language if there is none in the teller's. */
static struct str any_title(const struct teller *t, const struct phrases *titles)
{
    return phrases_text(titles, tongue_language(t->tongue), policy_language(&t->set->policy));
}

static struct str turned(struct teller *t, struct str phrase, bool so)
{
    struct buf out = {0};
    struct str said;

    phrase_say(&out, phrase, so);
    said = arena_str(t->arena, buf_str(&out));
    buf_free(&out);
    return said;
}

static struct str as_cel(struct teller *t, const struct cel_tree *tree)
{
    struct buf out = {0};
    struct str said;

    cel_tree_print(&out, tree);
    said = arena_str(t->arena, buf_str(&out));
    buf_free(&out);
    t->unworded++;
    return said;
}

/* --- what a slot is --------------------------------------------------------------------------------- */

static const struct schema *schema_in(const struct teller *t, const uint16_t *types, size_t count,
                                      uint16_t path)
{
    for (size_t i = 0; i < count; i++) {
        const struct schema *schema =
            schema_at(t->set->types[types[i]].schema, t->set->paths[path].pointer);
        if (schema != NULL)
            return schema;
    }
    return NULL;
}

/* The field that a `last` or `first` takes as it is. */
static const struct schema *schema_of_fact(const struct teller *t, const struct fact *fact)
{
    const struct cel_tree *tree = fact->value != NULL ? cel_program_tree(fact->value) : NULL;

    if (tree == NULL || tree->kind != TREE_SLOT || slot_kind(tree->slot) != SLOT_EVENT_DATA)
        return NULL;
    return schema_in(t, fact->types, fact->type_count, (uint16_t)slot_b(tree->slot));
}

static const struct schema *schema_of(const struct teller *t, uint32_t slot)
{
    const struct moment_step *step;

    switch (slot_kind(slot)) {
    case SLOT_EVENT_DATA: return schema_in(t, t->types, t->type_count, (uint16_t)slot_b(slot));
    case SLOT_STEP_DATA:
    case SLOT_STEP_FIRST:
        step = &t->moment->steps[slot_a(slot)];
        return schema_in(t, step->types, step->type_count, step->captures[slot_b(slot)]);
    case SLOT_FACT:
    case SLOT_FACT_BEFORE: return schema_of_fact(t, &t->set->facts[slot_a(slot)]);
    case SLOT_EVENT_ATTR:
    case SLOT_STEP_ATTR:
    case SLOT_NOW:
    case SLOT_ABOUT: break;
    }
    return NULL;
}

static bool is_fact(uint32_t slot)
{
    return slot_kind(slot) == SLOT_FACT || slot_kind(slot) == SLOT_FACT_BEFORE;
}

/* The slot of x, x[key]: what the words are of. */
static const struct cel_tree *slot_in(const struct cel_tree *tree)
{
    while (tree != NULL && tree->kind == TREE_INDEX)
        tree = tree->items[0];
    return tree != NULL && tree->kind == TREE_SLOT ? tree : NULL;
}

static struct str words_of(const struct teller *t, uint32_t slot)
{
    const struct schema *schema = schema_of(t, slot);
    struct str words = STR_EMPTY;

    if (is_fact(slot))
        words = say_phrase(t, &t->set->facts[slot_a(slot)].words);
    if (words.len == 0 && schema != NULL)
        words = say_phrase(t, &schema->words);
    return words;
}

static struct str title_of(const struct teller *t, uint32_t slot)
{
    const struct schema *schema = schema_of(t, slot);
    struct str title = STR_EMPTY;

    if (is_fact(slot))
        title = any_title(t, &t->set->facts[slot_a(slot)].titles);
    if (title.len == 0 && schema != NULL)
        title = any_title(t, &schema->titles);
    return title;
}

struct str say_unit(const struct teller *t, const struct cel_tree *tree)
{
    const struct cel_tree *slot = slot_in(tree);
    const struct schema *schema = slot != NULL ? schema_of(t, slot->slot) : NULL;

    if (slot != NULL && is_fact(slot->slot) && t->set->facts[slot_a(slot->slot)].unit.len != 0)
        return t->set->facts[slot_a(slot->slot)].unit;
    return schema != NULL ? schema->unit : STR_EMPTY;
}

struct str say_label(struct teller *t, const struct cel_tree *tree)
{
    const struct cel_tree *slot = slot_in(tree);
    struct str title = slot != NULL ? title_of(t, slot->slot) : STR_EMPTY;

    return title.len != 0 ? title : as_cel(t, tree);
}

/* --- values ----------------------------------------------------------------------------------------- */

static bool number_of(struct value v, double *number)
{
    if (v.kind == VALUE_INT)
        *number = (double)v.i;
    else if (v.kind == VALUE_UINT)
        *number = (double)v.u;
    else if (v.kind == VALUE_DOUBLE)
        *number = v.d;
    else
        return false;
    return true;
}

static bool is_number(const struct cel_tree *tree, double *number)
{
    return tree->kind == TREE_LITERAL && number_of(tree->literal, number);
}

static struct str value_words(const struct teller *t, struct str value,
                              const struct cel_tree *beside)
{
    const struct cel_tree *slot = slot_in(beside);
    const struct schema *schema = slot != NULL ? schema_of(t, slot->slot) : NULL;

    for (size_t i = 0; schema != NULL && i < schema->value_count; i++)
        if (str_equal(schema->values[i].value, value))
            return say_phrase(t, &schema->values[i].words);
    return STR_EMPTY;
}

struct str say_plain(struct teller *t, struct value v, const struct cel_tree *beside)
{
    struct str unit = say_unit(t, beside), said;
    struct buf out = {0};
    double number;

    if (v.kind == VALUE_BOOL)
        return v.boolean ? SAY(t, YES, STR_EMPTY) : SAY(t, NO, STR_EMPTY);
    if (v.kind == VALUE_STRING && (said = value_words(t, value_str(v), beside)).len != 0)
        return said;
    if (number_of(v, &number)) {
        wording_put_number(&out, t->tongue, number, true);
        if (unit.len != 0)
            buf_put_format(&out, " %.*s", STR_ARG(unit));
    } else if (v.kind != VALUE_TIMESTAMP || !wording_put_time(&out, t->tongue, v.i, t->zone)) {
        cel_print(&out, v);
    }
    said = arena_str(t->arena, buf_str(&out));
    buf_free(&out);
    return said;
}

static bool is_sign(const struct cel_tree *tree, const char *sign)
{
    return tree->kind == TREE_OPERATOR && str_is(tree->name, sign) &&
           tree->count == (str_is(tree->name, "!") ? 1U : 2U);
}

/* days(30), hours(2), duration("90s") */
static bool span_of(const struct cel_tree *tree, int64_t *span_ms)
{
    const struct cel_tree *arg =
        tree->kind == TREE_CALL && tree->count == 1 ? tree->items[0] : NULL;
    double number;

    if (arg == NULL || tree->method)
        return false;
    if (str_is(tree->name, "duration") && arg->kind == TREE_LITERAL &&
        arg->literal.kind == VALUE_STRING)
        return when_parse_span_ms(value_str(arg->literal), span_ms);
    if (!is_number(arg, &number) || number < 0 || number > 36500)
        return false;
    *span_ms = (int64_t)(number * (str_is(tree->name, "days") ? WHEN_DAY_MS : WHEN_HOUR_MS));
    return str_is(tree->name, "days") || str_is(tree->name, "hours");
}

static bool is_geo(uint32_t slot)
{
    return (slot_kind(slot) == SLOT_STEP_ATTR || slot_kind(slot) == SLOT_EVENT_ATTR) &&
           slot_b(slot) >= ATTR_GEO;
}

static struct str say_geo(struct teller *t, uint32_t slot)
{
    enum wording word = (enum wording)(WORDING_GEO_COUNTRY + (slot_b(slot) - ATTR_GEO));

    return wording_say(t->arena, t->tongue, word, (struct words){{STR_EMPTY}});
}

static struct str say_slot(struct teller *t, const struct cel_tree *tree)
{
    uint32_t slot = slot_in(tree)->slot;
    struct str said = words_of(t, slot);

    if (slot_kind(slot) == SLOT_NOW)
        return SAY(t, NOW, STR_EMPTY);
    if (slot_kind(slot) == SLOT_STEP_ATTR && slot_b(slot) == ATTR_COUNT)
        return SAY(t, COUNT_OF, STR_EMPTY);
    if (slot_kind(slot) == SLOT_STEP_ATTR && slot_b(slot) == ATTR_TIME)
        return SAY(t, TIME_OF, STR_EMPTY);
    if (is_geo(slot))
        return say_geo(t, slot);
    if (slot_kind(slot) == SLOT_ABOUT && t->moment->about != NULL)
        return say_value(t, cel_program_tree(t->moment->about), NULL);
    if (said.len == 0) {
        said = title_of(t, slot);
        t->unworded += said.len != 0;
    }
    if (said.len == 0)
        return SAY(t, CODE, as_cel(t, tree));
    said = turned(t, said, true);
    return slot_kind(slot) == SLOT_FACT_BEFORE ? SAY(t, BEFORE_IT, said) : said;
}

static struct str say_arithmetic(struct teller *t, const struct cel_tree *tree)
{
    const struct cel_tree *a = tree->items[0], *b = tree->items[1];
    bool time = a->type->kind == CEL_TIMESTAMP || b->type->kind == CEL_TIMESTAMP;
    double factor;

    if (time && is_sign(tree, "-"))
        return SAY(t, TIME_BEFORE, say_value(t, b, NULL), say_value(t, a, NULL));
    if (time && is_sign(tree, "+"))
        return SAY(t, TIME_AFTER, say_value(t, b, NULL), say_value(t, a, NULL));
    if (is_sign(tree, "*") && is_number(b, &factor)) {
        const struct cel_tree *swap = a;
        a = b;
        b = swap;
    }
    if (is_sign(tree, "*") && is_number(a, &factor) && factor > 0 && factor < 1)
        return SAY(t, PERCENT_OF, say_plain(t, value_double(100 * factor), NULL),
                   say_value(t, b, NULL));
    if (is_sign(tree, "*"))
        return SAY(t, TIMES, say_value(t, a, NULL), say_value(t, b, NULL));
    if (is_sign(tree, "/"))
        return SAY(t, DIVIDED, say_value(t, a, NULL), say_value(t, b, NULL));
    if (is_sign(tree, "+"))
        return SAY(t, PLUS, say_value(t, a, b), say_value(t, b, a));
    if (is_sign(tree, "-"))
        return SAY(t, MINUS, say_value(t, a, b), say_value(t, b, a));
    return SAY(t, CODE, as_cel(t, tree));
}

/* --- lists ------------------------------------------------------------------------------------------ */

/* exists, all and so on over one variable, and not one in the other: "it" is then plain. */
static bool is_plain_macro(const struct teller *t, const struct cel_tree *tree)
{
    return tree->kind == TREE_MACRO && !t->in_macro && tree->count == 2 && tree->vars[1].len == 0;
}

static struct str say_of_it(struct teller *t, const struct cel_tree *condition)
{
    struct str said;

    t->in_macro = true;
    said = say_condition(t, condition, true);
    t->in_macro = false;
    return said;
}

static struct str say_filter(struct teller *t, const struct cel_tree *tree)
{
    return SAY(t, FILTER, say_value(t, tree->items[0], NULL), say_of_it(t, tree->items[1]));
}

/* "the axle loads": "axle loads" */
static struct str without_article(struct str words)
{
    static const char *const articles[] = {"the ", "de ", "het "};

    for (size_t i = 0; i < sizeof articles / sizeof articles[0]; i++)
        if (str_starts(words, str_of(articles[i])))
            return str_slice(words, strlen(articles[i]), words.len);
    return words;
}

static bool is_size(const struct cel_tree *tree)
{
    return tree->kind == TREE_CALL && tree->count == 1 && str_is(tree->name, "size");
}

static struct str say_size(struct teller *t, const struct cel_tree *tree)
{
    const struct cel_tree *of = tree->items[0];

    if (of->type->kind == CEL_STRING)
        return SAY(t, LENGTH, say_value(t, of, NULL));
    if (is_plain_macro(t, of) && str_is(of->name, "filter"))
        return SAY(t, SIZE_WHERE, without_article(say_value(t, of->items[0], NULL)),
                   say_of_it(t, of->items[1]));
    return SAY(t, SIZE, without_article(say_value(t, of, NULL)));
}

struct str say_value(struct teller *t, const struct cel_tree *tree, const struct cel_tree *beside)
{
    int64_t span_ms;

    if (tree->kind == TREE_LITERAL)
        return say_plain(t, tree->literal, beside);
    if (span_of(tree, &span_ms))
        return wording_span(t->arena, t->tongue, span_ms);
    if (slot_in(tree) != NULL)
        return say_slot(t, tree);
    if (tree->kind == TREE_OPERATOR && tree->count == 2)
        return say_arithmetic(t, tree);
    if (tree->kind == TREE_CHOICE)
        return SAY(t, CHOICE_VALUE, say_condition(t, tree->items[0], true),
                   say_value(t, tree->items[1], beside), say_value(t, tree->items[2], beside));
    if (tree->kind == TREE_LOCAL && t->in_macro)
        return SAY(t, LOCAL, STR_EMPTY);
    if (is_size(tree))
        return say_size(t, tree);
    if (is_plain_macro(t, tree) && str_is(tree->name, "filter"))
        return say_filter(t, tree);
    return SAY(t, CODE, as_cel(t, tree));
}

/* --- comparisons ------------------------------------------------------------------------------------ */

static const struct relation {
    const char *sign, *flipped, *negated;
    enum wording how;
} relations[] = {
    {">", "<", "<=", WORDING_MORE_THAN}, {"<", ">", ">=", WORDING_LESS_THAN},
    {">=", "<=", "<", WORDING_AT_LEAST}, {"<=", ">=", ">", WORDING_AT_MOST},
    {"==", "==", "!=", WORDING_EQUAL},   {"!=", "!=", "==", WORDING_EQUAL},
};

static const struct relation *relation_of(struct str sign)
{
    for (size_t i = 0; i < sizeof relations / sizeof relations[0]; i++)
        if (str_is(sign, relations[i].sign))
            return &relations[i];
    return NULL;
}

static bool is_constant(const struct cel_tree *tree)
{
    int64_t span_ms;

    return tree->kind == TREE_LITERAL || span_of(tree, &span_ms);
}

/* 1.2 * x is 20 % above x. */
static void take_percent(struct comparison *c)
{
    double factor;

    if (!is_sign(c->right, "*"))
        return;
    for (size_t i = 0; i < 2; i++)
        if (is_number(c->right->items[i], &factor) && factor > 1 && factor < 2) {
            c->percent = (factor - 1) * 100;
            c->percent = (double)(int64_t)(c->percent * 1000 + 0.5) / 1000;
            c->base = c->right->items[1 - i];
        }
}

bool say_comparison(const struct cel_tree *tree, bool so, struct comparison *out)
{
    const struct relation *relation =
        tree->kind == TREE_OPERATOR && tree->count == 2 ? relation_of(tree->name) : NULL;
    bool flip;

    if (relation == NULL)
        return false;
    flip = is_constant(tree->items[0]) && !is_constant(tree->items[1]);
    if (flip)
        relation = relation_of(str_of(relation->flipped));
    if (!so)
        relation = relation_of(str_of(relation->negated));
    *out = (struct comparison){.left = tree->items[flip ? 1 : 0],
                               .right = tree->items[flip ? 0 : 1],
                               .how = relation->how,
                               .so = str_is(str_of(relation->sign), "==")};
    if (out->how != WORDING_EQUAL)
        take_percent(out);
    return true;
}

static bool is_now(const struct cel_tree *tree)
{
    return tree->kind == TREE_SLOT &&
           (slot_kind(tree->slot) == SLOT_NOW ||
            (slot_kind(tree->slot) == SLOT_EVENT_ATTR && slot_b(tree->slot) == ATTR_TIME));
}

static struct str say_times(struct teller *t, const struct comparison *c)
{
    struct str a = say_value(t, c->left, NULL), b = say_value(t, c->right, NULL);

    if (c->how == WORDING_LESS_THAN || c->how == WORDING_AT_LEAST)
        return TURN(t, BEFORE, c->how == WORDING_LESS_THAN, a, b);
    return TURN(t, AFTER, c->how == WORDING_MORE_THAN, a, b);
}

static struct str say_compared(struct teller *t, const struct comparison *c)
{
    const struct cel_tree *left = c->left;
    struct str how;

    if (c->how == WORDING_EQUAL && c->right->kind == TREE_LITERAL &&
        c->right->literal.kind == VALUE_BOOL)
        return say_condition(t, left, c->so == c->right->literal.boolean);
    if (c->how == WORDING_EQUAL)
        return TURN(t, EQUAL, c->so, say_value(t, left, NULL), say_value(t, c->right, left));
    how = wording_say(t->arena, t->tongue, c->how, (struct words){{STR_EMPTY}});
    if (is_sign(left, "-") && is_now(left->items[0]))
        return SAY(t, AGO, say_value(t, left->items[1], NULL), how, say_value(t, c->right, NULL));
    if (is_sign(left, "-") && is_now(left->items[1]))
        return SAY(t, AHEAD, say_value(t, left->items[0], NULL), how, say_value(t, c->right, NULL));
    if (left->type->kind == CEL_TIMESTAMP)
        return say_times(t, c);
    if (c->base != NULL)
        return SAY(t, COMPARE_ABOVE, say_value(t, left, NULL), how,
                   say_plain(t, value_double(c->percent), NULL), say_value(t, c->base, NULL));
    return SAY(t, COMPARE, say_value(t, left, NULL), how, say_value(t, c->right, left));
}

/* --- conditions ------------------------------------------------------------------------------------- */

struct str say_list(struct teller *t, enum wording last, const struct str *items, size_t count)
{
    struct str all = count != 0 ? items[0] : STR_EMPTY;

    for (size_t i = 1; i < count; i++)
        all = wording_say(t->arena, t->tongue, i + 1 < count ? WORDING_COMMA : last,
                          (struct words){{all, items[i]}});
    return all;
}

static struct str say_all(struct teller *t, const struct cel_tree *tree, bool so)
{
    bool and = (tree->kind == TREE_AND) == so;
    struct str *items = ARENA_ARRAY(t->arena, struct str, tree->count);

    for (size_t i = 0; i < tree->count; i++)
        items[i] = say_condition(t, tree->items[i], so);
    return say_list(t, and? WORDING_AND : WORDING_OR, items, tree->count);
}

static struct str say_in(struct teller *t, const struct cel_tree *tree, bool so)
{
    const struct cel_tree *key = tree->items[0], *in = tree->items[1];
    struct str *items;

    if (slot_in(in) != NULL && in->type->kind == CEL_MAP)
        return TURN(t, KNOWN_FOR, so, say_value(t, in, NULL), say_value(t, key, NULL));
    if (in->kind != TREE_LIST || in->count == 0)
        return TURN(t, CEL_HOLDS, so, as_cel(t, tree));
    items = ARENA_ARRAY(t->arena, struct str, in->count);
    for (size_t i = 0; i < in->count; i++)
        items[i] = say_value(t, in->items[i], key);
    return TURN(t, EQUAL, so, say_value(t, key, NULL), say_list(t, WORDING_OR, items, in->count));
}

static struct str say_call(struct teller *t, const struct cel_tree *tree, bool so)
{
    static const struct {
        const char *name;
        enum wording wording;
    } calls[] = {{"startsWith", WORDING_STARTS_WITH},
                 {"endsWith", WORDING_ENDS_WITH},
                 {"contains", WORDING_CONTAINS}};

    for (size_t i = 0; tree->method && tree->count == 2 && i < sizeof calls / sizeof calls[0]; i++)
        if (str_is(tree->name, calls[i].name))
            return wording_turn(t->arena, t->tongue, calls[i].wording, so,
                                (struct words){{say_value(t, tree->items[0], NULL),
                                                say_value(t, tree->items[1], tree->items[0])}});
    return TURN(t, CEL_HOLDS, so, as_cel(t, tree));
}

static struct str say_macro(struct teller *t, const struct cel_tree *tree, bool so)
{
    static const struct {
        const char *name;
        enum wording wording;
    } macros[] = {{"exists", WORDING_EXISTS},
                  {"exists_one", WORDING_EXISTS_ONE},
                  {"existsOne", WORDING_EXISTS_ONE},
                  {"all", WORDING_ALL}};

    for (size_t i = 0; is_plain_macro(t, tree) && i < sizeof macros / sizeof macros[0]; i++)
        if (str_is(tree->name, macros[i].name))
            return wording_turn(
                t->arena, t->tongue, macros[i].wording, so,
                (struct words){{say_value(t, tree->items[0], NULL), say_of_it(t, tree->items[1])}});
    return TURN(t, CEL_HOLDS, so, as_cel(t, tree));
}

/* A yes or no that an author gave words to. */
static struct str say_yes(struct teller *t, const struct cel_tree *tree, bool so)
{
    const struct cel_tree *slot = slot_in(tree);
    struct str words = slot != NULL ? words_of(t, slot->slot) : STR_EMPTY;

    if (slot != NULL && slot_kind(slot->slot) == SLOT_FACT_BEFORE)
        words = STR_EMPTY;
    if (phrase_turns(words))
        return turned(t, words, so);
    if (words.len == 0 && slot != NULL)
        words = title_of(t, slot->slot);
    if (words.len == 0)
        return TURN(t, CEL_HOLDS, so, as_cel(t, tree));
    t->unworded++;
    return TURN(t, HOLDS, so, words);
}

struct str say_condition(struct teller *t, const struct cel_tree *tree, bool so)
{
    struct comparison comparison;

    if (tree->kind == TREE_AND || tree->kind == TREE_OR)
        return say_all(t, tree, so);
    if (is_sign(tree, "!"))
        return say_condition(t, tree->items[0], !so);
    if (say_comparison(tree, so, &comparison))
        return say_compared(t, &comparison);
    if (is_sign(tree, "in"))
        return say_in(t, tree, so);
    if (tree->kind == TREE_HAS)
        return TURN(t, KNOWN, so, say_value(t, tree->items[0], NULL));
    if (tree->kind == TREE_CALL)
        return say_call(t, tree, so);
    if (tree->kind == TREE_MACRO)
        return say_macro(t, tree, so);
    if (tree->kind == TREE_CHOICE)
        return SAY(t, CHOICE, say_condition(t, tree->items[0], true),
                   say_condition(t, tree->items[1], so), say_condition(t, tree->items[2], so));
    return say_yes(t, tree, so);
}

/* --- events ----------------------------------------------------------------------------------------- */

struct str say_event_title(struct teller *t, uint16_t type)
{
    const struct event_type *event = &t->set->types[type];
    struct str title = any_title(t, &event->schema->titles);

    return title.len != 0 ? title : event->name;
}

static struct str say_type(struct teller *t, uint16_t type, bool so)
{
    struct str words = say_phrase(t, &t->set->types[type].schema->words);

    if (words.len == 0) {
        t->unworded++;
        return TURN(t, HAPPENS, so, say_event_title(t, type));
    }
    if (so || phrase_turns(words))
        return turned(t, words, so);
    return SAY(t, NOT_SO, words);
}

struct str say_event(struct teller *t, const uint16_t *types, size_t count, bool so)
{
    struct str *items = ARENA_ARRAY(t->arena, struct str, count);

    for (size_t i = 0; i < count; i++)
        items[i] = say_type(t, types[i], so);
    return say_list(t, so ? WORDING_OR : WORDING_AND, items, count);
}
