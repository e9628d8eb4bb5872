#include "schemas/event_types.h"

#include <stdlib.h>

#include "core/check.h"
#include "core/file.h"

struct entry {
    struct str type;
    const struct schema *schema;
};

struct event_types {
    struct entry *entries; /* sorted by type */
    size_t count;
};

static int compare(const void *a, const void *b)
{
    return str_compare(((const struct entry *)a)->type, ((const struct entry *)b)->type);
}

/* "x/schemas/events/order.placed.json": order.placed */
static struct str type_of(struct str path)
{
    size_t from = path.len;

    while (from > 0 && path.data[from - 1] != '/')
        from--;
    path = str_slice(path, from, path.len);
    return str_ends(path, STR(".json")) ? str_slice(path, 0, path.len - 5) : path;
}

static void check_doubles(const struct event_types *types, const char *path, struct diags *diags)
{
    const struct place place = {.file = path};

    for (size_t i = 1; i < types->count; i++)
        if (compare(&types->entries[i - 1], &types->entries[i]) == 0)
            diag_add(diags, DIAG_ERROR, place, "duplicate", NULL,
                     "the event type %.*s is declared twice", STR_ARG(types->entries[i].type));
}

struct event_types *event_types_read(const struct event_type_file *files, size_t count,
                                     struct arena *arena, struct diags *diags)
{
    struct event_types *types = ARENA_NEW(arena, struct event_types);
    size_t errors = diags->error_count;

    types->entries = ARENA_ARRAY(arena, struct entry, count);
    for (size_t i = 0; i < count; i++)
        types->entries[types->count++] =
            (struct entry){type_of(arena_str(arena, str_of(files[i].path))),
                           schema_read(files[i].text, files[i].path, arena, diags)};
    if (count > 1)
        qsort(types->entries, count, sizeof *types->entries, compare);
    check_doubles(types, count > 0 ? files[0].path : NULL, diags);
    return diags->error_count == errors ? types : NULL;
}

static bool load_files(const char *dir, struct arena *arena, struct event_type_file **files,
                       size_t *count, struct err *err)
{
    struct str *paths;

    if (file_list(dir, ".json", arena, &paths, count, err) != ERR_NONE)
        return false;
    *files = ARENA_ARRAY(arena, struct event_type_file, *count);
    for (size_t i = 0; i < *count; i++) {
        (*files)[i].path = arena_str(arena, paths[i]).data;
        if (file_read((*files)[i].path, arena, &(*files)[i].text, err) != ERR_NONE)
            return false;
    }
    return true;
}

struct event_types *event_types_load(const char *dir, struct arena *arena, struct diags *diags)
{
    const struct place place = {.file = arena_str(arena, str_of(dir)).data};
    struct event_type_file *files;
    struct err err = {0};
    size_t count;

    if (load_files(dir, arena, &files, &count, &err))
        return event_types_read(files, count, arena, diags);
    diag_add(diags, DIAG_ERROR, place, "file", NULL, "%s", err.text);
    return NULL;
}

static const struct entry *find(const struct event_types *types, struct str type)
{
    const struct entry wanted = {.type = type};

    if (types->count == 0)
        return NULL;
    return bsearch(&wanted, types->entries, types->count, sizeof *types->entries, compare);
}

const struct schema *event_types_find(const struct event_types *types, struct str type)
{
    const struct entry *found = find(types, type);

    return found != NULL ? found->schema : NULL;
}

struct str event_types_declared(const struct event_types *types, struct str type)
{
    const struct entry *found = find(types, type);

    return found != NULL ? found->type : STR_EMPTY;
}

size_t event_types_count(const struct event_types *types)
{
    return types->count;
}

struct str event_types_name(const struct event_types *types, size_t index)
{
    CHECK(index < types->count);
    return types->entries[index].type;
}
