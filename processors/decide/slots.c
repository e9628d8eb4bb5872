/* Rules are bitmaps of whole hours of a local clock, so an answer changes only when some local
 * clock shows a new hour.  The search goes from one such instant to the next.  Across a change of
 * the clocks that is right as well: zones change at what would be a full hour.
 */
#include "processors/decide/slots.h"

#include "core/when.h"
#include "processors/decide/facts.h"
#include "processors/decide/scope.h"
#include "rules/moment/hours.h"
#include "schemas/task.h"

/* What cannot be read is no wish. */
static void read_wish(struct slots *slots, struct turn *turn)
{
    int32_t fact = turn->set->hours_fact;
    struct value v = fact >= 0 ? facts_read(turn, (uint32_t)fact) : VALUE_NONE;

    if (v.kind != VALUE_STRING || slots->any_hour ||
        slots->policy->tiers[slots->tier].consent == CONSENT_ALWAYS)
        return;
    slots->wish_text = value_str(v);
    slots->wished = hours_read(slots->wish_text, slots->wish.hours);
}

void slots_init(struct slots *slots, struct turn *turn, const struct moment *moment,
                const struct act *act)
{
    const struct policy *policy = &turn->set->policy;
    const struct channel_rule *channel = policy_find_channel(policy, act->channel);

    *slots = (struct slots){.policy = policy, .tier = moment->tier, .channel = act->channel};
    slots->any_hour = channel != NULL && channel->any_hour;
    if (act->queue.len != 0)
        slots->queue = policy_find_queue(policy, act->queue);
    read_wish(slots, turn);
    slots->own = scope_zone(turn);
    slots->zones = policy->zones;
    slots->zone_count = policy->zone_count;
    if (slots->own == NULL && policy->zone_count == 0)
        slots->own = zone_find(STR("UTC"));
    if (slots->own != NULL) {
        slots->zones = &slots->own;
        slots->zone_count = 1;
    }
}

static int64_t floor_s(int64_t at_ms)
{
    return at_ms / 1000 - (at_ms % 1000 < 0 ? 1 : 0);
}

static bool week_has(const struct week *week, const struct zone_local *local)
{
    return (week->hours[local->weekday] >> local->hour & 1) != 0;
}

static bool quiet_concerns(const struct slots *slots, const struct quiet *quiet)
{
    return !slots->any_hour && (quiet->tiers >> slots->tier & 1) != 0 &&
           (quiet->channel.len == 0 || str_equal(quiet->channel, slots->channel));
}

static bool is_one_of(const struct dates *dates, const struct zone_local *local)
{
    int64_t day = when_days_from_civil(local->year, local->month, local->day);

    for (size_t i = 0; i < dates->count; i++)
        if (dates->days[i] == day)
            return true;
    return false;
}

static bool is_quiet(const struct quiet *quiet, const struct zone_local *local)
{
    return !week_has(&quiet->allowed, local) &&
           (quiet->holidays.count == 0 || is_one_of(&quiet->holidays, local));
}

static bool is_wished(const struct slots *slots, int64_t at_s)
{
    for (size_t z = 0; slots->wished && z < slots->zone_count; z++) {
        struct zone_local local = zone_to_local(slots->zones[z], at_s);

        if (!week_has(&slots->wish, &local))
            return false;
    }
    return true;
}

static bool customer_sleeps(const struct slots *slots, int64_t at_s)
{
    for (size_t q = 0; q < slots->policy->quiet_count; q++) {
        const struct quiet *quiet = &slots->policy->quiet[q];

        for (size_t z = 0; z < slots->zone_count && quiet_concerns(slots, quiet); z++) {
            struct zone_local local = zone_to_local(slots->zones[z], at_s);

            if (is_quiet(quiet, &local))
                return true;
        }
    }
    return false;
}

static bool queue_is_open(const struct queue *queue, int64_t at_s)
{
    struct zone_local local = zone_to_local(queue->zone, at_s);

    return week_has(&queue->open, &local) && !is_one_of(&queue->holidays, &local);
}

enum hold slots_closed(const struct slots *slots, int64_t at_ms)
{
    int64_t at_s = floor_s(at_ms);

    if (customer_sleeps(slots, at_s) || !is_wished(slots, at_s))
        return HOLD_QUIET_HOURS;
    if (slots->queue != NULL && !queue_is_open(slots->queue, at_s))
        return HOLD_QUEUE_CLOSED;
    return HOLD_NONE;
}

static bool has_customer_hours(const struct slots *slots)
{
    for (size_t q = 0; q < slots->policy->quiet_count; q++)
        if (quiet_concerns(slots, &slots->policy->quiet[q]))
            return true;
    return slots->wished;
}

static void put_clock(struct buf *out, const struct zone *zone, int64_t at_s)
{
    struct zone_local local = zone_to_local(zone, at_s);

    buf_put_format(out, "%02d:%02d", local.hour, local.minute);
}

static void put_customer(struct buf *out, const struct slots *slots, int64_t at_s)
{
    if (customer_sleeps(slots, at_s))
        buf_put_text(out, "quiet hours: ");
    else if (slots->wished)
        buf_put_format(out, "%s the hours that the customer wishes (%.*s): ",
                       is_wished(slots, at_s) ? "within" : "outside", STR_ARG(slots->wish_text));
    else
        buf_put_text(out, "outside quiet hours: ");
    for (size_t z = 0; z < slots->zone_count; z++) {
        buf_put_text(out, z > 0 ? " or " : "");
        put_clock(out, slots->zones[z], at_s);
    }
    buf_put_text(out, slots->own != NULL ? " for the customer"
                                         : " for the customer, whose zone is not known");
}

static void put_queue(struct buf *out, const struct queue *queue, int64_t at_s)
{
    struct zone_local local = zone_to_local(queue->zone, at_s);
    const char *words = queue_is_open(queue, at_s)            ? "is open"
                        : is_one_of(&queue->holidays, &local) ? "has a holiday"
                                                              : "is closed";

    buf_put_format(out, "the queue %.*s %s, ", STR_ARG(queue->name), words);
    put_clock(out, queue->zone, at_s);
    buf_put_text(out, " there");
}

/* Of a closed hour only what closes it. */
struct str slots_words(const struct slots *slots, int64_t at_ms, struct arena *arena)
{
    int64_t at_s = floor_s(at_ms);
    enum hold closed = slots_closed(slots, at_ms);
    struct buf out = {0};
    struct str words;

    if (closed == HOLD_QUIET_HOURS || (closed == HOLD_NONE && has_customer_hours(slots)))
        put_customer(&out, slots, at_s);
    if (slots->queue != NULL && closed != HOLD_QUIET_HOURS) {
        buf_put_text(&out, out.len != 0 ? "; " : "");
        put_queue(&out, slots->queue, at_s);
    }
    if (out.len == 0)
        buf_put_text(&out, "no hours hold for this");
    words = arena_str(arena, buf_str(&out));
    buf_free(&out);
    return words;
}

static int64_t next_hour_s(const struct zone *zone, int64_t at_s)
{
    struct zone_local local = zone_to_local(zone, at_s);

    return at_s + 3600 - (local.minute * 60 + local.second);
}

/* The next instant at which an answer may be another. */
static int64_t next_change_ms(const struct slots *slots, int64_t at_ms)
{
    int64_t at_s = floor_s(at_ms);
    int64_t next_s = slots->queue != NULL ? next_hour_s(slots->queue->zone, at_s) : at_s + 3600;

    for (size_t z = 0; z < slots->zone_count && has_customer_hours(slots); z++) {
        int64_t s = next_hour_s(slots->zones[z], at_s);

        if (s < next_s)
            next_s = s;
    }
    return next_s * 1000;
}

static int64_t search_end(int64_t from_ms, int64_t until_ms)
{
    int64_t end_ms = from_ms + (int64_t)SLOT_SEARCH_DAYS * WHEN_DAY_MS;

    return end_ms < until_ms ? end_ms : until_ms;
}

int64_t slots_next(const struct slots *slots, int64_t from_ms, int64_t until_ms)
{
    int64_t end_ms = search_end(from_ms, until_ms);

    for (int64_t at = from_ms; at < end_ms; at = next_change_ms(slots, at))
        if (slots_closed(slots, at) == HOLD_NONE)
            return at;
    return INT64_MAX;
}

static bool anything_closes(const struct slots *slots)
{
    return slots->queue != NULL || has_customer_hours(slots);
}

size_t slots_windows(const struct slots *slots, int64_t from_ms, int64_t until_ms,
                     struct task_window *out)
{
    int64_t end_ms = search_end(from_ms, until_ms);
    bool open = false;
    size_t count = 0;

    if (!anything_closes(slots)) {
        out[0] = (struct task_window){from_ms, until_ms};
        return 1;
    }
    for (int64_t at = from_ms; at < end_ms; at = next_change_ms(slots, at)) {
        bool now_open = slots_closed(slots, at) == HOLD_NONE;

        if (now_open && !open) {
            if (count == SLOT_WINDOWS)
                return count;
            out[count++] = (struct task_window){at, end_ms};
        } else if (!now_open && open) {
            out[count - 1].to_ms = at;
        }
        open = now_open;
    }
    return count;
}
