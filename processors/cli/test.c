/* attent test: the rule tests of a folder, or single files.
 *
 *   ok    rules/moments/brake-pads_test.yaml  5 cases
 *   FAIL  rules/moments/missed-payment_test.yaml  1 of 4 cases
 *     paid in time
 *       line 21: expected, did not come: ...
 *
 * A rule set is compiled once per folder, and once more for each case that has `only:`.
 */
#include <stdio.h>

#include "core/check.h"
#include "core/file.h"
#include "core/mem.h"
#include "processors/cli/cli.h"
#include "processors/cli/rules_folder.h"
#include "processors/cli/test_run.h"

struct tester {
    struct arena *arena; /* of the command */
    bool json, verbose;
    const char *moment; /* --moment, NULL: all */
    const char *dir;    /* of the rule set, NULL: none yet */
    struct bundle bundle;
    struct ruleset *set; /* NULL: it cannot be compiled */
    size_t files, files_failed, cases, cases_failed;
};

struct counts { /* of a file */
    size_t cases, failed;
};

/* --- rule sets ----------------------------------------------------------------------------------- */

static bool print_diags(struct diags *diags, struct str source)
{
    struct buf out = {0};
    bool errors = diags->error_count != 0;

    diags_sort(diags);
    for (size_t i = 0; i < diags->count; i++)
        if (diags->items[i].level == DIAG_ERROR)
            diag_print(&out, &diags->items[i], source);
    fwrite(out.data != NULL ? out.data : "", 1, out.len, stderr);
    buf_free(&out);
    diags_free(diags);
    *diags = (struct diags){0};
    return errors;
}

/* Make the tester's rule set that of a folder.  An exit code, EXIT_FINE if it is there. */
static int use_folder(struct tester *s, const char *dir)
{
    struct diags diags = {0};
    struct err err;

    if (s->dir != NULL && strcmp(s->dir, dir) == 0)
        return s->set != NULL ? EXIT_FINE : EXIT_FINDINGS;
    ruleset_free(s->set);
    s->set = NULL;
    s->dir = dir;
    if (rules_folder_read(dir, s->arena, &s->bundle, &err) != ERR_NONE)
        return cli_fail(&err);
    s->set = rules_folder_compile(dir, &s->bundle, &diags);
    print_diags(&diags, STR_EMPTY);
    return s->set != NULL ? EXIT_FINE : EXIT_FINDINGS;
}

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

/* The bundle without the moments that `only:` leaves out.  NULL: diags say why. */
static struct ruleset *set_of_case(const struct tester *s, const struct test_case *c,
                                   struct arena *arena, struct diags *diags)
{
    struct bundle some = {.files = ARENA_ARRAY(arena, struct bundle_file, s->bundle.count)};

    for (size_t i = 0; i < c->only_count; i++)
        if (ruleset_find_moment(s->set, c->only[i]) < 0)
            diag_add(diags, DIAG_ERROR, c->place, "test", NULL, "only: there is no moment %.*s",
                     STR_ARG(c->only[i]));
    for (size_t i = 0; i < s->bundle.count; i++)
        if (stays(c, s->bundle.files[i].name))
            some.files[some.count++] = s->bundle.files[i];
    return diags->error_count == 0 ? rules_folder_compile(s->dir, &some, diags) : NULL;
}

/* --- printing ------------------------------------------------------------------------------------ */

static const char *verdict_word(enum test_verdict verdict)
{
    switch (verdict) {
    case TEST_PASSED: return "passed";
    case TEST_FAILED: return "failed";
    case TEST_WRONG: return "wrong";
    }
    CHECK_NEVER("a verdict of no kind");
}

static void print_json(const char *path, const struct test_case *c, enum test_verdict verdict,
                       struct str report)
{
    struct buf out = {0};
    struct json_writer w = json_writer_to(&out);

    json_open(&w, '{');
    json_key(&w, "file");
    json_str(&w, str_of(path));
    json_key(&w, "line");
    json_int(&w, c->place.line);
    json_key(&w, "case");
    json_str(&w, c->name);
    json_key(&w, "verdict");
    json_str(&w, str_of(verdict_word(verdict)));
    json_key(&w, "report");
    json_str(&w, report);
    json_close(&w, '}');
    printf("%s\n", buf_text(&out));
    buf_free(&out);
}

static void print_file(const struct tester *s, const char *path, const struct counts *counts,
                       struct str reports)
{
    const char *plural = counts->cases == 1 ? "" : "s";

    if (s->json)
        return;
    if (counts->failed == 0)
        printf("ok    %s  %zu case%s\n", path, counts->cases, plural);
    else
        printf("FAIL  %s  %zu of %zu case%s\n", path, counts->failed, counts->cases, plural);
    fwrite(reports.data != NULL ? reports.data : "", 1, reports.len, stdout);
}

static void print_summary(const struct tester *s)
{
    if (s->json)
        return;
    if (s->files == 0)
        printf("no tests\n");
    else if (s->files_failed == 0)
        printf("%zu cases in %zu files, all passed\n", s->cases, s->files);
    else
        printf("%zu of %zu cases failed, in %zu of %zu files\n", s->cases_failed, s->cases,
               s->files_failed, s->files);
}

/* --- running ------------------------------------------------------------------------------------- */

static enum test_verdict run_case(const struct tester *s, const struct test_case *c,
                                  struct buf *report, struct diags *diags)
{
    struct arena *arena = arena_new(0);
    struct ruleset *own = NULL;
    enum test_verdict verdict = TEST_WRONG;

    if (c->only_count != 0)
        own = set_of_case(s, c, arena, diags);
    if (c->only_count == 0 || own != NULL)
        verdict = test_run_case(own != NULL ? own : s->set, c, s->verbose, arena, report, diags);
    ruleset_free(own);
    arena_free(arena);
    return verdict;
}

static void run_cases(const struct tester *s, const char *path, struct str text,
                      const struct test_file *file, struct counts *counts, struct buf *reports)
{
    for (size_t i = 0; i < file->case_count; i++) {
        struct diags diags = {0};
        struct buf report = {0};
        enum test_verdict verdict = run_case(s, &file->cases[i], &report, &diags);

        print_diags(&diags, text);
        counts->cases++;
        counts->failed += verdict != TEST_PASSED ? 1 : 0;
        if (s->json)
            print_json(path, &file->cases[i], verdict, buf_str(&report));
        else if (verdict != TEST_PASSED || s->verbose)
            buf_put_format(reports, "  %s: %.*s\n", verdict_word(verdict),
                           STR_ARG(file->cases[i].name));
        buf_put(reports, buf_str(&report));
        buf_free(&report);
    }
}

static bool is_asked_for(const struct tester *s, const struct test_file *file)
{
    return s->moment == NULL || str_is(file->moment, s->moment);
}

static void count_file(struct tester *s, const struct counts *counts, bool readable)
{
    s->files++;
    s->files_failed += !readable || counts->failed != 0 ? 1 : 0;
    s->cases += counts->cases;
    s->cases_failed += counts->failed;
}

/* An exit code: EXIT_FINE unless the file cannot be opened. */
static int run_file(struct tester *s, const char *path)
{
    struct arena *arena = arena_new(0);
    struct diags diags = {0};
    struct counts counts = {0};
    struct buf reports = {0};
    struct test_file file;
    struct err err;
    struct str text;
    bool readable;

    if (file_read(path, arena, &text, &err) != ERR_NONE) {
        arena_free(arena);
        return cli_fail(&err);
    }
    readable = test_file_read(text, path, arena, &file, &diags);
    if (readable && ruleset_find_moment(s->set, file.moment) < 0) {
        diag_add(&diags, DIAG_ERROR, file.place, "test", NULL, "there is no moment %.*s",
                 STR_ARG(file.moment));
        readable = false;
    }
    if (is_asked_for(s, &file)) {
        print_diags(&diags, text);
        if (readable) {
            run_cases(s, path, text, &file, &counts, &reports);
            print_file(s, path, &counts, buf_str(&reports));
        }
        count_file(s, &counts, readable);
    }
    diags_free(&diags);
    buf_free(&reports);
    arena_free(arena);
    return EXIT_FINE;
}

/* --- arguments ----------------------------------------------------------------------------------- */

static int run_folder(struct tester *s, const char *dir)
{
    struct str *paths;
    struct err err;
    size_t count;
    int code = use_folder(s, dir);

    if (code != EXIT_FINE)
        return code;
    if (rules_folder_tests(dir, s->arena, &paths, &count, &err) != ERR_NONE)
        return cli_fail(&err);
    for (size_t i = 0; i < count && code == EXIT_FINE; i++)
        code = run_file(s, paths[i].data);
    return code;
}

static struct str parent(struct str path)
{
    while (path.len > 0 && path.data[path.len - 1] != '/')
        path.len--;
    return path.len > 1 ? str_slice(path, 0, path.len - 1) : path;
}

/* The rules folder of a test: the one above moments/. */
static const char *folder_of(struct tester *s, const char *path)
{
    struct str dir = parent(str_of(path));

    if (str_is(dir, "moments"))
        dir = STR_EMPTY;
    else if (str_ends(dir, STR("/moments")))
        dir = parent(dir);
    return dir.len != 0 ? arena_str(s->arena, dir).data : ".";
}

static int run_argument(struct tester *s, const char *path)
{
    int code;

    if (file_is_folder(path))
        return run_folder(s, path);
    if (!file_exists(path)) {
        struct err err;
        err_set(&err, ERR_IO, "%s: there is no such file or folder", path);
        return cli_fail(&err);
    }
    code = use_folder(s, folder_of(s, path));
    return code == EXIT_FINE ? run_file(s, path) : code;
}

static int no_such_moment(const char *moment)
{
    struct err err;

    err_set(&err, ERR_USAGE,
            "there are no tests of a moment \"%s\"; `attent list moments` lists all", moment);
    return cli_fail(&err);
}

int verb_test(int argc, char **argv)
{
    struct tester s = {.arena = arena_new(0)};
    struct options options;
    int code = EXIT_FINE;

    if (!cli_parse("test", argc, argv, 0, SIZE_MAX, s.arena, &options)) {
        arena_free(s.arena);
        return EXIT_USAGE;
    }
    s.json = options_has(&options, "json");
    s.verbose = options_has(&options, "verbose");
    s.moment = options_value(&options, "moment");
    if (options.argument_count == 0)
        code = run_argument(&s, "rules");
    for (size_t i = 0; i < options.argument_count && code == EXIT_FINE; i++)
        code = run_argument(&s, options.arguments[i]);
    if (code == EXIT_FINE && s.moment != NULL && s.files == 0)
        code = no_such_moment(s.moment);
    if (code == EXIT_FINE) {
        print_summary(&s);
        code = s.files_failed != 0 ? EXIT_FINDINGS : EXIT_FINE;
    }
    ruleset_free(s.set);
    arena_free(s.arena);
    return code;
}
