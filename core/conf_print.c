/* A configuration as YAML: what is in force, and the commented example.  Fields of one section
 * stand together in the table; a section's name is printed when it differs from the one before. */
#include "core/conf_tree.h"

enum { COMMENT_COLUMNS = 96, INDENT = 2 };

bool conf_name_is_secret(struct str name)
{
    static const char *const words[] = {"password",           "secret", "token", ".pem",
                                        "oauthbearer.config", "jaas"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_contains(name, str_of(words[i])))
            return true;
    return false;
}

static void indent(struct buf *out, int depth)
{
    buf_put_format(out, "%*s", depth * INDENT, "");
}

/* --- scalars ---------------------------------------------------------------------------------- */

static bool is_plain_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("_./:-@+", c) != NULL);
}

/* May it stand without quotes and still be read as this text? */
static bool is_plain(struct str text)
{
    static const char *const words[] = {"null", "Null", "NULL", "true", "false"};

    if (text.len == 0 || strchr("-:@+.", text.data[0]) != NULL || text.data[text.len - 1] == ':')
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!is_plain_char(text.data[i]))
            return false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_is(text, words[i]))
            return false;
    return true;
}

/* The bytes of a character that YAML wants escaped (C1 controls, U+FEFF, U+FFFE, U+FFFF) at the
 * beginning of rest, and its number; 0: another one. */
static size_t escaped_bytes(struct str rest, unsigned *number)
{
    const unsigned char *c = (const unsigned char *)rest.data;

    if (rest.len >= 2 && c[0] == 0xc2 && c[1] < 0xa0) {
        *number = c[1];
        return 2;
    }
    if (rest.len < 3 || c[0] != 0xef)
        return 0;
    *number = 0xf000u | (c[1] & 0x3fu) << 6 | (c[2] & 0x3fu);
    return *number == 0xfeff || *number >= 0xfffe ? 3 : 0;
}

static void put_char(struct buf *out, struct str text, size_t *at)
{
    unsigned char c = (unsigned char)text.data[*at];
    unsigned number;
    size_t bytes = escaped_bytes(str_slice(text, *at, text.len), &number);

    if (bytes != 0)
        buf_put_format(out, "\\u%04x", number);
    else if (c == '"' || c == '\\')
        buf_put_format(out, "\\%c", c);
    else if (c < 0x20 || c == 0x7f)
        buf_put_format(out, "\\x%02x", c);
    else if (c == '$' && *at + 1 < text.len && text.data[*at + 1] == '{')
        buf_put_text(out, "$$"); /* or it would be a reference when read again */
    else
        buf_put_char(out, (char)c);
    *at += bytes != 0 ? bytes : 1;
}

static void put_text(struct buf *out, struct str text)
{
    if (is_plain(text)) {
        buf_put(out, text);
        return;
    }
    buf_put_char(out, '"');
    for (size_t at = 0; at < text.len;)
        put_char(out, text, &at);
    buf_put_char(out, '"');
}

/* A password stands in a URL between the first colon and the last @: scheme://user:password@host. */
static void put_url(struct buf *out, struct str text)
{
    const char *begin = memmem(text.data, text.len, "://", 3),
               *end = memrchr(text.data, '@', text.len);
    const char *colon = begin != NULL && end != NULL && end > begin + 3
                            ? memchr(begin + 3, ':', (size_t)(end - begin - 3))
                            : NULL;
    struct buf masked = {0};

    if (colon == NULL) {
        put_text(out, text);
        return;
    }
    buf_put(&masked, (struct str){text.data, (size_t)(colon + 1 - text.data)});
    buf_put_text(&masked, "***");
    buf_put(&masked, (struct str){end, (size_t)(text.data + text.len - end)});
    put_text(out, buf_str(&masked));
    buf_free(&masked);
}

static void put_masked(struct buf *out, struct str text, bool secret)
{
    if (text.len == 0)
        put_text(out, text);
    else if (secret)
        put_text(out, STR("***"));
    else
        put_url(out, text);
}

/* --- sections ------------------------------------------------------------------------------------- */

/* Print the names of the sections of `path` that `before` is not in; how deep the field stands. */
static int open_sections(struct buf *out, const char *path, const char *before, int depth)
{
    bool same = before != NULL;
    const char *name = path;

    for (const char *dot = strchr(path, '.'); dot != NULL; dot = strchr(name, '.')) {
        size_t size = (size_t)(dot - path) + 1;
        same = same && strncmp(path, before, size) == 0;
        if (!same) {
            indent(out, depth);
            buf_put_format(out, "%.*s:\n", (int)(dot - name), name);
        }
        name = dot + 1;
        depth++;
    }
    return depth;
}

static const char *last_name(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot != NULL ? dot + 1 : path;
}

/* --- what is in force ------------------------------------------------------------------------------- */

static void put_conf(struct buf *out, const struct conf *conf, int depth);

static void put_part(struct buf *out, const struct conf_entry *entry, const struct conf_part *part,
                     int depth)
{
    indent(out, depth);
    if (entry->field->kind == CONF_LIST) {
        buf_put_text(out, "- ");
        put_text(out, part->text);
    } else {
        put_text(out, part->name);
        buf_put_text(out, entry->field->kind == CONF_ITEMS ? ":" : ": ");
    }
    if (entry->field->kind == CONF_FREE)
        put_masked(out, part->text, entry->field->secret || conf_name_is_secret(part->name));
    buf_put_char(out, '\n');
    if (entry->field->kind == CONF_ITEMS)
        put_conf(out, part->item, depth + 1);
}

static void put_entry(struct buf *out, const struct conf_entry *entry, int depth)
{
    indent(out, depth);
    buf_put_format(out, "%s:", last_name(entry->field->path));
    switch (entry->field->kind) {
    case CONF_TEXT:
    case CONF_CHOICE:
        buf_put_char(out, ' ');
        put_masked(out, entry->text, entry->field->secret);
        break;
    case CONF_INT:
    case CONF_BOOL:
    case CONF_SPAN:
    case CONF_BYTES:
        buf_put_char(out, ' ');
        conf_put_number(out, entry->field, entry->number);
        break;
    case CONF_LIST:
    case CONF_ITEMS:
    case CONF_FREE:
        if (entry->part_count == 0)
            buf_put_text(out, entry->field->kind == CONF_LIST ? " []" : " {}");
        break;
    }
    buf_put_char(out, '\n');
    for (size_t i = 0; i < entry->part_count; i++)
        put_part(out, entry, &entry->parts[i], depth + 1);
}

static void put_conf(struct buf *out, const struct conf *conf, int depth)
{
    const char *before = NULL;

    for (size_t i = 0; i < conf->count; i++) {
        const char *path = conf->entries[i].field->path;
        put_entry(out, &conf->entries[i], open_sections(out, path, before, depth));
        before = path;
    }
}

void conf_print(struct buf *out, const struct conf *conf)
{
    put_conf(out, conf, 0);
}

/* --- the commented example ----------------------------------------------------------------------------- */

/* Words of a comment, each line after its own #; lines after the first hang deeper. */
static void put_comment(struct buf *out, int depth, int margin, int hanging, struct str text)
{
    size_t room = (size_t)(COMMENT_COLUMNS - depth * INDENT), used = 0;
    struct str word, rest = text;

    while (rest.len != 0) {
        if (!str_cut(rest, ' ', &word, &rest)) {
            word = rest;
            rest = STR_EMPTY;
        }
        if (word.len == 0) /* two blanks after a full stop */
            continue;
        if (used == 0 || used + 1 + word.len > room) {
            buf_put_format(out, "%s%*s# %*s", used == 0 ? "" : "\n", depth * INDENT, "", margin,
                           "");
            used = 2 + (size_t)margin;
            margin = hanging;
        } else {
            buf_put_char(out, ' ');
            used++;
        }
        buf_put(out, word);
        used += word.len;
    }
    buf_put_char(out, '\n');
}

/* "a whole number from 1 to 10; default 5" */
static void put_kind(struct buf *out, const struct conf_field *field)
{
    conf_put_wanted(out, field);
    if (field->fallback == NULL)
        buf_put_text(out, "; required");
    else if (field->fallback[0] == '\0')
        buf_put_text(out, "; default: none");
    else
        buf_put_format(out, "; default: %s", field->fallback);
}

static void put_field_comments(struct buf *out, const struct conf_field *fields, int depth)
{
    struct buf line = {0};

    for (; fields->path != NULL; fields++) {
        buf_clear(&line);
        buf_put_format(&line, "%s: ", fields->path);
        put_kind(&line, fields);
        buf_put_format(&line, ".  %s", fields->doc);
        put_comment(out, depth, 2, 6, buf_str(&line));
    }
    buf_free(&line);
}

static void put_item_comments(struct buf *out, const struct conf_field *items, int depth)
{
    const struct conf_variants *variants = items->variants;
    struct buf line = {0};

    put_comment(out, depth, 0, 0, STR("The keys of each:"));
    put_field_comments(out, items->fields, depth);
    for (size_t i = 0; variants != NULL && variants->list[i].name != NULL; i++) {
        const struct conf_field *own = conf_own_fields(items, &variants->list[i]);
        if (own->path == NULL)
            continue;
        buf_clear(&line);
        buf_put_format(&line, "With %s %s also:", variants->by, variants->list[i].name);
        put_comment(out, depth, 0, 0, buf_str(&line));
        put_field_comments(out, own, depth);
    }
    buf_free(&line);
}

/* YAML of several lines below its key, each line as deep as it has to be. */
static void put_block(struct buf *out, struct str block, int depth)
{
    struct str line, rest = block;

    buf_put_char(out, '\n');
    while (rest.len != 0) {
        if (!str_cut(rest, '\n', &line, &rest)) {
            line = rest;
            rest = STR_EMPTY;
        }
        indent(out, depth + 1);
        buf_put(out, line);
        buf_put_char(out, '\n');
    }
}

static void put_example_value(struct buf *out, const struct conf_field *field, int depth)
{
    const char *value = field->example != NULL ? field->example : field->fallback;
    bool yaml = field->example != NULL ||
                (field->kind != CONF_TEXT && field->kind != CONF_CHOICE); /* stands as it is */

    if (value == NULL)
        value = "";
    if (field->example != NULL && strchr(value, '\n') != NULL) {
        put_block(out, str_of(value), depth);
        return;
    }
    buf_put_char(out, ' ');
    if (!yaml)
        put_text(out, str_of(value));
    else if (value[0] == '\0')
        buf_put_text(out, field->kind == CONF_LIST ? "[]" : "{}");
    else
        buf_put_text(out, value);
    buf_put_char(out, '\n');
}

void conf_print_example(struct buf *out, const struct conf_field *table)
{
    const char *before = NULL;
    struct buf kind = {0};

    for (; table->path != NULL; table++) {
        bool new_section =
            before == NULL || strncmp(before, table->path, strcspn(table->path, ".") + 1) != 0;
        int depth;
        if (new_section && before != NULL)
            buf_put_char(out, '\n');
        depth = open_sections(out, table->path, before, 0);
        put_comment(out, depth, 0, 0, str_of(table->doc));
        buf_clear(&kind);
        put_kind(&kind, table);
        put_comment(out, depth, 0, 0, buf_str(&kind));
        if (table->fields != NULL)
            put_item_comments(out, table, depth);
        indent(out, depth);
        buf_put_format(out, "%s:", last_name(table->path));
        put_example_value(out, table, depth);
        before = table->path;
    }
    buf_free(&kind);
}
