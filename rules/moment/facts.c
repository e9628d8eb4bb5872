/* facts.yaml: one fact per key.  Names are entered sorted before any expression is compiled, so
 * that a fact's number does not depend on the order in the file. */
#include <stdlib.h>

#include "core/check.h"
#include "core/mem.h"
#include "core/when.h"
#include "rules/moment/compile.h"

struct kind_field { /* which field of the form names the kind */
    enum form_field_id field;
    enum fact_kind kind;
};

static const struct kind_field kinds[] = {
#define FACT(name, word, text) {FIELD_FACT_##name, FACT_##name},
#include "rules/moment/facts.def"
#undef FACT
};

static const struct cel_type *key_type(const struct cel_type *type)
{
    if (type->kind == CEL_STRING || type->kind == CEL_INT || type->kind == CEL_BOOL)
        return type;
    return NULL;
}

/* The type of customer.name, or with `per` of one key. */
static const struct cel_type *one_type(const struct fact *fact)
{
    switch (fact->kind) {
    case FACT_LAST:
    case FACT_FIRST: return fact->value != NULL ? cel_program_type(fact->value) : &cel_dyn;
    case FACT_SUM:
    case FACT_MIN:
    case FACT_MAX:
        return fact->value != NULL && cel_program_type(fact->value)->kind == CEL_INT ? &cel_int
                                                                                     : &cel_double;
    case FACT_MEAN:
    case FACT_TREND: return &cel_double;
    case FACT_COUNT:
    case FACT_DISTINCT: return &cel_int;
    case FACT_MARK: return &cel_bool;
    case FACT_SINCE: return &cel_timestamp;
    case FACT_KIND_COUNT: break;
    }
    CHECK_NEVER("a kind of fact");
}

static const struct cel_type *fact_type(struct compiler *c, const struct fact *fact)
{
    struct cel_type *map;

    if (fact->key == NULL)
        return fact->one;
    map = ARENA_NEW(c->arena, struct cel_type);
    *map = (struct cel_type){CEL_MAP, key_type(cel_program_type(fact->key)), fact->one};
    return map;
}

static bool is_number(const struct cel_type *type)
{
    return type->kind == CEL_INT || type->kind == CEL_DOUBLE || type->kind == CEL_UINT ||
           type->kind == CEL_DYN;
}

/* The value of `default:`, of the fact's type. */
static struct value fallback_of(struct compiler *c, const struct fact *fact,
                                const struct yaml_node *node)
{
    const struct cel_type *type = fact->one;
    struct value v = yaml_value(node, c->arena);
    struct buf name = {0};

    if (type->kind == CEL_DOUBLE && v.kind == VALUE_INT)
        return value_double((double)v.i);
    if (type->kind == CEL_DYN || (type->kind == CEL_STRING && v.kind == VALUE_STRING) ||
        (type->kind == CEL_INT && v.kind == VALUE_INT) ||
        (type->kind == CEL_DOUBLE && v.kind == VALUE_DOUBLE) ||
        (type->kind == CEL_BOOL && v.kind == VALUE_BOOL))
        return v;
    cel_type_print(&name, type);
    FOUND(c, node->place, "fact-value", "write a value of the fact's kind, or leave it out",
          "the fact is %s, its default is %s", buf_text(&name), yaml_kind_name(node->kind));
    buf_free(&name);
    return VALUE_NONE;
}

static void take_role(struct compiler *c, struct fact *fact, const struct filled *form)
{
    const struct yaml_node *role = form->at[FIELD_FACT_ROLE], *node = role;
    int32_t *index = NULL;

    if (form->at[FIELD_FACT_ADDRESS] != NULL) {
        node = form->at[FIELD_FACT_ADDRESS];
        fact->role = ROLE_ADDRESS;
        fact->address_kind = form_text(node, c->arena);
    } else if (role != NULL) {
        fact->role = ROLE_TIME_ZONE +
                     (enum fact_role)form_choice(role, form_fields[FIELD_FACT_ROLE].choices);
        index = fact->role == ROLE_TIME_ZONE  ? &c->set->time_zone_fact
                : fact->role == ROLE_LANGUAGE ? &c->set->language_fact
                                              : &c->set->hours_fact;
    }
    if (node == NULL)
        return;
    if (fact->key != NULL || (fact->type->kind != CEL_STRING && fact->type->kind != CEL_DYN))
        FOUND(c, node->place, "fact-value", "read a field that is a text, without \"per\"",
              "an address, a time zone, a language or hours are one text");
    if (index != NULL && *index >= 0)
        FOUND(c, node->place, "duplicate", "leave one of them out",
              "%.*s is the customer's %.*s already", STR_ARG(c->set->facts[*index].name),
              STR_ARG(role->text));
    else if (index != NULL)
        *index = (int32_t)(fact - c->set->facts);
    for (const struct fact *f = c->set->facts; f < fact; f++)
        if (fact->role == ROLE_ADDRESS && str_equal(f->address_kind, fact->address_kind))
            FOUND(c, node->place, "duplicate", "leave one of them out",
                  "%.*s is the address for %.*s already", STR_ARG(f->name),
                  STR_ARG(f->address_kind));
}

static void take_words(struct compiler *c, struct fact *fact, const struct yaml_node *node)
{
    fact->words = form_phrases(node, c->arena);
    for (size_t i = 0; i < fact->words.count; i++)
        if (!phrase_fits(fact->words.items[i].text))
            FOUND(c, form_phrase(node, i)->place, "phrase", "write [a|no] or [not]",
                  "brackets stand in pairs, with at most one bar inside");
}

static bool of_numbers(enum fact_kind kind)
{
    return kind == FACT_SUM || kind == FACT_MIN || kind == FACT_MAX || kind == FACT_MEAN ||
           kind == FACT_TREND;
}

static const char *kind_word(enum fact_kind kind)
{
    static const char *const words[] = {
#define FACT(name, word, text) [FACT_##name] = word,
#include "rules/moment/facts.def"
#undef FACT
    };

    return words[kind];
}

static void say_window(struct compiler *c, const struct fact *fact, const struct yaml_node *step)
{
    struct buf span = {0};

    when_put_span(&span, fact->over_ms);
    FOUND(c, step->place, "fact-window",
          fact->step_ms > fact->over_ms ? "write a shorter \"step\"" : "write a longer \"step\"",
          "\"over\" has to be 1 to %d times as long as \"step\", and %s is not", LIMIT_FACT_BUCKETS,
          buf_text(&span));
    buf_free(&span);
}

/* Buckets need a window to fall out of, and not too many of them. */
static void take_step(struct compiler *c, struct fact *fact, const struct filled *form)
{
    const struct yaml_node *step = form->at[FIELD_FACT_STEP];

    fact->step_ms = form_span_ms(step, 0);
    if (step == NULL)
        return;
    if (fact->over_ms == 0)
        FOUND(c, step->place, "fact-window", "say with \"over\" how long it looks back",
              "\"step\" is for a fact with \"over\"");
    else if (fact->over_ms / fact->step_ms > LIMIT_FACT_BUCKETS || fact->step_ms > fact->over_ms)
        say_window(c, fact, step);
    if (form->at[FIELD_FACT_LIMIT] != NULL)
        FOUND(c, form->at[FIELD_FACT_LIMIT]->place, "fact-window", "leave it out",
              "with \"step\" there is no limit");
}

static const struct kind_field *find_kind(const struct filled *form)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (form->at[kinds[i].field] != NULL)
            return &kinds[i];
    return NULL;
}

static void compile_programs(struct compiler *c, struct fact *fact, const struct filled *form,
                             const struct numbers *types, const struct yaml_node *value)
{
    struct scope scope = {.c = c, .types = types};

    fact->condition = scope_condition(&scope, form->at[FIELD_FACT_IF]);
    fact->key = scope_compile(&scope, form->at[FIELD_FACT_PER], NULL);
    fact->value = scope_compile(&scope, value, NULL);
    if (of_numbers(fact->kind) && fact->value != NULL && !is_number(cel_program_type(fact->value)))
        FOUND(c, value->place, "fact-value", "read a field that is a number",
              "\"%s\" is made of numbers", kind_word(fact->kind));
    if (fact->key != NULL && key_type(cel_program_type(fact->key)) == NULL &&
        !is_number(cel_program_type(fact->key)))
        FOUND(c, form->at[FIELD_FACT_PER]->place, "fact-value", "read an id: event.data.vin",
              "what a fact is kept \"per\" is a text, a number, true or false");
}

static void compile_fact(struct compiler *c, struct fact *fact, const struct yaml_node *node)
{
    const struct kind_field *kind;
    const struct yaml_node *value;
    struct numbers types = {0};
    struct filled form;
    bool by_type;

    fact->type = fact->one = &cel_dyn;
    if (!form_read(FORM_OF_FACT, node, c->diags, &form) || (kind = find_kind(&form)) == NULL)
        return;
    value = form.at[kind->field];
    by_type = form_fields[kind->field].kind == FORM_TYPES; /* count: TYPE; else of: TYPE */
    fact->kind = kind->kind;
    fact->titles = form_phrases(form.at[FIELD_FACT_TITLE], c->arena);
    fact->title = phrases_text(&fact->titles, STR_EMPTY, policy_language(&c->set->policy));
    take_words(c, fact, form.at[FIELD_FACT_WORDS]);
    fact->unit = form_text(form.at[FIELD_FACT_UNIT], c->arena);
    fact->over_ms =
        form_span_ms(form.at[kind->kind == FACT_MARK ? FIELD_FACT_FOR : FIELD_FACT_OVER], 0);
    fact->limit = form_count(form.at[FIELD_FACT_LIMIT],
                             fact->kind == FACT_DISTINCT ? LIMIT_FACT_VALUES : LIMIT_FACT_EVENTS);
    fact->keys = form_count(form.at[FIELD_FACT_KEYS], LIMIT_FACT_KEYS);
    take_step(c, fact, &form);
    types_find(c, by_type ? value : form.at[FIELD_FACT_OF], &types);
    compile_programs(c, fact, &form, &types, by_type ? NULL : value);
    fact->one = one_type(fact);
    fact->type = fact_type(c, fact);
    if (form.at[FIELD_FACT_DEFAULT] != NULL)
        fact->fallback = fallback_of(c, fact, form.at[FIELD_FACT_DEFAULT]);
    take_role(c, fact, &form);
    for (size_t i = 0; i < types.count; i++)
        numbers_add(&c->types[types.items[i]].facts, (uint16_t)(fact - c->set->facts));
    fact->types = numbers_take(&types, c->arena, &fact->type_count);
}

static int compare_keys(const void *a, const void *b)
{
    const struct yaml_node *const *x = a, *const *y = b;

    return str_compare((*x)->text, (*y)->text);
}

static void enter_names(struct compiler *c, const struct yaml_node *root)
{
    size_t count = root->count;
    const struct yaml_node **keys = count != 0 ? mem_copy(root->keys, count * sizeof *keys) : NULL;

    c->set->facts = ARENA_ARRAY(c->arena, struct fact, count);
    c->set->fact_count = count;
    if (count != 0)
        qsort(keys, count, sizeof *keys, compare_keys);
    for (size_t i = 0; i < count; i++) {
        c->set->facts[i].name = arena_str(c->arena, keys[i]->text);
        c->set->facts[i].id = compiler_id(keys[i]->text);
        c->set->facts[i].type = c->set->facts[i].one = &cel_dyn;
    }
    for (size_t i = 0; i < count; i++)
        if (ruleset_find_fact_id(c->set, c->set->facts[i].id) != (int)i)
            FOUND(c, keys[i]->place, "name-clash", "choose another name",
                  "by chance this name and another one have the same number");
    mem_free(keys);
}

void facts_load(struct compiler *c)
{
    const struct yaml_node *root = NULL;

    for (size_t i = 0; i < c->bundle->count; i++)
        if (str_is(c->bundle->files[i].name, "facts.yaml"))
            root = compiler_read(c, &c->bundle->files[i]);
    if (root == NULL || root->kind == YAML_NULL ||
        !form_read_map(&form_fields[FIELD_FACTS_ANY], root, c->diags))
        return;
    enter_names(c, root);
    for (size_t i = 0; i < c->set->fact_count; i++)
        compile_fact(c, &c->set->facts[i], yaml_get(root, c->set->facts[i].name));
}
