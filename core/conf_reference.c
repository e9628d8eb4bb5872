/* The table as a Markdown page. */
#include "core/conf_tree.h"

/* | would end a cell. */
static void put_cell(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '|')
            buf_put_char(out, '\\');
        buf_put_char(out, text.data[i]);
    }
}

static void put_row(struct buf *out, const struct conf_field *field)
{
    struct buf wanted = {0};

    conf_put_wanted(&wanted, field);
    buf_put_format(out, "| `%s` | ", field->path);
    put_cell(out, buf_str(&wanted));
    buf_put_text(out, " | ");
    if (field->fallback == NULL)
        buf_put_text(out, "required");
    else if (field->fallback[0] != '\0')
        buf_put_format(out, "`%s`", field->fallback);
    buf_put_text(out, " | ");
    put_cell(out, str_of(field->doc));
    buf_put_text(out, field->secret ? "  Masked when shown. |\n" : " |\n");
    buf_free(&wanted);
}

static void put_head(struct buf *out)
{
    buf_put_text(out, "| key | takes | default | meaning |\n|---|---|---|---|\n");
}

static void put_fields(struct buf *out, const struct conf_field *fields)
{
    put_head(out);
    for (; fields->path != NULL; fields++)
        put_row(out, fields);
}

static void put_items(struct buf *out, const struct conf_field *items)
{
    const struct conf_variants *variants = items->variants;

    buf_put_format(out, "\n## Each of `%s`\n\n", items->path);
    put_fields(out, items->fields);
    for (size_t i = 0; variants != NULL && variants->list[i].name != NULL; i++) {
        buf_put_format(out, "\n### With `%s: %s`\n\n", variants->by, variants->list[i].name);
        if (conf_own_fields(items, &variants->list[i])->path != NULL)
            put_fields(out, conf_own_fields(items, &variants->list[i]));
        else
            buf_put_text(out, "No keys of its own.\n");
    }
}

void conf_print_reference(struct buf *out, const struct conf_field *table)
{
    put_fields(out, table);
    for (const struct conf_field *f = table; f->path != NULL; f++)
        if (f->kind == CONF_ITEMS)
            put_items(out, f);
}
