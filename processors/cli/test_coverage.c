/* One list of things per folder of rules, made from its rule set and the trees of its files, which
 * know the lines.  A condition is two things, one for each way.  While cases run, the moments of the
 * rule set at hand lead to their things by name and number; programs, by their place in the moment.
 */
#include "processors/cli/test_coverage.h"

#include <stdio.h>

#include "core/json.h"
#include "core/mem.h"
#include "processors/cli/rules_folder.h"
#include "processors/cli/screen.h"
#include "processors/cli/test_show.h"
#include "processors/decide/decide.h"

enum covered {
#define COVERED(name, word, heading) COVERED_##name,
#include "processors/cli/test_coverage.def"
#undef COVERED
    COVERED_COUNT
};

static const struct {
    const char *word, *heading;
} kinds[] = {
#define COVERED(name, word, heading) {word, heading},
#include "processors/cli/test_coverage.def"
#undef COVERED
};

struct thing {
    enum covered kind;
    size_t number;    /* of the step, condition, entry, action */
    size_t part;      /* CONDITION: of the condition; OUTCOME: of the action's */
    bool side;        /* CONDITION: when it is true */
    struct str words; /* "step 2 of 2 (absent policy.updated)" */
    int line;
    uint64_t count;
};

enum { CONDITIONS_MAX = 2 * LIMIT_STEPS + 3 };

struct moment_cover {
    struct str name;
    const char *path; /* of the file */
    struct thing *things;
    size_t count, capacity;
    const struct cel_program *conditions[CONDITIONS_MAX]; /* of the rule set at hand */
    size_t condition_count;
    bool only; /* coverage_only */
};

struct folder_cover {
    struct folder_cover *next;
    const char *dir;
    struct moment_cover *moments;
    size_t moment_count;
    bool some; /* only moments that are `only` */
    bool can_come[REASON_COUNT];
    uint64_t reasons[REASON_COUNT];
};

struct coverage {
    struct arena *arena;
    struct folder_cover *folders, *now;
    const struct ruleset *set;
};

struct coverage *coverage_new(void)
{
    struct arena *arena = arena_new(0);
    struct coverage *coverage = ARENA_NEW(arena, struct coverage);

    coverage->arena = arena;
    return coverage;
}

void coverage_free(struct coverage *coverage)
{
    if (coverage == NULL)
        return;
    for (struct folder_cover *f = coverage->folders; f != NULL; f = f->next)
        for (size_t i = 0; i < f->moment_count; i++)
            mem_free(f->moments[i].things);
    arena_free(coverage->arena);
}

/* --- conditions of a moment, always in the same order ---------------------------------------------- */

struct condition {
    const struct cel_program *program; /* NULL: the moment has none there */
    const char *list, *key;            /* where it stands: list[number].key, or key */
    size_t number;
};

static size_t conditions_of(const struct moment *moment, struct condition out[CONDITIONS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < moment->step_count; i++)
        out[count++] = (struct condition){moment->steps[i].condition, "when", "if", i};
    for (size_t i = 0; i < moment->withdraw_count; i++)
        out[count++] = (struct condition){moment->withdraw[i].condition, "withdraw", "if", i};
    out[count++] = (struct condition){moment->eligible, NULL, "eligible", 0};
    out[count++] = (struct condition){moment->relevant, NULL, "relevant", 0};
    out[count++] = (struct condition){moment->suitable, NULL, "suitable", 0};
    return count;
}

/* --- the list of things ---------------------------------------------------------------------------- */

struct listing {
    struct coverage *coverage;
    const struct ruleset *set;
    const struct moment *moment;
    const struct yaml_node *root; /* of the moment's file */
    struct moment_cover *into;
};

static struct thing *add(struct listing *l, enum covered kind, size_t number,
                         const struct yaml_node *node)
{
    struct moment_cover *into = l->into;

    MEM_RESERVE(into->things, into->count, into->capacity);
    into->things[into->count] =
        (struct thing){.kind = kind, .number = number, .line = node != NULL ? node->place.line : 0};
    return &into->things[into->count++];
}

static const struct yaml_node *item_of(const struct yaml_node *root, const char *list,
                                       size_t number)
{
    const struct yaml_node *items = yaml_get(root, str_of(list));

    return items != NULL && items->kind == YAML_LIST && number < items->count ? items->items[number]
                                                                              : NULL;
}

static void add_steps(struct listing *l)
{
    for (size_t i = 0; i < l->moment->step_count; i++) {
        struct buf words = {0};
        struct thing *thing = add(l, COVERED_STEP, i, item_of(l->root, "when", i));

        test_put_step(&words, l->set, l->moment, i);
        thing->words = arena_str(l->coverage->arena, buf_str(&words));
        buf_free(&words);
    }
}

static void add_listeners(struct listing *l)
{
    for (size_t i = 0; i < l->moment->withdraw_count; i++) {
        const struct listener *w = &l->moment->withdraw[i];
        struct thing *thing = add(l, COVERED_WITHDRAW, i, item_of(l->root, "withdraw", i));

        thing->words = arena_format(l->coverage->arena, "withdraw by %.*s%s",
                                    STR_ARG(l->set->types[w->types[0]].name),
                                    w->type_count > 1 ? " or another" : "");
    }
}

static void add_side(struct listing *l, size_t number, size_t part, bool side, const char *key,
                     struct str text, int line)
{
    struct thing *thing = add(l, COVERED_CONDITION, number, NULL);

    thing->part = part;
    thing->side = side;
    thing->line = line;
    thing->words = arena_format(l->coverage->arena, "%s: %.*s", key, STR_ARG(text));
}

static void add_condition(struct listing *l, size_t number, const struct condition *condition)
{
    const struct yaml_node *node = l->root;
    const char *key = condition->key;
    const struct expression *whole;
    size_t count;

    if (condition->program == NULL)
        return;
    if (condition->list != NULL)
        node = item_of(node, condition->list, condition->number);
    if (yaml_get(node, str_of(key)) == NULL && str_is(str_of(key), "if"))
        key = "becomes"; /* a step that is nothing but a condition */
    node = yaml_get(node, str_of(key));
    whole = ruleset_expression(l->set, condition->program);
    if (node == NULL || whole == NULL)
        return;
    count = whole->part_count != 0 ? whole->part_count : 1;
    for (size_t i = 0; i < count; i++) {
        struct str text = whole->part_count != 0 ? whole->parts[i].text : whole->text;
        struct place place = yaml_place(node, whole->part_count != 0 ? whole->parts[i].at : 0);

        add_side(l, number, i, true, key, text, place.line);
        add_side(l, number, i, false, key, text, place.line);
    }
}

static void add_conditions(struct listing *l)
{
    struct condition conditions[CONDITIONS_MAX];
    size_t count = conditions_of(l->moment, conditions);

    for (size_t i = 0; i < count; i++)
        add_condition(l, i, &conditions[i]);
}

static void add_acts(struct listing *l)
{
    for (size_t i = 0; i < l->moment->act_count; i++) {
        const struct act *act = &l->moment->acts[i];
        const struct yaml_node *node = item_of(l->root, "act", i);
        const struct yaml_node *outcomes = yaml_get(node, STR("outcomes"));

        add(l, COVERED_ACT, i, node)->words =
            arena_format(l->coverage->arena, "action %zu (%.*s)", i + 1, STR_ARG(act->channel));
        for (size_t k = 0; k < act->outcome_count; k++) {
            struct thing *thing =
                add(l, COVERED_OUTCOME, i,
                    outcomes != NULL && k < outcomes->count ? outcomes->keys[k] : node);

            thing->part = k;
            thing->words =
                arena_format(l->coverage->arena, "outcome %.*s of action %zu (%.*s)",
                             STR_ARG(act->outcomes[k].code), i + 1, STR_ARG(act->channel));
        }
    }
}

static void list_moment(struct coverage *coverage, const struct ruleset *set,
                        const struct moment *moment, const struct bundle *bundle,
                        struct moment_cover *into)
{
    struct str file = arena_format(coverage->arena, "moments/%.*s.yaml", STR_ARG(moment->name));
    struct listing l = {.coverage = coverage, .set = set, .moment = moment, .into = into};
    struct diags diags = {0};

    into->name = arena_str(coverage->arena, moment->name);
    into->path = rules_folder_path(coverage->now->dir, file, coverage->arena).data;
    for (size_t i = 0; i < bundle->count; i++)
        if (str_equal(bundle->files[i].name, file))
            l.root = yaml_read(bundle->files[i].text, NULL, coverage->arena, &diags);
    diags_free(&diags);
    add_steps(&l);
    add_conditions(&l);
    add_listeners(&l);
    add_acts(&l);
}

/* --- which reasons can come at all ------------------------------------------------------------------ */

static bool some_step(const struct ruleset *set, enum step_kind kind)
{
    for (size_t i = 0; i < set->moment_count; i++)
        for (size_t k = 0; k < set->moments[i].step_count; k++)
            if (set->moments[i].steps[k].kind == kind)
                return true;
    return false;
}

static bool some_later_event(const struct moment *moment)
{
    for (size_t k = 1; k < moment->step_count; k++)
        if (step_has_event(moment->steps[k].kind))
            return true;
    return false;
}

static bool some_pace(const struct policy *policy)
{
    bool some = false;

    for (size_t i = 0; i < policy->queue_count; i++)
        some |= policy->queues[i].pace.tasks != 0;
    for (size_t i = 0; i < policy->channel_count; i++)
        some |= policy->channels[i].pace.tasks != 0;
    return some;
}

#define SOME_MOMENT(set, what)                                                                     \
    for (size_t i = 0; i < (set)->moment_count; i++) {                                             \
        const struct moment *m = &(set)->moments[i];                                               \
        if (what)                                                                                  \
            return true;                                                                           \
    }                                                                                              \
    return false

/* A test runs one rule set, so nothing changes under way in it; the rest needs what it speaks of. */
static bool reason_can_come(const struct ruleset *set, enum reason reason)
{
    const struct policy *policy = &set->policy;

    switch ((int)reason) {
    case REASON_RETIRED:
    case REASON_CHANGED: return false;
    case REASON_SOURCE_BEHIND: return set->source_count != 0;
    case REASON_BROKEN: return some_step(set, STEP_ABSENT);
    case REASON_ERROR: return some_step(set, STEP_AT);
    case REASON_WITHDRAWN: SOME_MOMENT(set, m->withdraw_count != 0);
    case REASON_EXPIRED: SOME_MOMENT(set, some_later_event(m));
    case REASON_AGAIN: SOME_MOMENT(set, m->again_ms != 0);
    case REASON_LIMIT: SOME_MOMENT(set, m->about != NULL);
    case REASON_NOT_ELIGIBLE: SOME_MOMENT(set, m->eligible != NULL);
    case REASON_NOT_RELEVANT: SOME_MOMENT(set, m->relevant != NULL);
    case REASON_NOT_SUITABLE: SOME_MOMENT(set, m->suitable != NULL);
    case REASON_CAP: return policy->cap_count != 0;
    case REASON_QUIET_HOURS: return policy->quiet_count != 0;
    case REASON_QUEUE_CLOSED: return policy->queue_count != 0;
    case REASON_PACED: return some_pace(policy);
    case REASON_NO_SLOT: return policy->quiet_count != 0 || policy->queue_count != 0;
    case REASON_NO_CONSENT:
    case REASON_NO_ADDRESS: return policy->given;
    default: return true;
    }
}

/* --- the rule set at hand --------------------------------------------------------------------------- */

static struct moment_cover *find_moment(struct coverage *coverage, struct str name)
{
    for (size_t i = 0; i < coverage->now->moment_count; i++)
        if (str_equal(coverage->now->moments[i].name, name))
            return &coverage->now->moments[i];
    return NULL;
}

void coverage_bind(struct coverage *coverage, const struct ruleset *set)
{
    coverage->set = set;
    for (size_t i = 0; i < set->moment_count; i++) {
        struct moment_cover *m = find_moment(coverage, set->moments[i].name);
        struct condition conditions[CONDITIONS_MAX];

        if (m == NULL)
            continue;
        m->condition_count = conditions_of(&set->moments[i], conditions);
        for (size_t k = 0; k < m->condition_count; k++)
            m->conditions[k] = conditions[k].program;
    }
}

static void list_folder(struct coverage *coverage, const char *dir, const struct ruleset *set,
                        const struct bundle *bundle)
{
    struct folder_cover *folder = ARENA_NEW(coverage->arena, struct folder_cover);
    struct folder_cover **last = &coverage->folders;

    while (*last != NULL)
        last = &(*last)->next;
    *last = coverage->now = folder;
    folder->dir = arena_str(coverage->arena, str_of(dir)).data;
    folder->moment_count = set->moment_count;
    folder->moments = ARENA_ARRAY(coverage->arena, struct moment_cover, set->moment_count);
    for (size_t i = 0; i < set->moment_count; i++)
        list_moment(coverage, set, &set->moments[i], bundle, &folder->moments[i]);
    for (int r = 0; r < REASON_COUNT; r++)
        folder->can_come[r] = reason_can_come(set, (enum reason)r);
}

void coverage_use(struct coverage *coverage, const char *dir, const struct ruleset *set,
                  const struct bundle *bundle)
{
    struct folder_cover *folder = coverage->folders;

    while (folder != NULL && strcmp(folder->dir, dir) != 0)
        folder = folder->next;
    coverage->now = folder;
    if (folder == NULL)
        list_folder(coverage, dir, set, bundle);
    coverage_bind(coverage, set);
}

void coverage_only(struct coverage *coverage, struct str moment)
{
    struct moment_cover *m = find_moment(coverage, moment);

    if (m != NULL)
        coverage->now->some = m->only = true;
}

static bool is_told(const struct folder_cover *folder, size_t moment)
{
    return !folder->some || folder->moments[moment].only;
}

/* --- what is reached --------------------------------------------------------------------------------- */

static void reach(struct moment_cover *m, struct thing like)
{
    for (size_t i = 0; m != NULL && i < m->count; i++) {
        struct thing *thing = &m->things[i];

        if (thing->kind == like.kind && thing->number == like.number && thing->part == like.part &&
            thing->side == like.side)
            thing->count++;
    }
}

void coverage_did(struct coverage *coverage, const struct decide_did *did)
{
    reach(find_moment(coverage, coverage->set->moments[did->moment].name),
          (struct thing){.kind = did->what == DID_STEP ? COVERED_STEP : COVERED_WITHDRAW,
                         .number = did->number});
}

static bool is_true(struct value v)
{
    return v.kind == VALUE_BOOL && v.boolean;
}

static void reach_condition(struct moment_cover *m, size_t number, struct scope *scope,
                            const struct expression *whole, struct value v)
{
    struct thing like = {.kind = COVERED_CONDITION, .number = number};
    struct cel_input input = scope_input(scope);

    like.side = is_true(v);
    if (whole == NULL || whole->part_count == 0)
        reach(m, like);
    for (size_t i = 0; whole != NULL && i < whole->part_count; i++) {
        like.part = i;
        like.side = is_true(cel_eval(whole->parts[i].program, &input, scope->turn->arena));
        reach(m, like);
    }
}

void coverage_asked(struct coverage *coverage, struct scope *scope, int moment,
                    const struct cel_program *program, struct value v)
{
    struct moment_cover *m =
        moment >= 0 ? find_moment(coverage, coverage->set->moments[moment].name) : NULL;

    for (size_t i = 0; m != NULL && i < m->condition_count; i++)
        if (m->conditions[i] == program)
            reach_condition(m, i, scope, ruleset_expression(coverage->set, program), v);
}

void coverage_outcome(struct coverage *coverage, const struct task *task, struct str code)
{
    struct thing like = {.kind = COVERED_OUTCOME, .number = task->attempt - 1U};

    for (size_t i = 0; i < task->outcome_count; i++) {
        like.part = i;
        if (str_equal(task->outcomes[i].code, code))
            reach(find_moment(coverage, task->moment), like);
    }
}

void coverage_came(struct coverage *coverage, const struct test_story *result)
{
    for (const struct came *came = result->came; came != NULL; came = came->next) {
        if (came->kind == EXPECT_TASK) {
            coverage->now->reasons[REASON_TASK]++;
            reach(find_moment(coverage, came->moment),
                  (struct thing){.kind = COVERED_ACT, .number = came->task.attempt - 1U});
        }
        for (int r = 0; r < REASON_COUNT && came->kind == EXPECT_SILENT; r++)
            if (str_is(came->what, reason_code((enum reason)r)))
                coverage->now->reasons[r]++;
    }
}

/* --- printing ---------------------------------------------------------------------------------------- */

static void count_things(const struct moment_cover *m, enum covered kind, size_t *reached,
                         size_t *all)
{
    *reached = *all = 0;
    for (size_t i = 0; i < m->count; i++) {
        if (m->things[i].kind != kind)
            continue;
        (*all)++;
        *reached += m->things[i].count != 0 ? 1 : 0;
    }
}

static void put_cell(struct buf *out, size_t reached, size_t all, bool colours)
{
    char text[32];

    snprintf(text, sizeof text, all != 0 ? "%zu of %zu" : "-", reached, all);
    buf_put_text(out, "  ");
    screen_paint(out, colours, reached < all ? TONE_SILENCE : TONE_PLAIN, "%-10s", text);
}

static void put_table(struct buf *out, const struct folder_cover *folder, bool colours)
{
    int width = 6;

    for (size_t i = 0; i < folder->moment_count; i++)
        if (is_told(folder, i) && (int)folder->moments[i].name.len > width)
            width = (int)folder->moments[i].name.len;
    buf_put_format(out, "  %-*s", width, "moment");
    for (int kind = 0; kind < COVERED_COUNT; kind++)
        buf_put_format(out, "  %-10s", kinds[kind].heading);
    screen_end_line(out);
    for (size_t i = 0; i < folder->moment_count; i++) {
        if (!is_told(folder, i))
            continue;
        buf_put_format(out, "  %-*.*s", width, STR_ARG(folder->moments[i].name));
        for (int kind = 0; kind < COVERED_COUNT; kind++) {
            size_t reached, all;
            count_things(&folder->moments[i], (enum covered)kind, &reached, &all);
            put_cell(out, reached, all, colours);
        }
        screen_end_line(out);
    }
}

static const char *never(const struct thing *thing)
{
    switch (thing->kind) {
    case COVERED_STEP: return "was never done";
    case COVERED_CONDITION: return thing->side ? "was never true" : "was never false";
    case COVERED_WITHDRAW: return "never happened";
    case COVERED_ACT: return "was never taken";
    case COVERED_OUTCOME: return "never came";
    case COVERED_COUNT: break;
    }
    return "";
}

static size_t put_missing(struct buf *out, const struct moment_cover *m)
{
    size_t count = 0;

    for (size_t i = 0; i < m->count; i++) {
        const struct thing *thing = &m->things[i];

        if (thing->count != 0)
            continue;
        buf_put_format(out, "  %s:%d: %.*s %s\n", m->path, thing->line, STR_ARG(thing->words),
                       never(thing));
        count++;
    }
    return count;
}

static size_t put_reasons(struct buf *out, const struct folder_cover *folder)
{
    size_t count = 0;

    for (int r = 0; r < REASON_COUNT; r++) {
        if (folder->reasons[r] != 0 || !folder->can_come[r])
            continue;
        buf_put_format(out, "%s%s", count++ == 0 ? "  no case ended for these reasons: " : ", ",
                       reason_code((enum reason)r));
    }
    if (count != 0)
        buf_put_char(out, '\n');
    return count;
}

void coverage_put(struct coverage *coverage, struct buf *out, bool colours)
{
    for (const struct folder_cover *f = coverage->folders; f != NULL; f = f->next) {
        struct buf missing = {0};
        size_t count = 0;

        for (size_t i = 0; i < f->moment_count; i++)
            count += is_told(f, i) ? put_missing(&missing, &f->moments[i]) : 0;
        if (!f->some)
            count += put_reasons(&missing, f);
        buf_put_format(out, "\ncoverage of %s\n", f->dir);
        put_table(out, f, colours);
        buf_put_format(out, count != 0 ? "not reached:\n%s" : "everything was reached\n",
                       buf_text(&missing));
        buf_free(&missing);
    }
}

static void put_json_thing(struct buf *out, const struct moment_cover *m, const struct thing *thing)
{
    struct json_writer w = json_writer_to(out);

    json_open(&w, '{');
    json_key(&w, "covers");
    json_str(&w, str_of(kinds[thing->kind].word));
    json_key(&w, "moment");
    json_str(&w, m->name);
    json_key(&w, "file");
    json_str(&w, str_of(m->path));
    json_key(&w, "line");
    json_int(&w, thing->line);
    json_key(&w, "what");
    json_str(&w, thing->words);
    if (thing->kind == COVERED_CONDITION) {
        json_key(&w, "side");
        json_bool(&w, thing->side);
    }
    json_key(&w, "count");
    json_int(&w, (int64_t)thing->count);
    json_close(&w, '}');
    buf_put_char(out, '\n');
}

static void put_json_reason(struct buf *out, const char *code, uint64_t count)
{
    struct json_writer w = json_writer_to(out);

    json_open(&w, '{');
    json_key(&w, "covers");
    json_str(&w, STR("reason"));
    json_key(&w, "what");
    json_str(&w, str_of(code));
    json_key(&w, "count");
    json_int(&w, (int64_t)count);
    json_close(&w, '}');
    buf_put_char(out, '\n');
}

void coverage_put_json(struct coverage *coverage, struct buf *out)
{
    for (const struct folder_cover *f = coverage->folders; f != NULL; f = f->next) {
        for (size_t i = 0; i < f->moment_count; i++)
            for (size_t k = 0; is_told(f, i) && k < f->moments[i].count; k++)
                put_json_thing(out, &f->moments[i], &f->moments[i].things[k]);
        for (int r = 0; r < REASON_COUNT; r++)
            if (f->can_come[r] && !f->some)
                put_json_reason(out, reason_code((enum reason)r), f->reasons[r]);
    }
}
