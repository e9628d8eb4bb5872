#include "schemas/identity.h"

#include <inttypes.h>

#include "core/limit.h"

enum { DIGITS_MIN = 7, DIGITS_MAX = 15 }; /* E.164 */

/* --- looking up ---------------------------------------------------------------------------------- */

static const struct calling_code countries[] = {
#define COUNTRY(iso, code, trunk, abroad) {#iso, code, trunk, abroad},
#include "schemas/calling_codes.def"
#undef COUNTRY
    {NULL, NULL, NULL, NULL},
};

const struct calling_code *calling_code_at(size_t index)
{
    return index < sizeof countries / sizeof countries[0] - 1 ? &countries[index] : NULL;
}

const struct calling_code *calling_code_find(struct str country)
{
    for (size_t i = 0; countries[i].country != NULL; i++)
        if (str_is(country, countries[i].country))
            return &countries[i];
    return NULL;
}

const struct alias_use *identity_use(const struct identity *identity, struct str type)
{
    for (size_t low = 0, high = identity->use_count; low < high;) {
        size_t middle = low + (high - low) / 2;
        int order = str_compare(identity->uses[middle].type, type);

        if (order == 0)
            return &identity->uses[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct alias_kind *identity_kind(const struct identity *identity, struct str alias)
{
    static const struct alias_kind unknown = {.owners = LIMIT_ALIAS_OWNERS,
                                              .park_ms = LIMIT_PARK_DAYS * INT64_C(86400000),
                                              .park_events = LIMIT_PARK_EVENTS,
                                              .park_bytes = LIMIT_PARK_BYTES};
    struct str name = alias, value;

    str_cut(alias, ':', &name, &value);
    for (size_t i = 0; i < identity->kind_count; i++)
        if (str_equal(identity->kinds[i].name, name))
            return &identity->kinds[i];
    return &unknown;
}

/* --- one spelling ---------------------------------------------------------------------------------- */

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return is_upper(c) ? (char)(c + ('a' - 'A')) : c;
}

static char upper(char c)
{
    return is_lower(c) ? (char)(c - ('a' - 'A')) : c;
}

static void put_plain(struct buf *out, const struct alias_kind *kind, struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        buf_put_char(out, kind->form == ALIAS_UPPER   ? upper(text.data[i])
                          : kind->form == ALIAS_LOWER ? lower(text.data[i])
                                                      : text.data[i]);
}

static bool put_email(struct buf *out, const struct alias_kind *kind, struct str text)
{
    size_t at = text.len, begin = out->len;

    while (at > 0 && text.data[at - 1] != '@')
        at--;
    if (at <= 1 || at == text.len)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        bool domain = i >= at;

        if (!domain && kind->ignore_dots && text.data[i] == '.')
            continue;
        buf_put_char(out, domain || kind->ignore_case ? lower(text.data[i]) : text.data[i]);
    }
    return out->len - begin > text.len - at + 1; /* something is left before the @ */
}

/* The digits of a number, and whether it begins with +.  False: there is something else in it. */
static bool phone_digits(struct str text, struct buf *digits, bool *plus)
{
    static const char between[] = " -./()\t";

    *plus = text.len != 0 && text.data[0] == '+';
    for (size_t i = *plus ? 1 : 0; i < text.len; i++) {
        struct str rest = str_slice(text, i, text.len);

        if (*plus && str_starts(rest, STR("(0)"))) { /* +31 (0)6 ...: for who dials from inside */
            i += 2;
            continue;
        }
        if (is_digit(text.data[i]))
            buf_put_char(digits, text.data[i]);
        else if (text.data[i] == '\0' || strchr(between, text.data[i]) == NULL)
            return false;
    }
    return true;
}

static bool put_phone(struct buf *out, const struct alias_kind *kind, struct str text)
{
    const struct calling_code *country = kind->country;
    struct buf buf = {0};
    struct str digits, code = STR_EMPTY;
    bool plus, good = phone_digits(text, &buf, &plus);

    digits = buf_str(&buf);
    if (good && !plus && country == NULL) {
        good = str_starts(digits, STR("00"));
        digits = str_slice(digits, 2, digits.len);
    } else if (good && !plus && str_starts(digits, str_of(country->abroad))) {
        digits = str_slice(digits, strlen(country->abroad), digits.len);
    } else if (good && !plus) {
        code = str_of(country->code);
        if (str_starts(digits, str_of(country->trunk)))
            digits = str_slice(digits, strlen(country->trunk), digits.len);
    }
    good = good && code.len + digits.len >= DIGITS_MIN && code.len + digits.len <= DIGITS_MAX &&
           (code.len != 0 || digits.data[0] != '0');
    if (good) {
        buf_put_char(out, '+');
        buf_put(out, code);
        buf_put(out, digits);
    }
    buf_free(&buf);
    return good;
}

static bool put_value(struct buf *out, const struct alias_kind *kind, struct str text)
{
    switch (kind->form) {
    case ALIAS_PHONE: return put_phone(out, kind, text);
    case ALIAS_EMAIL: return put_email(out, kind, text);
    case ALIAS_AS_IS:
    case ALIAS_UPPER:
    case ALIAS_LOWER: put_plain(out, kind, text); break;
    }
    return true;
}

static void put_stripped(struct buf *out, const struct alias_kind *kind, struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (memchr(kind->strip.data != NULL ? kind->strip.data : "", text.data[i],
                   kind->strip.len) == NULL)
            buf_put_char(out, text.data[i]);
}

static bool is_plain_text(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] < ' ' || text.data[i] == 0x7f)
            return false;
    return str_is_utf8(text);
}

bool alias_put(struct buf *out, const struct alias_kind *kind, struct value v)
{
    struct buf text = {0};
    size_t before = out->len, begin;
    bool good = v.kind == VALUE_STRING || v.kind == VALUE_INT;

    if (v.kind == VALUE_STRING)
        put_stripped(&text, kind, str_trim(value_str(v)));
    else if (good)
        buf_put_format(&text, "%" PRId64, v.i);
    buf_put(out, kind->name);
    buf_put_char(out, ':');
    begin = out->len;
    good = good && is_plain_text(buf_str(&text)) && put_value(out, kind, buf_str(&text)) &&
           out->len > begin && out->len - before <= LIMIT_SUBJECT_BYTES;
    if (!good)
        out->len = before;
    buf_free(&text);
    return good;
}
