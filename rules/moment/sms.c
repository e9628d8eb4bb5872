#include "rules/moment/sms.h"

enum { GSM_ONE = 160, GSM_EACH = 153, UCS2_ONE = 70, UCS2_EACH = 67 };

/* Code points of the basic alphabet beyond ASCII, ascending. */
static const unsigned basic[] = {
    0xa1, 0xa3, 0xa4, 0xa5,  0xa7,  0xbf,  0xc4,  0xc5,  0xc6,  0xc7,  0xc9,  0xd1,  0xd6,
    0xd8, 0xdc, 0xdf, 0xe0,  0xe4,  0xe5,  0xe6,  0xe8,  0xe9,  0xec,  0xf1,  0xf2,  0xf6,
    0xf8, 0xf9, 0xfc, 0x393, 0x394, 0x398, 0x39b, 0x39e, 0x3a0, 0x3a3, 0x3a6, 0x3a8, 0x3a9,
};

/* Units in the GSM alphabet; 0: it is not in it. */
static size_t gsm_units(unsigned c)
{
    if (c == 0x20ac || c == '\f' || (c != 0 && c < 128 && strchr("^{}\\[~]|", (int)c) != NULL))
        return 2;
    if (c == '\n' || c == '\r' || (c >= ' ' && c < 127 && c != '`'))
        return 1;
    for (size_t i = 0; i < sizeof basic / sizeof basic[0]; i++)
        if (basic[i] == c)
            return 1;
    return 0;
}

static size_t ucs2_units(unsigned c)
{
    return c > 0xffff ? 2 : 1;
}

/* The code point at *at, and step over it; a broken byte stands for itself. */
static unsigned next(struct str text, size_t *at)
{
    unsigned char first = (unsigned char)text.data[(*at)++];
    unsigned c = first;
    int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;

    if (more != 0)
        c = first & (0x3fU >> more);
    for (; more > 0 && *at < text.len && ((unsigned char)text.data[*at] & 0xc0) == 0x80; more--)
        c = c << 6 | ((unsigned char)text.data[(*at)++] & 0x3f);
    return c;
}

static bool needs_ucs2(struct str text)
{
    for (size_t at = 0; at < text.len;)
        if (gsm_units(next(text, &at)) == 0)
            return true;
    return false;
}

/* Parts of `each` units, no character cut in two. */
static size_t parts_of(struct str text, bool ucs2, size_t each)
{
    size_t parts = 1, used = 0;

    for (size_t at = 0; at < text.len;) {
        unsigned c = next(text, &at);
        size_t units = ucs2 ? ucs2_units(c) : gsm_units(c);
        if (used + units > each) {
            parts++;
            used = 0;
        }
        used += units;
    }
    return parts;
}

struct sms_size sms_measure(struct str text)
{
    struct sms_size size = {.ucs2 = needs_ucs2(text)};
    size_t one = size.ucs2 ? UCS2_ONE : GSM_ONE, each = size.ucs2 ? UCS2_EACH : GSM_EACH;

    for (size_t at = 0; at < text.len;) {
        unsigned c = next(text, &at);
        size.units += size.ucs2 ? ucs2_units(c) : gsm_units(c);
    }
    if (size.units == 0)
        return size;
    size.parts = size.units <= one ? 1 : parts_of(text, size.ucs2, each);
    size.room = size.parts == 1 ? one : size.parts * each;
    return size;
}
