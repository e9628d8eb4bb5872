/* attent list WHAT: each kind of thing fills a table (listing.h), and printing it is the same for all. */
#include <stdio.h>

#include "core/json.h"
#include "core/mem.h"
#include "processors/cli/cli.h"
#include "processors/cli/listing.h"
#include "processors/cli/rules_verb.h"
#include "rules/cel/funcs.h"
#include "rules/cel/reference.h"
#include "rules/moment/readers.h"
#include "schemas/schema_compare.h"

/* --- pieces --------------------------------------------------------------------------------------- */

static void add_item(struct buf *list, struct str item)
{
    if (list->len != 0)
        buf_put_text(list, ", ");
    buf_put(list, item);
}

static struct str take(struct listing *t, struct buf *text)
{
    struct str taken = arena_str(t->arena, buf_str(text));

    buf_free(text);
    return taken;
}

static struct str type_names(struct listing *t, const uint16_t *types, size_t count)
{
    struct buf list = {0};

    for (size_t i = 0; i < count; i++)
        add_item(&list, t->set->types[types[i]].name);
    return take(t, &list);
}

static struct str value_text(struct listing *t, struct value v)
{
    struct buf text = {0};

    if (v.kind != VALUE_ABSENT)
        json_put_value(&text, v);
    return take(t, &text);
}

/* --- reasons, functions --------------------------------------------------------------------------- */

static const struct listing_kind reasons_table = {.columns = {"reason", "text"}};

static void list_reasons(struct listing *t)
{
    struct str *cells;
#define REASON(name, code, text)                                                                   \
    cells = listing_add(t, false);                                                                 \
    cells[0] = STR(code);                                                                          \
    cells[1] = STR(text);
#include "rules/reasons.def"
#undef REASON
}

static const struct listing_kind functions_table = {.columns = {"function", "text", "example"}};

static struct str example_text(struct listing *t, const char *of, size_t number)
{
    const struct cel_example *example = cel_example_find(of, number);
    struct buf text = {0};

    if (example != NULL)
        buf_put_format(&text, "%s is %s", example->expression, example->gives);
    return take(t, &text);
}

static void list_functions(struct listing *t)
{
    const struct cel_func *func;
    struct str *cells;
    size_t number = 0; /* of the row among those of its name */

    for (size_t i = 0; (func = cel_func_at(i)) != NULL; i++) {
        struct buf signature = {0};
        if (func->name[0] == '@') /* what a macro becomes */
            continue;
        number = i == cel_func_find(str_of(func->name)) ? 0 : number + 1;
        cel_func_print(&signature, func);
        cells = listing_add(t, false);
        cells[0] = take(t, &signature);
        cells[1] = str_of(func->text);
        cells[2] = example_text(t, func->name, number);
    }
#define MACRO(name, vars, args, collect, filtered, usage, text)                                    \
    cells = listing_add(t, false);                                                                 \
    cells[0] = STR(usage);                                                                         \
    cells[1] = STR(text);                                                                          \
    cells[2] = example_text(t, usage, 0);
#include "rules/cel/macros.def"
#undef MACRO
}

/* --- facts ------------------------------------------------------------------------------------------ */

static const struct listing_kind facts_table = {
    .columns = {"fact", "kind", "type", "unit", "title", "example", "from[]", "read_by[]"},
    .headings = true,
};

static struct str fact_readers(struct listing *t, uint32_t fact)
{
    struct buf list = {0};

    for (size_t i = 0; i < t->set->moment_count; i++)
        if (readers_moment_has_fact(&t->set->moments[i], fact))
            add_item(&list, t->set->moments[i].name);
    return take(t, &list);
}

/* Of the field that it is the value of, if it is one. */
static struct str fact_example(struct listing *t, const struct fact *fact)
{
    size_t count = 0;
    const uint32_t *slots = fact->value != NULL ? cel_program_slots(fact->value, &count) : NULL;
    const struct schema *field;

    if (count != 1 || slot_kind(slots[0]) != SLOT_EVENT_DATA || fact->type_count == 0)
        return STR_EMPTY;
    field =
        schema_at(t->set->types[fact->types[0]].schema, t->set->paths[slot_b(slots[0])].pointer);
    return field != NULL ? value_text(t, schema_sample(field, t->arena)) : STR_EMPTY;
}

static void list_facts(struct listing *t)
{
    static const char *const kinds[] = {
#define FACT(name, word, text) word,
#include "rules/moment/facts.def"
#undef FACT
    };

    for (size_t i = 0; i < t->set->fact_count; i++) {
        const struct fact *fact = &t->set->facts[i];
        struct buf type = {0};
        struct str *cells = listing_add(t, false);

        cel_type_print(&type, fact->type);
        cells[0] = arena_format(t->arena, "customer.%.*s", STR_ARG(fact->name));
        cells[1] = str_of(kinds[fact->kind]);
        cells[2] = take(t, &type);
        cells[3] = fact->unit;
        cells[4] = fact->title;
        cells[5] = fact_example(t, fact);
        cells[6] = type_names(t, fact->types, fact->type_count);
        cells[7] = fact_readers(t, (uint32_t)i);
    }
}

/* --- events ----------------------------------------------------------------------------------------- */

static const struct listing_kind events_table = {
    .columns = {"event", "title", "facts[]", "moments[]"},
    .below = "fields",
    .below_columns = {"field", "type", "unit", "title", "required", "example", "read_by[]"},
};

/* Facts as customer.NAME, then moments. */
static struct str field_readers(struct listing *t, uint16_t type, struct str pointer)
{
    const struct ruleset *set = t->set;
    struct buf list = {0};
    size_t path = 0;

    while (path < set->path_count && !str_equal(set->paths[path].pointer, pointer))
        path++;
    for (size_t i = 0; path < set->path_count && i < set->fact_count; i++)
        if (readers_fact_has_path(&set->facts[i], type, (uint16_t)path))
            add_item(&list, arena_format(t->arena, "customer.%.*s", STR_ARG(set->facts[i].name)));
    for (size_t i = 0; path < set->path_count && i < set->moment_count; i++)
        if (readers_moment_has_path(set, &set->moments[i], type, (uint16_t)path))
            add_item(&list, set->moments[i].name);
    return take(t, &list);
}

/* The fields of an object, and of the objects in it: place.city. */
static void list_fields(struct listing *t, uint16_t type, const struct schema *object,
                        struct str above)
{
    for (size_t i = 0; i < object->property_count; i++) {
        const struct schema *field = object->properties[i];
        struct str pointer =
            arena_format(t->arena, "%.*s/%.*s", STR_ARG(above), STR_ARG(field->name));
        char *name = arena_copy(t->arena, pointer.data + 1, pointer.len - 1);
        struct str *cells = listing_add(t, true);

        for (size_t k = 0; k + 1 < pointer.len; k++)
            name[k] = name[k] == '/' ? '.' : name[k];
        cells[0] = (struct str){name, pointer.len - 1};
        cells[1] = str_of(schema_type_word(field->type));
        cells[2] = field->unit;
        cells[3] = field->title;
        cells[4] = schema_requires(object, field->name) ? STR("required") : STR_EMPTY;
        cells[5] = field->type != SCHEMA_OBJECT ? value_text(t, schema_sample(field, t->arena))
                                                : STR_EMPTY;
        cells[6] = field_readers(t, type, pointer);
        if (field->type == SCHEMA_OBJECT)
            list_fields(t, type, field, pointer);
    }
}

static void list_events(struct listing *t)
{
    for (size_t i = 0; i < t->set->type_count; i++) {
        const struct event_type *type = &t->set->types[i];
        struct buf facts = {0}, moments = {0};
        struct str *cells;

        for (size_t k = 0; k < type->fact_count; k++)
            add_item(&facts, arena_format(t->arena, "customer.%.*s",
                                          STR_ARG(t->set->facts[type->facts[k]].name)));
        for (size_t k = 0; k < type->moment_count; k++)
            add_item(&moments, t->set->moments[type->moments[k]].name);
        cells = listing_add(t, false);
        cells[0] = type->name;
        cells[1] = type->schema->title;
        cells[2] = take(t, &facts);
        cells[3] = take(t, &moments);
        list_fields(t, (uint16_t)i, type->schema, STR_EMPTY);
    }
}

/* --- moments, channels -------------------------------------------------------------------------------- */

static const struct listing_kind moments_table = {
    .columns = {"moment", "tier", "title", "owner", "begins_with[]", "facts[]", "channels[]",
                "version"},
    .headings = true,
};

static void list_moments(struct listing *t)
{
    for (size_t i = 0; i < t->set->moment_count; i++) {
        const struct moment *moment = &t->set->moments[i];
        struct buf facts = {0}, channels = {0};
        struct str *cells = listing_add(t, false);

        for (size_t k = 0; k < t->set->fact_count; k++)
            if (readers_moment_has_fact(moment, (uint32_t)k))
                add_item(&facts, t->set->facts[k].name);
        for (size_t k = 0; k < moment->act_count; k++)
            if (!str_contains(buf_str(&channels), moment->acts[k].channel))
                add_item(&channels, moment->acts[k].channel);
        cells[0] = moment->name;
        cells[1] = t->set->policy.tiers[moment->tier].name;
        cells[2] = moment->title;
        cells[3] = moment->owner;
        cells[4] = type_names(t, moment->steps[0].types, moment->steps[0].type_count);
        cells[5] = take(t, &facts);
        cells[6] = take(t, &channels);
        cells[7] = arena_str(t->arena, str_of(moment->version));
    }
}

static const struct listing_kind channels_table = {
    .columns = {"channel", "address", "facts[]", "used_by[]"},
    .headings = true,
};

static bool acts_on(const struct moment *moment, struct str channel)
{
    for (size_t i = 0; i < moment->act_count; i++)
        if (str_equal(moment->acts[i].channel, channel))
            return true;
    return false;
}

static void list_channels(struct listing *t)
{
    const struct policy *policy = &t->set->policy;

    for (size_t i = 0; i < policy->channel_count; i++) {
        const struct channel_rule *channel = &policy->channels[i];
        struct buf facts = {0}, moments = {0};
        struct str *cells = listing_add(t, false);

        for (size_t k = 0; k < t->set->fact_count; k++)
            if (t->set->facts[k].role == ROLE_ADDRESS &&
                str_equal(t->set->facts[k].address_kind, channel->address))
                add_item(&facts,
                         arena_format(t->arena, "customer.%.*s", STR_ARG(t->set->facts[k].name)));
        for (size_t k = 0; k < t->set->moment_count; k++)
            if (acts_on(&t->set->moments[k], channel->name))
                add_item(&moments, t->set->moments[k].name);
        cells[0] = channel->name;
        cells[1] = channel->address;
        cells[2] = take(t, &facts);
        cells[3] = take(t, &moments);
    }
}

static const struct {
    const char *name;
    const struct listing_kind *table;
    bool needs_rules;
    void (*list)(struct listing *t);
} things[] = {
    {"reasons", &reasons_table, false, list_reasons},
    {"facts", &facts_table, true, list_facts},
    {"events", &events_table, true, list_events},
    {"moments", &moments_table, true, list_moments},
    {"functions", &functions_table, false, list_functions},
    {"channels", &channels_table, true, list_channels},
};
enum { THINGS = sizeof things / sizeof things[0] };

/* --- the verb ------------------------------------------------------------------------------------ */

static int find_thing(const char *name)
{
    struct str names[THINGS], near;
    struct err err;

    for (int i = 0; i < THINGS; i++) {
        names[i] = str_of(things[i].name);
        if (str_is(names[i], name))
            return i;
    }
    near = str_nearest(str_of(name), names, THINGS);
    if (near.len != 0)
        err_set(&err, ERR_USAGE, "there is no list of \"%s\"; did you mean %.*s?", name,
                STR_ARG(near));
    else
        err_set(
            &err, ERR_USAGE,
            "there is no list of \"%s\": reasons, facts, events, moments, functions or channels",
            name);
    cli_fail(&err);
    return -1;
}

static void print(struct listing *t, int thing, const struct options *options)
{
    const char *name = options_value(options, "name");
    struct buf out = {0};

    t->kind = things[thing].table;
    things[thing].list(t);
    if (name != NULL)
        listing_choose(t, str_of(name));
    if (options_has(options, "json"))
        listing_put_json(&out, t);
    else
        listing_put(&out, t);
    fputs(buf_text(&out), stdout);
    buf_free(&out);
    mem_free(t->rows);
}

static int print_reference(int thing)
{
    struct buf out = {0};

    if (things[thing].list != list_functions) {
        fputs("attent list: --reference goes with functions only\n", stderr);
        return EXIT_USAGE;
    }
    cel_reference_put(&out);
    fputs(buf_text(&out), stdout);
    buf_free(&out);
    return EXIT_FINE;
}

static int list_with_rules(const struct options *options, struct arena *arena, int thing)
{
    struct listing t = {.arena = arena};
    struct rules_verb v;
    int code = rules_verb_open(&v, options, 1);

    if (code == EXIT_FINE)
        code = rules_verb_need_set(&v);
    if (code != EXIT_FINE)
        return code;
    t.set = v.set;
    print(&t, thing, options);
    rules_verb_close(&v);
    return EXIT_FINE;
}

int verb_list(int argc, char **argv)
{
    struct arena *arena = arena_new(0);
    struct options options;
    int code = EXIT_USAGE, thing = -1;

    if (cli_parse("list", argc, argv, 1, 2, arena, &options))
        thing = find_thing(options.arguments[0]);
    if (thing >= 0 && options_has(&options, "reference")) {
        code = print_reference(thing);
    } else if (thing >= 0 && things[thing].needs_rules) {
        code = list_with_rules(&options, arena, thing);
    } else if (thing >= 0) {
        struct listing t = {.arena = arena};
        print(&t, thing, &options);
        code = EXIT_FINE;
    }
    arena_free(arena);
    return code;
}
