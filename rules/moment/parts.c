/* A condition is cut at || and &&, and at those inside of brackets that hold a whole part, so that
 *
 *   customer.country == "NL" && (customer.bereaved || customer.spend_30d > 100.0)
 *
 * has three parts.  A choice (a ? b : c) binds less than both and is one part.  Cutting the text
 * and not the tree keeps what was written, blanks and all; it needs to know of strings and
 * brackets only.
 */
#include "core/str.h"
#include "rules/moment/compile.h"

static bool is_open(char c)
{
    return c == '(' || c == '[' || c == '{';
}

static bool is_closed(char c)
{
    return c == ')' || c == ']' || c == '}';
}

static bool is_raw(struct str text, size_t at)
{
    return at > 0 && (text.data[at - 1] == 'r' || text.data[at - 1] == 'R');
}

static bool is_tripled(struct str text, size_t at)
{
    return at + 2 < text.len && text.data[at + 1] == text.data[at] &&
           text.data[at + 2] == text.data[at];
}

/* Behind the string that begins at `at`. */
static size_t skip_string(struct str text, size_t at)
{
    char quote = text.data[at];
    bool raw = is_raw(text, at), tripled = is_tripled(text, at);

    for (at += tripled ? 3 : 1; at < text.len; at++) {
        if (text.data[at] == '\\' && !raw)
            at++;
        else if (text.data[at] == quote && (!tripled || is_tripled(text, at)))
            return at + (tripled ? 3 : 1);
    }
    return text.len;
}

/* Behind what begins at `at`: a string, or one character. */
static size_t skip(struct str text, size_t at, int *depth)
{
    char c = text.data[at];

    if (c == '"' || c == '\'')
        return skip_string(text, at);
    *depth += is_open(c) - is_closed(c);
    return at + 1;
}

static bool is_choice(struct str text)
{
    int depth = 0;

    for (size_t at = 0; at < text.len;) {
        bool optional = at > 0 && text.data[at - 1] == '.';

        if (depth == 0 && text.data[at] == '?' && !optional)
            return true;
        at = skip(text, at, &depth);
    }
    return false;
}

/* Where the first `sign`, && or ||, outside of brackets stands; text.len: nowhere. */
static size_t find_sign(struct str text, char sign)
{
    int depth = 0;

    for (size_t at = 0; at + 1 < text.len;) {
        if (depth == 0 && text.data[at] == sign && text.data[at + 1] == sign)
            return at;
        at = skip(text, at, &depth);
    }
    return text.len;
}

/* "(a || b)" without its brackets, if one pair is around all of it. */
static bool unwrap(struct str *text)
{
    int depth = 0;
    size_t at = 0;

    if (text->len < 2 || text->data[0] != '(')
        return false;
    do {
        at = skip(*text, at, &depth);
    } while (at < text->len && depth != 0);
    if (depth != 0 || at != text->len)
        return false;
    *text = str_trim(str_slice(*text, 1, text->len - 1));
    return true;
}

static void cut(struct str text, struct str parts[PARTS_MAX], size_t *count)
{
    size_t at;

    text = str_trim(text);
    while (unwrap(&text)) {
    }
    at = is_choice(text) ? text.len : find_sign(text, '|');
    if (at == text.len && !is_choice(text))
        at = find_sign(text, '&');
    if (at < text.len && *count + 1 < PARTS_MAX) {
        cut(str_slice(text, 0, at), parts, count);
        cut(str_slice(text, at + 2, text.len), parts, count);
    } else if (*count < PARTS_MAX) {
        parts[(*count)++] = text;
    }
}

size_t parts_cut(struct str text, struct str parts[PARTS_MAX])
{
    size_t count = 0;

    cut(text, parts, &count);
    return count > 1 ? count : 0;
}
