/* Made from the tree backwards: whoever adds a part knows already where its ways lead, so nothing
 * is patched, and != and ! are the same test with its ways exchanged. */
#include "rules/cel/graph.h"

#include "core/check.h"
#include "core/limit.h"
#include "core/mem.h"
#include "rules/cel/program.h"

/* A run of the graph is never out of budget, so it need not count. */
_Static_assert(LIMIT_CEL_STEPS > UINT16_MAX, "a program costs a step for each instruction");

struct maker {
    const struct cel_program *program;
    struct cel_test *tests; /* on the heap */
    size_t count, capacity;
    bool failed; /* a part is no test */
};

/* --- making ------------------------------------------------------------------------------------- */

static uint16_t fail(struct maker *m)
{
    m->failed = true;
    return CEL_GRAPH_FALSE;
}

static uint16_t add_test(struct maker *m, struct cel_test test)
{
    if (m->count >= UINT16_MAX - CEL_GRAPH_ENDS)
        return fail(m);
    MEM_RESERVE(m->tests, m->count, m->capacity);
    m->tests[m->count++] = test;
    return (uint16_t)(m->count - 1 + CEL_GRAPH_ENDS);
}

static enum cel_order order_of(struct str function)
{
    static const char *const functions[] = {
#define ORDER(name, function, sign) function,
        CEL_ORDERS(ORDER)
#undef ORDER
    };
    size_t i = 0;

    while (i < CEL_ORDER_COUNT && !str_is(function, functions[i]))
        i++;
    return (enum cel_order)i;
}

/* A slot may be tested against values of a kind if it is declared so, or as anything. */
static bool declared(const struct cel_node *slot, enum cel_type_kind kind)
{
    return slot->kind == NODE_SLOT && !slot->test &&
           (slot->type->kind == kind || slot->type->kind == CEL_DYN);
}

/* slot beside constant; of `test` the ways are given. */
static uint16_t add_constant(struct maker *m, const struct cel_node *slot, enum cel_order order,
                             struct value constant, struct cel_test test)
{
    if (order == CEL_ORDER_COUNT || !declared(slot, cel_kind_of(constant)))
        return fail(m);
    test.slot = slot->slot;
    test.kind = constant.kind;
    if (constant.kind == VALUE_INT) {
        test.form = (uint8_t)(CEL_TEST_INT + order);
        test.i = constant.i;
    } else if (constant.kind == VALUE_DOUBLE) {
        test.form = (uint8_t)(CEL_TEST_DOUBLE + order);
        test.d = constant.d;
        test.widens = slot->type->kind == CEL_DOUBLE;
    } else if (constant.kind == VALUE_STRING && order == CEL_ORDER_EQUAL) {
        test.form = CEL_TEST_TEXT;
        test.text = constant.text;
        test.text_bytes = constant.n;
    } else if (constant.kind == VALUE_BOOL && order == CEL_ORDER_EQUAL) {
        test.form = CEL_TEST_BOOL;
        test.boolean = constant.boolean;
    } else {
        return fail(m);
    }
    return add_test(m, test);
}

static uint16_t add_slot(struct maker *m, const struct cel_node *node, struct cel_test test)
{
    if (!node->test)
        return add_constant(m, node, CEL_ORDER_EQUAL, value_bool(true), test);
    test.form = CEL_TEST_HAS;
    test.slot = node->slot;
    return add_test(m, test);
}

/* x in [a, b] is x == a || x == b; in a long list of constants it is one look at its set. */
static uint16_t add_in(struct maker *m, const struct cel_node *node, struct cel_test test)
{
    const struct cel_node *slot = node->items[0];
    struct value list = node->items[1]->literal;

    if (node->items[1]->kind != NODE_LITERAL || list.kind != VALUE_LIST || list.n == 0)
        return fail(m);
    if (!cel_set_fits(list)) {
        for (size_t i = list.n; i > 0 && !m->failed; i--)
            test.if_false = add_constant(m, slot, CEL_ORDER_EQUAL, list.list[i - 1], test);
        return test.if_false;
    }
    if (!declared(slot, cel_kind_of(list.list[0])))
        return fail(m);
    test.form = CEL_TEST_SET;
    test.kind = list.list[0].kind;
    test.slot = slot->slot;
    test.set = cel_set_find(m->program->sets, m->program->set_count, list);
    return test.set != NULL ? add_test(m, test) : fail(m);
}

static uint16_t add(struct maker *m, const struct cel_node *node, uint16_t if_true,
                    uint16_t if_false);

static uint16_t add_operator(struct maker *m, const struct cel_node *node, uint16_t if_true,
                             uint16_t if_false)
{
    struct cel_test same = {.if_true = if_true, .if_false = if_false};
    struct cel_test opposite = {.if_true = if_false, .if_false = if_true};

    if (str_is(node->name, "!_"))
        return add(m, node->items[0], if_false, if_true);
    if (str_is(node->name, "@in"))
        return add_in(m, node, same);
    if (node->count != 2 || node->items[1]->kind != NODE_LITERAL)
        return fail(m);
    if (str_is(node->name, "_!=_"))
        return add_constant(m, node->items[0], CEL_ORDER_EQUAL, node->items[1]->literal, opposite);
    return add_constant(m, node->items[0], order_of(node->name), node->items[1]->literal, same);
}

/* Adds the tests of a part; the first of them. */
static uint16_t add(struct maker *m, const struct cel_node *node, uint16_t if_true,
                    uint16_t if_false)
{
    struct cel_test test = {.if_true = if_true, .if_false = if_false};
    uint16_t first, other;

    if (m->failed)
        return CEL_GRAPH_FALSE;
    switch ((int)node->kind) {
    case NODE_LITERAL:
        if (node->literal.kind != VALUE_BOOL)
            return fail(m);
        return node->literal.boolean ? if_true : if_false;
    case NODE_SLOT: return add_slot(m, node, test);
    case NODE_AND:
        first = if_true;
        for (size_t i = node->count; i > 0; i--)
            first = add(m, node->items[i - 1], first, if_false);
        return first;
    case NODE_OR:
        first = if_false;
        for (size_t i = node->count; i > 0; i--)
            first = add(m, node->items[i - 1], if_true, first);
        return first;
    case NODE_CHOICE:
        other = add(m, node->items[2], if_true, if_false);
        first = add(m, node->items[1], if_true, if_false);
        return add(m, node->items[0], first, other);
    case NODE_CALL: return node->sign ? add_operator(m, node, if_true, if_false) : fail(m);
    default: return fail(m);
    }
}

/* The text of a test: of the program's constants, as a rule, so that it is kept once. */
static const char *keep_text(const struct cel_program *program, struct str text,
                             struct arena *arena)
{
    for (size_t i = 0; i < program->constant_count; i++)
        if (value_same(program->constants[i], value_string(text)))
            return program->constants[i].text;
    return arena_str(arena, text).data;
}

void cel_graph_make(struct cel_program *program, const struct cel_node *root, struct arena *arena)
{
    struct maker m = {.program = program};

    add(&m, root, CEL_GRAPH_TRUE, CEL_GRAPH_FALSE);
    if (!m.failed && m.count > 0) {
        for (size_t i = 0; i < m.count; i++)
            if (m.tests[i].form == CEL_TEST_TEXT)
                m.tests[i].text =
                    keep_text(program, (struct str){m.tests[i].text, m.tests[i].text_bytes}, arena);
        program->tests = arena_copy(arena, m.tests, m.count * sizeof *m.tests);
        program->test_count = (uint16_t)m.count;
    }
    mem_free(m.tests);
}

/* --- running ------------------------------------------------------------------------------------ */

/* Most texts are short: a code, a country.  For them a call of memcmp is most of the work. */
static inline bool is_text(const struct cel_test *test, const struct value *v)
{
    enum { SHORT_BYTES = 8 };

    if (v->n != test->text_bytes)
        return false;
    if (v->n > SHORT_BYTES)
        return memcmp(v->text, test->text, v->n) == 0;
    for (uint32_t i = 0; i < v->n; i++)
        if (v->text[i] != test->text[i])
            return false;
    return true;
}

static inline bool holds(const struct cel_test *test, const struct value *v)
{
    switch ((int)test->form) {
    case CEL_TEST_HAS: return v->kind != VALUE_ABSENT;
    case CEL_TEST_BOOL: return v->boolean == test->boolean;
    case CEL_TEST_TEXT: return is_text(test, v);
    case CEL_TEST_SET: return cel_set_has(test->set, *v);
#define ORDER(name, function, sign)                                                                \
    case CEL_TEST_INT + CEL_ORDER_##name: return v->i sign test->i;                                \
    case CEL_TEST_DOUBLE + CEL_ORDER_##name: return v->d sign test->d;
        CEL_ORDERS(ORDER)
#undef ORDER
    }
    CHECK_NEVER("a test of no form");
}

enum cel_graph_end cel_graph_run(const struct cel_program *program, const struct cel_input *input)
{
    uint32_t at = program->test_count - 1u + CEL_GRAPH_ENDS; /* the last one made is the first */

    struct value room;

    while (at >= CEL_GRAPH_ENDS) {
        const struct cel_test *test = &program->tests[at - CEL_GRAPH_ENDS];
        uint32_t direct = test->slot - input->direct_first;
        const struct value *v = &room;
        if (direct < input->direct_count)
            v = &input->direct[direct];
        else
            room = input->load(input->context, test->slot);
        if (v->kind != test->kind && test->form != CEL_TEST_HAS) {
            if (v->kind != VALUE_INT || !test->widens)
                return CEL_GRAPH_OPEN;
            room = value_double((double)v->i);
            v = &room;
        }
        at = holds(test, v) ? test->if_true : test->if_false;
    }
    return (enum cel_graph_end)at;
}

/* --- listing ------------------------------------------------------------------------------------ */

static void print_way(struct buf *out, uint16_t to)
{
    if (to < CEL_GRAPH_ENDS)
        buf_put_text(out, to == CEL_GRAPH_TRUE ? "true" : "false");
    else
        buf_put_format(out, "%d", to - CEL_GRAPH_ENDS);
}

static void print_constant(struct buf *out, const struct cel_test *test)
{
    static const char *const signs[] = {
#define ORDER(name, function, sign) #sign,
        CEL_ORDERS(ORDER)
#undef ORDER
    };
    struct value v = {.kind = test->kind, .n = test->text_bytes, .text = test->text};
    size_t order = CEL_ORDER_EQUAL;

    if (test->form >= CEL_TEST_INT)
        order = (size_t)(test->form - CEL_TEST_INT) % CEL_ORDER_COUNT;
    if (test->form == CEL_TEST_HAS)
        return;
    buf_put_format(out, " %s ", test->form == CEL_TEST_SET ? "in" : signs[order]);
    cel_print_literal(out, test->form == CEL_TEST_SET    ? test->set->list
                           : test->form == CEL_TEST_BOOL ? value_bool(test->boolean)
                                                         : v);
}

void cel_graph_print(struct buf *out, const struct cel_program *program)
{
    for (size_t i = program->test_count; i > 0; i--) {
        const struct cel_test *test = &program->tests[i - 1];
        size_t slot = 0;
        while (program->slots[slot].slot != test->slot)
            slot++;
        buf_put_format(out, "test %zu: %s%.*s #%u", i - 1, test->form == CEL_TEST_HAS ? "has " : "",
                       STR_ARG(program->slots[slot].path), test->slot);
        print_constant(out, test);
        buf_put_text(out, " ? ");
        print_way(out, test->if_true);
        buf_put_text(out, " : ");
        print_way(out, test->if_false);
        buf_put_char(out, '\n');
    }
}
