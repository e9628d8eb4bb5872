/* attent eval: one CEL expression, plain and strictly conformant. */
#include <stdio.h>

#include "core/file.h"
#include "core/json.h"
#include "processors/cli/cli.h"
#include "rules/cel/cel.h"

enum { SLOT_EVENT = 1 };

struct evaluation {
    struct arena *arena;
    struct value event; /* VALUE_ABSENT: none given */
};

static struct cel_found resolve(void *context, const struct str *path, size_t count)
{
    const struct evaluation *e = context;

    (void)count;
    if (!str_is(path[0], "event"))
        return (struct cel_found){.result = CEL_NO_SUCH_NAME};
    if (e->event.kind == VALUE_ABSENT)
        return (struct cel_found){.result = CEL_REFUSED,
                                  .what = STR("there is no event to read"),
                                  .help = STR("give one: --event FILE")};
    return (struct cel_found){.result = CEL_SLOT, .slot = SLOT_EVENT, .type = &cel_dyn, .taken = 1};
}

static struct value load(void *context, uint32_t slot)
{
    const struct evaluation *e = context;

    (void)slot;
    return e->event;
}

static void print_findings(struct diags *diags, struct str source)
{
    struct buf out = {0};

    for (size_t i = 0; i < diags->count; i++)
        diag_print(&out, &diags->items[i], source);
    fputs(buf_text(&out), stderr);
    buf_free(&out);
    diags_free(diags);
}

static enum err_code read_event(struct evaluation *e, const char *file, struct err *err)
{
    struct str text;
    enum err_code code = file_read(file, e->arena, &text, err);

    if (code != ERR_NONE || json_parse(text, e->arena, &e->event, err) == JSON_FINE)
        return code;
    err_prefix(err, "%s", file);
    return ERR_PARSE;
}

static int print_value(struct value v, bool json)
{
    struct buf out = {0};

    if (json)
        json_put_value(&out, v);
    else
        cel_print(&out, v);
    if (v.kind == VALUE_ERROR)
        fprintf(stderr, "error: %.*s\n", STR_ARG(value_str(v)));
    else
        puts(buf_text(&out));
    buf_free(&out);
    return v.kind == VALUE_ERROR ? EXIT_FINDINGS : EXIT_FINE;
}

static int evaluate(struct evaluation *e, struct str text, bool json)
{
    struct cel_env env = {.context = e, .resolve = resolve};
    struct cel_input input = {.context = e, .load = load};
    struct diags diags = {0};
    const struct cel_program *program =
        cel_compile(&env, text, (struct place){"expression", 1, 1}, NULL, e->arena, &diags);

    print_findings(&diags, text);
    if (program == NULL)
        return EXIT_FINDINGS;
    return print_value(cel_eval(program, &input, e->arena), json);
}

int verb_eval(int argc, char **argv)
{
    struct evaluation e = {.arena = arena_new(0)};
    struct options options;
    struct err err = {0};
    const char *file;
    int code = EXIT_USAGE;

    if (cli_parse("eval", argc, argv, 1, 1, e.arena, &options)) {
        file = options_value(&options, "event");
        if (file != NULL && read_event(&e, file, &err) != ERR_NONE)
            code = cli_fail(&err);
        else
            code = evaluate(&e, str_of(options.arguments[0]), options_has(&options, "json"));
    }
    arena_free(e.arena);
    return code;
}
