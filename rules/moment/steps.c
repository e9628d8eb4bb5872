/* The moving part of a moment: steps, withdraw, about; and what of their events is kept.
 *
 * Order matters: types of all steps first, because `about` is read on every event that takes part;
 * then `about`, because conditions may read it; then conditions, each seeing the steps before it.
 * Captures grow while later expressions are compiled, so they go to the moment last.
 */
#include <stdio.h>

#include "core/check.h"
#include "core/mem.h"
#include "rules/moment/compile.h"

struct kind_field { /* which field of the form names the kind */
    enum form_field_id field;
    enum step_kind kind;
    bool may_be_first;
};

static const struct kind_field kinds[] = {
#define STEP(name, word, may_be_first, text) {FIELD_STEP_##name, STEP_##name, may_be_first},
#include "rules/moment/steps.def"
#undef STEP
};

struct listener_draft {
    struct filled form;
    struct numbers types;
};

struct loader {
    struct moment_draft *draft;
    struct compiler *c;
    struct filled *forms; /* of the steps */
    struct listener_draft *listeners;
    struct numbers about_types; /* of events that belong to an `about` */
};

/* --- the shape of steps ------------------------------------------------------------------------- */

static const struct kind_field *find_kind(const struct filled *form)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (form->at[kinds[i].field] != NULL)
            return &kinds[i];
    return NULL;
}

/* Keys that make no sense in the first step, or only there. */
static void check_position(struct compiler *c, const struct filled *form,
                           const struct kind_field *kind, size_t index)
{
    static const struct {
        enum form_field_id field;
        bool first;
    } only[] = {{FIELD_STEP_RESTART, true}, {FIELD_STEP_ANY_ABOUT, false}};

    if (index == 0 && !kind->may_be_first)
        FOUND(c, form->node->place, "first-step",
              "begin with what starts the waiting: - event: TYPE",
              "a moment cannot begin with \"%s\"", form_fields[kind->field].key);
    if (index == 0 && kind->kind == STEP_EVENT && form->at[FIELD_STEP_WITHIN] != NULL)
        FOUND(c, form->at[FIELD_STEP_WITHIN]->place, "key-place", "leave it out",
              "\"within\" counts from the step before, this is the first");
    for (size_t i = 0; i < sizeof only / sizeof only[0]; i++)
        if (form->at[only[i].field] != NULL && only[i].first != (index == 0))
            FOUND(c, form->at[only[i].field]->place, "key-place", "leave it out",
                  "\"%s\" is for %s", form_fields[only[i].field].key,
                  only[i].first ? "the first step" : "later steps");
}

static void say_back(struct compiler *c, const struct moment_step *step,
                     const struct yaml_node *back)
{
    char help[96];

    snprintf(help, sizeof help, "write a number %s %.15g, or leave it out",
             step->below ? "above" : "below", step->bound);
    FOUND(c, back->place, "back", help, "\"back\" has to lie %s the bound, %.15g does not",
          step->below ? "above" : "below", step->back);
}

static void take_bound(struct compiler *c, struct moment_step *step, const struct filled *form)
{
    const struct yaml_node *back = form->at[FIELD_STEP_BACK];

    form_bound(form->at[FIELD_STEP_CROSSES], &step->below, &step->bound);
    step->back = back != NULL ? back->number : step->bound;
    if (step->below ? step->back < step->bound : step->back > step->bound)
        say_back(c, step, back);
}

static void take_name(struct loader *l, size_t index, const struct yaml_node *node)
{
    struct step_draft *steps = l->draft->steps;

    if (node == NULL)
        return;
    steps[index].step->name = form_text(node, l->c->arena);
    for (size_t i = 0; i < index; i++)
        if (str_equal(steps[i].step->name, node->text))
            FOUND(l->c, node->place, "duplicate", "give one of them another name",
                  "two steps are called \"%.*s\"", STR_ARG(node->text));
}

static void note_types(struct loader *l, const struct numbers *types, bool any_about)
{
    uint16_t moment = (uint16_t)(l->draft->moment - l->c->set->moments);

    for (size_t i = 0; i < types->count; i++) {
        numbers_add(&l->c->types[types->items[i]].moments, moment);
        if (!any_about)
            numbers_add(&l->about_types, types->items[i]);
    }
}

static enum form_field_id span_field(enum step_kind kind)
{
    if (kind == STEP_WAIT)
        return FIELD_STEP_WAIT;
    if (kind == STEP_EVERY)
        return FIELD_STEP_EVERY;
    return kind == STEP_ABSENT ? FIELD_STEP_FOR : FIELD_STEP_WITHIN;
}

/* A step that does not say rightly what it is has been reported; what speaks of it by its name need
 * not be reported as well. */
static void keep_name(struct loader *l, size_t index)
{
    const struct filled *form = &l->forms[index];
    struct numbers *types = &l->draft->steps[index].types;

    take_name(l, index, form->at[FIELD_STEP_AS]);
    if (form->at[FIELD_STEP_OF] != NULL)
        types_find(l->c, form->at[FIELD_STEP_OF], types);
    note_types(l, types, form_bool(form->at[FIELD_STEP_ANY_ABOUT]));
}

static void shape_step(struct loader *l, size_t index, const struct yaml_node *node)
{
    struct step_draft *draft = &l->draft->steps[index];
    struct filled *form = &l->forms[index];
    struct moment_step *step = draft->step;
    const struct kind_field *kind;

    if (!form_read(FORM_OF_STEP, node, l->c->diags, form))
        return;
    kind = find_kind(form);
    if (kind == NULL) {
        keep_name(l, index);
        return;
    }
    step->kind = kind->kind;
    step->any_about = form_bool(form->at[FIELD_STEP_ANY_ABOUT]);
    step->restart = form_bool(form->at[FIELD_STEP_RESTART]);
    step->grace_ms = form_span_ms(form->at[FIELD_STEP_GRACE], 0);
    step->span_ms = form_span_ms(form->at[span_field(kind->kind)], 0) + step->grace_ms;
    if (kind->kind == STEP_COUNT)
        step->count = form_count(form->at[FIELD_STEP_COUNT], 1);
    if (kind->kind == STEP_CROSSES)
        take_bound(l->c, step, form);
    take_name(l, index, form->at[FIELD_STEP_AS]);
    check_position(l->c, form, kind, index);
    if (kind->kind == STEP_WAIT || kind->kind == STEP_AT || kind->kind == STEP_BECOMES)
        return;
    types_find(l->c,
               form_fields[kind->field].kind == FORM_TYPES ? form->at[kind->field]
                                                           : form->at[FIELD_STEP_OF],
               &draft->types);
    note_types(l, &draft->types, step->any_about);
}

static void shape_listeners(struct loader *l, const struct yaml_node *node)
{
    struct moment *moment = l->draft->moment;

    moment->withdraw_count = form_item_count(node);
    moment->withdraw = ARENA_ARRAY(l->c->arena, struct listener, moment->withdraw_count);
    l->listeners = ARENA_ARRAY(l->c->arena, struct listener_draft, moment->withdraw_count);
    for (size_t i = 0; i < moment->withdraw_count; i++) {
        struct listener_draft *draft = &l->listeners[i];
        if (!form_read(FORM_OF_LISTENER, form_item(node, i), l->c->diags, &draft->form))
            continue;
        moment->withdraw[i].any_about = form_bool(draft->form.at[FIELD_LISTENER_ANY_ABOUT]);
        types_find(l->c, draft->form.at[FIELD_LISTENER_EVENT], &draft->types);
        note_types(l, &draft->types, moment->withdraw[i].any_about);
    }
}

/* --- about -------------------------------------------------------------------------------------- */

static bool can_be_about(const struct cel_type *type)
{
    return type->kind == CEL_STRING || type->kind == CEL_INT || type->kind == CEL_UINT ||
           type->kind == CEL_BOOL || type->kind == CEL_DYN;
}

/* Every type that may start the moment must say what it is about. */
static void check_about_fields(struct loader *l, const struct yaml_node *node)
{
    const struct numbers *types = &l->draft->steps[0].types;
    size_t count;
    const uint32_t *slots = cel_program_slots(l->draft->moment->about, &count);

    if (count == 0)
        FOUND(l->c, node->place, "about", "read a field: event.data.vin",
              "this is the same for all events");
    for (size_t i = 0; i < types->count; i++)
        for (size_t k = 0; k < count; k++) {
            struct str pointer;
            if (slot_kind(slots[k]) != SLOT_EVENT_DATA)
                continue;
            pointer = l->c->paths[slot_b(slots[k])].pointer;
            if (types_schema_at(l->c, types->items[i], pointer) == NULL)
                FOUND(l->c, node->place, "about",
                      "read a field that all of them have, or make a moment for each",
                      "%.*s starts the moment, but has no field \"%.*s\"",
                      STR_ARG(l->c->set->types[types->items[i]].name),
                      STR_ARG(str_slice(pointer, 1, pointer.len)));
        }
}

static void load_about(struct loader *l, const struct yaml_node *node)
{
    struct scope scope = {.c = l->c, .types = &l->about_types};
    struct moment *moment = l->draft->moment;

    if (node == NULL)
        return;
    l->draft->about = &cel_dyn;
    moment->about = scope_compile(&scope, node, NULL);
    if (moment->about == NULL)
        return;
    l->draft->about = cel_program_type(moment->about);
    if (!can_be_about(l->draft->about))
        FOUND(l->c, node->place, "about", "read an id: event.data.vin",
              "what a moment is about is a text or a whole number");
    check_about_fields(l, node);
}

/* --- conditions --------------------------------------------------------------------------------- */

/* What updates a fact may make the condition true.  The fact before it says whether it was. */
static void listen_to_facts(struct loader *l, size_t index)
{
    struct ruleset *set = l->c->set;
    const struct cel_program *program = l->draft->steps[index].step->condition;
    struct numbers *types = &l->draft->steps[index].types;
    size_t count = 0;
    const uint32_t *slots = program != NULL ? cel_program_slots(program, &count) : NULL;

    for (size_t i = 0; i < count; i++) {
        struct fact *fact = &set->facts[slot_a(slots[i])];

        if (slot_kind(slots[i]) != SLOT_FACT)
            continue;
        fact->before_read = true;
        for (size_t t = 0; t < fact->type_count; t++)
            numbers_add(types, fact->types[t]);
    }
    note_types(l, types, true);
}

/* As first step it is about the customer: no event says what else. */
static void load_becomes(struct loader *l, size_t index)
{
    struct moment_draft *draft = l->draft;
    struct scope scope = {.c = l->c,
                          .no_event = "write customer.NAME of a fact that the event updates",
                          .customer = true,
                          .timeless = true,
                          .about = draft->about,
                          .steps = draft->steps,
                          .step_count = index};
    struct moment_step *step = draft->steps[index].step;
    const struct yaml_node *about = draft->form.at[FIELD_MOMENT_ABOUT];

    if (index == 0 && about != NULL)
        FOUND(l->c, about->place, "about", "leave it out",
              "a moment that begins with \"becomes\" is about the customer");
    step->condition = scope_condition(&scope, l->forms[index].at[FIELD_STEP_BECOMES]);
    listen_to_facts(l, index);
    steps_show(draft, step->condition, index);
}

static void load_condition(struct loader *l, size_t index)
{
    struct moment_draft *draft = l->draft;
    struct moment_step *step = draft->steps[index].step;
    bool timed = step->kind == STEP_WAIT || step->kind == STEP_AT;
    struct scope scope = {.c = l->c,
                          .types = timed ? NULL : &draft->steps[index].types,
                          .no_event = "name the step before with `as: NAME` and write "
                                      "NAME.data. ...",
                          .customer = true,
                          .before = !timed,
                          .about = draft->about,
                          .steps = draft->steps,
                          .step_count = index};

    step->condition = scope_condition(&scope, l->forms[index].at[FIELD_STEP_IF]);
    if (step->kind == STEP_AT)
        step->value = scope_compile(&scope, l->forms[index].at[FIELD_STEP_AT], &cel_timestamp);
    else
        step->value = scope_compile(&scope, l->forms[index].at[FIELD_STEP_VALUE], &cel_double);
    steps_show(draft, draft->moment->about, index);
    steps_show(draft, step->condition, index);
    steps_show(draft, step->value, index);
}

static void load_listener(struct loader *l, size_t index)
{
    struct moment_draft *draft = l->draft;
    struct scope scope = {.c = l->c,
                          .types = &l->listeners[index].types,
                          .customer = true,
                          .before = true,
                          .about = draft->about,
                          .steps = draft->steps,
                          .step_count = draft->moment->step_count};
    struct listener *listener = &draft->moment->withdraw[index];

    listener->condition = scope_condition(&scope, l->listeners[index].form.at[FIELD_LISTENER_IF]);
    listener->types = numbers_take(&l->listeners[index].types, l->c->arena, &listener->type_count);
}

/* --- what is written of them ------------------------------------------------------------------------ */

/* Of a mistake there is no hash: a set with errors is never used. */
static uint64_t hash_node(const struct yaml_node *node, enum form_kind kind, uint64_t seed)
{
    size_t count = form_item_count(node);
    int64_t span_ms = kind == FORM_SPAN ? form_span_ms(node, 0) : 0;

    if (kind == FORM_SPAN) /* 24h is 1d */
        return hash_bytes((struct str){(const char *)&span_ms, sizeof span_ms}, seed);
    for (size_t i = 0; i < count; i++)
        seed = hash_bytes(str_trim(form_item(node, i)->text), seed + 1);
    return seed;
}

/* What a step says, in the order of forms.def.  Its name changes nothing, nor what `restart` says of
 * others that open it. */
static uint64_t hash_step(const struct filled *form, uint64_t seed)
{
    for (size_t f = 0; f < FIELD_COUNT; f++)
        if (form_fields[f].form == FORM_OF_STEP && form->at[f] != NULL && f != FIELD_STEP_AS &&
            f != FIELD_STEP_RESTART)
            seed = hash_node(form->at[f], form_fields[f].kind,
                             hash_bytes(str_of(form_fields[f].key), seed));
    return seed;
}

/* `about` belongs to all of them: another one means others. */
static void hash_steps(struct loader *l)
{
    const struct yaml_node *about = l->draft->form.at[FIELD_MOMENT_ABOUT];
    struct moment *moment = l->draft->moment;
    uint64_t hash = about != NULL ? hash_node(about, FORM_CEL, 0) : 0;

    for (size_t i = 0; i < moment->step_count; i++) {
        hash = hash_step(&l->forms[i], hash + 1);
        moment->steps[i].upto = (uint32_t)hash != 0 ? (uint32_t)hash : 1;
    }
}

/* --- all of it ---------------------------------------------------------------------------------- */

void steps_load(struct moment_draft *draft)
{
    struct loader l = {.draft = draft, .c = draft->c};
    const struct yaml_node *when = draft->form.at[FIELD_MOMENT_WHEN];
    struct moment *moment = draft->moment;

    moment->step_count = form_item_count(when);
    moment->steps = ARENA_ARRAY(l.c->arena, struct moment_step, moment->step_count);
    draft->steps = ARENA_ARRAY(l.c->arena, struct step_draft, moment->step_count);
    l.forms = ARENA_ARRAY(l.c->arena, struct filled, moment->step_count);
    for (size_t i = 0; i < moment->step_count; i++)
        draft->steps[i].step = &moment->steps[i];
    for (size_t i = 0; i < moment->step_count; i++)
        shape_step(&l, i, form_item(when, i));
    shape_listeners(&l, draft->form.at[FIELD_MOMENT_WITHDRAW]);
    if (moment->step_count != 0)
        load_about(&l, draft->form.at[FIELD_MOMENT_ABOUT]);
    for (size_t i = 0; i < moment->step_count; i++) {
        if (moment->steps[i].kind == STEP_BECOMES)
            load_becomes(&l, i);
        else
            load_condition(&l, i);
    }
    for (size_t i = 0; i < moment->withdraw_count; i++)
        load_listener(&l, i);
    hash_steps(&l);
    mem_free(l.about_types.items);
}

/* --- what is shown ------------------------------------------------------------------------------ */

static void show(struct moment_draft *draft, uint32_t slot, uint16_t path)
{
    for (size_t i = 0; i < draft->shown_count; i++)
        if (draft->shown[i].slot == slot)
            return;
    MEM_RESERVE(draft->shown, draft->shown_count, draft->shown_capacity);
    draft->shown[draft->shown_count++] = (struct shown_draft){slot, path};
}

/* A field of the event at hand becomes a capture of its step: it is shown long after. */
static void show_event_field(struct moment_draft *draft, uint16_t path, size_t step)
{
    struct step_draft *from = &draft->steps[step];

    if (!step_has_event(from->step->kind) || from->types.count == 0 ||
        (from->captures.count == LIMIT_CAPTURES && !numbers_have(&from->captures, path)))
        return;
    show(draft,
         slot_of(SLOT_STEP_DATA, (uint32_t)step, (uint32_t)numbers_append(&from->captures, path)),
         path);
}

void steps_show_slot(struct moment_draft *draft, uint32_t slot, size_t step)
{
    switch (slot_kind(slot)) {
    case SLOT_EVENT_DATA: show_event_field(draft, (uint16_t)slot_b(slot), step); break;
    case SLOT_STEP_DATA:
    case SLOT_STEP_FIRST:
        show(draft, slot, draft->steps[slot_a(slot)].captures.items[slot_b(slot)]);
        break;
    case SLOT_FACT:
        if (draft->c->set->facts[slot_a(slot)].key == NULL)
            show(draft, slot, 0);
        break;
    case SLOT_FACT_BEFORE:
    case SLOT_EVENT_ATTR:
    case SLOT_STEP_ATTR:
    case SLOT_NOW:
    case SLOT_ABOUT: break;
    }
}

void steps_show(struct moment_draft *draft, const struct cel_program *program, size_t step)
{
    size_t count = 0;
    const uint32_t *slots = program != NULL ? cel_program_slots(program, &count) : NULL;

    for (size_t i = 0; i < count; i++)
        steps_show_slot(draft, slots[i], step);
}

/* "weight_kg" as "Weight kg" when nobody gave it a title. */
static struct str humanize(struct arena *arena, struct str name)
{
    char *text = arena_copy(arena, name.data, name.len);

    for (size_t i = 0; i < name.len; i++)
        text[i] = text[i] == '_' ? ' ' : text[i];
    if (name.len != 0 && text[0] >= 'a' && text[0] <= 'z')
        text[0] = (char)(text[0] - 'a' + 'A');
    return (struct str){text, name.len};
}

static struct shown shown_fact(struct moment_draft *draft, uint32_t slot)
{
    const struct fact *fact = &draft->c->set->facts[slot_a(slot)];

    return (struct shown){.name = fact->name,
                          .label = fact->title.len != 0 ? fact->title
                                                        : humanize(draft->c->arena, fact->name),
                          .unit = fact->unit,
                          .labels = fact->titles,
                          .slot = slot};
}

static struct str last_name(struct str pointer)
{
    size_t from = pointer.len;

    while (from > 0 && pointer.data[from - 1] != '/')
        from--;
    return str_slice(pointer, from, pointer.len);
}

static struct shown shown_field(struct moment_draft *draft, const struct shown_draft *shown)
{
    struct compiler *c = draft->c;
    const struct numbers *types = &draft->steps[slot_a(shown->slot)].types;
    struct str pointer = c->paths[shown->path].pointer;
    struct shown result = {.name = last_name(pointer), .slot = shown->slot};

    for (size_t i = 0; i < types->count; i++) {
        const struct schema *schema = types_schema_at(c, types->items[i], pointer);
        if (schema != NULL && result.label.len == 0) {
            result.label = schema->title;
            result.labels = schema->titles;
        }
        if (schema != NULL && result.unit.len == 0)
            result.unit = schema->unit;
    }
    if (result.label.len == 0)
        result.label = humanize(c->arena, result.name);
    if (slot_kind(shown->slot) == SLOT_STEP_FIRST) {
        result.name = arena_format(c->arena, "first.%.*s", STR_ARG(result.name));
        result.label = arena_format(c->arena, "First %.*s", STR_ARG(result.label));
        result.labels = (struct phrases){0};
    }
    return result;
}

/* Names are told apart by the step's; what has no name of its own then is not shown twice. */
static bool make_unique(struct moment_draft *draft, struct shown *shown)
{
    struct moment *moment = draft->moment;

    for (int attempt = 0; attempt < 2; attempt++) {
        bool taken = false;
        struct str step = STR_EMPTY;
        for (size_t i = 0; i < moment->shown_count; i++)
            taken |= str_equal(moment->shown[i].name, shown->name);
        if (!taken)
            return true;
        if (slot_kind(shown->slot) != SLOT_FACT)
            step = moment->steps[slot_a(shown->slot)].name;
        if (step.len == 0)
            return false;
        shown->name =
            arena_format(draft->c->arena, "%.*s.%.*s", STR_ARG(step), STR_ARG(shown->name));
    }
    return false;
}

void steps_finish(struct moment_draft *draft)
{
    struct moment *moment = draft->moment;

    moment->shown = ARENA_ARRAY(draft->c->arena, struct shown, draft->shown_count);
    for (size_t i = 0; i < draft->shown_count; i++) {
        struct shown shown = slot_kind(draft->shown[i].slot) == SLOT_FACT
                                 ? shown_fact(draft, draft->shown[i].slot)
                                 : shown_field(draft, &draft->shown[i]);
        if (make_unique(draft, &shown))
            moment->shown[moment->shown_count++] = shown;
    }
    for (size_t i = 0; i < moment->step_count; i++) {
        struct moment_step *step = &moment->steps[i];
        step->types = numbers_take(&draft->steps[i].types, draft->c->arena, &step->type_count);
        step->captures =
            numbers_take(&draft->steps[i].captures, draft->c->arena, &step->capture_count);
    }
    mem_free(draft->shown);
}
