/* The differential one.  Any text as an expression: compile it strictly, without the checker and as
 * a moment, run what compiles.  The first byte chooses what the slots hold.  A value is of the type
 * that the checker said, and the same whether constants were folded or not, whether a graph of
 * tests or bytecode gave it. */
#include "rules/cel/cel.h"
#include "rules/cel/funcs.h"

struct world {
    unsigned kind;
    struct value list[3];
};

static struct cel_found resolve(void *context, const struct str *path, size_t count)
{
    static const struct cel_type list = {.kind = CEL_LIST, .item = &cel_int};
    static const struct cel_type *const types[] = {&cel_dyn,    &cel_int,       &cel_double,
                                                   &cel_string, &cel_timestamp, &list};
    size_t type = path[0].len % 6;

    (void)context;
    if (path[0].len > 8)
        return (struct cel_found){.result = CEL_NO_SUCH_NAME, .wrong = 0, .help = STR("shorter")};
    return (struct cel_found){.result = CEL_SLOT,
                              .slot = (uint32_t)path[0].len,
                              .type = types[type],
                              .taken = count > 1 ? 2 : 1};
}

/* Not always of the type that resolve declared: a program must stand that. */
static struct value load(void *context, uint32_t slot)
{
    struct world *world = context;
    static const struct value_entry entries[] = {
        {{.kind = VALUE_STRING, .n = 1, .text = "a"}, {.kind = VALUE_INT, .i = 7}},
        {{.kind = VALUE_STRING, .n = 1, .text = "b"}, {.kind = VALUE_DOUBLE, .d = 0.5}},
    };

    switch ((world->kind + slot) % 12) {
    case 0: return VALUE_NONE;
    case 1: return value_int(INT64_MIN);
    case 2: return value_double(1e300);
    case 3: return value_string(STR("h\xc3\xa9llo \xff\xfe"));
    case 4: return (struct value){.kind = VALUE_TIMESTAMP, .i = INT64_MAX, .n = UINT32_MAX};
    case 5: return value_list(world->list, 3);
    case 6: return value_map(entries, 2);
    case 7: return (struct value){.kind = 200, .n = 5};
    case 8: return (struct value){.kind = VALUE_OPTIONAL};
    case 9: return (struct value){.kind = VALUE_TIMESTAMP, .i = 1772438400};
    case 10: return (struct value){.kind = VALUE_DURATION, .i = INT64_MIN, .n = UINT32_MAX};
    default: return value_uint(UINT64_MAX);
    }
}

/* Null is good where the checker lets it stand for a time or an optional. */
static void check_kind(const struct cel_type *type, struct value v)
{
    bool nullable =
        type->kind == CEL_TIMESTAMP || type->kind == CEL_DURATION || type->kind == CEL_OPTIONAL;

    if (type->kind != CEL_DYN && v.kind != VALUE_ERROR && cel_kind_of(v) != type->kind &&
        !(nullable && v.kind == VALUE_NULL))
        __builtin_trap();
}

/* By their text: values may hold what compares with nothing. */
static bool same(struct value a, struct value b)
{
    struct buf x = {0}, y = {0};
    bool equal;

    cel_print(&x, a);
    cel_print(&y, b);
    equal = str_equal(buf_str(&x), buf_str(&y));
    buf_free(&x);
    buf_free(&y);
    return equal;
}

static bool is_limit(struct value v)
{
    return v.kind == VALUE_ERROR && str_is(value_str(v), "the expression needs too many steps");
}

/* Folding leaves steps over and may find another one of several errors first. */
static void check_unfolded(struct cel_env env, struct str text, const struct cel_input *input,
                           struct value folded)
{
    struct arena *arena = arena_new(0);
    struct diags diags = {0};
    const struct cel_program *program;
    struct value v;

    env.unfolded = true;
    program = cel_compile(&env, text, (struct place){"fuzz", 1, 1}, NULL, arena, &diags);
    if (program != NULL) {
        v = cel_eval(program, input, arena);
        if (!is_limit(v) && !is_limit(folded) &&
            (v.kind != folded.kind || (v.kind != VALUE_ERROR && !same(v, folded))))
            __builtin_trap();
    }
    diags_free(&diags);
    arena_free(arena);
}

static void try_one(struct str text, bool moment, bool unchecked, struct world *world)
{
    struct cel_env env = {.context = world,
                          .resolve = resolve,
                          .mixed_numbers = moment,
                          .own_functions = moment,
                          .unchecked = unchecked};
    struct cel_input input = {
        .context = world, .load = load, .zone = zone_find(STR("Europe/Amsterdam"))};
    struct arena *arena = arena_new(0);
    struct diags diags = {0};
    struct buf out = {0};
    const struct cel_program *program = cel_compile(&env, text, (struct place){"fuzz", 1, 1},
                                                    moment ? &cel_bool : NULL, arena, &diags);

    if (program != NULL) {
        struct value v = cel_eval(program, &input, arena);
        if (!unchecked)
            check_kind(cel_program_type(program), v);
        if (!moment)
            check_unfolded(env, text, &input, v);
        cel_print(&out, v);
        cel_disassemble(&out, program);
        cel_type_print(&out, cel_program_type(program));
    } else if (diags.error_count == 0) {
        __builtin_trap(); /* refused, but nobody is told why */
    }
    for (size_t i = 0; i < diags.count; i++)
        diag_print(&out, &diags.items[i], text);
    buf_free(&out);
    diags_free(&diags);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world world = {.list = {value_int(1), value_uint(2), {.kind = VALUE_ABSENT}}};
    struct str text = {(const char *)data, size};

    if (size > 0) {
        world.kind = data[0];
        text = str_slice(text, 1, size);
    }
    try_one(text, false, false, &world);
    try_one(text, false, true, &world);
    try_one(text, true, false, &world);
    return 0;
}
