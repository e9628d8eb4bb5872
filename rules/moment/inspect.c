#include "rules/moment/inspect.h"

bool inspect_is_broken(const struct inspector *in, struct str file)
{
    const struct diags *diags = in->c->diags;
    const char *path = compiler_path(in->c, file);

    for (size_t i = in->first_finding; i < diags->count; i++)
        if (diags->items[i].level == DIAG_ERROR && diags->items[i].place.file != NULL &&
            strcmp(diags->items[i].place.file, path) == 0)
            return true;
    return false;
}

const struct yaml_node *inspect_read(const struct inspector *in, struct str file)
{
    const struct bundle *bundle = in->c->bundle;
    const struct yaml_node *root = NULL;
    struct diags unheard = {0};

    for (size_t i = 0; i < bundle->count; i++)
        if (str_equal(bundle->files[i].name, file))
            root =
                yaml_read(bundle->files[i].text, compiler_path(in->c, file), in->arena, &unheard);
    diags_free(&unheard);
    return root;
}

bool inspect_form(enum form_id form, const struct yaml_node *node, struct filled *out)
{
    struct diags unheard = {0};
    bool read = node != NULL && form_read(form, node, &unheard, out);

    diags_free(&unheard);
    return read;
}

bool inspect_same_types(const uint16_t *a, size_t a_count, const uint16_t *b, size_t b_count)
{
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++) /* both ascending */
        if (a[i] != b[i])
            return false;
    return true;
}

bool inspect_same(const struct cel_program *a, const struct cel_program *b)
{
    struct buf x = {0}, y = {0};
    bool same;

    if (a == NULL || b == NULL || cel_program_tree(a) == NULL || cel_program_tree(b) == NULL)
        return a == b;
    cel_tree_print(&x, cel_program_tree(a));
    cel_tree_print(&y, cel_program_tree(b));
    same = str_equal(buf_str(&x), buf_str(&y));
    buf_free(&x);
    buf_free(&y);
    return same;
}

/* Facts are known when nothing that they are made from has errors. */
static bool facts_are_known(const struct inspector *in)
{
    for (size_t i = 0; i < in->c->bundle->count; i++) {
        struct str name = in->c->bundle->files[i].name;
        if ((str_is(name, "facts.yaml") || str_starts(name, STR("schemas/"))) &&
            inspect_is_broken(in, name))
            return false;
    }
    return true;
}

void inspect_rules(struct compiler *c, size_t from)
{
    struct inspector in = {.c = c, .set = c->set, .arena = arena_new(0), .first_finding = from};

    in.all_sound = true;
    for (size_t i = from; i < c->diags->count; i++)
        in.all_sound &= c->diags->items[i].level != DIAG_ERROR;
    in.facts_known = facts_are_known(&in);
    sight_facts(&in);
    if (in.facts_known)
        inspect_facts(&in);
    for (size_t i = 0; i < c->set->moment_count; i++) {
        struct str file =
            arena_format(in.arena, "moments/%.*s.yaml", STR_ARG(c->set->moments[i].name));
        if (in.facts_known && !inspect_is_broken(&in, file))
            inspect_moment(&in, &c->set->moments[i]);
    }
    if (!inspect_is_broken(&in, STR("policy.yaml")))
        inspect_policy(&in);
    if (in.all_sound)
        inspect_pairs(&in);
    arena_free(in.arena);
}
