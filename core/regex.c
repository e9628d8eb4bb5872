/* PCRE2 knows more than RE2.  scan() reads the pattern once and refuses the rest; it need not
 * parse it exactly, only never let through what PCRE2 would take for something RE2 lacks. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/regex.h"

#include <pcre2.h>
#include <stddef.h>

#include "core/mem.h"

enum {
    PATTERN_BYTES_MAX = 4096,
    REPEAT_MAX = 1000, /* as RE2 */
    PARENS_MAX = 100,  /* nesting */
    HEAP_KIB_MAX = 4096,
};

struct regex {
    pcre2_code *code;
};

/* --- what RE2 has ------------------------------------------------------------------------------ */

struct scan {
    struct str pattern;
    size_t at;
    const char *refused; /* a sentence part, once something was found */
};

static int scan_peek(const struct scan *s, size_t ahead)
{
    return s->at + ahead < s->pattern.len ? (unsigned char)s->pattern.data[s->at + ahead] : -1;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void scan_quoted(struct scan *s)
{
    while (s->at < s->pattern.len && !(scan_peek(s, 0) == '\\' && scan_peek(s, 1) == 'E'))
        s->at++;
}

static void scan_escape(struct scan *s)
{
    int c = scan_peek(s, 1);

    s->at += 2;
    if (c == 'Q')
        scan_quoted(s);
    else if (c == -1)
        s->refused = "ends in a backslash";
    else if (c == '8' || c == '9' || (c >= '1' && c <= '7' && !is_digit(scan_peek(s, 0))))
        s->refused = "back-references are not part of RE2's language";
    else if (is_letter(c) && strchr("aftnrvdDsSwWbBAzxpPE", c) == NULL)
        s->refused = "an escape that is not part of RE2's language";
    else if ((c == 'x' || c == 'p' || c == 'P') && scan_peek(s, 0) == '{')
        while (scan_peek(s, 0) != -1 && scan_peek(s, 0) != '}')
            s->at++;
}

/* Behind "(?". */
static void scan_group(struct scan *s)
{
    int c = scan_peek(s, 0);

    if (c == '=' || c == '!' || (c == '<' && (scan_peek(s, 1) == '=' || scan_peek(s, 1) == '!'))) {
        s->refused = "look-around is not part of RE2's language";
    } else if (c == '<' || (c == 'P' && scan_peek(s, 1) == '<')) {
        return;
    } else {
        while ((c = scan_peek(s, 0)) != -1 && strchr("imsU-", c) != NULL)
            s->at++;
        if (c != ':' && c != ')')
            s->refused = "a group that is not part of RE2's language";
    }
}

/* "{2,5}" at '{': its length, 0 if it is no repetition. */
static size_t scan_repeat(struct scan *s)
{
    size_t n = 1;
    int number = 0;

    if (!is_digit(scan_peek(s, 1)))
        return 0;
    for (; is_digit(scan_peek(s, n)) || scan_peek(s, n) == ','; n++) {
        number = scan_peek(s, n) == ',' ? 0 : number * 10 + scan_peek(s, n) - '0';
        if (number > REPEAT_MAX) {
            s->refused = "more than 1000 repetitions";
            return n;
        }
    }
    return scan_peek(s, n) == '}' ? n + 1 : 0;
}

/* "[:alpha:]" at '[': its length, 0 if it is none. */
static size_t scan_class(const struct scan *s)
{
    size_t n = 2;

    if (scan_peek(s, 1) != ':')
        return 0;
    while (is_letter(scan_peek(s, n)) || scan_peek(s, n) == '^')
        n++;
    return scan_peek(s, n) == ':' && scan_peek(s, n + 1) == ']' ? n + 2 : 0;
}

/* "[...]" at '[': escapes in it are looked at, brackets and signs are plain. */
static void scan_set(struct scan *s)
{
    s->at++;
    if (scan_peek(s, 0) == '^')
        s->at++;
    if (scan_peek(s, 0) == ']')
        s->at++;
    while (scan_peek(s, 0) != -1 && scan_peek(s, 0) != ']' && s->refused == NULL) {
        if (scan_peek(s, 0) == '\\')
            scan_escape(s);
        else if (scan_peek(s, 0) == '[' && (scan_peek(s, 1) == '.' || scan_peek(s, 1) == '='))
            s->refused = "collating elements are not part of RE2's language";
        else if (scan_peek(s, 0) == '[' && scan_class(s) != 0)
            s->at += scan_class(s);
        else
            s->at++;
    }
    s->at++;
}

static const char *scan(struct str pattern)
{
    struct scan s = {.pattern = pattern};
    bool repeated = false; /* the token before was a repetition */

    while (s.at < pattern.len && s.refused == NULL) {
        int c = scan_peek(&s, 0);
        size_t repeat = c == '{' ? scan_repeat(&s) : c == '*' || c == '+' || c == '?' ? 1 : 0;
        if (repeat != 0) {
            if (repeated)
                s.refused = "a repetition of a repetition";
            s.at += repeat;
            s.at += scan_peek(&s, 0) == '?'; /* not greedy */
        } else if (c == '\\') {
            scan_escape(&s);
        } else if (c == '[') {
            scan_set(&s);
        } else if (c == '(' && scan_peek(&s, 1) == '*') {
            s.refused = "a verb that is not part of RE2's language";
        } else if (c == '(' && scan_peek(&s, 1) == '?') {
            s.at += 2;
            scan_group(&s);
        } else {
            s.at++;
        }
        repeated = repeat != 0;
    }
    return s.refused;
}

/* --- PCRE2 ------------------------------------------------------------------------------------- */

static void *take(size_t bytes, void *arena)
{
    return arena_alloc_raw(arena, bytes);
}

static void keep(void *p, void *arena) /* the arena frees */
{
    (void)p;
    (void)arena;
}

static enum err_code pcre_error(struct err *err, int code, size_t at)
{
    static const struct {
        int code;
        const char *words;
    } table[] = {
        {PCRE2_ERROR_MISSING_SQUARE_BRACKET, "a [ is not closed with ]"},
        {PCRE2_ERROR_MISSING_CLOSING_PARENTHESIS, "a ( is not closed with )"},
        {PCRE2_ERROR_UNMATCHED_CLOSING_PARENTHESIS, "a ) closes nothing"},
        {PCRE2_ERROR_QUANTIFIER_INVALID, "there is nothing here to repeat"},
        {PCRE2_ERROR_QUANTIFIER_OUT_OF_ORDER, "in {2,5} the smaller number comes first"},
        {PCRE2_ERROR_QUANTIFIER_TOO_BIG, "the number of repetitions is too large"},
        {PCRE2_ERROR_CLASS_RANGE_ORDER, "in [a-z] the smaller letter comes first"},
        {PCRE2_ERROR_END_BACKSLASH, "it ends in a backslash"},
        {PCRE2_ERROR_UNKNOWN_POSIX_CLASS, "there is no such class as in [:alpha:]"},
        {PCRE2_ERROR_MALFORMED_UNICODE_PROPERTY, "there is no such class as in \\p{L}"},
        {PCRE2_ERROR_UNKNOWN_UNICODE_PROPERTY, "there is no such class as in \\p{L}"},
        {PCRE2_ERROR_DUPLICATE_SUBPATTERN_NAME, "two groups have one name"},
    };
    const char *words = "it means nothing";

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].code == code)
            words = table[i].words;
    return err_set(err, ERR_PARSE, "%s (character %zu)", words, at + 1);
}

enum err_code regex_compile(struct str pattern, struct arena *arena, struct regex **out,
                            struct err *err)
{
    const char *refused;
    pcre2_general_context *general;
    pcre2_compile_context *context;
    struct regex *regex;
    PCRE2_SIZE at;
    int code;

    *out = NULL;
    if (pattern.len > PATTERN_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "longer than %d bytes", PATTERN_BYTES_MAX);
    if (!str_is_utf8(pattern))
        return err_set(err, ERR_PARSE, "not UTF-8");
    refused = scan(pattern);
    if (refused != NULL)
        return err_set(err, ERR_PARSE, "%s", refused);
    regex = ARENA_NEW(arena, struct regex);
    general = pcre2_general_context_create(take, keep, arena);
    context = pcre2_compile_context_create(general);
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_set_parens_nest_limit(context, PARENS_MAX);
    regex->code = pcre2_compile((PCRE2_SPTR)(pattern.data != NULL ? pattern.data : ""), pattern.len,
                                PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DOLLAR_ENDONLY |
                                    PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_AUTO_CAPTURE,
                                &code, &at, context);
    if (regex->code == NULL)
        return pcre_error(err, code, at);
    *out = regex;
    return ERR_NONE;
}

/* What one search needs, as a rule: PCRE2 begins with 20 KiB of frames.  So searching takes nothing
 * from the heap, but where a pattern goes back far. */
struct room {
    size_t used;
    _Alignas(max_align_t) char bytes[32 * 1024];
};

static void *room_take(size_t bytes, void *context)
{
    struct room *room = context;
    size_t whole =
        (bytes + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) * _Alignof(max_align_t);
    void *p = room->bytes + room->used;

    if (whole > sizeof room->bytes - room->used)
        return mem_resize(NULL, bytes, 1);
    room->used += whole;
    return p;
}

static void room_free(void *p, void *context)
{
    const struct room *room = context;
    const char *at = p;

    if (at < room->bytes || at >= room->bytes + sizeof room->bytes)
        mem_free(p);
}

enum regex_answer regex_search(const struct regex *regex, struct str text, uint32_t steps_max)
{
    struct room room;
    pcre2_general_context *general;
    pcre2_match_context *context;
    pcre2_match_data *data;
    int found;

    room.used = 0; /* the bytes need no value */
    general = pcre2_general_context_create(room_take, room_free, &room);
    context = pcre2_match_context_create(general);
    data = pcre2_match_data_create(1, general);
    pcre2_set_match_limit(context, steps_max);
    pcre2_set_heap_limit(context, HEAP_KIB_MAX);
    found = pcre2_match(regex->code, (PCRE2_SPTR)(text.data != NULL ? text.data : ""), text.len, 0,
                        0, data, context);
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    pcre2_general_context_free(general);
    if (found >= 0)
        return REGEX_YES;
    return found == PCRE2_ERROR_NOMATCH ? REGEX_NO : REGEX_TOO_COSTLY;
}
