/* A tree of what was seen, as the events are: a node for data, for each field, for what is in a list.
 * Sums and bounds only, and a few short texts while they may still be an enum.
 */
#include "schemas/schema_infer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "core/check.h"
#include "core/limit.h"
#include "core/mem.h"
#include "core/when.h"

enum {
    CHOICES = 12,      /* more different texts are no enum */
    CHOICE_BYTES = 40, /* nor are longer ones */
    SEEN_EACH = 3,     /* nor those of which any was seen less often */
};

struct choice {
    char text[CHOICE_BYTES];
    size_t len;
    uint64_t count;
};

struct seen {
    char *name; /* of a field; ours */
    size_t name_len;
    uint64_t count; /* times that it was there */
    uint64_t nulls, booleans, integers, numbers, texts, lists, objects;
    double low, high;        /* of integers and numbers */
    bool times, dates, many; /* all texts are such; there are too many different ones */
    struct choice choices[CHOICES];
    size_t choice_count;
    struct seen **fields; /* in the order in which they came */
    size_t field_count, field_capacity;
    bool crowded; /* there are more fields than are kept: its names are values */
    struct seen *items;
};

struct schema_infer {
    struct seen *data;
};

/* --- the tree ------------------------------------------------------------------------------------------- */

static struct seen *seen_new(struct str name)
{
    struct seen *s = MEM_NEW(struct seen);

    s->name = mem_copy_text(name.data, name.len);
    s->name_len = name.len;
    s->low = INFINITY;
    s->high = -INFINITY;
    s->times = s->dates = true;
    return s;
}

static void seen_free(struct seen *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->field_count; i++)
        seen_free(s->fields[i]);
    seen_free(s->items);
    mem_free(s->fields);
    mem_free(s->name);
    mem_free(s);
}

struct schema_infer *schema_infer_new(void)
{
    struct schema_infer *infer = MEM_NEW(struct schema_infer);

    infer->data = seen_new(STR(""));
    return infer;
}

void schema_infer_free(struct schema_infer *infer)
{
    if (infer == NULL)
        return;
    seen_free(infer->data);
    mem_free(infer);
}

size_t schema_infer_count(const struct schema_infer *infer)
{
    return infer->data->count;
}

size_t schema_infer_fields(const struct schema_infer *infer)
{
    return infer->data->field_count;
}

/* --- seeing --------------------------------------------------------------------------------------------- */

static void see(struct seen *s, struct value v);

static bool is_date(struct str text)
{
    char time[32];
    int64_t seconds;
    int bytes = text.len == 10 ? snprintf(time, sizeof time, "%.*sT00:00:00Z", STR_ARG(text)) : 0;

    return bytes > 0 && when_parse_rfc3339((struct str){time, (size_t)bytes}, &seconds, NULL);
}

static void see_choice(struct seen *s, struct str text)
{
    struct choice *c = s->choices;

    while (c < s->choices + s->choice_count && !str_equal((struct str){c->text, c->len}, text))
        c++;
    if (c == s->choices + s->choice_count) {
        if (s->choice_count == CHOICES || text.len > CHOICE_BYTES) {
            s->many = true;
            return;
        }
        s->choice_count++;
        c->len = text.len;
        if (text.len > 0)
            memcpy(c->text, text.data, text.len);
    }
    c->count++;
}

static void see_text(struct seen *s, struct str text)
{
    int64_t seconds;

    s->texts++;
    s->times = s->times && when_parse_rfc3339(text, &seconds, NULL);
    s->dates = s->dates && is_date(text);
    if (!s->many)
        see_choice(s, text);
}

static void see_number(struct seen *s, double number)
{
    s->low = number < s->low ? number : s->low;
    s->high = number > s->high ? number : s->high;
}

static void see_field(struct seen *s, struct str name, struct value v)
{
    size_t i = 0;

    while (i < s->field_count &&
           !str_equal((struct str){s->fields[i]->name, s->fields[i]->name_len}, name))
        i++;
    if (i == s->field_count) {
        s->crowded |= s->field_count == LIMIT_INFER_FIELDS;
        if (s->crowded)
            return;
        MEM_RESERVE(s->fields, s->field_count, s->field_capacity);
        s->fields[s->field_count++] = seen_new(name);
    }
    see(s->fields[i], v);
}

static void see(struct seen *s, struct value v)
{
    s->count++;
    switch ((enum value_kind)v.kind) {
    case VALUE_NULL: s->nulls++; return;
    case VALUE_BOOL: s->booleans++; return;
    case VALUE_INT:
        s->integers++;
        see_number(s, (double)v.i);
        return;
    case VALUE_DOUBLE:
        s->numbers++;
        see_number(s, v.d);
        return;
    case VALUE_STRING: see_text(s, value_str(v)); return;
    case VALUE_LIST:
        s->lists++;
        if (s->items == NULL)
            s->items = seen_new(STR(""));
        for (uint32_t i = 0; i < v.n; i++)
            see(s->items, v.list[i]);
        return;
    case VALUE_MAP:
        s->objects++;
        for (uint32_t i = 0; i < v.n; i++)
            see_field(s, value_str(v.map[i].key), v.map[i].value);
        return;
    case VALUE_ABSENT:
    case VALUE_UINT:
    case VALUE_BYTES:
    case VALUE_TYPE:
    case VALUE_TIMESTAMP:
    case VALUE_DURATION:
    case VALUE_OPTIONAL:
    case VALUE_ERROR:
    case VALUE_KIND_COUNT: break;
    }
    CHECK_NEVER("a value that JSON does not have");
}

void schema_infer_see(struct schema_infer *infer, struct value data)
{
    CHECK(data.kind == VALUE_MAP);
    see(infer->data, data);
}

/* --- writing -------------------------------------------------------------------------------------------- */

struct writing {
    struct buf *out;
    int depth;
    bool first;
};

static void put_line(struct writing *w)
{
    buf_put_text(w->out, w->first ? "\n" : ",\n");
    for (int i = 0; i < w->depth; i++)
        buf_put_text(w->out, "  ");
    w->first = false;
}

static void put_key(struct writing *w, struct str key)
{
    put_line(w);
    json_put_string(w->out, key);
    buf_put_text(w->out, ": ");
}

static void put_open(struct writing *w)
{
    buf_put_char(w->out, '{');
    w->depth++;
    w->first = true;
}

static void put_close(struct writing *w)
{
    w->depth--;
    w->first = true;
    put_line(w);
    buf_put_char(w->out, '}');
    w->first = false;
}

static void put_text(struct writing *w, const char *key, struct str text)
{
    put_key(w, str_of(key));
    json_put_string(w->out, text);
}

/* "order.placed", "amount_due", "amountDue": "Order placed", "Amount due". */
static void put_title(struct writing *w, struct str name)
{
    struct buf title = {0};

    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool upper = c >= 'A' && c <= 'Z', after_lower = i > 0 && name.data[i - 1] >= 'a';
        if (upper && after_lower)
            buf_put_char(&title, ' ');
        if (upper && after_lower && (i + 1 == name.len || name.data[i + 1] >= 'a'))
            c = (char)(c - 'A' + 'a');
        if (i == 0 && c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        buf_put_char(&title, strchr("._-/", c) != NULL && c != '\0' ? ' ' : c);
    }
    put_text(w, "title", buf_str(&title));
    buf_free(&title);
}

static void put_types(struct writing *w, const struct seen *s)
{
    const char *const words[] = {s->numbers > 0    ? "number"
                                 : s->integers > 0 ? "integer"
                                                   : NULL,
                                 s->booleans > 0 ? "boolean" : NULL,
                                 s->texts > 0 ? "string" : NULL,
                                 s->lists > 0 ? "array" : NULL,
                                 s->objects > 0 ? "object" : NULL,
                                 s->nulls > 0 ? "null" : NULL};
    size_t count = 0, written = 0;

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        count += words[i] != NULL;
    if (count == 0 || s->nulls == s->count)
        return; /* nothing is known */
    put_key(w, STR("type"));
    buf_put_text(w->out, count > 1 ? "[" : "");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (words[i] != NULL)
            buf_put_format(w->out, "%s\"%s\"", written++ > 0 ? ", " : "", words[i]);
    buf_put_text(w->out, count > 1 ? "]" : "");
}

/* Only texts, and not null: an enum would have to name it. */
static bool is_enum(const struct seen *s)
{
    if (s->texts != s->count || s->many || s->choice_count == 0 || s->times || s->dates)
        return false;
    for (size_t i = 0; i < s->choice_count; i++)
        if (s->choices[i].count < SEEN_EACH)
            return false;
    return true;
}

static void put_values(struct writing *w, const struct seen *s)
{
    if (s->texts > 0 && s->texts + s->nulls == s->count && (s->times || s->dates))
        put_text(w, "format", s->times ? STR("date-time") : STR("date"));
    if (s->integers + s->numbers > 0 && s->low >= 0) {
        put_key(w, STR("minimum"));
        buf_put_char(w->out, '0');
    }
    if (!is_enum(s))
        return;
    put_key(w, STR("enum"));
    for (size_t i = 0; i < s->choice_count; i++) {
        buf_put_text(w->out, i == 0 ? "[" : ", ");
        json_put_string(w->out, (struct str){s->choices[i].text, s->choices[i].len});
    }
    buf_put_char(w->out, ']');
}

static void put_number(struct buf *out, double number)
{
    if (number == floor(number) && fabs(number) < 1e15)
        buf_put_format(out, "%.0f", number);
    else
        json_put_double(out, number);
}

/* What is not promised: "In 97 of 100 events, from 3 to 250.5." */
static void put_description(struct writing *w, const struct seen *s, uint64_t parent_count)
{
    struct buf text = {0};

    if (s->count < parent_count)
        buf_put_format(&text, "in %" PRIu64 " of %" PRIu64, s->count, parent_count);
    if (s->nulls > 0)
        buf_put_format(&text, "%snull %" PRIu64 " times", text.len > 0 ? ", " : "", s->nulls);
    if (s->integers + s->numbers > 0) {
        buf_put_format(&text, "%sfrom ", text.len > 0 ? ", " : "");
        put_number(&text, s->low);
        buf_put_text(&text, " to ");
        put_number(&text, s->high);
    }
    if (s->crowded)
        buf_put_format(&text, "%smore than %d different names", text.len > 0 ? ", " : "",
                       LIMIT_INFER_FIELDS);
    if (text.len > 0) {
        buf_put_text(&text, " (as seen)");
        put_text(w, "description", buf_str(&text));
    }
    buf_free(&text);
}

static void put_schema(struct writing *w, const struct seen *s, uint64_t parent_count);

static void put_fields(struct writing *w, const struct seen *s)
{
    size_t required = 0;

    if (s->objects == 0 || s->crowded || s->field_count == 0)
        return;
    for (size_t i = 0; i < s->field_count; i++) {
        const struct seen *f = s->fields[i];
        if (f->count < s->objects || f->nulls > 0)
            continue;
        if (required++ == 0)
            put_key(w, STR("required"));
        buf_put_text(w->out, required == 1 ? "[" : ", ");
        json_put_string(w->out, (struct str){f->name, f->name_len});
    }
    if (required > 0)
        buf_put_char(w->out, ']');
    put_key(w, STR("properties"));
    put_open(w);
    for (size_t i = 0; i < s->field_count; i++) {
        put_key(w, (struct str){s->fields[i]->name, s->fields[i]->name_len});
        put_schema(w, s->fields[i], s->objects);
    }
    put_close(w);
}

/* A schema in a list is one of items: it has no title. */
static void put_schema(struct writing *w, const struct seen *s, uint64_t parent_count)
{
    put_open(w);
    put_types(w, s);
    if (s->name_len > 0)
        put_title(w, (struct str){s->name, s->name_len});
    put_description(w, s, parent_count);
    put_values(w, s);
    put_fields(w, s);
    if (s->items != NULL && s->items->count > 0) {
        put_key(w, STR("items"));
        put_schema(w, s->items, s->items->count);
    }
    put_close(w);
}

void schema_infer_write(const struct schema_infer *infer, struct str type, struct buf *out)
{
    struct writing w = {.out = out};
    struct buf text = {0};

    put_open(&w);
    put_text(&w, "$schema", STR("http://json-schema.org/draft-07/schema#"));
    put_title(&w, type);
    buf_put_format(&text, "made from %" PRIu64 " event%s: read it, and change what is not so",
                   infer->data->count, infer->data->count == 1 ? "" : "s");
    put_text(&w, "description", buf_str(&text));
    buf_free(&text);
    put_text(&w, "type", STR("object"));
    put_fields(&w, infer->data);
    put_close(&w);
    buf_put_char(out, '\n');
}
