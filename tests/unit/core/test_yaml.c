#include "core/yaml.h"

#include <stdio.h>

#include "core/limit.h"
#include "tests/support/suite.h"

static struct arena *arena;
static struct diags diags;

static const struct yaml_node *read(const char *text)
{
    if (arena == NULL)
        arena = arena_new(0);
    diags_free(&diags);
    return yaml_read(str_of(text), "x.yaml", arena, &diags);
}

static const struct yaml_node *at(const struct yaml_node *map, const char *key)
{
    const struct yaml_node *node = yaml_get(map, str_of(key));

    ck_assert_msg(node != NULL, "no key %s", key);
    return node;
}

static void refuses(const char *text, int line, int column, const char *code, const char *what)
{
    ck_assert_msg(read(text) == NULL, "was read: %s", text);
    ck_assert_uint_ge(diags.count, 1);
    ck_assert_str_eq(diags.items[0].code, code);
    ck_assert_msg(strstr(diags.items[0].what, what) != NULL, "%s", diags.items[0].what);
    ck_assert_int_eq(diags.items[0].place.line, line);
    ck_assert_int_eq(diags.items[0].place.column, column);
}

START_TEST(only_true_and_false_are_booleans)
{
    const struct yaml_node *map = read("a: NO\nb: true\nc: \"true\"\nd: off\ne: y\nf: False\n");

    ck_assert_int_eq(at(map, "a")->kind, YAML_STRING);
    ck_assert(str_is(at(map, "a")->text, "NO"));
    ck_assert_int_eq(at(map, "b")->kind, YAML_BOOL);
    ck_assert(at(map, "b")->boolean);
    ck_assert_int_eq(at(map, "c")->kind, YAML_STRING);
    ck_assert_int_eq(at(map, "d")->kind, YAML_STRING);
    ck_assert_int_eq(at(map, "e")->kind, YAML_STRING);
    ck_assert_int_eq(at(map, "f")->kind, YAML_BOOL);
    ck_assert(!at(map, "f")->boolean);
}
END_TEST

START_TEST(numbers_follow_the_core_schema)
{
    static const struct {
        const char *text;
        enum yaml_kind kind;
        double number;
    } cases[] = {
        {"0", YAML_INT, 0},
        {"-17", YAML_INT, -17},
        {"+5", YAML_INT, 5},
        {"017", YAML_INT, 17},
        {"0o17", YAML_INT, 15},
        {"0xFf", YAML_INT, 255},
        {"3.0", YAML_FLOAT, 3},
        {".5", YAML_FLOAT, 0.5},
        {"3.", YAML_FLOAT, 3},
        {"1e3", YAML_FLOAT, 1000},
        {"-1.5E-1", YAML_FLOAT, -.15},
        {"1e", YAML_STRING, 0},
        {"08-18", YAML_STRING, 0},
        {"1_000", YAML_STRING, 0},
        {"14d", YAML_STRING, 0},
        {"12:30:45", YAML_STRING, 0},
        {"0x", YAML_STRING, 0},
        {"-", YAML_LIST, 0},
        {"~", YAML_NULL, 0},
        {"null", YAML_NULL, 0},
        {"", YAML_NULL, 0},
        {"2026-03-02", YAML_STRING, 0},
        {"-0x5", YAML_STRING, 0},
        {".", YAML_STRING, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct yaml_node *node = read(cases[i].text);
        ck_assert_msg(node != NULL && node->kind == cases[i].kind, "%s", cases[i].text);
        if (node->kind == YAML_INT || node->kind == YAML_FLOAT)
            ck_assert_double_eq_tol(node->number, cases[i].number, 1e-12);
    }
}
END_TEST

START_TEST(keys_keep_their_order_and_places)
{
    const struct yaml_node *map = read("b: 1\na:\n  - x\n  - {y: 2}\n");

    ck_assert_uint_eq(map->count, 2);
    ck_assert(str_is(map->keys[0]->text, "b"));
    ck_assert_int_eq(map->keys[1]->place.line, 2);
    ck_assert_int_eq(at(map, "a")->items[1]->place.line, 4);
    ck_assert_int_eq(at(at(map, "a")->items[1], "y")->place.column, 9);
    ck_assert_str_eq(map->place.file, "x.yaml");
}
END_TEST

START_TEST(what_is_no_plain_document_is_refused_with_its_place)
{
    refuses("a: 1\nb: 2\na: 3\n", 3, 1, "duplicate-key", "line 1");
    refuses("a: 1\n'a': 3\n", 2, 1, "duplicate-key", "twice");
    refuses("if: !customer.asleep\n", 1, 5, "yaml-tag", "begins with ! needs quotes");
    refuses("if: ! x\n", 1, 5, "yaml-tag", "begins with ! needs quotes");
    refuses("if: &a ! x\n", 1, 8, "yaml-tag", "begins with ! needs quotes");
    refuses("a: !!str 5\n", 1, 4, "yaml-tag", "begins with ! needs quotes");
    refuses("a: !x {}\n", 1, 4, "yaml-tag", "begins with ! needs quotes");
    refuses("if: a == \"b\": c\n", 1, 13, "yaml", "a second colon in this line");
    refuses("a:\n\t- b\n", 2, 1, "yaml", "cannot begin");
    refuses("a: 1\n---\nb: 2\n", 2, 1, "yaml", "a second file begins here");
    refuses("a: *b\n", 1, 4, "yaml", "* at the beginning means something else");
    refuses("a: &b [*b]\n", 1, 8, "yaml", "repeats itself");
    refuses("{a: b}: c\n", 1, 1, "yaml", "a key has to be a word");
    refuses("a: \"x\n", 2, 1, "yaml", "the file ends inside a text in quotes");
    refuses("a: [b\nc: d\n", 2, 2, "yaml", "a list that begins with [ is not closed");
    refuses("a: {b: c\n", 2, 1, "yaml", "keys that begin with { are not closed");
    refuses("a:\n  - b\n c: d\n", 3, 2, "yaml", "does not fit to those above it");
    refuses("a: b\nc\n", 3, 1, "yaml", "a key without a colon");
    refuses("a: \"b\\q\"\n", 1, 6, "yaml", "a backslash");
    refuses("a: \xff\n", 1, 4, "yaml", "cannot be read");
    refuses("id: 12345678901234567890\n", 1, 5, "yaml", "too long");
}
END_TEST

START_TEST(an_alias_is_the_node_itself)
{
    const struct yaml_node *map = read("a: &x [1, 2]\nb: *x\n");

    ck_assert_ptr_eq(at(map, "a"), at(map, "b"));
}
END_TEST

START_TEST(aliases_of_aliases_are_limited)
{
    struct buf text = {0};

    buf_put_text(&text, "a0: &a0 [x]\n");
    for (int i = 1; i < 30; i++)
        buf_put_format(&text, "a%d: &a%d [*a%d, *a%d]\n", i, i, i - 1, i - 1);
    ck_assert_ptr_null(read(buf_text(&text)));
    ck_assert_str_eq(diags.items[0].what,
                     "the file has more than 100000 entries, 147455 up to here");
    buf_free(&text);
}
END_TEST

START_TEST(nesting_is_limited)
{
    struct buf text = {0};

    for (int i = 0; i < LIMIT_YAML_DEPTH; i++)
        buf_put_char(&text, '[');
    for (int i = 0; i < LIMIT_YAML_DEPTH; i++)
        buf_put_char(&text, ']');
    ck_assert_ptr_nonnull(read(buf_text(&text)));
    buf_clear(&text);
    for (int i = 0; i < 10000; i++)
        buf_put_char(&text, '[');
    ck_assert_ptr_null(read(buf_text(&text)));
    buf_free(&text);
}
END_TEST

/* In each document the place of @ in the text of `k` is where @ stands in the file. */
START_TEST(a_place_in_a_text_is_found_in_every_style)
{
    static const char *const documents[] = {
        "k: one @ two\n",
        "k: one\n  two  three\n    @ four\n",
        "k: 'it''s  @ here'\n",
        "k: 'it''s\n\n  a ''@'' here'\n",
        "k: \"a \\\" \\u00e9 \\x41 \\n\\t\\\\ @ b\"\n",
        "k: \"folded \\\n   \\  over\n   @\"\n",
        "k: |\n  one\n    two\n  x @\n",
        "a: [1]\nk: |+2 # comment\n    \n\n  one @\n\n",
        "k: >-\n  one\n  two\n\n  three @ four\n",
        "\xef\xbb\xbf# \xc3\xa9\xc3\xa9\nk: \"\xc3\xa9\xc3\xa9 \xe2\x82\xac @\"\n",
        "l: [a, {k: b @ c}]\n",
        "k: &anchor one @\n",
        "k: |\r\n  one\r\n  @\r\n",
    };

    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        const struct yaml_node *root = read(documents[i]), *k;
        const char *found = strchr(documents[i], '@'), *begin = found;
        int line = 1, column = 1;
        struct place place;
        ck_assert_msg(root != NULL, "%zu", i);
        k = yaml_get(root, STR("l")) != NULL ? at(at(root, "l")->items[1], "k") : at(root, "k");
        for (const char *c = documents[i]; c < found; c++)
            line += *c == '\n';
        while (begin > documents[i] && begin[-1] != '\n')
            begin--;
        for (; begin < found; begin++)
            column += (*begin & 0xc0) != 0x80;
        place = yaml_place(k, (size_t)(strchr(k->text.data, '@') - k->text.data));
        ck_assert_msg(place.line == line && place.column == column, "%zu: %d:%d, wants %d:%d", i,
                      place.line, place.column, line, column);
    }
}
END_TEST

START_TEST(the_end_of_a_text_has_a_place_too)
{
    const struct yaml_node *k = at(read("k: 'ab c'\n"), "k");

    ck_assert_int_eq(yaml_place(k, 4).column, 9);
    ck_assert_int_eq(yaml_place(k, 400).column, 9);
    ck_assert_int_eq(yaml_place(k, 0).column, 5);
    k = at(read("k: ''\n"), "k");
    ck_assert_int_eq(yaml_place(k, 0).column, 4);
}
END_TEST

START_TEST(a_tree_becomes_a_value)
{
    const struct yaml_node *root = read("b: [1, 2.5, NO, true, ~]\na: {c: d}\n");
    struct value v = yaml_value(root, arena), list;

    ck_assert_int_eq(v.kind, VALUE_MAP);
    list = value_map_get(v, STR("b"));
    ck_assert_uint_eq(list.n, 5);
    ck_assert_int_eq(list.list[0].i, 1);
    ck_assert_double_eq(list.list[1].d, 2.5);
    ck_assert_int_eq(list.list[2].kind, VALUE_STRING);
    ck_assert_int_eq(list.list[4].kind, VALUE_NULL);
    ck_assert(str_is(value_str(value_map_get(value_map_get(v, STR("a")), STR("c"))), "d"));
}
END_TEST

SUITE_MAIN("yaml", only_true_and_false_are_booleans, numbers_follow_the_core_schema,
           keys_keep_their_order_and_places, what_is_no_plain_document_is_refused_with_its_place,
           an_alias_is_the_node_itself, aliases_of_aliases_are_limited, nesting_is_limited,
           a_place_in_a_text_is_found_in_every_style, the_end_of_a_text_has_a_place_too,
           a_tree_becomes_a_value)
