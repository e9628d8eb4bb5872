#include "rules/moment/letter.h"

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
           fill(&f, &act->html, "html", &letter->html) && fits_sms(&f, act);
}
