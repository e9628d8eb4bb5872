/* Numbers, durations and sizes as words: what a field takes, and one value of it. */
#include <inttypes.h>

#include "core/conf_tree.h"
#include "core/when.h"

static const struct {
    const char *name;
    int64_t bytes;
} sizes[] = {
    {"GiB", (int64_t)1 << 30},
    {"MiB", (int64_t)1 << 20},
    {"KiB", 1 << 10},
    {"GB", 1000000000},
    {"MB", 1000000},
    {"kB", 1000},
    {"B", 1},
};
enum { SIZE_COUNT = sizeof sizes / sizeof sizes[0] };

static void put_bytes(struct buf *out, int64_t bytes)
{
    size_t unit = 0;

    if (bytes == 0) {
        buf_put_text(out, "0B");
        return;
    }
    while (bytes % sizes[unit].bytes != 0)
        unit++;
    buf_put_format(out, "%" PRId64 "%s", bytes / sizes[unit].bytes, sizes[unit].name);
}

static bool parse_int(struct str text, int64_t *number)
{
    bool negative = str_starts(text, STR("-"));
    uint64_t n;

    if (!str_read_number(str_slice(text, negative, text.len), &n) || n > INT64_MAX)
        return false;
    *number = negative ? -(int64_t)n : (int64_t)n;
    return true;
}

static bool parse_bytes(struct str text, int64_t *number)
{
    int64_t count;

    for (size_t i = 0; i < SIZE_COUNT; i++) {
        struct str unit = str_of(sizes[i].name);
        if (!str_ends(text, unit))
            continue;
        if (!parse_int(str_trim(str_slice(text, 0, text.len - unit.len)), &count) || count < 0 ||
            count > INT64_MAX / sizes[i].bytes)
            return false;
        *number = count * sizes[i].bytes;
        return true;
    }
    return false;
}

bool conf_parse_number(const struct conf_field *field, struct str text, int64_t *number)
{
    switch (field->kind) {
    case CONF_INT: return parse_int(text, number);
    case CONF_SPAN: return when_parse_span_ms(text, number);
    case CONF_BYTES: return parse_bytes(text, number);
    case CONF_BOOL: *number = str_is(text, "true"); return *number != 0 || str_is(text, "false");
    case CONF_TEXT:
    case CONF_CHOICE:
    case CONF_LIST:
    case CONF_ITEMS:
    case CONF_FREE: break;
    }
    return false;
}

void conf_put_number(struct buf *out, const struct conf_field *field, int64_t number)
{
    switch (field->kind) {
    case CONF_SPAN: when_put_span(out, number); return;
    case CONF_BYTES: put_bytes(out, number); return;
    case CONF_BOOL: buf_put_text(out, number != 0 ? "true" : "false"); return;
    case CONF_INT: buf_put_format(out, "%" PRId64, number); return;
    case CONF_TEXT:
    case CONF_CHOICE:
    case CONF_LIST:
    case CONF_ITEMS:
    case CONF_FREE: return;
    }
}

bool conf_next_choice(struct str *rest, struct str *choice)
{
    if (rest->len == 0)
        return false;
    if (!str_cut(*rest, '|', choice, rest)) {
        *choice = *rest;
        *rest = STR_EMPTY;
    }
    return true;
}

static void put_choices(struct buf *out, const char *choices)
{
    struct str rest = str_of(choices), choice;

    for (bool first = true; conf_next_choice(&rest, &choice); first = false) {
        if (!first)
            buf_put_text(out, rest.len != 0 ? ", " : " or ");
        buf_put(out, choice);
    }
}

void conf_put_wanted(struct buf *out, const struct conf_field *field)
{
    switch (field->kind) {
    case CONF_TEXT: buf_put_text(out, "a text"); break;
    case CONF_INT: buf_put_text(out, "a whole number"); break;
    case CONF_BOOL: buf_put_text(out, "true or false"); break;
    case CONF_SPAN: buf_put_text(out, "a duration (500ms, 90s, 1d12h)"); break;
    case CONF_BYTES: buf_put_text(out, "a size (512kB, 64MiB)"); break;
    case CONF_CHOICE: put_choices(out, field->choices); break;
    case CONF_LIST: buf_put_text(out, "a list"); break;
    case CONF_ITEMS: buf_put_text(out, "names, each with its own keys"); break;
    case CONF_FREE: buf_put_text(out, "names with a text each"); break;
    }
    if (field->kind == CONF_LIST && field->choices != NULL) {
        buf_put_text(out, " of ");
        put_choices(out, field->choices);
    }
    if (field->min != 0 || field->max != 0) {
        buf_put_text(out, " from ");
        conf_put_number(out, field, field->min);
        buf_put_text(out, " to ");
        conf_put_number(out, field, field->max);
    }
    if (field->unit != NULL)
        buf_put_format(out, " (%s)", field->unit);
}
