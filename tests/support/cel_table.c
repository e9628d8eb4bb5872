#include "tests/support/cel_table.h"

#include <check.h>

#include "core/check.h"

static const struct cel_type int_list = {.kind = CEL_LIST, .item = &cel_int};
static const struct cel_type by_name = {.kind = CEL_MAP, .key = &cel_string, .item = &cel_dyn};
static const struct cel_type by_vin = {.kind = CEL_MAP, .key = &cel_string, .item = &cel_double};

static const struct cel_type by_vin_count = {.kind = CEL_MAP, .key = &cel_string, .item = &cel_int};

static const struct value three[] = {
    {.kind = VALUE_INT, .i = 1}, {.kind = VALUE_INT, .i = 2}, {.kind = VALUE_INT, .i = 3}};

#define KEY(text_)                                                                                 \
    {                                                                                              \
        .kind = VALUE_STRING, .n = sizeof(text_) - 1, .text = (text_)                              \
    }
static const struct value_entry ab[] = {{KEY("a"), {.kind = VALUE_INT, .i = 1}},
                                        {KEY("b"), {.kind = VALUE_DOUBLE, .d = 2.5}}};
static const struct value_entry pads[] = {{KEY("front"), {.kind = VALUE_INT, .i = 3}}};
/* A fact with `per` of a kind that is 0 for a key never seen. */
static const struct value_entry counts[] = {{KEY("V1"), {.kind = VALUE_INT, .i = 4}},
                                            {KEY(""), {.kind = VALUE_INT, .i = 0}}};
static const struct value_entry mm[] = {{KEY("V1"), {.kind = VALUE_DOUBLE, .d = 2.8}}};

/* Every name with its type and value; a path of several names is joined by dots. */
static const struct {
    const char *path;
    const struct cel_type *type;
    struct value value;
} variables[] = {
    {"i", &cel_int, {.kind = VALUE_INT, .i = 7}},
    {"u", &cel_uint, {.kind = VALUE_UINT, .u = 5}},
    {"d", &cel_double, {.kind = VALUE_DOUBLE, .d = 2.5}},
    {"s", &cel_string, KEY("text")},
    {"b", &cel_bool, {.kind = VALUE_BOOL, .boolean = true}},
    {"n", NULL, {.kind = VALUE_NULL}},
    {"t", &cel_timestamp, {.kind = VALUE_TIMESTAMP, .i = 1774740600}},
    {"span", &cel_duration, {.kind = VALUE_DURATION, .i = 5400}},
    {"list", &int_list, {.kind = VALUE_LIST, .n = 3, .list = three}},
    {"m", NULL, {.kind = VALUE_MAP, .n = 2, .map = ab}},
    {"event.data.vin", &cel_string, KEY("V1")},
    {"event.data.weight_kg", &cel_double, {.kind = VALUE_DOUBLE, .d = 1900}},
    {"event.data.pads", &by_name, {.kind = VALUE_MAP, .n = 1, .map = pads}},
    {"customer.country", &cel_string, KEY("NL")},
    {"customer.score", &cel_double, {.kind = VALUE_ABSENT}},
    {"customer.pad_mm", &by_vin, {.kind = VALUE_MAP, .n = 1, .map = mm}},
    {"customer.missed", &by_vin_count, {.kind = VALUE_MAP, .otherwise = 1, .n = 1, .map = counts}},
    {"event.none", &by_name, {.kind = VALUE_ABSENT}},
    {"wrong", &cel_int, KEY("no int")},
};
enum { BYTES_MAX = 16 * 1024 * 1024 }; /* of one expression, compiled and run */
enum { VARIABLE_COUNT = sizeof variables / sizeof variables[0] };

static bool path_is(const char *name, const struct str *path, size_t count)
{
    struct str rest = str_of(name);

    for (size_t i = 0; i < count; i++) {
        if (!str_starts(rest, path[i]))
            return false;
        rest = str_slice(rest, path[i].len, rest.len);
        if (i + 1 < count && !str_starts(rest, STR(".")))
            return false;
        rest = str_slice(rest, i + 1 < count, rest.len);
    }
    return rest.len == 0;
}

static struct cel_found resolve(void *context, const struct str *path, size_t count)
{
    struct cel_found none = {.result = CEL_NO_SUCH_NAME};

    (void)context;
    for (size_t taken = count; taken > 0; taken--)
        for (uint32_t i = 0; i < VARIABLE_COUNT; i++)
            if (path_is(variables[i].path, path, taken))
                return (struct cel_found){
                    .result = CEL_SLOT, .slot = 100 + i, .type = variables[i].type, .taken = taken};
    if (str_is(path[0], "customer") && count > 1) {
        none.wrong = 1;
        none.what = STR("there is no fact of this name");
        none.help = STR("did you mean country");
    } else if (str_is(path[0], "event") && count > 2) {
        none.wrong = 2;
    }
    return none;
}

static struct value load(void *context, uint32_t slot)
{
    (void)context;
    CHECK(slot >= 100 && slot - 100 < VARIABLE_COUNT); /* unlike ck_assert takes no memory */
    return variables[slot - 100].value;
}

struct cel_env table_env(enum table_mode mode)
{
    bool moment = mode == TABLE_MOMENT;

    return (struct cel_env){.resolve = resolve, .mixed_numbers = moment, .own_functions = moment};
}

struct cel_input table_input(const struct zone *zone)
{
    return (struct cel_input){.load = load, .zone = zone};
}

static void put_result(struct buf *out, struct value v)
{
    struct value list = value_list(&v, 1);

    if (v.kind == VALUE_ERROR) {
        cel_print(out, v);
        return;
    }
    cel_print(out, list); /* quotes texts, marks uints */
    memmove(out->data, out->data + 1, out->len - 1);
    out->len -= 2;
}

void table_check(enum table_mode mode, const struct table_case *cases, size_t count)
{
    struct cel_env env = table_env(mode);
    struct cel_input input = table_input(zone_find(STR("Europe/Amsterdam")));

    for (size_t i = 0; i < count; i++) {
        struct arena *arena = arena_new(0);
        struct diags diags = {0};
        struct buf got = {0};
        struct str wanted = str_of(cases[i].result);
        const struct cel_program *program = cel_compile(
            &env, str_of(cases[i].text), (struct place){NULL, 1, 1}, NULL, arena, &diags);
        ck_assert_msg(program != NULL, "%s: %s", cases[i].text,
                      diags.count != 0 ? diags.items[0].what : "refused");
        put_result(&got, cel_eval(program, &input, arena));
        ck_assert_msg(arena_bytes(arena) < BYTES_MAX, "%s: %zu bytes", cases[i].text,
                      arena_bytes(arena));
        ck_assert_msg(str_starts(wanted, STR("error: ")) ? str_starts(buf_str(&got), wanted)
                                                         : str_equal(buf_str(&got), wanted),
                      "%s\n gave   %s\n wanted %s", cases[i].text, buf_text(&got), cases[i].result);
        buf_free(&got);
        diags_free(&diags);
        arena_free(arena);
    }
}

void table_findings(enum table_mode mode, const char *text, struct place place,
                    const struct cel_type *want, struct buf *out)
{
    struct cel_env env = table_env(mode);
    struct arena *arena = arena_new(0);
    struct diags diags = {0};
    const struct cel_program *program = cel_compile(&env, str_of(text), place, want, arena, &diags);

    ck_assert_int_eq(program == NULL, diags.error_count != 0);
    diags_sort(&diags);
    for (size_t i = 0; i < diags.count; i++) {
        const struct diag *diag = &diags.items[i];
        buf_put_format(out, "%s%d:%d %s: %s", i != 0 ? " | " : "", diag->place.line,
                       diag->place.column, diag->code, diag->what);
        if (diag->help != NULL)
            buf_put_format(out, " (%s)", diag->help);
    }
    diags_free(&diags);
    arena_free(arena);
}

void table_check_findings(enum table_mode mode, const struct finding_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct buf got = {0};
        table_findings(mode, cases[i].text, (struct place){NULL, 1, 1}, NULL, &got);
        ck_assert_msg(str_equal(buf_str(&got), str_of(cases[i].findings)),
                      "%s\n gave   %s\n wanted %s", cases[i].text, buf_text(&got),
                      cases[i].findings);
        buf_free(&got);
    }
}
