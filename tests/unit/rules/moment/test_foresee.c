/* What conditions can come out as: by a table, and against evaluating them.
 *
 *   v.x, v.y ...
 *   x  int, 0 to 10       y  double, -1 to 1, without -1       s  "a", "b" or "c"
 *   b  true or false      z  int, 0 to 5, or missing           u  any text, or missing
 */
#include "rules/moment/foresee.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/rng.h"
#include "tests/support/suite.h"

enum { X = 1, Y, S, B, Z, U, SLOTS };

static const struct cel_type *const types[] = {
    [X] = &cel_int,  [Y] = &cel_double, [S] = &cel_string,
    [B] = &cel_bool, [Z] = &cel_int,    [U] = &cel_string};

static struct arena *arena;

static struct cel_found resolve(void *context, const struct str *path, size_t count)
{
    static const char names[] = "?xysbzu";

    (void)context;
    for (uint32_t i = X; i < SLOTS && count > 1 && str_is(path[0], "v"); i++)
        if (path[1].len == 1 && path[1].data[0] == names[i])
            return (struct cel_found){.result = CEL_SLOT, .slot = i, .type = types[i], .taken = 2};
    return (struct cel_found){.result = CEL_NO_SUCH_NAME};
}

static struct possible can_be(void *context, uint32_t slot, const struct knowledge *known)
{
    static const struct value letters[] = {{.kind = VALUE_STRING, .n = 1, .text = "a"},
                                           {.kind = VALUE_STRING, .n = 1, .text = "b"},
                                           {.kind = VALUE_STRING, .n = 1, .text = "c"}};
    struct possible p;

    (void)context;
    (void)known;
    switch (slot) {
    case X: return possible_between(0, 10, true);
    case Y:
        p = possible_between(-1, 1, false);
        p.low_out = true;
        return p;
    case S: return possible_one_of(letters, 3);
    case B: return possible_truth((struct outcomes){.yes = true, .no = true});
    case Z:
        p = possible_between(0, 5, true);
        p.missing = true;
        return p;
    default: return possible_anything(true);
    }
}

static struct possible entry(void *context, uint32_t slot)
{
    (void)context;
    (void)slot;
    return possible_anything(true);
}

static void set_up(void)
{
    arena = arena_new(0);
}

static void tear_down(void)
{
    arena_free(arena);
}

static const struct cel_program *compile(const char *text)
{
    const struct cel_env env = {
        .resolve = resolve, .mixed_numbers = true, .own_functions = true, .keep_tree = true};
    struct diags diags = {0};
    const struct cel_program *program =
        cel_compile(&env, str_of(text), (struct place){0}, NULL, arena, &diags);

    ck_assert_msg(program != NULL, "%s: %s", text, diags.count != 0 ? diags.items[0].what : "");
    diags_free(&diags);
    return program;
}

static struct outcomes foreseen(const struct cel_program *program)
{
    struct foresight f = {.slot = can_be, .entry = entry, .arena = arena};

    return foresee_outcomes(&f, cel_program_tree(program), NULL);
}

/* --- the table ------------------------------------------------------------------------------------ */

static const struct {
    const char *text, *can; /* of y(es) n(o) e(rror), those that it can come out as */
} table[] = {
    /* numbers */
    {"v.x > 3", "yn"},
    {"v.x > 10", "n"},
    {"v.x >= 10", "yn"},
    {"v.x >= 0", "y"},
    {"v.x < 0", "n"},
    {"0 <= v.x", "y"},
    {"v.x == 11", "n"},
    {"v.x != 11", "y"},
    {"v.x == 3", "yn"},
    {"v.x < 0.5", "yn"},
    {"v.x + 1 > 0", "y"},
    {"v.x * 2 <= 20", "y"},
    {"v.x - 10 > 0", "n"},
    {"-v.x > 0", "n"},
    {"v.x > -1", "y"},
    {"v.x / 2 > 100", "yne"},
    {"v.y > -1.0", "y"},
    {"v.y <= -1.0", "n"},
    {"v.y < 1.0", "yn"},
    {"v.x * v.y < 11", "y"},
    {"v.x + v.y > -1", "yn"},
    /* lists of values */
    {"v.s == \"a\"", "yn"},
    {"v.s == \"A\"", "n"},
    {"v.s != \"A\"", "y"},
    {"v.s in [\"a\", \"b\"]", "yn"},
    {"v.s in [\"a\", \"b\", \"c\"]", "y"},
    {"v.s in [\"x\", \"y\"]", "n"},
    {"v.s < \"d\"", "y"},
    {"v.x in [11, 12]", "n"},
    {"v.x in [1, 2]", "yn"},
    {"1 in [v.x]", "yn"},
    /* true and false */
    {"v.b", "yn"},
    {"!v.b", "yn"},
    {"v.b == true", "yn"},
    {"v.b && !v.b", "n"},
    {"v.b || !v.b", "y"},
    /* together */
    {"v.x > 5 && v.x < 3", "n"},
    {"v.x > 5 || v.x <= 5", "y"},
    {"v.x > 5 && v.x < 8", "yn"},
    {"v.x > 5 && v.x < 6", "n"},
    {"v.x == 3 && v.x != 3", "n"},
    {"v.s == \"a\" && v.s == \"b\"", "n"},
    {"v.s == \"a\" || v.s == \"b\" || v.s == \"c\"", "y"},
    {"v.s != \"a\" && v.s != \"b\" && v.s != \"c\"", "n"},
    {"!(v.x > 5) && v.x > 7", "n"},
    {"v.x > 7 && (v.x < 3 || v.x < 5)", "n"},
    {"v.x > 7 && (v.x < 3 || v.b)", "yn"},
    {"(v.x < 3 || v.x > 8) && v.x == 5", "yn"}, /* the range of both has 5 */
    {"(v.s == \"a\" || v.s == \"b\") && v.s == \"c\"", "n"},
    {"v.s in [\"a\", \"b\"] && v.s == \"c\"", "n"},
    {"!(v.s in [\"a\", \"b\"]) && v.s != \"c\"", "n"},
    /* what may be missing */
    {"v.z >= 0", "ye"},
    {"v.z > 5", "ne"},
    {"has(v.z)", "yn"},
    {"has(v.x)", "y"},
    {"has(v.z) && v.z >= 0", "yn"},
    {"!has(v.z) || v.z >= 0", "y"},
    {"has(v.z) && v.z > 5", "n"},
    {"!has(v.z) && v.z == 3", "ne"},
    {"v.z > 2 && has(v.z)", "yn"},
    {"has(v.z) ? v.z >= 0 : true", "y"},
    {"(has(v.z) ? v.z : 9) > 9", "n"},
    {"has(v.z) || v.z == 7", "ye"},
    {"v.u == \"a\"", "yne"},
    {"v.u == \"a\" && v.u == \"b\"", "ne"},
    {"v.u == \"a\" || true", "y"},
    /* choice */
    {"v.x > 5 ? v.x > 3 : true", "y"},
    {"v.x > 5 ? v.x < 3 : false", "n"},
    {"(v.b ? 1 : 2) > 2", "n"},
    {"(v.b ? 1 : 2) > 1", "yn"},
    /* what is not understood */
    {"v.s.startsWith(\"q\")", "yne"},
    {"size(v.s) >= 0", "y"},
    {"size(v.u) < 0", "ne"},
    {"[1, 2].exists(i, i > v.x)", "yne"},
};

START_TEST(each_comes_out_as_the_table_says)
{
    size_t wrong = 0;

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct outcomes o = foreseen(compile(table[i].text));
        char can[4] = "";

        snprintf(can, sizeof can, "%s%s%s", o.yes ? "y" : "", o.no ? "n" : "", o.error ? "e" : "");
        if (strcmp(can, table[i].can) == 0)
            continue;
        fprintf(stderr, "%s: can be %s, not %s\n", table[i].text, can, table[i].can);
        wrong++;
    }
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

/* --- against evaluating --------------------------------------------------------------------------- */

enum { TEXTS = 3000, TRIES = 60, TEXT_MAX = 4000 };

struct world {
    struct value slots[SLOTS];
};

static struct value load(void *context, uint32_t slot)
{
    const struct world *world = context;

    return world->slots[slot];
}

static void put(struct buf *out, struct rng *rng, int depth);

static void put_number(struct buf *out, struct rng *rng)
{
    static const char *const numbers[] = {
        "v.x",  "v.y",      "v.z",   "0",       "1",         "3",
        "5",    "10",       "-1",    "0.5",     "-1.0",      "11",
        "2",    "v.x+1",    "v.x*2", "v.z - 3", "v.x * v.y", "(v.b ? v.x : v.z)",
        "-v.x", "v.x - v.z"};

    buf_put_text(out, numbers[rng_below(rng, sizeof numbers / sizeof numbers[0])]);
}

static void put_leaf(struct buf *out, struct rng *rng)
{
    static const char *const signs[] = {"<", "<=", ">", ">=", "==", "!="};
    static const char *const others[] = {"v.b",
                                         "has(v.z)",
                                         "has(v.u)",
                                         "v.s in [\"a\", \"c\"]",
                                         "v.s == \"b\"",
                                         "v.s != \"a\"",
                                         "\"c\" == v.s",
                                         "v.s < \"b\"",
                                         "v.z in [0, 1, 2, 3, 4, 5]",
                                         "v.x in [1, 2, v.z]",
                                         "v.u == \"a\"",
                                         "v.u != v.s",
                                         "true"};

    if (rng_below(rng, 2) == 0) {
        buf_put_text(out, others[rng_below(rng, sizeof others / sizeof others[0])]);
        return;
    }
    put_number(out, rng);
    buf_put_format(out, " %s ", signs[rng_below(rng, 6)]);
    put_number(out, rng);
}

static void put_joined(struct buf *out, struct rng *rng, int depth)
{
    const char *sign = rng_below(rng, 2) == 0 ? " && " : " || ";
    size_t count = 2 + rng_below(rng, 2);

    buf_put_char(out, '(');
    for (size_t i = 0; i < count; i++) {
        buf_put_text(out, i == 0 ? "" : sign);
        put(out, rng, depth - 1);
    }
    buf_put_char(out, ')');
}

static void put(struct buf *out, struct rng *rng, int depth)
{
    uint64_t what = depth == 0 ? 0 : rng_below(rng, 8);

    if (what < 3) {
        put_leaf(out, rng);
    } else if (what < 6) {
        put_joined(out, rng, depth);
    } else if (what == 6) {
        buf_put_text(out, "!(");
        put(out, rng, depth - 1);
        buf_put_char(out, ')');
    } else {
        buf_put_char(out, '(');
        put(out, rng, depth - 1);
        buf_put_text(out, " ? ");
        put(out, rng, depth - 1);
        buf_put_text(out, " : ");
        put(out, rng, depth - 1);
        buf_put_char(out, ')');
    }
}

static struct world invent(struct rng *rng)
{
    static const double ys[] = {-0.999, -0.5, 0, 0.5, 1};
    static const char *const letters[] = {"a", "b", "c"};
    struct world w = {0};

    w.slots[X] = value_int((int64_t)rng_below(rng, 11));
    w.slots[Y] = value_double(ys[rng_below(rng, 5)]);
    w.slots[S] = value_string(str_of(letters[rng_below(rng, 3)]));
    w.slots[B] = value_bool(rng_below(rng, 2) == 0);
    w.slots[Z] = rng_below(rng, 4) == 0 ? VALUE_NONE : value_int((int64_t)rng_below(rng, 6));
    w.slots[U] =
        rng_below(rng, 4) == 0 ? VALUE_NONE : value_string(str_of(letters[rng_below(rng, 3)]));
    return w;
}

/* Did it come out as foreseen, for what it learns too? */
static void try(const struct cel_program *program, struct str text, struct rng *rng)
{
    struct foresight f = {.slot = can_be, .entry = entry, .arena = arena};
    struct outcomes o = foreseen(program);
    struct knowledge when[2] = {0};
    bool can[2];

    for (size_t i = 0; i < 2; i++)
        can[i] = foresee_assume(&f, cel_program_tree(program), i == 1, &when[i]);
    for (size_t i = 0; i < TRIES; i++) {
        struct world world = invent(rng);
        struct cel_input input = {.context = &world, .load = load};
        struct value v = cel_eval(program, &input, arena);
        const struct knowledge *k;

        if (v.kind != VALUE_BOOL) {
            ck_assert_msg(o.error, "%.*s fails", STR_ARG(text));
            continue;
        }
        ck_assert_msg(v.boolean ? o.yes : o.no, "%.*s is %d", STR_ARG(text), v.boolean);
        ck_assert_msg(can[v.boolean], "%.*s was assumed never to be %d", STR_ARG(text), v.boolean);
        k = &when[v.boolean];
        for (size_t n = 0; n < k->count; n++) {
            struct value held = world.slots[k->items[n].slot];
            struct possible is = possible_value(arena, held);
            const struct possible *known = &k->items[n].possible;
            ck_assert_msg(held.kind == VALUE_ABSENT ? known->missing
                                                    : possible_compare(IS_EQUAL, known, &is).yes,
                          "%.*s is %d, and slot %u is something else", STR_ARG(text), v.boolean,
                          k->items[n].slot);
        }
    }
}

START_TEST(what_comes_was_foreseen)
{
    struct rng rng = rng_seeded(20);
    struct buf text = {0};

    for (size_t i = 0; i < TEXTS; i++) {
        text.len = 0;
        put(&text, &rng, 3);
        if (text.len < TEXT_MAX)
            try(compile(buf_text(&text)), buf_str(&text), &rng);
        arena_reset(arena);
    }
    buf_free(&text);
}
END_TEST

/* Deep, and wide: it ends, and what is not looked at any more can be anything. */
START_TEST(a_monster_ends)
{
    struct buf text = {0};

    for (int i = 0; i < 30; i++)
        buf_put_text(&text, "((v.b ? v.z > 1 : v.x > 2) ? ");
    buf_put_text(&text, "v.x == 99");
    for (int i = 0; i < 30; i++)
        buf_put_text(&text, " : v.x == 98)");
    foreseen(compile(buf_text(&text)));
    text.len = 0;
    for (int i = 0; i < 400; i++)
        buf_put_format(&text, "%s(v.z > %d && v.x < %d)", i == 0 ? "" : " || ", i, i);
    foreseen(compile(buf_text(&text)));
    buf_free(&text);
}
END_TEST

static void count(void *context, const struct cel_tree *slot)
{
    (void)slot;
    ++*(size_t *)context;
}

START_TEST(it_says_what_may_be_missing)
{
    static const struct {
        const char *text;
        size_t count;
    } each[] = {
        {"v.z", 1},
        {"v.x", 0},
        {"has(v.z)", 0},
        {"has(v.z) ? v.z : 0", 0},
        {"has(v.z) ? 0 : v.z", 1},
        {"has(v.z) && v.z > 3", 0},
        {"v.z > 3 && v.z > 4", 1},
        {"string(v.z) + v.u", 2},
    };

    for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
        struct foresight f = {.slot = can_be, .entry = entry, .arena = arena};
        size_t found = 0;

        foresee_missing(&f, cel_program_tree(compile(each[i].text)), NULL, &found, count);
        ck_assert_msg(found == each[i].count, "%s: %zu, not %zu", each[i].text, found,
                      each[i].count);
    }
}
END_TEST

SUITE_MAIN_AROUND("foresee", set_up, tear_down, each_comes_out_as_the_table_says,
                  what_comes_was_foreseen, a_monster_ends, it_says_what_may_be_missing)
