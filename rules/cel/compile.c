/* Tree to bytecode, one walk; cel_compile ties all parts together.
 *
 * Depth of the stack is counted while emitting, so that the VM needs no check.  Tree and text live
 * in a scratch arena; constants that stay are copied into the caller's. */
#include <stdio.h>
#include <stdlib.h>

#include "core/check.h"
#include "core/hash.h"
#include "core/limit.h"
#include "core/mem.h"
#include "core/regex.h"
#include "rules/cel/graph.h"
#include "rules/cel/parse.h"
#include "rules/cel/program.h"

struct gen {
    struct cel_source *source;
    struct arena *arena;
    struct cel_program *program;
    size_t code_capacity, constant_capacity, slot_capacity, regex_capacity, set_capacity;
    size_t depth, depth_max;
    uint32_t *numbers; /* of constants, + 1, by hash; at least half of the places are 0, free */
    uint32_t numbers_mask;
};

static void gen_node(struct gen *g, const struct cel_node *node);

/* --- emitting --------------------------------------------------------------------------------- */

static size_t emit(struct gen *g, enum cel_op op, int change, size_t b, size_t c)
{
    struct cel_program *p = g->program;

    MEM_RESERVE(p->code, p->code_count, g->code_capacity);
    p->code[p->code_count] = (struct cel_instr){(uint8_t)op, 0, (uint16_t)b, (uint32_t)c};
    CHECK(change >= 0 || g->depth >= (size_t)-change);
    g->depth = (size_t)((int)g->depth + change);
    if (g->depth > g->depth_max)
        g->depth_max = g->depth;
    return p->code_count++;
}

static size_t here(const struct gen *g)
{
    return g->program->code_count;
}

static void jump_here(struct gen *g, size_t from)
{
    g->program->code[from].c = (uint32_t)here(g);
}

static uint64_t hash_of(struct value v)
{
    uint64_t hash = v.kind;

    if (v.kind == VALUE_LIST || v.kind == VALUE_MAP)
        for (size_t i = 0; i < v.n && i < 4; i++)
            hash = hash * 31 + hash_of(v.kind == VALUE_LIST ? v.list[i] : v.map[i].key);
    else if (v.kind == VALUE_STRING || v.kind == VALUE_BYTES)
        hash = hash_bytes(value_str(v), hash);
    else if (v.kind == VALUE_INT || v.kind == VALUE_UINT || v.kind == VALUE_DOUBLE)
        hash = (v.u + hash) * UINT64_C(0x9e3779b97f4a7c15) >> 32;
    return hash + v.n;
}

/* Where the number of a constant stands, or would stand. */
static uint32_t *number_place(const struct gen *g, struct value v)
{
    for (uint64_t at = hash_of(v);; at++) {
        uint32_t *number = &g->numbers[at & g->numbers_mask];
        if (*number == 0 || value_same(g->program->constants[*number - 1], v))
            return number;
    }
}

static void grow_numbers(struct gen *g)
{
    g->numbers_mask = g->numbers_mask == 0 ? 15 : 2 * g->numbers_mask + 1;
    mem_free(g->numbers);
    g->numbers = mem_alloc(((size_t)g->numbers_mask + 1) * sizeof *g->numbers);
    for (size_t i = 0; i < g->program->constant_count; i++)
        *number_place(g, g->program->constants[i]) = (uint32_t)i + 1;
}

/* Each constant is kept once. */
static size_t constant(struct gen *g, struct value v)
{
    struct cel_program *p = g->program;
    uint32_t *number;

    if (2 * p->constant_count >= g->numbers_mask)
        grow_numbers(g);
    number = number_place(g, v);
    if (*number == 0) {
        MEM_RESERVE(p->constants, p->constant_count, g->constant_capacity);
        p->constants[p->constant_count++] = value_copy(g->arena, v);
        *number = (uint32_t)p->constant_count;
    }
    return *number - 1;
}

static void gen_constant(struct gen *g, struct value v)
{
    emit(g, OP_CONST, 1, 0, constant(g, v));
}

/* --- slots ------------------------------------------------------------------------------------ */

/* The kind of value that a slot of a type holds as a rule, if it needs no second look. */
static uint8_t plain_kind(enum cel_type_kind kind)
{
    switch ((int)kind) {
    case CEL_BOOL: return VALUE_BOOL;
    case CEL_INT: return VALUE_INT;
    case CEL_UINT: return VALUE_UINT;
    case CEL_DOUBLE: return VALUE_DOUBLE;
    case CEL_STRING: return VALUE_STRING;
    case CEL_BYTES: return VALUE_BYTES;
    case CEL_LIST: return VALUE_LIST;
    case CEL_MAP: return VALUE_MAP;
    case CEL_DURATION: return VALUE_DURATION;
    default: return VALUE_KIND_COUNT;
    }
}

static size_t slot_index(struct gen *g, const struct cel_node *node)
{
    struct cel_program *p = g->program;
    enum cel_type_kind kind = node->test ? CEL_DYN : node->type->kind;
    struct cel_slot *slot;

    for (size_t i = 0; i < p->slot_count; i++)
        if (p->slots[i].slot == node->slot && p->slots[i].kind == kind &&
            str_equal(p->slots[i].path, node->path))
            return i;
    MEM_RESERVE(p->slots, p->slot_count, g->slot_capacity);
    slot = &p->slots[p->slot_count];
    *slot = (struct cel_slot){.slot = node->slot, .kind = (uint8_t)kind, .plain = plain_kind(kind)};
    slot->path = arena_str(g->arena, node->path);
    slot->missing = value_error(g->arena, "no such key: %.*s", STR_ARG(slot->path));
    return p->slot_count++;
}

static void gen_slot(struct gen *g, const struct cel_node *node)
{
    emit(g, node->test ? OP_HAS_SLOT : OP_SLOT, 1, 0, slot_index(g, node));
}

static void gen_select(struct gen *g, const struct cel_node *node)
{
    const struct cel_node *operand = node->items[0];
    size_t key = constant(g, value_string(node->name));

    if (node->test && operand->kind == NODE_SLOT) { /* nothing there: has() is false, no error */
        struct cel_node test = *operand;
        test.test = true;
        gen_slot(g, &test);
        size_t jump = emit(g, OP_JUMP_FALSE, 0, 0, 0);
        gen_slot(g, operand);
        emit(g, OP_HAS, 0, 0, key);
        emit(g, OP_AND, -1, 0, here(g) + 1);
        jump_here(g, jump);
        return;
    }
    gen_node(g, operand);
    emit(g, node->test ? OP_HAS : node->optional ? OP_SELECT_OPT : OP_SELECT, 0, 0, key);
}

/* --- calls ------------------------------------------------------------------------------------ */

static const struct {
    const char *function;
    enum cel_op op;
} operators[] = {
    {"_+_", OP_ADD},   {"_-_", OP_SUB}, {"_*_", OP_MUL}, {"_/_", OP_DIV}, {"_%_", OP_MOD},
    {"-_", OP_NEGATE}, {"!_", OP_NOT},  {"_==_", OP_EQ}, {"_!=_", OP_NE}, {"_<_", OP_LT},
    {"_<=_", OP_LE},   {"_>_", OP_GT},  {"_>=_", OP_GE}, {"@in", OP_IN},
};

/* x.matches("constant"): compiled now.  False: not a good pattern; left to be an error when run. */
static bool gen_match(struct gen *g, const struct cel_node *node)
{
    struct cel_program *p = g->program;
    struct regex *regex;

    if (node->items[1]->kind != NODE_LITERAL || node->items[1]->literal.kind != VALUE_STRING ||
        regex_compile(value_str(node->items[1]->literal), g->arena, &regex, NULL) != ERR_NONE)
        return false;
    gen_node(g, node->items[0]);
    MEM_RESERVE(p->regexes, p->regex_count, g->regex_capacity);
    p->regexes[p->regex_count] = regex;
    emit(g, OP_MATCH, 0, 0, p->regex_count++);
    return true;
}

/* a.or(b), a.orValue(b): b only if a is none. */
static void gen_optional_or(struct gen *g, const struct cel_node *node)
{
    size_t jump;

    gen_node(g, node->items[0]);
    jump = emit(g, OP_OPT_ELSE, -1, 0, 0);
    g->program->code[jump].a = str_is(node->name, "orValue");
    gen_node(g, node->items[1]);
    jump_here(g, jump);
}

/* x in a constant list that is worth a hash table: the same list, the same table. */
static void gen_in_set(struct gen *g, const struct cel_node *node)
{
    struct cel_program *p = g->program;
    struct value list = node->items[1]->literal;
    const struct cel_set *found = cel_set_find(p->sets, p->set_count, list);
    size_t number = found != NULL ? (size_t)(found - p->sets) : p->set_count;

    gen_node(g, node->items[0]);
    if (found == NULL) {
        MEM_RESERVE(p->sets, p->set_count, g->set_capacity);
        p->sets[p->set_count++] = cel_set_make(g->arena, list);
    }
    emit(g, OP_IN_SET, 0, 0, number);
}

static bool is_compared(enum cel_op op)
{
    return op == OP_EQ || op == OP_NE || op == OP_LT || op == OP_LE || op == OP_GT || op == OP_GE;
}

/* A slot compared with a constant is one instruction. */
static void gen_test(struct gen *g, const struct cel_node *node, enum cel_op op)
{
    size_t at =
        emit(g, OP_TEST, 1, slot_index(g, node->items[0]), constant(g, node->items[1]->literal));

    g->program->code[at].a = (uint8_t)op;
}

static void gen_call(struct gen *g, const struct cel_node *node)
{
    size_t op = 0;

    if (str_is(node->name, "matches") && node->count == 2 && gen_match(g, node))
        return;
    if (node->method && node->count == 2 &&
        (str_is(node->name, "or") || str_is(node->name, "orValue"))) {
        gen_optional_or(g, node);
        return;
    }
    if (node->sign && str_is(node->name, "@in") && node->items[1]->kind == NODE_LITERAL &&
        cel_set_fits(node->items[1]->literal)) {
        gen_in_set(g, node);
        return;
    }
    while (node->sign && !str_is(node->name, operators[op].function))
        op++;
    if (node->sign && is_compared(operators[op].op) && node->items[0]->kind == NODE_SLOT &&
        !node->items[0]->test && node->items[1]->kind == NODE_LITERAL) {
        gen_test(g, node, operators[op].op);
        return;
    }
    for (size_t i = 0; i < node->count; i++)
        gen_node(g, node->items[i]);
    if (node->sign) {
        emit(g, operators[op].op, 1 - (int)node->count, node->overload, 0);
        return;
    }
    if (node->count > UINT8_MAX) {
        cel_report(g->source, DIAG_ERROR, node->at, "limit", "give it a list",
                   "a function with %zu values, at most %d are taken", node->count, UINT8_MAX);
        return;
    }
    size_t at = emit(g, OP_CALL, 1 - (int)node->count, node->overload, 0);
    g->program->code[at].a = (uint8_t)node->count;
}

/* --- logic and containers --------------------------------------------------------------------- */

static void gen_logic(struct gen *g, const struct cel_node *node)
{
    enum cel_op join = node->kind == NODE_AND ? OP_AND : OP_OR;
    size_t first, end;

    gen_node(g, node->items[0]);
    first = emit(g, node->kind == NODE_AND ? OP_JUMP_FALSE : OP_JUMP_TRUE, 0, 0, 0);
    for (size_t i = 1; i < node->count; i++) {
        gen_node(g, node->items[i]);
        emit(g, join, -1, 0, 0);
    }
    end = here(g);
    g->program->code[first].c = (uint32_t)end;
    /* joins of this chain: those between first and end that have no target yet */
    for (size_t i = first; i < end; i++)
        if (g->program->code[i].op == join && g->program->code[i].c == 0)
            g->program->code[i].c = (uint32_t)end;
}

static void gen_choice(struct gen *g, const struct cel_node *node)
{
    size_t choose, jump;

    gen_node(g, node->items[0]);
    choose = emit(g, OP_CHOOSE, -1, 0, 0);
    gen_node(g, node->items[1]);
    jump = emit(g, OP_JUMP, -1, 0, 0);
    jump_here(g, choose);
    gen_node(g, node->items[2]);
    jump_here(g, jump);
    g->program->code[choose].b = (uint16_t)here(g);
}

static void gen_list(struct gen *g, const struct cel_node *node)
{
    emit(g, OP_LIST_NEW, 1, 0, 0);
    for (size_t i = 0; i < node->count; i++) {
        gen_node(g, node->items[i]);
        emit(g, node->items[i]->entry_optional ? OP_LIST_ADD_OPT : OP_LIST_ADD, -1, 0, 0);
    }
}

static void gen_map(struct gen *g, const struct cel_node *node)
{
    emit(g, OP_MAP_NEW, 1, 0, 0);
    for (size_t i = 0; i < node->count; i += 2) {
        gen_node(g, node->items[i]);
        gen_node(g, node->items[i + 1]);
        emit(g, node->items[i]->entry_optional ? OP_MAP_ADD_OPT : OP_MAP_ADD, -2, 0, 0);
    }
    emit(g, OP_MAP_END, 0, 0, 0);
}

/* --- macros ----------------------------------------------------------------------------------- */

static const enum cel_op gather_ops[] = {
    [COLLECT_ALL] = OP_GATHER_ALL,     [COLLECT_ANY] = OP_GATHER_ANY,
    [COLLECT_ONE] = OP_GATHER_ONE,     [COLLECT_FILTER] = OP_GATHER_FILTER,
    [COLLECT_LIST] = OP_GATHER_LIST,   [COLLECT_MAP] = OP_GATHER_MAP,
    [COLLECT_ENTRY] = OP_GATHER_ENTRY,
};

static void gen_gathered_start(struct gen *g, enum cel_collect collect)
{
    if (collect == COLLECT_ALL || collect == COLLECT_ANY)
        gen_constant(g, value_bool(collect == COLLECT_ALL));
    else if (collect == COLLECT_ONE)
        gen_constant(g, value_int(0));
    else
        emit(g, collect >= COLLECT_MAP ? OP_MAP_NEW : OP_LIST_NEW, 1, 0, 0);
}

/* cel.bind, optMap, optFlatMap: a name for one value. */
static void gen_binding(struct gen *g, const struct cel_node *node)
{
    size_t jump = 0;
    bool optional = node->macro->collect != COLLECT_BIND;

    gen_node(g, node->items[0]);
    if (optional)
        jump = emit(g, OP_OPT_OPEN, 0, 0, 0);
    emit(g, OP_STORE, -1, node->local + 3u, 0);
    gen_node(g, node->items[1]);
    if (node->macro->collect == COLLECT_OPT)
        emit(g, OP_OPT_WRAP, 0, 0, 0);
    if (optional)
        jump_here(g, jump);
}

static void gen_loop(struct gen *g, const struct cel_node *node)
{
    size_t base = node->local, iter, next;
    enum cel_collect collect = node->macro->collect;

    gen_node(g, node->items[0]);
    iter = emit(g, OP_ITER, -1, base, 0);
    gen_gathered_start(g, collect);
    emit(g, OP_STORE, -1, base + 2, 0);
    next = emit(g, OP_NEXT, 0, base, 0);
    g->program->code[next].a = (uint8_t)node->macro->vars;
    if (node->macro->filtered) {
        gen_node(g, node->items[1]);
        emit(g, OP_FILTER, -1, base, next);
    }
    gen_node(g, node->items[node->count - 1]);
    emit(g, gather_ops[collect], -1, base, next);
    jump_here(g, next);
    if (collect == COLLECT_ONE)
        emit(g, OP_END_ONE, 1, base + 2, 0);
    else
        emit(g, OP_LOCAL, 1, base + 2, 0);
    if (collect == COLLECT_MAP || collect == COLLECT_ENTRY)
        emit(g, OP_MAP_END, 0, 0, 0);
    jump_here(g, iter);
}

static void gen_macro(struct gen *g, const struct cel_node *node)
{
    if (node->local + 5u > g->program->local_count)
        g->program->local_count = (uint16_t)(node->local + 5u);
    if (node->macro->collect >= COLLECT_BIND)
        gen_binding(g, node);
    else
        gen_loop(g, node);
}

static void gen_node(struct gen *g, const struct cel_node *node)
{
    switch (node->kind) {
    case NODE_LITERAL: gen_constant(g, node->literal); return;
    case NODE_SLOT: gen_slot(g, node); return;
    case NODE_LOCAL: emit(g, OP_LOCAL, 1, node->local, 0); return;
    case NODE_SELECT: gen_select(g, node); return;
    case NODE_INDEX:
        gen_node(g, node->items[0]);
        gen_node(g, node->items[1]);
        emit(g, node->optional ? OP_INDEX_OPT : OP_INDEX, -1, 0, 0);
        return;
    case NODE_CALL: gen_call(g, node); return;
    case NODE_DOUBLE:
        gen_node(g, node->items[0]);
        emit(g, OP_DOUBLE, 0, 0, 0);
        return;
    case NODE_LIST: gen_list(g, node); return;
    case NODE_MAP: gen_map(g, node); return;
    case NODE_AND:
    case NODE_OR: gen_logic(g, node); return;
    case NODE_CHOICE: gen_choice(g, node); return;
    case NODE_MACRO: gen_macro(g, node); return;
    case NODE_NAME: /* the checker turned it into something else or reported it */ break;
    }
    CHECK_NEVER("a node that the checker left");
}

/* --- the whole program ------------------------------------------------------------------------ */

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static void number_slots(struct gen *g)
{
    struct cel_program *p = g->program;
    size_t kept = 0;

    p->slot_numbers = ARENA_ARRAY(g->arena, uint32_t, p->slot_count);
    for (size_t i = 0; i < p->slot_count; i++)
        p->slot_numbers[i] = p->slots[i].slot;
    if (p->slot_count > 1)
        qsort(p->slot_numbers, p->slot_count, sizeof *p->slot_numbers, compare_u32);
    for (size_t i = 0; i < p->slot_count; i++)
        if (kept == 0 || p->slot_numbers[kept - 1] != p->slot_numbers[i])
            p->slot_numbers[kept++] = p->slot_numbers[i];
    p->slot_number_count = kept;
}

/* Move an array that grew on the heap into the arena. */
static void *settle(struct arena *arena, void *items, size_t bytes)
{
    void *kept = bytes != 0 ? arena_copy(arena, items, bytes) : NULL;

    mem_free(items);
    return kept;
}

static void gen_end(struct gen *g, const struct cel_node *root, const struct cel_type *want)
{
    struct cel_program *p = g->program;
    bool known = want == NULL || want->kind == CEL_DYN || root->type->kind == want->kind ||
                 (root->kind == NODE_LITERAL && cel_kind_of(root->literal) == want->kind) ||
                 (root->kind == NODE_LITERAL && root->literal.kind == VALUE_ERROR);

    if (!known) {
        size_t at = emit(g, OP_EXPECT, 0, 0, 0); /* may move the code */
        p->code[at].a = (uint8_t)want->kind;
    }
    emit(g, OP_RETURN, 0, 0, 0);
    p->constant = p->code[0].op == OP_CONST && p->code[1].op == OP_RETURN;
    number_slots(g);
    p->code = settle(g->arena, p->code, p->code_count * sizeof *p->code);
    p->constants = settle(g->arena, p->constants, p->constant_count * sizeof *p->constants);
    p->slots = settle(g->arena, p->slots, p->slot_count * sizeof *p->slots);
    p->sets = settle(g->arena, p->sets, p->set_count * sizeof *p->sets);
    p->regexes = settle(g->arena, p->regexes, p->regex_count * sizeof *p->regexes);
}

struct cel_program *cel_generate(struct cel_source *source, const struct cel_env *env,
                                 const struct cel_node *root, const struct cel_type *want,
                                 struct arena *arena)
{
    struct gen g = {.source = source, .arena = arena};
    size_t errors = source->error_count;

    g.program = ARENA_NEW(arena, struct cel_program);
    g.program->mixed = env->mixed_numbers;
    g.program->type = cel_type_copy(arena, root->type);
    gen_node(&g, root);
    gen_end(&g, root, want);
    mem_free(g.numbers);
    if (!env->unfolded)
        cel_graph_make(g.program, root, arena);
    if (g.depth_max + g.program->local_count > CEL_FRAME_MAX || g.program->code_count > UINT16_MAX)
        cel_report(source, DIAG_ERROR, root->at, "limit", "split it into several conditions",
                   "the expression needs %zu values at once and %zu instructions, at most %d and "
                   "%d are taken",
                   g.depth_max + g.program->local_count, g.program->code_count, CEL_FRAME_MAX,
                   UINT16_MAX);
    return source->error_count == errors ? g.program : NULL;
}

static const struct cel_program *compile_in(struct cel_source *source, const struct cel_env *env,
                                            const struct cel_type *want, struct arena *arena,
                                            struct arena *scratch)
{
    const struct cel_tree *tree = NULL;
    struct cel_program *program;
    struct cel_node *root;

    if (source->text.len > LIMIT_CEL_BYTES) {
        cel_report(source, DIAG_ERROR, 0, "limit", "split it into several conditions",
                   "the expression has %zu bytes, at most %d are taken", source->text.len,
                   LIMIT_CEL_BYTES);
        return NULL;
    }
    if (!str_is_utf8(source->text)) {
        cel_report(source, DIAG_ERROR, 0, "syntax", NULL, "the expression is not UTF-8");
        return NULL;
    }
    root = cel_parse(source, env, scratch);
    if (root == NULL)
        return NULL;
    cel_check(source, env, source->error_count == 0 ? want : NULL, scratch, &root);
    if (source->error_count != 0)
        return NULL;
    if (env->keep_tree)
        tree = cel_tree_of(root, arena);
    if (!env->unfolded)
        cel_fold(source, env, scratch, root);
    if (source->error_count != 0)
        return NULL;
    program = cel_generate(source, env, root, want, arena);
    if (program != NULL)
        program->tree = tree;
    return program;
}

const struct cel_program *cel_compile(const struct cel_env *env, struct str text,
                                      struct place place, const struct cel_type *want,
                                      struct arena *arena, struct diags *diags)
{
    struct cel_source source = {.text = text, .place = place, .diags = diags};
    struct arena *scratch = arena_new(0);
    const struct cel_program *program = compile_in(&source, env, want, arena, scratch);

    arena_free(scratch);
    return program;
}

const struct cel_type *cel_program_type(const struct cel_program *program)
{
    return program->type;
}

const uint32_t *cel_program_slots(const struct cel_program *program, size_t *count)
{
    *count = program->slot_number_count;
    return program->slot_numbers;
}

bool cel_program_constant(const struct cel_program *program, struct value *value)
{
    if (program->constant)
        *value = program->constants[program->code[0].c];
    return program->constant;
}
