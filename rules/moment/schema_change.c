#include "rules/moment/schema_change.h"

#include "core/check.h"
#include "rules/moment/readers.h"
#include "schemas/schema_compare.h"

struct changes {
    struct arena *arena;
    const struct bundle *after;
    const struct ruleset *readers;
    const struct bundle_file *file; /* of the schema at hand; NULL: it is gone */
    struct str file_name;
    uint16_t type; /* of readers */
    struct diags *diags;
};

#define FOLDER "schemas/events/"
#define ENDING ".json"

static const struct bundle_file *find_file(const struct bundle *bundle, struct str name)
{
    for (size_t i = 0; i < bundle->count; i++)
        if (str_equal(bundle->files[i].name, name))
            return &bundle->files[i];
    return NULL;
}

/* --- who reads it? ------------------------------------------------------------------------------------ */

/* One is the other, or stands inside it. */
static bool touches(struct str a, struct str b)
{
    struct str shorter = a.len < b.len ? a : b, longer = a.len < b.len ? b : a;

    return str_starts(longer, shorter) &&
           (longer.len == shorter.len || longer.data[shorter.len] == '/');
}

static bool moment_reads(const struct changes *c, const struct moment *moment, struct str pointer)
{
    for (size_t p = 0; p < c->readers->path_count; p++)
        if (touches(c->readers->paths[p].pointer, pointer) &&
            readers_moment_has_path(c->readers, moment, c->type, (uint16_t)p))
            return true;
    return false;
}

static bool fact_reads(const struct changes *c, const struct fact *fact, struct str pointer)
{
    for (size_t p = 0; p < c->readers->path_count; p++)
        if (touches(c->readers->paths[p].pointer, pointer) &&
            readers_fact_has_path(fact, c->type, (uint16_t)p))
            return true;
    return false;
}

static bool listens(const struct changes *c, size_t moment)
{
    const struct event_type *type = &c->readers->types[c->type];

    for (size_t i = 0; i < type->moment_count; i++)
        if (type->moments[i] == moment)
            return true;
    return false;
}

static void add_name(struct buf *list, struct str name, const char *by, struct str fact)
{
    buf_put_format(list, "%s%.*s", list->len != 0 ? ", " : "", STR_ARG(name));
    if (fact.len != 0)
        buf_put_format(list, " (%s%.*s)", by, STR_ARG(fact));
}

/* The fact by which the moment reads it; NULL: it does not. */
static const struct fact *fact_between(const struct changes *c, const struct moment *moment,
                                       struct str pointer)
{
    for (size_t i = 0; i < c->readers->fact_count; i++)
        if (readers_moment_has_fact(moment, (uint32_t)i) &&
            fact_reads(c, &c->readers->facts[i], pointer))
            return &c->readers->facts[i];
    return NULL;
}

static bool is_there(const struct changes *c, const struct moment *moment)
{
    struct str name = arena_format(c->arena, "moments/%.*s.yaml", STR_ARG(moment->name));

    return find_file(c->after, name) != NULL;
}

/* "brake-pads, spring-sale (by customer.spend_30d)"; what no moment reads may still be read by facts. */
static void put_readers(const struct changes *c, const struct schema_difference *d,
                        struct buf *list)
{
    for (size_t i = 0; i < c->readers->moment_count; i++) {
        const struct moment *moment = &c->readers->moments[i];
        const struct fact *fact;
        if (!is_there(c, moment))
            continue;
        if (moment_reads(c, moment, d->pointer) || (d->pointer.len == 0 && listens(c, i)))
            add_name(list, moment->name, "", STR_EMPTY);
        else if ((fact = fact_between(c, moment, d->pointer)) != NULL)
            add_name(list, moment->name, "by customer.", fact->name);
    }
    for (size_t i = 0; list->len == 0 && i < c->readers->fact_count; i++)
        if (fact_reads(c, &c->readers->facts[i], d->pointer))
            add_name(list, STR("the facts"), "customer.", c->readers->facts[i].name);
}

/* --- findings ----------------------------------------------------------------------------------------- */

/* The field, or the innermost object around it that is still there. */
static struct place place_of(const struct changes *c, struct str pointer)
{
    struct place place = {.file = arena_str(c->arena, c->file_name).data};
    struct buf path = {0};
    struct str rest = pointer, name;

    if (c->file == NULL)
        return place;
    while (rest.len > 0) {
        int line, column;
        size_t end = 1;
        while (end < rest.len && rest.data[end] != '/')
            end++;
        name = str_slice(rest, 0, end);
        rest = str_slice(rest, end, rest.len);
        buf_put_text(&path, "/properties");
        if (!json_locate(c->file->text, buf_str(&path), &line, &column))
            break;
        place.line = line;
        place.column = column;
        buf_put(&path, name);
        if (!json_locate(c->file->text, buf_str(&path), &line, &column))
            break;
        place.line = line;
        place.column = column;
    }
    buf_free(&path);
    return place;
}

static void put_what(struct buf *out, const struct changes *c, const struct schema_difference *d)
{
    struct str type = c->readers->types[c->type].name,
               field = str_slice(d->pointer, 1, d->pointer.len);

    buf_put_format(out, "%.*s", STR_ARG(type));
    if (field.len != 0)
        buf_put_char(out, '.');
    for (size_t i = 0; i < field.len; i++)
        buf_put_char(out, field.data[i] == '/' ? '.' : field.data[i]);
    switch (d->change) {
    case SCHEMA_REMOVED: buf_put_text(out, " is not there any more"); break;
    case SCHEMA_RETYPED: buf_put_format(out, " %.*s", STR_ARG(d->text)); break;
    case SCHEMA_VALUE_GONE:
        buf_put_format(out, " cannot be %.*s any more", STR_ARG(d->text));
        break;
    case SCHEMA_MAY_MISS: buf_put_text(out, " had to be there, and need not be any more"); break;
    }
}

static void found(void *context, const struct schema_difference *d)
{
    const struct changes *c = context;
    struct buf readers = {0}, what = {0};

    put_readers(c, d, &readers);
    if (readers.len != 0) {
        put_what(&what, c, d);
        diag_add(c->diags, DIAG_WARNING, place_of(c, d->pointer), "schema-change",
                 "change those who read it too, or keep what the schema said before",
                 "%s; it is read by %s", buf_text(&what), buf_text(&readers));
    }
    buf_free(&readers);
    buf_free(&what);
}

/* --- schemas ------------------------------------------------------------------------------------------ */

static const struct schema *read(const struct bundle_file *file, struct arena *arena)
{
    struct diags ignored = {0}; /* who compiles it has them */
    const struct schema *schema =
        schema_read(file->text, arena_str(arena, file->name).data, arena, &ignored);

    diags_free(&ignored);
    return schema;
}

static void compare_file(struct changes *c, const struct bundle_file *before)
{
    const struct schema_difference gone = {.change = SCHEMA_REMOVED};
    struct str type = str_slice(before->name, strlen(FOLDER), before->name.len - strlen(ENDING));
    int index = ruleset_find_type(c->readers, type);
    const struct schema *was, *is;

    c->file = find_file(c->after, before->name);
    c->file_name = before->name;
    if (index < 0 || (c->file != NULL && str_equal(c->file->text, before->text)))
        return;
    c->type = (uint16_t)index;
    if (c->file == NULL) {
        found(c, &gone);
        return;
    }
    was = read(before, c->arena);
    is = read(c->file, c->arena);
    if (was != NULL && is != NULL)
        schema_compare(was, is, c->arena, found, c);
}

void ruleset_compare_schemas(const struct bundle *before, const struct bundle *after,
                             const struct ruleset *set, struct diags *diags)
{
    struct diags ignored = {0};
    struct ruleset *old = set == NULL ? ruleset_compile(before, NULL, &ignored) : NULL;
    struct changes c = {
        .arena = arena_new(0), .after = after, .readers = set != NULL ? set : old, .diags = diags};

    for (size_t i = 0; c.readers != NULL && i < before->count; i++)
        if (str_starts(before->files[i].name, STR(FOLDER)) &&
            str_ends(before->files[i].name, STR(ENDING)))
            compare_file(&c, &before->files[i]);
    ruleset_free(old);
    diags_free(&ignored);
    arena_free(c.arena);
}
