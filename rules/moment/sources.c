/* sources.yaml: which feed brings which types, and how long it may be silent.  Without the file no type
 * waits for a feed. */
#include <stdlib.h>

#include "core/when.h"
#include "rules/moment/compile.h"

#define MAX_SILENCE_MS (6 * WHEN_HOUR_MS)

static int compare_sources(const void *a, const void *b)
{
    return str_compare(((const struct source *)a)->name, ((const struct source *)b)->name);
}

/* Another name or other types are another lane: what waits in the old one is looked at again when
 * the rule set comes into force. */
static uint32_t lane_of(const struct compiler *c, const struct source *source)
{
    uint64_t hash = hash_bytes(source->name, 0);

    for (size_t i = 0; i < source->type_count; i++)
        hash = hash_bytes(c->set->types[source->types[i]].name, hash);
    return (uint32_t)hash >= SOURCE_LANE_MIN ? (uint32_t)hash : SOURCE_LANE_MIN;
}

static void load_one(struct compiler *c, struct source *source, const struct yaml_node *node)
{
    struct numbers types = {0};
    struct filled form;

    if (!form_read(FORM_OF_SOURCE, node, c->diags, &form))
        return;
    if (form.at[FIELD_SOURCE_TYPES] != NULL)
        types_find(c, form.at[FIELD_SOURCE_TYPES], &types);
    source->types = numbers_take(&types, c->arena, &source->type_count);
    source->max_silence_ms = form_span_ms(form.at[FIELD_SOURCE_MAX_SILENCE], MAX_SILENCE_MS);
    source->lane = lane_of(c, source);
}

static void load(struct compiler *c, const struct yaml_node *root)
{
    struct ruleset *set = c->set;

    set->sources = ARENA_ARRAY(c->arena, struct source, root->count);
    for (size_t i = 0; i < root->count; i++) {
        set->sources[i].name = form_text(root->keys[i], c->arena);
        load_one(c, &set->sources[i], root->items[i]);
    }
    set->source_count = root->count;
    if (root->count != 0)
        qsort(set->sources, root->count, sizeof *set->sources, compare_sources);
}

/* Which sources feed each type. */
static void index_types(struct compiler *c)
{
    struct ruleset *set = c->set;

    for (size_t t = 0; t < set->type_count; t++)
        set->types[t].sources = ARENA_ARRAY(c->arena, uint16_t, set->source_count);
    for (size_t i = 0; i < set->source_count; i++) {
        for (size_t k = 0; k < set->sources[i].type_count; k++) {
            struct event_type *type = &set->types[set->sources[i].types[k]];

            type->sources[type->source_count++] = (uint16_t)i;
        }
    }
}

void sources_load(struct compiler *c)
{
    const struct yaml_node *root = NULL;

    for (size_t i = 0; i < c->bundle->count; i++)
        if (str_is(c->bundle->files[i].name, "sources.yaml"))
            root = compiler_read(c, &c->bundle->files[i]);
    if (root == NULL || root->kind == YAML_NULL ||
        !form_read_map(&form_fields[FIELD_SOURCES_ANY], root, c->diags))
        return;
    load(c, root);
    index_types(c);
}
