/* The parser alone, on any text: it makes a tree or says why not, of all that is wrong, each at a
 * place inside the text; and whatever tree it makes is within the limits that later walks need. */
#include "core/limit.h"
#include "rules/cel/parse.h"

static void check_heights(const struct cel_node *node)
{
    if (node->height > LIMIT_CEL_HEIGHT)
        __builtin_trap();
    for (size_t i = 0; i < node->count; i++) {
        if (node->items[i]->height >= node->height)
            __builtin_trap();
        check_heights(node->items[i]);
    }
}

/* Lines and columns count from 1, and a column is at most one behind the last character. */
static void check_place(struct str text, struct place place)
{
    struct str line, rest = text;
    int columns = 1;

    for (int i = 1; i < place.line; i++)
        if (!str_cut(rest, '\n', &line, &rest))
            __builtin_trap();
    if (!str_cut(rest, '\n', &line, &rest))
        line = rest;
    for (size_t i = 0; i < line.len; i++)
        columns += ((unsigned char)line.data[i] & 0xc0) != 0x80;
    if (place.column < 1 || place.column > columns)
        __builtin_trap();
}

static void parse(struct str text, struct cel_env env)
{
    struct arena *arena = arena_new(0);
    struct diags diags = {0};
    struct cel_source source = {.text = text, .place = {NULL, 1, 1}, .diags = &diags};
    const struct cel_node *root = cel_parse(&source, &env, arena);
    struct buf out = {0};

    if (root == NULL && diags.error_count == 0)
        __builtin_trap(); /* refused, but nobody is told why */
    if (source.error_count != diags.error_count)
        __builtin_trap();
    if (root != NULL && diags.error_count == 0)
        check_heights(root);
    for (size_t i = 0; i < diags.count; i++) {
        check_place(text, diags.items[i].place);
        diag_print(&out, &diags.items[i], text);
    }
    buf_free(&out);
    diags_free(&diags);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};

    if (size > LIMIT_CEL_BYTES || !str_is_utf8(text))
        return 0; /* cel_compile refuses it before */
    parse(text, (struct cel_env){0});
    parse(text, (struct cel_env){.own_functions = true, .mixed_numbers = true});
    parse(text, (struct cel_env){.no_macros = true});
    return 0;
}
