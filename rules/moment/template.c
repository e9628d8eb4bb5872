/* A text is cut once into parts: words, or an expression with its fallback.
 *
 * Where an expression ends is the only question: "}}" and "|" may stand inside it, in strings and
 * in brackets, and "||" is an operator.  find_end walks over quotes and counts brackets; it need
 * not know more of CEL than that.
 */
#include "rules/moment/template.h"

#include "core/limit.h"
#include "core/mem.h"

struct part {
    struct str words; /* program == NULL */
    const struct cel_program *program;
    struct str fallback, expression;
    bool has_fallback;
};

struct template
{
    struct str text;
    enum text_context context;
    struct part *parts;
    size_t count;
};

struct cutter {
    const struct cel_env *env;
    struct str text;
    struct place place;
    struct arena *arena;
    struct diags *diags;
    struct part *parts; /* on the heap */
    size_t count, capacity;
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

static void add_words(struct cutter *cutter, size_t from, size_t to)
{
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
    part.has_fallback = bar < end;
    part.fallback =
        arena_str(cutter->arena, str_trim(str_slice(text, part.has_fallback ? bar + 1 : end, end)));
    while (from < end && (text.data[from] == ' ' || text.data[from] == '\n'))
        from++;
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
        diag_add(diags, DIAG_ERROR, place, "limit", NULL,
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

static void put_value(struct buf *out, struct value v, enum text_context context)
{
    struct buf plain = {0};

    if (context == CONTEXT_PLAIN) {
        cel_print(out, v);
        return;
    }
    cel_print(&plain, v);
    put_html(out, buf_str(&plain));
    buf_free(&plain);
}

static bool fill_part(const struct template *t, const struct part *part,
                      const struct cel_input *input, struct arena *arena, struct buf *out,
                      struct str *error)
{
    struct value v;

    if (part->program == NULL) {
        buf_put(out, part->words);
        return true;
    }
    v = cel_eval(part->program, input, arena);
    while (v.kind == VALUE_OPTIONAL && v.boxed != NULL)
        v = *v.boxed;
    if (has_value(v)) {
        put_value(out, v, t->context);
        return true;
    }
    if (part->has_fallback) {
        buf_put(out, part->fallback);
        return true;
    }
    *error = v.kind == VALUE_ERROR
                 ? arena_format(arena, "{{%.*s}}: %.*s", STR_ARG(part->expression),
                                STR_ARG(value_str(v)))
                 : arena_format(arena, "{{%.*s}} has no value", STR_ARG(part->expression));
    return false;
}

bool template_fill(const struct template *t, const struct cel_input *input, struct arena *arena,
                   struct buf *out, struct str *error)
{
    size_t before = out->len;

    for (size_t i = 0; i < t->count; i++) {
        bool filled = fill_part(t, &t->parts[i], input, arena, out, error);
        if (filled && out->len - before > LIMIT_TEXT_BYTES) {
            *error = arena_format(arena, "the text is longer than %d bytes", LIMIT_TEXT_BYTES);
            filled = false;
        }
        if (!filled) {
            out->len = before;
            return false;
        }
    }
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
