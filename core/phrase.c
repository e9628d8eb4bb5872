#include "core/phrase.h"

#include "core/check.h"

enum { PART_BYTES_MAX = 8, TAG_BYTES_MAX = 35 }; /* RFC 5646 4.4.1: 35 are enough for any tag */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char folded(char c)
{
    if (c == '_')
        return '-';
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool language_is_tag(struct str tag)
{
    size_t part = 0, parts = 0;

    for (size_t i = 0; i < tag.len; i++) {
        char c = folded(tag.data[i]);
        if (c == '-' && part >= (parts == 0 ? 2 : 1)) {
            part = 0;
            parts++;
        } else if ((is_letter(c) || (parts != 0 && c >= '0' && c <= '9')) &&
                   part < PART_BYTES_MAX) {
            part++;
        } else {
            return false;
        }
    }
    return tag.len <= TAG_BYTES_MAX && part >= (parts == 0 ? 2 : 1);
}

bool language_equal(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (folded(a.data[i]) != folded(b.data[i]))
            return false;
    return true;
}

struct str language_primary(struct str tag)
{
    size_t end = 0;

    while (end < tag.len && folded(tag.data[end]) != '-')
        end++;
    return str_slice(tag, 0, end);
}

int phrases_find(const struct phrases *phrases, struct str language, struct str fallback)
{
    for (size_t i = 0; i < phrases->count; i++) {
        struct str own = phrases->items[i].language;
        if (language_equal(own.len != 0 ? own : fallback, language))
            return (int)i;
    }
    return -1;
}

size_t phrases_choose(const struct phrases *phrases, struct str wanted, struct str fallback)
{
    const struct str tries[] = {wanted, language_primary(wanted), fallback};

    CHECK(phrases->count != 0);
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        int found = tries[i].len != 0 ? phrases_find(phrases, tries[i], fallback) : -1;
        if (found >= 0)
            return (size_t)found;
    }
    return 0;
}

struct str phrases_text(const struct phrases *phrases, struct str wanted, struct str fallback)
{
    if (phrases->count == 0)
        return STR_EMPTY;
    return phrases->items[phrases_choose(phrases, wanted, fallback)].text;
}

/* --- brackets ----------------------------------------------------------------------------------- */

bool phrase_fits(struct str text)
{
    bool inside = false, bar = false;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if ((c == '[' && inside) || (c == ']' && !inside) || (c == '|' && inside && bar))
            return false;
        bar = inside && (bar || c == '|');
        inside = c == '[' || (inside && c != ']');
    }
    return !inside;
}

bool phrase_turns(struct str text)
{
    return text.len != 0 && memchr(text.data, '[', text.len) != NULL;
}

/* Where nothing is said between two blanks, one of them goes. */
static void put(struct buf *out, size_t from, struct str words)
{
    if (words.len != 0 && words.data[0] == ' ' &&
        (out->len == from || buf_str(out).data[out->len - 1] == ' '))
        words = str_slice(words, 1, words.len);
    buf_put(out, words);
}

void phrase_say(struct buf *out, struct str text, bool so)
{
    struct str before, inside, yes, no;
    size_t from = out->len;

    while (str_cut(text, '[', &before, &text) && str_cut(text, ']', &inside, &text)) {
        put(out, from, before);
        if (!str_cut(inside, '|', &yes, &no)) {
            yes = STR_EMPTY;
            no = inside;
        }
        put(out, from, so ? yes : no);
    }
    put(out, from, text);
}
