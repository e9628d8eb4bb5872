#include "rules/cel/reference.h"

#include <string.h>

#include "rules/cel/funcs.h"
#include "rules/cel/parse.h"

static const struct cel_example examples[] = {
#define PART(title)                       {NULL, title, NULL, NULL},
#define EXAMPLE(of, expression, gives)    {of, NULL, expression, gives},
#define FORM(of, text, expression, gives) {of, text, expression, gives},
#include "rules/cel/examples.def"
#undef PART
#undef EXAMPLE
#undef FORM
};
enum { EXAMPLE_COUNT = sizeof examples / sizeof examples[0] };

static const struct limit_row {
    const char *name;
    long value;
    const char *text;
} limits[] = {
#define LIMIT(name, value, text) {#name, value, text},
#include "core/limits.def"
#undef LIMIT
};

const struct cel_example *cel_example_at(size_t index)
{
    return index < EXAMPLE_COUNT ? &examples[index] : NULL;
}

const struct cel_example *cel_example_find(const char *of, size_t number)
{
    for (size_t i = 0; i < EXAMPLE_COUNT; i++)
        if (examples[i].of != NULL && strcmp(examples[i].of, of) == 0 && number-- == 0)
            return &examples[i];
    return NULL;
}

/* --- Markdown ------------------------------------------------------------------------------------ */

/* Code in a cell of a table, where | would begin the next one. */
static void put_code(struct buf *out, const char *code)
{
    buf_put_char(out, '`');
    for (; *code != '\0'; code++) {
        if (*code == '|')
            buf_put_char(out, '\\');
        buf_put_char(out, *code);
    }
    buf_put_char(out, '`');
}

static void put_row(struct buf *out, const char *what, const char *text,
                    const struct cel_example *example)
{
    buf_put_text(out, "| ");
    put_code(out, what);
    buf_put_format(out, " | %s | ", text);
    if (example != NULL) {
        put_code(out, example->expression);
        buf_put_text(out, " is ");
        put_code(out, example->gives);
    }
    buf_put_text(out, " |\n");
}

/* All rows of a function, each beside its example. */
static void put_function(struct buf *out, size_t row)
{
    struct str name = str_of(cel_func_at(row)->name);
    const struct cel_func *func;

    for (size_t i = 0; (func = cel_func_at(row + i)) != NULL && cel_func_named(func, name); i++) {
        struct buf signature = {0};
        cel_func_print(&signature, func);
        put_row(out, buf_text(&signature), func->text, cel_example_find(func->name, i));
        buf_free(&signature);
    }
}

static void put_example(struct buf *out, const struct cel_example *example)
{
    const struct cel_macro *macro = cel_macro_used(example->of);
    size_t row = cel_func_find(str_of(example->of));

    if (example->text != NULL)
        put_row(out, example->of, example->text, example);
    else if (macro != NULL)
        put_row(out, macro->usage, macro->text, example);
    else if (row != SIZE_MAX && example == cel_example_find(example->of, 0))
        put_function(out, row);
}

static void put_limits(struct buf *out)
{
    buf_put_text(out,
                 "\n### Limits\n\nBeyond a limit is an error that says so, when compiled or when "
                 "run.\n\n| limit | of |\n|---|---|\n");
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        if (strncmp(limits[i].name, "CEL_", 4) == 0)
            buf_put_format(out, "| %ld | %s |\n", limits[i].value, limits[i].text);
}

void cel_reference_put(struct buf *out)
{
    for (size_t i = 0; i < EXAMPLE_COUNT; i++) {
        if (examples[i].of == NULL)
            buf_put_format(out, "%s### %s\n\n| form | gives | for example |\n|---|---|---|\n",
                           i > 0 ? "\n" : "", examples[i].text);
        else
            put_example(out, &examples[i]);
    }
    put_limits(out);
}
