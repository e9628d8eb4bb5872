#include "processors/decide/needed.h"

#include "core/when.h"
#include "processors/decide/facts.h"

enum { PARTS_TOLD_MAX = 3 }; /* more of them nobody reads: the condition itself says it better */

/* --- conditions ---------------------------------------------------------------------------------- */

static bool is_name(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            c != '_' && c != '.')
            return false;
    }
    return text.len != 0;
}

/* "customer.x, event.data.y" of those that a condition could not read. */
static bool put_absent(struct buf *out, struct scope *scope, const struct cel_program *program)
{
    size_t count;
    const uint32_t *slots = cel_program_slots(program, &count);
    bool any = false;

    for (size_t i = 0; i < count; i++) {
        if (scope_load(scope, slots[i]).kind != VALUE_ABSENT)
            continue;
        buf_put_text(out, any ? ", " : "");
        explain_name_slot(out, scope, slots[i]);
        any = true;
    }
    return any;
}

/* A mark or a window that is over then. */
static void put_run_out(struct buf *out, const struct scope *scope,
                        const struct cel_program *program)
{
    size_t count;
    const uint32_t *slots = cel_program_slots(program, &count);
    int64_t at_ms = count == 1 && slot_kind(slots[0]) == SLOT_FACT
                        ? facts_run_out_ms(scope->turn, slot_a(slots[0]))
                        : STEP_NO_TIMER;

    if (at_ms == STEP_NO_TIMER)
        return;
    buf_put_text(out, " (so it is from ");
    when_put_rfc3339(out, at_ms);
    buf_put_text(out, " on, if nothing comes)");
}

/* One condition: "customer.upset were false". */
static void put_wish(struct buf *out, struct scope *scope, const struct cel_program *program,
                     struct str text, bool want)
{
    struct value v = scope_try(scope, program);

    if (v.kind != VALUE_BOOL && put_absent(out, scope, program)) {
        buf_put_text(out, " were known");
        return;
    }
    while (text.len > 1 && text.data[0] == '!' && is_name(str_slice(text, 1, text.len))) {
        text = str_slice(text, 1, text.len);
        want = !want;
    }
    buf_put_format(out, "%.*s were %s", STR_ARG(text), want ? "true" : "false");
    if (is_name(text) && !want)
        put_run_out(out, scope, program);
}

/* Does the part keep the whole from being `want`? */
static bool hinders(struct scope *scope, const struct condition_part *part, bool want)
{
    struct value v = scope_try(scope, part->program);

    return v.kind != VALUE_BOOL || (v.boolean == part->so) != want;
}

static bool put_parts(struct buf *out, struct scope *scope, const struct expression *whole,
                      bool want)
{
    bool all = (whole->joined == JOINED_ALL) == want;
    size_t told = 0;

    if (whole->part_count == 0 || whole->joined == JOINED_MIXED)
        return false;
    for (size_t i = 0; i < whole->part_count; i++) {
        const struct condition_part *part = &whole->parts[i];

        if (!hinders(scope, part, want))
            continue;
        if (++told > PARTS_TOLD_MAX)
            return false;
        if (told > 1)
            buf_put_text(out, all ? " and " : " or ");
        put_wish(out, scope, part->program, part->text, part->so == want);
    }
    return told != 0;
}

struct str needed_of(struct scope *scope, const struct cel_program *program, bool want)
{
    const struct expression *whole = ruleset_expression(scope->turn->set, program);
    struct buf out = {0};
    struct str words;

    if (whole == NULL || !put_parts(&out, scope, whole, want)) {
        buf_clear(&out);
        put_wish(&out, scope, program, ruleset_text(scope->turn->set, program), want);
    }
    words = arena_format(scope->turn->arena, "if %s", buf_text(&out));
    buf_free(&out);
    return words;
}

/* --- ends ---------------------------------------------------------------------------------------- */

struct str needed_for(const struct turn *turn, const struct explained *explained)
{
    struct str type = turn->event != NULL ? turn->event->type : STR("such event");

    if (explained->verdict == VERDICT_TASK)
        return STR_EMPTY;
    if (explained->trail != NULL && explained->trail->needed.len != 0)
        return explained->trail->needed;
    switch ((int)explained->reason) {
    case REASON_WITHDRAWN:
    case REASON_BROKEN: return arena_format(turn->arena, "if no %.*s had come", STR_ARG(type));
    case REASON_EXPIRED: return STR("if the next step had come in time");
    case REASON_ERROR: return STR("if the time of `at:` could be evaluated");
    case REASON_LIMIT: return STR("if less were kept of the customer");
    case REASON_ERASED: return STR("if the customer had not been erased");
    case REASON_RETIRED: return STR("under rules that have the moment, with these steps");
    default: return STR_EMPTY;
    }
}
