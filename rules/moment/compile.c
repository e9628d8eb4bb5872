/* Types, policy, facts, moments, in this order: each sees only what came before.  Everything is
 * visited in order of names, so that the same bundle always gives the same numbers.
 */
#include <stdlib.h>

#include "core/check.h"
#include "core/mem.h"
#include "rules/moment/compile.h"
#include "rules/moment/inspect.h"

const char *compiler_path(struct compiler *c, struct str file)
{
    if (c->folder == NULL || c->folder[0] == '\0')
        return arena_str(c->arena, file).data;
    return arena_format(c->arena, "%s%s%.*s", c->folder,
                        str_ends(str_of(c->folder), STR("/")) ? "" : "/", STR_ARG(file))
        .data;
}

const struct yaml_node *compiler_read(struct compiler *c, const struct bundle_file *file)
{
    return yaml_read(file->text, compiler_path(c, file->name), c->arena, c->diags);
}

uint32_t compiler_id(struct str name)
{
    return (uint32_t)hash_bytes(name, 0);
}

bool compiler_moment_name(struct str file, struct str *name)
{
    struct str folder = STR("moments/"), ending = STR(".yaml");

    if (!str_starts(file, folder) || !str_ends(file, ending) || str_ends(file, STR("_test.yaml")) ||
        file.len <= folder.len + ending.len)
        return false;
    *name = str_slice(file, folder.len, file.len - ending.len);
    return true;
}

/* --- all together ------------------------------------------------------------------------------- */

static bool size_fits(const struct bundle *bundle, struct diags *diags)
{
    size_t bytes = 0;

    for (size_t i = 0; i < bundle->count; i++)
        bytes += bundle->files[i].name.len + bundle->files[i].text.len;
    if (bytes <= LIMIT_RULES_BYTES)
        return true;
    diag_add(diags, DIAG_ERROR, (struct place){0}, "limit", "leave out what nobody needs",
             "the rules have %zu bytes, at most %d are taken", bytes, LIMIT_RULES_BYTES);
    return false;
}

static void warn_unknown_files(struct compiler *c)
{
    struct str name;

    for (size_t i = 0; i < c->bundle->count; i++) {
        struct str file = c->bundle->files[i].name;
        if (!compiler_moment_name(file, &name) && !str_is(file, "facts.yaml") &&
            !str_is(file, "policy.yaml") && !str_is(file, "sources.yaml") &&
            !str_is(file, "identity.yaml") && !bundle_is_note(file) &&
            !(str_starts(file, STR("schemas/events/")) && str_ends(file, STR(".json"))))
            diag_add(c->diags, DIAG_WARNING, (struct place){compiler_path(c, file), 1, 1},
                     "unknown-file",
                     "a moment is moments/NAME.yaml, an event type schemas/events/TYPE.json; else "
                     "take it out of the folder",
                     "nothing reads this file");
    }
}

static int compare_programs(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)((const struct expression *)a)->program;
    uintptr_t y = (uintptr_t)((const struct expression *)b)->program;

    return x < y ? -1 : x > y;
}

static void take_expressions(struct compiler *c)
{
    size_t count = c->expression_count;

    if (count == 0)
        return;
    qsort(c->expressions, count, sizeof *c->expressions, compare_programs);
    c->set->expressions = arena_copy(c->arena, c->expressions, count * sizeof *c->expressions);
    c->set->expression_count = count;
}

static void compiler_free(struct compiler *c)
{
    for (size_t i = 0; c->types != NULL && i < c->set->type_count; i++) {
        mem_free(c->types[i].facts.items);
        mem_free(c->types[i].moments.items);
        mem_free(c->types[i].paths.items);
    }
    mem_free(c->types);
    mem_free(c->paths);
    mem_free(c->expressions);
}

static struct ruleset *compile(const struct bundle *bundle, const char *folder, bool check,
                               struct diags *diags)
{
    struct compiler c = {.bundle = bundle, .folder = folder, .diags = diags};
    size_t errors = diags->error_count, from = diags->count;
    bool sound;

    if (!size_fits(bundle, diags))
        return NULL;
    c.arena = arena_new(0);
    c.set = ARENA_NEW(c.arena, struct ruleset);
    c.set->arena = c.arena;
    c.set->time_zone_fact = c.set->language_fact = c.set->hours_fact = -1;
    c.set->hash = bundle_hash(bundle);
    hash128_hex(c.set->hash, c.set->hash_hex);
    warn_unknown_files(&c);
    types_load(&c);
    sources_load(&c);
    identity_load(&c);
    policy_load(&c);
    facts_load(&c);
    policy_load_interlocks(&c);
    moments_load(&c);
    types_index(&c);
    take_expressions(&c);
    sound = diags->error_count == errors;
    if (check)
        inspect_rules(&c, from);
    compiler_free(&c);
    if (sound)
        return c.set;
    ruleset_free(c.set);
    return NULL;
}

struct ruleset *ruleset_compile(const struct bundle *bundle, const char *folder,
                                struct diags *diags)
{
    return compile(bundle, folder, false, diags);
}

struct ruleset *ruleset_check(const struct bundle *bundle, const char *folder, struct diags *diags)
{
    return compile(bundle, folder, true, diags);
}

void ruleset_free(struct ruleset *set)
{
    if (set == NULL)
        return;
    if (set->reader != NULL)
        event_reader_free(set->reader);
    arena_free(set->arena); /* the set itself lives there */
}

/* --- finding ------------------------------------------------------------------------------------ */

/* Types, facts, moments and sources are sorted by their first member, the name. */
static int find_name(const void *items, size_t count, size_t size, struct str name)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = str_compare(*(const struct str *)((const char *)items + middle * size), name);
        if (order == 0)
            return (int)middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

int ruleset_find_type(const struct ruleset *set, struct str name)
{
    return find_name(set->types, set->type_count, sizeof *set->types, name);
}

int ruleset_find_moment(const struct ruleset *set, struct str name)
{
    return find_name(set->moments, set->moment_count, sizeof *set->moments, name);
}

int ruleset_find_fact(const struct ruleset *set, struct str name)
{
    return find_name(set->facts, set->fact_count, sizeof *set->facts, name);
}

int ruleset_find_source(const struct ruleset *set, struct str name)
{
    return find_name(set->sources, set->source_count, sizeof *set->sources, name);
}

int ruleset_find_fact_id(const struct ruleset *set, uint32_t id)
{
    for (size_t i = 0; i < set->fact_count; i++)
        if (set->facts[i].id == id)
            return (int)i;
    return -1;
}

struct str act_language(const struct ruleset *set, const struct moment *moment,
                        const struct act *act, struct str wanted)
{
    const struct texts *own[] = {&act->say, &act->subject, &act->text, &act->html};
    const struct texts *reason = &moment->reason;
    struct str fallback = policy_language(&set->policy);

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (own[i]->written.count != 0)
            return texts_language(own, sizeof own / sizeof own[0], wanted, fallback);
    return texts_language(&reason, 1, wanted, fallback);
}

const struct expression *ruleset_expression(const struct ruleset *set,
                                            const struct cel_program *program)
{
    struct expression key = {.program = program};

    if (set->expression_count == 0)
        return NULL;
    return bsearch(&key, set->expressions, set->expression_count, sizeof key, compare_programs);
}

struct str shown_label(const struct ruleset *set, const struct shown *shown, struct str language)
{
    return shown->labels.count != 0
               ? phrases_text(&shown->labels, language, policy_language(&set->policy))
               : shown->label;
}

struct str ruleset_text(const struct ruleset *set, const struct cel_program *program)
{
    const struct expression *found = ruleset_expression(set, program);

    return found != NULL ? found->text : STR_EMPTY;
}
