/* A message becomes a call of a function of funcs.def, so checker, folding and VM see nothing new. */
#include "rules/cel/message.h"

#include "core/check.h"
#include "rules/cel/funcs.h"

#define CEL_FN(name)                                                                               \
    struct value name(const struct cel_call *call);                                                \
    struct value name

enum { FIELDS_MAX = 2, DEPTH_MAX = 64 };

static const struct message {
    const char *name, *field, *function;
    enum value_kind kind; /* of the field; its zero is all bits zero */
} messages[] = {
#define MESSAGE(name, field, function, kind) {name, field, function, kind},
#include "rules/cel/messages.def"
#undef MESSAGE
};
enum { MESSAGE_COUNT = sizeof messages / sizeof messages[0] };

/* --- the functions ---------------------------------------------------------------------------- */

/* detail 'i': int32, 'u': uint32, 'f': float */
CEL_FN(cel_fn_narrow)(const struct cel_call *call)
{
    struct value v = call->args[0];

    if (call->detail == 'f')
        return value_double((double)(float)v.d);
    if (call->detail == 'i' ? v.i < INT32_MIN || v.i > INT32_MAX : v.u > UINT32_MAX)
        return cel_error("range: the number does not fit into 32 bits");
    return v;
}

/* detail 0: duration, 1: timestamp */
CEL_FN(cel_fn_time_of)(const struct cel_call *call)
{
    int64_t seconds = call->args[0].i, nanos = call->args[1].i;
    bool stamp = call->detail == 1;

    if (nanos <= -1000000000 || nanos >= 1000000000 || (stamp && nanos < 0))
        return cel_error("range: nanos");
    if (nanos < 0 && seconds == INT64_MIN)
        return cel_error("range: seconds");
    if (nanos < 0) {
        seconds--;
        nanos += 1000000000;
    }
    if (stamp ? !cel_timestamp_in_range(seconds) : !cel_duration_in_range(seconds, (uint32_t)nanos))
        return cel_error("range: seconds");
    return (struct value){
        .kind = stamp ? VALUE_TIMESTAMP : VALUE_DURATION, .n = (uint32_t)nanos, .i = seconds};
}

static struct value json_at_depth(struct cel_run *run, struct value v, int depth);

static struct value json_map(struct cel_run *run, struct value v, int depth)
{
    struct value_entry *entries = ARENA_ARRAY(run->arena, struct value_entry, v.n);
    struct value map;

    for (size_t i = 0; i < v.n; i++) {
        entries[i].key = v.map[i].key;
        entries[i].value = json_at_depth(run, v.map[i].value, depth + 1);
        if (entries[i].key.kind != VALUE_STRING)
            return cel_error("invalid_argument: the keys of a Struct are strings");
        if (entries[i].value.kind == VALUE_ERROR)
            return entries[i].value;
    }
    map = value_map(entries, v.n);
    CHECK(value_map_index(run->arena, &map)); /* keys of a map */
    return map;
}

static struct value json_list(struct cel_run *run, struct value v, int depth)
{
    struct value *items = ARENA_ARRAY(run->arena, struct value, v.n);

    for (size_t i = 0; i < v.n; i++) {
        items[i] = json_at_depth(run, v.list[i], depth + 1);
        if (items[i].kind == VALUE_ERROR)
            return items[i];
    }
    return value_list(items, v.n);
}

/* JSON has one kind of number. */
static struct value json_at_depth(struct cel_run *run, struct value v, int depth)
{
    if (depth > DEPTH_MAX || !cel_charge(run, (size_t)1 + (v.kind == VALUE_LIST ? v.n : 0)))
        return cel_error("a value that is too large for JSON");
    if (v.kind == VALUE_INT)
        return value_double((double)v.i);
    if (v.kind == VALUE_UINT)
        return value_double((double)v.u);
    if (v.kind == VALUE_LIST)
        return json_list(run, v, depth);
    return v.kind == VALUE_MAP ? json_map(run, v, depth) : v;
}

CEL_FN(cel_fn_json)(const struct cel_call *call)
{
    return json_at_depth(call->run, call->args[0], 0);
}

/* --- from the tree ---------------------------------------------------------------------------- */

static struct str dotted(struct arena *arena, const struct cel_node *name)
{
    struct str before;

    if (name->kind == NODE_NAME)
        return name->name;
    before = dotted(arena, name->items[0]); /* once: STR_ARG takes its argument twice */
    return arena_format(arena, "%.*s.%.*s", STR_ARG(before), STR_ARG(name->name));
}

static size_t find_plain(struct str name)
{
    const struct str package = STR("google.protobuf.");

    for (size_t i = 0; i < MESSAGE_COUNT && str_starts(name, package); i++)
        if (str_is(str_slice(name, package.len, name.len), messages[i].name))
            return i;
    return SIZE_MAX;
}

/* The first row of a message, looked for from the inside of the container to its outside. */
static size_t find_message(struct arena *arena, struct str container, struct str name)
{
    size_t found = SIZE_MAX;

    while (container.len != 0 && found == SIZE_MAX) {
        found = find_plain(arena_format(arena, "%.*s.%.*s", STR_ARG(container), STR_ARG(name)));
        do
            container.len--;
        while (container.len != 0 && container.data[container.len] != '.');
    }
    return found != SIZE_MAX ? found : find_plain(name);
}

static struct cel_node *literal(struct arena *arena, uint32_t at, struct value v)
{
    struct cel_node *node = ARENA_NEW(arena, struct cel_node);

    *node = (struct cel_node){.kind = NODE_LITERAL, .at = at, .height = 1, .literal = v};
    return node;
}

/* The row, from `first` on, of the field that a key names; SIZE_MAX: reported. */
static size_t find_field(struct cel_source *source, size_t first, const struct cel_node *key)
{
    const char *name = messages[first].name;

    for (size_t i = first; i < MESSAGE_COUNT && strcmp(messages[i].name, name) == 0; i++)
        if (key->kind == NODE_NAME && !key->entry_optional && str_is(key->name, messages[i].field))
            return i;
    cel_report(source, DIAG_ERROR, key->at, "unknown-field", NULL,
               "google.protobuf.%s has no such field", name);
    return SIZE_MAX;
}

/* NullValue.NULL_VALUE, the only enum there is, and null. */
static bool is_null(const struct cel_node *node)
{
    if (node->kind == NODE_SELECT)
        return str_is(node->name, "NULL_VALUE");
    return node->kind == NODE_LITERAL && node->literal.kind == VALUE_NULL;
}

static struct cel_node *call_of(struct arena *arena, const struct cel_node *fields, size_t row,
                                struct cel_node **args, size_t count)
{
    struct cel_node *call = ARENA_NEW(arena, struct cel_node);

    *call = (struct cel_node){.kind = NODE_CALL,
                              .at = fields->at,
                              .height = fields->height > 1 ? fields->height : 2,
                              .name = str_of(messages[row].function),
                              .items = arena_copy(arena, args, count * sizeof(struct cel_node *)),
                              .count = count};
    return call;
}

struct cel_node *cel_message_node(struct cel_source *source, const struct cel_env *env,
                                  struct arena *arena, const struct cel_node *name,
                                  const struct cel_node *fields)
{
    struct str text = dotted(arena, name);
    size_t first = find_message(arena, env->container, text), row = first, count = 0;
    struct cel_node *args[FIELDS_MAX] = {NULL}, *nothing;
    bool one_of;

    nothing = literal(arena, fields->at, (struct value){.kind = VALUE_NULL});
    if (first == SIZE_MAX) {
        cel_report(source, DIAG_ERROR, name->at, "syntax", "write a map: {\"field\": value}",
                   "messages are not part of this language");
        return nothing;
    }
    one_of = strcmp(messages[first].name, "Value") == 0;
    for (; !one_of && first + count < MESSAGE_COUNT &&
           strcmp(messages[first + count].name, messages[first].name) == 0;
         count++)
        args[count] = literal(arena, fields->at,
                              (struct value){.kind = (uint8_t)messages[first + count].kind});
    for (size_t i = 0; i + 1 < fields->count; i += 2) {
        row = find_field(source, first, fields->items[i]);
        if (row == SIZE_MAX)
            return nothing;
        if (one_of && i != 0)
            cel_report(source, DIAG_ERROR, fields->items[i]->at, "syntax", NULL,
                       "a google.protobuf.Value has one field");
        args[one_of ? 0 : row - first] = one_of && row == first && is_null(fields->items[i + 1])
                                             ? nothing
                                             : fields->items[i + 1];
    }
    if (one_of && args[0] == NULL)
        return call_of(arena, fields, first, &nothing, 1); /* dyn, not null, for the checker */
    return call_of(arena, fields, row, args, one_of ? 1 : count);
}
