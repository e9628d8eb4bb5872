#include "processors/cli/test_proof.h"

#include "core/file.h"
#include "processors/cli/rules_folder.h"

/* --- with only some moments ------------------------------------------------------------------------- */

static bool stays(const struct test_case *c, struct str file)
{
    struct str name;

    if (!str_starts(file, STR("moments/")))
        return true;
    name = str_slice(file, strlen("moments/"), file.len - strlen(".yaml"));
    for (size_t i = 0; i < c->only_count; i++)
        if (str_equal(c->only[i], name))
            return true;
    return false;
}

struct ruleset *test_case_set(const char *dir, const struct bundle *bundle,
                              const struct ruleset *set, const struct test_case *c,
                              struct arena *arena, struct diags *diags)
{
    struct bundle some = {.files = ARENA_ARRAY(arena, struct bundle_file, bundle->count)};
    size_t errors = diags->error_count;

    for (size_t i = 0; i < c->only_count; i++)
        if (ruleset_find_moment(set, c->only[i]) < 0)
            diag_add(diags, DIAG_ERROR, c->place, "test", NULL, "only: there is no moment %.*s",
                     STR_ARG(c->only[i]));
    for (size_t i = 0; i < bundle->count; i++)
        if (stays(c, bundle->files[i].name))
            some.files[some.count++] = bundle->files[i];
    return diags->error_count == errors ? rules_folder_compile(dir, &some, diags) : NULL;
}

/* --- proof ------------------------------------------------------------------------------------------- */

struct proof {
    const char *dir;
    const struct bundle *bundle;
    const struct ruleset *set;
    struct arena *arena;
    struct diags *diags;
    bool *speaks, *silent; /* by moment: a passing case shows it */
};

static bool spoke(const struct test_story *story, struct str moment)
{
    for (const struct came *came = story->came; came != NULL; came = came->next)
        if (came->kind == EXPECT_TASK && str_equal(came->moment, moment))
            return true;
    return false;
}

static void prove_case(struct proof *p, size_t moment, const struct test_case *c)
{
    struct arena *arena = arena_new(0);
    struct ruleset *own = NULL;
    struct test_story story;
    enum test_verdict verdict = TEST_WRONG;

    if (c->only_count != 0)
        own = test_case_set(p->dir, p->bundle, p->set, c, arena, p->diags);
    if (c->only_count == 0 || own != NULL)
        verdict = test_run_case(own != NULL ? own : p->set, c, NULL, arena, &story, p->diags);
    if (verdict == TEST_PASSED && spoke(&story, p->set->moments[moment].name))
        p->speaks[moment] = true;
    else if (verdict == TEST_PASSED)
        p->silent[moment] = true;
    else if (verdict == TEST_FAILED && c->todo.len == 0)
        diag_add(p->diags, DIAG_ERROR, c->place, "test", "attent test shows what came",
                 "the case fails: %.*s", STR_ARG(c->name));
    ruleset_free(own);
    arena_free(arena);
}

static enum err_code prove_file(struct proof *p, const char *path, struct err *err)
{
    struct test_file file = {0};
    struct str text;
    enum err_code code = file_read(path, p->arena, &text, err);
    int moment;

    if (code != ERR_NONE || !test_file_read(text, path, p->arena, &file, p->diags))
        return code;
    moment = ruleset_find_moment(p->set, file.moment);
    if (moment < 0)
        diag_add(p->diags, DIAG_ERROR, file.place, "test", NULL, "there is no moment %.*s",
                 STR_ARG(file.moment));
    for (size_t i = 0; moment >= 0 && i < file.case_count; i++)
        prove_case(p, (size_t)moment, &file.cases[i]);
    return ERR_NONE;
}

static void find_unproved(struct proof *p)
{
    for (size_t i = 0; i < p->set->moment_count; i++) {
        struct str name = p->set->moments[i].name;
        struct str file = arena_format(p->arena, "moments/%.*s.yaml", STR_ARG(name));
        struct place place = {rules_folder_path(p->dir, file, p->arena).data, 1, 1};

        if (!p->speaks[i])
            diag_add(p->diags, DIAG_ERROR, place, "test",
                     "write a case that expects a task; attent test --timeline draws it",
                     "no passing case shows %.*s speaking", STR_ARG(name));
        if (!p->silent[i])
            diag_add(p->diags, DIAG_ERROR, place, "test",
                     "write a case in which it must not speak, with expect: [] or the silence",
                     "no passing case shows %.*s silent", STR_ARG(name));
    }
}

enum err_code test_prove(const char *dir, const struct bundle *bundle, const struct ruleset *set,
                         struct diags *diags, struct err *err)
{
    struct arena *arena = arena_new(0);
    struct proof p = {.dir = dir, .bundle = bundle, .set = set, .arena = arena, .diags = diags};
    struct str *paths;
    size_t count;
    enum err_code code = rules_folder_tests(dir, arena, &paths, &count, err);

    p.speaks = ARENA_ARRAY(arena, bool, set->moment_count);
    p.silent = ARENA_ARRAY(arena, bool, set->moment_count);
    for (size_t i = 0; code == ERR_NONE && i < count; i++)
        code = prove_file(&p, paths[i].data, err);
    if (code == ERR_NONE)
        find_unproved(&p);
    arena_free(arena);
    return code;
}
