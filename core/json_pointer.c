/* JSON Pointers (RFC 6901) into a value, and into the text of a document.
 *
 * The text is known to be JSON: values are skipped until the one that the pointer names.  Keys are
 * compared as they are written, so one with an escape in it is not found; then a message names the
 * file only. */
#include "core/json.h"

#include <stdio.h>

/* --- in a value ----------------------------------------------------------------------------- */

/* Does a key, as a pointer writes it ("~1" is "/", "~0" is "~"), mean this name? */
static bool means(struct str key, struct str name)
{
    size_t at = 0;

    for (size_t i = 0; i < key.len; i++, at++) {
        char c = key.data[i];
        if (c == '~' && i + 1 < key.len)
            c = key.data[++i] == '1' ? '/' : '~';
        if (at >= name.len || name.data[at] != c)
            return false;
    }
    return at == name.len;
}

static struct value item_at(struct value v, struct str key)
{
    uint64_t index = 0;

    if (v.kind == VALUE_MAP) {
        if (key.len == 0 || memchr(key.data, '~', key.len) == NULL)
            return value_map_get(v, key);
        for (size_t i = 0; i < v.n; i++)
            if (means(key, value_str(v.map[i].key)))
                return v.map[i].value;
        return VALUE_NONE;
    }
    if (v.kind != VALUE_LIST)
        return VALUE_NONE;
    return str_read_number(key, &index) && index < v.n ? v.list[index] : VALUE_NONE;
}

/* The first key of a pointer that is not empty; the rest stays. */
static struct str cut_key(struct str *pointer)
{
    struct str key;
    size_t end = 1;

    while (end < pointer->len && pointer->data[end] != '/')
        end++;
    key = str_slice(*pointer, 1, end);
    *pointer = str_slice(*pointer, end, pointer->len);
    return key;
}

struct value json_at(struct value v, struct str pointer)
{
    while (pointer.len > 0 && v.kind != VALUE_ABSENT)
        v = item_at(v, cut_key(&pointer));
    return v;
}

/* --- in a text ------------------------------------------------------------------------------ */

struct walk {
    const char *at, *end;
};

static char look(const struct walk *w)
{
    return w->at < w->end ? *w->at : '\0';
}

static void skip_blanks(struct walk *w)
{
    while (w->at < w->end && strchr(" \t\r\n,:", *w->at) != NULL)
        w->at++;
}

static struct str skip_text(struct walk *w)
{
    const char *from = ++w->at;

    while (w->at < w->end && *w->at != '"')
        w->at += *w->at == '\\' && w->at + 1 < w->end ? 2 : 1;
    return (struct str){from, (size_t)(w->at++ - from)};
}

/* Over one value, whatever is in it. */
static void skip_value(struct walk *w)
{
    int depth = 0;

    do {
        char c;
        skip_blanks(w);
        c = look(w);
        if (c == '"') {
            skip_text(w);
        } else if (c == '{' || c == '[') {
            depth++;
            w->at++;
        } else if (c == '}' || c == ']') {
            depth--;
            w->at++;
        } else {
            while (w->at < w->end && strchr(" \t\r\n,:{}[]\"", *w->at) == NULL)
                w->at++;
        }
    } while (depth > 0 && w->at < w->end);
}

/* Into the object or list at hand, up to the value of this key; *place is where the key is. */
static bool enter(struct walk *w, struct str key, const char **place)
{
    bool object = look(w) == '{';
    size_t index = 0;

    if (!object && look(w) != '[')
        return false;
    for (w->at++;; skip_value(w), index++) {
        struct str name;
        char number[24];
        skip_blanks(w);
        if (w->at >= w->end || *w->at == '}' || *w->at == ']')
            return false;
        *place = w->at;
        snprintf(number, sizeof number, "%zu", index);
        name = object ? skip_text(w) : str_of(number);
        skip_blanks(w);
        if (str_equal(name, key))
            return true;
    }
}

static void count_lines(const char *from, const char *to, int *line, int *column)
{
    *line = *column = 1;
    for (; from < to; from++) {
        ++*column;
        if (*from == '\n') {
            ++*line;
            *column = 1;
        }
    }
}

bool json_locate(struct str text, struct str pointer, int *line, int *column)
{
    struct walk w = {text.data, text.data + text.len};
    const char *place = text.data;

    skip_blanks(&w);
    if (pointer.len == 0)
        place = w.at;
    while (pointer.len > 0)
        if (!enter(&w, cut_key(&pointer), &place))
            return false;
    count_lines(text.data, place, line, column);
    return true;
}
