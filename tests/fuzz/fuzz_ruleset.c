/* The compiler on any bytes.  A bundle as JSON is compiled as it is; anything else is cut at lines
 * "@NAME" into the files of a bundle, so that the fuzzer gets inside YAML and conditions early. */
#include "core/check.h"
#include "rules/moment/explain.h"

enum { FILES_MAX = 16 };

static const struct bundle_file schemas[] = {
    {{"schemas/events/a.json", 21},
     STR("{\"type\":\"object\",\"properties\":{\"vin\":{\"type\":\"string\"},\"n\":{\"type\":"
         "\"number\"},\"i\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":9},"
         "\"k\":{\"type\":\"string\",\"enum\":[\"red\",\"blue\"]},\"o\":{\"type\":\"object\",\"properties\":"
         "{\"x\":{\"type\":\"string\"}}}}}")},
    {{"schemas/events/b.json", 21},
     STR("{\"type\":\"object\",\"properties\":{\"vin\":{\"type\":\"string\"},\"n\":{\"type\":"
         "\"string\"},\"at\":{\"type\":\"string\",\"format\":\"date-time\"}}}")},
};

static void add(struct bundle *bundle, struct str name, struct str text)
{
    size_t at = bundle->count;

    for (size_t i = 0; i < bundle->count; i++)
        if (str_equal(bundle->files[i].name, name))
            return;
    if (bundle->count == FILES_MAX)
        return;
    for (; at > 0 && str_compare(bundle->files[at - 1].name, name) > 0; at--)
        bundle->files[at] = bundle->files[at - 1];
    bundle->files[at] = (struct bundle_file){name, text};
    bundle->count++;
}

static void cut(struct str text, struct bundle *bundle)
{
    struct str line, rest = text, name = STR_EMPTY;
    const char *from = text.data;

    for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++)
        add(bundle, schemas[i].name, schemas[i].text);
    while (str_cut(rest, '\n', &line, &rest)) {
        if (!str_starts(line, STR("@")))
            continue;
        if (name.len != 0)
            add(bundle, name, (struct str){from, (size_t)(line.data - from)});
        name = str_slice(line, 1, line.len);
        from = rest.data;
    }
    if (name.len != 0)
        add(bundle, name, (struct str){from, (size_t)(text.data + text.len - from)});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct str text = {(const char *)data, bytes};
    struct arena *arena = arena_new(0);
    struct bundle_file files[FILES_MAX];
    struct bundle bundle = {.files = files};
    struct diags diags = {0};
    struct buf out = {0};
    struct ruleset *set;

    if (!bundle_read(text, arena, &bundle, NULL)) {
        bundle = (struct bundle){.files = files};
        cut(text, &bundle);
    }
    set = ruleset_check(&bundle, "rules", &diags);
    CHECK(set != NULL || diags.error_count != 0);
    diags_sort(&diags);
    for (size_t i = 0; i < diags.count; i++)
        diag_print(&out, &diags.items[i], text);
    for (size_t i = 0; set != NULL && i < set->moment_count; i++)
        moment_explain(&out, set, &set->moments[i], true);
    ruleset_free(set);
    buf_free(&out);
    diags_free(&diags);
    arena_free(arena);
    return 0;
}
