/* core/conf_tree.h - what a checked configuration is made of: for core/conf*.c alone. */
#ifndef ATTENT_CORE_CONF_TREE_H
#define ATTENT_CORE_CONF_TREE_H

#include "core/conf.h"

/* One of a LIST (text), of ITEMS (name, item) or of FREE (name, text). */
struct conf_part {
    struct str name;
    struct str text;
    struct conf *item;
    struct place place;
};

struct conf_entry { /* one field's value */
    const struct conf_field *field;
    struct place place; /* where it was set; line 0 and no file: the default */
    bool set;
    struct str text;         /* TEXT, CHOICE */
    int64_t number;          /* INT, BOOL, SPAN, BYTES */
    struct conf_part *parts; /* LIST, ITEMS, FREE */
    size_t part_count, part_capacity;
};

struct conf {
    const struct conf_field *table;
    struct conf_entry *entries; /* as the table */
    size_t count;
};

struct conf_entry *conf_find_entry(const struct conf *conf, struct str path); /* NULL: none */

/* The table of an item of these ITEMS whose key `by` has this value. */
const struct conf_field *conf_item_table(const struct conf_field *items, struct str value);

/* The fields of a variant that not all items have. */
const struct conf_field *conf_own_fields(const struct conf_field *items,
                                         const struct conf_variant *variant);

static inline bool conf_has_parts(enum conf_kind kind)
{
    return kind == CONF_LIST || kind == CONF_ITEMS || kind == CONF_FREE;
}

/* Is the value of this FREE name a secret?  librdkafka's own, for one: sasl.password. */
bool conf_name_is_secret(struct str name);

/* What a field takes, in words: "a duration (90s, 10m, 1d12h) from 1s to 1h". */
void conf_put_wanted(struct buf *out, const struct conf_field *field);
/* Of BOOL, INT, SPAN, BYTES.  False: the text is no such thing; the range is not looked at. */
bool conf_parse_number(const struct conf_field *field, struct str text, int64_t *number);
void conf_put_number(struct buf *out, const struct conf_field *field, int64_t number);

/* The next of "a|b|c": false when there is none left. */
bool conf_next_choice(struct str *rest, struct str *choice);

#endif
