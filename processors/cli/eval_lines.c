#include "processors/cli/eval_lines.h"

#include <stdlib.h>

#include "core/json.h"
#include "processors/cli/eval_value.h"

/* A name is a slot: its index among the declared names first, then among the bound ones. */
struct request {
    struct arena *arena;
    struct str expr;
    struct value bindings; /* map: name -> VALUE as JSON */
    struct value types;    /* map: name -> type text */
    struct value *bound;   /* read, by index in bindings */
    bool check_only;
    struct cel_env env;
};

static size_t name_index(struct value map, struct str name)
{
    for (size_t i = 0; map.kind == VALUE_MAP && i < map.n; i++)
        if (str_equal(value_str(map.map[i].key), name))
            return i;
    return SIZE_MAX;
}

/* The longest name that path begins with: "a.b" is one name if it is declared as such. */
static struct cel_found resolve(void *context, const struct str *path, size_t count)
{
    const struct request *r = context;
    struct cel_found found = {.result = CEL_NO_SUCH_NAME};
    struct buf name = {0};

    for (size_t taken = 1; taken <= count; taken++) {
        size_t declared, bound;
        if (taken > 1)
            buf_put_char(&name, '.');
        buf_put(&name, path[taken - 1]);
        declared = name_index(r->types, buf_str(&name));
        bound = name_index(r->bindings, buf_str(&name));
        if (declared == SIZE_MAX && bound == SIZE_MAX)
            continue;
        found = (struct cel_found){.result = CEL_SLOT, .taken = taken, .type = &cel_dyn};
        if (declared != SIZE_MAX)
            found.type = eval_type_of(value_str(r->types.map[declared].value), r->arena);
        found.slot = bound != SIZE_MAX ? (uint32_t)bound : UINT32_MAX;
    }
    buf_free(&name);
    return found;
}

static struct value load(void *context, uint32_t slot)
{
    const struct request *r = context;

    return slot == UINT32_MAX ? VALUE_NONE : r->bound[slot];
}

/* --- in ----------------------------------------------------------------------------------------- */

/* The keys that may be left out, or null: the container, and true or false. */
static const char *read_options(struct request *r, struct value json)
{
    struct value container = value_map_get(json, STR("container"));
    const struct {
        const char *name;
        bool *to;
    } flags[] = {
        {"disable_check", &r->env.unchecked},
        {"disable_macros", &r->env.no_macros},
        {"check_only", &r->check_only},
    };

    if (container.kind == VALUE_STRING)
        r->env.container = value_str(container);
    else if (container.kind > VALUE_NULL)
        return "\"container\" is a text: \"a.b\"";
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        struct value v = value_map_get(json, str_of(flags[i].name));
        if (v.kind > VALUE_BOOL)
            return arena_format(r->arena, "\"%s\" is true or false", flags[i].name).data;
        *flags[i].to = v.kind == VALUE_BOOL && v.boolean;
    }
    return NULL;
}

static const char *read_names(struct request *r, struct value json)
{
    r->bindings = value_map_get(json, STR("bindings"));
    r->types = value_map_get(json, STR("type_env"));
    if (r->bindings.kind > VALUE_NULL && r->bindings.kind != VALUE_MAP)
        return "\"bindings\" is an object: {name: VALUE}";
    if (r->types.kind > VALUE_NULL && r->types.kind != VALUE_MAP)
        return "\"type_env\" is an object: {name: type}";
    for (size_t i = 0; r->types.kind == VALUE_MAP && i < r->types.n; i++)
        if (r->types.map[i].value.kind != VALUE_STRING)
            return "\"type_env\" is an object: {name: type}";
    if (r->bindings.kind == VALUE_MAP)
        r->bound = ARENA_ARRAY(r->arena, struct value, r->bindings.n);
    for (size_t i = 0; r->bindings.kind == VALUE_MAP && i < r->bindings.n; i++) {
        r->bound[i] = eval_value_of(r->bindings.map[i].value, r->arena);
        if (r->bound[i].kind == VALUE_ERROR)
            return arena_str(r->arena, value_str(r->bound[i])).data;
    }
    return NULL;
}

/* NULL, or what is wrong with the request. */
static const char *read_request(struct request *r, struct str line)
{
    struct value json, expr;
    struct err err = {0};
    const char *wrong;

    if (json_parse(line, r->arena, &json, &err) != JSON_FINE)
        return arena_format(r->arena, "not JSON: %s", err.text).data;
    if (json.kind != VALUE_MAP)
        return "a line is an object: {\"expr\": \"1 + 2\"}";
    expr = value_map_get(json, STR("expr"));
    if (expr.kind != VALUE_STRING)
        return "\"expr\", a text, is missing";
    r->expr = value_str(expr);
    wrong = read_options(r, json);
    return wrong != NULL ? wrong : read_names(r, json);
}

/* --- out ---------------------------------------------------------------------------------------- */

static void put_text(struct buf *out, const char *key, struct str text)
{
    buf_put_format(out, "{\"%s\":", key);
    json_put_string(out, text);
    buf_put_text(out, "}\n");
}

static void put_type(struct buf *out, const struct cel_type *type)
{
    struct buf text = {0};

    cel_type_print(&text, type);
    put_text(out, "type", buf_str(&text));
    buf_free(&text);
}

static void put_result(struct request *r, struct buf *out, struct diags *diags)
{
    struct cel_input input = {.context = r, .load = load};
    const struct cel_program *program =
        cel_compile(&r->env, r->expr, (struct place){"expression", 1, 1}, NULL, r->arena, diags);
    struct value v;

    if (program == NULL) {
        put_text(out, "error", str_of(diags->count != 0 ? diags->items[0].what : "not compiled"));
    } else if (r->check_only) {
        put_type(out, cel_program_type(program));
    } else {
        v = cel_eval(program, &input, r->arena);
        if (v.kind == VALUE_ERROR) {
            put_text(out, "error", value_str(v));
            return;
        }
        buf_put_text(out, "{\"value\":");
        eval_value_put(out, v, r->arena);
        buf_put_text(out, "}\n");
    }
}

void eval_line(struct str line, struct arena *arena, struct buf *out)
{
    struct request r = {.arena = arena, .env = {.resolve = resolve}};
    struct diags diags = {0};
    const char *wrong;

    r.env.context = &r;
    wrong = read_request(&r, line);
    if (wrong != NULL)
        put_text(out, "error", str_of(wrong));
    else
        put_result(&r, out, &diags);
    diags_free(&diags);
}

void eval_lines(FILE *in, FILE *out)
{
    struct arena *arena = arena_new(0);
    struct buf answer = {0};
    char *line = NULL;
    size_t capacity = 0;
    ssize_t bytes;

    while ((bytes = getline(&line, &capacity, in)) != -1) {
        eval_line((struct str){line, (size_t)bytes}, arena, &answer);
        fwrite(answer.data, 1, answer.len, out);
        fflush(out); /* whoever asks may wait for this answer before the next line */
        buf_clear(&answer);
        arena_reset(arena);
    }
    free(line);
    buf_free(&answer);
    arena_free(arena);
}
