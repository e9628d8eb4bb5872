/* Any text as a text of a moment, in every context and some languages.  What fills has no open
 * {{ in it, unless an expression made braces of a text of its own; a header has one line. */
#include "core/check.h"
#include "core/limit.h"
#include "rules/moment/template.h"

static struct cel_found resolve(void *context, const struct str *path, size_t count)
{
    (void)context;
    (void)count;
    if (path[0].len > 4)
        return (struct cel_found){.result = CEL_NO_SUCH_NAME};
    return (struct cel_found){
        .result = CEL_SLOT, .slot = (uint32_t)path[0].len, .type = &cel_dyn, .taken = 1};
}

static struct value load(void *context, uint32_t slot)
{
    unsigned kind = *(const unsigned *)context;

    switch ((kind + slot) % 5) {
    case 0: return VALUE_NONE;
    case 1: return value_double(-1234567.875);
    case 2: return value_string(STR("a\r\nb<i>&\"' \xc3\xa9%"));
    case 3: return (struct value){.kind = VALUE_TIMESTAMP, .i = INT64_MAX};
    default: return (struct value){.kind = VALUE_TIMESTAMP, .i = 1773832320};
    }
}

static void check(struct str text, struct str out, enum text_context context)
{
    bool quotes = false;

    for (size_t i = 0; i < text.len; i++)
        quotes |= text.data[i] == '"' || text.data[i] == '\'';
    CHECK(quotes || !str_contains(out, STR("{{")));
    CHECK(out.len <= LIMIT_TEXT_BYTES);
    for (size_t i = 0; context == CONTEXT_HEADER && i < out.len; i++)
        CHECK((unsigned char)out.data[i] >= ' ');
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static const char *const languages[] = {NULL, "en", "nl", "fr"};
    static const enum text_context contexts[] = {CONTEXT_PLAIN, CONTEXT_HEADER, CONTEXT_HTML};
    const struct cel_env env = {.resolve = resolve, .mixed_numbers = true, .own_functions = true};
    unsigned kind = size > 0 ? data[0] : 0;
    const struct cel_input input = {.context = &kind, .load = load};
    struct str text = {(const char *)data + (size > 0), size - (size > 0)}, error;
    enum text_context context = contexts[kind % 3];
    struct arena *arena = arena_new(0);
    struct diags diags = {0};
    struct buf out = {0};
    const struct template *t =
        template_compile(&env, text, context, (struct place){"t", 1, 1}, arena, &diags);

    if (t != NULL && template_fill(t, &input, str_of(languages[kind / 3 % 4]), arena, &out, &error))
        check(text, buf_str(&out), context);
    buf_free(&out);
    diags_free(&diags);
    arena_free(arena);
    return 0;
}
