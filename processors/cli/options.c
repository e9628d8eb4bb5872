#include "processors/cli/options.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/check.h"

const struct option_spec option_specs[] = {
#define OPTION(name, letter, value, doc) {name, letter, value, doc},
#include "processors/cli/options.def"
#undef OPTION
};
const size_t option_spec_count = sizeof option_specs / sizeof option_specs[0];

struct parsing {
    const char *accepted;
    int argc, at;
    char **argv;
    struct options *out;
    struct err *err;
};

bool option_in(const char *list, struct str name)
{
    struct str rest = str_of(list), word;

    while (rest.len != 0) {
        if (!str_cut(rest, ' ', &word, &rest)) {
            word = rest;
            rest = STR_EMPTY;
        }
        if (str_equal(word, name))
            return true;
    }
    return false;
}

static const struct option_spec *find_long(const struct parsing *p, struct str name)
{
    for (size_t i = 0; i < option_spec_count; i++)
        if (str_is(name, option_specs[i].name) && option_in(p->accepted, name))
            return &option_specs[i];
    return NULL;
}

static const struct option_spec *find_letter(const struct parsing *p, char letter)
{
    for (size_t i = 0; i < option_spec_count; i++)
        if (option_specs[i].letter == letter && letter != '\0' &&
            option_in(p->accepted, str_of(option_specs[i].name)))
            return &option_specs[i];
    return NULL;
}

static enum err_code unknown(const struct parsing *p, struct str name, const char *written)
{
    struct str names[64], near;
    size_t count = 0;

    CHECK(option_spec_count <= sizeof names / sizeof names[0]);
    for (size_t i = 0; i < option_spec_count; i++)
        if (option_in(p->accepted, str_of(option_specs[i].name)))
            names[count++] = str_of(option_specs[i].name);
    near = str_nearest(name, names, count);
    if (near.len != 0)
        return err_set(p->err, ERR_USAGE, "unknown option %s; did you mean --%.*s?", written,
                       STR_ARG(near));
    return err_set(p->err, ERR_USAGE, "unknown option %s", written);
}

static void give(struct parsing *p, const struct option_spec *spec, const char *value)
{
    p->out->given[p->out->given_count++] = (struct option_given){spec, value};
}

/* The option's value is the next word. */
static enum err_code give_next(struct parsing *p, const struct option_spec *spec)
{
    if (p->at + 1 >= p->argc)
        return err_set(p->err, ERR_USAGE, "--%s wants a value: --%s %s", spec->name, spec->name,
                       spec->value);
    give(p, spec, p->argv[++p->at]);
    return ERR_NONE;
}

static enum err_code parse_long(struct parsing *p, const char *word)
{
    struct str name = str_of(word + 2), value;
    bool valued = str_cut(name, '=', &name, &value);
    const struct option_spec *spec = find_long(p, name);

    if (spec == NULL)
        return unknown(p, name, word);
    if (valued && spec->value == NULL)
        return err_set(p->err, ERR_USAGE, "--%s takes no value", spec->name);
    if (spec->value != NULL && !valued)
        return give_next(p, spec);
    give(p, spec, valued ? value.data : NULL);
    return ERR_NONE;
}

static enum err_code parse_letters(struct parsing *p, const char *word)
{
    for (const char *letter = word + 1; *letter != '\0'; letter++) {
        const struct option_spec *spec = find_letter(p, *letter);
        if (spec == NULL)
            return unknown(p, str_of(word + 1), word);
        if (spec->value != NULL && letter[1] == '\0')
            return give_next(p, spec);
        give(p, spec, spec->value != NULL ? letter + 1 : NULL);
        if (spec->value != NULL)
            return ERR_NONE;
    }
    return ERR_NONE;
}

/* As many options and arguments as words, or letters of them. */
static size_t room_needed(int argc, char **argv)
{
    size_t room = 1;

    for (int i = 1; i < argc; i++)
        room += strlen(argv[i]) + 1;
    return room;
}

enum err_code options_parse(const char *accepted, int argc, char **argv, struct arena *arena,
                            struct options *out, struct err *err)
{
    struct parsing p = {accepted, argc, 1, argv, out, err};
    enum err_code code = ERR_NONE;
    bool ended = false;

    *out =
        (struct options){.given = ARENA_ARRAY(arena, struct option_given, room_needed(argc, argv)),
                         .arguments = ARENA_ARRAY(arena, const char *, (size_t)argc + 1)};
    for (; p.at < argc && code == ERR_NONE; p.at++) {
        const char *word = argv[p.at];
        if (ended || word[0] != '-' || word[1] == '\0')
            out->arguments[out->argument_count++] = word;
        else if (strcmp(word, "--") == 0)
            ended = true;
        else
            code = word[1] == '-' ? parse_long(&p, word) : parse_letters(&p, word);
    }
    return code;
}

const char *options_value(const struct options *options, const char *name)
{
    for (size_t i = options->given_count; i > 0; i--)
        if (strcmp(options->given[i - 1].spec->name, name) == 0)
            return options->given[i - 1].value;
    return NULL;
}

bool options_has(const struct options *options, const char *name)
{
    for (size_t i = 0; i < options->given_count; i++)
        if (strcmp(options->given[i].spec->name, name) == 0)
            return true;
    return false;
}

enum err_code options_number(const struct options *options, const char *name, int64_t min,
                             int64_t max, int64_t fallback, int64_t *out, struct err *err)
{
    const char *text = options_value(options, name);
    char *end;

    *out = fallback;
    if (text == NULL)
        return ERR_NONE;
    *out = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || *out < min || *out > max)
        return err_set(err, ERR_USAGE,
                       "--%s is \"%s\", wants a whole number from %" PRId64 " to %" PRId64, name,
                       text, min, max);
    return ERR_NONE;
}
