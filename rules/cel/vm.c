/* The loop.  The common cases (two ints, two doubles, two strings) are done in place; everything
 * else goes through the same table of functions that the checker reads.
 *
 * Each instruction costs a step: the program's all at its start, those of a loop again each time it
 * goes round, so that straight code counts nothing.  Work that grows with data costs more
 * (cel_charge).  So the budget bounds both time and memory of a run.
 *
 * The loop trusts its code.  Bytecode is made by compile.c only, in the process that runs it, from a
 * tree that the checker has seen; it is never read from a file or a message.  compile.c counts the
 * depth of the stack and keeps every operand in its range. */
#include "core/check.h"
#include "core/limit.h"
#include "core/regex.h"
#include "rules/cel/graph.h"
#include "rules/cel/vm.h"

static struct value over_budget(void)
{
    return cel_error("the expression needs too many steps");
}

/* --- values ----------------------------------------------------------------------------------- */

/* What a slot holds is not plainly what it should be. */
static struct value unusual_slot(const struct cel_run *run, const struct cel_slot *slot,
                                 struct value v)
{
    enum cel_type_kind kind;

    if (v.kind == VALUE_ABSENT)
        return slot->missing;
    kind = cel_kind_of(v);
    if (kind == slot->kind || v.kind == VALUE_ERROR)
        return kind == CEL_TIMESTAMP && !cel_timestamp_in_range(v.i) ? cel_error("range") : v;
    if (slot->kind == CEL_DYN && kind != CEL_LOCAL && v.kind < VALUE_ERROR)
        return v;
    if (slot->kind == CEL_DOUBLE && kind == CEL_INT)
        return value_double((double)v.i);
    return value_error(run->arena, "%.*s has another type than declared", STR_ARG(slot->path));
}

static inline struct value load_slot(const struct cel_run *run, const struct cel_slot *slot)
{
    return run->input == NULL ? VALUE_NONE : cel_load(run->input, slot->slot);
}

static inline struct value run_slot(const struct cel_run *run, const struct cel_slot *slot)
{
    struct value v = load_slot(run, slot);

    return v.kind == slot->plain ? v : unusual_slot(run, slot, v);
}

static bool run_has_slot(const struct cel_run *run, const struct cel_slot *slot)
{
    return load_slot(run, slot).kind != VALUE_ABSENT;
}

static struct value select_field(struct cel_run *run, struct value v, struct value key)
{
    struct value found;

    if (v.kind == VALUE_OPTIONAL) {
        if (v.boxed == NULL)
            return v;
        found = *v.boxed;
        if (found.kind != VALUE_MAP)
            return cel_no_overload(run, "select", &found, 1);
        return cel_optional(run, value_map_get(found, value_str(key)));
    }
    if (v.kind != VALUE_MAP)
        return v.kind == VALUE_ERROR ? v : cel_no_overload(run, "select", &v, 1);
    found = value_map_get(v, value_str(key));
    if (found.kind == VALUE_ABSENT && v.otherwise != 0)
        found = v.map[v.n].value;
    return found.kind == VALUE_ABSENT ? cel_no_such_key(run, key) : found;
}

static struct value select_optional(struct cel_run *run, struct value v, struct value key)
{
    if (v.kind == VALUE_OPTIONAL)
        return select_field(run, v, key);
    if (v.kind != VALUE_MAP)
        return v.kind == VALUE_ERROR ? v : cel_no_overload(run, "select", &v, 1);
    return cel_optional(run, value_map_get(v, value_str(key)));
}

static struct value has_field(struct cel_run *run, struct value v, struct value key)
{
    if (v.kind == VALUE_OPTIONAL)
        return v.boxed == NULL ? value_bool(false) : has_field(run, *v.boxed, key);
    if (v.kind != VALUE_MAP)
        return v.kind == VALUE_ERROR ? v : cel_no_overload(run, "has", &v, 1);
    return value_bool(value_map_get(v, value_str(key)).kind != VALUE_ABSENT);
}

static struct value index_optional(struct cel_run *run, struct value v, struct value key)
{
    struct value found;

    if (v.kind == VALUE_OPTIONAL)
        return cel_index(run, v, key);
    if (v.kind != VALUE_MAP && v.kind != VALUE_LIST)
        return v.kind == VALUE_ERROR ? v : cel_no_overload(run, "_[_]", &v, 1);
    if (key.kind == VALUE_ERROR)
        return key;
    found = v.kind == VALUE_MAP ? cel_map_find(v, key) : cel_index(run, v, key);
    return cel_optional(run, found.kind == VALUE_ERROR ? VALUE_NONE : found);
}

static struct value compare_by(struct cel_run *run, enum cel_op op, const struct value *pair)
{
    static const char *const names[] = {"_<_", "_<=_", "_>_", "_>=_"};
    int order;

    if (pair[0].kind == VALUE_ERROR)
        return pair[0];
    if (pair[1].kind == VALUE_ERROR)
        return pair[1];
    if (!cel_charge(run, pair[0].kind == VALUE_STRING ? pair[0].n / 64 : 0))
        return over_budget();
    if (!cel_compare(pair[0], pair[1], &order))
        return cel_no_overload(run, names[op - OP_LT], pair, 2);
    if (order == 2) /* NaN */
        return value_bool(false);
    return value_bool(op == OP_LT   ? order < 0
                      : op == OP_LE ? order <= 0
                      : op == OP_GT ? order > 0
                                    : order >= 0);
}

static struct value equal_by(struct cel_run *run, const struct value *pair, bool wanted)
{
    if (pair[0].kind == VALUE_ERROR)
        return pair[0];
    if (pair[1].kind == VALUE_ERROR)
        return pair[1];
    return value_bool(cel_run_equal(run, pair[0], pair[1]) == wanted);
}

#define ORDERED(op, a, b)                                                                          \
    ((op) == OP_EQ   ? (a) == (b)                                                                  \
     : (op) == OP_NE ? (a) != (b)                                                                  \
     : (op) == OP_LT ? (a) < (b)                                                                   \
     : (op) == OP_LE ? (a) <= (b)                                                                  \
     : (op) == OP_GT ? (a) > (b)                                                                   \
                     : (a) >= (b))

/* How a slot compares with a constant: what most conditions are made of. */
static struct value test_slot(struct cel_run *run, enum cel_op op, struct value v,
                              const struct value *constant)
{
    if (v.kind == VALUE_DOUBLE && constant->kind == VALUE_DOUBLE)
        return value_bool(ORDERED(op, v.d, constant->d));
    if (v.kind == VALUE_INT && constant->kind == VALUE_INT)
        return value_bool(ORDERED(op, v.i, constant->i));
    if (v.kind == VALUE_STRING && constant->kind == VALUE_STRING && op <= OP_NE)
        return value_bool(str_equal(value_str(v), value_str(*constant)) == (op == OP_EQ));
    const struct value pair[2] = {v, *constant};
    return op <= OP_NE ? equal_by(run, pair, op == OP_EQ) : compare_by(run, op, pair);
}

/* Arithmetic beyond the fast cases.  In moments an int beside a double of unknown type becomes
 * one, as the checker does where it knows. */
static struct value arithmetic(struct cel_run *run, size_t hint, const struct value *pair)
{
    struct value args[2] = {pair[0], pair[1]};

    if (run->mixed && args[0].kind == VALUE_INT && args[1].kind == VALUE_DOUBLE)
        args[0] = value_double((double)args[0].i);
    else if (run->mixed && args[0].kind == VALUE_DOUBLE && args[1].kind == VALUE_INT)
        args[1] = value_double((double)args[1].i);
    return cel_func_call(run, hint, args, 2);
}

static struct value match(struct cel_run *run, const struct regex *regex, struct value v)
{
    if (v.kind != VALUE_STRING)
        return v.kind == VALUE_ERROR ? v : cel_no_overload(run, "matches", &v, 1);
    return cel_match(run, regex, value_str(v));
}

static struct value in_set(struct cel_run *run, const struct cel_set *set, struct value v)
{
    if (v.kind != set->list.list[0].kind)
        return cel_in(run, v, set->list);
    return value_bool(cel_set_has(set, v));
}

/* --- logic ------------------------------------------------------------------------------------- */

/* a && b (decides = false) or a || b (true), where a alone did not decide. */
static struct value logic(struct cel_run *run, struct value a, struct value b, bool decides)
{
    if (b.kind == VALUE_BOOL && b.boolean == decides)
        return b;
    if (a.kind == VALUE_ERROR)
        return a;
    if (b.kind == VALUE_ERROR)
        return b;
    if (a.kind != VALUE_BOOL)
        return cel_no_overload(run, decides ? "_||_" : "_&&_", &a, 1);
    if (b.kind != VALUE_BOOL)
        return cel_no_overload(run, decides ? "_||_" : "_&&_", &b, 1);
    return b;
}

static bool is_bool(struct value v, bool b)
{
    return v.kind == VALUE_BOOL && v.boolean == b;
}

/* --- the loop ---------------------------------------------------------------------------------- */

#define BOTH(wanted) (top[-1].kind == (wanted) && top[0].kind == (wanted))

#define COMPARE(op, sign)                                                                          \
    if (BOTH(VALUE_INT))                                                                           \
        top[-1] = value_bool(top[-1].i sign top[0].i);                                             \
    else if (BOTH(VALUE_DOUBLE))                                                                   \
        top[-1] = value_bool(top[-1].d sign top[0].d);                                             \
    else                                                                                           \
        top[-1] = compare_by(run, op, top - 1);                                                    \
    top--;                                                                                         \
    break

#define EQUAL(sign, wanted)                                                                        \
    if (BOTH(VALUE_INT))                                                                           \
        top[-1] = value_bool(top[-1].i sign top[0].i);                                             \
    else if (BOTH(VALUE_STRING))                                                                   \
        top[-1] = value_bool(str_equal(value_str(top[-1]), value_str(top[0])) == (wanted));        \
    else                                                                                           \
        top[-1] = equal_by(run, top - 1, wanted);                                                  \
    top--;                                                                                         \
    break

#define ARITHMETIC(overflows, sign)                                                                \
    {                                                                                              \
        int64_t i;                                                                                 \
        if (BOTH(VALUE_INT) && !overflows(top[-1].i, top[0].i, &i))                                \
            top[-1].i = i;                                                                         \
        else if (BOTH(VALUE_DOUBLE))                                                               \
            top[-1].d = top[-1].d sign top[0].d;                                                   \
        else                                                                                       \
            top[-1] = arithmetic(run, in->b, top - 1);                                             \
        top--;                                                                                     \
        break;                                                                                     \
    }

#define GO_BACK                                                                                    \
    if (!cel_charge(run, (size_t)(in - program->code) - in->c))                                    \
        return over_budget();                                                                      \
    in = program->code + in->c - 1;                                                                \
    break

struct value cel_run_program(const struct cel_program *program, struct cel_run *run)
{
    struct value frame[CEL_FRAME_MAX + 1];
    struct value *locals = frame + 1;                      /* so that top may stand before them */
    struct value *top = locals + program->local_count - 1; /* empty stack */
    const struct value *constants = program->constants;
    const struct cel_instr *in = program->code;
    bool there;

    if (!cel_charge(run, program->code_count))
        return over_budget();
    for (;; in++) {
        switch ((enum cel_op)in->op) {
        case OP_CONST: *++top = constants[in->c]; break;
        case OP_SLOT: *++top = run_slot(run, &program->slots[in->c]); break;
        case OP_HAS_SLOT: *++top = value_bool(run_has_slot(run, &program->slots[in->c])); break;
        case OP_LOCAL: *++top = locals[in->b]; break;
        case OP_STORE: locals[in->b] = *top--; break;
        case OP_SELECT: *top = select_field(run, *top, constants[in->c]); break;
        case OP_SELECT_OPT: *top = select_optional(run, *top, constants[in->c]); break;
        case OP_HAS: *top = has_field(run, *top, constants[in->c]); break;
        case OP_INDEX:
            top[-1] = cel_index(run, top[-1], top[0]);
            top--;
            break;
        case OP_INDEX_OPT:
            top[-1] = index_optional(run, top[-1], top[0]);
            top--;
            break;
        case OP_ADD: ARITHMETIC(__builtin_add_overflow, +)
        case OP_SUB: ARITHMETIC(__builtin_sub_overflow, -)
        case OP_MUL: ARITHMETIC(__builtin_mul_overflow, *)
        case OP_DIV:
            top[-1] = arithmetic(run, in->b, top - 1);
            top--;
            break;
        case OP_MOD:
            top[-1] = arithmetic(run, in->b, top - 1);
            top--;
            break;
        case OP_NEGATE: *top = cel_func_call(run, in->b, top, 1); break;
        case OP_NOT:
            if (top->kind == VALUE_BOOL)
                top->boolean = !top->boolean;
            else
                *top = cel_func_call(run, in->b, top, 1);
            break;
        case OP_EQ: EQUAL(==, true);
        case OP_NE: EQUAL(!=, false);
        case OP_LT: COMPARE(OP_LT, <);
        case OP_LE: COMPARE(OP_LE, <=);
        case OP_GT: COMPARE(OP_GT, >);
        case OP_GE: COMPARE(OP_GE, >=);
        case OP_IN:
            top[-1] = cel_in(run, top[-1], top[0]);
            top--;
            break;
        case OP_TEST:
            *++top = test_slot(run, (enum cel_op)in->a, run_slot(run, &program->slots[in->b]),
                               &constants[in->c]);
            break;
        case OP_IN_SET: *top = in_set(run, &program->sets[in->c], *top); break;
        case OP_MATCH: *top = match(run, program->regexes[in->c], *top); break;
        case OP_DOUBLE:
            if (top->kind == VALUE_INT)
                *top = value_double((double)top->i);
            break;
        case OP_CALL:
            top -= (int)in->a - 1;
            *top = cel_func_call(run, in->b, top, in->a);
            break;
        case OP_AND:
            if (BOTH(VALUE_BOOL)) /* the first one did not decide */
                top[-1].u = top[0].u;
            else
                top[-1] = logic(run, top[-1], top[0], false);
            top--;
            if (is_bool(*top, false))
                in = program->code + in->c - 1;
            break;
        case OP_OR:
            if (BOTH(VALUE_BOOL)) /* the first one did not decide */
                top[-1].u = top[0].u;
            else
                top[-1] = logic(run, top[-1], top[0], true);
            top--;
            if (is_bool(*top, true))
                in = program->code + in->c - 1;
            break;
        case OP_JUMP_FALSE:
            if (is_bool(*top, false))
                in = program->code + in->c - 1;
            break;
        case OP_JUMP_TRUE:
            if (is_bool(*top, true))
                in = program->code + in->c - 1;
            break;
        case OP_CHOOSE:
            if (top->kind == VALUE_BOOL) {
                if (!top->boolean)
                    in = program->code + in->c - 1;
                top--;
                break;
            }
            if (top->kind != VALUE_ERROR)
                *top = cel_no_overload(run, "_?_:_", top, 1);
            in = program->code + in->b - 1;
            break;
        case OP_JUMP: in = program->code + in->c - 1; break;
        case OP_OPT_OPEN:
            if (top->kind == VALUE_OPTIONAL && top->boxed != NULL) {
                *top = *top->boxed;
                break;
            }
            if (top->kind != VALUE_OPTIONAL && top->kind != VALUE_ERROR)
                *top = cel_no_overload(run, "optMap", top, 1);
            in = program->code + in->c - 1;
            break;
        case OP_OPT_ELSE:
            if (top->kind == VALUE_OPTIONAL && top->boxed == NULL) {
                top--;
                break;
            }
            if (top->kind == VALUE_OPTIONAL && in->a != 0)
                *top = *top->boxed;
            else if (top->kind != VALUE_OPTIONAL && top->kind != VALUE_ERROR)
                *top = cel_no_overload(run, "or", top, 1);
            in = program->code + in->c - 1;
            break;
        case OP_OPT_WRAP:
            if (top->kind != VALUE_ERROR)
                *top = cel_optional(run, *top);
            break;
        case OP_LIST_NEW: *++top = value_list(NULL, 0); break;
        case OP_LIST_ADD:
            cel_list_add(run, top - 1, *top);
            top--;
            break;
        case OP_LIST_ADD_OPT:
            *top = cel_entry_value(run, *top, &there);
            if (there)
                cel_list_add(run, top - 1, *top);
            top--;
            break;
        case OP_MAP_NEW: *++top = value_map(NULL, 0); break;
        case OP_MAP_ADD:
            cel_map_add(run, top - 2, top[-1], top[0]);
            top -= 2;
            break;
        case OP_MAP_ADD_OPT:
            *top = cel_entry_value(run, *top, &there);
            if (there)
                cel_map_add(run, top - 2, top[-1], top[0]);
            top -= 2;
            break;
        case OP_MAP_END: cel_map_end(run, top); break;
        case OP_ITER:
            if (top->kind == VALUE_LIST || top->kind == VALUE_MAP) {
                locals[in->b] = *top--;
                locals[in->b + 1] = value_int(0);
                break;
            }
            if (top->kind != VALUE_ERROR)
                *top = cel_no_overload(run, "macro", top, 1);
            in = program->code + in->c - 1;
            break;
        case OP_NEXT:
            if (!cel_loop_next(&locals[in->b], in->a))
                in = program->code + in->c - 1;
            break;
        case OP_FILTER:
            top--;
            if (is_bool(top[1], true))
                break;
            if (top[1].kind != VALUE_BOOL)
                cel_loop_fail(run, &locals[in->b], top[1]);
            GO_BACK;
        case OP_GATHER_ALL:
        case OP_GATHER_ANY:
        case OP_GATHER_ONE:
        case OP_GATHER_FILTER:
        case OP_GATHER_LIST:
        case OP_GATHER_MAP:
        case OP_GATHER_ENTRY:
            top--;
            cel_loop_gather(run, (enum cel_op)in->op, &locals[in->b], top[1]);
            GO_BACK;
        case OP_END_ONE:
            *++top =
                locals[in->b].kind == VALUE_INT ? value_bool(locals[in->b].i == 1) : locals[in->b];
            break;
        case OP_EXPECT:
            if (top->kind != VALUE_ERROR && cel_kind_of(*top) != in->a)
                *top = cel_error("no such overload: the result has another type than is needed");
            break;
        case OP_RETURN: return run->budget < 0 ? over_budget() : *top;
        case OP_COUNT: CHECK_NEVER("an instruction of no kind");
        }
    }
}

static struct value run_bytecode(const struct cel_program *program, const struct cel_input *input,
                                 struct arena *arena)
{
    struct cel_run run = {arena, input, LIMIT_CEL_STEPS, program->mixed};
    struct value v = cel_run_program(program, &run);

    if (v.kind == VALUE_TIMESTAMP && cel_kind_of(v) == CEL_LOCAL)
        return cel_error("a local time cannot be a result");
    return v;
}

struct value cel_eval(const struct cel_program *program, const struct cel_input *input,
                      struct arena *arena)
{
    enum cel_graph_end end = CEL_GRAPH_OPEN;

    if (program->test_count > 0)
        end = cel_graph_run(program, input);
    if (end == CEL_GRAPH_OPEN)
        return run_bytecode(program, input, arena);
    return value_bool(end == CEL_GRAPH_TRUE);
}
