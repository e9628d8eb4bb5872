/* Findings as other programs read them. */
#include "core/file.h"
#include "core/json.h"
#include "processors/cli/findings.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"

static struct value member(struct value map, const char *path)
{
    struct str rest = str_of(path), name;

    while (rest.len != 0) {
        if (!str_cut(rest, '.', &name, &rest)) {
            name = rest;
            rest = STR_EMPTY;
        }
        if (map.kind == VALUE_LIST) {
            ck_assert_msg(map.n != 0, "%s: an empty list", path);
            map = map.list[0];
        }
        ck_assert_msg(map.kind == VALUE_MAP, "%s: no object before %.*s", path, STR_ARG(name));
        map = value_map_get(map, name);
    }
    return map;
}

static void check_text(struct value map, const char *path, const char *expected)
{
    struct value v = member(map, path);

    ck_assert_msg(v.kind == VALUE_STRING, "%s is no text", path);
    ck_assert_msg(str_is(value_str(v), expected), "%s is %.*s", path, STR_ARG(value_str(v)));
}

static struct value parse(struct buf *out, struct arena *arena)
{
    struct value v;
    struct err err = {0};

    ck_assert_msg(json_parse(buf_str(out), arena, &v, &err) == JSON_FINE, "%s", err.text);
    return v;
}

static void add_two(struct diags *diags)
{
    diag_add(diags, DIAG_ERROR, (struct place){"my rules/x.yaml", 7, 9}, "unknown-field",
             "write weight_kg", "vehicle.registered has no field \"wieght_kg\"");
    diag_add(diags, DIAG_WARNING, (struct place){"y.yaml", 0, 0}, "unknown-file", NULL,
             "nothing reads this file");
}

/* What SARIF 2.1.0 demands of a log, a run, a tool, a rule, a result and a location. */
START_TEST(sarif_has_the_shape_that_its_schema_demands)
{
    struct arena *arena = arena_new(0);
    struct diags diags = {0};
    struct buf out = {0};
    struct value log, rules, results, second;

    add_two(&diags);
    findings_put_sarif(&out, &diags);
    log = parse(&out, arena);
    check_text(log, "version", "2.1.0");
    check_text(log, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    check_text(log, "runs.tool.driver.name", "attent");
    check_text(log, "runs.columnKind", "unicodeCodePoints");
    rules = member(log, "runs.tool.driver.rules");
    results = member(log, "runs.results");
    ck_assert_uint_eq(results.n, 2);
    check_text(results, "ruleId", "unknown-field");
    check_text(results, "level", "error");
    check_text(results, "message.text",
               "vehicle.registered has no field \"wieght_kg\"\nhelp: write weight_kg");
    check_text(results, "locations.physicalLocation.artifactLocation.uri", "my%20rules/x.yaml");
    ck_assert_int_eq(member(results, "locations.physicalLocation.region.startLine").i, 7);
    ck_assert_int_eq(member(results, "locations.physicalLocation.region.startColumn").i, 9);
    second = results.list[1];
    check_text(second, "level", "warning");
    ck_assert_int_eq(member(second, "locations.physicalLocation.region").kind, VALUE_ABSENT);
    for (size_t i = 0; i < results.n; i++) {
        struct value index = member(results.list[i], "ruleIndex");
        ck_assert(index.kind == VALUE_INT && index.i >= 0 && index.i < (int64_t)rules.n);
        ck_assert(value_same(member(rules.list[index.i], "id"), member(results.list[i], "ruleId")));
    }
    buf_free(&out);
    diags_free(&diags);
    arena_free(arena);
}
END_TEST

START_TEST(every_code_is_a_rule_with_a_title_and_a_text)
{
    struct arena *arena = arena_new(0);
    struct diags diags = {0};
    struct buf out = {0};
    struct value rules;
    size_t codes = 0;

    findings_put_sarif(&out, &diags);
    rules = member(parse(&out, arena), "runs.tool.driver.rules");
    for (const struct diag_code *row = diag_codes; row->code != NULL; row++, codes++) {
        check_text(rules.list[codes], "id", row->code);
        check_text(rules.list[codes], "shortDescription.text", row->title);
        check_text(rules.list[codes], "fullDescription.text", row->text);
        check_text(rules.list[codes], "defaultConfiguration.level",
                   row->severity == SEVERITY_ERROR ? "error" : "warning");
        ck_assert_ptr_eq(diag_code_find(row->code), row); /* no code twice */
    }
    ck_assert_uint_eq(rules.n, codes);
    buf_free(&out);
    arena_free(arena);
}
END_TEST

START_TEST(json_is_an_object_a_line)
{
    struct arena *arena = arena_new(0);
    struct diags diags = {0};
    struct buf out = {0}, line = {0};
    struct str first, rest;
    struct value v;

    add_two(&diags);
    findings_put_json(&out, &diags);
    ck_assert(str_cut(buf_str(&out), '\n', &first, &rest));
    buf_put(&line, first);
    v = parse(&line, arena);
    check_text(v, "code", "unknown-field");
    check_text(v, "help", "write weight_kg");
    ck_assert_int_eq(member(v, "line").i, 7);
    ck_assert_uint_ne(rest.len, 0);
    buf_free(&line);
    buf_free(&out);
    diags_free(&diags);
    arena_free(arena);
}
END_TEST

START_TEST(people_see_the_line_of_the_file)
{
    const char *dir = scratch_dir();
    struct arena *arena = arena_new(0);
    struct str path = arena_format(arena, "%s/x.yaml", dir);
    struct diags diags = {0};
    struct buf out = {0};

    ck_assert_int_eq(file_write(path.data, STR("moment: x\ntier: cares\n"), NULL), ERR_NONE);
    diag_add(&diags, DIAG_ERROR, (struct place){path.data, 2, 7}, "unknown-tier", NULL, "no tier");
    diag_add(&diags, DIAG_ERROR, (struct place){"not/there.yaml", 2, 7}, "unknown-tier", NULL,
             "no");
    findings_put(&out, &diags);
    ck_assert_ptr_nonnull(strstr(buf_text(&out), "    tier: cares\n          ^\n"));
    ck_assert_ptr_nonnull(strstr(buf_text(&out), "not/there.yaml:2:7: error[unknown-tier]: no\n"));
    buf_free(&out);
    diags_free(&diags);
    arena_free(arena);
}
END_TEST

SUITE_MAIN("findings", sarif_has_the_shape_that_its_schema_demands,
           every_code_is_a_rule_with_a_title_and_a_text, json_is_an_object_a_line,
           people_see_the_line_of_the_file)
