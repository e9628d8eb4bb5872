#include "processors/cli/findings.h"

#include "core/file.h"
#include "core/json.h"
#include "processors/cli/cli.h"

#define SARIF_SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"

static const char *level_word(enum diag_level level)
{
    return level == DIAG_ERROR ? "error" : "warning";
}

static void key_text(struct json_writer *w, const char *key, const char *text)
{
    json_key(w, key);
    json_str(w, str_of(text));
}

static void key_int(struct json_writer *w, const char *key, int64_t number)
{
    json_key(w, key);
    json_int(w, number);
}

/* --- people --------------------------------------------------------------------------------------- */

void findings_put(struct buf *out, const struct diags *diags)
{
    struct arena *arena = arena_new(0);
    const char *file = NULL;
    struct str source = STR_EMPTY;

    for (size_t i = 0; i < diags->count; i++) {
        const char *named = diags->items[i].place.file;
        if (named != NULL && (file == NULL || strcmp(file, named) != 0)) {
            file = named;
            if (file_read(file, arena, &source, NULL) != ERR_NONE)
                source = STR_EMPTY; /* built in, or gone */
        }
        diag_print(out, &diags->items[i], named != NULL ? source : STR_EMPTY);
    }
    arena_free(arena);
}

/* --- JSON ----------------------------------------------------------------------------------------- */

static void put_json(struct buf *out, const struct diag *diag)
{
    struct json_writer w = json_writer_to(out);

    json_open(&w, '{');
    key_text(&w, "level", level_word(diag->level));
    key_text(&w, "file", diag->place.file);
    key_int(&w, "line", diag->place.line);
    key_int(&w, "column", diag->place.column);
    key_text(&w, "code", diag->code);
    key_text(&w, "what", diag->what);
    if (diag->help != NULL)
        key_text(&w, "help", diag->help);
    json_close(&w, '}');
    buf_put_char(out, '\n');
}

void findings_put_json(struct buf *out, const struct diags *diags)
{
    for (size_t i = 0; i < diags->count; i++)
        put_json(out, &diags->items[i]);
}

/* --- SARIF ---------------------------------------------------------------------------------------- */

/* {"key": {"text": ...}} */
static void put_message(struct json_writer *w, const char *key, const char *text)
{
    json_key(w, key);
    json_open(w, '{');
    key_text(w, "text", text);
    json_close(w, '}');
}

static int64_t rule_index(const char *code)
{
    return diag_code_find(code) - diag_codes;
}

static void put_rule(struct json_writer *w, const struct diag_code *row)
{
    json_open(w, '{');
    key_text(w, "id", row->code);
    put_message(w, "shortDescription", row->title);
    put_message(w, "fullDescription", row->text);
    json_key(w, "defaultConfiguration");
    json_open(w, '{');
    key_text(w, "level", row->severity == SEVERITY_ERROR ? "error" : "warning");
    json_close(w, '}');
    json_close(w, '}');
}

static void put_tool(struct json_writer *w)
{
    json_key(w, "tool");
    json_open(w, '{');
    json_key(w, "driver");
    json_open(w, '{');
    key_text(w, "name", "attent");
    key_text(w, "version", ATTENT_VERSION);
    json_key(w, "rules");
    json_open(w, '[');
    for (const struct diag_code *row = diag_codes; row->code != NULL; row++)
        put_rule(w, row);
    json_close(w, ']');
    json_close(w, '}');
    json_close(w, '}');
}

/* A path relative to where attent runs is a URI as it stands, but for what a URI may not have. */
static void put_uri(struct json_writer *w, struct str path)
{
    static const char plain[] = "-._~/";
    struct buf uri = {0};

    for (size_t i = 0; i < path.len; i++) {
        unsigned char c = (unsigned char)path.data[i];
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
            (c != '\0' && strchr(plain, c) != NULL))
            buf_put_char(&uri, (char)c);
        else
            buf_put_format(&uri, "%%%02X", c);
    }
    json_key(w, "uri");
    json_str(w, buf_str(&uri));
    buf_free(&uri);
}

static void put_location(struct json_writer *w, const struct place *place)
{
    json_open(w, '{');
    json_key(w, "physicalLocation");
    json_open(w, '{');
    json_key(w, "artifactLocation");
    json_open(w, '{');
    put_uri(w, str_of(place->file));
    json_close(w, '}');
    if (place->line > 0) {
        json_key(w, "region");
        json_open(w, '{');
        key_int(w, "startLine", place->line);
        if (place->column > 0)
            key_int(w, "startColumn", place->column);
        json_close(w, '}');
    }
    json_close(w, '}');
    json_close(w, '}');
}

static void put_result(struct json_writer *w, const struct diag *diag)
{
    struct buf text = {0};

    buf_put_text(&text, diag->what);
    if (diag->help != NULL)
        buf_put_format(&text, "\nhelp: %s", diag->help);
    json_open(w, '{');
    key_text(w, "ruleId", diag->code);
    key_int(w, "ruleIndex", rule_index(diag->code));
    key_text(w, "level", level_word(diag->level));
    put_message(w, "message", buf_text(&text));
    json_key(w, "locations");
    json_open(w, '[');
    if (diag->place.file != NULL)
        put_location(w, &diag->place);
    json_close(w, ']');
    json_close(w, '}');
    buf_free(&text);
}

void findings_put_sarif(struct buf *out, const struct diags *diags)
{
    struct json_writer w = json_writer_to(out);

    json_open(&w, '{');
    key_text(&w, "$schema", SARIF_SCHEMA);
    key_text(&w, "version", "2.1.0");
    json_key(&w, "runs");
    json_open(&w, '[');
    json_open(&w, '{');
    put_tool(&w);
    key_text(&w, "columnKind", "unicodeCodePoints");
    json_key(&w, "results");
    json_open(&w, '[');
    for (size_t i = 0; i < diags->count; i++)
        put_result(&w, &diags->items[i]);
    json_close(&w, ']');
    json_close(&w, '}');
    json_close(&w, ']');
    json_close(&w, '}');
    buf_put_char(out, '\n');
}
