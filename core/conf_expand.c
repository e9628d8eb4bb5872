#include "core/conf_expand.h"

#include <stdlib.h>

#include "core/file.h"
#include "core/limit.h"
#include "core/yaml.h"

struct expansion {
    const struct conf_text_source *source;
    struct arena *arena;
    struct diags *diags;
    struct buf out;
};

static bool is_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return name.len != 0;
}

static bool wrong(struct expansion *x, size_t offset, const char *code, const char *help,
                  const char *what, struct str name)
{
    const struct conf_text_source *source = x->source;
    struct place place = source->node != NULL ? yaml_place(source->node, offset) : source->place;

    diag_add(x->diags, DIAG_ERROR, place, code, help, what, STR_ARG(name));
    return false;
}

/* ${file:PATH}: the line ends that an editor or `echo` leaves are not part of it. */
static bool put_file(struct expansion *x, struct str path, size_t offset)
{
    struct err err = {0};
    struct str text;

    if (file_read(arena_str(x->arena, path).data, x->arena, &text, &err) != ERR_NONE)
        return wrong(x, offset, "file", "make the file, or name another one", "%.*s",
                     str_of(err.text));
    while (text.len != 0 && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == '\r'))
        text.len--;
    if (text.len > LIMIT_YAML_BYTES || memchr(text.data, '\0', text.len) != NULL)
        return wrong(x, offset, "file", "make it shorter, or name another one",
                     "%.*s is too large or no text", path);
    buf_put(&x->out, text);
    return true;
}

static bool put_variable(struct expansion *x, struct str name, const struct str *fallback,
                         size_t offset)
{
    const char *value;

    if (!is_name(name))
        return wrong(x, offset, "reference", "write ${VAR}, ${VAR:default} or ${file:PATH}",
                     "\"%.*s\" is no name of a variable", name);
    value = getenv(arena_str(x->arena, name).data);
    if (value == NULL && fallback == NULL)
        return wrong(x, offset, "unset-variable", "set it, or write a default: ${NAME:default}",
                     "the environment variable %.*s is not set", name);
    buf_put(&x->out, value != NULL ? str_of(value) : *fallback);
    return true;
}

/* One reference, its ${ and } taken off. */
static bool put_reference(struct expansion *x, struct str inside, size_t offset)
{
    struct str name = inside, rest;
    bool cut = str_cut(inside, ':', &name, &rest);

    if (cut && str_is(name, "file"))
        return put_file(x, rest, offset);
    return put_variable(x, cut ? name : inside, cut ? &rest : NULL, offset);
}

static bool put_all(struct expansion *x)
{
    struct str text = x->source->text;
    bool fine = true;

    for (size_t at = 0; at < text.len;) {
        struct str rest = str_slice(text, at, text.len);
        const char *end;
        if (str_starts(rest, STR("$${"))) {
            buf_put_text(&x->out, "${");
            at += 3;
        } else if (!str_starts(rest, STR("${"))) {
            buf_put_char(&x->out, text.data[at++]);
        } else if ((end = memchr(rest.data, '}', rest.len)) == NULL) {
            return wrong(x, at, "reference", "for a plain ${ write $${", "%.*s has no }", rest);
        } else {
            size_t size = (size_t)(end - rest.data);
            fine &= put_reference(x, str_slice(rest, 2, size), at);
            at += size + 1;
        }
    }
    return fine;
}

bool conf_expand(const struct conf_text_source *source, struct arena *arena, struct str *out,
                 struct diags *diags)
{
    struct expansion x = {.source = source, .arena = arena, .diags = diags};
    bool fine = put_all(&x);

    if (fine && (!str_is_utf8(buf_str(&x.out)) ||
                 (x.out.len != 0 && memchr(x.out.data, '\0', x.out.len) != NULL)))
        fine = wrong(&x, 0, "wrong-value", NULL, "the value is no UTF-8 text%.*s", STR_EMPTY);
    *out = arena_str(arena, buf_str(&x.out));
    buf_free(&x.out);
    return fine;
}

bool conf_is_reference(struct str text)
{
    const char *end = text.len > 2 ? memchr(text.data, '}', text.len) : NULL;

    return str_starts(text, STR("${")) && end == text.data + text.len - 1;
}
