/* The list extension: slice, flatten, distinct, reverse, sort, sortBy and range. */
#include <stdlib.h>

#include "core/limit.h"
#include "rules/cel/funcs.h"

#define CEL_FN(name)                                                                               \
    struct value name(const struct cel_call *call);                                                \
    struct value name

enum { FLATTEN_DEPTH_MAX = 64 };

static struct value too_long(void)
{
    return cel_error("the list is too long");
}

/* Room for a list that is built; NULL when it is too long. */
static struct value *room(struct cel_run *run, size_t count)
{
    if (count > LIMIT_CEL_TEXT_BYTES / sizeof(struct value) || !cel_charge(run, count))
        return NULL;
    return arena_alloc_raw(run->arena, (count != 0 ? count : 1) * sizeof(struct value));
}

CEL_FN(cel_fn_slice)(const struct cel_call *call)
{
    struct value list = call->args[0];
    int64_t from = call->args[1].i, to = call->args[2].i;

    if (from < 0 || from > to || to > (int64_t)list.n)
        return value_error(call->run->arena,
                           "invalid_argument: slice(%lld, %lld) of a list of %u items",
                           (long long)from, (long long)to, list.n);
    return value_list(list.n != 0 ? list.list + from : NULL, (size_t)(to - from));
}

CEL_FN(cel_fn_range)(const struct cel_call *call)
{
    int64_t count = call->args[0].i;
    struct value *items;

    if (count < 0)
        return cel_error("invalid_argument: a range of fewer than no items");
    items = room(call->run, (size_t)count);
    if (items == NULL)
        return too_long();
    for (int64_t i = 0; i < count; i++)
        items[i] = value_int(i);
    return value_list(items, (size_t)count);
}

CEL_FN(cel_fn_reverse_list)(const struct cel_call *call)
{
    struct value list = call->args[0], *items = room(call->run, list.n);

    if (items == NULL)
        return too_long();
    for (size_t i = 0; i < list.n; i++)
        items[i] = list.list[list.n - 1 - i];
    return value_list(items, list.n);
}

CEL_FN(cel_fn_distinct)(const struct cel_call *call)
{
    struct value list = call->args[0], *items = room(call->run, list.n);
    size_t kept = 0;

    if (items == NULL)
        return too_long();
    for (size_t i = 0; i < list.n && cel_charge(call->run, 1); i++) {
        size_t same = 0;
        while (same < kept && cel_charge(call->run, 1) &&
               !cel_run_equal(call->run, items[same], list.list[i]))
            same++;
        if (same == kept)
            items[kept++] = list.list[i];
    }
    return value_list(items, kept);
}

/* --- flatten ---------------------------------------------------------------------------------- */

static size_t flat_count(struct cel_run *run, struct value list, int64_t depth)
{
    size_t count = 0;

    for (size_t i = 0; i < list.n && cel_charge(run, 1); i++)
        if (list.list[i].kind == VALUE_LIST && depth > 0)
            count += flat_count(run, list.list[i], depth - 1);
        else
            count++;
    return count;
}

static struct value *flat_copy(struct value *at, struct value list, int64_t depth)
{
    for (size_t i = 0; i < list.n; i++)
        if (list.list[i].kind == VALUE_LIST && depth > 0)
            at = flat_copy(at, list.list[i], depth - 1);
        else
            *at++ = list.list[i];
    return at;
}

CEL_FN(cel_fn_flatten)(const struct cel_call *call)
{
    int64_t depth = call->count > 1 ? call->args[1].i : 1;
    struct value *items;
    size_t count;

    if (depth < 0)
        return cel_error("invalid_argument: a list is flattened by 0 levels or more");
    if (depth > FLATTEN_DEPTH_MAX)
        depth = FLATTEN_DEPTH_MAX;
    count = flat_count(call->run, call->args[0], depth);
    items = call->run->budget >= 0 ? room(call->run, count) : NULL;
    if (items == NULL)
        return too_long();
    flat_copy(items, call->args[0], depth);
    return value_list(items, count);
}

/* --- sort ------------------------------------------------------------------------------------- */

struct sorted {
    struct value key;
    size_t index; /* keeps equal keys in their order */
};

static int compare_sorted(const void *a, const void *b)
{
    const struct sorted *x = a, *y = b;
    int order = 0;

    cel_compare(x->key, y->key, &order);
    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

/* All of one kind, and of one that has an order. */
static bool sortable(struct value keys)
{
    int order;

    for (size_t i = 0; i < keys.n; i++)
        if (keys.list[i].kind != keys.list[0].kind ||
            !cel_compare(keys.list[i], keys.list[i], &order))
            return false;
    return true;
}

/* sort(list) by the items, sortBy: by the list of keys that the macro made. */
CEL_FN(cel_fn_sort)(const struct cel_call *call)
{
    struct value list = call->args[0], keys = call->args[call->count - 1];
    struct value *items = room(call->run, list.n);
    struct sorted *sorted;

    if (!sortable(keys) || keys.n != list.n)
        return cel_error("invalid_argument: sorted are numbers, texts, bytes, bools and times, "
                         "all of one kind");
    if (items == NULL || !cel_charge(call->run, (size_t)list.n * 16)) /* comparisons: n log n */
        return too_long();
    sorted = arena_alloc_raw(call->run->arena, (list.n + (size_t)1) * sizeof *sorted);
    for (size_t i = 0; i < list.n; i++)
        sorted[i] = (struct sorted){keys.list[i], i};
    qsort(sorted, list.n, sizeof *sorted, compare_sorted);
    for (size_t i = 0; i < list.n; i++)
        items[i] = list.list[sorted[i].index];
    return value_list(items, list.n);
}
