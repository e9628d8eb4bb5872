/* attent test: the rule tests of a folder, or single files.
 *
 *   ok    rules/moments/brake-pads_test.yaml  5 cases
 *   FAIL  rules/moments/missed-payment_test.yaml  1 of 4 cases
 *     failed: paid in time
 *       line 21: expected, did not come: ...
 *
 * A round reads and runs everything once; --watch does one after each save.  A rule set is compiled
 * once per folder and round, and once more for each case that has `only:`.
 */
#include <stdio.h>

#include "core/check.h"
#include "core/file.h"
#include "core/regex.h"
#include "processors/cli/cli.h"
#include "processors/cli/rules_folder.h"
#include "processors/cli/screen.h"
#include "processors/cli/test_coverage.h"
#include "processors/cli/test_junit.h"
#include "processors/cli/test_proof.h"
#include "processors/cli/test_show.h"
#include "processors/cli/test_timeline.h"
#include "processors/cli/watch.h"

/* A case's name is short; this many tries are plenty for any pattern that a person writes. */
enum { RUN_STEPS_MAX = 100 * 1000 };

struct counts {
    size_t cases, failed, todo, fixed; /* fixed: of todo, those that pass; not in `todo` */
    size_t skipped;                    /* not chosen by --run */
};

struct settings { /* of the command line */
    bool json, verbose, timeline, coverage, colours;
    const char *moment;      /* --moment, NULL: all */
    const struct regex *run; /* --run, NULL: all */
    const char *junit;       /* file, NULL: none */
};

struct tester { /* of a round */
    const struct settings *settings;
    struct arena *arena;
    const char *dir; /* of the rule set, NULL: none yet */
    struct bundle bundle;
    struct ruleset *set; /* NULL: it cannot be compiled */
    struct coverage *coverage;
    struct junit junit;
    struct counts counts;
    size_t files, files_failed;
};

/* --- rule sets ----------------------------------------------------------------------------------- */

/* Print the errors to standard error, and keep them in out if it is not NULL.  Empties diags. */
static bool print_diags(struct diags *diags, struct str source, struct buf *out)
{
    struct buf text = {0};
    bool errors = diags->error_count != 0;

    diags_sort(diags);
    for (size_t i = 0; i < diags->count; i++)
        if (diags->items[i].level == DIAG_ERROR)
            diag_print(&text, &diags->items[i], source);
    fputs(buf_text(&text), stderr);
    if (out != NULL)
        buf_put(out, buf_str(&text));
    buf_free(&text);
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
    print_diags(&diags, STR_EMPTY, NULL);
    if (s->set == NULL)
        return EXIT_FINDINGS;
    if (s->coverage != NULL)
        coverage_use(s->coverage, dir, s->set, &s->bundle);
    return EXIT_FINE;
}

/* --- printing ------------------------------------------------------------------------------------ */

/* What a case comes to, for people and machines. */
enum ending { ENDING_PASSED, ENDING_FAILED, ENDING_WRONG, ENDING_TODO, ENDING_FIXED };

static const struct {
    const char *word;
    enum screen_tone tone;
} endings[] = {
    [ENDING_PASSED] = {"passed", TONE_TASK}, [ENDING_FAILED] = {"failed", TONE_BAD},
    [ENDING_WRONG] = {"wrong", TONE_BAD}, /* it cannot be run */
    [ENDING_TODO] = {"todo", TONE_SILENCE},  [ENDING_FIXED] = {"passes, todo can go", TONE_SILENCE},
};

static enum ending ending_of(const struct test_case *c, enum test_verdict verdict)
{
    switch (verdict) {
    case TEST_PASSED: return c->todo.len != 0 ? ENDING_FIXED : ENDING_PASSED;
    case TEST_FAILED: return c->todo.len != 0 ? ENDING_TODO : ENDING_FAILED;
    case TEST_WRONG: return ENDING_WRONG;
    }
    CHECK_NEVER("a verdict of no kind");
}

static void print_json(const char *path, const struct test_case *c, enum ending ending,
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
    json_str(&w, ending == ENDING_FIXED ? STR("passed") : str_of(endings[ending].word));
    if (c->todo.len != 0) {
        json_key(&w, "todo");
        json_str(&w, c->todo);
    }
    json_key(&w, "report");
    json_str(&w, report);
    json_close(&w, '}');
    printf("%s\n", buf_text(&out));
    buf_free(&out);
}

static void print_file(const struct tester *s, const char *path, const struct counts *counts,
                       struct str reports)
{
    bool failed = counts->failed != 0, colours = s->settings->colours;
    struct buf out = {0};

    if (s->settings->json || (counts->cases == 0 && counts->skipped != 0))
        return;
    screen_paint(&out, colours, failed ? TONE_BAD : TONE_TASK, failed ? "FAIL" : "ok  ");
    buf_put_format(&out, "  %s  ", path);
    if (failed)
        buf_put_format(&out, "%zu of ", counts->failed);
    buf_put_format(&out, "%zu case%s", counts->cases, counts->cases == 1 ? "" : "s");
    if (counts->todo != 0)
        buf_put_format(&out, ", %zu todo", counts->todo);
    buf_put_char(&out, '\n');
    fputs(buf_text(&out), stdout);
    fwrite(reports.data != NULL ? reports.data : "", 1, reports.len, stdout);
    buf_free(&out);
}

#define PLURAL(count) ((count) == 1 ? "" : "s")

static void print_summary(const struct tester *s)
{
    const struct counts *counts = &s->counts;

    if (s->settings->json)
        return;
    if (s->files == 0)
        printf("no tests\n");
    else if (s->files_failed != 0)
        printf("%zu of %zu case%s failed, in %zu of %zu file%s", counts->failed, counts->cases,
               PLURAL(counts->cases), s->files_failed, s->files, PLURAL(s->files));
    else if (counts->todo != 0)
        printf("%zu case%s in %zu file%s: %zu passed, %zu todo", counts->cases,
               PLURAL(counts->cases), s->files, PLURAL(s->files), counts->cases - counts->todo,
               counts->todo);
    else
        printf("%zu case%s in %zu file%s, all passed", counts->cases, PLURAL(counts->cases),
               s->files, PLURAL(s->files));
    if (s->files != 0) {
        if (counts->fixed != 0)
            printf("; %zu marked todo pass%s", counts->fixed, counts->fixed == 1 ? "es" : "");
        if (counts->skipped != 0)
            printf("; %zu not chosen", counts->skipped);
        printf("\n");
    }
    fflush(stdout);
}

static void print_coverage(const struct tester *s)
{
    struct buf out = {0};

    if (s->coverage == NULL)
        return;
    if (s->settings->json)
        coverage_put_json(s->coverage, &out);
    else
        coverage_put(s->coverage, &out, s->settings->colours);
    fputs(buf_text(&out), stdout);
    buf_free(&out);
}

/* --- a case -------------------------------------------------------------------------------------- */

struct playing { /* a file whose cases run */
    struct tester *tester;
    const char *path;
    struct str text;
    const struct test_file *file;
    struct counts counts;
    struct buf reports; /* of the cases, for people */
};

static bool is_chosen(const struct playing *p, const struct test_case *c, struct arena *arena)
{
    const struct regex *run = p->tester->settings->run;
    struct str name = arena_format(arena, "%.*s: %.*s", STR_ARG(p->file->moment), STR_ARG(c->name));

    return run == NULL || regex_search(run, name, RUN_STEPS_MAX) == REGEX_YES;
}

static enum test_verdict run_rules(const struct tester *s, const struct test_case *c,
                                   struct arena *arena, struct ruleset **own,
                                   struct test_story *result, struct diags *diags)
{
    enum test_verdict verdict;

    *own = c->only_count != 0 ? test_case_set(s->dir, &s->bundle, s->set, c, arena, diags) : NULL;
    if (c->only_count != 0 && *own == NULL)
        return TEST_WRONG;
    if (s->coverage != NULL)
        coverage_bind(s->coverage, *own != NULL ? *own : s->set);
    verdict = test_run_case(*own != NULL ? *own : s->set, c, s->coverage, arena, result, diags);
    return verdict;
}

/* The lines of a case under its file's, and its report. */
static void put_case(struct playing *p, const struct test_story *result, enum ending ending,
                     struct buf *report)
{
    const struct settings *settings = p->tester->settings;
    const struct test_case *c = result->c;
    bool shown = ending == ENDING_FAILED || settings->verbose;

    if (ending != ENDING_WRONG && shown)
        test_show(report, result, p->file->moment, settings->verbose, settings->colours);
    if (!shown && ending == ENDING_PASSED && !settings->timeline)
        return;
    buf_put_text(&p->reports, "  ");
    screen_paint(&p->reports, settings->colours, endings[ending].tone, "%s:", endings[ending].word);
    buf_put_format(&p->reports, " %.*s", STR_ARG(c->name));
    if (c->todo.len != 0)
        buf_put_format(&p->reports, " (%.*s)", STR_ARG(c->todo));
    buf_put_char(&p->reports, '\n');
    if (ending == ENDING_WRONG)
        return; /* its findings have been printed */
    if (settings->timeline)
        test_timeline(&p->reports, result, settings->colours);
    buf_put(&p->reports, buf_str(report));
}

static void count_case(struct counts *counts, enum ending ending)
{
    counts->cases++;
    counts->failed += ending == ENDING_FAILED || ending == ENDING_WRONG ? 1 : 0;
    counts->todo += ending == ENDING_TODO ? 1 : 0;
    counts->fixed += ending == ENDING_FIXED ? 1 : 0;
}

static void run_case(struct playing *p, const struct test_case *c)
{
    struct tester *s = p->tester;
    struct arena *arena = arena_new(0);
    struct test_story result = {.c = c};
    struct ruleset *own = NULL;
    struct diags diags = {0};
    struct buf report = {0};

    if (!is_chosen(p, c, arena)) {
        p->counts.skipped++;
    } else {
        enum test_verdict verdict = run_rules(s, c, arena, &own, &result, &diags);
        enum ending ending = ending_of(c, verdict);

        print_diags(&diags, p->text, ending == ENDING_WRONG ? &report : NULL);
        count_case(&p->counts, ending);
        put_case(p, &result, ending, &report);
        if (s->settings->json)
            print_json(p->path, c, ending, buf_str(&report));
        if (s->settings->junit != NULL)
            junit_case(&s->junit, p->file->moment, c, verdict, buf_str(&report));
    }
    diags_free(&diags);
    buf_free(&report);
    ruleset_free(own);
    arena_free(arena);
}

/* --- a file -------------------------------------------------------------------------------------- */

static bool is_asked_for(const struct tester *s, const struct test_file *file)
{
    return s->settings->moment == NULL || str_is(file->moment, s->settings->moment);
}

static void count_file(struct tester *s, const struct counts *counts, bool readable)
{
    s->files++;
    s->files_failed += !readable || counts->failed != 0 ? 1 : 0;
    s->counts.cases += counts->cases;
    s->counts.failed += counts->failed;
    s->counts.todo += counts->todo;
    s->counts.fixed += counts->fixed;
    s->counts.skipped += counts->skipped;
}

static void run_readable(struct tester *s, const char *path, struct str text,
                         const struct test_file *file, bool readable, struct diags *diags)
{
    struct playing p = {.tester = s, .path = path, .text = text, .file = file};
    struct buf findings = {0};

    print_diags(diags, text, &findings);
    for (size_t i = 0; readable && i < file->case_count; i++)
        run_case(&p, &file->cases[i]);
    if (readable)
        print_file(s, path, &p.counts, buf_str(&p.reports));
    if (s->settings->junit != NULL)
        junit_suite(&s->junit, path, readable, buf_str(&findings));
    count_file(s, &p.counts, readable);
    buf_free(&findings);
    buf_free(&p.reports);
}

/* only: it was named, and not its folder.  An exit code: EXIT_FINE unless the file cannot be opened. */
static int run_file(struct tester *s, const char *path, bool only)
{
    struct arena *arena = arena_new(0);
    struct diags diags = {0};
    struct test_file file = {0};
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
    if (only && readable && s->coverage != NULL)
        coverage_only(s->coverage, file.moment);
    if (is_asked_for(s, &file))
        run_readable(s, path, text, &file, readable, &diags);
    diags_free(&diags);
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
        code = run_file(s, paths[i].data, false);
    return code;
}

static struct str parent(struct str path)
{
    while (path.len > 0 && path.data[path.len - 1] != '/')
        path.len--;
    return path.len > 1 ? str_slice(path, 0, path.len - 1) : path;
}

/* The rules folder of an argument: itself, or of a test the one above moments/. */
static const char *folder_of(struct arena *arena, const char *path)
{
    struct str dir = parent(str_of(path));

    if (file_is_folder(path))
        return path;
    if (str_is(dir, "moments"))
        dir = STR_EMPTY;
    else if (str_ends(dir, STR("/moments")))
        dir = parent(dir);
    return dir.len != 0 ? arena_str(arena, dir).data : ".";
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
    code = use_folder(s, folder_of(s->arena, path));
    return code == EXIT_FINE ? run_file(s, path, true) : code;
}

static int no_such_moment(const char *moment)
{
    struct err err;

    err_set(&err, ERR_USAGE,
            "there are no tests of a moment \"%s\"; `attent list moments` lists all", moment);
    return cli_fail(&err);
}

/* --- rounds -------------------------------------------------------------------------------------- */

static int end_round(struct tester *s, int code)
{
    struct err err;

    if (code == EXIT_FINE && s->settings->moment != NULL && s->files == 0)
        code = no_such_moment(s->settings->moment);
    if (code == EXIT_FINE) {
        print_summary(s);
        print_coverage(s);
        code = s->files_failed != 0 ? EXIT_FINDINGS : EXIT_FINE;
    }
    if (s->settings->junit != NULL && code <= EXIT_FINDINGS &&
        junit_write(&s->junit, s->settings->junit, &err) != ERR_NONE)
        code = cli_fail(&err);
    return code;
}

/* Everything once.  An exit code. */
static int run_round(const struct settings *settings, const struct options *options)
{
    struct tester s = {.settings = settings, .arena = arena_new(0)};
    int code = EXIT_FINE;

    s.coverage = settings->coverage ? coverage_new() : NULL;
    if (options->argument_count == 0)
        code = run_argument(&s, "rules");
    for (size_t i = 0; i < options->argument_count && code == EXIT_FINE; i++)
        code = run_argument(&s, options->arguments[i]);
    code = end_round(&s, code);
    junit_free(&s.junit);
    coverage_free(s.coverage);
    ruleset_free(s.set);
    arena_free(s.arena);
    return code;
}

static enum err_code watch_folder(struct watch *watch, const char *dir, struct arena *arena,
                                  struct err *err)
{
    struct str moments = arena_format(arena, "%s/moments", dir);
    struct str schemas = parent(rules_folder_path(dir, STR("schemas/events/x.json"), arena));
    enum err_code code = watch_add(watch, dir, err);

    if (code == ERR_NONE)
        code = watch_add(watch, moments.data, err);
    if (code == ERR_NONE)
        code = watch_add(watch, arena_str(arena, schemas).data, err);
    return code;
}

static enum err_code watch_arguments(struct watch *watch, const struct options *options,
                                     struct arena *arena, struct err *err)
{
    enum err_code code = watch_open(watch, err);

    if (code == ERR_NONE && options->argument_count == 0)
        code = watch_folder(watch, "rules", arena, err);
    for (size_t i = 0; code == ERR_NONE && i < options->argument_count; i++)
        code = watch_folder(watch, folder_of(arena, options->arguments[i]), arena, err);
    return code;
}

/* A round after each save, until Ctrl-C.  The code of the last. */
static int run_watching(const struct settings *settings, const struct options *options,
                        struct arena *arena)
{
    const volatile sig_atomic_t *stop = cli_catch_signals();
    struct watch watch;
    struct err err;
    int code;

    if (watch_arguments(&watch, options, arena, &err) != ERR_NONE) {
        watch_close(&watch);
        return cli_fail(&err);
    }
    for (;;) {
        code = run_round(settings, options);
        printf("watching; Ctrl-C ends it\n");
        fflush(stdout);
        if (!watch_wait(&watch, stop))
            break;
        printf("\n--- %s was saved\n", watch.name);
    }
    watch_close(&watch);
    return code;
}

static bool read_settings(const struct options *options, struct arena *arena, struct settings *out)
{
    const char *run = options_value(options, "run");
    struct regex *regex = NULL;
    struct err err;

    *out = (struct settings){.json = options_has(options, "json"),
                             .verbose = options_has(options, "verbose"),
                             .timeline = options_has(options, "timeline"),
                             .coverage = options_has(options, "coverage"),
                             .moment = options_value(options, "moment"),
                             .junit = options_value(options, "junit")};
    out->colours = !out->json && screen_has_colours();
    if (run != NULL && regex_compile(str_of(run), arena, &regex, &err) != ERR_NONE) {
        err_prefix(&err, "--run");
        err.code = ERR_USAGE;
        cli_fail(&err);
        return false;
    }
    out->run = regex;
    return true;
}

int verb_test(int argc, char **argv)
{
    struct arena *arena = arena_new(0);
    struct settings settings;
    struct options options;
    int code = EXIT_USAGE;

    if (!cli_parse("test", argc, argv, 0, SIZE_MAX, arena, &options) ||
        !read_settings(&options, arena, &settings))
        goto out;
    code = options_has(&options, "watch") ? run_watching(&settings, &options, arena)
                                          : run_round(&settings, &options);
out:
    arena_free(arena);
    return code;
}
