#include "rules/moment/explain.h"

#include "core/check.h"
#include "core/when.h"

struct printer {
    struct buf *out;
    const struct ruleset *set;
    const struct moment *moment;
    bool code;
};

const char *consent_rule_name(enum consent_rule rule)
{
    switch (rule) {
    case CONSENT_ALWAYS: return "always";
    case CONSENT_OPT_OUT: return "opt_out";
    case CONSENT_OPT_IN: return "opt_in";
    }
    CHECK_NEVER("a consent rule");
}

static void put_types(struct printer *p, const uint16_t *types, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_put_format(p->out, "%s%.*s", i == 0 ? "" : " or ",
                       STR_ARG(p->set->types[types[i]].name));
}

/* An expression as it was written, on one line. */
static void put_text(struct printer *p, struct str text)
{
    bool blank = false;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == ' ' || c == '\n' || c == '\t') {
            blank = true;
            continue;
        }
        if (blank)
            buf_put_char(p->out, ' ');
        blank = false;
        buf_put_char(p->out, c);
    }
}

static void put_program(struct printer *p, const char *before, const struct cel_program *program)
{
    if (program == NULL)
        return;
    buf_put_text(p->out, before);
    put_text(p, ruleset_text(p->set, program));
}

static void put_code(struct printer *p, const struct cel_program *program)
{
    struct buf listing = {0};
    struct str rest, line;

    if (!p->code || program == NULL)
        return;
    cel_disassemble(&listing, program);
    for (rest = buf_str(&listing); str_cut(rest, '\n', &line, &rest);)
        buf_put_format(p->out, "        | %.*s\n", STR_ARG(line));
    buf_free(&listing);
}

static void put_number(struct buf *out, double number)
{
    cel_print(out, value_double(number));
}

/* --- steps -------------------------------------------------------------------------------------- */

static void put_crossing(struct printer *p, const struct moment_step *step)
{
    put_program(p, "", step->value);
    buf_put_text(p->out, " of ");
    put_types(p, step->types, step->type_count);
    buf_put_text(p->out, step->below ? " falls below " : " rises above ");
    put_number(p->out, step->bound);
    if (step->back != step->bound) {
        buf_put_text(p->out, step->below ? "; not again before it was above "
                                         : "; not again before it was below ");
        put_number(p->out, step->back);
    }
}

static void put_kind(struct printer *p, const struct moment_step *step)
{
    switch (step->kind) {
    case STEP_EVENT:
        put_types(p, step->types, step->type_count);
        buf_put_text(p->out, " happens");
        if (step->span_ms != 0) {
            buf_put_text(p->out, ", less than ");
            when_put_span(p->out, step->span_ms);
            buf_put_text(p->out, " later");
        }
        return;
    case STEP_ABSENT:
        buf_put_text(p->out, "no ");
        put_types(p, step->types, step->type_count);
        buf_put_text(p->out, " for ");
        when_put_span(p->out, step->span_ms);
        return;
    case STEP_COUNT:
        buf_put_format(p->out, "%u ", step->count);
        put_types(p, step->types, step->type_count);
        buf_put_text(p->out, " within ");
        when_put_span(p->out, step->span_ms);
        return;
    case STEP_CROSSES: put_crossing(p, step); return;
    case STEP_EVERY:
        put_types(p, step->types, step->type_count);
        buf_put_text(p->out, ", which comes every ");
        when_put_span(p->out, step->span_ms - step->grace_ms);
        buf_put_text(p->out, ", stays out");
        if (step->grace_ms == 0)
            return;
        buf_put_text(p->out, " for ");
        when_put_span(p->out, step->grace_ms);
        buf_put_text(p->out, " longer");
        return;
    case STEP_BECOMES: put_program(p, "it becomes true that ", step->condition); return;
    case STEP_WAIT:
        when_put_span(p->out, step->span_ms);
        buf_put_text(p->out, " pass");
        return;
    case STEP_AT: put_program(p, "it is ", step->value); return;
    case STEP_KIND_COUNT: break;
    }
    CHECK_NEVER("a kind of step");
}

static void put_steps(struct printer *p)
{
    const struct moment *m = p->moment;

    buf_put_text(p->out, "\nWhen");
    put_program(p, ", for each ", m->about);
    buf_put_text(p->out, ":\n");
    for (size_t i = 0; i < m->step_count; i++) {
        const struct moment_step *step = &m->steps[i];
        buf_put_format(p->out, "  %zu. ", i + 1);
        put_kind(p, step);
        put_program(p, ", with ", step->condition);
        if (step->any_about)
            buf_put_text(p->out, ", about anything");
        if (step->restart)
            buf_put_text(p->out, "; another one starts over");
        if (step->name.len != 0)
            buf_put_format(p->out, "  (%.*s)", STR_ARG(step->name));
        buf_put_char(p->out, '\n');
        put_code(p, step->condition);
    }
    for (size_t i = 0; i < m->withdraw_count; i++) {
        buf_put_text(p->out, i == 0 ? "Over as soon as " : "             or ");
        put_types(p, m->withdraw[i].types, m->withdraw[i].type_count);
        buf_put_text(p->out, " happens");
        put_program(p, ", with ", m->withdraw[i].condition);
        buf_put_text(p->out, m->withdraw[i].any_about ? ", about anything\n" : "\n");
        put_code(p, m->withdraw[i].condition);
    }
}

/* --- gates and actions -------------------------------------------------------------------------- */

static void put_gate(struct printer *p, const char *words, const struct cel_program *program)
{
    if (program == NULL)
        return;
    buf_put_text(p->out, words);
    put_program(p, "", program);
    buf_put_char(p->out, '\n');
    put_code(p, program);
}

static void put_words(struct printer *p, const char *name, const struct texts *texts)
{
    for (size_t i = 0; i < texts->written.count; i++) {
        struct str language = texts->written.items[i].language;
        buf_put_format(p->out, "     %s%s%.*s: ", name, language.len != 0 ? " " : "",
                       STR_ARG(language));
        put_text(p, template_text(texts->compiled[i]));
        buf_put_char(p->out, '\n');
    }
}

static void put_appointment(struct printer *p, const struct appointment *appointment)
{
    if (appointment->start == NULL)
        return;
    put_program(p, "     appointment at ", appointment->start);
    buf_put_text(p->out, ", for ");
    when_put_span(p->out, appointment->duration_ms);
    buf_put_char(p->out, '\n');
    put_words(p, "appointment title", &appointment->title);
    put_words(p, "appointment place", &appointment->place);
}

static void put_outcomes(struct printer *p, const struct act *act)
{
    static const char *const effects[] = {
        [EFFECT_END] = "end", [EFFECT_NEXT] = "next action", [EFFECT_WAIT] = "wait"};

    if (act->outcome_count == 0)
        return;
    buf_put_text(p->out, "     outcomes:");
    for (size_t i = 0; i < act->outcome_count; i++)
        buf_put_format(p->out, "%s %.*s: %s", i == 0 ? "" : ",", STR_ARG(act->outcomes[i].code),
                       effects[act->outcomes[i].effect]);
    buf_put_char(p->out, '\n');
}

static void put_on_change(struct printer *p)
{
    static const char *const fates[] = {
        [ON_CHANGE_AUTO] = "",
        [ON_CHANGE_KEEP] = "When its steps change, who is under way goes on\n",
        [ON_CHANGE_RESTART] = "When its steps change, who is under way begins again\n",
        [ON_CHANGE_DROP] = "When its steps change, it ends for who is under way\n",
    };

    buf_put_text(p->out, fates[p->moment->on_change]);
}

static void put_acts(struct printer *p)
{
    const struct moment *m = p->moment;

    buf_put_text(p->out, "\nThen");
    put_program(p, ", worth ", m->value);
    buf_put_text(p->out, ", to be done within ");
    when_put_span(p->out, m->deadline_ms);
    buf_put_text(p->out, ":\n");
    for (size_t i = 0; i < m->act_count; i++) {
        const struct act *act = &m->acts[i];
        buf_put_format(p->out, "  %zu. %.*s", i + 1, STR_ARG(act->channel));
        if (act->queue.len != 0)
            buf_put_format(p->out, ", by %.*s", STR_ARG(act->queue));
        buf_put_text(p->out, i + 1 < m->act_count ? "; the next action after " : "; over after ");
        when_put_span(p->out, act->wait_ms);
        buf_put_char(p->out, '\n');
        put_words(p, "say", &act->say);
        put_words(p, "subject", &act->subject);
        put_words(p, "text", &act->text);
        put_words(p, "html", &act->html);
        put_appointment(p, &act->appointment);
        put_outcomes(p, act);
    }
    if (m->again_ms != 0) {
        buf_put_text(p->out, "Not again for ");
        when_put_span(p->out, m->again_ms);
        buf_put_text(p->out, m->about != NULL ? ", for the same one\n" : "\n");
    }
    put_on_change(p);
}

/* --- around it ---------------------------------------------------------------------------------- */

static void put_head(struct printer *p)
{
    const struct moment *m = p->moment;
    const struct tier *tier = &p->set->policy.tiers[m->tier];

    buf_put_format(p->out, "%.*s: %.*s\n", STR_ARG(m->name), STR_ARG(m->title));
    buf_put_format(p->out, "tier %.*s, consent for %.*s (%s)", STR_ARG(tier->name),
                   STR_ARG(m->purpose), consent_rule_name(tier->consent));
    if (m->owner.len != 0)
        buf_put_format(p->out, ", owner %.*s", STR_ARG(m->owner));
    buf_put_format(p->out, ", version %s\n", m->version);
}

static void put_policy(struct printer *p)
{
    const struct policy *policy = &p->set->policy;
    bool quiet = quiet_holds(policy, p->moment);
    size_t count = 0;

    buf_put_text(p->out, "\nPolicy: ");
    for (size_t i = 0; i < policy->cap_count; i++)
        if (cap_holds(&policy->caps[i], p->moment))
            buf_put_format(p->out, "%s%.*s", count++ == 0 ? "at most " : ", ",
                           STR_ARG(policy->caps[i].text));
    buf_put_text(p->out, count == 0 ? "no caps" : "");
    buf_put_text(p->out, quiet ? "; not in quiet hours\n" : "; at any hour\n");
}

static void put_reads(struct printer *p)
{
    const struct moment *m = p->moment;
    uint16_t number = (uint16_t)(m - p->set->moments);

    buf_put_text(p->out, "Listens to:");
    for (size_t i = 0; i < p->set->type_count; i++)
        for (size_t k = 0; k < p->set->types[i].moment_count; k++)
            if (p->set->types[i].moments[k] == number)
                buf_put_format(p->out, " %.*s", STR_ARG(p->set->types[i].name));
    buf_put_text(p->out, "\nShows:");
    for (size_t i = 0; i < m->shown_count; i++)
        buf_put_format(p->out, "%s %.*s%s%.*s", i == 0 ? "" : ",", STR_ARG(m->shown[i].label),
                       m->shown[i].unit.len != 0 ? " in " : "", STR_ARG(m->shown[i].unit));
    buf_put_char(p->out, '\n');
}

void moment_explain(struct buf *out, const struct ruleset *set, const struct moment *moment,
                    bool code)
{
    struct printer p = {out, set, moment, code};

    put_head(&p);
    put_steps(&p);
    buf_put_text(out,
                 moment->eligible != NULL || moment->relevant != NULL || moment->suitable != NULL
                     ? "\nIf at that time, and before each further action\n"
                     : "");
    put_gate(&p, "  the customer may get it:  ", moment->eligible);
    put_gate(&p, "  it makes sense:           ", moment->relevant);
    put_gate(&p, "  it is decent:             ", moment->suitable);
    put_acts(&p);
    put_policy(&p);
    put_reads(&p);
}
