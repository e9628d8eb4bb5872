/* attent list WHAT: each kind of thing fills rows of up to three columns; printing them, aligned
 * or as JSON, is the same for all. */
#include <stdio.h>

#include "core/mem.h"
#include "processors/cli/cli.h"
#include "processors/cli/rules_verb.h"
#include "rules/cel/funcs.h"
#include "rules/moment/explain.h"

enum { COLUMNS = 3 };

struct table {
    const char *headings[COLUMNS];
    struct str (*rows)[COLUMNS]; /* on the heap; texts in arena */
    size_t count, capacity;
    struct arena *arena;
    const struct ruleset *set; /* NULL: not needed */
};

static void add_row(struct table *t, struct str a, struct str b, struct str c)
{
    MEM_RESERVE(t->rows, t->count, t->capacity);
    t->rows[t->count][0] = a;
    t->rows[t->count][1] = b;
    t->rows[t->count++][2] = c;
}

/* --- what there is ------------------------------------------------------------------------------ */

static void list_reasons(struct table *t)
{
#define REASON(name, code, text) add_row(t, STR(code), STR(text), STR_EMPTY);
#include "rules/reasons.def"
#undef REASON
}

static void list_facts(struct table *t)
{
    static const char *const kinds[] = {
#define FACT(name, word, text) word,
#include "rules/moment/facts.def"
#undef FACT
    };

    for (size_t i = 0; i < t->set->fact_count; i++) {
        const struct fact *fact = &t->set->facts[i];
        struct buf type = {0};
        cel_type_print(&type, fact->type);
        add_row(t, arena_format(t->arena, "customer.%.*s", STR_ARG(fact->name)),
                arena_format(t->arena, "%s, %s%s%.*s", kinds[fact->kind], buf_text(&type),
                             fact->unit.len != 0 ? " in " : "", STR_ARG(fact->unit)),
                fact->title);
        buf_free(&type);
    }
}

static void list_events(struct table *t)
{
    for (size_t i = 0; i < t->set->type_count; i++) {
        const struct event_type *type = &t->set->types[i];
        add_row(t, type->name,
                arena_format(t->arena, "%zu fact%s, %zu moment%s", type->fact_count,
                             type->fact_count == 1 ? "" : "s", type->moment_count,
                             type->moment_count == 1 ? "" : "s"),
                type->schema->title);
    }
}

static void list_moments(struct table *t)
{
    for (size_t i = 0; i < t->set->moment_count; i++) {
        const struct moment *moment = &t->set->moments[i];
        add_row(t, moment->name, t->set->policy.tiers[moment->tier].name, moment->title);
    }
}

static void list_channels(struct table *t)
{
    const struct policy *policy = &t->set->policy;

    for (size_t i = 0; i < policy->channel_count; i++)
        add_row(t, policy->channels[i].name,
                policy->channels[i].address.len != 0 ? policy->channels[i].address : STR("-"),
                STR_EMPTY);
}

static void list_functions(struct table *t)
{
    const struct cel_func *func;

    for (size_t i = 0; (func = cel_func_at(i)) != NULL; i++) {
        struct buf signature = {0};
        if (func->name[0] == '@') /* what a macro becomes */
            continue;
        cel_func_print(&signature, func);
        add_row(t, arena_str(t->arena, buf_str(&signature)), str_of(func->text), STR_EMPTY);
        buf_free(&signature);
    }
#define MACRO(name, vars, args, collect, filtered, usage)                                          \
    add_row(t, STR(usage), STR("a macro: it introduces the names"), STR_EMPTY);
#include "rules/cel/macros.def"
#undef MACRO
}

static const struct {
    const char *name;
    const char *headings[COLUMNS];
    bool needs_rules;
    void (*list)(struct table *t);
} things[] = {
    {"reasons", {"reason", "text", NULL}, false, list_reasons},
    {"facts", {"fact", "kind", "title"}, true, list_facts},
    {"events", {"event", "used_by", "title"}, true, list_events},
    {"moments", {"moment", "tier", "title"}, true, list_moments},
    {"functions", {"function", "text", NULL}, false, list_functions},
    {"channels", {"channel", "address", NULL}, true, list_channels},
};
enum { THINGS = sizeof things / sizeof things[0] };

/* --- printing ----------------------------------------------------------------------------------- */

static void put_plain(struct buf *out, const struct table *t)
{
    size_t widths[COLUMNS] = {0};

    for (size_t i = 0; i < t->count; i++)
        for (size_t k = 0; k < COLUMNS; k++)
            if (t->rows[i][k].len > widths[k])
                widths[k] = t->rows[i][k].len;
    for (size_t i = 0; i < t->count; i++) {
        buf_put_format(out, "%-*.*s  ", (int)widths[0], STR_ARG(t->rows[i][0]));
        if (widths[2] == 0)
            buf_put_format(out, "%.*s\n", STR_ARG(t->rows[i][1]));
        else
            buf_put_format(out, "%-*.*s  %.*s\n", (int)widths[1], STR_ARG(t->rows[i][1]),
                           STR_ARG(t->rows[i][2]));
    }
}

static void put_json(struct buf *out, const struct table *t)
{
    for (size_t i = 0; i < t->count; i++) {
        struct json_writer w = json_writer_to(out);
        json_open(&w, '{');
        for (size_t k = 0; k < COLUMNS && t->headings[k] != NULL; k++) {
            json_key(&w, t->headings[k]);
            json_str(&w, t->rows[i][k]);
        }
        json_close(&w, '}');
        buf_put_char(out, '\n');
    }
}

static int find_thing(const char *name)
{
    struct str names[THINGS], near;
    struct err err;

    for (int i = 0; i < THINGS; i++) {
        names[i] = str_of(things[i].name);
        if (str_is(names[i], name))
            return i;
    }
    near = str_nearest(str_of(name), names, THINGS);
    if (near.len != 0)
        err_set(&err, ERR_USAGE, "there is no list of \"%s\"; did you mean %.*s?", name,
                STR_ARG(near));
    else
        err_set(
            &err, ERR_USAGE,
            "there is no list of \"%s\": reasons, facts, events, moments, functions or channels",
            name);
    cli_fail(&err);
    return -1;
}

static void print(struct table *t, int thing, bool json)
{
    struct buf out = {0};

    memcpy(t->headings, things[thing].headings, sizeof t->headings);
    things[thing].list(t);
    if (json)
        put_json(&out, t);
    else
        put_plain(&out, t);
    fputs(buf_text(&out), stdout);
    buf_free(&out);
    mem_free(t->rows);
}

static int list_with_rules(const struct options *options, struct arena *arena, int thing)
{
    struct table t = {.arena = arena};
    struct rules_verb v;
    int code = rules_verb_open(&v, options, 1);

    if (code == EXIT_FINE)
        code = rules_verb_need_set(&v);
    if (code != EXIT_FINE)
        return code;
    t.set = v.set;
    print(&t, thing, options_has(options, "json"));
    rules_verb_close(&v);
    return EXIT_FINE;
}

int verb_list(int argc, char **argv)
{
    struct arena *arena = arena_new(0);
    struct options options;
    int code = EXIT_USAGE, thing = -1;

    if (cli_parse("list", argc, argv, 1, 2, arena, &options))
        thing = find_thing(options.arguments[0]);
    if (thing >= 0 && things[thing].needs_rules) {
        code = list_with_rules(&options, arena, thing);
    } else if (thing >= 0) {
        struct table t = {.arena = arena};
        print(&t, thing, options_has(&options, "json"));
        code = EXIT_FINE;
    }
    arena_free(arena);
    return code;
}
