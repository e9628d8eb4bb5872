#include "rules/cel/check.h"

const struct cel_type cel_dyn = {.kind = CEL_DYN}, cel_null = {.kind = CEL_NULL},
                      cel_bool = {.kind = CEL_BOOL}, cel_int = {.kind = CEL_INT},
                      cel_uint = {.kind = CEL_UINT}, cel_double = {.kind = CEL_DOUBLE},
                      cel_string = {.kind = CEL_STRING}, cel_bytes = {.kind = CEL_BYTES},
                      cel_timestamp = {.kind = CEL_TIMESTAMP},
                      cel_duration = {.kind = CEL_DURATION}, cel_type_type = {.kind = CEL_TYPE},
                      cel_local_type = {.kind = CEL_LOCAL},
                      cel_list_type = {.kind = CEL_LIST, .item = &cel_dyn},
                      cel_map_type = {.kind = CEL_MAP, .key = &cel_dyn, .item = &cel_dyn},
                      cel_optional_type = {.kind = CEL_OPTIONAL};

enum { DEPTH_MAX = 32 }; /* a type of the environment that is nested deeper counts as dyn */

static void print_at(struct buf *out, const struct cel_type *type, int depth)
{
    static const char *const names[] = {
        [CEL_DYN] = "dyn",           [CEL_NULL] = "null",         [CEL_BOOL] = "bool",
        [CEL_INT] = "int",           [CEL_UINT] = "uint",         [CEL_DOUBLE] = "double",
        [CEL_STRING] = "string",     [CEL_BYTES] = "bytes",       [CEL_LIST] = "list",
        [CEL_MAP] = "map",           [CEL_TYPE] = "type",         [CEL_TIMESTAMP] = "timestamp",
        [CEL_DURATION] = "duration", [CEL_OPTIONAL] = "optional", [CEL_LOCAL] = "local time",
    };

    if (type == NULL || depth > DEPTH_MAX)
        type = &cel_dyn;
    buf_put_text(out, names[type->kind]);
    if (type->kind != CEL_LIST && type->kind != CEL_MAP && type->kind != CEL_OPTIONAL)
        return;
    buf_put_char(out, '(');
    if (type->kind == CEL_MAP) {
        print_at(out, type->key, depth + 1);
        buf_put_text(out, ", ");
    }
    print_at(out, type->item, depth + 1);
    buf_put_char(out, ')');
}

void cel_type_print(struct buf *out, const struct cel_type *type)
{
    print_at(out, type, 0);
}

static bool fits_at(const struct cel_type *from, const struct cel_type *to, int depth)
{
    if (from == NULL || to == NULL || from->kind == CEL_DYN || to->kind == CEL_DYN ||
        depth > DEPTH_MAX)
        return true;
    if (from->kind == CEL_NULL || to->kind == CEL_NULL) {
        enum cel_type_kind other = from->kind == CEL_NULL ? to->kind : from->kind;
        return other == CEL_NULL || other == CEL_TIMESTAMP || other == CEL_DURATION ||
               other == CEL_OPTIONAL;
    }
    return from->kind == to->kind && fits_at(from->key, to->key, depth + 1) &&
           fits_at(from->item, to->item, depth + 1);
}

bool cel_type_fits(const struct cel_type *from, const struct cel_type *to)
{
    return fits_at(from, to, 0);
}

static const struct cel_type *copy_at(struct arena *arena, const struct cel_type *type, int depth)
{
    struct cel_type *copy;

    if (type == NULL)
        return NULL;
    if (depth > DEPTH_MAX)
        return &cel_dyn;
    copy = ARENA_NEW(arena, struct cel_type);
    copy->kind = type->kind;
    copy->key = copy_at(arena, type->key, depth + 1);
    copy->item = copy_at(arena, type->item, depth + 1);
    return copy;
}

const struct cel_type *cel_type_copy(struct arena *arena, const struct cel_type *type)
{
    return copy_at(arena, type, 0);
}
