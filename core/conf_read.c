/* Three sources, one after the other, fill the entries of the table: the file, the overrides,
 * the defaults.  Each ends in set_text: whatever a value's kind is, it is read from text, so
 * ${PORT} works for a number and a default is checked by the code that checks a user's.
 *
 * Dots are nesting: the key `brokers` below `kafka` is the field "kafka.brokers".  A key is a
 * field, the beginning of one (a section), or unknown. */
#include "core/conf.h"

#include "core/conf_expand.h"
#include "core/conf_tree.h"
#include "core/yaml.h"

struct reading {
    const struct conf_override *overrides;
    size_t override_count;
    struct arena *arena;
    struct diags *diags;
};

/* --- findings --------------------------------------------------------------------------------- */

static void wrong(struct reading *r, struct place place, const char *code, const char *help,
                  struct str what)
{
    diag_add(r->diags, DIAG_ERROR, place, code, help, "%.*s", STR_ARG(what));
}

/* "kafka.brokers" of an item: "sources.crm.mode". */
static struct str full_name(struct reading *r, struct str prefix, struct str path)
{
    return prefix.len == 0 ? path
                           : arena_format(r->arena, "%.*s.%.*s", STR_ARG(prefix), STR_ARG(path));
}

static void wrong_value(struct reading *r, const struct conf_field *field, struct place place,
                        struct str name, const char *is)
{
    struct buf wanted = {0};

    conf_put_wanted(&wanted, field);
    wrong(r, place, "wrong-value", "docs/configuration.md says what it takes",
          arena_format(r->arena, "%.*s is %s, wants %s", STR_ARG(name), is, buf_text(&wanted)));
    buf_free(&wanted);
}

/* --- one value -------------------------------------------------------------------------------- */

static bool is_choice(const char *choices, struct str text)
{
    struct str rest = str_of(choices), choice;

    while (conf_next_choice(&rest, &choice))
        if (str_equal(choice, text))
            return true;
    return false;
}

static void wrong_choice(struct reading *r, const struct conf_field *field, struct place place,
                         struct str name, struct str text)
{
    struct str rest = str_of(field->choices), names[32], near;
    struct buf wanted = {0};
    size_t count = 0;

    while (count < sizeof names / sizeof names[0] && conf_next_choice(&rest, &names[count]))
        count++;
    near = str_nearest(text, names, count);
    conf_put_wanted(&wanted, field);
    wrong(r, place, "wrong-value",
          near.len != 0 ? arena_format(r->arena, "did you mean %.*s?", STR_ARG(near)).data : NULL,
          arena_format(r->arena, "%.*s is \"%.*s\", wants %s", STR_ARG(name), STR_ARG(text),
                       buf_text(&wanted)));
    buf_free(&wanted);
}

static void set_number(struct reading *r, struct conf_entry *entry, struct place place,
                       struct str name, struct str text)
{
    const struct conf_field *field = entry->field;
    bool ranged = field->min != 0 || field->max != 0;

    if (!conf_parse_number(field, text, &entry->number) ||
        (ranged && (entry->number < field->min || entry->number > field->max)))
        wrong_value(r, field, place, name, arena_format(r->arena, "\"%.*s\"", STR_ARG(text)).data);
}

/* A value as text, of the file, of -s or the default (place.file NULL). */
static void set_text(struct reading *r, struct conf_entry *entry, struct str name,
                     const struct conf_text_source *source)
{
    const struct conf_field *field = entry->field;
    struct str text = source->text;

    entry->set = true;
    entry->place = source->place;
    if (source->place.file != NULL) {
        if (field->secret && text.len != 0 && !conf_is_reference(text))
            wrong(r, source->place, "plain-secret", "write ${VAR} or ${file:PATH}",
                  arena_format(r->arena, "%.*s is a secret and stands here for all to read",
                               STR_ARG(name)));
        if (!conf_expand(source, r->arena, &text, r->diags))
            return;
    }
    if (field->kind == CONF_TEXT)
        entry->text = arena_str(r->arena, text);
    else if (field->kind != CONF_CHOICE)
        set_number(r, entry, source->place, name, text);
    else if (is_choice(field->choices, text))
        entry->text = arena_str(r->arena, text);
    else
        wrong_choice(r, field, source->place, name, text);
}

static bool is_scalar(const struct yaml_node *node)
{
    return node->kind != YAML_NULL && node->kind != YAML_LIST && node->kind != YAML_MAP;
}

/* --- parts: lists, items, free names ------------------------------------------------------------ */

static struct conf_part *add_part(struct reading *r, struct conf_entry *entry, struct str name,
                                  struct place place)
{
    if (entry->part_count == entry->part_capacity) {
        size_t capacity = entry->part_capacity == 0 ? 4 : 2 * entry->part_capacity;
        struct conf_part *more = ARENA_ARRAY(r->arena, struct conf_part, capacity);
        if (entry->part_count != 0)
            memcpy(more, entry->parts, entry->part_count * sizeof *more);
        entry->parts = more;
        entry->part_capacity = capacity;
    }
    entry->parts[entry->part_count] =
        (struct conf_part){.name = arena_str(r->arena, name), .place = place};
    return &entry->parts[entry->part_count++];
}

static struct conf_part *find_part(struct conf_entry *entry, struct str name)
{
    for (size_t i = 0; i < entry->part_count; i++)
        if (str_equal(entry->parts[i].name, name))
            return &entry->parts[i];
    return NULL;
}

static void set_part_text(struct reading *r, const struct conf_field *field, struct conf_part *part,
                          struct str name, const struct conf_text_source *source)
{
    part->place = source->place;
    if (!conf_expand(source, r->arena, &part->text, r->diags))
        return;
    if (field->kind == CONF_LIST && field->choices != NULL &&
        !is_choice(field->choices, part->text))
        wrong_choice(r, field, source->place, name, part->text);
}

static struct conf *new_conf(const struct conf_field *table, struct arena *arena)
{
    struct conf *conf = ARENA_NEW(arena, struct conf);

    conf->table = table;
    while (table[conf->count].path != NULL)
        conf->count++;
    conf->entries = ARENA_ARRAY(arena, struct conf_entry, conf->count);
    for (size_t i = 0; i < conf->count; i++)
        conf->entries[i].field = &table[i];
    return conf;
}

static void read_map(struct reading *r, struct conf *conf, const struct yaml_node *map,
                     struct str section, struct str prefix);

static void read_list(struct reading *r, struct conf_entry *entry, const struct yaml_node *node,
                      struct str name)
{
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *item = node->items[i];
        if (is_scalar(item))
            set_part_text(r, entry->field, add_part(r, entry, STR_EMPTY, item->place), name,
                          &(struct conf_text_source){item->text, item, item->place});
        else
            wrong(r, item->place, "wrong-value", "docs/configuration.md says what it takes",
                  arena_format(r->arena, "%.*s holds %s, wants texts", STR_ARG(name),
                               yaml_kind_name(item->kind)));
    }
}

/* The value of the key that says which variant an item is; empty: there is none. */
static struct str variant_of(const struct conf_field *items, const struct yaml_node *map)
{
    for (size_t i = 0; items->variants != NULL && map->kind == YAML_MAP && i < map->count; i++)
        if (str_is(map->keys[i]->text, items->variants->by))
            return map->items[i]->text;
    return STR_EMPTY;
}

/* An item has become another variant: the keys that both have stay. */
static struct conf *change_variant(struct reading *r, const struct conf_field *items,
                                   struct conf *item)
{
    const struct conf_entry *by =
        items->variants != NULL ? conf_find_entry(item, str_of(items->variants->by)) : NULL;
    struct conf *changed;

    if (by == NULL || conf_item_table(items, by->text) == item->table)
        return item;
    changed = new_conf(conf_item_table(items, by->text), r->arena);
    for (size_t i = 0; i < item->count; i++) {
        const struct conf_entry *old = &item->entries[i];
        struct conf_entry *entry = conf_find_entry(changed, str_of(old->field->path));
        const struct conf_field *field = entry != NULL ? entry->field : NULL;
        if (field == NULL || field->kind != old->field->kind)
            continue;
        *entry = *old;
        entry->field = field;
    }
    return changed;
}

static void read_part(struct reading *r, struct conf_entry *entry, const struct yaml_node *key,
                      const struct yaml_node *value, struct str name)
{
    struct conf_part *part = add_part(r, entry, key->text, key->place);

    name = full_name(r, name, key->text);
    if (entry->field->kind == CONF_ITEMS) {
        part->item =
            new_conf(conf_item_table(entry->field, variant_of(entry->field, value)), r->arena);
        if (value->kind == YAML_MAP || value->kind == YAML_NULL)
            read_map(r, part->item, value, STR_EMPTY, name);
        else
            wrong(r, value->place, "wrong-value", "write its keys below it, or {} for the defaults",
                  arena_format(r->arena, "%.*s is %s, wants keys and values", STR_ARG(name),
                               yaml_kind_name(value->kind)));
        part->item = change_variant(r, entry->field, part->item); /* ${CONNECTOR} */
    } else if (is_scalar(value)) {
        set_part_text(r, entry->field, part, name,
                      &(struct conf_text_source){value->text, value, value->place});
    } else {
        wrong(r, value->place, "wrong-value", "docs/configuration.md says what it takes",
              arena_format(r->arena, "%.*s is %s, wants a text", STR_ARG(name),
                           yaml_kind_name(value->kind)));
    }
}

/* --- the file --------------------------------------------------------------------------------------- */

static void set_node(struct reading *r, struct conf_entry *entry, const struct yaml_node *node,
                     struct str name)
{
    enum conf_kind kind = entry->field->kind;
    enum yaml_kind wanted = kind == CONF_LIST ? YAML_LIST : YAML_MAP;

    entry->set = true;
    entry->place = node->place;
    entry->part_count = 0;
    if (!conf_has_parts(kind)) {
        if (is_scalar(node))
            set_text(r, entry, name, &(struct conf_text_source){node->text, node, node->place});
        else
            wrong_value(r, entry->field, node->place, name, yaml_kind_name(node->kind));
    } else if (node->kind == YAML_NULL) {
        return; /* written, and empty */
    } else if (node->kind != wanted) {
        wrong_value(r, entry->field, node->place, name, yaml_kind_name(node->kind));
    } else if (kind == CONF_LIST) {
        read_list(r, entry, node, name);
    } else {
        for (size_t i = 0; i < node->count; i++)
            read_part(r, entry, node->keys[i], node->items[i], name);
    }
}

static bool is_below(struct str path, struct str section)
{
    return path.len > section.len && str_starts(path, section) && path.data[section.len] == '.';
}

static bool is_section(const struct conf *conf, struct str path)
{
    for (size_t i = 0; i < conf->count; i++)
        if (is_below(str_of(conf->entries[i].field->path), path))
            return true;
    return false;
}

static struct str last_name(struct str path)
{
    for (size_t i = path.len; i > 0; i--)
        if (path.data[i - 1] == '.')
            return str_slice(path, i, path.len);
    return path;
}

/* The keys that could stand in this section. */
static size_t known_names(struct reading *r, const struct conf *conf, struct str section,
                          struct str **names)
{
    size_t count = 0;

    *names = ARENA_ARRAY(r->arena, struct str, conf->count + 1);
    for (size_t i = 0; i < conf->count; i++) {
        struct str path = str_of(conf->entries[i].field->path), name, rest;
        if (section.len != 0 && !is_below(path, section))
            continue;
        name = section.len == 0 ? path : str_slice(path, section.len + 1, path.len);
        if (str_cut(name, '.', &name, &rest) && count != 0 && str_equal((*names)[count - 1], name))
            continue;
        (*names)[count++] = name;
    }
    return count;
}

/* Does the key belong somewhere else, or did they mean a name of this section? */
static const char *suggest(struct reading *r, const struct conf *conf, struct str section,
                           struct str key)
{
    struct str *names, near;
    size_t count = known_names(r, conf, section, &names);
    struct buf all = {0};
    const char *help;

    for (size_t i = 0; i < conf->count; i++)
        if (str_equal(last_name(str_of(conf->entries[i].field->path)), key))
            return arena_format(r->arena, "did you mean %s?", conf->entries[i].field->path).data;
    near = str_nearest(key, names, count);
    if (near.len != 0)
        return arena_format(r->arena, "did you mean %.*s?", STR_ARG(near)).data;
    for (size_t i = 0; i < count; i++)
        buf_put_format(&all, "%s%.*s", i == 0 ? "" : ", ", STR_ARG(names[i]));
    help = arena_format(r->arena, "known here: %s", buf_text(&all)).data;
    buf_free(&all);
    return help;
}

static void read_key(struct reading *r, struct conf *conf, const struct yaml_node *key,
                     const struct yaml_node *value, struct str section, struct str prefix)
{
    struct str path = full_name(r, section, key->text);
    struct conf_entry *entry = conf_find_entry(conf, path);

    if (entry != NULL)
        set_node(r, entry, value, full_name(r, prefix, path));
    else if (key->text.len == 0 || !is_section(conf, path))
        wrong(r, key->place, "unknown-key", suggest(r, conf, section, key->text),
              arena_format(r->arena, "unknown key %.*s", STR_ARG(full_name(r, prefix, path))));
    else
        read_map(r, conf, value, path, prefix);
}

static void read_map(struct reading *r, struct conf *conf, const struct yaml_node *map,
                     struct str section, struct str prefix)
{
    if (map->kind == YAML_NULL)
        return;
    if (map->kind != YAML_MAP) {
        struct str name = section.len != 0 ? section : STR("the configuration");
        wrong(r, map->place, "wrong-value", "docs/configuration.md says what it takes",
              arena_format(r->arena, "%.*s is %s, wants keys and values", STR_ARG(name),
                           yaml_kind_name(map->kind)));
        return;
    }
    for (size_t i = 0; i < map->count; i++)
        read_key(r, conf, map->keys[i], map->items[i], section, prefix);
}

/* --- overrides and defaults ----------------------------------------------------------------------------- */

static void set_parts_text(struct reading *r, struct conf_entry *entry, struct str name,
                           struct str text, struct place place)
{
    struct str rest = text, item;
    const struct yaml_node *node = yaml_read(text, place.file, r->arena, r->diags);

    if (node == NULL)
        return;
    if (entry->field->kind != CONF_LIST || !is_scalar(node)) {
        set_node(r, entry, node, name);
        entry->place = place;
        return;
    }
    entry->set = true;
    entry->place = place;
    entry->part_count = 0;
    for (bool more = true; more;) { /* a,b */
        item = rest;
        more = str_cut(rest, ',', &item, &rest);
        set_part_text(r, entry->field, add_part(r, entry, STR_EMPTY, place), name,
                      &(struct conf_text_source){str_trim(item), NULL, place});
    }
}

static void set_default(struct reading *r, struct conf_entry *entry, struct str name,
                        struct place owner)
{
    const struct conf_field *field = entry->field;

    if (field->fallback == NULL) {
        wrong(r, owner, "missing-key", field->doc,
              arena_format(r->arena, "%.*s is missing", STR_ARG(name)));
    } else if (conf_has_parts(field->kind)) {
        set_parts_text(r, entry, name, str_of(field->fallback), (struct place){0});
    } else {
        set_text(r, entry, name, &(struct conf_text_source){str_of(field->fallback), NULL, {0}});
    }
}

static void fill_defaults(struct reading *r, struct conf *conf, struct str prefix,
                          struct place owner)
{
    for (size_t i = 0; i < conf->count; i++) {
        struct conf_entry *entry = &conf->entries[i];
        struct str name = full_name(r, prefix, str_of(entry->field->path));
        if (!entry->set)
            set_default(r, entry, name, owner);
        for (size_t p = 0; entry->field->kind == CONF_ITEMS && p < entry->part_count; p++)
            fill_defaults(r, entry->parts[p].item, full_name(r, name, entry->parts[p].name),
                          entry->parts[p].place);
    }
}

static bool override_in(struct reading *r, struct conf *conf, struct str path, struct str prefix,
                        const struct conf_override *override, struct place place);

/* "crm.events.mode" of the items of `sources`: names may hold dots, so the item's key is what
 * the path ends in. */
static bool override_item(struct reading *r, struct conf_entry *entry, struct str rest,
                          struct str name, const struct conf_override *override, struct place place)
{
    for (size_t dot = rest.len; dot > 1; dot--) {
        struct str key = str_slice(rest, 0, dot - 1);
        struct conf_part *part;
        struct conf *item;
        if (rest.data[dot - 1] != '.')
            continue;
        part = find_part(entry, key);
        item = part != NULL ? part->item : new_conf(entry->field->fields, r->arena);
        if (!override_in(r, item, str_slice(rest, dot, rest.len), full_name(r, name, key), override,
                         place))
            continue;
        if (part == NULL)
            part = add_part(r, entry, key, place);
        part->item = change_variant(r, entry->field, item);
        return true;
    }
    return false;
}

static bool override_part(struct reading *r, struct conf_entry *entry, struct str rest,
                          struct str prefix, const struct conf_override *override,
                          struct place place)
{
    struct str name = full_name(r, prefix, str_of(entry->field->path));
    struct conf_part *part;

    if (entry->field->kind != CONF_FREE && entry->field->kind != CONF_ITEMS)
        return false;
    if (!entry->set)
        set_default(r, entry, name, place);
    if (entry->field->kind == CONF_ITEMS)
        return override_item(r, entry, rest, name, override, place);
    part = find_part(entry, rest);
    if (part == NULL)
        part = add_part(r, entry, rest, place);
    set_part_text(r, entry->field, part, full_name(r, name, rest),
                  &(struct conf_text_source){override->value, NULL, place});
    return true;
}

/* False: there is no such path. */
static bool override_in(struct reading *r, struct conf *conf, struct str path, struct str prefix,
                        const struct conf_override *override, struct place place)
{
    struct conf_entry *entry = conf_find_entry(conf, path);

    if (entry != NULL && conf_has_parts(entry->field->kind)) {
        set_parts_text(r, entry, full_name(r, prefix, path), override->value, place);
        return true;
    }
    if (entry != NULL) {
        set_text(r, entry, full_name(r, prefix, path),
                 &(struct conf_text_source){override->value, NULL, place});
        return true;
    }
    for (size_t i = 0; i < conf->count; i++) {
        struct str section = str_of(conf->entries[i].field->path);
        if (is_below(path, section))
            return override_part(r, &conf->entries[i], str_slice(path, section.len + 1, path.len),
                                 prefix, override, place);
    }
    return false;
}

static const char *suggest_path(struct reading *r, const struct conf *conf, struct str path)
{
    struct str *names = ARENA_ARRAY(r->arena, struct str, conf->count + 1);
    struct str near = STR_EMPTY;

    for (size_t i = 0; i < conf->count; i++)
        names[i] = str_of(conf->entries[i].field->path);
    for (size_t i = 0; i < conf->count && near.len == 0; i++)
        if (str_equal(last_name(names[i]), last_name(path)))
            near = names[i];
    if (near.len == 0)
        near = str_nearest(path, names, conf->count);
    return near.len != 0 ? arena_format(r->arena, "did you mean %.*s?", STR_ARG(near)).data
                         : "`attent config` lists all";
}

static void apply_overrides(struct reading *r, struct conf *conf)
{
    for (size_t i = 0; i < r->override_count; i++) {
        const struct conf_override *o = &r->overrides[i];
        struct place place = {.file = arena_format(r->arena, "-s %.*s", STR_ARG(o->path)).data};
        if (!str_is_utf8(o->path))
            wrong(r, place, "unknown-key", NULL, STR("the path is no UTF-8 text"));
        else if (!override_in(r, conf, o->path, STR_EMPTY, o, place))
            wrong(r, place, "unknown-key", suggest_path(r, conf, o->path),
                  arena_format(r->arena, "unknown key %.*s", STR_ARG(o->path)));
    }
}

const struct conf *conf_read(const struct conf_field *table, struct str text, const char *file,
                             const struct conf_override *overrides, size_t override_count,
                             struct arena *arena, struct diags *diags)
{
    struct reading r = {overrides, override_count, arena, diags};
    struct str name = file != NULL ? arena_str(arena, str_of(file)) : STR("the configuration");
    size_t errors = diags->error_count;
    const struct yaml_node *root = yaml_read(text, name.data, arena, diags);
    struct conf *conf = new_conf(table, arena);

    if (root != NULL)
        read_map(&r, conf, root, STR_EMPTY, STR_EMPTY);
    apply_overrides(&r, conf);
    if (root != NULL)
        fill_defaults(&r, conf, STR_EMPTY, (struct place){.file = name.data});
    return diags->error_count > errors ? NULL : conf;
}
