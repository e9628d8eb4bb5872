#include "processors/worker/lanes.h"

#include "core/mem.h"

struct lane *lanes_find(struct lanes *lanes, uint32_t id)
{
    for (size_t i = 0; i < lanes->count; i++)
        if (lanes->items[i].id == id)
            return &lanes->items[i];
    return NULL;
}

/* A lane that the step names no more has no timers left: they fired when it ended. */
void lanes_refresh(struct lanes *lanes, const struct step_class *class, const struct step *step)
{
    struct step_lane now[STEP_LANES_MAX];
    size_t count = class->lanes != NULL ? class->lanes(step, now) : 0;
    struct lane *items = count != 0 ? MEM_NEW_ARRAY(struct lane, count) : NULL;

    for (size_t i = 0; i < count; i++) {
        struct lane *old = lanes_find(lanes, now[i].id);

        items[i] = (struct lane){.id = now[i].id, .at_ms = now[i].at_ms};
        if (old != NULL) {
            items[i].timers = old->timers;
            old->timers = (struct timers){0};
        } else {
            timers_init(&items[i].timers);
        }
    }
    lanes_free(lanes);
    *lanes = (struct lanes){items, count};
}

void lanes_free(struct lanes *lanes)
{
    for (size_t i = 0; i < lanes->count; i++)
        timers_free(&lanes->items[i].timers);
    mem_free(lanes->items);
    *lanes = (struct lanes){0};
}

struct lane *lanes_ready(struct lanes *lanes)
{
    struct lane *first = NULL;

    for (size_t i = 0; i < lanes->count; i++) {
        struct lane *lane = &lanes->items[i];
        const struct timer *t = timers_first(&lane->timers);

        if (t != NULL && t->due_ms <= lane->at_ms &&
            (first == NULL || timer_is_before(t, timers_first(&first->timers))))
            first = lane;
    }
    return first;
}

struct lane *lanes_lacking(struct lanes *lanes)
{
    for (size_t i = 0; i < lanes->count; i++)
        if (!lanes->items[i].timers.whole && lanes->items[i].timers.count == 0)
            return &lanes->items[i];
    return NULL;
}

static int64_t wait_in(const struct step_wait *waits, size_t count, uint32_t lane)
{
    for (size_t i = 0; i < count; i++)
        if (waits[i].lane == lane)
            return waits[i].due_ms;
    return STEP_NO_TIMER;
}

size_t lanes_changes(const struct step_wait *now, size_t now_count, const struct step_wait *before,
                     size_t before_count, struct step_wait *out)
{
    size_t count = 0;

    for (size_t i = 0; i < now_count; i++)
        if (wait_in(before, before_count, now[i].lane) != now[i].due_ms)
            out[count++] = now[i];
    for (size_t i = 0; i < before_count; i++)
        if (wait_in(now, now_count, before[i].lane) == STEP_NO_TIMER)
            out[count++] = (struct step_wait){before[i].lane, STEP_NO_TIMER};
    return count;
}

void lanes_trim(struct lanes *lanes, size_t max)
{
    for (size_t i = 0; i < lanes->count; i++)
        timers_trim(&lanes->items[i].timers, max);
}
