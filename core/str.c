#include "core/str.h"

enum { NEAREST_LEN_MAX = 64 }; /* names longer than this are never suggested */

int str_compare(struct str a, struct str b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter != 0 ? memcmp(a.data, b.data, shorter) : 0;

    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_equal((struct str){s.data, prefix.len}, prefix);
}

bool str_ends(struct str s, struct str suffix)
{
    if (suffix.len == 0)
        return true; /* also of the empty text, which may have no data to point into */
    return s.len >= suffix.len &&
           str_equal((struct str){s.data + (s.len - suffix.len), suffix.len}, suffix);
}

bool str_contains(struct str s, struct str part)
{
    if (part.len == 0)
        return true;
    return s.len != 0 && memmem(s.data, s.len, part.data, part.len) != NULL;
}

struct str str_slice(struct str s, size_t from, size_t to)
{
    if (to > s.len)
        to = s.len;
    if (from >= to)
        return STR_EMPTY;
    return (struct str){s.data + from, to - from};
}

struct str str_head(struct str s, size_t bytes_max)
{
    size_t end = bytes_max;

    if (s.len <= bytes_max)
        return s;
    while (end != 0 && bytes_max - end < 3 && ((unsigned char)s.data[end] & 0xc0) == 0x80)
        end--;
    return (struct str){s.data, end};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct str str_trim(struct str s)
{
    while (s.len != 0 && is_blank(s.data[0])) {
        s.data++;
        s.len--;
    }
    while (s.len != 0 && is_blank(s.data[s.len - 1]))
        s.len--;
    return s;
}

bool str_cut(struct str s, char at, struct str *before, struct str *after)
{
    const char *found = s.len != 0 ? memchr(s.data, at, s.len) : NULL;
    size_t index;

    if (found == NULL)
        return false;
    index = (size_t)(found - s.data);
    *before = (struct str){s.data, index};
    *after = (struct str){found + 1, s.len - index - 1};
    return true;
}

bool str_read_number(struct str s, uint64_t *out)
{
    uint64_t number = 0;

    *out = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned)(s.data[i] - '0');

        if (digit > 9 || number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *out = number;
    return s.len != 0;
}

size_t str_utf8_bytes(struct str s)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)s.data;
    uint32_t code;
    size_t bytes;

    if (s.len == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    bytes = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || bytes > s.len)
        return 0;
    code = p[0] & (0x7fu >> bytes);
    for (size_t i = 1; i < bytes; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3f);
    }
    if (code < smallest[bytes] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    return bytes;
}

/* Where the next byte is that is not ASCII; most texts have none. */
static size_t skip_ascii(struct str s, size_t at)
{
    uint64_t eight;

    for (; s.len - at >= sizeof eight; at += sizeof eight) {
        memcpy(&eight, s.data + at, sizeof eight);
        if ((eight & 0x8080808080808080u) != 0)
            break;
    }
    while (at < s.len && (unsigned char)s.data[at] < 0x80)
        at++;
    return at;
}

bool str_is_utf8(struct str s)
{
    for (size_t i = skip_ascii(s, 0); i < s.len; i = skip_ascii(s, i)) {
        size_t bytes = str_utf8_bytes((struct str){s.data + i, s.len - i});
        if (bytes == 0)
            return false;
        i += bytes;
    }
    return true;
}

/* Levenshtein distance, one row at a time. */
static size_t edit_distance(struct str a, struct str b)
{
    size_t row[NEAREST_LEN_MAX + 1];

    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t change = diagonal + (a.data[i - 1] != b.data[j - 1]);
            diagonal = row[j];
            size_t edit = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = change < edit ? change : edit;
        }
    }
    return row[b.len];
}

struct str str_nearest(struct str wrong, const struct str *names, size_t count)
{
    struct str best = STR_EMPTY;
    size_t best_distance = SIZE_MAX;

    if (wrong.len > NEAREST_LEN_MAX)
        return best;
    for (size_t i = 0; i < count; i++) {
        size_t longer = names[i].len > wrong.len ? names[i].len : wrong.len;
        if (names[i].len == 0 || names[i].len > NEAREST_LEN_MAX)
            continue;
        size_t distance = edit_distance(wrong, names[i]);
        if (distance <= (longer + 2) / 3 && distance < best_distance) {
            best = names[i];
            best_distance = distance;
        }
    }
    return best;
}
