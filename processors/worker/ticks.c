/* The clocks are compared when a tick is due, and again only some seconds later: asking is a round trip,
 * and clocks drift slowly.  What is not known counts as a difference.
 */
#include "processors/worker/ticks.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/fail_point.h"
#include "core/log.h"
#include "core/mutant.h"
#include "processors/worker/flight.h"

enum { CLOCKS_DIFFER_MS = 5000, COMPARE_EVERY_MS = 5000 };

/* --- the clocks --------------------------------------------------------------------------------- */

/* How far the store's clock is from ours, at least: the question and the answer take time. */
static bool measure(struct worker *w, int64_t *apart_ms)
{
    int64_t before_ms = w->config.wall_ms(), after_ms, at_ms;

    if (!w->store->class->clock(w->store, &at_ms))
        return false;
    after_ms = w->config.wall_ms();
    *apart_ms = at_ms < before_ms ? at_ms - before_ms : at_ms > after_ms ? at_ms - after_ms : 0;
    return true;
}

static void say_difference(struct worker *w, int64_t apart_ms)
{
    bool before = w->clocks.why[0] != '\0', now = llabs(apart_ms) > CLOCKS_DIFFER_MS;
    const struct str step = str_of(w->class->name);

    metric_set(metric_series(METRIC_WORKER_CLOCK_APART, &step, 1), (double)apart_ms / 1000);
    w->clocks.agree = !now;
    if (before != now)
        w->report_mono_ms = 0; /* say it soon */
    w->clocks.why[0] = '\0';
    if (now)
        snprintf(w->clocks.why, sizeof w->clocks.why,
                 "this machine's clock is %.1f s %s the store's: timers of quiet partitions wait "
                 "until they agree within %d s",
                 (double)llabs(apart_ms) / 1000, apart_ms < 0 ? "ahead of" : "behind",
                 CLOCKS_DIFFER_MS / 1000);
    if (now && !before)
        log_error("worker", "no ticks: clocks differ", LOG_TEXT("step", w->class->name),
                  LOG_TEXT("reason", w->clocks.why), LOG_END);
    if (before && !now)
        log_info("worker", "ticks again: clocks agree", LOG_TEXT("step", w->class->name), LOG_END);
}

static bool clocks_agree(struct worker *w)
{
    int64_t mono_ms = clock_mono_ms(), apart_ms;

    if (w->store->class->clock == NULL || MUTANT(TICK_ANY_CLOCK)) /* it lives in this process */
        return true;
    if (mono_ms < w->clocks.next_mono_ms)
        return w->clocks.agree;
    w->clocks.agree = false;
    if (measure(w, &apart_ms)) {
        w->clocks.next_mono_ms = mono_ms + COMPARE_EVERY_MS;
        say_difference(w, apart_ms);
    }
    return w->clocks.agree;
}

const char *ticks_trouble(const struct worker *w)
{
    return w->clocks.why[0] != '\0' ? w->clocks.why : NULL;
}

/* --- ticks -------------------------------------------------------------------------------------- */

/* After a claim the timers are still in the store; a quiet partition has nothing else to load
 * them. */
static void load_timers(struct worker *w, struct place *place)
{
    enum store_result result;
    struct err why = {0};

    if (!engine_lacks_timers(place->engine))
        return;
    engine_plan(place->engine, NULL, 0);
    arena_reset(w->arena);
    result = store_fill(w->store, w->class->name, place->number, place->token, place->engine,
                        w->arena, &why);
    if (result != STORE_DONE)
        place_refused(w, place, result, &why);
}

/* The latest time that a tick should say; STEP_NO_TIMER: none is needed. */
static int64_t due_ms(const struct place *place, int64_t wall_ms)
{
    int64_t due = engine_due_ms(place->engine);

    if (due > wall_ms || due <= engine_now_ms(place->engine) || due <= place->tick_ms)
        return STEP_NO_TIMER;
    return engine_due_by(place->engine, wall_ms);
}

static enum err_code send_tick(struct worker *w, struct place *place, int64_t at_ms,
                               struct err *err)
{
    const struct header header = {STR(CONTROL_HEADER), STR(CONTROL_TICK)};
    const struct record tick = {.topic = str_of(w->config.input),
                                .partition = place->number,
                                .timestamp_ms = at_ms,
                                .headers = &header,
                                .header_count = 1};
    struct kafka_producer *producer = flight_producer(w, err);

    if (producer == NULL || kafka_produce(producer, &tick, err) != ERR_NONE)
        return ERR_KAFKA;
    FAIL_POINT_PASS(TICKED);
    place->tick_ms = at_ms;
    place->status.ticks++;
    return ERR_NONE;
}

/* What became of it is heard with the outputs (flight.c). */
void ticks_send(struct worker *w, struct err *err)
{
    int64_t wall_ms = w->config.wall_ms(), at_ms;
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < w->place_count && code == ERR_NONE; i++) {
        struct place *place = w->places[i];

        if (place->state != WORKER_RUNNING || !flight_is_empty(place))
            continue;
        load_timers(w, place);
        if (place->state != WORKER_RUNNING)
            continue;
        at_ms = due_ms(place, wall_ms);
        if (at_ms != STEP_NO_TIMER &&
            (MUTANT(TICK_WHILE_BEHIND) ||
             kafka_consumer_at_end(w->consumer, w->config.input, place->number)) &&
            clocks_agree(w))
            code = send_tick(w, place, at_ms, err);
    }
}
