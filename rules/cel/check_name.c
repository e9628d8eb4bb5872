/* Names and fields.  A chain of constant names is offered to the environment as a whole, and the
 * part of it that the environment knows becomes one slot. */
#include "core/limit.h"
#include "rules/cel/checker.h"

/* --- names ------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    const char *type_name; /* as value_kind_name() says it */
} type_names[] = {
    {"bool", "bool"},
    {"bytes", "bytes"},
    {"double", "double"},
    {"int", "int"},
    {"list", "list"},
    {"map", "map"},
    {"null_type", "null_type"},
    {"string", "string"},
    {"type", "type"},
    {"uint", "uint"},
    {"optional_type", "optional_type"},
};
enum { TYPE_NAME_COUNT = sizeof type_names / sizeof type_names[0] };

const struct cel_local *cel_find_local(const struct checker *c, struct str name)
{
    for (const struct cel_local *l = c->locals; l != NULL; l = l->outer)
        if (str_equal(l->name, name))
            return l;
    return NULL;
}

/* The name at the root of a.b["c"], or NULL if it is no such chain. */
static const struct cel_node *chain_root(const struct cel_node *node)
{
    for (;; node = node->items[0]) {
        if (node->kind == NODE_NAME)
            return node;
        if (node->optional)
            return NULL;
        if (node->kind == NODE_INDEX &&
            (node->items[1]->kind != NODE_LITERAL || node->items[1]->literal.kind != VALUE_STRING))
            return NULL;
        if (node->kind != NODE_SELECT && node->kind != NODE_INDEX)
            return NULL;
    }
}

/* A chain of constant names: path[i] is named by nodes[i]. */
struct chain {
    struct str *path;
    struct cel_node **nodes;
    size_t count;
    size_t plain; /* names before the first index */
};

static void chain_gather(struct checker *c, struct chain *chain, struct cel_node *node)
{
    struct cel_node *walk = node;

    for (chain->count = 1; walk->kind != NODE_NAME; walk = walk->items[0])
        chain->count++;
    chain->plain = chain->count;
    chain->path = ARENA_ARRAY(c->arena, struct str, chain->count);
    chain->nodes = ARENA_ARRAY(c->arena, struct cel_node *, chain->count);
    walk = node;
    for (size_t i = chain->count; i-- > 0; walk = walk->items != NULL ? walk->items[0] : NULL) {
        chain->nodes[i] = walk;
        chain->path[i] = walk->kind == NODE_INDEX ? value_str(walk->items[1]->literal) : walk->name;
        if (walk->kind == NODE_INDEX)
            chain->plain = i;
    }
}

static struct str path_text(struct checker *c, const struct chain *chain, size_t count)
{
    struct buf text = {0};
    struct str kept;

    for (size_t i = 0; i < count; i++) {
        if (i != 0)
            buf_put_char(&text, '.');
        buf_put(&text, chain->path[i]);
    }
    kept = arena_str(c->arena, buf_str(&text));
    buf_free(&text);
    return kept;
}

/* "google.protobuf.Timestamp" and the short names: names of types are values. */
static bool as_type_name(struct checker *c, const struct chain *chain)
{
    struct cel_node *node = NULL;
    const char *name = NULL;

    for (size_t i = 0; i < TYPE_NAME_COUNT; i++)
        if (str_is(chain->path[0], type_names[i].name)) {
            node = chain->nodes[0];
            name = type_names[i].type_name;
        }
    if (chain->count >= 3 && str_is(chain->path[0], "google") &&
        str_is(chain->path[1], "protobuf")) {
        node = chain->nodes[2];
        if (str_is(chain->path[2], "Timestamp"))
            name = value_kind_name(VALUE_TIMESTAMP);
        else if (str_is(chain->path[2], "Duration"))
            name = value_kind_name(VALUE_DURATION);
    }
    if (name == NULL || (node->kind == NODE_SELECT && node->test))
        return false;
    struct value type = {.kind = VALUE_TYPE, .n = (uint32_t)strlen(name), .text = name};
    *node = (struct cel_node){
        .kind = NODE_LITERAL, .at = node->at, .height = 1, .literal = type, .type = &cel_type_type};
    (void)c;
    return true;
}

static __attribute__((noinline)) void report_name(struct checker *c, const struct chain *chain,
                                                  const struct cel_found *found)
{
    size_t wrong = found->wrong < chain->count ? found->wrong : chain->count - 1;
    uint32_t at = chain->nodes[wrong]->at;
    const char *code = found->code != NULL ? found->code
                       : wrong == 0        ? "unknown-name"
                                           : "unknown-field";
    struct str name = chain->path[wrong], near = STR_EMPTY;
    const char *help = found->help.len != 0 ? arena_str(c->arena, found->help).data : NULL;
    struct str names[64];
    size_t count = 0;

    for (const struct cel_local *l = c->locals; l != NULL && count < 64; l = l->outer)
        names[count++] = l->name;
    if (help == NULL && wrong == 0)
        near = str_nearest(name, names, count);
    if (help == NULL && near.len != 0)
        help = arena_format(c->arena, "did you mean %.*s", STR_ARG(near)).data;
    if (help == NULL && wrong == 0 && cel_func_find(name) != SIZE_MAX)
        help = arena_format(c->arena, "a function needs brackets: write %.*s(...)", STR_ARG(name))
                   .data;
    if (help == NULL && wrong == 0 &&
        (str_is(name, "True") || str_is(name, "False") || str_is(name, "None") ||
         str_is(name, "NULL")))
        help = "write true, false or null in lower case";
    if (found->what.len != 0)
        COMPLAIN(c, at, code, help, "%.*s", STR_ARG(found->what));
    else if (wrong == 0)
        COMPLAIN(c, at, code, help, "there is no \"%.*s\"", STR_ARG(name));
    else
        COMPLAIN(c, at, code, help, "%.*s has no field \"%.*s\"",
                 STR_ARG(path_text(c, chain, wrong)), STR_ARG(name));
}

/* Ask the environment, with the indexes first, without them if that does not help. */
static struct cel_found ask(struct checker *c, const struct str *path, size_t count, size_t plain)
{
    struct cel_found found = c->env->resolve(c->env->context, path, count);

    if (found.result != CEL_SLOT && plain < count) {
        struct cel_found without = c->env->resolve(c->env->context, path, plain);
        if (without.result == CEL_SLOT)
            found = without;
    }
    return found;
}

/* Inside the first `names` names of the container.  The slot must take more than those. */
static struct cel_found ask_inside(struct checker *c, const struct chain *chain, size_t names)
{
    struct str *path = ARENA_ARRAY(c->arena, struct str, names + chain->count);
    struct str rest = c->env->container;
    struct cel_found found;

    for (size_t i = 0; i < names; i++)
        if (!str_cut(rest, '.', &path[i], &rest))
            path[i] = rest;
    memcpy(path + names, chain->path, chain->count * sizeof *path);
    found = ask(c, path, names + chain->count, names + chain->plain);
    if (found.result != CEL_SLOT || (found.taken != 0 && found.taken <= names))
        return (struct cel_found){.result = CEL_NO_SUCH_NAME};
    found.taken = found.taken != 0 ? found.taken - names : 0;
    return found;
}

static size_t count_names(struct str dotted)
{
    size_t count = dotted.len != 0;

    for (size_t i = 0; i < dotted.len; i++)
        count += dotted.data[i] == '.';
    return count;
}

/* As the environment says it, where NULL is dyn.  For the checker a list of NULL is an empty one,
 * that goes with any other. */
static const struct cel_type *declared_type(struct checker *c, const struct cel_type *type,
                                            int depth)
{
    if (type == NULL || depth > LIMIT_CEL_DEPTH)
        return &cel_dyn;
    if (type->kind != CEL_LIST && type->kind != CEL_MAP && type->kind != CEL_OPTIONAL)
        return cel_type_plain(type->kind);
    return cel_type_make(c, type->kind,
                         type->kind == CEL_MAP ? declared_type(c, type->key, depth + 1) : NULL,
                         declared_type(c, type->item, depth + 1));
}

static struct cel_found resolve(struct checker *c, const struct chain *chain)
{
    struct cel_found found = {.result = CEL_NO_SUCH_NAME};
    size_t names = chain->nodes[0]->rooted ? 0 : count_names(c->env->container);

    if (c->env->resolve == NULL)
        return found;
    for (; names > 0 && found.result != CEL_SLOT; names--)
        found = ask_inside(c, chain, names);
    if (found.result != CEL_SLOT)
        found = ask(c, chain->path, chain->count, chain->plain);
    if (found.result == CEL_SLOT && (found.taken == 0 || found.taken > chain->count))
        found.taken = chain->count;
    return found;
}

/* Turn the part of a chain that the environment knows into a slot.  False: the name is unknown
 * and was reported. */
static bool resolve_chain(struct checker *c, struct cel_node *node)
{
    struct chain chain;
    struct cel_found found;
    struct cel_node *slot;

    chain_gather(c, &chain, node);
    found = resolve(c, &chain);
    if (found.result != CEL_SLOT) {
        if (found.result == CEL_NO_SUCH_NAME && as_type_name(c, &chain))
            return true;
        report_name(c, &chain, &found);
        cel_make_error(c, node, "undeclared reference", path_text(c, &chain, 1));
        return false;
    }
    slot = chain.nodes[found.taken - 1];
    *slot = (struct cel_node){
        .kind = NODE_SLOT,
        .at = chain.nodes[0]->at,
        .height = 1,
        .test = slot->kind == NODE_SELECT && slot->test,
        .slot = found.slot,
        .path = path_text(c, &chain, found.taken),
        .type = declared_type(c, found.type, 0),
    };
    if (slot->test)
        slot->type = &cel_bool;
    return true;
}

const struct cel_type *cel_check_name(struct checker *c, struct cel_node *node)
{
    const struct cel_local *local = node->rooted ? NULL : cel_find_local(c, node->name);

    if (local == NULL)
        return resolve_chain(c, node) ? node->type : &cel_dyn;
    node->kind = NODE_LOCAL;
    node->local = local->number;
    return local->type;
}

/* --- fields and indexes ----------------------------------------------------------------------- */

static const struct cel_type *select_type(struct checker *c, const struct cel_node *node,
                                          const struct cel_type *operand)
{
    const char *help = NULL;

    switch (operand->kind) {
    case CEL_DYN: return &cel_dyn;
    case CEL_MAP:
        if (operand->key == NULL || operand->key->kind == CEL_DYN ||
            operand->key->kind == CEL_STRING)
            return cel_type_item(operand);
        break;
    case CEL_OPTIONAL:
        return cel_type_make(c, CEL_OPTIONAL, NULL, select_type(c, node, cel_type_item(operand)));
    case CEL_NULL:
    case CEL_BOOL:
    case CEL_INT:
    case CEL_UINT:
    case CEL_DOUBLE:
    case CEL_STRING:
    case CEL_BYTES:
    case CEL_LIST:
    case CEL_TYPE:
    case CEL_TIMESTAMP:
    case CEL_DURATION:
    case CEL_LOCAL: break;
    }
    if (cel_func_find(node->name) != SIZE_MAX)
        help =
            arena_format(c->arena, "a function needs brackets: write .%.*s()", STR_ARG(node->name))
                .data;
    COMPLAIN(c, node->at, "type", help, "%s has no field \"%.*s\"",
             cel_type_with_article(c, operand), STR_ARG(node->name));
    return &cel_dyn;
}

static const struct cel_type *wrap_optional(struct checker *c, const struct cel_node *node,
                                            const struct cel_type *type)
{
    if (!node->optional || type->kind == CEL_OPTIONAL)
        return type;
    return cel_type_make(c, CEL_OPTIONAL, NULL, type);
}

static const struct cel_type *index_type(struct checker *c, const struct cel_node *node,
                                         const struct cel_type *operand, const struct cel_type *key)
{
    const struct cel_type *wanted = &cel_dyn;

    if (operand->kind == CEL_OPTIONAL)
        return cel_type_make(c, CEL_OPTIONAL, NULL,
                             index_type(c, node, cel_type_item(operand), key));
    if (operand->kind == CEL_DYN)
        return &cel_dyn;
    if (operand->kind != CEL_LIST && operand->kind != CEL_MAP) {
        COMPLAIN(c, node->at, "type",
                 operand->kind == CEL_STRING ? "write text.charAt(0) or text.substring(0, 3)"
                                             : NULL,
                 "%s has no items", cel_type_with_article(c, operand));
        return &cel_dyn;
    }
    if (operand->kind == CEL_LIST)
        wanted = &cel_int;
    else if (operand->key != NULL)
        wanted = operand->key;
    if (!cel_type_fits(key, wanted))
        COMPLAIN(c, node->items[1]->at, "type", NULL,
                 "the items of this %s are found by %s, not %s",
                 operand->kind == CEL_LIST ? "list" : "map", cel_type_with_article(c, wanted),
                 cel_type_with_article(c, key));
    return cel_type_item(operand);
}

/* A select or an index: one of a chain that starts at a variable, or of any value. */
const struct cel_type *cel_check_member(struct checker *c, struct cel_node *node)
{
    const struct cel_node *root = chain_root(node);
    const struct cel_type *operand, *type;

    if (root != NULL && (root->rooted || cel_find_local(c, root->name) == NULL)) {
        if (!resolve_chain(c, node))
            return &cel_dyn;
        if (node->kind == NODE_SLOT || node->kind == NODE_LITERAL)
            return node->type;
    }
    operand = cel_check_node(c, &node->items[0]);
    if (node->kind == NODE_INDEX)
        type = index_type(c, node, operand, cel_check_node(c, &node->items[1]));
    else
        type = select_type(c, node, operand);
    if (node->kind == NODE_SELECT && node->test)
        return &cel_bool;
    return wrap_optional(c, node, type);
}
