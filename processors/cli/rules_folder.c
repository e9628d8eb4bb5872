#include "processors/cli/rules_folder.h"

#include "core/file.h"
#include "core/mem.h"
#include "core/zone.h"

struct reading {
    const char *dir;
    struct arena *arena;
    struct bundle_file *files; /* on the heap */
    size_t count, capacity;
    struct err *err;
};

static void add_text(struct reading *r, struct str name, struct str text)
{
    MEM_RESERVE(r->files, r->count, r->capacity);
    r->files[r->count++] = (struct bundle_file){arena_str(r->arena, name), text};
}

static enum err_code add_file(struct reading *r, struct str name, const char *path)
{
    struct str text;
    enum err_code code = file_read(path, r->arena, &text, r->err);

    if (code == ERR_NONE)
        add_text(r, name, text);
    return code;
}

static enum err_code add_one(struct reading *r, const char *name)
{
    struct str path = arena_format(r->arena, "%s/%s", r->dir, name);

    return file_exists(path.data) ? add_file(r, str_of(name), path.data) : ERR_NONE;
}

/* All files of a folder but tests, under the names PREFIX/file. */
static enum err_code add_folder(struct reading *r, const char *folder, const char *prefix,
                                const char *suffix)
{
    struct str *paths;
    size_t count, folder_bytes = strlen(folder);
    enum err_code code = file_list(folder, suffix, r->arena, &paths, &count, r->err);

    for (size_t i = 0; code == ERR_NONE && i < count; i++) {
        struct str name = str_slice(paths[i], folder_bytes, paths[i].len); /* "/x.yaml" */
        if (!str_ends(name, STR("_test.yaml")))
            code =
                add_file(r, arena_format(r->arena, "%s%.*s", prefix, STR_ARG(name)), paths[i].data);
    }
    return code;
}

/* The folder with schemas: in dir, beside it, above it.  Empty: none. */
static struct str find_schemas(const char *dir, struct arena *arena)
{
    static const char *const places[] = {"", "/..", "/../.."};

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct str path = arena_format(arena, "%s%s/schemas/events", dir, places[i]);
        if (file_is_folder(path.data))
            return path;
    }
    return STR_EMPTY;
}

static const char *without_slash(const char *dir, struct arena *arena)
{
    struct str path = str_of(dir);

    while (path.len > 1 && path.data[path.len - 1] == '/')
        path.len--;
    return arena_str(arena, path).data;
}

static enum err_code read_all(struct reading *r)
{
    struct str moments = arena_format(r->arena, "%s/moments", r->dir);
    struct str schemas = find_schemas(r->dir, r->arena);
    enum err_code code = add_one(r, "facts.yaml");

    if (code == ERR_NONE)
        code = add_one(r, "policy.yaml");
    if (code == ERR_NONE)
        code = add_one(r, "sources.yaml");
    if (code == ERR_NONE)
        code = add_one(r, "identity.yaml");
    if (code == ERR_NONE && file_is_folder(moments.data))
        code = add_folder(r, moments.data, "moments", ".yaml");
    if (code == ERR_NONE && r->count == 0)
        return err_set(
            r->err, ERR_IO,
            "%s is no folder of rules: it has no facts.yaml, no policy.yaml and no moments/",
            r->dir);
    if (code == ERR_NONE && schemas.len != 0)
        code = add_folder(r, schemas.data, "schemas/events", ".json");
    if (code == ERR_NONE)
        add_text(r, STR(BUNDLE_ZONE_DATA), zone_data_version());
    if (code == ERR_NONE)
        add_text(r, STR(BUNDLE_SEMANTICS), STR(RULES_SEMANTICS));
    return code;
}

enum err_code rules_folder_read(const char *dir, struct arena *arena, struct bundle *out,
                                struct err *err)
{
    struct reading r = {.dir = without_slash(dir, arena), .arena = arena, .err = err};
    enum err_code code;

    *out = (struct bundle){0};
    if (!file_is_folder(r.dir))
        return err_set(err, ERR_IO, "%s is not a folder", dir);
    code = read_all(&r);
    if (code == ERR_NONE) {
        out->files = arena_copy(arena, r.files, r.count * sizeof *r.files);
        out->count = r.count;
        bundle_sort(out);
    }
    mem_free(r.files);
    return code;
}

struct str rules_folder_path(const char *dir, struct str file, struct arena *arena)
{
    struct str schemas;

    dir = without_slash(dir, arena);
    if (!str_starts(file, STR("schemas/events/")))
        return arena_format(arena, "%s/%.*s", dir, STR_ARG(file));
    schemas = find_schemas(dir, arena);
    return arena_format(arena, "%.*s%.*s", STR_ARG(schemas),
                        STR_ARG(str_slice(file, strlen("schemas/events"), file.len)));
}

enum err_code rules_folder_tests(const char *dir, struct arena *arena, struct str **paths,
                                 size_t *count, struct err *err)
{
    struct str moments = arena_format(arena, "%s/moments", without_slash(dir, arena));

    *paths = NULL;
    *count = 0;
    if (!file_is_folder(moments.data))
        return ERR_NONE;
    return file_list(moments.data, "_test.yaml", arena, paths, count, err);
}

/* Findings name the files of a bundle; people look for them where they are. */
void rules_folder_name_files(const char *dir, struct diags *diags, size_t from)
{
    struct arena *arena = arena_new(0);

    for (size_t i = from; i < diags->count; i++) {
        struct place *place = &diags->items[i].place;
        struct str path;
        if (place->file == NULL || str_is(str_of(place->file), "built in"))
            continue;
        path = rules_folder_path(dir, str_of(place->file), arena);
        mem_free((char *)place->file);
        place->file = mem_copy_text(path.data, path.len);
    }
    arena_free(arena);
}

struct ruleset *rules_folder_compile(const char *dir, const struct bundle *bundle,
                                     struct diags *diags)
{
    size_t from = diags->count;
    struct ruleset *set = ruleset_compile(bundle, NULL, diags);

    rules_folder_name_files(dir, diags, from);
    return set;
}

struct ruleset *rules_folder_check(const char *dir, const struct bundle *bundle,
                                   struct diags *diags)
{
    size_t from = diags->count;
    struct ruleset *set = ruleset_check(bundle, NULL, diags);

    rules_folder_name_files(dir, diags, from);
    return set;
}
