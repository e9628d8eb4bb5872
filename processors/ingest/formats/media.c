#include "processors/ingest/formats/media.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

bool media_starts(struct str essence, const char *lower_case)
{
    size_t at = 0;

    for (; lower_case[at] != '\0'; at++)
        if (at >= essence.len || lower(essence.data[at]) != lower_case[at])
            return false;
    return true;
}

bool media_is(struct str essence, const char *name)
{
    return essence.len == strlen(name) && media_starts(essence, name);
}

struct str media_essence(struct str text)
{
    struct str essence, rest;

    return str_trim(str_cut(text, ';', &essence, &rest) ? essence : text);
}

static bool is_token(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c <= ' ' || c > '~' || strchr("()<>@,;:\\\"/[]?=", c) != NULL)
            return false;
    }
    return text.len > 0;
}

/* --- parameters ------------------------------------------------------------------------------------- */

static void skip_blanks(struct str *rest)
{
    size_t at = 0;

    while (at < rest->len && (rest->data[at] == ' ' || rest->data[at] == '\t'))
        at++;
    *rest = str_slice(*rest, at, rest->len);
}

/* "..." at the beginning of rest, with its quotes; empty: it has no end. */
static struct str quoted(struct str rest)
{
    for (size_t i = 1; i < rest.len; i++) {
        if (rest.data[i] == '"')
            return str_slice(rest, 0, i + 1);
        if (rest.data[i] == '\\')
            i++;
        else if ((unsigned char)rest.data[i] < ' ' && rest.data[i] != '\t')
            break;
    }
    return STR_EMPTY;
}

static struct str up_to(struct str rest, const char *stops)
{
    size_t at = 0;

    while (at < rest.len && strchr(stops, rest.data[at]) == NULL)
        at++;
    return str_slice(rest, 0, at);
}

/* The next "; name=value" of *all.  False: there are no more, and *all is empty, or it is broken. */
static bool next_parameter(struct str *all, struct str *name, struct str *value)
{
    struct str rest = *all;

    skip_blanks(&rest);
    if (rest.len == 0 || rest.data[0] != ';')
        return false;
    rest = str_slice(rest, 1, rest.len);
    skip_blanks(&rest);
    *name = up_to(rest, "= \t;");
    if (!is_token(*name) || name->len == rest.len || rest.data[name->len] != '=')
        return false;
    rest = str_slice(rest, name->len + 1, rest.len);
    *value = rest.len > 0 && rest.data[0] == '"' ? quoted(rest) : up_to(rest, " \t;");
    if (value->len == 0 || (value->data[0] != '"' && !is_token(*value)))
        return false;
    rest = str_slice(rest, value->len, rest.len);
    skip_blanks(&rest);
    *all = rest;
    return true;
}

static struct str parameters_of(struct str text)
{
    return str_slice(text, up_to(text, ";").len, text.len);
}

bool media_is_type(struct str text)
{
    struct str rest = parameters_of(text), type, subtype, name, value;

    if (!str_cut(media_essence(text), '/', &type, &subtype) || !is_token(type) ||
        !is_token(subtype))
        return false;
    while (next_parameter(&rest, &name, &value))
        continue;
    return rest.len == 0;
}

bool media_is_utf8(struct str text)
{
    struct str rest = parameters_of(text), name, value;

    while (next_parameter(&rest, &name, &value)) {
        if (!media_is(name, "charset"))
            continue;
        if (value.data[0] == '"')
            value = str_slice(value, 1, value.len - 1);
        return media_is(value, "utf-8") || media_is(value, "utf8") || media_is(value, "us-ascii");
    }
    return true;
}

/* --- what it is ------------------------------------------------------------------------------------- */

bool media_is_json(struct str text)
{
    struct str essence = media_essence(text), type, subtype;

    if (!str_cut(essence, '/', &type, &subtype))
        return false;
    return media_is(subtype, "json") ||
           (subtype.len > 5 && media_is(str_slice(subtype, subtype.len - 5, subtype.len), "+json"));
}

bool media_is_binary(struct str text)
{
    static const char *const beginnings[] = {"image/", "audio/", "video/", "font/"};
    struct str essence = media_essence(text);

    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++)
        if (media_starts(essence, beginnings[i]))
            return true;
    return media_is(essence, "application/octet-stream");
}
