/* identity.yaml: kinds of aliases, and which field of which event type says one.  Without the file every
 * event names its customer. */
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/when.h"
#include "rules/moment/compile.h"

enum { FIELD_NAMES_MAX = 16 };

/* --- kinds ------------------------------------------------------------------------------------------- */

static int compare_kinds(const void *a, const void *b)
{
    return str_compare(((const struct alias_kind *)a)->name, ((const struct alias_kind *)b)->name);
}

static void find_country(struct compiler *c, struct alias_kind *kind, const struct yaml_node *node)
{
    struct str names[FIELD_COUNT], near;
    char help[96] = "two letters, as in NL; without it numbers have to begin with + or 00";
    size_t count = 0;

    if (node == NULL)
        return;
    kind->country = calling_code_find(node->text);
    if (kind->country != NULL)
        return;
    for (; calling_code_at(count) != NULL && count < FIELD_COUNT; count++)
        names[count] = str_of(calling_code_at(count)->country);
    near = str_nearest(node->text, names, count);
    if (near.len != 0)
        snprintf(help, sizeof help, "write %.*s", STR_ARG(near));
    FOUND(c, node->place, "choice", help,
          "\"country\" needs a country whose numbers are known, not \"%.*s\"", STR_ARG(node->text));
}

/* Keys that only make sense with one format. */
static void check_format(struct compiler *c, const struct filled *form, enum form_field_id field,
                         bool goes, const char *format)
{
    if (form->at[field] != NULL && !goes)
        FOUND(c, form->at[field]->place, "key-place", "leave it out",
              "\"%s\" goes only with `format: %s`", form_fields[field].key, format);
}

static void load_kind(struct compiler *c, struct alias_kind *kind, const struct yaml_node *node)
{
    const struct yaml_node *format;
    struct filled form = {0};

    if (node->kind != YAML_NULL && !form_read(FORM_OF_ALIAS_KIND, node, c->diags, &form))
        return;
    format = form.at[FIELD_ALIAS_KIND_FORMAT];
    if (format != NULL)
        kind->form =
            (enum alias_form)form_choice(format, form_fields[FIELD_ALIAS_KIND_FORMAT].choices);
    kind->strip = form_text(form.at[FIELD_ALIAS_KIND_STRIP], c->arena);
    kind->ignore_case = form_bool(form.at[FIELD_ALIAS_KIND_IGNORE_CASE]);
    kind->ignore_dots = form_bool(form.at[FIELD_ALIAS_KIND_IGNORE_DOTS]);
    kind->owners = form_count(form.at[FIELD_ALIAS_KIND_OWNERS], LIMIT_ALIAS_OWNERS);
    kind->park_ms =
        form_span_ms(form.at[FIELD_ALIAS_KIND_PARK], LIMIT_PARK_DAYS * (int64_t)WHEN_DAY_MS);
    kind->park_events = form_count(form.at[FIELD_ALIAS_KIND_PARK_EVENTS], LIMIT_PARK_EVENTS);
    kind->park_bytes = form_count(form.at[FIELD_ALIAS_KIND_PARK_BYTES], LIMIT_PARK_BYTES);
    find_country(c, kind, form.at[FIELD_ALIAS_KIND_COUNTRY]);
    check_format(c, &form, FIELD_ALIAS_KIND_COUNTRY, kind->form == ALIAS_PHONE, "phone");
    check_format(c, &form, FIELD_ALIAS_KIND_IGNORE_CASE, kind->form == ALIAS_EMAIL, "email");
    check_format(c, &form, FIELD_ALIAS_KIND_IGNORE_DOTS, kind->form == ALIAS_EMAIL, "email");
}

static void load_kinds(struct compiler *c, const struct yaml_node *map)
{
    struct identity *identity = &c->set->identity;

    identity->kinds = ARENA_ARRAY(c->arena, struct alias_kind, map->count);
    for (size_t i = 0; i < map->count; i++) {
        struct alias_kind *kind = &identity->kinds[identity->kind_count++];

        kind->name = form_text(map->keys[i], c->arena);
        if (str_is(kind->name, ALIAS_CUSTOMER))
            FOUND(c, map->keys[i]->place, "name", "call it otherwise: customer_no",
                  "an alias is another name of a customer, so it is not called \"customer\"");
        load_kind(c, kind, map->items[i]);
    }
    qsort(identity->kinds, identity->kind_count, sizeof *identity->kinds, compare_kinds);
}

/* --- fields ------------------------------------------------------------------------------------------ */

/* Its index; -1: reported. */
static int find_kind(struct compiler *c, const struct yaml_node *node)
{
    const struct identity *identity = &c->set->identity;
    struct str names[LIMIT_ALIAS_KINDS], near;
    char help[128] = "declare it under `kinds:`";

    for (size_t i = 0; i < identity->kind_count; i++) {
        names[i] = identity->kinds[i].name;
        if (str_equal(names[i], node->text))
            return (int)i;
    }
    near = str_nearest(node->text, names, identity->kind_count);
    if (near.len != 0)
        snprintf(help, sizeof help, "write %.*s", STR_ARG(near));
    FOUND(c, node->place, "unknown-alias", help, "there is no kind of alias \"%.*s\"",
          STR_ARG(node->text));
    return -1;
}

/* event.data.owner.phone -> owner, phone.  0: it is none. */
static size_t cut_names(struct str text, struct str names[FIELD_NAMES_MAX])
{
    struct str prefix = STR("event.data."), rest = str_slice(text, prefix.len, text.len);
    size_t count = 0;

    if (!str_starts(text, prefix))
        return 0;
    for (bool more = true; more; count++) {
        if (count == FIELD_NAMES_MAX)
            return 0;
        names[count] = rest;
        more = str_cut(rest, '.', &names[count], &rest);
        if (names[count].len == 0)
            return 0;
    }
    return count;
}

static void say_no_field(struct compiler *c, const struct yaml_node *node,
                         const struct field *field, struct str type)
{
    char help[256];

    if (field->near.len != 0)
        snprintf(help, sizeof help, "write %.*s", STR_ARG(field->near));
    else
        snprintf(help, sizeof help, "%.*s has: %.*s", STR_ARG(type), STR_ARG(field->there));
    FOUND(c, node->place, "unknown-field", help, "%.*s has no field \"%.*s\"", STR_ARG(type),
          STR_ARG(node->text));
}

/* The pointer of the field; empty: reported. */
static struct str find_field(struct compiler *c, const struct yaml_node *node,
                             const struct numbers *types)
{
    struct str type = c->set->types[types->items[0]].name, names[FIELD_NAMES_MAX];
    size_t count = cut_names(node->text, names);
    struct buf kind = {0};
    struct field field;

    if (count == 0) {
        FOUND(c, node->place, "alias-field", "write event.data. and the field's name",
              "an alias stands in a field of the event, not in \"%.*s\"", STR_ARG(node->text));
        return STR_EMPTY;
    }
    field = types_find_field(c, types, names, count);
    if (field.taken != count) {
        say_no_field(c, node, &field, type);
        return STR_EMPTY;
    }
    if (field.type == &cel_string || field.type == &cel_int || field.type == &cel_dyn)
        return field.pointer;
    cel_type_print(&kind, field.type);
    FOUND(c, node->place, "alias-field", "choose a field that is a text or a whole number",
          "%.*s of %.*s is a %s: no alias can stand there", STR_ARG(node->text), STR_ARG(type),
          buf_text(&kind));
    buf_free(&kind);
    return STR_EMPTY;
}

static struct alias_fields load_fields(struct compiler *c, const struct yaml_node *map,
                                       const struct numbers *types)
{
    struct alias_fields fields = {0};

    if (map == NULL)
        return fields;
    fields.items = ARENA_ARRAY(c->arena, struct alias_field, map->count);
    for (size_t i = 0; i < map->count; i++) {
        int kind = find_kind(c, map->keys[i]);
        struct str pointer = find_field(c, map->items[i], types);

        if (kind >= 0 && pointer.len != 0)
            fields.items[fields.count++] = (struct alias_field){(uint16_t)kind, pointer};
    }
    return fields;
}

/* --- event types ------------------------------------------------------------------------------------- */

static int compare_uses(const void *a, const void *b)
{
    return str_compare(((const struct alias_use *)a)->type, ((const struct alias_use *)b)->type);
}

static void load_use(struct compiler *c, const struct yaml_node *key, const struct yaml_node *node)
{
    struct identity *identity = &c->set->identity;
    struct numbers types = {0};
    struct filled form;

    types_find(c, key, &types);
    if (form_read(FORM_OF_ALIAS_USE, node, c->diags, &form) && types.count == 1) {
        struct alias_use *use = &identity->uses[identity->use_count++];

        use->type = c->set->types[types.items[0]].name;
        use->binds = load_fields(c, form.at[FIELD_ALIAS_USE_BINDS], &types);
        use->looks_up = load_fields(c, form.at[FIELD_ALIAS_USE_LOOKS_UP], &types);
        use->unbinds = load_fields(c, form.at[FIELD_ALIAS_USE_UNBINDS], &types);
        if (node->count == 0)
            FOUND(c, key->place, "missing-key", "write binds, looks_up or unbinds",
                  "it does not say what %.*s does", STR_ARG(key->text));
    }
    mem_free(types.items);
}

static void load_uses(struct compiler *c, const struct yaml_node *map)
{
    struct identity *identity = &c->set->identity;

    identity->uses = ARENA_ARRAY(c->arena, struct alias_use, map->count);
    for (size_t i = 0; i < map->count; i++)
        load_use(c, map->keys[i], map->items[i]);
    if (identity->use_count != 0)
        qsort(identity->uses, identity->use_count, sizeof *identity->uses, compare_uses);
}

static bool binds(const struct alias_use *use, size_t kind)
{
    for (size_t i = 0; i < use->binds.count; i++)
        if (use->binds.items[i].kind == kind)
            return true;
    return false;
}

/* What nobody ever binds waits in vain. */
static void warn_unbound(struct compiler *c, const struct yaml_node *map)
{
    const struct identity *identity = &c->set->identity;

    for (size_t i = 0; i < map->count; i++) {
        bool bound = false;

        for (size_t u = 0; u < identity->use_count; u++)
            for (size_t k = 0; k < identity->kind_count; k++)
                bound |= str_equal(identity->kinds[k].name, map->keys[i]->text) &&
                         binds(&identity->uses[u], k);
        if (!bound)
            diag_add(c->diags, DIAG_WARNING, map->keys[i]->place, "alias-unbound",
                     "say which event binds it, under `events:`", "no event says whose a %.*s is",
                     STR_ARG(map->keys[i]->text));
    }
}

void identity_load(struct compiler *c)
{
    const struct yaml_node *root = NULL, *kinds, *events;
    size_t errors = c->diags->error_count;
    struct filled form;

    for (size_t i = 0; i < c->bundle->count; i++)
        if (str_is(c->bundle->files[i].name, "identity.yaml"))
            root = compiler_read(c, &c->bundle->files[i]);
    if (root == NULL || root->kind == YAML_NULL ||
        !form_read(FORM_OF_IDENTITY, root, c->diags, &form))
        return;
    kinds = form.at[FIELD_IDENTITY_KINDS];
    events = form.at[FIELD_IDENTITY_EVENTS];
    if (kinds == NULL || events == NULL)
        return;
    load_kinds(c, kinds);
    load_uses(c, events);
    if (c->diags->error_count == errors)
        warn_unbound(c, kinds);
}
