/* One moment, in the order in which it runs: what its steps let through is known behind them, in later
 * conditions, gates and texts.
 */
#include <math.h>
#include <stdio.h>

#include "core/when.h"
#include "rules/moment/inspect.h"

struct walk {
    struct inspector *in;
    const struct moment *moment;
    struct filled form;
    struct filled steps[LIMIT_STEPS];
    struct knowledge behind; /* of fields of steps that are done */
    struct knowledge last;   /* and of the event that completed the last one */
};

static const struct moment_step *last_step(const struct walk *w)
{
    return &w->moment->steps[w->moment->step_count - 1];
}

/* --- about ---------------------------------------------------------------------------------------- */

/* What the moment is about can never be the same in the events that start it and in these. */
static bool about_differs(const struct walk *w, const uint16_t *types, size_t count)
{
    const struct cel_program *about = w->moment->about;
    const struct moment_step *first = &w->moment->steps[0];
    struct possible here, there;
    struct sight sight;

    if (about == NULL || cel_program_tree(about) == NULL || first->type_count == 0 || count == 0)
        return false;
    sight_open(&sight, w->in, NULL, first->types, first->type_count);
    here = foresee_value(&sight.foresight, cel_program_tree(about), NULL);
    sight_open(&sight, w->in, NULL, types, count);
    there = foresee_value(&sight.foresight, cel_program_tree(about), NULL);
    if (there.missing || possible_none(&here) || possible_none(&there)) /* it belongs to all */
        return false;
    return !possible_compare(IS_EQUAL, &here, &there).yes;
}

/* --- steps ---------------------------------------------------------------------------------------- */

/* What an event of the step is known to be, kept as fields of the step. */
static void keep_behind(struct walk *w, size_t index, const struct knowledge *known)
{
    const struct moment_step *step = &w->moment->steps[index];
    struct knowledge kept = {0};

    for (size_t i = 0; i < known->count; i++) {
        uint32_t slot = known->items[i].slot;
        const struct possible *p = &known->items[i].possible;

        if (slot_kind(slot) == SLOT_STEP_DATA || slot_kind(slot) == SLOT_STEP_FIRST ||
            slot_kind(slot) == SLOT_STEP_ATTR)
            knowledge_set(&kept, slot, p);
        else if (slot_kind(slot) == SLOT_EVENT_ATTR && step_has_event(step->kind))
            knowledge_set(&kept, slot_of(SLOT_STEP_ATTR, (uint32_t)index, slot_b(slot)), p);
        for (size_t k = 0; k < step->capture_count; k++) {
            if (slot_kind(slot) != SLOT_EVENT_DATA || step->captures[k] != slot_b(slot) ||
                !step_has_event(step->kind))
                continue;
            knowledge_set(&kept, slot_of(SLOT_STEP_DATA, (uint32_t)index, (uint32_t)k), p);
            knowledge_set(&kept, slot_of(SLOT_STEP_FIRST, (uint32_t)index, (uint32_t)k), p);
        }
    }
    w->behind = kept;
}

static struct meaning meaning_of(size_t index, enum step_kind kind)
{
    if (kind == STEP_ABSENT)
        return (struct meaning){"always-false",
                                "no event is ever looked for, because this is never true", 0};
    if (index == 0)
        return (struct meaning){"never-starts",
                                "nothing can start this moment, because this is never true", 0};
    return (struct meaning){"never-follows", "this step can never come, because this is never true",
                            0};
}

static void never(const struct walk *w, const struct yaml_node *node, size_t index,
                  const char *help, const char *why)
{
    FOUND(w->in->c, node->place, index == 0 ? "never-starts" : "never-follows", help, "%s: %s",
          index == 0 ? "nothing can start this moment" : "this step can never come", why);
}

/* Past the bound and not past it: both have to be possible, or it is never crossed. */
static void inspect_crossing(struct walk *w, size_t index, struct sight *sight,
                             struct knowledge *known)
{
    const struct moment_step *step = &w->moment->steps[index];
    const struct yaml_node *node = w->steps[index].at[FIELD_STEP_CROSSES];
    const struct cel_tree *tree = step->value != NULL ? cel_program_tree(step->value) : NULL;
    enum comparison past = step->below ? IS_LESS : IS_MORE;
    struct possible bound = possible_between(step->bound, step->bound, false), value;
    struct outcomes o;

    if (tree == NULL || node == NULL)
        return;
    value = foresee_value(&sight->foresight, tree, known);
    o = possible_compare(past, &value, &bound);
    if (!o.yes || !o.no) {
        struct buf why = {0}, range = {0};
        cel_tree_print(&why, tree);
        if (possible_print(&range, &value))
            buf_put_format(&why, " is %s", buf_text(&range));
        else
            buf_put_text(&why, " cannot cross it");
        never(w, node, index, "write a bound that the value can cross", buf_text(&why));
        buf_free(&why);
        buf_free(&range);
        return;
    }
    foresee_present(&sight->foresight, tree, known);
    if (tree->kind == TREE_SLOT && !value.nan) {
        value = possible_where(w->in->arena, &value, past, &bound);
        knowledge_set(known, tree->slot, &value);
    }
}

/* It would have to turn from not true to true. */
static void inspect_becoming(struct walk *w, size_t index, struct sight *sight,
                             struct knowledge *known)
{
    const struct moment_step *step = &w->moment->steps[index];
    const struct cel_tree *tree =
        step->condition != NULL ? cel_program_tree(step->condition) : NULL;
    const struct yaml_node *node = w->steps[index].at[FIELD_STEP_BECOMES];
    struct value constant;
    struct outcomes o;

    if (tree == NULL || node == NULL || cel_program_constant(step->condition, &constant))
        return;
    o = foresee_outcomes(&sight->foresight, tree, known);
    if (o.yes && !o.no && !o.error)
        never(w, node, index, "write a condition that can be false first",
              "it is always true, and so never becomes it");
    else
        inspect_condition(sight, step->condition, node, meaning_of(index, step->kind), known);
}

/* An entry of withdraw takes each event that this step waits for. */
static bool is_withdrawn_by(const struct moment_step *step, const struct listener *entry)
{
    if (entry->condition != NULL || (step->any_about && !entry->any_about))
        return false;
    for (size_t i = 0; i < step->type_count; i++) {
        bool taken = false;
        for (size_t k = 0; k < entry->type_count; k++)
            taken |= entry->types[k] == step->types[i];
        if (!taken)
            return false;
    }
    return step->type_count != 0;
}

/* The first event of a `count` opens it and is not withdrawn; all others have an instance to end. */
static bool waits_for_events(const struct moment_step *step, size_t index)
{
    bool takes = step->kind == STEP_EVENT || step->kind == STEP_COUNT || step->kind == STEP_CROSSES;

    return takes && (index > 0 || (step->kind == STEP_COUNT && step->count > 1));
}

static void inspect_withdrawn(struct walk *w, size_t index)
{
    const struct moment_step *step = &w->moment->steps[index];

    for (size_t i = 0; waits_for_events(step, index) && i < w->moment->withdraw_count; i++)
        if (is_withdrawn_by(step, &w->moment->withdraw[i])) {
            FOUND(w->in->c, w->steps[index].node->place, "never-follows",
                  "give the entry of `withdraw` an `if`, or leave it out",
                  "this step can never come: `withdraw` ends the moment by the same event");
            return;
        }
}

/* What starts the moment can tell what it is about. */
static void learn_about(struct walk *w, size_t index, struct sight *sight, struct knowledge *known)
{
    const struct cel_program *about = w->moment->about;

    if (index == 0 && about != NULL && cel_program_tree(about) != NULL)
        foresee_present(&sight->foresight, cel_program_tree(about), known);
}

static void inspect_step(struct walk *w, size_t index)
{
    const struct moment_step *step = &w->moment->steps[index];
    const struct filled *form = &w->steps[index];
    bool timed = step->kind == STEP_WAIT || step->kind == STEP_AT || step->kind == STEP_BECOMES;
    struct knowledge known = w->behind;
    struct sight sight;

    sight_open(&sight, w->in, w->moment, timed ? NULL : step->types, timed ? 0 : step->type_count);
    if (!timed && index > 0 && !step->any_about && step->kind != STEP_ABSENT &&
        about_differs(w, step->types, step->type_count))
        FOUND(w->in->c, form->node->place, "never-follows",
              "write `any_about: true`, or change `about`",
              "this step can never come: its events are never about the same as those that start "
              "the moment");
    inspect_withdrawn(w, index);
    learn_about(w, index, &sight, &known);
    if (step->kind == STEP_BECOMES)
        inspect_becoming(w, index, &sight, &known);
    else
        inspect_condition(&sight, step->condition, form->at[FIELD_STEP_IF],
                          meaning_of(index, step->kind), &known);
    if (step->kind == STEP_CROSSES)
        inspect_crossing(w, index, &sight, &known);
    if (step->kind == STEP_ABSENT) /* what is known is of an event that did not come */
        return;
    w->last = known;
    keep_behind(w, index, &known);
}

/* --- withdraw ------------------------------------------------------------------------------------- */

static void inspect_listener(struct walk *w, const struct listener *entry,
                             const struct yaml_node *node)
{
    struct meaning meaning = {"never-withdraws",
                              "this never withdraws anything, because it is never true", false};
    struct knowledge known = {0};
    struct filled form;
    struct sight sight;

    if (!inspect_form(FORM_OF_LISTENER, node, &form))
        return;
    if (!entry->any_about && about_differs(w, entry->types, entry->type_count))
        FOUND(
            w->in->c, node->place, "never-withdraws", "write `any_about: true`, or change `about`",
            "this never withdraws anything: its events are never about the same as those that start "
            "the moment");
    sight_open(&sight, w->in, w->moment, entry->types, entry->type_count);
    inspect_condition(&sight, entry->condition, form.at[FIELD_LISTENER_IF], meaning, &known);
}

/* --- gates and texts ------------------------------------------------------------------------------ */

static void open_late(struct walk *w, struct sight *sight, struct knowledge *known)
{
    bool has_event = step_has_event(last_step(w)->kind);

    sight_open(sight, w->in, w->moment, has_event ? last_step(w)->types : NULL,
               has_event ? last_step(w)->type_count : 0);
    *known = w->behind;
    for (size_t i = 0; has_event && i < w->last.count; i++)
        if (slot_kind(w->last.items[i].slot) == SLOT_EVENT_DATA ||
            slot_kind(w->last.items[i].slot) == SLOT_EVENT_ATTR)
            knowledge_set(known, w->last.items[i].slot, &w->last.items[i].possible);
}

/* Asked one after the other: where the second is asked, the first was passed. */
static void inspect_gates(struct walk *w, struct sight *sight, struct knowledge *known)
{
    static const struct meaning meaning = {
        "always-false", "no task ever leaves, because this is never true", false};

    if (inspect_condition(sight, w->moment->eligible, w->form.at[FIELD_MOMENT_ELIGIBLE], meaning,
                          known) &&
        inspect_condition(sight, w->moment->relevant, w->form.at[FIELD_MOMENT_RELEVANT], meaning,
                          known))
        inspect_condition(sight, w->moment->suitable, w->form.at[FIELD_MOMENT_SUITABLE], meaning,
                          known);
}

struct text_walk {
    struct walk *walk;
    struct sight *sight;
    const struct knowledge *known;
    const struct yaml_node *node; /* of the text at hand */
    size_t at;
};

static bool is_field(uint32_t slot)
{
    return slot_kind(slot) == SLOT_EVENT_DATA || slot_kind(slot) == SLOT_STEP_DATA ||
           slot_kind(slot) == SLOT_STEP_FIRST;
}

static void say_missing(void *context, const struct cel_tree *slot)
{
    struct text_walk *t = context;
    char help[192];

    if (!is_field(slot->slot))
        return;
    snprintf(help, sizeof help,
             "write {{... | words to fall back on}}, or demand the field in the `if` of its step");
    diag_add(t->walk->in->c->diags, DIAG_WARNING, yaml_place(t->node, t->at + slot->at),
             "field-may-miss", help,
             "the event need not have %.*s, and then this text cannot be filled",
             STR_ARG(slot->name));
}

static void inspect_bare(void *context, const struct cel_program *program, size_t at)
{
    struct text_walk *t = context;
    const struct cel_tree *tree = cel_program_tree(program);

    t->at = at;
    if (tree != NULL)
        foresee_missing(&t->sight->foresight, tree, t->known, t, say_missing);
}

static void inspect_texts(struct text_walk *t, const struct texts *texts,
                          const struct yaml_node *node)
{
    for (size_t i = 0; node != NULL && i < texts->written.count; i++) {
        t->node = form_phrase(node, i);
        if (texts->compiled[i] != NULL)
            template_bare(texts->compiled[i], inspect_bare, t);
    }
}

/* --- hours ---------------------------------------------------------------------------------------- */

enum { WEEK_HOURS = 7 * 24 };

/* May the action go out in this hour of a week, for a customer in the queue's time zone? */
static bool is_open(const struct walk *w, const struct act *act, int hour)
{
    const struct policy *policy = &w->in->set->policy;
    const struct queue *queue = policy_find_queue(policy, act->queue);
    uint32_t bit = 1u << hour % 24;
    int day = hour / 24 % 7;

    for (size_t i = 0; i < policy->quiet_count; i++) {
        const struct quiet *quiet = &policy->quiet[i];
        if ((quiet->tiers >> w->moment->tier & 1) != 0 &&
            (quiet->channel.len == 0 || str_equal(quiet->channel, act->channel)) &&
            (quiet->allowed.hours[day] & bit) == 0)
            return false;
    }
    return queue == NULL || (queue->open.hours[day] & bit) != 0;
}

/* The longest time in which it may not go out; *open: is there an hour in which it may? */
static int longest_closed(const struct walk *w, const struct act *act, bool *open)
{
    int longest = 0, closed = 0;

    *open = false;
    for (int hour = 0; hour < 2 * WEEK_HOURS; hour++) {
        if (is_open(w, act, hour)) {
            *open = true;
            closed = 0;
        } else if (++closed > longest) {
            longest = closed;
        }
    }
    return longest;
}

static void inspect_hours(struct walk *w, const struct act *act, const struct yaml_node *node)
{
    const struct yaml_node *place = w->form.at[FIELD_MOMENT_DEADLINE];
    struct buf span = {0}, deadline = {0};
    bool open;
    int hours = longest_closed(w, act, &open);

    if (open && (int64_t)hours * 3600 * 1000 < w->moment->deadline_ms)
        return;
    when_put_span(&span, (int64_t)hours * 3600 * 1000);
    when_put_span(&deadline, w->moment->deadline_ms);
    if (!open)
        diag_add(w->in->c->diags, DIAG_WARNING, node->place, "no-time",
                 "give the queue hours outside the quiet hours",
                 "this action can never go out: its queue is closed whenever the customer may be "
                 "reached");
    else
        diag_add(w->in->c->diags, DIAG_WARNING, place != NULL ? place->place : node->place,
                 "no-time",
                 "write a longer deadline; if silence is meant, show it in a case: silent: no_slot",
                 "a task of %.*s can be due after its deadline of %s: it may have to wait up to %s "
                 "for the queue and the quiet hours",
                 STR_ARG(act->channel), buf_text(&deadline), buf_text(&span));
    buf_free(&span);
    buf_free(&deadline);
}

/* --- actions -------------------------------------------------------------------------------------- */

static void inspect_appointment(struct text_walk *t, const struct appointment *appointment,
                                const struct yaml_node *node)
{
    struct filled form;

    if (node == NULL || !inspect_form(FORM_OF_APPOINTMENT, node, &form))
        return;
    inspect_texts(t, &appointment->title, form.at[FIELD_APPOINTMENT_TITLE]);
    inspect_texts(t, &appointment->place, form.at[FIELD_APPOINTMENT_PLACE]);
}

/* Said once: the first action with a too short deadline. */
static void inspect_acts(struct walk *w, struct text_walk *t)
{
    const struct yaml_node *list = w->form.at[FIELD_MOMENT_ACT];
    size_t before = w->in->c->diags->count;
    bool said = false;

    for (size_t i = 0; i < w->moment->act_count && i < form_item_count(list); i++) {
        const struct act *act = &w->moment->acts[i];
        struct filled form;

        if (!inspect_form(FORM_OF_ACT, form_item(list, i), &form))
            continue;
        inspect_texts(t, &act->say, form.at[FIELD_ACT_SAY]);
        inspect_texts(t, &act->subject, form.at[FIELD_ACT_SUBJECT]);
        inspect_texts(t, &act->text, form.at[FIELD_ACT_TEXT]);
        inspect_texts(t, &act->html, form.at[FIELD_ACT_HTML]);
        inspect_appointment(t, &act->appointment, form.at[FIELD_ACT_APPOINTMENT]);
        before = w->in->c->diags->count;
        if (!said && w->in->set->policy.given)
            inspect_hours(w, act, form_item(list, i));
        said |= w->in->c->diags->count != before;
    }
}

void inspect_moment(struct inspector *in, const struct moment *moment)
{
    struct str file = arena_format(in->arena, "moments/%.*s.yaml", STR_ARG(moment->name));
    struct walk w = {.in = in, .moment = moment};
    const struct yaml_node *when, *withdraw;
    struct knowledge known;
    struct sight sight;
    struct text_walk t = {.walk = &w, .sight = &sight, .known = &known};

    if (!inspect_form(FORM_OF_MOMENT, inspect_read(in, file), &w.form) || moment->step_count == 0)
        return;
    when = w.form.at[FIELD_MOMENT_WHEN];
    withdraw = w.form.at[FIELD_MOMENT_WITHDRAW];
    for (size_t i = 0; i < moment->step_count; i++)
        if (!inspect_form(FORM_OF_STEP, form_item(when, i), &w.steps[i]))
            return;
    for (size_t i = 0; i < moment->step_count; i++)
        inspect_step(&w, i);
    for (size_t i = 0; i < moment->withdraw_count; i++)
        inspect_listener(&w, &moment->withdraw[i], form_item(withdraw, i));
    open_late(&w, &sight, &known);
    inspect_gates(&w, &sight, &known);
    open_late(&w, &sight, &known);
    inspect_texts(&t, &moment->reason, w.form.at[FIELD_MOMENT_REASON]);
    inspect_acts(&w, &t);
}
