/* Asking a configuration.  How one is read: core/conf_read.c. */
#include "core/conf.h"

#include "core/check.h"
#include "core/conf_tree.h"

struct conf_entry *conf_find_entry(const struct conf *conf, struct str path)
{
    for (size_t i = 0; i < conf->count; i++)
        if (str_is(path, conf->entries[i].field->path))
            return &conf->entries[i];
    return NULL;
}

const struct conf_field *conf_item_table(const struct conf_field *items, struct str value)
{
    const struct conf_variant *v = items->variants != NULL ? items->variants->list : NULL;

    for (; v != NULL && v->name != NULL; v++)
        if (str_is(value, v->name))
            return v->fields;
    return items->fields;
}

const struct conf_field *conf_own_fields(const struct conf_field *items,
                                         const struct conf_variant *variant)
{
    size_t shared = 0;

    while (items->fields[shared].path != NULL)
        shared++;
    return variant->fields + shared;
}

static const struct conf_entry *entry_of(const struct conf *conf, const char *path)
{
    const struct conf_entry *entry = conf_find_entry(conf, str_of(path));

    CHECK(entry != NULL);
    return entry;
}

static const struct conf_part *part_of(const struct conf *conf, const char *path, size_t index)
{
    const struct conf_entry *entry = entry_of(conf, path);

    CHECK(index < entry->part_count);
    return &entry->parts[index];
}

bool conf_has(const struct conf *conf, const char *path)
{
    return conf_find_entry(conf, str_of(path)) != NULL;
}

struct str conf_text(const struct conf *conf, const char *path)
{
    const struct conf_entry *entry = entry_of(conf, path);

    CHECK(entry->field->kind == CONF_TEXT || entry->field->kind == CONF_CHOICE);
    return entry->text;
}

int64_t conf_int(const struct conf *conf, const char *path)
{
    const struct conf_entry *entry = entry_of(conf, path);

    CHECK(entry->field->kind == CONF_INT || entry->field->kind == CONF_SPAN ||
          entry->field->kind == CONF_BYTES);
    return entry->number;
}

bool conf_bool(const struct conf *conf, const char *path)
{
    const struct conf_entry *entry = entry_of(conf, path);

    CHECK(entry->field->kind == CONF_BOOL);
    return entry->number != 0;
}

size_t conf_count(const struct conf *conf, const char *path)
{
    const struct conf_entry *entry = entry_of(conf, path);

    CHECK(conf_has_parts(entry->field->kind));
    return entry->part_count;
}

struct str conf_item_text(const struct conf *conf, const char *path, size_t index)
{
    CHECK(entry_of(conf, path)->field->kind == CONF_LIST);
    return part_of(conf, path, index)->text;
}

struct str conf_item_name(const struct conf *conf, const char *path, size_t index)
{
    CHECK(entry_of(conf, path)->field->kind != CONF_LIST);
    return part_of(conf, path, index)->name;
}

struct str conf_free_value(const struct conf *conf, const char *path, size_t index)
{
    CHECK(entry_of(conf, path)->field->kind == CONF_FREE);
    return part_of(conf, path, index)->text;
}

const struct conf *conf_item(const struct conf *conf, const char *path, size_t index)
{
    CHECK(entry_of(conf, path)->field->kind == CONF_ITEMS);
    return part_of(conf, path, index)->item;
}

struct place conf_place(const struct conf *conf, const char *path)
{
    return entry_of(conf, path)->place;
}
