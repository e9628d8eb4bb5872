/* A configuration and one override, with a zero byte between: TEXT \0 PATH \0 VALUE.  What is
 * accepted is printed and must be accepted again. */
#include <stdint.h>
#include <stdlib.h>

#include "core/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct conf_field item_fields[] = {
    {.path = "mode", .kind = CONF_CHOICE, .fallback = "a", .choices = "a|b", .doc = "A choice."},
    {.path = "deep.time", .kind = CONF_SPAN, .fallback = "1d", .doc = "A span."},
    {0},
};

static const struct conf_field table[] = {
    {.path = "s.text", .kind = CONF_TEXT, .fallback = "", .doc = "A text."},
    {.path = "s.secret", .kind = CONF_TEXT, .fallback = "", .secret = true, .doc = "A secret."},
    {.path = "s.free", .kind = CONF_FREE, .fallback = "", .doc = "Free."},
    {.path = "i", .kind = CONF_INT, .fallback = "1", .min = 1, .max = 9, .doc = "A number."},
    {.path = "b", .kind = CONF_BOOL, .fallback = "true", .doc = "A bool."},
    {.path = "z", .kind = CONF_BYTES, .fallback = "1kB", .doc = "A size."},
    {.path = "l", .kind = CONF_LIST, .fallback = "[a]", .choices = "a|b", .doc = "A list."},
    {.path = "m",
     .kind = CONF_ITEMS,
     .fallback = "{x: {}}",
     .fields = item_fields,
     .doc = "Items."},
    {0},
};

static const struct conf *read_once(struct str text, const struct conf_override *override,
                                    struct arena *arena)
{
    struct diags diags = {0};
    struct buf out = {0};
    const struct conf *conf =
        conf_read(table, text, "f", override, override->path.len != 0, arena, &diags);

    if ((conf == NULL) != (diags.error_count != 0))
        abort();
    for (size_t i = 0; i < diags.count; i++)
        diag_print(&out, &diags.items[i], text);
    buf_free(&out);
    diags_free(&diags);
    return conf;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size}, rest = STR_EMPTY;
    struct conf_override override = {0}, none = {0};
    struct arena *arena = arena_new(0);
    struct buf out = {0};
    const struct conf *conf;

    if (str_cut(text, '\0', &text, &rest) && !str_cut(rest, '\0', &override.path, &override.value))
        override.path = rest;
    if (memmem(data, size, "file", 4) == NULL) { /* no reading of whatever stands on this disk */
        conf = read_once(text, &override, arena);
        if (conf != NULL && conf_text(conf, "s.secret").len == 0) {
            conf_print(&out, conf);
            if (read_once(buf_str(&out), &none, arena) == NULL)
                abort();
        }
    }
    buf_free(&out);
    arena_free(arena);
    return 0;
}
