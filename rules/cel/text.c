/* Texts: size, search, change, conversions.  Indexes count characters (code points), never bytes;
 * a text that is not UTF-8 is never a reason to read outside it. */
#include <stdio.h>

#include "core/base64.h"
#include "core/limit.h"
#include "core/regex.h"
#include "rules/cel/funcs.h"

#define CEL_FN(name)                                                                               \
    struct value name(const struct cel_call *call);                                                \
    struct value name

enum {
    MATCH_STEPS_FEW = 2000, /* enough for plain patterns; costs a few steps of the budget */
    MATCH_COST_FEW = 10,
    MATCH_COST_MAX = LIMIT_CEL_STEPS / 5,
};

static struct value over_budget(void)
{
    return cel_error("the expression needs too many steps");
}

static struct str arg_str(const struct cel_call *call, size_t i)
{
    return value_str(call->args[i]);
}

/* --- room -------------------------------------------------------------------------------------- */

char *cel_text_room(struct cel_run *run, size_t bytes, struct value *error)
{
    if (bytes > LIMIT_CEL_TEXT_BYTES || !cel_charge(run, bytes / 16)) {
        *error = bytes > LIMIT_CEL_TEXT_BYTES ? cel_error("the text is too long") : over_budget();
        return NULL;
    }
    return arena_alloc_raw(run->arena, bytes + 1);
}

struct value cel_text_copy(struct cel_run *run, struct str s)
{
    struct value error;
    char *room = cel_text_room(run, s.len, &error);

    if (room == NULL)
        return error;
    if (s.len != 0)
        memcpy(room, s.data, s.len);
    return value_string((struct str){room, s.len});
}

/* Take what a buf has gathered and free it. */
static struct value take_buf(struct cel_run *run, struct buf *buf)
{
    struct value v = cel_text_copy(run, buf_str(buf));

    buf_free(buf);
    return v;
}

/* --- characters -------------------------------------------------------------------------------- */

static size_t char_bytes(struct str s, size_t at)
{
    size_t n = 1;

    while (at + n < s.len && ((unsigned char)s.data[at + n] & 0xc0) == 0x80)
        n++;
    return n;
}

static size_t char_count(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.data[i] & 0xc0) != 0x80 || i == 0;
    return n;
}

/* Byte offset of a character; s.len for the one behind the last, SIZE_MAX beyond. */
static size_t char_offset(struct str s, int64_t index)
{
    size_t at = 0;

    if (index < 0)
        return SIZE_MAX;
    for (; index > 0; index--) {
        if (at >= s.len)
            return SIZE_MAX;
        at += char_bytes(s, at);
    }
    return at;
}

static struct value out_of_range(struct cel_run *run, int64_t index)
{
    return value_error(run->arena, "index out of range: %lld", (long long)index);
}

CEL_FN(cel_fn_size)(const struct cel_call *call)
{
    struct value v = call->args[0];

    if (v.kind != VALUE_STRING)
        return value_int(v.n);
    return cel_charge(call->run, v.n / 16) ? value_int((int64_t)char_count(value_str(v)))
                                           : over_budget();
}

/* --- search ------------------------------------------------------------------------------------ */

CEL_FN(cel_fn_contains)(const struct cel_call *call)
{
    if (!cel_charge(call->run, call->args[0].n / 16))
        return over_budget();
    return value_bool(str_contains(arg_str(call, 0), arg_str(call, 1)));
}

CEL_FN(cel_fn_starts)(const struct cel_call *call)
{
    return value_bool(str_starts(arg_str(call, 0), arg_str(call, 1)));
}

CEL_FN(cel_fn_ends)(const struct cel_call *call)
{
    return value_bool(str_ends(arg_str(call, 0), arg_str(call, 1)));
}

/* First with few steps, which nearly always is enough, then with many, which costs many. */
struct value cel_match(struct cel_run *run, const struct regex *regex, struct str text)
{
    enum regex_answer answer;

    if (!cel_charge(run, MATCH_COST_FEW + text.len / 16))
        return over_budget();
    answer = regex_search(regex, text, MATCH_STEPS_FEW);
    if (answer == REGEX_TOO_COSTLY) {
        if (!cel_charge(run, MATCH_COST_MAX))
            return over_budget();
        answer = regex_search(regex, text, LIMIT_CEL_MATCH_STEPS);
    }
    if (answer == REGEX_TOO_COSTLY)
        return cel_error("the regular expression takes too long on this text");
    return value_bool(answer == REGEX_YES);
}

CEL_FN(cel_fn_matches)(const struct cel_call *call)
{
    struct regex *regex;
    struct err err = {0};

    if (!cel_charge(call->run, 200 + 4 * (size_t)call->args[1].n)) /* it is compiled each time */
        return over_budget();
    if (regex_compile(arg_str(call, 1), call->run->arena, &regex, &err) != ERR_NONE)
        return value_error(call->run->arena, "invalid regular expression: %s", err.text);
    return cel_match(call->run, regex, arg_str(call, 0));
}

static bool part_at(struct str s, size_t at, struct str part)
{
    return at + part.len <= s.len &&
           (part.len == 0 || memcmp(s.data + at, part.data, part.len) == 0);
}

CEL_FN(cel_fn_index_of)(const struct cel_call *call)
{
    struct str s = arg_str(call, 0), part = arg_str(call, 1);
    int64_t index = call->count > 2 ? call->args[2].i : 0;
    size_t at = char_offset(s, index);

    if (at == SIZE_MAX)
        return out_of_range(call->run, index);
    if (!cel_charge(call->run, s.len / 8 * (1 + part.len / 64)))
        return over_budget();
    for (; at <= s.len; index++) {
        if (part_at(s, at, part))
            return value_int(index);
        if (at == s.len)
            break;
        at += char_bytes(s, at);
    }
    return value_int(-1);
}

CEL_FN(cel_fn_last_index_of)(const struct cel_call *call)
{
    struct str s = arg_str(call, 0), part = arg_str(call, 1);
    int64_t last = call->count > 2 ? call->args[2].i : INT64_MAX, index = 0, found = -1;

    if (call->count > 2 && char_offset(s, last) == SIZE_MAX)
        return out_of_range(call->run, last);
    if (!cel_charge(call->run, s.len / 8 * (1 + part.len / 64)))
        return over_budget();
    for (size_t at = 0; at <= s.len && index <= last; index++) {
        if (part_at(s, at, part))
            found = index;
        if (at == s.len)
            break;
        at += char_bytes(s, at);
    }
    return value_int(found);
}

/* --- parts ------------------------------------------------------------------------------------- */

CEL_FN(cel_fn_char_at)(const struct cel_call *call)
{
    struct str s = arg_str(call, 0);
    size_t at = char_offset(s, call->args[1].i);

    if (!cel_charge(call->run, s.len / 16))
        return over_budget();
    if (at == SIZE_MAX)
        return out_of_range(call->run, call->args[1].i);
    return value_string(at == s.len ? STR_EMPTY : str_slice(s, at, at + char_bytes(s, at)));
}

CEL_FN(cel_fn_substring)(const struct cel_call *call)
{
    struct str s = arg_str(call, 0);
    size_t from = char_offset(s, call->args[1].i), to = s.len;

    if (!cel_charge(call->run, s.len / 16))
        return over_budget();
    if (from == SIZE_MAX)
        return out_of_range(call->run, call->args[1].i);
    if (call->count > 2 && (to = char_offset(s, call->args[2].i)) == SIZE_MAX)
        return out_of_range(call->run, call->args[2].i);
    if (from > to)
        return cel_error("invalid substring range: the start is behind the end");
    return value_string(str_slice(s, from, to));
}

/* Bytes of a white-space character at s.data[at], 0 if it is none (Unicode's White_Space). */
static size_t blank_bytes(struct str s, size_t at)
{
    static const char *const wide[] = {
        "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
        "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86",
        "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
        "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80",
    };
    char c = s.data[at];

    if (c == ' ' || (c >= '\t' && c <= '\r'))
        return 1;
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++)
        if (part_at(s, at, str_of(wide[i])))
            return strlen(wide[i]);
    return 0;
}

CEL_FN(cel_fn_trim)(const struct cel_call *call)
{
    struct str s = arg_str(call, 0);
    size_t from = 0, to = 0;

    while (from < s.len && blank_bytes(s, from) != 0)
        from += blank_bytes(s, from);
    for (size_t at = from; at < s.len; at += char_bytes(s, at))
        if (blank_bytes(s, at) == 0)
            to = at + char_bytes(s, at);
    return cel_charge(call->run, s.len / 4) ? value_string(str_slice(s, from, to)) : over_budget();
}

/* --- change ------------------------------------------------------------------------------------ */

CEL_FN(cel_fn_join_text)(const struct cel_call *call)
{
    struct value a = call->args[0], b = call->args[1], error;
    char *room = cel_text_room(call->run, (size_t)a.n + b.n, &error);

    if (room == NULL)
        return error;
    if (a.n != 0)
        memcpy(room, a.text, a.n);
    if (b.n != 0)
        memcpy(room + a.n, b.text, b.n);
    return (struct value){.kind = a.kind, .n = a.n + b.n, .text = room};
}

/* detail: 'a' to lower case, 'A' to upper case */
CEL_FN(cel_fn_case)(const struct cel_call *call)
{
    struct value v = cel_text_copy(call->run, arg_str(call, 0));
    char first = call->detail == 'a' ? 'A' : 'a';

    for (char *p = (char *)(uintptr_t)v.text; v.kind == VALUE_STRING && p < v.text + v.n; p++)
        if (*p >= first && *p <= first + 25)
            *p ^= 0x20;
    return v;
}

CEL_FN(cel_fn_reverse)(const struct cel_call *call)
{
    struct str s = arg_str(call, 0);
    struct value error;
    char *room = cel_text_room(call->run, s.len, &error), *to;

    if (room == NULL)
        return error;
    to = room + s.len;
    for (size_t at = 0; at < s.len;) {
        size_t bytes = char_bytes(s, at);
        to -= bytes;
        memcpy(to, s.data + at, bytes);
        at += bytes;
    }
    return value_string((struct str){room, s.len});
}

CEL_FN(cel_fn_replace)(const struct cel_call *call)
{
    struct str s = arg_str(call, 0), from = arg_str(call, 1), to = arg_str(call, 2);
    int64_t left = call->count > 3 && call->args[3].i >= 0 ? call->args[3].i : INT64_MAX;
    struct buf out = {0};

    if (!cel_charge(call->run, s.len / 8))
        return over_budget();
    for (size_t at = 0; at <= s.len && out.len <= LIMIT_CEL_TEXT_BYTES;) {
        bool found = left > 0 && part_at(s, at, from);
        size_t bytes = at < s.len ? char_bytes(s, at) : 0;
        if (found) {
            buf_put(&out, to);
            left--;
            if (from.len != 0) {
                at += from.len;
                continue;
            }
        }
        if (at == s.len)
            break;
        buf_put(&out, str_slice(s, at, at + bytes));
        at += bytes;
    }
    return take_buf(call->run, &out);
}

/* Parts of a text, at most `max`. */
static size_t split(struct str s, struct str by, size_t max, struct value *out)
{
    size_t count = 0, start = 0;

    for (size_t at = 0; at <= s.len && count + 1 < max;) {
        size_t step = by.len != 0 ? 1 : at < s.len ? char_bytes(s, at) : 1;
        bool found = by.len != 0 ? part_at(s, at, by) : at + step < s.len;
        if (!found) {
            at += step;
            continue;
        }
        size_t end = by.len != 0 ? at : at + step;
        if (out != NULL)
            out[count] = value_string(str_slice(s, start, end));
        count++;
        at = start = end + by.len;
    }
    if (by.len == 0 && s.len == 0)
        return 0;
    if (out != NULL)
        out[count] = value_string(str_slice(s, start, s.len));
    return count + 1;
}

CEL_FN(cel_fn_split)(const struct cel_call *call)
{
    int64_t max = call->count > 2 ? call->args[2].i : -1;
    size_t limit = max < 0 ? SIZE_MAX : (size_t)max, count;
    struct value *items;

    if (limit == 0)
        return value_list(NULL, 0);
    if (!cel_charge(call->run, call->args[0].n / 8))
        return over_budget();
    count = split(arg_str(call, 0), arg_str(call, 1), limit, NULL);
    if (!cel_charge(call->run, count))
        return over_budget();
    items = ARENA_ARRAY(call->run->arena, struct value, count);
    split(arg_str(call, 0), arg_str(call, 1), limit, items);
    return value_list(items, count);
}

CEL_FN(cel_fn_join)(const struct cel_call *call)
{
    struct value list = call->args[0];
    struct buf out = {0};

    for (size_t i = 0; i < list.n && out.len <= LIMIT_CEL_TEXT_BYTES; i++) {
        if (list.list[i].kind != VALUE_STRING) {
            buf_free(&out);
            return cel_no_overload(call->run, "join", &list.list[i], 1);
        }
        if (i != 0 && call->count > 1)
            buf_put(&out, arg_str(call, 1));
        buf_put(&out, value_str(list.list[i]));
    }
    return take_buf(call->run, &out);
}

CEL_FN(cel_fn_quote)(const struct cel_call *call)
{
    static const char from[] = "\a\b\f\n\r\t\v\\\"", to[] = "abfnrtv\\\"";
    struct str s = arg_str(call, 0);
    struct buf out = {0};

    buf_put_char(&out, '"');
    for (size_t i = 0; i < s.len && out.len <= LIMIT_CEL_TEXT_BYTES; i++) {
        const char *special = s.data[i] != '\0' ? strchr(from, s.data[i]) : NULL;
        if (special != NULL)
            buf_put_char(&out, '\\');
        buf_put_char(&out, special != NULL ? to[special - from] : s.data[i]);
    }
    buf_put_char(&out, '"');
    return take_buf(call->run, &out);
}

/* --- base64 ------------------------------------------------------------------------------------ */

/* As other CELs have it: the plain alphabet only, padded or not. */
static bool base64_decode(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] == '-' || s.data[i] == '_')
            return false;
    return base64_read(out, s);
}

CEL_FN(cel_fn_base64)(const struct cel_call *call)
{
    struct str s = arg_str(call, 0);
    struct buf text = {0};
    struct value v;

    if (!cel_charge(call->run, s.len / 16))
        return over_budget();
    if (call->detail == 'e') {
        base64_put(&text, s);
        return take_buf(call->run, &text);
    }
    if (!base64_decode(&text, s)) {
        buf_free(&text);
        return cel_error("not base64");
    }
    v = take_buf(call->run, &text);
    if (v.kind == VALUE_STRING)
        v.kind = VALUE_BYTES;
    return v;
}

/* --- conversions ------------------------------------------------------------------------------- */

CEL_FN(cel_fn_to_string)(const struct cel_call *call)
{
    struct value v = call->args[0];
    struct buf out = {0};

    if (v.kind == VALUE_BYTES) {
        v.kind = VALUE_STRING;
        if (!cel_charge(call->run, v.n / 16))
            return over_budget();
        return str_is_utf8(value_str(v)) ? v
                                         : cel_error("invalid UTF-8 in bytes, cannot be a string");
    }
    cel_print(&out, v);
    return take_buf(call->run, &out);
}

CEL_FN(cel_fn_to_bytes)(const struct cel_call *call)
{
    struct value v = call->args[0];

    v.kind = VALUE_BYTES;
    return v;
}
