#include "processors/cli/check_tests.h"

#include <stdio.h>

#include "core/file.h"
#include "processors/cli/rules_folder.h"
#include "processors/cli/test_file.h"

struct told { /* what the tests of a moment say */
    struct str moment;
    const char *file; /* of the moment, as findings name it */
    bool tested;
    bool no_slot, outranked; /* a case expects this silence */
};

struct telling {
    const char *dir;
    struct arena *arena;
    struct told *told;
    size_t count;
};

static bool moment_of(struct str file, struct str *name)
{
    struct str folder = STR("moments/"), ending = STR(".yaml");

    if (!str_starts(file, folder) || !str_ends(file, ending) || file.len <= folder.len + ending.len)
        return false;
    *name = str_slice(file, folder.len, file.len - ending.len);
    return true;
}

static void list_moments(struct telling *t, const struct bundle *bundle)
{
    struct str name;

    t->told = ARENA_ARRAY(t->arena, struct told, bundle->count);
    for (size_t i = 0; i < bundle->count; i++)
        if (moment_of(bundle->files[i].name, &name))
            t->told[t->count++] = (struct told){
                .moment = name,
                .file = rules_folder_path(t->dir, bundle->files[i].name, t->arena).data};
}

static void hear_case(struct told *told, const struct test_case *c)
{
    for (size_t i = 0; i < c->expect_count; i++) {
        const struct test_expect *expect = &c->expects[i];
        if (expect->kind != EXPECT_SILENT)
            continue;
        told->no_slot |= str_is(expect->what, "no_slot");
        told->outranked |= str_is(expect->what, "outranked");
    }
}

static enum err_code hear_file(struct telling *t, const char *path, struct diags *diags,
                               struct err *err)
{
    struct test_file file = {0};
    struct str text;
    enum err_code code = file_read(path, t->arena, &text, err);

    if (code == ERR_NONE)
        test_file_read(text, path, t->arena, &file, diags);
    for (size_t i = 0; code == ERR_NONE && i < t->count; i++) {
        if (!str_equal(t->told[i].moment, file.moment))
            continue;
        t->told[i].tested = true; /* an empty one is a finding of its own */
        for (size_t k = 0; k < file.case_count; k++)
            hear_case(&t->told[i], &file.cases[k]);
    }
    return code;
}

/* --- findings that a case answers ------------------------------------------------------------------ */

static bool is_answered(const struct telling *t, const struct diag *diag)
{
    for (size_t i = 0; diag->place.file != NULL && i < t->count; i++) {
        const struct told *told = &t->told[i];
        if (strcmp(told->file, diag->place.file) == 0)
            return (strcmp(diag->code, "no-time") == 0 && told->no_slot) ||
                   (strcmp(diag->code, "same-moment") == 0 && told->outranked);
    }
    return false;
}

static void find_untested(const struct telling *t, struct diags *diags)
{
    for (size_t i = 0; i < t->count; i++) {
        struct place place = {t->told[i].file, 1, 1};
        char help[160];

        if (t->told[i].tested)
            continue;
        snprintf(help, sizeof help,
                 "write moments/%.*s_test.yaml: one case in which it speaks, one in which it is "
                 "silent",
                 STR_ARG(t->told[i].moment));
        diag_add(diags, DIAG_WARNING, place, "no-test", help, "%.*s has no test",
                 STR_ARG(t->told[i].moment));
    }
}

enum err_code check_tests(const char *dir, const struct bundle *bundle, bool heard,
                          struct diags *diags, struct err *err)
{
    struct telling t = {.dir = dir, .arena = arena_new(0)};
    struct diags unheard = {0};
    struct str *paths;
    size_t count;
    enum err_code code = rules_folder_tests(dir, t.arena, &paths, &count, err);

    list_moments(&t, bundle);
    for (size_t i = 0; code == ERR_NONE && i < count; i++)
        code = hear_file(&t, paths[i].data, heard ? diags : &unheard, err);
    for (size_t i = diags->count; i > 0; i--)
        if (is_answered(&t, &diags->items[i - 1]))
            diags_remove(diags, i - 1);
    if (code == ERR_NONE)
        find_untested(&t, diags);
    diags_free(&unheard);
    arena_free(t.arena);
    return code;
}
