/* A text is cut once into parts: words, or an expression with its fallback.
 *
 * Where an expression ends is the only question: "}}" and "|" may stand inside it, in strings and
 * in brackets, and "||" is an operator.  find_end walks over quotes and counts brackets; it need
 * not know more of CEL than that.
 */
#include "rules/moment/template.h"

#include "core/limit.h"
#include "core/mem.h"
#include "rules/moment/wording.h"

struct part {
    struct str words; /* program == NULL */
    const struct cel_program *program;
    struct str fallback, expression;
    size_t at; /* of the expression, in the text */
    bool has_fallback;
    bool in_url; /* behind "://" of the same word */
};

struct template
{
    struct str text;
    enum text_context context;
    struct part *parts;
    size_t count;
};

struct filling {
    enum text_context context;
    const struct cel_input *input;
    struct str language;
    struct arena *arena;
    struct str *error;
};

struct cutter {
    const struct cel_env *env;
    struct str text;
    struct place place;
    struct arena *arena;
    struct diags *diags;
    struct part *parts; /* on the heap */
    size_t count, capacity;
    bool in_url; /* the word at hand is a web address */
};

/* Columns count characters; columns of later lines count from place.column, as in cel_compile. */
static struct place place_at(const struct cutter *cutter, size_t at)
{
    struct place place = cutter->place;

    for (size_t i = 0; i < at; i++) {
        if (cutter->text.data[i] == '\n') {
            place.line++;
            place.column = cutter->place.column;
        } else if (((unsigned char)cutter->text.data[i] & 0xc0) != 0x80) {
            place.column++;
        }
    }
    return place;
}

static void add_part(struct cutter *cutter, struct part part)
{
    MEM_RESERVE(cutter->parts, cutter->count, cutter->capacity);
    cutter->parts[cutter->count++] = part;
}

/* An address begins at "://" and ends where a word or a quote does. */
static void follow_url(struct cutter *cutter, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        char c = cutter->text.data[i];
        if (c == ' ' || c == '\n' || c == '\t' || c == '"' || c == '\'' || c == '<' || c == '>')
            cutter->in_url = false;
        else if (str_starts(str_slice(cutter->text, i, to), STR("://")))
            cutter->in_url = true;
    }
}

static void add_words(struct cutter *cutter, size_t from, size_t to)
{
    follow_url(cutter, from, to);
    if (to > from)
        add_part(cutter, (struct part){
                             .words = arena_str(cutter->arena, str_slice(cutter->text, from, to))});
}

/* Behind a string that begins at `at`. */
static size_t skip_string(struct str text, size_t at)
{
    char quote = text.data[at++];

    for (; at < text.len && text.data[at] != quote; at++)
        at += text.data[at] == '\\';
    return at + 1;
}

/* From inside {{: where }} begins, and the bar of a fallback (text.len: none). */
static bool find_end(struct str text, size_t at, size_t *bar, size_t *end)
{
    int depth = 0;

    *bar = text.len;
    while (at < text.len) {
        char c = text.data[at], after = at + 1 < text.len ? text.data[at + 1] : '\0';
        if (depth == 0 && c == '}' && after == '}') {
            *end = at;
            return true;
        }
        if (*bar == text.len && (c == '"' || c == '\'')) {
            at = skip_string(text, at);
        } else if (c == '|' && after == '|') {
            at += 2;
        } else {
            if (c == '|' && depth == 0 && *bar == text.len)
                *bar = at;
            if (*bar == text.len)
                depth += (c == '(' || c == '[' || c == '{') - (c == ')' || c == ']' || c == '}');
            at++;
        }
    }
    return false;
}

/* One {{...}} that begins at `open`; the place behind it. */
static size_t cut_expression(struct cutter *cutter, size_t open)
{
    struct str text = cutter->text;
    size_t bar, end, from = open + 2;
    struct part part = {0};

    if (!find_end(text, from, &bar, &end)) {
        diag_add(cutter->diags, DIAG_ERROR, place_at(cutter, open), "template",
                 "close it with }}; two braces as words are {{\"{{\"}}", "{{ is not closed");
        return text.len;
    }
    part.in_url = cutter->in_url;
    part.has_fallback = bar < end;
    part.fallback =
        arena_str(cutter->arena, str_trim(str_slice(text, part.has_fallback ? bar + 1 : end, end)));
    if (str_contains(part.fallback, STR("{")))
        diag_add(cutter->diags, DIAG_ERROR, place_at(cutter, bar + 1), "template",
                 "write {{has(x.a) ? x.a : x.b}}", "words to fall back on hold no expression");
    while (from < end && (text.data[from] == ' ' || text.data[from] == '\n'))
        from++;
    part.at = from;
    part.expression =
        arena_str(cutter->arena, str_trim(str_slice(text, from, part.has_fallback ? bar : end)));
    part.program = cel_compile(cutter->env, part.expression, place_at(cutter, from), NULL,
                               cutter->arena, cutter->diags);
    add_part(cutter, part);
    return end + 2;
}

static void cut(struct cutter *cutter)
{
    size_t words = 0, at = 0;

    while (at + 1 < cutter->text.len) {
        if (cutter->text.data[at] != '{' || cutter->text.data[at + 1] != '{') {
            at++;
            continue;
        }
        add_words(cutter, words, at);
        at = words = cut_expression(cutter, at);
    }
    add_words(cutter, words, cutter->text.len);
}

const struct template *template_compile(const struct cel_env *env, struct str text,
                                        enum text_context context, struct place place,
                                        struct arena *arena, struct diags *diags)
{
    struct cutter cutter = {.env = env, .place = place, .arena = arena, .diags = diags};
    size_t errors = diags->error_count;
    struct template *t;

    if (text.len > LIMIT_TEMPLATE_BYTES) {
        diag_add(diags, DIAG_ERROR, place, "limit", "make it shorter",
                 "the text has %zu bytes, at most %d are taken", text.len, LIMIT_TEMPLATE_BYTES);
        return NULL;
    }
    cutter.text = arena_str(arena, text);
    cut(&cutter);
    t = ARENA_NEW(arena, struct template);
    t->text = cutter.text;
    t->context = context;
    t->count = cutter.count;
    if (cutter.count != 0)
        t->parts = arena_copy(arena, cutter.parts, cutter.count * sizeof *cutter.parts);
    mem_free(cutter.parts);
    return diags->error_count == errors ? t : NULL;
}

static bool has_value(struct value v)
{
    return v.kind != VALUE_ABSENT && v.kind != VALUE_NULL && v.kind != VALUE_ERROR &&
           (v.kind != VALUE_OPTIONAL || v.boxed != NULL);
}

static void put_html(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        switch (text.data[i]) {
        case '<': buf_put_text(out, "&lt;"); break;
        case '>': buf_put_text(out, "&gt;"); break;
        case '&': buf_put_text(out, "&amp;"); break;
        case '"': buf_put_text(out, "&quot;"); break;
        case '\'': buf_put_text(out, "&#39;"); break;
        default: buf_put_char(out, text.data[i]);
        }
}

/* Of RFC 3986 only what may stand anywhere stays. */
static void put_url(struct buf *out, struct str text)
{
    static const char unreserved[] = "-._~";

    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            (c != '\0' && strchr(unreserved, c) != NULL))
            buf_put_char(out, c);
        else
            buf_put_format(out, "%%%02X", (unsigned char)c);
    }
}

/* As the language writes it; a machine reads what is in an address. */
static void print_value(struct buf *out, struct value v, const struct part *part,
                        const struct filling *f)
{
    enum tongue tongue;

    if (part->in_url || !tongue_of(f->language, &tongue))
        cel_print(out, v);
    else if (v.kind == VALUE_DOUBLE)
        wording_put_number(out, tongue, v.d, false);
    else if (v.kind != VALUE_TIMESTAMP || !wording_put_time(out, tongue, v.i, f->input->zone))
        cel_print(out, v);
}

static void put_value(struct buf *out, struct value v, const struct part *part,
                      const struct filling *f)
{
    struct buf plain = {0};

    print_value(&plain, v, part, f);
    if (part->in_url)
        put_url(out, buf_str(&plain));
    else if (f->context == CONTEXT_HTML)
        put_html(out, buf_str(&plain));
    else
        buf_put(out, buf_str(&plain));
    buf_free(&plain);
}

static bool fill_part(const struct part *part, const struct filling *f, struct buf *out)
{
    struct value v;

    if (part->program == NULL) {
        buf_put(out, part->words);
        return true;
    }
    v = cel_eval(part->program, f->input, f->arena);
    while (v.kind == VALUE_OPTIONAL && v.boxed != NULL)
        v = *v.boxed;
    if (has_value(v)) {
        put_value(out, v, part, f);
        return true;
    }
    if (part->has_fallback) {
        buf_put(out, part->fallback);
        return true;
    }
    *f->error = v.kind == VALUE_ERROR
                    ? arena_format(f->arena, "{{%.*s}}: %.*s", STR_ARG(part->expression),
                                   STR_ARG(value_str(v)))
                    : arena_format(f->arena, "{{%.*s}} has no value", STR_ARG(part->expression));
    return false;
}

/* Nothing that a mail server or a screen takes for the end of the line, or for a command. */
static void make_one_line(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 127)
            text[i] = ' ';
}

bool template_fill(const struct template *t, const struct cel_input *input, struct str language,
                   struct arena *arena, struct buf *out, struct str *error)
{
    const struct filling f = {t->context, input, language, arena, error};
    size_t before = out->len;

    for (size_t i = 0; i < t->count; i++) {
        bool filled = fill_part(&t->parts[i], &f, out);
        if (filled && out->len - before > LIMIT_TEXT_BYTES) {
            *error = arena_format(arena, "the text is longer than %d bytes", LIMIT_TEXT_BYTES);
            filled = false;
        }
        if (!filled) {
            out->len = before;
            return false;
        }
    }
    if (t->context == CONTEXT_HEADER && out->len != before)
        make_one_line(out->data + before, out->len - before);
    return true;
}

struct str template_text(const struct template *t)
{
    return t->text;
}

void template_slots(const struct template *t, void (*each)(void *context, uint32_t slot),
                    void *context)
{
    for (size_t i = 0; i < t->count; i++) {
        size_t count = 0;
        const uint32_t *slots =
            t->parts[i].program != NULL ? cel_program_slots(t->parts[i].program, &count) : NULL;
        for (size_t k = 0; k < count; k++)
            each(context, slots[k]);
    }
}

void template_bare(const struct template *t,
                   void (*each)(void *context, const struct cel_program *program, size_t at),
                   void *context)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->parts[i].program != NULL && !t->parts[i].has_fallback)
            each(context, t->parts[i].program, t->parts[i].at);
}
