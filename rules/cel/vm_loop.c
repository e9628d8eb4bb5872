#include "rules/cel/vm.h"

static struct value loop_key(const struct value *loop, size_t index)
{
    return loop[0].kind == VALUE_LIST ? value_int((int64_t)index) : loop[0].map[index].key;
}

bool cel_loop_next(struct value *loop, size_t names)
{
    size_t index = (size_t)loop[1].i;

    if (index >= loop[0].n)
        return false;
    loop[1].i++;
    if (loop[0].kind == VALUE_LIST) {
        loop[3] = names == 1 ? loop[0].list[index] : value_int((int64_t)index);
        loop[4] = loop[0].list[index];
    } else {
        loop[3] = loop[0].map[index].key;
        loop[4] = loop[0].map[index].value;
    }
    return true;
}

static void loop_end(struct value *loop)
{
    loop[1].i = UINT32_MAX;
}

void cel_loop_fail(struct cel_run *run, struct value *loop, struct value v)
{
    loop[2] = v.kind == VALUE_ERROR ? v : cel_no_overload(run, "condition", &v, 1);
    loop_end(loop);
}

/* && or || over all items: an error is kept only until a value decides. */
static void gather_logic(struct cel_run *run, struct value *loop, struct value v, bool decides)
{
    if (v.kind == VALUE_BOOL && v.boolean == decides) {
        loop[2] = v;
        loop_end(loop);
    } else if (v.kind != VALUE_BOOL && loop[2].kind != VALUE_ERROR) {
        loop[2] = v.kind == VALUE_ERROR ? v : cel_no_overload(run, "condition", &v, 1);
    }
}

static void gather_condition(struct cel_run *run, struct value *loop, struct value v, bool count)
{
    if (v.kind != VALUE_BOOL)
        cel_loop_fail(run, loop, v);
    else if (v.boolean && count)
        loop[2].i++;
    else if (v.boolean)
        cel_list_add(run, &loop[2], loop[3]);
}

static void gather_entries(struct cel_run *run, struct value *loop, struct value v)
{
    if (v.kind != VALUE_MAP) {
        cel_loop_fail(run, loop, v);
        return;
    }
    for (size_t i = 0; i < v.n; i++)
        cel_map_add(run, &loop[2], v.map[i].key, v.map[i].value);
}

void cel_loop_gather(struct cel_run *run, enum cel_op op, struct value *loop, struct value v)
{
    if (op == OP_GATHER_ALL || op == OP_GATHER_ANY) {
        gather_logic(run, loop, v, op == OP_GATHER_ANY);
    } else if (op == OP_GATHER_ONE || op == OP_GATHER_FILTER) {
        gather_condition(run, loop, v, op == OP_GATHER_ONE);
    } else if (op == OP_GATHER_ENTRY) {
        gather_entries(run, loop, v);
    } else if (v.kind == VALUE_ERROR) {
        cel_loop_fail(run, loop, v);
    } else if (op == OP_GATHER_LIST) {
        cel_list_add(run, &loop[2], v);
    } else {
        cel_map_add(run, &loop[2], loop_key(loop, (size_t)loop[1].i - 1), v);
    }
}
