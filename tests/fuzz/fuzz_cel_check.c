/* The checker, on expressions that are right in form: what it says of a type is kept.  With
 * variables that hold what they are declared to hold, and nothing of type dyn, a value is of the
 * type to the letter: also the items of its lists and maps. */
#include "core/limit.h"
#include "rules/cel/cel.h"
#include "rules/cel/funcs.h"
#include "tests/fuzz/cel_writer.h"

static const struct value ints[] = {{.kind = VALUE_INT, .i = 7}, {.kind = VALUE_INT, .i = -1}},
                          texts[] = {{.kind = VALUE_STRING, .n = 1, .text = "a"}},
                          lists[] = {{.kind = VALUE_LIST, .n = 1, .list = texts},
                                     {.kind = VALUE_LIST}},
                          held = {.kind = VALUE_INT, .i = 5};
static const struct value_entry numbers[] = {
    {{.kind = VALUE_STRING, .n = 1, .text = "a"}, {.kind = VALUE_DOUBLE, .d = 0.5}}};
static const struct value_entry by_int[] = {
    {{.kind = VALUE_INT, .i = 7}, {.kind = VALUE_LIST, .n = 2, .list = ints}}};

static const struct value slots[WRITER_SLOTS] = {
    {.kind = VALUE_BOOL, .boolean = true},
    {.kind = VALUE_INT, .i = 3},
    {.kind = VALUE_UINT, .u = 4},
    {.kind = VALUE_DOUBLE, .d = 2.5},
    {.kind = VALUE_STRING, .n = 4, .text = "text"},
    {.kind = VALUE_BYTES, .n = 2, .text = "\xff\x01"},
    {.kind = VALUE_TIMESTAMP, .i = 1772438400, .n = 5},
    {.kind = VALUE_DURATION, .i = 5400},
    {.kind = VALUE_LIST, .n = 2, .list = ints},
    {.kind = VALUE_LIST, .n = 1, .list = texts},
    {.kind = VALUE_LIST, .n = 2, .list = lists},
    {.kind = VALUE_MAP, .n = 1, .map = numbers},
    {.kind = VALUE_MAP, .n = 1, .map = by_int},
    {.kind = VALUE_OPTIONAL, .boxed = &held},
};

static struct value load(void *context, uint32_t slot)
{
    (void)context;
    return slots[slot];
}

/* Null may stand for a time or an optional (the wrapper messages' rule). */
static bool nullable(const struct cel_type *type)
{
    return type->kind == CEL_TIMESTAMP || type->kind == CEL_DURATION || type->kind == CEL_OPTIONAL;
}

static void check_type(const struct cel_type *type, struct value v)
{
    if (type == NULL || type->kind == CEL_DYN || (nullable(type) && v.kind == VALUE_NULL))
        return;
    if (cel_kind_of(v) != type->kind)
        __builtin_trap();
    if (v.kind == VALUE_OPTIONAL && v.boxed != NULL)
        check_type(type->item, *v.boxed);
    for (size_t i = 0; v.kind == VALUE_LIST && i < v.n; i++)
        check_type(type->item, v.list[i]);
    for (size_t i = 0; v.kind == VALUE_MAP && i < v.n; i++) {
        check_type(type->key, v.map[i].key);
        check_type(type->item, v.map[i].value);
    }
}

/* Right in form: whatever is wrong, it is not that it cannot be read; and without the checker
 * nothing is. */
static void check_refused(struct cel_env env, struct str text, const struct diags *diags,
                          struct arena *arena)
{
    struct diags none = {0};

    if (diags->error_count == 0)
        __builtin_trap();
    for (size_t i = 0; i < diags->count; i++)
        if (strcmp(diags->items[i].code, "syntax") == 0)
            __builtin_trap();
    env.unchecked = true;
    env.own_functions = env.mixed_numbers = false;
    if (cel_compile(&env, text, (struct place){NULL, 1, 1}, NULL, arena, &none) == NULL)
        for (size_t i = 0; i < none.count; i++)
            if (strcmp(none.items[i].code, "limit") != 0)
                __builtin_trap();
    diags_free(&none);
}

static void try_one(struct str text, bool moment)
{
    struct cel_env env = {.resolve = writer_resolve,
                          .mixed_numbers = moment,
                          .own_functions = moment,
                          .keep_tree = true};
    struct cel_input input = {.load = load, .zone = zone_find(STR("America/New_York"))};
    struct arena *arena = arena_new(0);
    struct diags diags = {0};
    const struct cel_program *program =
        cel_compile(&env, text, (struct place){NULL, 1, 1}, NULL, arena, &diags);

    if (program == NULL) {
        check_refused(env, text, &diags, arena);
    } else {
        struct value v = cel_eval(program, &input, arena);
        if (v.kind != VALUE_ERROR)
            check_type(cel_program_type(program), v);
    }
    diags_free(&diags);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct choices choices = {data, size};
    struct buf text = {0};
    bool moment = choose(&choices, 2) == 1;
    enum cel_type_kind kind = (enum cel_type_kind)(1 + choose(&choices, CEL_OPTIONAL));

    write_expression(&text, &choices, kind, (struct writer_manner){.own = moment, .certain = true});
    try_one(buf_str(&text), moment);
    buf_free(&text);
    return 0;
}
