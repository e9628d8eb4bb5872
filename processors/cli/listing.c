#include "processors/cli/listing.h"

#include "core/json.h"
#include "core/mem.h"

enum { WIDTH_MAX = 44 };

struct str *listing_add(struct listing *t, bool below)
{
    MEM_RESERVE(t->rows, t->count, t->capacity);
    t->rows[t->count] = (struct listing_row){.below = below};
    return t->rows[t->count++].cells;
}

void listing_choose(struct listing *t, struct str name)
{
    size_t count = 0;
    bool chosen = false;

    for (size_t i = 0; i < t->count; i++) {
        if (!t->rows[i].below)
            chosen = str_contains(t->rows[i].cells[0], name);
        if (chosen)
            t->rows[count++] = t->rows[i];
    }
    t->count = count;
}

/* --- printing ----------------------------------------------------------------------------------------- */

static bool is_list(const char *column)
{
    return str_ends(str_of(column), STR("[]"));
}

/* "read_by[]" as the heading "read by" and the JSON key "read_by" */
static struct str key_of(struct listing *t, const char *column, bool heading)
{
    size_t bytes = strlen(column) - (is_list(column) ? 2 : 0);
    char *key = arena_alloc(t->arena, bytes + 1);

    for (size_t i = 0; i < bytes; i++)
        key[i] = heading && column[i] == '_' ? ' ' : column[i];
    return (struct str){key, bytes};
}

/* How wide a text is on a screen: characters, not bytes. */
static size_t width_of(struct str text)
{
    size_t width = 0;

    for (size_t i = 0; i < text.len; i++)
        width += ((unsigned char)text.data[i] & 0xc0) != 0x80 ? 1 : 0;
    return width;
}

static void measure(struct listing *t, bool below, size_t widths[LISTING_COLUMNS])
{
    const char *const *columns = below ? t->kind->below_columns : t->kind->columns;

    for (size_t k = 0; k < LISTING_COLUMNS; k++) {
        widths[k] = 0;
        for (size_t i = 0; i < t->count; i++) {
            size_t width = t->rows[i].below == below ? width_of(t->rows[i].cells[k]) : 0;
            widths[k] = width > widths[k] ? width : widths[k];
        }
        if (t->kind->headings && columns[k] != NULL && widths[k] != 0 &&
            widths[k] < strlen(columns[k]))
            widths[k] = key_of(t, columns[k], true).len;
        if (widths[k] > WIDTH_MAX && k != 0)
            widths[k] = WIDTH_MAX;
    }
}

static void put_cells(struct buf *out, const struct str cells[LISTING_COLUMNS],
                      const size_t widths[LISTING_COLUMNS], size_t indent)
{
    size_t due = 0; /* blanks before the next cell */

    buf_put_format(out, "%*s", (int)indent, "");
    for (size_t k = 0; k < LISTING_COLUMNS; k++) {
        size_t width = width_of(cells[k]);

        if (widths[k] == 0)
            continue;
        if (width != 0) {
            buf_put_format(out, "%*s%.*s", (int)due, "", STR_ARG(cells[k]));
            due = 0;
        }
        due += 2 + (width < widths[k] ? widths[k] - width : 0);
    }
    buf_put_char(out, '\n');
}

/* A row with rows below is told in a line of its own, with its lists in words. */
static void put_above(struct listing *t, struct buf *out, const struct listing_row *row, bool first)
{
    buf_put_format(out, "%s%.*s  %.*s\n", first ? "" : "\n", STR_ARG(row->cells[0]),
                   STR_ARG(row->cells[1]));
    for (size_t k = 2; k < LISTING_COLUMNS && t->kind->columns[k] != NULL; k++)
        if (row->cells[k].len != 0)
            buf_put_format(out, "  %.*s: %.*s\n", STR_ARG(key_of(t, t->kind->columns[k], true)),
                           STR_ARG(row->cells[k]));
}

static void put_headings(struct listing *t, struct buf *out, const size_t widths[LISTING_COLUMNS])
{
    struct str cells[LISTING_COLUMNS] = {{0}};

    for (size_t k = 0; k < LISTING_COLUMNS && t->kind->columns[k] != NULL; k++)
        cells[k] = key_of(t, t->kind->columns[k], true);
    put_cells(out, cells, widths, 0);
}

void listing_put(struct buf *out, struct listing *t)
{
    size_t widths[LISTING_COLUMNS], below[LISTING_COLUMNS];

    measure(t, false, widths);
    measure(t, true, below);
    if (t->kind->headings)
        put_headings(t, out, widths);
    for (size_t i = 0; i < t->count; i++) {
        if (t->rows[i].below)
            put_cells(out, t->rows[i].cells, below, 4);
        else if (t->kind->below != NULL)
            put_above(t, out, &t->rows[i], i == 0);
        else
            put_cells(out, t->rows[i].cells, widths, 0);
    }
}

static void put_json_list(struct json_writer *w, struct str items)
{
    struct str item;

    json_open(w, '[');
    while (items.len != 0) {
        if (!str_cut(items, ',', &item, &items)) {
            item = items;
            items = STR_EMPTY;
        }
        json_str(w, str_trim(item));
    }
    json_close(w, ']');
}

static void put_json_cells(struct listing *t, struct json_writer *w, const struct listing_row *row)
{
    const char *const *columns = row->below ? t->kind->below_columns : t->kind->columns;

    for (size_t k = 0; k < LISTING_COLUMNS && columns[k] != NULL; k++) {
        json_key(w, key_of(t, columns[k], false).data);
        if (is_list(columns[k]))
            put_json_list(w, row->cells[k]);
        else if (strcmp(columns[k], "example") == 0 && row->cells[k].len != 0)
            json_raw(w, row->cells[k]);
        else if (strcmp(columns[k], "required") == 0)
            json_bool(w, row->cells[k].len != 0);
        else
            json_str(w, row->cells[k]);
    }
}

void listing_put_json(struct buf *out, struct listing *t)
{
    for (size_t i = 0; i < t->count;) {
        struct json_writer w = json_writer_to(out);

        json_open(&w, '{');
        put_json_cells(t, &w, &t->rows[i++]);
        if (t->kind->below != NULL) {
            json_key(&w, t->kind->below);
            json_open(&w, '[');
            for (; i < t->count && t->rows[i].below; i++) {
                json_open(&w, '{');
                put_json_cells(t, &w, &t->rows[i]);
                json_close(&w, '}');
            }
            json_close(&w, ']');
        }
        json_close(&w, '}');
        buf_put_char(out, '\n');
    }
}
