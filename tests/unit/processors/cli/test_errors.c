/* Every code of core/diag.def by its example in tests/moments: what CODE.bad.yaml gives is word for
 * word CODE.bad.txt, and CODE.good.yaml gives nothing.  UPDATE_FIXTURES=1 writes the reports anew.
 *
 * An example is one file, or several: a line `--- # NAME` begins the file NAME of the folder.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/file.h"
#include "processors/cli/config.h"
#include "processors/cli/test_file.h"
#include "rules/moment/schema_change.h"
#include "tests/support/suite.h"

#define FOLDER "tests/moments"
#define BEFORE "before/" /* a file as it was when the rules were activated last */
enum { FILES_MAX = 128, OWN_MAX = 8 };

struct example {
    struct arena *arena;
    struct bundle_file own[OWN_MAX]; /* what the example says */
    size_t own_count;
    struct bundle_file files[FILES_MAX]; /* with what lies beside it */
    struct bundle bundle;
};

static struct str file_text(struct arena *arena, const char *path)
{
    struct str text;
    struct err err = {0};

    ck_assert_msg(file_read(path, arena, &text, &err) == ERR_NONE, "%s", err.text);
    return text;
}

/* --- files ---------------------------------------------------------------------------------------- */

static void add_own(struct example *e, struct str name, struct str text)
{
    ck_assert_uint_lt(e->own_count, OWN_MAX);
    e->own[e->own_count++] = (struct bundle_file){arena_str(e->arena, name), text};
}

/* The name of a fixture without `--- #` says which file it is. */
static struct str default_name(struct example *e, struct str code)
{
    if (str_starts(code, STR("facts")))
        return STR("facts.yaml");
    if (str_starts(code, STR("policy")))
        return STR("policy.yaml");
    if (str_starts(code, STR("sources")))
        return STR("sources.yaml");
    if (str_starts(code, STR("identity")))
        return STR("identity.yaml");
    return arena_format(e->arena, "moments/%.*s.yaml", STR_ARG(code));
}

static void cut_files(struct example *e, struct str code, struct str text)
{
    const struct str mark = STR("--- # ");
    struct str name = default_name(e, code), line, rest = text;
    const char *begin = text.data;

    while (rest.len != 0) {
        const char *at = rest.data;
        if (!str_cut(rest, '\n', &line, &rest)) {
            line = rest;
            rest = STR_EMPTY;
        }
        if (!str_starts(line, mark))
            continue;
        if (at != begin)
            add_own(e, name, (struct str){begin, (size_t)(at - begin)});
        name = str_slice(line, mark.len, line.len);
        begin = rest.data;
    }
    add_own(e, name, (struct str){begin, (size_t)(text.data + text.len - begin)});
}

static bool is_own(const struct example *e, struct str name)
{
    for (size_t i = 0; i < e->own_count; i++)
        if (str_equal(e->own[i].name, name))
            return true;
    return false;
}

static bool is_of_bundle(struct str name)
{
    return !str_is(name, "attent.yaml") && !str_ends(name, STR("_test.yaml")) &&
           !str_starts(name, STR(BEFORE));
}

static void add(struct example *e, struct str name, struct str text)
{
    size_t at = e->bundle.count++;

    ck_assert_uint_lt(at, FILES_MAX);
    for (; at > 0 && str_compare(e->files[at - 1].name, name) > 0; at--)
        e->files[at] = e->files[at - 1];
    e->files[at] = (struct bundle_file){name, text};
}

/* The example's files, and beside them the schemas of the project and what is in base/. */
static void make_bundle(struct example *e)
{
    static const char *const base[] = {"facts.yaml", "policy.yaml"};
    struct str *paths;
    size_t count;

    e->bundle = (struct bundle){.files = e->files};
    ck_assert_int_eq(file_list("schemas/events", ".json", e->arena, &paths, &count, NULL),
                     ERR_NONE);
    for (size_t i = 0; i < count; i++)
        if (!is_own(e, paths[i]))
            add(e, paths[i], file_text(e->arena, paths[i].data));
    for (size_t i = 0; i < 2; i++)
        if (!is_own(e, str_of(base[i])))
            add(e, str_of(base[i]),
                file_text(e->arena, arena_format(e->arena, FOLDER "/base/%s", base[i]).data));
    for (size_t i = 0; i < e->own_count; i++)
        if (is_of_bundle(e->own[i].name))
            add(e, e->own[i].name, e->own[i].text);
}

/* The same bundle with the files as they were. */
static bool make_before(struct example *e, struct bundle *before)
{
    bool any = false;

    before->files = arena_copy(e->arena, e->files, sizeof e->files);
    before->count = e->bundle.count;
    for (size_t i = 0; i < e->own_count; i++) {
        struct str name = str_slice(e->own[i].name, strlen(BEFORE), e->own[i].name.len);
        if (!str_starts(e->own[i].name, STR(BEFORE)))
            continue;
        any = true;
        for (size_t k = 0; k < before->count; k++)
            if (str_equal(before->files[k].name, name))
                before->files[k].text = e->own[i].text;
    }
    return any;
}

/* --- findings ------------------------------------------------------------------------------------- */

static void check_others(struct example *e, struct diags *diags)
{
    struct test_file test;

    for (size_t i = 0; i < e->own_count; i++) {
        const struct bundle_file *file = &e->own[i];
        if (str_is(file->name, "attent.yaml"))
            conf_read(config_table(), file->text, file->name.data, NULL, 0, e->arena, diags);
        else if (str_ends(file->name, STR("_test.yaml")))
            test_file_read(file->text, file->name.data, e->arena, &test, diags);
    }
}

/* What is said of the example's own files. */
static struct str report(struct arena *arena, struct str code, const char *path)
{
    struct example *e = ARENA_NEW(arena, struct example);
    struct diags diags = {0};
    struct ruleset *set;
    struct bundle before;
    struct buf out = {0};
    struct str text;

    e->arena = arena;
    cut_files(e, code, file_text(arena, path));
    make_bundle(e);
    set = ruleset_check(&e->bundle, NULL, &diags);
    if (make_before(e, &before))
        ruleset_compare_schemas(&before, &e->bundle, set, &diags);
    ruleset_free(set);
    check_others(e, &diags);
    diags_sort(&diags);
    for (size_t i = 0; i < diags.count; i++) {
        const char *file = diags.items[i].place.file;
        struct str source = STR_EMPTY;
        if (file != NULL && !is_own(e, str_of(file)))
            continue;
        for (size_t k = 0; file != NULL && k < e->own_count; k++)
            if (str_is(e->own[k].name, file))
                source = e->own[k].text;
        diag_print(&out, &diags.items[i], source);
    }
    text = arena_str(arena, buf_str(&out));
    buf_free(&out);
    diags_free(&diags);
    return text;
}

/* 1 if it is not what stands beside it. */
static size_t check_bad(struct arena *arena, struct str code)
{
    const char *path = arena_format(arena, FOLDER "/%.*s.bad.yaml", STR_ARG(code)).data;
    const char *beside = arena_format(arena, FOLDER "/%.*s.bad.txt", STR_ARG(code)).data;
    struct str found = report(arena, code, path), expected = STR_EMPTY;

    if (getenv("UPDATE_FIXTURES") != NULL)
        file_write(beside, found, NULL);
    file_read(beside, arena, &expected, NULL);
    if (found.len != 0 && str_equal(found, expected))
        return 0;
    fprintf(stderr, "--- %s says now:\n%.*s", beside, STR_ARG(found));
    return 1;
}

static size_t check_good(struct arena *arena, struct str code)
{
    const char *path = arena_format(arena, FOLDER "/%.*s.good.yaml", STR_ARG(code)).data;
    struct str found = report(arena, code, path);

    if (found.len == 0)
        return 0;
    fprintf(stderr, "--- %s is not good:\n%.*s", path, STR_ARG(found));
    return 1;
}

static void check_all(const char *suffix, size_t least,
                      size_t (*check)(struct arena *arena, struct str code))
{
    struct arena *arena = arena_new(0);
    struct str *paths;
    size_t count, wrong = 0;

    ck_assert_int_eq(file_list(FOLDER, suffix, arena, &paths, &count, NULL), ERR_NONE);
    ck_assert_uint_ge(count, least);
    for (size_t i = 0; i < count; i++)
        wrong += check(arena, arena_str(arena, str_slice(paths[i], strlen(FOLDER "/"),
                                                         paths[i].len - strlen(suffix))));
    ck_assert_uint_eq(wrong, 0);
    arena_free(arena);
}

START_TEST(bad_files_are_told_what_to_write)
{
    check_all(".bad.yaml", 75, check_bad);
}
END_TEST

START_TEST(good_files_have_no_finding)
{
    check_all(".good.yaml", 60, check_good);
}
END_TEST

START_TEST(every_code_has_an_example_of_wrong_and_of_right)
{
    struct arena *arena = arena_new(0);
    size_t missing = 0;

    for (const struct diag_code *row = diag_codes; row->code != NULL; row++) {
        struct str head = arena_format(arena, FOLDER "/%s", row->code), said;
        struct str told = arena_format(arena, "[%s]: ", row->code);
        bool there = file_exists(arena_format(arena, "%s.good.yaml", head.data).data) &&
                     file_read(arena_format(arena, "%s.bad.txt", head.data).data, arena, &said,
                               NULL) == ERR_NONE &&
                     strstr(said.data, told.data) != NULL;
        if (!there)
            fprintf(stderr, "no example of [%s]\n", row->code);
        missing += there ? 0 : 1;
    }
    ck_assert_uint_eq(missing, 0);
    arena_free(arena);
}
END_TEST

/* "FILE:LINE:COLUMN: ", the line, the caret below it, and what to write. */
static bool is_whole(struct str block, const char **missing)
{
    struct str head, rest, place;

    *missing = "the line";
    if (!str_cut(block, '\n', &head, &rest) || !str_cut(head, '[', &place, &head))
        return false;
    if (!str_ends(place, STR(": error")) && !str_ends(place, STR(": warning")))
        return false;
    *missing = "the place";
    if (!str_cut(place, ':', &head, &rest) || rest.len == 0 || rest.data[0] < '1' ||
        rest.data[0] > '9')
        return false;
    *missing = "the caret";
    if (!str_contains(block, STR(" ^\n")))
        return false;
    *missing = "help";
    return str_contains(block, STR("\n    help: "));
}

static size_t check_blocks(struct arena *arena, const char *path)
{
    struct str text = file_text(arena, path), line, rest = text;
    const char *begin = text.data, *missing;
    size_t wrong = 0;

    while (rest.len != 0) {
        const char *end;
        if (!str_cut(rest, '\n', &line, &rest))
            break;
        end = line.data + line.len + 1;
        if (rest.len != 0 && (rest.data[0] == ' ' || rest.data[0] == '\n'))
            continue; /* the block goes on */
        if (!is_whole((struct str){begin, (size_t)(end - begin)}, &missing)) {
            fprintf(stderr, "%s misses %s:\n%.*s", path, missing, (int)(end - begin), begin);
            wrong++;
        }
        begin = end;
    }
    return wrong;
}

/* A file that nobody reads has no line to show. */
START_TEST(every_finding_has_a_place_a_caret_and_what_to_write)
{
    struct arena *arena = arena_new(0);
    struct str *paths;
    size_t count, wrong = 0;

    ck_assert_int_eq(file_list(FOLDER, ".bad.txt", arena, &paths, &count, NULL), ERR_NONE);
    for (size_t i = 0; i < count; i++)
        wrong += check_blocks(arena, paths[i].data);
    ck_assert_uint_eq(wrong, 0);
    arena_free(arena);
}
END_TEST

SUITE_MAIN("errors", every_finding_has_a_place_a_caret_and_what_to_write,
           bad_files_are_told_what_to_write, good_files_have_no_finding,
           every_code_has_an_example_of_wrong_and_of_right)
