/* `dedupe` of policy.yaml: what tells an event that comes a second time, and for how long. */
#include <stdio.h>

#include "core/mem.h"
#include "core/when.h"
#include "rules/moment/compile.h"

enum { NAMES_MOST = LIMIT_JSON_DEPTH };

static const struct {
    const char *name;
    uint32_t attr;
} attrs[] = {
    {"type", SAME_TYPE}, {"source", SAME_SOURCE}, {"subject", SAME_SUBJECT}, {"time", SAME_TIME}};

enum { ATTRS = sizeof attrs / sizeof attrs[0] };

/* The names behind `data.`; 0: it does not begin like that, or nests deeper than data may. */
static size_t split(struct str text, struct str names[NAMES_MOST])
{
    struct str rest = text, name;
    size_t count = 0;

    if (!str_cut(text, '.', &name, &rest) || !str_is(name, "data"))
        return 0;
    while (count < NAMES_MOST && str_cut(rest, '.', &name, &rest))
        names[count++] = name;
    if (count == NAMES_MOST)
        return 0;
    names[count++] = rest;
    return count;
}

static bool load_attr(struct same *same, struct str text)
{
    for (size_t i = 0; i < ATTRS; i++) {
        if (!str_is(text, attrs[i].name))
            continue;
        same->attrs |= attrs[i].attr;
        return true;
    }
    return false;
}

static void load_field(struct compiler *c, const struct numbers *types, struct numbers *paths,
                       const struct yaml_node *node)
{
    struct str names[NAMES_MOST];
    size_t count = split(node->text, names);
    struct field field;
    char help[256];

    if (count == 0) {
        FOUND(c, node->place, "unknown-field", "write data.NAME, type, source, subject or time",
              "an event is not told by \"%.*s\"", STR_ARG(node->text));
        return;
    }
    field = types_find_field(c, types, names, count);
    if (field.taken == count) {
        for (size_t i = 0; i < types->count; i++)
            numbers_append(paths, types_read_path(c, types->items[i], field.pointer));
        return;
    }
    if (field.near.len != 0)
        snprintf(help, sizeof help, "write %.*s", STR_ARG(field.near));
    else
        snprintf(help, sizeof help, "there is: %.*s", STR_ARG(field.there));
    FOUND(c, node->place, "unknown-field", help, "these events have no field \"%.*s\"",
          STR_ARG(node->text));
}

static void give_types(struct compiler *c, const struct yaml_node *node,
                       const struct numbers *types, const struct same *same)
{
    for (size_t i = 0; i < types->count; i++) {
        struct event_type *type = &c->set->types[types->items[i]];

        if (type->same != NULL)
            FOUND(c, node->place, "duplicate", "delete one", "\"%.*s\" stands in two entries",
                  STR_ARG(type->name));
        type->same = same;
    }
}

static void load_one(struct compiler *c, const struct yaml_node *node)
{
    struct same *same = ARENA_NEW(c->arena, struct same);
    struct numbers types = {0}, paths = {0};
    const struct yaml_node *by;
    struct filled form;
    bool apart = false; /* something that not all events of a customer have in common */

    if (!form_read(FORM_OF_SAME, node, c->diags, &form))
        return;
    by = form.at[FIELD_SAME_BY];
    if (form.at[FIELD_SAME_EVENT] != NULL)
        types_find(c, form.at[FIELD_SAME_EVENT], &types);
    for (size_t i = 0; types.count != 0 && i < form_item_count(by); i++) {
        if (load_attr(same, form_item(by, i)->text))
            continue;
        load_field(c, &types, &paths, form_item(by, i));
        apart = true;
    }
    same->paths = numbers_take(&paths, c->arena, &same->path_count);
    if (by != NULL && types.count != 0 && !apart && (same->attrs & SAME_TIME) == 0)
        FOUND(c, by->place, "same-always", "name what tells them apart: data.invoice, time",
              "all events of a customer would be the same by this");
    give_types(c, node, &types, same);
    mem_free(types.items);
}

void dedupe_load(struct compiler *c, const struct yaml_node *node)
{
    struct policy *policy = &c->set->policy;
    const struct yaml_node *same;
    struct filled form;

    if (!form_read(FORM_OF_DEDUPE, node, c->diags, &form))
        return;
    policy->recent_ids = form_count(form.at[FIELD_DEDUPE_IDS], policy->recent_ids);
    policy->recent_s =
        form_span_ms(form.at[FIELD_DEDUPE_FOR], policy->recent_s * WHEN_SECOND_MS) / WHEN_SECOND_MS;
    same = form.at[FIELD_DEDUPE_SAME];
    for (size_t i = 0; same != NULL && i < same->count; i++)
        load_one(c, same->items[i]);
}
