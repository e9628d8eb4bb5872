#include "rules/moment/letter.h"

#include "core/when.h"
#include "rules/moment/reason.h"

struct filling {
    struct letter *letter;
    const struct ruleset *set;
    const struct cel_input *input;
    struct arena *arena;
    struct str *error;
};

static bool fill(struct filling *f, const struct texts *texts, const char *what, struct str *into)
{
    const struct template *text =
        texts_in(texts, f->letter->language, policy_language(&f->set->policy));
    struct str error = STR_EMPTY;
    struct buf out = {0};
    bool filled;

    if (text == NULL)
        return true;
    filled = template_fill(text, f->input, f->letter->language, f->arena, &out, &error);
    if (filled)
        *into = arena_str(f->arena, buf_str(&out));
    else
        *f->error = arena_format(f->arena, "%s: %.*s", what, STR_ARG(error));
    buf_free(&out);
    return filled;
}

static struct str made_reason(struct filling *f, const struct moment *moment)
{
    enum tongue tongue = TONGUE_EN;
    struct str reason;

    tongue_of(f->letter->language, &tongue);
    reason = moment_reason(f->set, moment, tongue, f->input, f->arena);
    return reason.len != 0 && reason.len <= LIMIT_TEXT_BYTES ? reason : f->letter->title;
}

static bool fits_sms(struct filling *f, const struct act *act)
{
    struct letter *letter = f->letter;

    if (!policy_is_sms(&f->set->policy, act->channel))
        return true;
    letter->sms = sms_measure(letter->text.len != 0 ? letter->text : letter->say);
    if (letter->sms.parts <= LIMIT_SMS_PARTS)
        return true;
    *f->error = arena_format(f->arena, "text: as an SMS it has %zu parts, at most %d are sent",
                             letter->sms.parts, LIMIT_SMS_PARTS);
    return false;
}

/* Whole seconds: calendars know no smaller ones. */
static bool fill_times(struct filling *f, const struct appointment *appointment)
{
    struct value v = cel_eval(appointment->start, f->input, f->arena);
    struct letter *letter = f->letter;

    if (v.kind == VALUE_ERROR) {
        *f->error = arena_format(f->arena, "appointment.start: %.*s", STR_ARG(value_str(v)));
        return false;
    }
    letter->start_ms = v.kind == VALUE_TIMESTAMP ? v.i * WHEN_SECOND_MS : 0;
    letter->end_ms = letter->start_ms + appointment->duration_ms;
    if (letter->start_ms > 0 && when_is_printable(letter->end_ms))
        return true;
    *f->error = arena_format(f->arena, "appointment.start: it has to be between 1970 and 9999");
    return false;
}

static bool fill_appointment(struct filling *f, const struct act *act)
{
    const struct appointment *appointment = &act->appointment;
    struct letter *letter = f->letter;

    if (appointment->start == NULL)
        return true;
    letter->meeting = letter->subject.len != 0 ? letter->subject : letter->title;
    return fill_times(f, appointment) &&
           fill(f, &appointment->title, "appointment.title", &letter->meeting) &&
           fill(f, &appointment->place, "appointment.place", &letter->place);
}

bool letter_fill(struct letter *letter, const struct ruleset *set, const struct moment *moment,
                 const struct act *act, struct str wanted, const struct cel_input *input,
                 struct arena *arena, struct str *error)
{
    struct filling f = {letter, set, input, arena, error};
    struct str fallback = policy_language(&set->policy);

    *letter = (struct letter){.language = act_language(set, moment, act, wanted)};
    letter->title = phrases_text(&moment->titles, letter->language, fallback);
    if (moment->reason.written.count == 0)
        letter->reason = made_reason(&f, moment);
    return fill(&f, &moment->reason, "reason", &letter->reason) &&
           fill(&f, &act->say, "say", &letter->say) &&
           fill(&f, &act->subject, "subject", &letter->subject) &&
           fill(&f, &act->text, "text", &letter->text) &&
           fill(&f, &act->html, "html", &letter->html) && fits_sms(&f, act) &&
           fill_appointment(&f, act);
}
