#include "rules/cel/lex.h"

#include <errno.h>
#include <stdlib.h>

static const char *const token_texts[TOKEN_KIND_COUNT] = {
#define TOKEN(name, text) [TOKEN_##name] = text,
#include "rules/cel/tokens.def"
#undef TOKEN
};

const char *cel_token_text(enum token_kind kind)
{
    return token_texts[kind];
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_start(int c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name(int c)
{
    return is_name_start(c) || is_digit(c);
}

static int hex_value(int c)
{
    if (is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte `ahead` from here, -1 behind the end. */
static int peek(const struct lexer *lexer, size_t ahead)
{
    size_t at = lexer->at + ahead;

    return at < lexer->source->text.len ? (unsigned char)lexer->source->text.data[at] : -1;
}

static bool next_is(const struct lexer *lexer, const char *text)
{
    return str_starts(str_slice(lexer->source->text, lexer->at, lexer->source->text.len),
                      str_of(text));
}

static void skip_blanks(struct lexer *lexer)
{
    for (;;) {
        int c = peek(lexer, 0);
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f')
            lexer->at++;
        else if (c == '/' && peek(lexer, 1) == '/')
            while (peek(lexer, 0) != -1 && peek(lexer, 0) != '\n')
                lexer->at++;
        else
            return;
    }
}

/* --- numbers ---------------------------------------------------------------------------------- */

static void report_number(struct lexer *lexer, uint32_t at, const char *help, const char *what)
{
    cel_report(lexer->source, DIAG_ERROR, at, "syntax", help, "%.*s %s", (int)(lexer->at - at),
               lexer->source->text.data + at, what);
}

/* "14d", "10m": a span written bare. */
static void report_suffix(struct lexer *lexer, uint32_t at, struct str digits, struct str suffix)
{
    static const struct {
        const char *unit;
        unsigned long hours;
    } spans[] = {{"h", 1}, {"d", 24}, {"w", 168}};
    unsigned long number = digits.len < 6 ? strtoul(digits.data, NULL, 10) : 0;
    struct str help = STR_EMPTY;

    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
        unsigned long hours = spans[i].hours * number;
        if (!str_is(suffix, spans[i].unit) || number == 0)
            continue;
        if (lexer->days_known && hours % 24 == 0)
            help = arena_format(lexer->arena, "write days(%lu) or duration(\"%luh\")", hours / 24,
                                hours);
        else if (lexer->days_known)
            help =
                arena_format(lexer->arena, "write hours(%lu) or duration(\"%luh\")", hours, hours);
        else
            help = arena_format(lexer->arena, "write duration(\"%luh\")", hours);
    }
    if (help.len == 0 && (str_is(suffix, "m") || str_is(suffix, "s") || str_is(suffix, "ms")))
        help = arena_format(lexer->arena, "write duration(\"%.*s%.*s\")", STR_ARG(digits),
                            STR_ARG(suffix));
    report_number(lexer, at, help.data, "is not a number");
}

static bool parse_integer(struct str text, uint64_t *out)
{
    unsigned base = 10;
    uint64_t v = 0;

    if (text.len > 2 && text.data[0] == '0' && (text.data[1] | 0x20) == 'x') {
        base = 16;
        text = str_slice(text, 2, text.len);
    }
    for (size_t i = 0; i < text.len; i++)
        if (__builtin_mul_overflow(v, base, &v) ||
            __builtin_add_overflow(v, (unsigned)hex_value(text.data[i]), &v))
            return false;
    *out = v;
    return true;
}

static struct value integer_literal(struct lexer *lexer, uint32_t at, struct str text, bool unsign)
{
    uint64_t v = 0;

    if (!parse_integer(text, &v) || (!unsign && v > (uint64_t)INT64_MAX + 1)) {
        report_number(lexer, at, NULL, "does not fit into 64 bits");
        return value_int(0);
    }
    if (unsign || v > INT64_MAX)
        return value_uint(v);
    return value_int((int64_t)v);
}

static struct value double_literal(struct lexer *lexer, struct str text)
{
    return value_double(strtod(arena_str(lexer->arena, text).data, NULL));
}

static void skip_digits(struct lexer *lexer)
{
    while (is_digit(peek(lexer, 0)))
        lexer->at++;
}

static bool exponent_follows(const struct lexer *lexer)
{
    int sign = peek(lexer, 1);

    if (peek(lexer, 0) != 'e' && peek(lexer, 0) != 'E')
        return false;
    return is_digit(sign) || ((sign == '+' || sign == '-') && is_digit(peek(lexer, 2)));
}

/* Moves over a number; says whether it is a double. */
static bool skip_number(struct lexer *lexer)
{
    bool is_double = false;

    if (peek(lexer, 0) == '0' && (peek(lexer, 1) | 0x20) == 'x' && hex_value(peek(lexer, 2)) >= 0) {
        for (lexer->at += 2; hex_value(peek(lexer, 0)) >= 0;)
            lexer->at++;
        return false;
    }
    skip_digits(lexer);
    if (peek(lexer, 0) == '.' && is_digit(peek(lexer, 1))) {
        lexer->at++;
        skip_digits(lexer);
        is_double = true;
    }
    if (exponent_follows(lexer)) {
        lexer->at += 2;
        skip_digits(lexer);
        is_double = true;
    }
    return is_double;
}

static struct value lex_number(struct lexer *lexer, uint32_t at)
{
    bool is_double = skip_number(lexer);
    size_t end = lexer->at;
    struct str digits = str_slice(lexer->source->text, at, end), suffix;

    while (is_name(peek(lexer, 0)))
        lexer->at++;
    suffix = str_slice(lexer->source->text, end, lexer->at);
    if (!is_double && (str_is(suffix, "u") || str_is(suffix, "U")))
        return integer_literal(lexer, at, digits, true);
    if (suffix.len != 0) {
        report_suffix(lexer, at, digits, suffix);
        return (struct value){.kind = VALUE_ERROR}; /* fits everywhere: said once is enough */
    }
    return is_double ? double_literal(lexer, digits) : integer_literal(lexer, at, digits, false);
}

/* --- strings ---------------------------------------------------------------------------------- */

struct quoted {
    struct str text; /* between the quotes */
    uint32_t at;     /* its offset */
    bool raw, bytes;
};

static size_t put_utf8(char *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

/* `count` digits of `base` at text[from]; false if they are not there. */
static bool code_digits(struct str text, size_t from, size_t count, int base, uint32_t *code)
{
    *code = 0;
    if (from + count > text.len)
        return false;
    for (size_t i = from; i < from + count; i++) {
        int digit = hex_value((unsigned char)text.data[i]);
        if (digit < 0 || digit >= base)
            return false;
        *code = *code * (unsigned)base + (unsigned)digit;
    }
    return true;
}

/* The escape behind the backslash at text[at - 1]: its code and length; 0: not one. */
static size_t escape_code(const struct quoted *q, size_t at, uint32_t *code, bool *octet)
{
    static const char names[] = "abfnrtv\\?\"'`";
    static const char codes[] = "\a\b\f\n\r\t\v\\?\"'`";
    int c = at < q->text.len ? (unsigned char)q->text.data[at] : 0;
    const char *simple = c != 0 ? strchr(names, c) : NULL;

    *octet = false;
    if (simple != NULL) {
        *code = (unsigned char)codes[simple - names];
        return 1;
    }
    if (c == 'x' || c == 'X') {
        *octet = true;
        return code_digits(q->text, at + 1, 2, 16, code) ? 3 : 0;
    }
    if (c == 'u' && !q->bytes)
        return code_digits(q->text, at + 1, 4, 16, code) ? 5 : 0;
    if (c == 'U' && !q->bytes)
        return code_digits(q->text, at + 1, 8, 16, code) ? 9 : 0;
    *octet = true;
    return c >= '0' && c <= '3' && code_digits(q->text, at, 3, 8, code) ? 3 : 0;
}

/* Decode escapes.  What comes out is never longer than what was written. */
static struct str unescape(struct lexer *lexer, const struct quoted *q)
{
    char *out = arena_alloc_raw(lexer->arena, q->text.len + 4);
    size_t bytes = 0;

    for (size_t i = 0; i < q->text.len;) {
        uint32_t code = 0;
        bool octet;
        if (q->text.data[i] != '\\' || q->raw) {
            out[bytes++] = q->text.data[i++];
            continue;
        }
        size_t length = escape_code(q, i + 1, &code, &octet);
        if (length == 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
            cel_report(lexer->source, DIAG_ERROR, q->at + (uint32_t)i, "syntax",
                       "write \\\\ for a backslash, or r\"...\" for a text without escapes",
                       length == 0 ? "unknown escape" : "an escape that is no Unicode character");
            length = 1;
        } else if (octet && q->bytes) {
            out[bytes++] = (char)code;
        } else {
            bytes += put_utf8(out + bytes, code);
        }
        i += 1 + length;
    }
    return (struct str){out, bytes};
}

/* From the opening quote on; moves behind the closing one. */
static bool find_quoted(struct lexer *lexer, uint32_t start, struct quoted *q)
{
    char quote[4] = {(char)peek(lexer, 0)};
    bool triple = peek(lexer, 1) == quote[0] && peek(lexer, 2) == quote[0];

    if (triple)
        quote[1] = quote[2] = quote[0];
    lexer->at += strlen(quote);
    q->at = (uint32_t)lexer->at;
    for (; peek(lexer, 0) != -1; lexer->at++) {
        if (next_is(lexer, quote)) {
            q->text = str_slice(lexer->source->text, q->at, lexer->at);
            lexer->at += strlen(quote);
            return true;
        }
        if (!triple && (peek(lexer, 0) == '\n' || peek(lexer, 0) == '\r'))
            break;
        if (peek(lexer, 0) == '\\' && !q->raw && peek(lexer, 1) != -1)
            lexer->at++;
    }
    cel_report(lexer->source, DIAG_ERROR, start, "syntax",
               triple ? "close it with the same three quotes" : "close it with the same quote",
               "this text is never closed");
    lexer->at = lexer->source->text.len;
    return false;
}

/* Length of a prefix such as rb before a quote; SIZE_MAX: this is not a string. */
static size_t string_prefix(const struct lexer *lexer, struct quoted *q)
{
    size_t n = 0;

    *q = (struct quoted){.raw = false};
    for (; n < 2; n++) {
        int c = peek(lexer, n);
        if ((c == 'r' || c == 'R') && !q->raw)
            q->raw = true;
        else if ((c == 'b' || c == 'B') && !q->bytes)
            q->bytes = true;
        else
            break;
    }
    return peek(lexer, n) == '"' || peek(lexer, n) == '\'' ? n : SIZE_MAX;
}

static struct value lex_string(struct lexer *lexer, uint32_t at, size_t prefix, struct quoted *q)
{
    struct value v;

    lexer->at += prefix;
    if (!find_quoted(lexer, at, q))
        return value_string(STR_EMPTY);
    v = value_string(unescape(lexer, q));
    if (q->bytes)
        v.kind = VALUE_BYTES;
    return v;
}

/* --- tokens ----------------------------------------------------------------------------------- */

static enum token_kind lex_name(struct lexer *lexer, struct value *literal)
{
    size_t start = lexer->at;
    struct str name;

    while (is_name(peek(lexer, 0)))
        lexer->at++;
    name = str_slice(lexer->source->text, start, lexer->at);
    if (str_is(name, "in"))
        return TOKEN_IN;
    if (str_is(name, "true") || str_is(name, "false"))
        *literal = value_bool(name.data[0] == 't');
    else if (str_is(name, "null"))
        literal->kind = VALUE_NULL;
    else
        return TOKEN_NAME;
    return TOKEN_LITERAL;
}

static enum token_kind lex_quoted_name(struct lexer *lexer, uint32_t at)
{
    do
        lexer->at++;
    while (is_name(peek(lexer, 0)) || (peek(lexer, 0) > 0 && strchr(".-/ ", peek(lexer, 0))));
    if (peek(lexer, 0) == '`' && lexer->at > at + 1) {
        lexer->at++;
        return TOKEN_QUOTED_NAME;
    }
    cel_report(lexer->source, DIAG_ERROR, at, "syntax", "close it with a backtick",
               "this name in backticks is never closed");
    return TOKEN_BROKEN;
}

/* Signs that other languages have: say CEL's word and go on with it. */
static enum token_kind lex_foreign(struct lexer *lexer, uint32_t at)
{
    static const struct {
        char sign;
        enum token_kind meant;
        const char *help;
    } foreign[] = {
        {'=', TOKEN_EQ, "write == to compare"},
        {'&', TOKEN_AND, "write && for \"and\""},
        {'|', TOKEN_OR, "write || for \"or\""},
    };
    size_t bytes = 1;

    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        if (peek(lexer, 0) == foreign[i].sign) {
            cel_report(lexer->source, DIAG_ERROR, at, "syntax", foreign[i].help,
                       "there is no operator %c", foreign[i].sign);
            lexer->at++;
            return foreign[i].meant;
        }
    while (peek(lexer, bytes) != -1 && (peek(lexer, bytes) & 0xc0) == 0x80)
        bytes++;
    lexer->at += bytes;
    cel_report(lexer->source, DIAG_ERROR, at, "syntax",
               bytes > 1 ? "quotes are \" or ' and only texts hold other characters" : NULL,
               "a character that has no meaning here: %.*s", (int)bytes,
               lexer->source->text.data + at);
    return TOKEN_BROKEN;
}

static enum token_kind lex_punctuation(struct lexer *lexer, uint32_t at)
{
    if (next_is(lexer, "<>")) {
        cel_report(lexer->source, DIAG_ERROR, at, "syntax", "write !=", "there is no operator <>");
        lexer->at += 2;
        return TOKEN_NE;
    }
    for (int kind = 0; kind <= TOKEN_RBRACE; kind++)
        if (next_is(lexer, token_texts[kind])) {
            lexer->at += strlen(token_texts[kind]);
            return (enum token_kind)kind;
        }
    return lex_foreign(lexer, at);
}

struct token cel_lex_next(struct lexer *lexer)
{
    struct token token = {.kind = TOKEN_LITERAL};
    struct quoted quoted;
    size_t prefix;

    skip_blanks(lexer);
    token.at = (uint32_t)lexer->at;
    prefix = string_prefix(lexer, &quoted);
    if (peek(lexer, 0) == -1)
        token.kind = TOKEN_END;
    else if (prefix != SIZE_MAX)
        token.literal = lex_string(lexer, token.at, prefix, &quoted);
    else if (is_digit(peek(lexer, 0)) || (peek(lexer, 0) == '.' && is_digit(peek(lexer, 1))))
        token.literal = lex_number(lexer, token.at);
    else if (is_name_start(peek(lexer, 0)))
        token.kind = lex_name(lexer, &token.literal);
    else if (peek(lexer, 0) == '`')
        token.kind = lex_quoted_name(lexer, token.at);
    else
        token.kind = lex_punctuation(lexer, token.at);
    token.text = str_slice(lexer->source->text, token.at, lexer->at);
    return token;
}
