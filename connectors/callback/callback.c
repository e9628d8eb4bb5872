#include "connectors/callback/callback.h"

#include "core/check.h"

static const struct {
    const char *text;
    bool final;
} codes[] = {
#define CALLBACK_CODE(name, code, final) {code, final},
#include "connectors/callback/codes.def"
#undef CALLBACK_CODE
};

const char *callback_code_text(enum callback_code code)
{
    CHECK(code < CALLBACK_CODE_COUNT);
    return codes[code].text;
}

bool callback_code_is_final(enum callback_code code)
{
    CHECK(code < CALLBACK_CODE_COUNT);
    return codes[code].final;
}

/* --- reports ------------------------------------------------------------------------------------- */

/* Room for one more; the old array stays in the arena. */
static void *grow(struct arena *arena, const void *items, size_t count, size_t item_bytes,
                  size_t *capacity)
{
    void *more;

    *capacity = *capacity != 0 ? 2 * *capacity : 4;
    more = arena_alloc(arena, arena_array_bytes(*capacity, item_bytes));
    if (count != 0)
        memcpy(more, items, count * item_bytes);
    return more;
}

struct callback_outcome *callback_add_outcome(struct callback_report *report, struct arena *arena)
{
    if (report->outcome_count == report->outcome_capacity)
        report->outcomes = grow(arena, report->outcomes, report->outcome_count,
                                sizeof *report->outcomes, &report->outcome_capacity);
    return &report->outcomes[report->outcome_count++];
}

struct callback_stop *callback_add_stop(struct callback_report *report, struct arena *arena)
{
    if (report->stop_count == report->stop_capacity)
        report->stops = grow(arena, report->stops, report->stop_count, sizeof *report->stops,
                             &report->stop_capacity);
    return &report->stops[report->stop_count++];
}

/* --- requests ------------------------------------------------------------------------------------ */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_but_for_case(struct str a, struct str b)
{
    for (size_t i = 0; a.len == b.len && i < a.len; i++)
        if (lower(a.data[i]) != lower(b.data[i]))
            return false;
    return a.len == b.len;
}

struct str callback_header(const struct callback *callback, const char *name)
{
    for (size_t i = 0; i < callback->header_count; i++)
        if (is_but_for_case(callback->headers[i].name, str_of(name)))
            return callback->headers[i].value;
    return STR_EMPTY;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode(struct str text, struct arena *arena, struct str *out)
{
    char *to = arena_alloc(arena, text.len + 1);
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i] == '+' ? ' ' : text.data[i];
        if (c == '%') {
            int high = i + 2 < text.len ? hex_digit(text.data[i + 1]) : -1;
            int low = i + 2 < text.len ? hex_digit(text.data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        to[count++] = c;
    }
    *out = (struct str){to, count};
    return true;
}

bool callback_form(struct str text, struct arena *arena, struct header **out, size_t *count)
{
    struct header *fields = ARENA_ARRAY(arena, struct header, CALLBACK_FORM_MAX);
    struct str one, name, value;

    *out = fields;
    *count = 0;
    while (text.len != 0) {
        struct str after = STR_EMPTY;
        one = text;
        str_cut(text, '&', &one, &after);
        text = after;
        if (one.len == 0)
            continue;
        name = one;
        value = STR_EMPTY;
        str_cut(one, '=', &name, &value);
        if (*count == CALLBACK_FORM_MAX || !decode(name, arena, &fields[*count].name) ||
            !decode(value, arena, &fields[*count].value))
            return false;
        (*count)++;
    }
    return true;
}

struct str callback_form_get(const struct header *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (str_is(fields[i].name, name))
            return fields[i].value;
    return STR_EMPTY;
}

/* --- STOP ---------------------------------------------------------------------------------------- */

/* The words that carriers and providers take for it, and those of our second language. */
static const char *const stop_words[] = {"stop",     "stopall",      "stop all",   "unsubscribe",
                                         "cancel",   "end",          "quit",       "opt out",
                                         "optout",   "opt-out",      "revoke",     "stoppen",
                                         "afmelden", "uitschrijven", "stop alles", "afmelden aub"};

bool callback_is_stop(struct str text)
{
    text = str_trim(text);
    while (text.len != 0 && (str_ends(text, STR(".")) || str_ends(text, STR("!"))))
        text = str_trim(str_slice(text, 0, text.len - 1));
    for (size_t i = 0; i < sizeof stop_words / sizeof stop_words[0]; i++)
        if (is_but_for_case(text, str_of(stop_words[i])))
            return true;
    return false;
}
