#include "processors/cli/cli.h"

#include <stdio.h>
#include <unistd.h>

#include "core/fail_point.h"
#include "processors/cli/config.h"
#include "rules/moment/ruleset.h"

struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary, *arguments, *options, *help;
};

static const struct verb verbs[] = {
#define VERB(name, function, summary, arguments, options, help)                                    \
    {name, function, summary, arguments, options, help},
#include "processors/cli/verbs.def"
#undef VERB
};
enum { VERB_COUNT = sizeof verbs / sizeof verbs[0] };

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

/* --- help ------------------------------------------------------------------------------------- */

void cli_put_help(struct buf *out)
{
    buf_put_text(out, "attent watches the events of a customer's life and reaches out before the "
                      "customer has to ask.\n\nUsage: attent VERB [OPTIONS]\n\n");
    for (size_t i = 0; i < VERB_COUNT; i++)
        buf_put_format(out, "  %-9s %s\n", verbs[i].name, verbs[i].summary);
    buf_put_text(out, "\n`attent VERB --help` says more; `attent --version` which build this is.\n"
                      "Try it: attent dev --demo\n\n"
                      "Exit: 0 fine, 1 findings, 2 wrong usage, 69 Kafka or Redis cannot be "
                      "reached, 78 configuration.\n");
}

static void put_option(struct buf *out, const struct option_spec *spec)
{
    char name[64];

    snprintf(name, sizeof name, "--%s%s%s", spec->name, spec->value != NULL ? " " : "",
             spec->value != NULL ? spec->value : "");
    if (spec->letter != '\0')
        buf_put_format(out, "  -%c, %-20s %s\n", spec->letter, name, spec->doc);
    else
        buf_put_format(out, "      %-20s %s\n", name, spec->doc);
}

bool cli_put_verb_help(struct buf *out, const char *name)
{
    const struct verb *verb = find_verb(name);

    if (verb == NULL)
        return false;
    buf_put_format(out, "attent %s: %s\n\nUsage: attent %s%s%s%s\n\n%s", name, verb->summary, name,
                   verb->options[0] != '\0' ? " [OPTIONS]" : "",
                   verb->arguments[0] != '\0' ? " " : "", verb->arguments, verb->help);
    if (verb->options[0] != '\0')
        buf_put_text(out, "\nOptions:\n");
    for (size_t i = 0; i < option_spec_count; i++)
        if (option_in(verb->options, str_of(option_specs[i].name)))
            put_option(out, &option_specs[i]);
    return true;
}

void cli_put_reference(struct buf *out)
{
    buf_put_text(out, "# Commands\n\nWhat `attent --help` and `attent VERB --help` print. Made by "
                      "`make docs`.\n\n```\n");
    cli_put_help(out);
    buf_put_text(out, "```\n");
    for (size_t i = 0; i < VERB_COUNT; i++) {
        buf_put_format(out, "\n## attent %s\n\n```\n", verbs[i].name);
        cli_put_verb_help(out, verbs[i].name);
        buf_put_text(out, "```\n");
    }
}

static int print_help(const char *verb)
{
    struct buf text = {0};

    if (verb != NULL && strcmp(verb, "--all") == 0)
        cli_put_reference(&text);
    else if (verb == NULL || !cli_put_verb_help(&text, verb))
        cli_put_help(&text);
    fputs(buf_text(&text), stdout);
    buf_free(&text);
    return EXIT_FINE;
}

/* --- running ------------------------------------------------------------------------------------ */

static int unknown_verb(const char *name)
{
    struct str names[VERB_COUNT], near;

    for (size_t i = 0; i < VERB_COUNT; i++)
        names[i] = str_of(verbs[i].name);
    near = str_nearest(str_of(name), names, VERB_COUNT);
    if (near.len != 0)
        fprintf(stderr, "attent: there is no verb \"%s\"; did you mean %.*s?\n", name,
                STR_ARG(near));
    else
        fprintf(stderr, "attent: there is no verb \"%s\"; `attent --help` lists all\n", name);
    return EXIT_USAGE;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (is_help(argv[i]))
            return true;
    return false;
}

int cli_run(int argc, char **argv)
{
    const struct verb *verb;

    signal(SIGPIPE, SIG_IGN); /* a reader that went away is a failed write, not a death */
    if (argc < 2) {
        print_help(NULL);
        return EXIT_USAGE;
    }
    if (is_help(argv[1]) || strcmp(argv[1], "help") == 0)
        return argc > 2 && argv[2][0] != '-' && find_verb(argv[2]) == NULL
                   ? unknown_verb(argv[2])
                   : print_help(argc > 2 ? argv[2] : NULL);
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) {
        puts("attent " ATTENT_VERSION " (semantics " RULES_SEMANTICS ")" FAIL_POINT_NOTE);
        return EXIT_FINE;
    }
    verb = find_verb(argv[1]);
    if (verb == NULL)
        return unknown_verb(argv[1]);
    if (asks_for_help(argc - 1, argv + 1))
        return print_help(argv[1]);
    return verb->run(argc - 1, argv + 1);
}

static enum err_code check_arguments(const struct options *options, size_t min, size_t max,
                                     const struct verb *verb, struct err *err)
{
    if (options->argument_count > max)
        return err_set(err, ERR_USAGE, "\"%s\" is too much", options->arguments[max]);
    if (options->argument_count < min)
        return err_set(err, ERR_USAGE, "%.*s is missing", (int)strcspn(verb->arguments, " "),
                       verb->arguments);
    return ERR_NONE;
}

bool cli_parse(const char *name, int argc, char **argv, size_t arguments_min, size_t arguments_max,
               struct arena *arena, struct options *out)
{
    const struct verb *verb = find_verb(name);
    struct err err = {0};

    if (options_parse(verb->options, argc, argv, arena, out, &err) == ERR_NONE &&
        check_arguments(out, arguments_min, arguments_max, verb, &err) == ERR_NONE)
        return true;
    fprintf(stderr, "attent %s: %s\n`attent %s --help` says what it takes\n", name, err.text, name);
    return false;
}

bool command_open(struct command *c, const char *verb, int argc, char **argv, size_t arguments_min,
                  size_t arguments_max, int *code)
{
    *c = (struct command){.arena = arena_new(0)};
    *code = EXIT_USAGE;
    if (!cli_parse(verb, argc, argv, arguments_min, arguments_max, c->arena, &c->options))
        return false;
    c->conf = config_load(&c->options, c->arena, code);
    if (c->conf == NULL)
        return false;
    *code = EXIT_FINE;
    return true;
}

int command_close(struct command *c, int code)
{
    arena_free(c->arena);
    return code;
}

static volatile sig_atomic_t stop_asked;

static void on_stop(int signal_number)
{
    if (stop_asked)
        _exit(128 + signal_number); /* asked twice: at once */
    stop_asked = 1;
}

const volatile sig_atomic_t *cli_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_stop}; /* no SA_RESTART: waits end */

    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    return &stop_asked;
}

int cli_exit_code(enum err_code code)
{
    switch (code) {
    case ERR_NONE: return EXIT_FINE;
    case ERR_USAGE: return EXIT_USAGE;
    case ERR_DOWN:
    case ERR_KAFKA:
    case ERR_REDIS: return EXIT_DOWN;
    case ERR_CONFIG:
    case ERR_STATE:
    case ERR_FENCED:
    case ERR_IO: return EXIT_CONFIG;
    case ERR_PARSE:
    case ERR_LIMIT:
    case ERR_CODE_COUNT: break;
    }
    return EXIT_FINDINGS;
}

int cli_fail(const struct err *err)
{
    fprintf(stderr, "attent: %s\n", err->text);
    return cli_exit_code(err->code);
}
