#include <stdio.h>
#include <stdlib.h>

#include "core/json.h"
#include "rules/moment/ruleset.h"

#define BUNDLE_FORMAT "attent-rules/1"

static int compare_files(const void *a, const void *b)
{
    return str_compare(((const struct bundle_file *)a)->name,
                       ((const struct bundle_file *)b)->name);
}

void bundle_sort(struct bundle *bundle)
{
    if (bundle->count > 1)
        qsort(bundle->files, bundle->count, sizeof *bundle->files, compare_files);
}

void bundle_write(const struct bundle *bundle, struct buf *out)
{
    struct json_writer w = json_writer_to(out);

    json_open(&w, '{');
    json_key(&w, "format");
    json_str(&w, STR(BUNDLE_FORMAT));
    json_key(&w, "files");
    json_open(&w, '[');
    for (size_t i = 0; i < bundle->count; i++) {
        json_open(&w, '{');
        json_key(&w, "name");
        json_str(&w, bundle->files[i].name);
        json_key(&w, "text");
        json_str(&w, bundle->files[i].text);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_close(&w, '}');
}

struct hash128 bundle_hash(const struct bundle *bundle)
{
    struct buf out = {0};
    struct hash128 hash;

    bundle_write(bundle, &out);
    hash = hash128_bytes(buf_str(&out), (struct hash128){0, 0});
    buf_free(&out);
    return hash;
}

bool bundle_is_note(struct str file)
{
    return str_is(file, BUNDLE_ZONE_DATA) || str_is(file, BUNDLE_SEMANTICS);
}

struct str bundle_file_text(const struct bundle *bundle, struct str file)
{
    for (size_t i = 0; i < bundle->count; i++)
        if (str_equal(bundle->files[i].name, file))
            return bundle->files[i].text;
    return STR_EMPTY;
}

enum err_code bundle_check_semantics(const struct bundle *bundle, struct err *err)
{
    struct str theirs = bundle_file_text(bundle, STR(BUNDLE_SEMANTICS));
    char text[24];

    snprintf(text, sizeof text, "%.*s", STR_ARG(theirs));
    if (theirs.len == 0 || (text[0] >= '1' && text[0] <= '9' &&
                            strtol(text, NULL, 10) <= strtol(RULES_SEMANTICS, NULL, 10)))
        return ERR_NONE;
    return err_set(err, ERR_STATE,
                   "a newer attent put these rules in force: they need semantics %s, this one "
                   "speaks " RULES_SEMANTICS "; update it",
                   text);
}

static bool read_file(struct value v, struct bundle_file *file)
{
    struct value name, text;

    if (v.kind != VALUE_MAP)
        return false;
    name = value_map_get(v, STR("name"));
    text = value_map_get(v, STR("text"));
    if (name.kind != VALUE_STRING || text.kind != VALUE_STRING)
        return false;
    file->name = value_str(name);
    file->text = value_str(text);
    return file->name.len != 0;
}

bool bundle_read(struct str text, struct arena *arena, struct bundle *out, struct err *err)
{
    struct value v, format, files;

    *out = (struct bundle){0};
    if (json_parse(text, arena, &v, err) != JSON_FINE) {
        err_prefix(err, "bundle of rules");
        return false;
    }
    format = v.kind == VALUE_MAP ? value_map_get(v, STR("format")) : VALUE_NONE;
    files = v.kind == VALUE_MAP ? value_map_get(v, STR("files")) : VALUE_NONE;
    if (format.kind != VALUE_STRING || !str_is(value_str(format), BUNDLE_FORMAT) ||
        files.kind != VALUE_LIST) {
        err_set(err, ERR_PARSE, "this is no bundle of rules of format " BUNDLE_FORMAT);
        return false;
    }
    out->files = ARENA_ARRAY(arena, struct bundle_file, files.n);
    for (; out->count < files.n; out->count++) {
        struct bundle_file *file = &out->files[out->count];
        if (read_file(files.list[out->count], file) &&
            (out->count == 0 || str_compare(file[-1].name, file->name) < 0))
            continue;
        err_set(err, ERR_PARSE, "file %zu of the bundle of rules is broken or out of order",
                out->count + 1);
        return false;
    }
    return true;
}
