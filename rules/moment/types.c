/* Event types come from schemas, which give every field its type.
 *
 * An expression may see several types at once (event: [a, b]); a field then is what any of them
 * declares, walked name by name in all of them together (types_find_field), and typed only where
 * they agree.  Each field that is read has one number over all types, and is noted for the types
 * that have it: that is what will be read of their events, and nothing else.
 */
#include <stdio.h>

#include "core/check.h"
#include "core/mem.h"
#include "rules/moment/compile.h"

static const struct cel_type list_type = {.kind = CEL_LIST};
static const struct cel_type map_type = {.kind = CEL_MAP, .key = &cel_string};
static const struct schema any_schema = {.type = SCHEMA_ANY};

/* --- numbers ---------------------------------------------------------------------------------- */

size_t numbers_append(struct numbers *n, uint16_t number)
{
    for (size_t i = 0; i < n->count; i++)
        if (n->items[i] == number)
            return i;
    MEM_RESERVE(n->items, n->count, n->capacity);
    n->items[n->count] = number;
    return n->count++;
}

bool numbers_have(const struct numbers *n, uint16_t number)
{
    for (size_t i = 0; i < n->count; i++)
        if (n->items[i] == number)
            return true;
    return false;
}

void numbers_add(struct numbers *n, uint16_t number)
{
    size_t at = n->count;

    if (numbers_have(n, number))
        return;
    MEM_RESERVE(n->items, n->count, n->capacity);
    for (; at > 0 && n->items[at - 1] > number; at--)
        n->items[at] = n->items[at - 1];
    n->items[at] = number;
    n->count++;
}

uint16_t *numbers_take(struct numbers *n, struct arena *arena, size_t *count)
{
    uint16_t *copy = ARENA_ARRAY(arena, uint16_t, n->count);

    if (n->count != 0)
        memcpy(copy, n->items, n->count * sizeof *copy);
    *count = n->count;
    mem_free(n->items);
    *n = (struct numbers){0};
    return copy;
}

/* --- loading ---------------------------------------------------------------------------------- */

static const struct {
    const char *type, *schema;
} builtins[] = {
#define BUILTIN(name, type, schema) {type, schema},
#include "rules/moment/builtin.def"
#undef BUILTIN
};

static bool type_name_of(struct str file, struct str *name)
{
    struct str folder = STR("schemas/events/"), ending = STR(".json");

    if (!str_starts(file, folder) || !str_ends(file, ending) || file.len <= folder.len + ending.len)
        return false;
    *name = str_slice(file, folder.len, file.len - ending.len);
    return true;
}

static bool bundle_has_type(const struct bundle *bundle, const char *type)
{
    struct str name;

    for (size_t i = 0; i < bundle->count; i++)
        if (type_name_of(bundle->files[i].name, &name) && str_is(name, type))
            return true;
    return false;
}

static void add_type(struct compiler *c, struct str name, struct str text, struct str file)
{
    const char *path = compiler_path(c, file);
    size_t at = c->set->type_count++;
    const struct schema *schema = schema_read(text, path, c->arena, c->diags);

    for (; at > 0 && str_compare(c->set->types[at - 1].name, name) > 0; at--)
        c->set->types[at] = c->set->types[at - 1];
    c->set->types[at] = (struct event_type){.name = arena_str(c->arena, name),
                                            .schema = schema != NULL ? schema : &any_schema};
}

/* A schema of the bundle's own for a built-in type must have the fields that decide reads. */
static void check_builtin(struct compiler *c, uint16_t type, struct str pointer)
{
    struct str name = c->set->types[type].name;
    struct str file;

    if (types_schema_at(c, type, pointer) != NULL)
        return;
    file = arena_format(c->arena, "schemas/events/%.*s.json", STR_ARG(name));
    FOUND(c, ((struct place){compiler_path(c, file), 1, 1}), "builtin-type",
          "declare it under properties, or leave the file out",
          "attent itself reads the field \"%.*s\" of %.*s, and here it is not declared",
          STR_ARG(str_slice(pointer, 1, pointer.len)), STR_ARG(name));
}

static void number_builtins(struct compiler *c)
{
    struct builtin_paths *paths = &c->set->builtin;

#define BUILTIN(name, type, schema) paths->name = (uint16_t)ruleset_find_type(c->set, STR(type));
#include "rules/moment/builtin.def"
#undef BUILTIN
#define FIELD(field, of, path)                                                                     \
    check_builtin(c, paths->of, STR(path));                                                        \
    paths->field = types_read_path(c, paths->of, STR(path));
#include "rules/moment/builtin.def"
#undef FIELD
#define BUILTIN(name, type, schema) c->types[paths->name].builtin = true;
#include "rules/moment/builtin.def"
#undef BUILTIN
}

void types_load(struct compiler *c)
{
    size_t most = c->bundle->count + sizeof builtins / sizeof builtins[0];
    struct str name;

    c->set->types = ARENA_ARRAY(c->arena, struct event_type, most);
    for (size_t i = 0; i < c->bundle->count; i++)
        if (type_name_of(c->bundle->files[i].name, &name))
            add_type(c, name, c->bundle->files[i].text, c->bundle->files[i].name);
    for (size_t i = 0; i < sizeof builtins / sizeof builtins[0]; i++)
        if (!bundle_has_type(c->bundle, builtins[i].type))
            add_type(c, str_of(builtins[i].type), str_of(builtins[i].schema), STR("built in"));
    c->types = MEM_NEW_ARRAY(struct type_draft, c->set->type_count);
    memset(c->types, 0, c->set->type_count * sizeof *c->types);
    number_builtins(c);
}

/* --- finding ---------------------------------------------------------------------------------- */

static void say_unknown(struct compiler *c, const struct yaml_node *node)
{
    struct str *names = MEM_NEW_ARRAY(struct str, c->set->type_count), near;
    char help[256];

    for (size_t i = 0; i < c->set->type_count; i++)
        names[i] = c->set->types[i].name;
    near = str_nearest(node->text, names, c->set->type_count);
    if (near.len != 0)
        snprintf(help, sizeof help, "write %.*s", STR_ARG(near));
    else
        snprintf(help, sizeof help, "declare it in schemas/events/%.100s.json", node->text.data);
    FOUND(c, node->place, "unknown-type", help, "there is no event type \"%.*s\"",
          STR_ARG(node->text));
    mem_free(names);
}

void types_find(struct compiler *c, const struct yaml_node *node, struct numbers *out)
{
    for (size_t i = 0; i < form_item_count(node); i++) {
        const struct yaml_node *item = form_item(node, i);
        int type = ruleset_find_type(c->set, item->text);
        if (type < 0)
            say_unknown(c, item);
        else if (numbers_have(out, (uint16_t)type))
            FOUND(c, item->place, "duplicate", "delete one", "\"%.*s\" stands here twice",
                  STR_ARG(item->text));
        else
            numbers_add(out, (uint16_t)type);
    }
}

static uint16_t number_path(struct compiler *c, struct str pointer)
{
    for (size_t i = 0; i < c->path_count; i++)
        if (str_equal(c->paths[i].pointer, pointer))
            return (uint16_t)i;
    if (c->path_count == LIMIT_PATHS) {
        FOUND(c, ((struct place){0}), "limit", "read fewer of them",
              "the rules read %d different fields of events and one more, at most %d are taken",
              LIMIT_PATHS, LIMIT_PATHS);
        return 0;
    }
    MEM_RESERVE(c->paths, c->path_count, c->path_capacity);
    c->paths[c->path_count] = (struct path){.pointer = arena_str(c->arena, pointer)};
    return (uint16_t)c->path_count++;
}

uint16_t types_read_path(struct compiler *c, uint16_t type, struct str pointer)
{
    uint16_t path = number_path(c, pointer);

    numbers_add(&c->types[type].paths, path);
    return path;
}

/* A schema that declares nothing may have any field. */
static bool declares_nothing(const struct schema *schema)
{
    return schema->property_count == 0 && !schema->closed;
}

const struct schema *types_schema_at(const struct compiler *c, uint16_t type, struct str pointer)
{
    const struct schema *schema = c->set->types[type].schema;

    return declares_nothing(schema) ? &any_schema : schema_at(schema, pointer);
}

static const struct cel_type *type_of(const struct schema *schema)
{
    switch (schema->type) {
    case SCHEMA_ANY:
    case SCHEMA_NULL: return &cel_dyn;
    case SCHEMA_BOOLEAN: return &cel_bool;
    case SCHEMA_INTEGER: return &cel_int;
    case SCHEMA_NUMBER: return &cel_double;
    case SCHEMA_STRING: return &cel_string;
    case SCHEMA_TIME: return &cel_timestamp;
    case SCHEMA_ARRAY: return &list_type;
    case SCHEMA_OBJECT: return &map_type;
    }
    CHECK_NEVER("a type of schema");
}

/* --- a field in several types ------------------------------------------------------------------- */

enum { NAMES_SHOWN = 16 };

struct descent { /* one place in the schemas of all types; NULL: that type is not there */
    const struct schema **at;
    size_t count;
};

static const struct schema *property(const struct schema *schema, struct str name, bool top)
{
    if (schema == NULL || schema->property_count == 0)
        return schema != NULL && top && declares_nothing(schema) ? &any_schema : NULL;
    for (size_t i = 0; i < schema->property_count; i++)
        if (str_equal(schema->properties[i]->name, name))
            return schema->properties[i];
    return NULL;
}

/* Can the walk go on below?  Only where every type that got so far says what there is. */
static bool is_declared(const struct descent *d)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->at[i] != NULL && d->at[i]->property_count == 0)
            return false;
    return true;
}

static bool descend(struct descent *d, struct str name, bool top)
{
    bool some = false;

    for (size_t i = 0; i < d->count; i++)
        some |= property(d->at[i], name, top) != NULL;
    for (size_t i = 0; some && i < d->count; i++)
        d->at[i] = property(d->at[i], name, top);
    return some;
}

static struct str nearest(const struct descent *d, struct str name)
{
    struct str near = STR_EMPTY;

    for (size_t i = 0; i < d->count && near.len == 0; i++) {
        size_t count = d->at[i] != NULL ? d->at[i]->property_count : 0;
        struct str *names = MEM_NEW_ARRAY(struct str, count + 1);
        for (size_t k = 0; k < count; k++)
            names[k] = d->at[i]->properties[k]->name;
        near = str_nearest(name, names, count);
        mem_free(names);
    }
    return near;
}

/* The names that there are in any of the types, a few of them. */
static struct str names_of(const struct descent *d, struct arena *arena)
{
    struct str names[NAMES_SHOWN];
    struct buf out = {0};
    struct str list;
    size_t shown = 0;

    for (size_t i = 0; i < d->count; i++)
        for (size_t k = 0; d->at[i] != NULL && k < d->at[i]->property_count; k++) {
            struct str name = d->at[i]->properties[k]->name;
            bool said = shown == NAMES_SHOWN;
            for (size_t n = 0; n < shown && !said; n++)
                said = str_equal(names[n], name);
            if (said)
                continue;
            buf_put_format(&out, "%s%.*s", shown == 0 ? "" : " ", STR_ARG(name));
            names[shown++] = name;
        }
    list = arena_str(arena, buf_str(&out));
    buf_free(&out);
    return list;
}

static const struct cel_type *agreed_type(const struct descent *d)
{
    const struct cel_type *type = NULL;

    for (size_t i = 0; i < d->count; i++) {
        if (d->at[i] == NULL)
            continue;
        if (type != NULL && type != type_of(d->at[i]))
            return &cel_dyn;
        type = type_of(d->at[i]);
    }
    return type != NULL ? type : &cel_dyn;
}

static void put_pointer(struct buf *out, struct str name)
{
    buf_put_char(out, '/');
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '~')
            buf_put_text(out, "~0");
        else if (name.data[i] == '/')
            buf_put_text(out, "~1");
        else
            buf_put_char(out, name.data[i]);
    }
}

struct field types_find_field(struct compiler *c, const struct numbers *types,
                              const struct str *names, size_t count)
{
    struct descent d = {MEM_NEW_ARRAY(const struct schema *, types->count + 1), types->count};
    struct field field = {0};
    struct buf pointer = {0};

    for (size_t i = 0; i < d.count; i++)
        d.at[i] = c->set->types[types->items[i]].schema;
    for (field.taken = 0; field.taken < count; field.taken++) {
        if (field.taken > 0 && !is_declared(&d))
            break;
        if (!descend(&d, names[field.taken], field.taken == 0)) {
            field.wrong = field.taken;
            field.near = nearest(&d, names[field.taken]);
            field.there = names_of(&d, c->arena);
            field.taken = 0;
            break;
        }
        put_pointer(&pointer, names[field.taken]);
    }
    field.type = agreed_type(&d);
    field.pointer = arena_str(c->arena, buf_str(&pointer));
    buf_free(&pointer);
    mem_free(d.at);
    return field;
}

/* --- the index at the end ----------------------------------------------------------------------- */

static void index_paths(struct compiler *c, uint16_t type)
{
    struct event_type *t = &c->set->types[type];

    t->paths = numbers_take(&c->types[type].paths, c->arena, &t->path_count);
    t->path_schemas = ARENA_ARRAY(c->arena, const struct schema *, t->path_count);
    for (size_t i = 0; i < t->path_count; i++) {
        struct path *path = &c->set->paths[t->paths[i]];
        const struct schema *schema = types_schema_at(c, type, path->pointer);
        t->path_schemas[i] = schema != NULL ? schema : &any_schema;
        if (path->type == NULL)
            path->type = type_of(t->path_schemas[i]);
        else if (path->type != type_of(t->path_schemas[i]))
            path->type = &cel_dyn;
    }
}

void types_index(struct compiler *c)
{
    struct ruleset *set = c->set;

    set->path_count = c->path_count;
    set->paths = ARENA_ARRAY(c->arena, struct path, c->path_count);
    if (c->path_count != 0)
        memcpy(set->paths, c->paths, c->path_count * sizeof *set->paths);
    set->reader = event_reader_new();
    for (size_t i = 0; i < set->type_count; i++) {
        struct event_type *t = &set->types[i];
        t->facts = numbers_take(&c->types[i].facts, c->arena, &t->fact_count);
        t->moments = numbers_take(&c->types[i].moments, c->arena, &t->moment_count);
        t->listened = t->fact_count != 0 || t->moment_count != 0 || c->types[i].builtin;
        if (t->listened)
            event_reader_listen(set->reader, t->name);
        index_paths(c, (uint16_t)i);
        for (size_t k = 0; k < t->path_count; k++)
            event_reader_add(set->reader, t->name, set->paths[t->paths[k]].pointer, t->paths[k]);
    }
}
