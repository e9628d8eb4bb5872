#include "processors/decide/recent.h"

#include "core/hash.h"
#include "core/when.h"
#include "processors/decide/explain.h"

/* --- what tells an event ------------------------------------------------------------------------- */

static void put_attrs(struct buf *out, const struct event *event, uint32_t attrs)
{
    if ((attrs & SAME_TYPE) != 0)
        buf_put_bytes(out, event->type);
    if ((attrs & SAME_SOURCE) != 0)
        buf_put_bytes(out, event->source);
    if ((attrs & SAME_SUBJECT) != 0)
        buf_put_bytes(out, event->subject);
    if ((attrs & SAME_TIME) != 0)
        buf_put_zigzag(out, event->time_ms);
}

/* False: a field is not there. */
static bool put_same(struct buf *out, const struct turn *turn, const struct same *same)
{
    put_attrs(out, turn->event, same->attrs);
    for (size_t i = 0; i < same->path_count; i++) {
        struct value v = turn->fields[same->paths[i]];

        if (v.kind == VALUE_ABSENT || v.kind == VALUE_NULL)
            return false;
        value_encode(out, v);
    }
    return true;
}

/* 48 bits tell one event of 64 from any other with a chance of error of 1 in 10^12. */
static uint64_t mark_of(const struct turn *turn)
{
    const struct same *same = turn->type->same;
    uint64_t mark = hash_bytes(turn->event->id, hash_bytes(turn->event->source, 0));
    struct buf told = {0};

    if (same != NULL && put_same(&told, turn, same))
        mark = hash_bytes(buf_str(&told), 1);
    buf_free(&told);
    return mark >> 16;
}

/* --- remembering --------------------------------------------------------------------------------- */

static void forget(struct state *state, uint32_t count)
{
    if (count == 0)
        return;
    state->recent_count -= count;
    memmove(state->recent, state->recent + count, state->recent_count * sizeof *state->recent);
}

static void remember(struct state *state, struct arena *arena, const struct policy *policy,
                     struct recent recent)
{
    uint32_t old = 0;

    while (old < state->recent_count &&
           (state->recent[old].at_s <= recent.at_s - policy->recent_s ||
            state->recent_count - old >= policy->recent_ids))
        old++;
    forget(state, old);
    STATE_RESERVE(arena, state->recent, state->recent_count, state->recent_capacity);
    state->recent[state->recent_count++] = recent;
}

struct recent *recent_take(struct state *state, struct arena *arena, const struct policy *policy,
                           uint64_t mark, int64_t now_ms)
{
    int64_t now_s = now_ms / WHEN_SECOND_MS;

    for (uint32_t i = state->recent_count; i-- > 0;) {
        struct recent *recent = &state->recent[i];

        if (recent->at_s <= now_s - policy->recent_s)
            break;
        if (recent->mark == mark)
            return recent;
    }
    remember(state, arena, policy, (struct recent){.mark = mark, .at_s = now_s});
    return NULL;
}

void recent_merge(struct turn *turn, const struct state *other)
{
    struct state *state = turn->state;
    uint32_t count = state->recent_count + other->recent_count, mine = 0, theirs = 0;
    struct recent *all = ARENA_ARRAY(turn->arena, struct recent, count);

    for (uint32_t i = 0; i < count; i++) {
        bool take =
            theirs < other->recent_count &&
            (mine == state->recent_count || other->recent[theirs].at_s < state->recent[mine].at_s);
        all[i] = take ? other->recent[theirs++] : state->recent[mine++];
    }
    state->recent = all;
    state->recent_count = state->recent_capacity = count;
    if (count > turn->set->policy.recent_ids)
        forget(state, count - turn->set->policy.recent_ids);
}

void recent_leave(struct state *state)
{
    if (state->recent_count == 1 && state->fact_count == 0 && state->instance_count == 0 &&
        state->memory_count == 0 && state->contact_count == 0 && state->consent_count == 0 &&
        state->merged_count == 0)
        state->recent_count = 0;
}

/* --- a double ------------------------------------------------------------------------------------ */

static void tell(struct turn *turn, const struct recent *recent)
{
    struct trail trail = {.count = 0};
    struct buf at = {0};

    when_put_rfc3339(&at, recent->at_s * WHEN_SECOND_MS);
    trail_add(&trail, turn->arena, STAGE_PATTERN, false, "it was here at %s", buf_text(&at));
    buf_free(&at);
    explain_write(turn, &(struct explained){.verdict = VERDICT_SILENT,
                                            .reason = REASON_DUPLICATE,
                                            .trail = &trail});
}

bool recent_saw(struct turn *turn)
{
    struct recent *known =
        recent_take(turn->state, turn->arena, &turn->set->policy, mark_of(turn), turn->now_ms);

    if (known == NULL) {
        turn->changed = true;
        return false;
    }
    turn->counts->duplicates++;
    if (!known->told)
        tell(turn, known);
    turn->changed = !known->told;
    known->told = true;
    return true;
}
