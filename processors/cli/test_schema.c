/* Keys of which exactly one is needed (the same word in the table) become a oneOf; there may be
 * several such words, so they stand in an allOf. */
#include "processors/cli/test_schema.h"

#include <string.h>

#include "core/check.h"
#include "core/json.h"
#include "rules/moment/form.h"

#define SPAN_PATTERN "([0-9]+(w|d|h|m|s|ms))+"
#define TIME_PATTERN "[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ].+"

enum where { WHERE_TOP, WHERE_CASE, WHERE_EVENT, WHERE_GEO, WHERE_EXPECT };
enum kind {
    KIND_TEXT,
    KIND_REASON,
    KIND_BOOL,
    KIND_MAP,
    KIND_TEXTS,
    KIND_TIME,
    KIND_TIMES,
    KIND_START,
    KIND_CASES,
    KIND_EVENTS,
    KIND_EXPECTS,
    KIND_GEO,
};

static const struct row {
    enum where where;
    const char *key;
    enum kind kind;
    const char *needed, *text;
} rows[] = {
#define TEST_KEY(where, key, kind, needed, text) {WHERE_##where, key, KIND_##kind, needed, text},
#include "processors/cli/test_file.def"
#undef TEST_KEY
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static const char *const titles[] = {"a test", "a case", "an event", "a place", "an expectation"};

static void put_where(struct json_writer *w, enum where where);

static void key_text(struct json_writer *w, const char *key, const char *text)
{
    json_key(w, key);
    json_str(w, str_of(text));
}

static void put_type(struct json_writer *w, const char *json)
{
    json_key(w, "type");
    json_raw(w, str_of(json));
}

static void put_time(struct json_writer *w, const char *pattern)
{
    put_type(w, "\"string\"");
    key_text(w, "pattern", pattern);
}

static void put_times(struct json_writer *w)
{
    put_type(w, "\"array\"");
    json_key(w, "minItems");
    json_int(w, 2);
    json_key(w, "maxItems");
    json_int(w, 2);
    json_key(w, "items");
    json_open(w, '{');
    put_time(w, "^(-?" SPAN_PATTERN "|" TIME_PATTERN ")$");
    json_close(w, '}');
}

static void put_reasons(struct json_writer *w)
{
    static const char *const codes[] = {
#define REASON(name, code, text) code,
#include "rules/reasons.def"
#undef REASON
    };

    json_key(w, "enum");
    json_open(w, '[');
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        json_str(w, str_of(codes[i]));
    json_close(w, ']');
}

static void put_texts(struct json_writer *w)
{
    put_type(w, "\"array\"");
    json_key(w, "items");
    json_open(w, '{');
    put_type(w, "\"string\"");
    json_close(w, '}');
}

/* `events:` with nothing behind it is a list without entries; a test without cases shows nothing. */
static void put_list(struct json_writer *w, enum where of)
{
    put_type(w, of == WHERE_CASE ? "\"array\"" : "[\"array\",\"null\"]");
    if (of == WHERE_CASE) {
        json_key(w, "minItems");
        json_int(w, 1);
    }
    json_key(w, "items");
    json_open(w, '{');
    put_where(w, of);
    json_close(w, '}');
}

static void put_kind(struct json_writer *w, enum kind kind)
{
    switch (kind) {
    case KIND_TEXT: put_type(w, "[\"string\",\"number\",\"boolean\"]"); return;
    case KIND_REASON: put_reasons(w); return;
    case KIND_BOOL: put_type(w, "\"boolean\""); return;
    case KIND_MAP: put_type(w, "[\"object\",\"null\"]"); return;
    case KIND_TEXTS: put_texts(w); return;
    case KIND_TIME: put_time(w, "^(-?" SPAN_PATTERN "|" TIME_PATTERN ")$"); return;
    case KIND_TIMES: put_times(w); return;
    case KIND_START: put_time(w, "^" TIME_PATTERN "$"); return;
    case KIND_CASES: put_list(w, WHERE_CASE); return;
    case KIND_EVENTS: put_list(w, WHERE_EVENT); return;
    case KIND_EXPECTS: put_list(w, WHERE_EXPECT); return;
    case KIND_GEO: put_where(w, WHERE_GEO); return;
    }
    CHECK_NEVER("a kind of key");
}

/* --- what is needed ------------------------------------------------------------------------------- */

static void put_required(struct json_writer *w, enum where where)
{
    json_key(w, "required");
    json_open(w, '[');
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].where == where && strcmp(rows[i].needed, "*") == 0)
            json_str(w, str_of(rows[i].key));
    json_close(w, ']');
}

static bool is_word(const struct row *row, enum where where)
{
    return row->where == where && row->needed[0] != '\0' && row->needed[0] != '*';
}

static bool is_first(size_t row)
{
    for (size_t i = 0; i < row; i++)
        if (is_word(&rows[i], rows[row].where) && strcmp(rows[i].needed, rows[row].needed) == 0)
            return false;
    return true;
}

/* {"oneOf": [{"required": ["task"]}, {"required": ["silent"]} ...]} */
static void put_one_of(struct json_writer *w, enum where where, const char *word)
{
    json_open(w, '{');
    json_key(w, "oneOf");
    json_open(w, '[');
    for (size_t i = 0; i < ROWS; i++) {
        if (!is_word(&rows[i], where) || strcmp(rows[i].needed, word) != 0)
            continue;
        json_open(w, '{');
        json_key(w, "required");
        json_open(w, '[');
        json_str(w, str_of(rows[i].key));
        json_close(w, ']');
        json_close(w, '}');
    }
    json_close(w, ']');
    json_close(w, '}');
}

static void put_choices(struct json_writer *w, enum where where)
{
    bool any = false;

    for (size_t i = 0; i < ROWS; i++) {
        if (!is_word(&rows[i], where) || !is_first(i))
            continue;
        if (!any) {
            json_key(w, "allOf");
            json_open(w, '[');
        }
        put_one_of(w, where, rows[i].needed);
        any = true;
    }
    if (any)
        json_close(w, ']');
}

static void put_where(struct json_writer *w, enum where where)
{
    key_text(w, "title", titles[where]);
    put_type(w, "\"object\"");
    json_key(w, "additionalProperties");
    json_bool(w, false);
    put_required(w, where);
    put_choices(w, where);
    json_key(w, "properties");
    json_open(w, '{');
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].where != where)
            continue;
        json_key(w, rows[i].key);
        json_open(w, '{');
        key_text(w, "description", rows[i].text);
        put_kind(w, rows[i].kind);
        json_close(w, '}');
    }
    json_close(w, '}');
}

void test_schema_write(struct buf *out)
{
    struct buf json = {0};
    struct json_writer w = json_writer_to(&json);

    json_open(&w, '{');
    key_text(&w, "$schema", "http://json-schema.org/draft-07/schema#");
    put_where(&w, WHERE_TOP);
    json_close(&w, '}');
    form_schema_indent(out, buf_str(&json));
    buf_free(&json);
}
