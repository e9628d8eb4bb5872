/* tests/cel: expressions and what they give, mistakes and what is said of them, as YAML.
 *
 *   language: moment              only where it is; otherwise strict CEL
 *   gives: {EXPRESSION: RESULT}   as in a list: texts in quotes; an error may be its beginning
 *   mistakes: {EXPRESSION: FINDING or list of findings}
 */
#include <check.h>

#include "core/file.h"
#include "core/yaml.h"
#include "tests/support/cel_table.h"
#include "tests/support/suite.h"

enum { MISTAKES_MIN = 40 };

static size_t mistake_count, given_count;

static const char *text_of(struct arena *arena, const struct yaml_node *scalar)
{
    ck_assert_msg(scalar->kind == YAML_STRING, "%s:%d: a text in quotes is needed",
                  scalar->place.file, scalar->place.line);
    return arena_str(arena, scalar->text).data;
}

/* One finding, or several joined as table_check_findings has them. */
static const char *findings_of(struct arena *arena, const struct yaml_node *node)
{
    struct buf all = {0};
    const char *text;

    if (node->kind != YAML_LIST)
        return text_of(arena, node);
    for (size_t i = 0; i < node->count; i++)
        buf_put_format(&all, "%s%s", i != 0 ? " | " : "", text_of(arena, node->items[i]));
    text = arena_str(arena, buf_str(&all)).data;
    buf_free(&all);
    return text;
}

static void check_file(const char *path, struct arena *arena)
{
    struct diags diags = {0};
    struct str text;
    const struct yaml_node *root, *gives, *mistakes;
    enum table_mode mode;

    ck_assert_int_eq(file_read(path, arena, &text, NULL), ERR_NONE);
    root = yaml_read(text, path, arena, &diags);
    ck_assert_msg(root != NULL, "%s: %s", path, diags.count != 0 ? diags.items[0].what : "");
    gives = yaml_get(root, STR("gives"));
    mistakes = yaml_get(root, STR("mistakes"));
    mode = yaml_get(root, STR("language")) != NULL ? TABLE_MOMENT : TABLE_STRICT;
    ck_assert_uint_eq(root->count, (size_t)(gives != NULL) + (size_t)(mistakes != NULL) +
                                       (size_t)(mode == TABLE_MOMENT));
    for (size_t i = 0; gives != NULL && i < gives->count; i++, given_count++) {
        struct table_case one = {text_of(arena, gives->keys[i]), text_of(arena, gives->items[i])};
        table_check(mode, &one, 1);
    }
    for (size_t i = 0; mistakes != NULL && i < mistakes->count; i++, mistake_count++) {
        struct finding_case one = {text_of(arena, mistakes->keys[i]),
                                   findings_of(arena, mistakes->items[i])};
        table_check_findings(mode, &one, 1);
    }
    diags_free(&diags);
}

START_TEST(every_file_says_what_is_so)
{
    struct arena *arena = arena_new(0);
    struct str *paths;
    size_t count;

    ck_assert_int_eq(file_list("tests/cel", ".yaml", arena, &paths, &count, NULL), ERR_NONE);
    ck_assert_uint_gt(count, 0);
    for (size_t i = 0; i < count; i++)
        check_file(arena_str(arena, paths[i]).data, arena);
    ck_assert_uint_ge(mistake_count, MISTAKES_MIN);
    ck_assert_uint_gt(given_count, 0);
    arena_free(arena);
}
END_TEST

SUITE_MAIN("cel files", every_file_says_what_is_so)
