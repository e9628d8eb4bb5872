/* Texts are most of a document, so their plain bytes go by eight at a time.  A number is built in
 * an integer and scaled once, which is exact as long as both fit a double (below 2^53, powers of
 * ten up to 22: Clinger, "How to read floating point numbers accurately"); others go to strtod.
 */
#include "core/json_scan.h"

#include <math.h>
#include <stdlib.h>

#include "core/limit.h"

/* --- bytes ---------------------------------------------------------------------------------------- */

#define EACH(byte) (0x0101010101010101u * (uint64_t)(byte))

/* Has any of the eight bytes a meaning in a text: a quote, a backslash, a control character, or
 * the start of a longer character?  (x - 1) & ~x has the top bit of a byte that is 0; a borrow
 * from such a byte may mark the next one too, which only costs a second look. */
static bool has_special(uint64_t eight)
{
    uint64_t quote = eight ^ EACH('"'), slash = eight ^ EACH('\\');

    return (((quote - EACH(1)) & ~quote) | ((slash - EACH(1)) & ~slash) |
            ((eight - EACH(0x20)) & ~eight) | eight) &
           EACH(0x80);
}

static bool is_special(char c)
{
    return (unsigned char)c < 0x20 || (unsigned char)c >= 0x80 || c == '"' || c == '\\';
}

static const char *skip_plain(const char *at, const char *end)
{
    uint64_t eight;

    for (; end - at >= 8; at += 8) {
        memcpy(&eight, at, 8);
        if (has_special(eight))
            break;
    }
    while (at < end && !is_special(*at))
        at++;
    return at;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool comes(const struct json_scan *s, char c)
{
    return s->at < s->end && *s->at == c;
}

static bool take(struct json_scan *s, char c)
{
    if (!comes(s, c))
        return false;
    s->at++;
    return true;
}

static void skip_blanks(struct json_scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
        s->at++;
}

char json_scan_peek(struct json_scan *s)
{
    skip_blanks(s);
    return s->at < s->end ? *s->at : '\0';
}

/* --- texts ---------------------------------------------------------------------------------------- */

/* The 16 bits of "\uXXXX" at p; -1: it is none. */
static int32_t unit_at(const char *p, const char *end)
{
    int32_t unit = 0;

    if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        char c = p[i];
        int digit = is_digit(c)              ? c - '0'
                    : (c >= 'a' && c <= 'f') ? c - 'a' + 10
                    : (c >= 'A' && c <= 'F') ? c - 'A' + 10
                                             : -1;
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

/* The character that the escape at *p means, *p behind it; 0: none that may stand in a text. */
static uint32_t unescape(const char **p, const char *end)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *found;
    int32_t unit, low;

    if (end - *p < 2)
        return 0;
    if ((*p)[1] != 'u') {
        found = (*p)[1] != '\0' ? strchr(from, (*p)[1]) : NULL;
        *p += 2;
        return found != NULL ? (uint32_t)(unsigned char)to[found - from] : 0;
    }
    unit = unit_at(*p, end);
    *p += 6;
    if (unit <= 0 || (unit >= 0xdc00 && unit <= 0xdfff))
        return 0;
    if (unit < 0xd800 || unit > 0xdbff)
        return (uint32_t)unit;
    low = unit_at(*p, end);
    *p += 6;
    if (low < 0xdc00 || low > 0xdfff)
        return 0;
    return 0x10000u + ((uint32_t)(unit - 0xd800) << 10 | (uint32_t)(low - 0xdc00));
}

static size_t put_utf8(char *out, uint32_t c)
{
    size_t bytes = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    if (bytes == 1) {
        out[0] = (char)c;
        return 1;
    }
    for (size_t i = bytes - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(c | (0xf00u >> bytes & 0xff));
    return bytes;
}

/* A text between its quotes, which is known to be well formed, without its escapes. */
static struct str unescaped(struct str raw, struct arena *arena)
{
    const char *p = raw.data, *end = raw.data + raw.len;
    char *text = arena_alloc_raw(arena, raw.len);
    size_t bytes = 0;

    while (p < end) {
        if (*p == '\\')
            bytes += put_utf8(text + bytes, unescape(&p, end));
        else
            text[bytes++] = *p++;
    }
    return (struct str){text, bytes};
}

bool json_scan_text(struct json_scan *s, struct str *raw, bool *escaped)
{
    const char *p;

    *escaped = false;
    if (json_scan_peek(s) != '"')
        return false;
    p = ++s->at;
    for (;;) {
        p = skip_plain(p, s->end);
        if (p == s->end)
            return false;
        if (*p == '"')
            break;
        if (*p == '\\') {
            *escaped = true;
            if (unescape(&p, s->end) == 0)
                return false;
        } else {
            size_t bytes = str_utf8_bytes((struct str){p, (size_t)(s->end - p)});
            if ((unsigned char)*p < 0x20 || bytes == 0)
                return false;
            p += bytes;
        }
    }
    *raw = (struct str){s->at, (size_t)(p - s->at)};
    s->at = p + 1;
    return true;
}

/* --- numbers -------------------------------------------------------------------------------------- */

enum { DIGITS = 18 }; /* so many fit an int64_t, whatever they are */

struct digits {
    int64_t all; /* of the integer and the fraction, as one number */
    int count;   /* of them, without leading zeros */
    int scale;   /* it is all * 10^scale */
};

static bool take_digits(struct json_scan *s, struct digits *d, int scale_step)
{
    const char *from = s->at;

    for (; s->at < s->end && is_digit(*s->at); s->at++) {
        if (d->count == DIGITS)
            return false;
        d->all = d->all * 10 + (*s->at - '0');
        d->count += d->all != 0;
        d->scale -= scale_step;
    }
    return s->at != from;
}

static bool take_exponent(struct json_scan *s, struct digits *d)
{
    struct digits exponent = {0};
    bool minus = comes(s, '-');

    if (minus || comes(s, '+'))
        s->at++;
    if (!take_digits(s, &exponent, 0) || exponent.all > 999)
        return false;
    d->scale += minus ? -(int)exponent.all : (int)exponent.all;
    return true;
}

static bool scaled(const struct digits *d, struct str text, double *out)
{
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    char copy[64];

    if (d->all <= INT64_C(1) << 53 && d->scale >= -22 && d->scale <= 22) {
        *out = d->scale < 0 ? (double)d->all / tens[-d->scale] : (double)d->all * tens[d->scale];
        return true;
    }
    if (text.len >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    *out = fabs(strtod(copy, NULL));
    return isfinite(*out);
}

static bool scan_number(struct json_scan *s, struct value *out)
{
    const char *from = s->at;
    bool minus = take(s, '-'), whole = true;
    struct digits d = {0};
    double number;

    if (comes(s, '0'))
        s->at++;
    else if (!take_digits(s, &d, 0))
        return false;
    if (take(s, '.')) {
        whole = false;
        if (!take_digits(s, &d, 1))
            return false;
    }
    if (comes(s, 'e') || comes(s, 'E')) {
        whole = false;
        s->at++;
        if (!take_exponent(s, &d))
            return false;
    }
    if (whole) {
        *out = value_int(minus ? -d.all : d.all);
        return true;
    }
    if (!scaled(&d, (struct str){from, (size_t)(s->at - from)}, &number))
        return false;
    *out = value_double(minus ? -number : number);
    return true;
}

/* --- values --------------------------------------------------------------------------------------- */

static bool scan_word(struct json_scan *s, struct str word, struct value meaning, struct value *out)
{
    if (!str_starts((struct str){s->at, (size_t)(s->end - s->at)}, word))
        return false;
    s->at += word.len;
    *out = meaning;
    return true;
}

bool json_scan_scalar(struct json_scan *s, struct value *out)
{
    struct str raw;
    bool escaped;

    switch (json_scan_peek(s)) {
    case '"':
        if (!json_scan_text(s, &raw, &escaped))
            return false;
        *out = value_string(escaped ? unescaped(raw, s->arena) : raw);
        return true;
    case 't': return scan_word(s, STR("true"), value_bool(true), out);
    case 'f': return scan_word(s, STR("false"), value_bool(false), out);
    case 'n': return scan_word(s, STR("null"), (struct value){.kind = VALUE_NULL}, out);
    default: return scan_number(s, out);
    }
}

bool json_scan_enter(struct json_scan *s, struct json_scan_keys *keys)
{
    keys->count = 0;
    keys->seen = 0;
    return take(s, '{') && ++s->depth <= LIMIT_JSON_DEPTH;
}

static bool is_new(struct json_scan_keys *keys, struct str key)
{
    unsigned first = key.len > 0 ? (unsigned char)key.data[0] : 0,
             last = key.len > 0 ? (unsigned char)key.data[key.len - 1] : 0;
    uint64_t bit = UINT64_C(1) << ((first * 5 + last * 11 + key.len) & 63);

    if (keys->count == JSON_SCAN_KEYS)
        return false;
    if ((keys->seen & bit) != 0)
        for (size_t i = 0; i < keys->count; i++)
            if (str_equal(keys->keys[i], key))
                return false;
    keys->seen |= bit;
    keys->keys[keys->count++] = key;
    return true;
}

bool json_scan_key(struct json_scan *s, struct json_scan_keys *keys, struct str *key, bool *more)
{
    bool escaped;

    skip_blanks(s);
    *more = !take(s, '}');
    if (!*more) {
        s->depth--;
        return true;
    }
    if (keys->count > 0 && !take(s, ','))
        return false;
    if (!json_scan_text(s, key, &escaped) || escaped || !is_new(keys, *key))
        return false;
    skip_blanks(s);
    return take(s, ':');
}

static bool over_object(struct json_scan *s)
{
    struct json_scan_keys keys;
    struct str key;
    bool more;

    if (!json_scan_enter(s, &keys))
        return false;
    for (;;) {
        if (!json_scan_key(s, &keys, &key, &more))
            return false;
        if (!more)
            return true;
        if (!json_scan_over(s))
            return false;
    }
}

static bool over_list(struct json_scan *s)
{
    s->at++;
    if (++s->depth > LIMIT_JSON_DEPTH)
        return false;
    if (json_scan_peek(s) != ']')
        do {
            if (!json_scan_over(s))
                return false;
            skip_blanks(s);
        } while (take(s, ','));
    s->depth--;
    return take(s, ']');
}

bool json_scan_over(struct json_scan *s)
{
    struct value ignored;
    struct str raw;
    bool escaped;

    switch (json_scan_peek(s)) {
    case '{': return over_object(s);
    case '[': return over_list(s);
    case '"': return json_scan_text(s, &raw, &escaped);
    default: return json_scan_scalar(s, &ignored);
    }
}

/* --- whole values ----------------------------------------------------------------------------------- */

static bool list_value(struct json_scan *s, struct value *out)
{
    struct value *items = NULL;
    size_t count = 0, room = 0;

    s->at++;
    if (++s->depth > LIMIT_JSON_DEPTH)
        return false;
    if (json_scan_peek(s) != ']')
        do {
            if (count == room) {
                struct value *more = ARENA_ARRAY(s->arena, struct value, room = room * 2 + 4);
                if (count > 0)
                    memcpy(more, items, count * sizeof *items);
                items = more;
            }
            if (!json_scan_value(s, &items[count++]))
                return false;
            skip_blanks(s);
        } while (take(s, ','));
    s->depth--;
    *out = value_list(items, count);
    return take(s, ']');
}

static bool map_value(struct json_scan *s, struct value *out)
{
    struct value_entry entries[JSON_SCAN_KEYS];
    struct json_scan_keys keys;
    struct str key;
    size_t count = 0;
    bool more;

    if (!json_scan_enter(s, &keys))
        return false;
    for (;; count++) {
        if (!json_scan_key(s, &keys, &key, &more))
            return false;
        if (!more)
            break;
        entries[count].key = value_string(arena_str(s->arena, key));
        if (!json_scan_value(s, &entries[count].value))
            return false;
    }
    *out = value_map(arena_copy(s->arena, entries, count * sizeof *entries), count);
    return count <= VALUE_MAP_SCAN || value_map_index(s->arena, out); /* keys differ */
}

bool json_scan_value(struct json_scan *s, struct value *out)
{
    switch (json_scan_peek(s)) {
    case '{': return map_value(s, out);
    case '[': return list_value(s, out);
    default:
        if (!json_scan_scalar(s, out))
            return false;
        if (out->kind == VALUE_STRING)
            *out = value_string(arena_str(s->arena, value_str(*out)));
        return true;
    }
}
