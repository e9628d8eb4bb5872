#include "rules/moment/template.h"

#include "core/limit.h"
#include "tests/support/suite.h"

static struct arena *arena;
static struct diags diags;

/* One variable: `name`, slot 7. */
static struct cel_found resolve(void *context, const struct str *path, size_t count)
{
    (void)context;
    (void)count;
    if (str_is(path[0], "name"))
        return (struct cel_found){.result = CEL_SLOT, .slot = 7, .type = &cel_dyn, .taken = 1};
    return (struct cel_found){.result = CEL_NO_SUCH_NAME};
}

static const struct cel_env env = {.resolve = resolve, .mixed_numbers = true};

static struct value load(void *context, uint32_t slot)
{
    ck_assert_uint_eq(slot, 7);
    return *(struct value *)context;
}

static enum text_context kind; /* of what is compiled */
static const char *spoken;     /* language it is filled for; NULL: none */

static const struct template *compile(const char *text)
{
    if (arena == NULL)
        arena = arena_new(0);
    diags_free(&diags);
    return template_compile(&env, str_of(text), kind, (struct place){"t", 1, 1}, arena, &diags);
}

/* Fill with name = v; NULL: it could not be filled. */
static const char *fill(const char *text, struct value v)
{
    struct cel_input input = {.context = &v, .load = load};
    const struct template *t = compile(text);
    struct buf out = {0};
    struct str error = STR_EMPTY, result = STR_EMPTY;
    bool filled;

    ck_assert_msg(t != NULL, "%s: %s", text, diags.count != 0 ? diags.items[0].what : "");
    buf_put_text(&out, ">");
    filled = template_fill(t, &input, str_of(spoken), arena, &out, &error);
    if (filled)
        result = arena_str(arena, str_slice(buf_str(&out), 1, out.len));
    ck_assert_msg(filled || (out.len == 1 && error.len != 0), "%s", buf_text(&out));
    buf_free(&out);
    return filled ? (result.data != NULL ? result.data : "") : NULL;
}

START_TEST(words_and_expressions_alternate)
{
    ck_assert_str_eq(fill("", VALUE_NONE), "");
    ck_assert_str_eq(fill("no braces { } }}", VALUE_NONE), "no braces { } }}");
    ck_assert_str_eq(fill("Dear {{name}}, {{ 1 + 1 }}!", value_string(STR("Jo"))), "Dear Jo, 2!");
    ck_assert_str_eq(fill("{{name}}{{name}}", value_int(4)), "44");
    ck_assert_str_eq(fill("{{name}} kg", value_double(1900)), "1900 kg");
}
END_TEST

START_TEST(the_end_is_found_behind_strings_and_brackets)
{
    ck_assert_str_eq(fill("{{ {\"a\": {\"b\": \"}}\"}}[\"a\"][\"b\"] }}", VALUE_NONE), "}}");
    ck_assert_str_eq(fill("{{\"{{\"}}x", VALUE_NONE), "{{x");
    ck_assert_str_eq(fill("{{'it\\'s }}'}}", VALUE_NONE), "it's }}");
    ck_assert_str_eq(fill("{{true || false}}", VALUE_NONE), "true");
    ck_assert_str_eq(fill("{{'a|b'}}", VALUE_NONE), "a|b");
}
END_TEST

START_TEST(a_value_that_is_not_there_takes_the_fallback_or_fails)
{
    ck_assert_str_eq(fill("Your {{name | new car}}.", VALUE_NONE), "Your new car.");
    ck_assert_str_eq(fill("Your {{name | it's}}.", VALUE_NONE), "Your it's.");
    ck_assert_str_eq(fill("{{name|}}.", (struct value){.kind = VALUE_NULL}), ".");
    ck_assert_str_eq(fill("{{1 / name | none}}", value_int(0)), "none");
    ck_assert_ptr_null(fill("Your {{name}}.", VALUE_NONE));
    ck_assert_ptr_null(fill("Your {{name}}.", (struct value){.kind = VALUE_NULL}));
    ck_assert_ptr_null(fill("{{1 / name}}", value_int(0)));
}
END_TEST

START_TEST(values_are_escaped_for_html_and_words_are_not)
{
    kind = CONTEXT_HTML;
    ck_assert_str_eq(fill("<b>{{name}}</b>", value_string(STR("<Jo & \"M'\">"))),
                     "<b>&lt;Jo &amp; &quot;M&#39;&quot;&gt;</b>");
    ck_assert_str_eq(fill("{{name | <i>new</i>}}", VALUE_NONE), "<i>new</i>");
    ck_assert_str_eq(fill("{{name}}", value_double(1900)), "1900");
    kind = CONTEXT_PLAIN;
    ck_assert_str_eq(fill("{{name}}", value_string(STR("<Jo & M>"))), "<Jo & M>");
}
END_TEST

START_TEST(a_header_stays_on_one_line)
{
    kind = CONTEXT_HEADER;
    ck_assert_str_eq(fill("Hello {{name}}!", value_string(STR("Jo\r\nBcc: all@example.com"))),
                     "Hello Jo  Bcc: all@example.com!");
    ck_assert_str_eq(fill("two\nlines\tof {{name | a\x7f}}", VALUE_NONE), "two lines of a ");
    kind = CONTEXT_PLAIN;
    ck_assert_str_eq(fill("two\nlines {{name}}", value_string(STR("a\nb"))), "two\nlines a\nb");
}
END_TEST

START_TEST(in_a_web_address_values_are_percent_encoded)
{
    struct value v = value_string(STR("a b&c=\"\xc3\xa9\"/?"));

    ck_assert_str_eq(fill("see https://example.com/p?q={{name}}&r={{1.5}} {{name}}", v),
                     "see https://example.com/p?q=a%20b%26c%3D%22%C3%A9%22%2F%3F&r=1.5 "
                     "a b&c=\"\xc3\xa9\"/?");
    kind = CONTEXT_HTML;
    ck_assert_str_eq(
        fill("<a href=\"https://x/?q={{name}}\">{{name}}</a>", value_string(STR("<&>"))),
        "<a href=\"https://x/?q=%3C%26%3E\">&lt;&amp;&gt;</a>");
    kind = CONTEXT_PLAIN;
    ck_assert_str_eq(fill("{{name}}?a=1", value_string(STR("https://x/y"))), "https://x/y?a=1");
}
END_TEST

START_TEST(numbers_and_times_are_written_as_the_language_does)
{
    struct value time = {.kind = VALUE_TIMESTAMP, .i = 1773832320};

    spoken = "nl-BE";
    ck_assert_str_eq(fill("{{name}} mm", value_double(2.8)), "2,8 mm");
    ck_assert_str_eq(fill("{{name}} kg", value_double(1900)), "1900 kg");
    ck_assert_str_eq(fill("{{name}}", time), "18 maart 2026, 11:12");
    ck_assert_str_eq(fill("https://x/?q={{name}}", value_double(2.8)), "https://x/?q=2.8");
    spoken = "en";
    ck_assert_str_eq(fill("{{name}} mm", value_double(2.8)), "2.8 mm");
    ck_assert_str_eq(fill("{{name}}", time), "18 March 2026, 11:12");
    spoken = "fr";
    ck_assert_str_eq(fill("{{name}}", time), "2026-03-18T11:12:00Z");
    spoken = NULL;
}
END_TEST

START_TEST(words_to_fall_back_on_hold_no_expression)
{
    static const char *const texts[] = {"Dear {{name | {{name}}}}", "{{name | x{}}{name}}"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        ck_assert_ptr_null(compile(texts[i]));
        ck_assert_str_eq(diags.items[0].what, "words to fall back on hold no expression");
    }
}
END_TEST

START_TEST(a_text_has_a_limit)
{
    struct arena *own = arena_new(0);
    char *half = arena_alloc(own, LIMIT_TEXT_BYTES / 2 + 2);
    struct value v;

    memset(half, 'x', LIMIT_TEXT_BYTES / 2 + 1);
    v = value_string((struct str){half, LIMIT_TEXT_BYTES / 2 + 1});
    ck_assert_ptr_nonnull(fill("{{name}}", v));
    ck_assert_ptr_null(fill("{{name}}{{name}}", v));
    arena_free(own);
}
END_TEST

static void refuses(const char *text, int line, int column)
{
    ck_assert_ptr_null(compile(text));
    ck_assert_uint_ge(diags.count, 1);
    ck_assert_int_eq(diags.items[0].place.line, line);
    ck_assert_int_eq(diags.items[0].place.column, column);
}

START_TEST(findings_point_into_the_text)
{
    refuses("a {{name", 1, 3);
    refuses("a {{'b}}", 1, 3);
    refuses("\xc3\xa9 {{ nmae }}", 1, 6);
    refuses("a\nb {{nmae}}", 2, 5);
    refuses("{{}}", 1, 3);
}
END_TEST

static void count_slot(void *context, uint32_t slot)
{
    *(uint32_t *)context += slot;
}

START_TEST(it_tells_what_it_reads)
{
    uint32_t sum = 0;
    const struct template *t = compile("{{name}} {{1}} {{name + 1}}");

    template_slots(t, count_slot, &sum);
    ck_assert_uint_eq(sum, 14);
    ck_assert(str_is(template_text(t), "{{name}} {{1}} {{name + 1}}"));
}
END_TEST

SUITE_MAIN("template", words_and_expressions_alternate,
           the_end_is_found_behind_strings_and_brackets,
           a_value_that_is_not_there_takes_the_fallback_or_fails,
           values_are_escaped_for_html_and_words_are_not, a_header_stays_on_one_line,
           in_a_web_address_values_are_percent_encoded,
           numbers_and_times_are_written_as_the_language_does,
           words_to_fall_back_on_hold_no_expression, a_text_has_a_limit,
           findings_point_into_the_text, it_tells_what_it_reads)
