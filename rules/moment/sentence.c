/* Each part of a moment is a sentence or a piece of one; what is not in the moment is not said. */
#include "rules/moment/sentence.h"

#include "core/check.h"
#include "core/mem.h"
#include "rules/moment/say.h"

enum { LINE_COLUMNS = 100 };

#define SAY(t, name, ...)                                                                          \
    wording_say((t)->arena, (t)->tongue, WORDING_##name, (struct words){{__VA_ARGS__}})

static struct str count_text(struct teller *t, uint32_t count)
{
    return arena_format(t->arena, "%u", count);
}

static struct str span(struct teller *t, int64_t span_ms)
{
    return wording_span(t->arena, t->tongue, span_ms);
}

static struct str condition_of(struct teller *t, const struct cel_program *program)
{
    return say_condition(t, cel_program_tree(program), true);
}

/* --- steps ------------------------------------------------------------------------------------------ */

static struct str say_crossing(struct teller *t, const struct moment_step *step)
{
    const struct cel_tree *value = cel_program_tree(step->value);
    struct str bound = say_plain(t, value_double(step->bound), value);
    struct str words = say_value(t, value, NULL);

    return step->below ? SAY(t, STEP_BELOW, words, bound) : SAY(t, STEP_ABOVE, words, bound);
}

static struct str say_kind(struct teller *t, const struct moment_step *step)
{
    bool so = step->kind == STEP_EVENT || step->kind == STEP_COUNT;
    struct str event = STR_EMPTY;

    if (step->kind != STEP_CROSSES && step->type_count != 0)
        event = say_event(t, step->types, step->type_count, so);
    switch (step->kind) {
    case STEP_EVENT:
        return step->span_ms != 0 ? SAY(t, STEP_WITHIN, event, span(t, step->span_ms)) : event;
    case STEP_ABSENT: return SAY(t, STEP_WITHIN, event, span(t, step->span_ms));
    case STEP_COUNT:
        return SAY(t, STEP_COUNT, event, count_text(t, step->count), span(t, step->span_ms));
    case STEP_EVERY: return SAY(t, STEP_EVERY, event, span(t, step->span_ms));
    case STEP_CROSSES: return say_crossing(t, step);
    case STEP_BECOMES: return condition_of(t, step->condition);
    case STEP_WAIT: return span(t, step->span_ms);
    case STEP_AT: return say_value(t, cel_program_tree(step->value), NULL);
    case STEP_KIND_COUNT: break;
    }
    CHECK_NEVER("a kind of step");
}

static struct str say_step(struct teller *t, const struct moment_step *step)
{
    struct str said;

    t->types = step->types;
    t->type_count = step->type_count;
    said = say_kind(t, step);
    if (step->any_about)
        said = SAY(t, ANY_ABOUT, said);
    if (step->condition == NULL || step->kind == STEP_BECOMES)
        return said;
    if (step->kind == STEP_EVENT)
        return SAY(t, STEP_AND, said, condition_of(t, step->condition));
    return SAY(t, STEP_WHERE, said, condition_of(t, step->condition));
}

static struct str say_steps(struct teller *t)
{
    struct str all = STR_EMPTY;

    for (size_t i = 0; i < t->moment->step_count; i++) {
        enum step_kind kind = t->moment->steps[i].kind;
        struct str step = say_step(t, &t->moment->steps[i]);

        if (i == 0)
            all = kind == STEP_AT ? SAY(t, FIRST_AT, step) : step;
        else if (kind == STEP_WAIT)
            all = SAY(t, THEN_WAIT, all, step);
        else if (kind == STEP_AT)
            all = SAY(t, THEN_AT, all, step);
        else if (kind == STEP_BECOMES)
            all = SAY(t, THEN_BECOMES, all, step);
        else if (kind == STEP_ABSENT || kind == STEP_EVERY)
            all = SAY(t, THEN_NOT, all, step);
        else
            all = SAY(t, THEN, all, step);
    }
    return all;
}

/* --- actions ---------------------------------------------------------------------------------------- */

static struct str say_channel(struct teller *t, struct str name)
{
    const struct channel_rule *channel = policy_find_channel(&t->set->policy, name);
    struct str title = channel != NULL ? say_phrase(t, &channel->titles) : STR_EMPTY;

    return title.len != 0 ? title : SAY(t, ACT, name);
}

static struct str say_act(struct teller *t, const struct act *act)
{
    const struct queue *queue = policy_find_queue(&t->set->policy, act->queue);
    struct str title = queue != NULL ? say_phrase(t, &queue->titles) : STR_EMPTY;

    if (act->queue.len == 0)
        return say_channel(t, act->channel);
    return SAY(t, ACT_QUEUE, say_channel(t, act->channel), title.len != 0 ? title : act->queue);
}

/* What the policy calls it; else the code, with blanks, which is no word of a language. */
static struct str say_code(struct teller *t, struct str code)
{
    const struct policy *policy = &t->set->policy;
    char *words;

    for (size_t i = 0; i < policy->outcome_count; i++)
        if (str_equal(policy->outcomes[i].code, code)) {
            struct str title = say_phrase(t, &policy->outcomes[i].titles);
            if (title.len != 0)
                return title;
        }
    t->unworded++;
    words = arena_copy(t->arena, code.data, code.len);
    for (size_t k = 0; k < code.len; k++)
        words[k] = words[k] == '_' ? ' ' : words[k];
    return (struct str){words, code.len};
}

/* “not reached” or “bounced”: the answers that lead to the next action. */
static struct str say_next_codes(struct teller *t, const struct act *act)
{
    struct str all = STR_EMPTY;

    for (size_t i = 0; i < act->outcome_count; i++) {
        struct str said;
        if (act->outcomes[i].effect != EFFECT_NEXT)
            continue;
        said = SAY(t, OUTCOME, say_code(t, act->outcomes[i].code));
        all = all.len == 0 ? said : SAY(t, OR, all, said);
    }
    return all;
}

static struct str say_acts(struct teller *t)
{
    const struct moment *m = t->moment;
    struct str all = say_act(t, &m->acts[0]);

    for (size_t i = 1; i < m->act_count; i++) {
        struct str codes = say_next_codes(t, &m->acts[i - 1]);
        struct str wait = span(t, m->acts[i - 1].wait_ms), act = say_act(t, &m->acts[i]);

        all = codes.len == 0 ? SAY(t, ACT_NEXT, all, wait, act)
                             : SAY(t, ACT_NEXT_OR, all, wait, act, codes);
    }
    return all;
}

/* --- the other sentences ------------------------------------------------------------------------------ */

static void add(struct teller *t, struct buf *out, struct str sentence)
{
    if (out->len != 0)
        buf_put_char(out, ' ');
    buf_put(out, wording_upper(t->arena, sentence));
}

/* One list of all that has to be so, also where a gate is several with && in between. */
static void add_gates(struct teller *t, struct buf *out)
{
    const struct moment *m = t->moment;
    const struct cel_program *gates[] = {m->eligible, m->relevant, m->suitable};
    struct str *items;
    size_t count = 0;

    for (size_t i = 0; i < sizeof gates / sizeof gates[0]; i++)
        count += gates[i] != NULL ? 1 + cel_program_tree(gates[i])->count : 0;
    items = ARENA_ARRAY(t->arena, struct str, count);
    count = 0;
    for (size_t i = 0; i < sizeof gates / sizeof gates[0]; i++) {
        const struct cel_tree *tree = gates[i] != NULL ? cel_program_tree(gates[i]) : NULL;
        if (tree != NULL && tree->kind != TREE_AND)
            items[count++] = say_condition(t, tree, true);
        for (size_t k = 0; tree != NULL && tree->kind == TREE_AND && k < tree->count; k++)
            items[count++] = say_condition(t, tree->items[k], true);
    }
    if (count != 0)
        add(t, out, SAY(t, ONLY_IF, say_list(t, WORDING_AND, items, count)));
}

static void add_back(struct teller *t, struct buf *out)
{
    for (size_t i = 0; i < t->moment->step_count; i++) {
        const struct moment_step *step = &t->moment->steps[i];
        const struct cel_tree *value;
        struct str words, bound;

        if (step->restart)
            add(t, out, SAY(t, RESTART, STR_EMPTY));
        if (step->kind != STEP_CROSSES || step->back == step->bound)
            continue;
        t->types = step->types;
        t->type_count = step->type_count;
        value = cel_program_tree(step->value);
        words = say_value(t, value, NULL);
        bound = say_plain(t, value_double(step->back), value);
        add(t, out,
            step->below ? SAY(t, BACK_BELOW, words, bound) : SAY(t, BACK_ABOVE, words, bound));
    }
}

/* "the car": "the same car"; "het contract": "hetzelfde contract". */
static struct str say_same(struct teller *t)
{
    static const struct {
        const char *article, *same;
    } articles[TONGUE_COUNT][2] = {[TONGUE_EN] = {{"the ", "the same "}, {"the ", "the same "}},
                                   [TONGUE_NL] = {{"de ", "dezelfde "}, {"het ", "hetzelfde "}}};
    struct str words;

    t->types = t->moment->steps[0].types;
    t->type_count = t->moment->steps[0].type_count;
    words = say_value(t, cel_program_tree(t->moment->about), NULL);
    for (size_t i = 0; i < 2; i++)
        if (str_starts(words, str_of(articles[t->tongue][i].article)))
            return arena_format(
                t->arena, "%s%.*s", articles[t->tongue][i].same,
                STR_ARG(str_slice(words, strlen(articles[t->tongue][i].article), words.len)));
    return words;
}

static void add_again(struct teller *t, struct buf *out)
{
    const struct moment *m = t->moment;

    if (m->again_ms == 0)
        return;
    if (m->about != NULL)
        add(t, out, SAY(t, AGAIN_FOR, say_same(t), span(t, m->again_ms)));
    else
        add(t, out, SAY(t, AGAIN, span(t, m->again_ms)));
}

static void add_withdraw(struct teller *t, struct buf *out)
{
    struct str all = STR_EMPTY;

    for (size_t i = 0; i < t->moment->withdraw_count; i++) {
        const struct listener *w = &t->moment->withdraw[i];
        struct str said = say_event(t, w->types, w->type_count, true);
        t->types = w->types;
        t->type_count = w->type_count;
        if (w->any_about)
            said = SAY(t, ANY_ABOUT, said);
        if (w->condition != NULL)
            said = SAY(t, STEP_AND, said, condition_of(t, w->condition));
        all = all.len == 0 ? said : SAY(t, OR, all, said);
    }
    if (all.len != 0)
        add(t, out, SAY(t, STOPS, all));
}

/* --- policy ------------------------------------------------------------------------------------------ */

static struct str say_consent(struct teller *t, enum consent_rule rule)
{
    switch (rule) {
    case CONSENT_ALWAYS: return SAY(t, CONSENT_ALWAYS, STR_EMPTY);
    case CONSENT_OPT_OUT: return SAY(t, CONSENT_OPT_OUT, STR_EMPTY);
    case CONSENT_OPT_IN: return SAY(t, CONSENT_OPT_IN, STR_EMPTY);
    }
    CHECK_NEVER("a consent rule");
}

static struct str say_cap(struct teller *t, const struct cap *cap)
{
    struct str max = count_text(t, cap->max), over = span(t, cap->over_ms);

    if (cap->channel.len == 0)
        return SAY(t, CAP, max, over);
    if (cap->max == 1)
        return SAY(t, CAP_CHANNEL_ONCE, max, over, say_channel(t, cap->channel));
    return SAY(t, CAP_CHANNEL, max, over, say_channel(t, cap->channel));
}

/* Quiet hours, or at least the hours of a team; else any hour. */
static struct str say_hours(struct teller *t)
{
    const struct policy *policy = &t->set->policy;

    if (quiet_holds(policy, t->moment))
        return SAY(t, QUIET, STR_EMPTY);
    for (size_t i = 0; i < t->moment->act_count; i++) {
        const struct queue *queue = policy_find_queue(policy, t->moment->acts[i].queue);
        if (queue != NULL && queue_closes(queue))
            return SAY(t, TEAM_HOURS, STR_EMPTY);
    }
    return SAY(t, ANY_HOUR, STR_EMPTY);
}

/* What holds back its whole tier. */
static void add_interlocks(struct teller *t, struct buf *out)
{
    const struct policy *policy = &t->set->policy;
    struct str *items = ARENA_ARRAY(t->arena, struct str, policy->interlock_count);
    size_t count = 0;

    for (size_t i = 0; i < policy->interlock_count; i++) {
        struct str title = say_phrase(t, &policy->interlocks[i].titles);
        if ((policy->interlocks[i].tiers >> t->moment->tier & 1) == 0)
            continue;
        t->unworded += title.len == 0;
        items[count++] = SAY(t, OUTCOME, title.len != 0 ? title : policy->interlocks[i].name);
    }
    if (count != 0)
        add(t, out, SAY(t, SILENT_WHILE, say_list(t, WORDING_COMMA, items, count)));
}

static void add_policy(struct teller *t, struct buf *out)
{
    const struct policy *policy = &t->set->policy;
    const struct tier *tier = &policy->tiers[t->moment->tier];
    struct str title = say_phrase(t, &tier->titles), all = say_consent(t, tier->consent);

    if (!policy->given)
        return;
    all = SAY(t, COMMA, all, say_hours(t));
    for (size_t i = 0; i < policy->cap_count; i++)
        if (cap_holds(&policy->caps[i], t->moment))
            all = SAY(t, COMMA, all, say_cap(t, &policy->caps[i]));
    if (t->moment->value != NULL)
        all = SAY(t, COMMA, all,
                  SAY(t, PRIORITY, say_value(t, cel_program_tree(t->moment->value), NULL)));
    add(t, out, SAY(t, POLICY, title.len != 0 ? title : tier->name, all));
}

/* --- the paragraph ------------------------------------------------------------------------------------ */

/* Characters, not bytes, up to the next blank. */
static size_t word_columns(struct str text, size_t *end)
{
    size_t columns = 0;

    for (; *end < text.len && text.data[*end] != ' '; ++*end)
        columns += ((unsigned char)text.data[*end] & 0xc0) != 0x80;
    return columns;
}

static void put_wrapped(struct buf *out, struct str text)
{
    size_t column = 0, at = 0;

    while (at < text.len) {
        size_t end = at, columns = word_columns(text, &end);
        if (column != 0 && column + 1 + columns > LINE_COLUMNS) {
            buf_put_char(out, '\n');
            column = 0;
        }
        if (column != 0) {
            buf_put_char(out, ' ');
            column++;
        }
        buf_put(out, str_slice(text, at, end));
        column += columns;
        at = end + 1;
    }
    buf_put_char(out, '\n');
}

size_t moment_sentence(struct buf *out, const struct ruleset *set, const struct moment *moment,
                       enum tongue tongue)
{
    struct teller t = {.set = set, .moment = moment, .tongue = tongue, .arena = arena_new(0)};
    struct buf paragraph = {0};

    if (moment->steps[0].kind == STEP_BECOMES)
        add(&t, &paragraph, SAY(&t, AS_SOON_AS, say_steps(&t), say_acts(&t)));
    else
        add(&t, &paragraph, SAY(&t, WHEN, say_steps(&t), say_acts(&t)));
    add_gates(&t, &paragraph);
    add_back(&t, &paragraph);
    add_again(&t, &paragraph);
    add_withdraw(&t, &paragraph);
    add(&t, &paragraph, SAY(&t, DEADLINE, span(&t, moment->deadline_ms)));
    add_interlocks(&t, &paragraph);
    add_policy(&t, &paragraph);
    put_wrapped(out, buf_str(&paragraph));
    buf_free(&paragraph);
    arena_free(t.arena);
    return t.unworded;
}
