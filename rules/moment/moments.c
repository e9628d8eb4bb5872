/* moments/NAME.yaml: everything around the steps. */
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/when.h"
#include "rules/moment/compile.h"

/* What gates, value and texts see: the completing event, steps, facts. */
static struct scope late_scope(const struct moment_draft *draft)
{
    size_t count = draft->moment->step_count;
    struct step_draft *last = count != 0 ? &draft->steps[count - 1] : NULL;
    bool has_event = last != NULL && step_has_event(last->step->kind);

    return (struct scope){
        .c = draft->c,
        .types = has_event ? &last->types : NULL,
        .no_event = "the last step has none: name an earlier step with `as: NAME` and write "
                    "NAME.data. ...",
        .customer = true,
        .about = draft->about,
        .steps = draft->steps,
        .step_count = count,
    };
}

static void show_slot(void *context, uint32_t slot)
{
    struct moment_draft *draft = context;

    if (draft->moment->step_count != 0)
        steps_show_slot(draft, slot, draft->moment->step_count - 1);
}

static const struct cel_program *load_gate(struct moment_draft *draft, enum form_field_id field)
{
    struct scope scope = late_scope(draft);
    const struct cel_program *program = scope_condition(&scope, draft->form.at[field]);

    if (draft->moment->step_count != 0)
        steps_show(draft, program, draft->moment->step_count - 1);
    return program;
}

/* --- texts -------------------------------------------------------------------------------------- */

/* In every language of the policy, and in no other? */
static void check_languages(struct compiler *c, const struct yaml_node *node, const char *key,
                            const struct phrases *written)
{
    const struct policy *policy = &c->set->policy;

    for (size_t i = 0; i < policy->language_count; i++)
        if (phrases_find(written, policy->languages[i], policy->languages[0]) < 0)
            diag_add(c->diags, DIAG_WARNING, node->place, "language-missing",
                     "write {en: ..., nl: ...}; a mapping has one text for each language",
                     "\"%s\" is not written in %.*s", key, STR_ARG(policy->languages[i]));
    for (size_t i = 0; i < written->count && policy->language_count != 0; i++)
        if (written->items[i].language.len != 0 &&
            !policy_has_language(policy, written->items[i].language))
            diag_add(c->diags, DIAG_WARNING, node->keys[i]->place, "language-unknown",
                     "add it to `languages:` in policy.yaml, or take the text out",
                     "the policy has no language \"%.*s\"", STR_ARG(written->items[i].language));
}

static struct texts load_text(struct moment_draft *draft, const struct filled *form,
                              enum form_field_id field)
{
    enum text_context context = field == FIELD_ACT_HTML      ? CONTEXT_HTML
                                : field == FIELD_ACT_SUBJECT ? CONTEXT_HEADER
                                                             : CONTEXT_PLAIN;
    const struct yaml_node *node = form->at[field];
    struct compiler *c = draft->c;
    struct texts texts = {.written = form_phrases(node, c->arena)};

    if (node == NULL)
        return texts;
    texts.compiled = ARENA_ARRAY(c->arena, const struct template *, texts.written.count);
    for (size_t i = 0; i < texts.written.count; i++) {
        struct scope scope = late_scope(draft);
        texts.compiled[i] = scope_template(&scope, form_phrase(node, i), context);
    }
    texts_slots(&texts, show_slot, draft);
    check_languages(c, node, form_fields[field].key, &texts.written);
    return texts;
}

/* --- actions ------------------------------------------------------------------------------------ */

static void load_outcomes(struct moment_draft *draft, struct act *act, const struct yaml_node *node)
{
    if (node == NULL)
        return;
    act->outcome_count = node->count;
    act->outcomes = ARENA_ARRAY(draft->c->arena, struct outcome_rule, node->count);
    for (size_t i = 0; i < node->count; i++)
        act->outcomes[i] =
            (struct outcome_rule){form_text(node->keys[i], draft->c->arena),
                                  (enum outcome_effect)form_choice(
                                      node->items[i], form_fields[FIELD_ACT_OUTCOMES].choices)};
}

static void load_appointment(struct moment_draft *draft, struct appointment *out,
                             const struct yaml_node *node)
{
    struct scope scope = late_scope(draft);
    struct filled form;

    if (node == NULL || !form_read(FORM_OF_APPOINTMENT, node, draft->c->diags, &form))
        return;
    out->start = scope_compile(&scope, form.at[FIELD_APPOINTMENT_START], &cel_timestamp);
    out->duration_ms = form_span_ms(form.at[FIELD_APPOINTMENT_DURATION], 0);
    out->title = load_text(draft, &form, FIELD_APPOINTMENT_TITLE);
    out->place = load_text(draft, &form, FIELD_APPOINTMENT_PLACE);
}

static void load_act(struct moment_draft *draft, struct act *act, const struct yaml_node *node)
{
    struct compiler *c = draft->c;
    struct filled form;

    act->wait_ms = draft->moment->deadline_ms;
    if (!form_read(FORM_OF_ACT, node, c->diags, &form))
        return;
    act->channel = form_text(form.at[FIELD_ACT_CHANNEL], c->arena);
    act->queue = form_text(form.at[FIELD_ACT_QUEUE], c->arena);
    policy_check_channel(c, form.at[FIELD_ACT_CHANNEL]);
    policy_check_queue(c, form.at[FIELD_ACT_QUEUE]);
    act->say = load_text(draft, &form, FIELD_ACT_SAY);
    act->subject = load_text(draft, &form, FIELD_ACT_SUBJECT);
    act->text = load_text(draft, &form, FIELD_ACT_TEXT);
    act->html = load_text(draft, &form, FIELD_ACT_HTML);
    load_appointment(draft, &act->appointment, form.at[FIELD_ACT_APPOINTMENT]);
    act->wait_ms = form_span_ms(form.at[FIELD_ACT_WAIT], act->wait_ms);
    act->at_least_once =
        form.at[FIELD_ACT_SEND] != NULL &&
        form_choice(form.at[FIELD_ACT_SEND], form_fields[FIELD_ACT_SEND].choices) == 1;
    load_outcomes(draft, act, form.at[FIELD_ACT_OUTCOMES]);
}

static void load_acts(struct moment_draft *draft)
{
    const struct yaml_node *node = draft->form.at[FIELD_MOMENT_ACT];
    struct moment *moment = draft->moment;

    moment->act_count = form_item_count(node);
    moment->acts = ARENA_ARRAY(draft->c->arena, struct act, moment->act_count);
    for (size_t i = 0; i < moment->act_count; i++)
        load_act(draft, &moment->acts[i], form_item(node, i));
}

/* --- the moment --------------------------------------------------------------------------------- */

static void check_name(struct moment_draft *draft)
{
    const struct yaml_node *node = draft->form.at[FIELD_MOMENT_NAME];
    struct str name = draft->moment->name;
    char help[160];

    if (node == NULL || str_equal(node->text, name))
        return;
    snprintf(help, sizeof help, "write %.*s, or rename the file", STR_ARG(name));
    FOUND(draft->c, node->place, "file-name", help,
          "the moment \"%.*s\" stands in the file %.*s.yaml", STR_ARG(node->text), STR_ARG(name));
}

static void load_head(struct moment_draft *draft)
{
    const struct yaml_node *const *at = draft->form.at;
    struct arena *arena = draft->c->arena;
    struct moment *moment = draft->moment;

    check_name(draft);
    moment->titles = form_phrases(at[FIELD_MOMENT_TITLE], arena);
    moment->title =
        phrases_text(&moment->titles, STR_EMPTY, policy_language(&draft->c->set->policy));
    if (at[FIELD_MOMENT_TITLE] != NULL)
        check_languages(draft->c, at[FIELD_MOMENT_TITLE], "title", &moment->titles);
    moment->owner = form_text(at[FIELD_MOMENT_OWNER], arena);
    moment->tier = policy_tier_of(draft->c, at[FIELD_MOMENT_TIER]);
    moment->purpose = at[FIELD_MOMENT_PURPOSE] != NULL
                          ? form_text(at[FIELD_MOMENT_PURPOSE], arena)
                          : draft->c->set->policy.tiers[moment->tier].name;
    moment->again_ms = form_span_ms(at[FIELD_MOMENT_AGAIN], 0);
    moment->deadline_ms = form_span_ms(at[FIELD_MOMENT_DEADLINE], 7 * (int64_t)WHEN_DAY_MS);
    moment->instances = form_count(at[FIELD_MOMENT_INSTANCES], LIMIT_INSTANCES);
    if (at[FIELD_MOMENT_ON_CHANGE] != NULL)
        moment->on_change =
            (enum on_change)(1 + form_choice(at[FIELD_MOMENT_ON_CHANGE],
                                             form_fields[FIELD_MOMENT_ON_CHANGE].choices));
}

static void load_moment(struct compiler *c, struct moment *moment, const struct bundle_file *file)
{
    struct moment_draft draft = {.c = c, .moment = moment};
    const struct yaml_node *root = compiler_read(c, file);
    struct scope scope;

    snprintf(moment->version, sizeof moment->version, "%08x", compiler_id(file->text));
    if (root == NULL || !form_read(FORM_OF_MOMENT, root, c->diags, &draft.form))
        return;
    load_head(&draft);
    steps_load(&draft);
    moment->eligible = load_gate(&draft, FIELD_MOMENT_ELIGIBLE);
    moment->relevant = load_gate(&draft, FIELD_MOMENT_RELEVANT);
    moment->suitable = load_gate(&draft, FIELD_MOMENT_SUITABLE);
    scope = late_scope(&draft);
    moment->value = scope_compile(&scope, draft.form.at[FIELD_MOMENT_VALUE], &cel_double);
    load_acts(&draft);
    moment->reason = load_text(&draft, &draft.form, FIELD_MOMENT_REASON);
    steps_finish(&draft);
}

/* --- all of them -------------------------------------------------------------------------------- */

struct named_file {
    struct str name;
    const struct bundle_file *file;
};

static int compare_names(const void *a, const void *b)
{
    return str_compare(((const struct named_file *)a)->name, ((const struct named_file *)b)->name);
}

static void check_ids(struct compiler *c)
{
    for (size_t i = 0; i < c->set->moment_count; i++)
        for (size_t k = 0; k < i; k++)
            if (c->set->moments[i].id == c->set->moments[k].id)
                FOUND(c, ((struct place){0}), "name-clash", "choose another name",
                      "by chance the moments %.*s and %.*s have the same number",
                      STR_ARG(c->set->moments[i].name), STR_ARG(c->set->moments[k].name));
}

void moments_load(struct compiler *c)
{
    struct named_file *files = MEM_NEW_ARRAY(struct named_file, c->bundle->count + 1);
    size_t count = 0;

    for (size_t i = 0; i < c->bundle->count; i++)
        if (compiler_moment_name(c->bundle->files[i].name, &files[count].name))
            files[count++].file = &c->bundle->files[i];
    if (count > LIMIT_MOMENTS) {
        FOUND(c, ((struct place){0}), "limit", "leave some out",
              "%zu moments, at most %d are taken", count, LIMIT_MOMENTS);
        count = 0;
    }
    if (count != 0)
        qsort(files, count, sizeof *files, compare_names);
    c->set->moments = ARENA_ARRAY(c->arena, struct moment, count);
    c->set->moment_count = count;
    for (size_t i = 0; i < count; i++) {
        c->set->moments[i].name = arena_str(c->arena, files[i].name);
        c->set->moments[i].id = compiler_id(files[i].name);
    }
    check_ids(c);
    for (size_t i = 0; i < count; i++)
        load_moment(c, &c->set->moments[i], files[i].file);
    mem_free(files);
}
