/* What an expression sees.  CEL hands over a path of names, event.data.vin; it becomes a slot,
 * and what the slot needs is noted on the way: the path as read of the event's types, a capture
 * of the step, `before` of a fact.  Nothing is noted for a name that is refused.
 *
 * CEL counts lines and columns inside the expression; behind each compile the findings are moved
 * to where that text stands in the YAML file (yaml_place).
 */
#include "core/mem.h"
#include "rules/moment/compile.h"

struct attribute {
    const char *name;
    enum attr attr;
    const struct cel_type *type;
};

static const struct attribute attributes[] = {
    {"id", ATTR_ID, &cel_string},         {"type", ATTR_TYPE, &cel_string},
    {"source", ATTR_SOURCE, &cel_string}, {"subject", ATTR_SUBJECT, &cel_string},
    {"time", ATTR_TIME, &cel_timestamp},  {"time_corrected", ATTR_CORRECTED, &cel_bool},
};
static const struct attribute geo_attributes[] = {
#define GEO(name, word, attribute, bytes_max, text)                                                \
    {word, (enum attr)((int)ATTR_GEO + (int)GEO_##name), &cel_string},
#include "schemas/geo.def"
#undef GEO
};
enum { ATTRIBUTES = sizeof attributes / sizeof attributes[0] };

const char *attr_word(enum attr attr)
{
    static const char *const geo[] = {
#define GEO(name, word, attribute, bytes_max, text) "geo." word,
#include "schemas/geo.def"
#undef GEO
    };

    for (size_t i = 0; i < ATTRIBUTES; i++)
        if (attributes[i].attr == attr)
            return attributes[i].name;
    return attr == ATTR_COUNT ? "count" : geo[attr - ATTR_GEO];
}

/* --- answers ------------------------------------------------------------------------------------ */

static struct cel_found slot(uint32_t number, const struct cel_type *type, size_t taken)
{
    return (struct cel_found){.result = CEL_SLOT, .slot = number, .type = type, .taken = taken};
}

static struct cel_found refused(size_t wrong, struct str what, struct str help)
{
    return (struct cel_found){.result = CEL_REFUSED, .wrong = wrong, .what = what, .help = help};
}

/* The same under another code than "there is no such name". */
static struct cel_found with_code(const char *code, struct cel_found found)
{
    found.code = code;
    return found;
}

static struct cel_found unknown(struct scope *scope, size_t wrong, struct str what, struct str near,
                                struct str there)
{
    struct str help = STR_EMPTY;

    if (near.len != 0)
        help = arena_format(scope->c->arena, "write %.*s", STR_ARG(near));
    else if (there.len != 0)
        help = arena_format(scope->c->arena, "there is: %.*s", STR_ARG(there));
    return refused(wrong, what, help);
}

static struct str joined(struct arena *arena, const struct str *names, size_t count, char by)
{
    struct str list = count != 0 ? names[0] : STR_EMPTY;

    for (size_t i = 1; i < count; i++)
        list = arena_format(arena, "%.*s%c%.*s", STR_ARG(list), by, STR_ARG(names[i]));
    return list;
}

static struct cel_found nothing_by_itself(struct scope *scope, struct str name, const char *help)
{
    return with_code(
        "no-value",
        refused(0, arena_format(scope->c->arena, "%.*s is no value by itself", STR_ARG(name)),
                str_of(help)));
}

/* --- events and steps --------------------------------------------------------------------------- */

/* The types of the event are unknown: that was reported, no more is said about its fields. */
static struct cel_found anything(size_t count)
{
    return slot(slot_of(SLOT_EVENT_DATA, 0, 0), &cel_dyn, count);
}

/* "policy.updated has no field vim", or of several types. */
static struct cel_found no_field(struct scope *scope, const struct numbers *types,
                                 const struct field *field, const struct str *path, size_t from)
{
    struct str name = path[from + field->wrong], of = STR("these events");

    if (types->count == 1)
        of = scope->c->set->types[types->items[0]].name;
    return unknown(scope, from + field->wrong,
                   arena_format(scope->c->arena,
                                types->count == 1 ? "%.*s has no field \"%.*s\""
                                                  : "%.*s have no field \"%.*s\"",
                                STR_ARG(of), STR_ARG(name)),
                   field->near, field->there);
}

static uint16_t read_path(struct scope *scope, const struct numbers *types, struct str pointer)
{
    uint16_t path = 0;

    for (size_t i = 0; i < types->count; i++)
        if (types_schema_at(scope->c, types->items[i], pointer) != NULL)
            path = types_read_path(scope->c, types->items[i], pointer);
    return path;
}

/* event.geo.country; event.geo is no value by itself. */
static struct cel_found resolve_geo(struct scope *scope, enum slot_kind kind, uint32_t a,
                                    const struct str *path, size_t count, size_t at)
{
    struct str names[GEO_COUNT], geo = joined(scope->c->arena, path, at, '.');

    if (count == at)
        return nothing_by_itself(scope, geo,
                                 "write .country behind it, or .place .time_zone .network");
    for (size_t i = 0; i < GEO_COUNT; i++) {
        names[i] = str_of(geo_attributes[i].name);
        if (str_equal(path[at], names[i]))
            return slot(slot_of(kind, a, geo_attributes[i].attr), geo_attributes[i].type, at + 1);
    }
    return with_code("unknown-field", unknown(scope, at,
                                              arena_format(scope->c->arena, "%.*s has no \"%.*s\"",
                                                           STR_ARG(geo), STR_ARG(path[at])),
                                              str_nearest(path[at], names, GEO_COUNT),
                                              joined(scope->c->arena, names, GEO_COUNT, ' ')));
}

static struct cel_found resolve_attr(struct scope *scope, enum slot_kind kind, uint32_t a,
                                     const struct str *path, size_t count, size_t at)
{
    struct str names[ATTRIBUTES + 1], what;

    for (size_t i = 0; i < ATTRIBUTES; i++) {
        names[i] = str_of(attributes[i].name);
        if (str_equal(path[at], names[i]))
            return slot(slot_of(kind, a, attributes[i].attr), attributes[i].type, at + 1);
    }
    names[ATTRIBUTES] = STR("geo");
    if (str_equal(path[at], names[ATTRIBUTES]))
        return resolve_geo(scope, kind, a, path, count, at + 1);
    what = arena_format(scope->c->arena, "an event has no \"%.*s\"", STR_ARG(path[at]));
    if (str_nearest(path[at], names, ATTRIBUTES + 1).len != 0)
        return unknown(scope, at, what, str_nearest(path[at], names, ATTRIBUTES + 1), STR_EMPTY);
    return with_code(
        "unknown-field",
        refused(at, what,
                arena_format(scope->c->arena, "the fields of an event stand under data: data.%.*s",
                             STR_ARG(path[at]))));
}

static struct cel_found resolve_event(struct scope *scope, const struct str *path, size_t count)
{
    struct field field;

    if (scope->types == NULL)
        return with_code("no-event",
                         refused(0, STR("there is no event here"), str_of(scope->no_event)));
    if (count == 1)
        return nothing_by_itself(scope, path[0], "write event.data.NAME or event.time");
    if (!str_is(path[1], "data"))
        return resolve_attr(scope, SLOT_EVENT_ATTR, 0, path, count, 1);
    if (count == 2)
        return nothing_by_itself(scope, STR("event.data"), "write event.data.NAME");
    if (scope->types->count == 0)
        return anything(count);
    field = types_find_field(scope->c, scope->types, path + 2, count - 2);
    if (field.taken == 0)
        return no_field(scope, scope->types, &field, path, 2);
    return slot(slot_of(SLOT_EVENT_DATA, 0, read_path(scope, scope->types, field.pointer)),
                field.type, 2 + field.taken);
}

/* NAME.data.x, or NAME.first.data.x: `from` names stand before the field. */
static struct cel_found resolve_step_data(struct scope *scope, uint32_t step, enum slot_kind kind,
                                          const struct str *path, size_t count, size_t from)
{
    struct step_draft *draft = &scope->steps[step];
    struct field field;
    size_t capture;

    if (count <= from)
        return nothing_by_itself(scope, path[0], "write .data.NAME behind it");
    if (draft->types.count == 0)
        return anything(count);
    field = types_find_field(scope->c, &draft->types, path + from, count - from);
    if (field.taken == 0)
        return no_field(scope, &draft->types, &field, path, from);
    if (draft->captures.count == LIMIT_CAPTURES)
        return with_code(
            "limit", refused(from,
                             arena_format(scope->c->arena,
                                          "%d fields of this step are read, at most %d are kept",
                                          LIMIT_CAPTURES + 1, LIMIT_CAPTURES),
                             STR("read fewer of them")));
    capture = numbers_append(&draft->captures, read_path(scope, &draft->types, field.pointer));
    if (kind == SLOT_STEP_FIRST)
        draft->step->first_captured = true;
    return slot(slot_of(kind, step, (uint32_t)capture), field.type, from + field.taken);
}

static struct cel_found resolve_step(struct scope *scope, uint32_t step, const struct str *path,
                                     size_t count)
{
    enum step_kind kind = scope->steps[step].step->kind;

    if (count == 1)
        return nothing_by_itself(scope, path[0], "write .data.NAME or .time behind it");
    if (!step_has_event(kind) && !str_is(path[1], "time"))
        return with_code("no-event",
                         refused(1,
                                 kind == STEP_ABSENT || kind == STEP_EVERY
                                     ? STR("an event that stayed out has no fields")
                                 : kind == STEP_BECOMES ? STR("a condition has no fields")
                                                        : STR("time that passed has no fields"),
                                 STR("only its .time can be read")));
    if (str_is(path[1], "data"))
        return resolve_step_data(scope, step, SLOT_STEP_DATA, path, count, 2);
    if (kind == STEP_COUNT && str_is(path[1], "count"))
        return slot(slot_of(SLOT_STEP_ATTR, step, ATTR_COUNT), &cel_int, 2);
    if (kind == STEP_COUNT && str_is(path[1], "first")) {
        if (count > 2 && str_is(path[2], "data"))
            return resolve_step_data(scope, step, SLOT_STEP_FIRST, path, count, 3);
        return refused(1, STR("only fields of the first event can be read"),
                       STR("write .first.data.NAME"));
    }
    return resolve_attr(scope, SLOT_STEP_ATTR, step, path, count, 1);
}

/* --- facts -------------------------------------------------------------------------------------- */

static struct cel_found resolve_fact(struct scope *scope, enum slot_kind kind,
                                     const struct str *path, size_t count)
{
    struct ruleset *set = scope->c->set;
    struct str *names, near, what;
    int fact;

    if (count == 1)
        return nothing_by_itself(scope, path[0], "write the name of a fact behind it");
    fact = ruleset_find_fact(set, path[1]);
    if (fact >= 0) {
        set->facts[fact].before_read |= kind == SLOT_FACT_BEFORE;
        return slot(slot_of(kind, (uint32_t)fact, 0), set->facts[fact].type, 2);
    }
    names = MEM_NEW_ARRAY(struct str, set->fact_count + 1);
    for (size_t i = 0; i < set->fact_count; i++)
        names[i] = set->facts[i].name;
    near = str_nearest(path[1], names, set->fact_count);
    mem_free(names);
    what = arena_format(scope->c->arena, "there is no fact \"%.*s\"", STR_ARG(path[1]));
    return with_code("unknown-fact", near.len == 0
                                         ? refused(1, what, STR("declare it in facts.yaml"))
                                         : unknown(scope, 1, what, near, STR_EMPTY));
}

static struct cel_found resolve_unknown(struct scope *scope, struct str name)
{
    struct str names[LIMIT_STEPS + 8];
    size_t count = 0;

    names[count++] = STR("event");
    if (scope->customer)
        names[count++] = STR("customer");
    if (scope->customer && !scope->timeless)
        names[count++] = STR("now");
    if (scope->before)
        names[count++] = STR("before");
    if (scope->about != NULL)
        names[count++] = STR("about");
    for (size_t i = 0; i < scope->step_count; i++)
        if (scope->steps[i].step->name.len != 0)
            names[count++] = scope->steps[i].step->name;
    return (struct cel_found){.result = CEL_NO_SUCH_NAME,
                              .help = unknown(scope, 0, STR_EMPTY, str_nearest(name, names, count),
                                              joined(scope->c->arena, names, count, ' '))
                                          .help};
}

static struct cel_found resolve(void *context, const struct str *path, size_t count)
{
    struct scope *scope = context;

    if (str_is(path[0], "event"))
        return resolve_event(scope, path, count);
    for (size_t i = 0; i < scope->step_count; i++)
        if (str_equal(scope->steps[i].step->name, path[0]))
            return resolve_step(scope, (uint32_t)i, path, count);
    if (!scope->customer &&
        (str_is(path[0], "customer") || str_is(path[0], "before") || str_is(path[0], "now")))
        return with_code("out-of-reach",
                         refused(0, STR("only `event` can be read here"),
                                 STR("write event.data.NAME: a fact is made from events alone")));
    if (str_is(path[0], "customer"))
        return resolve_fact(scope, SLOT_FACT, path, count);
    if (str_is(path[0], "before") && !scope->before)
        return with_code(
            "out-of-reach",
            refused(0, STR("`before` is what a fact was before an event; there is none here"),
                    STR("write customer, or ask in the `if` of a step")));
    if (str_is(path[0], "before"))
        return resolve_fact(scope, SLOT_FACT_BEFORE, path, count);
    if (str_is(path[0], "now") && scope->timeless)
        return with_code(
            "out-of-reach",
            refused(0, STR("what becomes true is said by facts alone, not by `now`"),
                    STR("a fact with `over:`, or a mark with `for:`, runs out by itself")));
    if (str_is(path[0], "now"))
        return slot(slot_of(SLOT_NOW, 0, 0), &cel_timestamp, 1);
    if (str_is(path[0], "about")) {
        if (scope->about != NULL)
            return slot(slot_of(SLOT_ABOUT, 0, 0), scope->about, 1);
        return with_code("out-of-reach",
                         refused(0, STR("the moment is about nothing in particular"),
                                 STR("say it with `about:`")));
    }
    return resolve_unknown(scope, path[0]);
}

/* --- places ------------------------------------------------------------------------------------- */

/* The byte of a text where CEL's line and column point to. */
static size_t offset_of(struct str text, int line, int column)
{
    size_t at = 0;

    for (int l = 1; l < line && at < text.len; at++)
        l += text.data[at] == '\n';
    for (int k = 1; k < column && at < text.len && text.data[at] != '\n'; k++)
        do
            at++;
        while (at < text.len && ((unsigned char)text.data[at] & 0xc0) == 0x80);
    return at;
}

static void move_findings(struct diags *diags, size_t from, const struct yaml_node *node)
{
    for (size_t i = from; i < diags->count; i++) {
        struct place *place = &diags->items[i].place;
        struct place moved = yaml_place(node, offset_of(node->text, place->line, place->column));
        place->line = moved.line;
        place->column = moved.column;
    }
}

static struct place inside(const struct yaml_node *node)
{
    return (struct place){node->place.file, 1, 1};
}

/* --- compiling ---------------------------------------------------------------------------------- */

static struct cel_env env_of(struct scope *scope)
{
    return (struct cel_env){.context = scope,
                            .resolve = resolve,
                            .mixed_numbers = true,
                            .own_functions = true,
                            .keep_tree = true,
                            .no_zone = scope->timeless};
}

static void keep_text(struct compiler *c, const struct cel_program *program, struct str text)
{
    MEM_RESERVE(c->expressions, c->expression_count, c->expression_capacity);
    c->expressions[c->expression_count++] =
        (struct expression){.program = program, .text = arena_str(c->arena, str_trim(text))};
}

const struct cel_program *scope_compile(struct scope *scope, const struct yaml_node *node,
                                        const struct cel_type *want)
{
    struct compiler *c = scope->c;
    struct cel_env env = env_of(scope);
    size_t from = c->diags->count;
    const struct cel_program *program;

    if (node == NULL)
        return NULL;
    program = cel_compile(&env, node->text, inside(node), want, c->arena, c->diags);
    move_findings(c->diags, from, node);
    if (program != NULL)
        keep_text(c, program, node->text);
    return program;
}

static struct str printed(struct compiler *c, const struct cel_tree *tree)
{
    struct buf out = {0};
    struct str text;

    cel_tree_print(&out, tree);
    text = arena_str(c->arena, buf_str(&out));
    buf_free(&out);
    return text;
}

/* The parts of the condition that was compiled last, each compiled from what its tree prints. */
static void keep_parts(struct scope *scope)
{
    struct compiler *c = scope->c;
    struct expression *whole = &c->expressions[c->expression_count - 1];
    struct cel_env env = env_of(scope);
    struct diags unheard = {0};
    struct part parts[PARTS_MAX];
    size_t count = parts_cut(cel_program_tree(whole->program), parts);

    whole->joined = parts_joined(cel_program_tree(whole->program));
    whole->parts = ARENA_ARRAY(c->arena, struct condition_part, count);
    for (size_t i = 0; i < count; i++) {
        struct str text = printed(c, parts[i].tree);
        const struct cel_program *program =
            cel_compile(&env, text, (struct place){0}, &cel_bool, c->arena, &unheard);

        if (program != NULL)
            whole->parts[whole->part_count++] =
                (struct condition_part){program, text, parts_at(parts[i].tree), parts[i].so};
    }
    diags_free(&unheard);
}

const struct cel_program *scope_condition(struct scope *scope, const struct yaml_node *node)
{
    const struct cel_program *program = scope_compile(scope, node, &cel_bool);
    struct value v;

    if (program != NULL)
        keep_parts(scope);

    if (program == NULL || !cel_program_constant(program, &v))
        return program;
    if (v.kind == VALUE_ERROR)
        FOUND(scope->c, node->place, "always-error", "correct it: whatever comes, it has no value",
              "this condition always fails: %.*s", STR_ARG(value_str(v)));
    else if (v.kind == VALUE_BOOL && !v.boolean)
        FOUND(scope->c, node->place, "always-false",
              "then it never happens: change it, or delete what it is for",
              "this condition is always false");
    else
        diag_add(scope->c->diags, DIAG_WARNING, node->place, "always-true", "leave it out",
                 "this condition is always true");
    return program;
}

const struct template *scope_template(struct scope *scope, const struct yaml_node *node,
                                      enum text_context context)
{
    struct compiler *c = scope->c;
    struct cel_env env = env_of(scope);
    size_t from = c->diags->count;
    const struct template *t;
    struct str text;

    text = node->text; /* a block ends with a line break */
    while (text.len != 0 && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == ' '))
        text.len--;
    t = template_compile(&env, text, context, inside(node), c->arena, c->diags);
    move_findings(c->diags, from, node);
    return t;
}
