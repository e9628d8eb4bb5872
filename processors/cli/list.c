/* attent list WHAT: each kind of thing fills a table; printing it, aligned or as JSON, is the same for
 * all.  A row may have rows of its own below it: the fields of an event type.
 */
#include <stdio.h>

#include "core/json.h"
#include "core/mem.h"
#include "processors/cli/cli.h"
#include "processors/cli/rules_verb.h"
#include "rules/cel/funcs.h"
#include "rules/cel/reference.h"
#include "rules/moment/readers.h"
#include "schemas/schema_compare.h"

enum { COLUMNS = 8, WIDTH_MAX = 44 };

/* What a table shows.  A column that ends in [] is a list in JSON, ", " between its items here. */
struct table_kind {
    const char *columns[COLUMNS];
    const char *below; /* key of the rows below a row; NULL: there are none */
    const char *below_columns[COLUMNS];
    bool headings;
};

struct row {
    bool below;
    struct str cells[COLUMNS];
};

struct table {
    const struct table_kind *kind;
    struct row *rows; /* on the heap; texts in arena */
    size_t count, capacity;
    struct arena *arena;
    const struct ruleset *set; /* NULL: not needed */
};

static struct str *add_row(struct table *t, bool below)
{
    MEM_RESERVE(t->rows, t->count, t->capacity);
    t->rows[t->count] = (struct row){.below = below};
    return t->rows[t->count++].cells;
}

/* --- pieces --------------------------------------------------------------------------------------- */

static void add_item(struct buf *list, struct str item)
{
    if (list->len != 0)
        buf_put_text(list, ", ");
    buf_put(list, item);
}

static struct str take(struct table *t, struct buf *text)
{
    struct str taken = arena_str(t->arena, buf_str(text));

    buf_free(text);
    return taken;
}

static struct str type_names(struct table *t, const uint16_t *types, size_t count)
{
    struct buf list = {0};

    for (size_t i = 0; i < count; i++)
        add_item(&list, t->set->types[types[i]].name);
    return take(t, &list);
}

static struct str value_text(struct table *t, struct value v)
{
    struct buf text = {0};

    if (v.kind != VALUE_ABSENT)
        json_put_value(&text, v);
    return take(t, &text);
}

/* --- reasons, functions --------------------------------------------------------------------------- */

static const struct table_kind reasons_table = {.columns = {"reason", "text"}};

static void list_reasons(struct table *t)
{
    struct str *cells;
#define REASON(name, code, text)                                                                   \
    cells = add_row(t, false);                                                                     \
    cells[0] = STR(code);                                                                          \
    cells[1] = STR(text);
#include "rules/reasons.def"
#undef REASON
}

static const struct table_kind functions_table = {.columns = {"function", "text", "example"}};

static struct str example_text(struct table *t, const char *of, size_t number)
{
    const struct cel_example *example = cel_example_find(of, number);
    struct buf text = {0};

    if (example != NULL)
        buf_put_format(&text, "%s is %s", example->expression, example->gives);
    return take(t, &text);
}

static void list_functions(struct table *t)
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
        cells = add_row(t, false);
        cells[0] = take(t, &signature);
        cells[1] = str_of(func->text);
        cells[2] = example_text(t, func->name, number);
    }
#define MACRO(name, vars, args, collect, filtered, usage, text)                                    \
    cells = add_row(t, false);                                                                     \
    cells[0] = STR(usage);                                                                         \
    cells[1] = STR(text);                                                                          \
    cells[2] = example_text(t, usage, 0);
#include "rules/cel/macros.def"
#undef MACRO
}

/* --- facts ------------------------------------------------------------------------------------------ */

static const struct table_kind facts_table = {
    .columns = {"fact", "kind", "type", "unit", "title", "example", "from[]", "read_by[]"},
    .headings = true,
};

static struct str fact_readers(struct table *t, uint32_t fact)
{
    struct buf list = {0};

    for (size_t i = 0; i < t->set->moment_count; i++)
        if (readers_moment_has_fact(&t->set->moments[i], fact))
            add_item(&list, t->set->moments[i].name);
    return take(t, &list);
}

/* Of the field that it is the value of, if it is one. */
static struct str fact_example(struct table *t, const struct fact *fact)
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

static void list_facts(struct table *t)
{
    static const char *const kinds[] = {
#define FACT(name, word, text) word,
#include "rules/moment/facts.def"
#undef FACT
    };

    for (size_t i = 0; i < t->set->fact_count; i++) {
        const struct fact *fact = &t->set->facts[i];
        struct buf type = {0};
        struct str *cells = add_row(t, false);

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

static const struct table_kind events_table = {
    .columns = {"event", "title", "facts[]", "moments[]"},
    .below = "fields",
    .below_columns = {"field", "type", "unit", "title", "required", "example", "read_by[]"},
};

/* Facts as customer.NAME, then moments. */
static struct str field_readers(struct table *t, uint16_t type, struct str pointer)
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
static void list_fields(struct table *t, uint16_t type, const struct schema *object,
                        struct str above)
{
    for (size_t i = 0; i < object->property_count; i++) {
        const struct schema *field = object->properties[i];
        struct str pointer =
            arena_format(t->arena, "%.*s/%.*s", STR_ARG(above), STR_ARG(field->name));
        char *name = arena_copy(t->arena, pointer.data + 1, pointer.len - 1);
        struct str *cells = add_row(t, true);

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

static void list_events(struct table *t)
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
        cells = add_row(t, false);
        cells[0] = type->name;
        cells[1] = type->schema->title;
        cells[2] = take(t, &facts);
        cells[3] = take(t, &moments);
        list_fields(t, (uint16_t)i, type->schema, STR_EMPTY);
    }
}

/* --- moments, channels -------------------------------------------------------------------------------- */

static const struct table_kind moments_table = {
    .columns = {"moment", "tier", "title", "owner", "begins_with[]", "facts[]", "channels[]",
                "version"},
    .headings = true,
};

static void list_moments(struct table *t)
{
    for (size_t i = 0; i < t->set->moment_count; i++) {
        const struct moment *moment = &t->set->moments[i];
        struct buf facts = {0}, channels = {0};
        struct str *cells = add_row(t, false);

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

static const struct table_kind channels_table = {
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

static void list_channels(struct table *t)
{
    const struct policy *policy = &t->set->policy;

    for (size_t i = 0; i < policy->channel_count; i++) {
        const struct channel_rule *channel = &policy->channels[i];
        struct buf facts = {0}, moments = {0};
        struct str *cells = add_row(t, false);

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
    const struct table_kind *table;
    bool needs_rules;
    void (*list)(struct table *t);
} things[] = {
    {"reasons", &reasons_table, false, list_reasons},
    {"facts", &facts_table, true, list_facts},
    {"events", &events_table, true, list_events},
    {"moments", &moments_table, true, list_moments},
    {"functions", &functions_table, false, list_functions},
    {"channels", &channels_table, true, list_channels},
};
enum { THINGS = sizeof things / sizeof things[0] };

/* --- printing ----------------------------------------------------------------------------------------- */

static bool is_list(const char *column)
{
    return str_ends(str_of(column), STR("[]"));
}

/* "read_by[]" as the heading "read by" and the JSON key "read_by" */
static struct str key_of(struct table *t, const char *column, bool heading)
{
    size_t bytes = strlen(column) - (is_list(column) ? 2 : 0);
    char *key = arena_alloc(t->arena, bytes + 1);

    for (size_t i = 0; i < bytes; i++)
        key[i] = heading && column[i] == '_' ? ' ' : column[i];
    return (struct str){key, bytes};
}

/* How wide a text is on a screen: characters, not bytes. */
static size_t width_of(struct str text)
{
    size_t width = 0;

    for (size_t i = 0; i < text.len; i++)
        width += ((unsigned char)text.data[i] & 0xc0) != 0x80 ? 1 : 0;
    return width;
}

static void measure(struct table *t, bool below, size_t widths[COLUMNS])
{
    const char *const *columns = below ? t->kind->below_columns : t->kind->columns;

    for (size_t k = 0; k < COLUMNS; k++) {
        widths[k] = 0;
        for (size_t i = 0; i < t->count; i++) {
            size_t width = t->rows[i].below == below ? width_of(t->rows[i].cells[k]) : 0;
            widths[k] = width > widths[k] ? width : widths[k];
        }
        if (t->kind->headings && columns[k] != NULL && widths[k] != 0 &&
            widths[k] < strlen(columns[k]))
            widths[k] = key_of(t, columns[k], true).len;
        if (widths[k] > WIDTH_MAX && k != 0)
            widths[k] = WIDTH_MAX;
    }
}

static void put_cells(struct buf *out, const struct str cells[COLUMNS],
                      const size_t widths[COLUMNS], size_t indent)
{
    size_t due = 0; /* blanks before the next cell */

    buf_put_format(out, "%*s", (int)indent, "");
    for (size_t k = 0; k < COLUMNS; k++) {
        size_t width = width_of(cells[k]);

        if (widths[k] == 0)
            continue;
        if (width != 0) {
            buf_put_format(out, "%*s%.*s", (int)due, "", STR_ARG(cells[k]));
            due = 0;
        }
        due += 2 + (width < widths[k] ? widths[k] - width : 0);
    }
    buf_put_char(out, '\n');
}

/* A row with rows below is told in a line of its own, with its lists in words. */
static void put_above(struct table *t, struct buf *out, const struct row *row, bool first)
{
    buf_put_format(out, "%s%.*s  %.*s\n", first ? "" : "\n", STR_ARG(row->cells[0]),
                   STR_ARG(row->cells[1]));
    for (size_t k = 2; k < COLUMNS && t->kind->columns[k] != NULL; k++)
        if (row->cells[k].len != 0)
            buf_put_format(out, "  %.*s: %.*s\n", STR_ARG(key_of(t, t->kind->columns[k], true)),
                           STR_ARG(row->cells[k]));
}

static void put_headings(struct table *t, struct buf *out, const size_t widths[COLUMNS])
{
    struct str cells[COLUMNS] = {{0}};

    for (size_t k = 0; k < COLUMNS && t->kind->columns[k] != NULL; k++)
        cells[k] = key_of(t, t->kind->columns[k], true);
    put_cells(out, cells, widths, 0);
}

static void put_plain(struct buf *out, struct table *t)
{
    size_t widths[COLUMNS], below[COLUMNS];

    measure(t, false, widths);
    measure(t, true, below);
    if (t->kind->headings)
        put_headings(t, out, widths);
    for (size_t i = 0; i < t->count; i++) {
        if (t->rows[i].below)
            put_cells(out, t->rows[i].cells, below, 4);
        else if (t->kind->below != NULL)
            put_above(t, out, &t->rows[i], i == 0);
        else
            put_cells(out, t->rows[i].cells, widths, 0);
    }
}

static void put_json_list(struct json_writer *w, struct str items)
{
    struct str item;

    json_open(w, '[');
    while (items.len != 0) {
        if (!str_cut(items, ',', &item, &items)) {
            item = items;
            items = STR_EMPTY;
        }
        json_str(w, str_trim(item));
    }
    json_close(w, ']');
}

static void put_json_cells(struct table *t, struct json_writer *w, const struct row *row)
{
    const char *const *columns = row->below ? t->kind->below_columns : t->kind->columns;

    for (size_t k = 0; k < COLUMNS && columns[k] != NULL; k++) {
        json_key(w, key_of(t, columns[k], false).data);
        if (is_list(columns[k]))
            put_json_list(w, row->cells[k]);
        else if (strcmp(columns[k], "example") == 0 && row->cells[k].len != 0)
            json_raw(w, row->cells[k]);
        else if (strcmp(columns[k], "required") == 0)
            json_bool(w, row->cells[k].len != 0);
        else
            json_str(w, row->cells[k]);
    }
}

static void put_json(struct buf *out, struct table *t)
{
    for (size_t i = 0; i < t->count;) {
        struct json_writer w = json_writer_to(out);

        json_open(&w, '{');
        put_json_cells(t, &w, &t->rows[i++]);
        if (t->kind->below != NULL) {
            json_key(&w, t->kind->below);
            json_open(&w, '[');
            for (; i < t->count && t->rows[i].below; i++) {
                json_open(&w, '{');
                put_json_cells(t, &w, &t->rows[i]);
                json_close(&w, '}');
            }
            json_close(&w, ']');
        }
        json_close(&w, '}');
        buf_put_char(out, '\n');
    }
}

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

/* Only rows with this text in their name, and the rows below them. */
static void choose(struct table *t, struct str name)
{
    size_t count = 0;
    bool chosen = false;

    for (size_t i = 0; i < t->count; i++) {
        if (!t->rows[i].below)
            chosen = str_contains(t->rows[i].cells[0], name);
        if (chosen)
            t->rows[count++] = t->rows[i];
    }
    t->count = count;
}

static void print(struct table *t, int thing, const struct options *options)
{
    const char *name = options_value(options, "name");
    struct buf out = {0};

    t->kind = things[thing].table;
    things[thing].list(t);
    if (name != NULL)
        choose(t, str_of(name));
    if (options_has(options, "json"))
        put_json(&out, t);
    else
        put_plain(&out, t);
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
    struct table t = {.arena = arena};
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
        struct table t = {.arena = arena};
        print(&t, thing, &options);
        code = EXIT_FINE;
    }
    arena_free(arena);
    return code;
}
