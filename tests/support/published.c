#include "tests/support/published.h"

struct check {
    const struct published *fields;
    size_t count;
    struct arena *arena;
    const char *wrong;
};

static void say(struct check *c, const char *what, const char *path)
{
    if (c->wrong == NULL)
        c->wrong = arena_format(c->arena, "%s %s", path, what).data;
}

static const struct published *find(const struct check *c, struct str path)
{
    for (size_t i = 0; i < c->count; i++)
        if (str_is(path, c->fields[i].path))
            return &c->fields[i];
    return NULL;
}

/* The field of a member or item, by its name or as one of many. */
static const struct published *field_of(struct check *c, const char *parent, struct str name)
{
    const struct published *field =
        find(c, arena_format(c->arena, "%s/%.*s", parent, STR_ARG(name)));

    return field != NULL ? field : find(c, arena_format(c->arena, "%s/#", parent));
}

static void check_value(struct check *c, struct value v, const struct published *field);

static void check_member(struct check *c, const char *parent, struct str name, struct value v)
{
    const struct published *field = field_of(c, parent, name);

    if (field == NULL)
        say(c, "is not in the reference",
            arena_format(c->arena, "%s/%.*s", parent, STR_ARG(name)).data);
    else
        check_value(c, v, field);
}

/* What has to be in a map of this path. */
static void check_required(struct check *c, struct value map, const char *parent)
{
    for (size_t i = 0; i < c->count; i++) {
        struct str path = str_of(c->fields[i].path), rest;
        if (!c->fields[i].required || !str_starts(path, str_of(parent)) ||
            path.data[strlen(parent)] != '/')
            continue;
        rest = str_slice(path, strlen(parent) + 1, path.len);
        if (!str_contains(rest, STR("/")) && value_map_get(map, rest).kind == VALUE_ABSENT)
            say(c, "is required", path.data);
    }
}

static void check_inside(struct check *c, struct value v, const char *path)
{
    if (v.kind == VALUE_MAP) {
        for (size_t i = 0; i < v.n; i++)
            check_member(c, path, value_str(v.map[i].key), v.map[i].value);
        check_required(c, v, path);
    } else if (v.kind == VALUE_LIST) {
        for (size_t i = 0; i < v.n; i++)
            check_member(c, path, STR("#"), v.list[i]);
    }
}

static void check_value(struct check *c, struct value v, const struct published *field)
{
    if (v.kind != field->kind)
        say(c, "is of another kind", field->path);
    else if (v.kind == VALUE_STRING && field->bytes_max != 0 && value_str(v).len > field->bytes_max)
        say(c, "is too long", field->path);
    else
        check_inside(c, v, field->path);
}

const char *published_misfit(struct str json, const struct published *fields, size_t count,
                             struct arena *arena)
{
    struct check c = {fields, count, arena, NULL};
    struct value body;

    if (json_parse(json, arena, &body, NULL) != JSON_FINE || body.kind != VALUE_MAP)
        return "it is no JSON object";
    check_inside(&c, body, "");
    return c.wrong;
}
