#include "processors/decide/waiting.h"

#include "core/check.h"
#include "core/when.h"
#include "processors/decide/adopt.h"
#include "processors/decide/explain.h"
#include "processors/decide/instances.h"

/* A source that feeds one of the step's types and has not been read up to due_ms.  NULL: none. */
static const struct source *find_behind(const struct turn *turn, const struct moment_step *step,
                                        int64_t due_ms)
{
    for (size_t i = 0; i < step->type_count; i++) {
        const struct event_type *type = &turn->set->types[step->types[i]];

        for (size_t k = 0; k < type->source_count; k++) {
            const struct source *source = &turn->set->sources[type->sources[k]];

            if (watermarks_until(turn->watermarks, source->name) < due_ms)
                return source;
        }
    }
    return NULL;
}

static const struct source *source_of_lane(const struct turn *turn, uint32_t lane)
{
    for (size_t i = 0; i < turn->set->source_count; i++)
        if (turn->set->sources[i].lane == lane)
            return &turn->set->sources[i];
    return NULL; /* of the rule set before */
}

/* When it has been silent for too long, if it stays where it is. */
static int64_t silent_ms(const struct turn *turn, const struct source *source)
{
    int64_t until_ms = watermarks_until(turn->watermarks, source->name);

    return until_ms == INT64_MIN ? INT64_MIN : until_ms + source->max_silence_ms;
}

static void tell(struct turn *turn, struct instance *in, const struct source *source)
{
    int64_t until_ms = watermarks_until(turn->watermarks, source->name);
    struct trail trail = {.count = 0};
    struct buf text = {0};

    if (until_ms != INT64_MIN)
        when_put_rfc3339(&text, until_ms);
    else
        buf_put_text(&text, "no time at all");
    trail_add(&trail, turn->arena, STAGE_PATTERN, false, "%.*s has been read up to %s",
              STR_ARG(source->name), buf_text(&text));
    buf_clear(&text);
    when_put_rfc3339(&text, in->due_ms);
    trail_need(&trail, turn->arena, "if %.*s had been read up to %s", STR_ARG(source->name),
               buf_text(&text));
    buf_free(&text);
    explain_write(turn, &(struct explained){.verdict = VERDICT_SILENT,
                                            .reason = REASON_SOURCE_BEHIND,
                                            .moment = instance_moment(turn, in)->name,
                                            .about = in->about,
                                            .trail = &trail});
    in->notice_ms = STEP_NO_TIMER;
}

static void look_at_silence(struct turn *turn, struct instance *in, const struct source *source)
{
    int64_t at_ms = silent_ms(turn, source);

    if (at_ms <= turn->now_ms)
        tell(turn, in, source);
    else
        in->notice_ms = at_ms;
}

bool waiting_begins(struct turn *turn, struct instance *in, const struct moment_step *step)
{
    const struct source *source = find_behind(turn, step, in->due_ms);
    bool told = in->waits != 0 && in->notice_ms == STEP_NO_TIMER;

    if (source == NULL)
        return false;
    turn->changed = true;
    in->waits = source->lane;
    if (!told)
        look_at_silence(turn, in, source);
    return true;
}

bool waiting_is_over(const struct turn *turn, const struct instance *in)
{
    const struct source *source = source_of_lane(turn, in->waits);

    return source == NULL || watermarks_until(turn->watermarks, source->name) >= in->due_ms;
}

void waiting_notice(struct turn *turn, struct instance *in)
{
    const struct source *source = source_of_lane(turn, in->waits);

    turn->changed = true;
    in->notice_ms = STEP_NO_TIMER;
    if (source != NULL)
        look_at_silence(turn, in, source);
}

static void add_wait(struct step_wait *waits, size_t *count, struct step_wait wait)
{
    size_t at = 0;

    while (at < *count && waits[at].lane < wait.lane)
        at++;
    if (at < *count && waits[at].lane == wait.lane) {
        if (wait.due_ms < waits[at].due_ms)
            waits[at].due_ms = wait.due_ms;
        return;
    }
    CHECK(*count < STEP_LANES_MAX);
    memmove(waits + at + 1, waits + at, (*count - at) * sizeof *waits);
    waits[at] = wait;
    (*count)++;
}

size_t waiting_timers(const struct state *state, uint32_t rules_lane,
                      struct step_wait waits[STEP_LANES_MAX])
{
    size_t count = 0;

    if (state->instance_count != 0)
        add_wait(waits, &count, (struct step_wait){rules_lane, ADOPT_DUE_MS});
    for (uint32_t i = 0; i < state->instance_count; i++)
        if (state->instances[i]->waits != 0)
            add_wait(waits, &count,
                     (struct step_wait){state->instances[i]->waits, state->instances[i]->due_ms});
    return count;
}
