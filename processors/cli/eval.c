/* attent eval: one CEL expression, plain and strictly conformant. */
#include <stdio.h>

#include "core/file.h"
#include "core/json.h"
#include "processors/cli/cli.h"
#include "processors/cli/eval_lines.h"
#include "rules/cel/cel.h"

/* What an expression may read: the option's name is the variable's name. */
static const char *const inputs[] = {"event", "customer"};
enum { INPUT_COUNT = sizeof inputs / sizeof inputs[0] };

struct evaluation {
    struct arena *arena;
    struct value input[INPUT_COUNT]; /* VALUE_ABSENT: none given */
};

static struct cel_found resolve(void *context, const struct str *path, size_t count)
{
    const struct evaluation *e = context;
    uint32_t slot = 0;

    (void)count;
    while (slot < INPUT_COUNT && !str_is(path[0], inputs[slot]))
        slot++;
    if (slot == INPUT_COUNT)
        return (struct cel_found){.result = CEL_NO_SUCH_NAME};
    if (e->input[slot].kind == VALUE_ABSENT)
        return (struct cel_found){
            .result = CEL_REFUSED,
            .what = arena_format(e->arena, "there is no %s to read", inputs[slot]),
            .help = arena_format(e->arena, "give one: --%s FILE", inputs[slot])};
    return (struct cel_found){.result = CEL_SLOT, .slot = slot, .type = &cel_dyn, .taken = 1};
}

static struct value load(void *context, uint32_t slot)
{
    const struct evaluation *e = context;

    return e->input[slot];
}

static void print_findings(struct diags *diags, struct str source)
{
    struct buf out = {0};

    diags_sort(diags);
    for (size_t i = 0; i < diags->count; i++)
        diag_print(&out, &diags->items[i], source);
    fputs(buf_text(&out), stderr);
    buf_free(&out);
    diags_free(diags);
}

static enum err_code read_input(struct evaluation *e, size_t slot, const char *file,
                                struct err *err)
{
    struct str text;
    enum err_code code = file_read(file, e->arena, &text, err);

    if (code != ERR_NONE || json_parse(text, e->arena, &e->input[slot], err) == JSON_FINE)
        return code;
    err_prefix(err, "%s", file);
    return ERR_PARSE;
}

static enum err_code read_inputs(struct evaluation *e, const struct options *options,
                                 struct err *err)
{
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < INPUT_COUNT && code == ERR_NONE; i++) {
        const char *file = options_value(options, inputs[i]);
        if (file != NULL)
            code = read_input(e, i, file, err);
    }
    return code;
}

/* --- the trace: values under the source, each behind the column that it belongs to -------------- */

static size_t line_end(struct str text, size_t from)
{
    while (from < text.len && text.data[from] != '\n')
        from++;
    return from;
}

struct trace {
    struct str text;
    size_t line; /* offset of the line printed last */
};

/* Print the lines of the source up to the one that `at` is in. */
static void reach(struct trace *t, size_t at)
{
    while (line_end(t->text, t->line) < at) {
        t->line = line_end(t->text, t->line) + 1;
        printf("%.*s\n", (int)(line_end(t->text, t->line) - t->line), t->text.data + t->line);
    }
}

static void print_step(void *context, uint32_t at, struct value v)
{
    struct trace *t = context;
    struct buf out = {0};

    reach(t, at);
    for (size_t i = t->line; i < at; i++)
        if (((unsigned char)t->text.data[i] & 0xc0) != 0x80)
            buf_put_char(&out, ' ');
    buf_put_text(&out, "^ ");
    cel_print(&out, v);
    puts(buf_text(&out));
    buf_free(&out);
}

static void print_trace(struct evaluation *e, const struct cel_env *env,
                        const struct cel_input *input, struct str text)
{
    struct trace t = {.text = text};

    printf("%.*s\n", (int)line_end(text, 0), text.data);
    cel_trace(env, text, input, e->arena, &t, print_step);
    reach(&t, text.len);
}

/* --- the verb ------------------------------------------------------------------------------------ */

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

static int evaluate(struct evaluation *e, struct str text, const struct options *options)
{
    struct cel_env env = {.context = e, .resolve = resolve};
    struct cel_input input = {.context = e, .load = load};
    struct diags diags = {0};
    const struct cel_program *program =
        cel_compile(&env, text, (struct place){"expression", 1, 1}, NULL, e->arena, &diags);

    print_findings(&diags, text);
    if (program == NULL)
        return EXIT_FINDINGS;
    if (options_has(options, "trace"))
        print_trace(e, &env, &input, text);
    return print_value(cel_eval(program, &input, e->arena), options_has(options, "json"));
}

static int run(struct evaluation *e, const struct options *options)
{
    struct err err = {0};

    if (options_has(options, "lines") != (options->argument_count == 0)) {
        fputs("attent eval: give one expression, or --lines and expressions on standard input\n",
              stderr);
        return EXIT_USAGE;
    }
    if (options_has(options, "lines")) {
        eval_lines(stdin, stdout);
        return EXIT_FINE;
    }
    if (read_inputs(e, options, &err) != ERR_NONE)
        return cli_fail(&err);
    return evaluate(e, str_of(options->arguments[0]), options);
}

int verb_eval(int argc, char **argv)
{
    struct evaluation e = {.arena = arena_new(0)};
    struct options options;
    int code = EXIT_USAGE;

    if (cli_parse("eval", argc, argv, 0, 1, e.arena, &options))
        code = run(&e, &options);
    arena_free(e.arena);
    return code;
}
