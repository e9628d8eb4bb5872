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

void conf_print_reference(struct buf *out, const struct conf_field *table)
{
    put_head(out);
    for (const struct conf_field *f = table; f->path != NULL; f++)
        put_row(out, f);
    for (const struct conf_field *f = table; f->path != NULL; f++) {
        if (f->kind != CONF_ITEMS)
            continue;
        buf_put_format(out, "\n## Each of `%s`\n\n", f->path);
        put_head(out);
        for (const struct conf_field *item = f->fields; item->path != NULL; item++)
            put_row(out, item);
    }
}
