/* The VM, on programs that the compiler made (it runs no other) and inputs of any kind: values
 * that the bytes decode to, whatever the slots were declared to hold.  A run ends in bounded time
 * and memory, gives the same again, and the same as plain bytecode of the same text. */
#include "core/limit.h"
#include "rules/cel/cel.h"
#include "rules/cel/funcs.h"
#include "tests/fuzz/cel_writer.h"

enum { RUN_BYTES_MAX = 64 * LIMIT_CEL_TEXT_BYTES };

struct world {
    struct value slots[WRITER_SLOTS];
};

static struct value load(void *context, uint32_t slot)
{
    const struct world *world = context;

    return world->slots[slot];
}

static void fill(struct world *world, struct choices *choices, struct arena *arena)
{
    struct reader reader = reader_of((struct str){(const char *)choices->data, choices->size});

    for (size_t i = 0; i < WRITER_SLOTS; i++)
        world->slots[i] = value_decode(&reader, arena); /* absent once it failed */
}

/* By their text: values may hold what compares with nothing. */
static bool same(struct value a, struct value b)
{
    struct buf x = {0}, y = {0};
    bool equal;

    cel_print(&x, a);
    cel_print(&y, b);
    equal = a.kind == b.kind && str_equal(buf_str(&x), buf_str(&y));
    buf_free(&x);
    buf_free(&y);
    return equal;
}

static bool is_limit(struct value v)
{
    return v.kind == VALUE_ERROR && (str_is(value_str(v), "the expression needs too many steps"));
}

static struct value run(struct cel_env env, struct str text, const struct cel_input *input,
                        struct arena *arena, bool *compiled)
{
    struct diags diags = {0};
    const struct cel_program *program =
        cel_compile(&env, text, (struct place){NULL, 1, 1}, NULL, arena, &diags);
    struct value v = VALUE_NONE, again;
    size_t before = arena_bytes(arena);

    *compiled = program != NULL;
    if (program != NULL) {
        v = cel_eval(program, input, arena);
        if (arena_bytes(arena) - before > RUN_BYTES_MAX)
            __builtin_trap();
        again = cel_eval(program, input, arena);
        if (!same(v, again))
            __builtin_trap();
    }
    diags_free(&diags);
    return v;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct choices choices = {data, size};
    struct writer_manner manner = {.own = choose(&choices, 2) == 1};
    struct cel_env env = {.resolve = writer_resolve,
                          .mixed_numbers = manner.own,
                          .own_functions = manner.own,
                          .unchecked = !manner.own && choose(&choices, 3) == 2};
    struct arena *arena = arena_new(0);
    struct buf text = {0};
    struct world world;
    struct cel_input input = {
        .context = &world, .load = load, .zone = zone_find(STR("Australia/Lord_Howe"))};
    struct value v, plain;
    bool compiled, compiled_plain;

    write_expression(&text, &choices, CEL_BOOL, manner);
    fill(&world, &choices, arena);
    v = run(env, buf_str(&text), &input, arena, &compiled);
    env.unfolded = true;
    plain = run(env, buf_str(&text), &input, arena, &compiled_plain);
    /* in moments what is always an error is a mistake, found when folded */
    if (compiled && compiled_plain && !is_limit(v) && !is_limit(plain) &&
        !(v.kind == VALUE_ERROR && plain.kind == VALUE_ERROR) && !same(v, plain))
        __builtin_trap();
    buf_free(&text);
    arena_free(arena);
    return 0;
}
