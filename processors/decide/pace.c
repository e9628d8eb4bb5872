#include "processors/decide/pace.h"

#include <math.h>

#include "core/hash.h"
#include "core/mem.h"
#include "processors/decide/instances.h"

enum { NEVER = INT64_MIN };

struct paced {
    int64_t number;
    uint64_t who; /* hash of customer, moment and about */
    uint32_t tier;
    double value;
    int64_t deadline_ms;
};

struct pace_line {
    struct pace pace;
    int64_t last;         /* the place that was used last; NEVER: none */
    struct paced *places; /* owned; taken, ascending by number */
    size_t count, capacity;
};

void pace_free(struct pace_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        mem_free(lines->items[i].places);
    mem_free(lines->items);
    lines->items = NULL;
    lines->count = lines->capacity = 0;
}

const struct pace *pace_of(const struct policy *policy, const struct moment *moment,
                           const struct act *act)
{
    const struct queue *queue = policy_find_queue(policy, act->queue);
    const struct channel_rule *channel = policy_find_channel(policy, act->channel);

    if (policy->tiers[moment->tier].consent == CONSENT_ALWAYS)
        return NULL;
    if (queue != NULL && queue->pace.tasks != 0)
        return &queue->pace;
    return channel != NULL && channel->pace.tasks != 0 ? &channel->pace : NULL;
}

/* --- places and time ----------------------------------------------------------------------------- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

/* The place of this partition that has begun last. */
static int64_t place_at(const struct pace_lines *lines, const struct pace *pace, int64_t at_ms)
{
    int64_t spans = floor_div(at_ms, pace->per_ms), rest_ms = at_ms - spans * pace->per_ms;
    int64_t number = spans * pace->tasks + rest_ms * pace->tasks / pace->per_ms;

    return number - (number - lines->partition -
                     floor_div(number - lines->partition, lines->partitions) * lines->partitions);
}

/* The first millisecond of a place. */
static int64_t begins_ms(const struct pace *pace, int64_t number)
{
    int64_t spans = floor_div(number, pace->tasks), rest = number - spans * pace->tasks;

    return spans * pace->per_ms + (rest * pace->per_ms + pace->tasks - 1) / pace->tasks;
}

/* --- lines --------------------------------------------------------------------------------------- */

static bool same_pace(const struct pace *a, const struct pace *b)
{
    return a->id == b->id && a->tasks == b->tasks && a->per_ms == b->per_ms;
}

static struct pace_line *find_line(const struct pace_lines *lines, const struct pace *pace)
{
    for (size_t i = 0; i < lines->count; i++)
        if (lines->items[i].pace.id == pace->id)
            return &lines->items[i];
    return NULL;
}

static struct pace_line *add_line(struct pace_lines *lines, const struct pace *pace)
{
    MEM_RESERVE(lines->items, lines->count, lines->capacity);
    lines->items[lines->count] = (struct pace_line){.pace = *pace, .last = NEVER};
    return &lines->items[lines->count++];
}

static void remove_at(struct pace_line *line, size_t at)
{
    memmove(line->places + at, line->places + at + 1,
            (line->count - at - 1) * sizeof *line->places);
    line->count--;
}

static bool remove_who(struct pace_line *line, uint64_t who)
{
    for (size_t i = 0; i < line->count; i++) {
        if (line->places[i].who != who)
            continue;
        remove_at(line, i);
        return true;
    }
    return false;
}

static void insert_at(struct pace_line *line, size_t at, const struct paced *place)
{
    MEM_RESERVE(line->places, line->count, line->capacity);
    memmove(line->places + at + 1, line->places + at, (line->count - at) * sizeof *line->places);
    line->places[at] = *place;
    line->count++;
}

static void forget_past(struct pace_line *line, int64_t first)
{
    size_t past = 0;

    while (past < line->count && line->places[past].number < first)
        past++;
    if (past != 0)
        memmove(line->places, line->places + past, (line->count - past) * sizeof *line->places);
    line->count -= past;
}

/* --- asking -------------------------------------------------------------------------------------- */

static bool more_urgent(const struct paced *a, const struct paced *b)
{
    if (a->tier != b->tier)
        return a->tier < b->tier;
    if (a->value < b->value || a->value > b->value)
        return a->value > b->value;
    return a->deadline_ms < b->deadline_ms;
}

static uint64_t who_is(const struct turn *turn, const struct instance *in)
{
    return hash_bytes(turn->state->customer, hash_bytes(in->about, in->moment));
}

struct found {     /* a place */
    int64_t at_ms; /* when it may be used; INT64_MAX: there is none */
    size_t index;  /* where it is, or would be, among those that are taken */
    bool taken;
};

/* The first place from `wish->number` on that is free or of somebody less urgent, at a time that is
 * open. */
static struct found find_place(const struct pace_lines *lines, const struct pace_line *line,
                               const struct slots *slots, int64_t now_ms, struct paced *wish)
{
    struct found found = {.at_ms = INT64_MAX};

    for (;;) {
        int64_t from_ms = begins_ms(&line->pace, wish->number), number;

        while (found.index < line->count && line->places[found.index].number < wish->number)
            found.index++;
        found.taken = found.index < line->count && line->places[found.index].number == wish->number;
        if (found.taken && !more_urgent(wish, &line->places[found.index])) {
            wish->number += lines->partitions;
            continue;
        }
        found.at_ms = slots_next(slots, from_ms > now_ms ? from_ms : now_ms, wish->deadline_ms);
        if (found.at_ms == INT64_MAX)
            return found;
        number = place_at(lines, &line->pace, found.at_ms);
        if (number <= wish->number)
            return found;
        wish->number = number;
    }
}

/* A full line keeps who comes first; the others ask again when its last place has come. */
static int64_t take_place(struct pace_line *line, const struct found *found,
                          const struct paced *wish)
{
    if (found->taken) {
        line->places[found->index] = *wish;
        return found->at_ms;
    }
    if (line->count == LIMIT_PACE_PLACES) {
        if (found->index == line->count)
            return begins_ms(&line->pace, line->places[line->count - 1].number);
        line->count--;
    }
    insert_at(line, found->index, wish);
    return found->at_ms;
}

/* Those of a rule test, who are more urgent than anybody. */
static void take_ahead(const struct pace_lines *lines, struct pace_line *line,
                       const struct slots *slots, int64_t now_ms)
{
    for (size_t i = 0; i < lines->ahead_count; i++) {
        for (uint32_t k = 0; str_equal(lines->ahead[i].name, line->pace.name) &&
                             k < lines->ahead[i].tasks && k < LIMIT_PACE_PLACES;
             k++) {
            struct paced wish = {.number = place_at(lines, &line->pace, now_ms),
                                 .who = k,
                                 .value = INFINITY,
                                 .deadline_ms = INT64_MAX};
            struct found found = find_place(lines, line, slots, now_ms, &wish);

            if (found.at_ms != INT64_MAX)
                take_place(line, &found, &wish);
        }
    }
}

int64_t pace_ask(struct turn *turn, const struct instance *in, const struct pace *pace,
                 const struct slots *slots)
{
    struct pace_lines *lines = turn->pace;
    struct pace_line *line = find_line(lines, pace);
    int64_t current = place_at(lines, pace, turn->now_ms);
    struct paced wish = {.number = current,
                         .who = who_is(turn, in),
                         .tier = instance_moment(turn, in)->tier,
                         .value = in->value,
                         .deadline_ms = in->deadline_ms};
    struct found found;

    if (line == NULL) {
        line = add_line(lines, pace);
        take_ahead(lines, line, slots, turn->now_ms);
    }
    if (line->last >= current)
        wish.number = line->last + lines->partitions;
    lines->changed |= remove_who(line, wish.who);
    forget_past(line, wish.number);
    found = find_place(lines, line, slots, turn->now_ms, &wish);
    if (found.at_ms == INT64_MAX)
        return INT64_MAX;
    lines->changed = true;
    if (found.at_ms > turn->now_ms)
        return take_place(line, &found, &wish);
    forget_past(line, wish.number + 1);
    line->last = wish.number;
    return turn->now_ms;
}

void pace_leave(struct turn *turn, const struct instance *in)
{
    uint64_t who = who_is(turn, in);

    for (size_t i = 0; i < turn->pace->count; i++)
        turn->pace->changed |= remove_who(&turn->pace->items[i], who);
}

/* --- other rules --------------------------------------------------------------------------------- */

static bool still_there(const struct policy *policy, const struct pace *pace)
{
    for (size_t i = 0; i < policy->queue_count; i++)
        if (same_pace(&policy->queues[i].pace, pace))
            return true;
    for (size_t i = 0; i < policy->channel_count; i++)
        if (same_pace(&policy->channels[i].pace, pace))
            return true;
    return false;
}

void pace_change(struct pace_lines *lines, const struct policy *policy)
{
    size_t kept = 0;

    for (size_t i = 0; i < lines->count; i++) {
        struct pace_line line = lines->items[i];

        line.count = 0;
        if (still_there(policy, &line.pace))
            lines->items[kept++] = line;
        else
            mem_free(line.places);
    }
    lines->count = kept;
}

/* --- as bytes ------------------------------------------------------------------------------------ */

static void put_bits(struct buf *out, double d)
{
    uint64_t bits;

    memcpy(&bits, &d, sizeof bits);
    buf_put_u64(out, bits);
}

static double get_bits(struct reader *r)
{
    uint64_t bits = reader_u64(r);
    double d;

    memcpy(&d, &bits, sizeof d);
    return d;
}

static void put_line(struct buf *out, const struct pace_line *line)
{
    int64_t before = line->last != NEVER ? line->last : 0;

    buf_put_u32(out, line->pace.id);
    buf_put_varint(out, line->pace.tasks);
    buf_put_varint(out, (uint64_t)line->pace.per_ms);
    buf_put_u8(out, line->last != NEVER ? 1 : 0);
    if (line->last != NEVER)
        buf_put_zigzag(out, line->last);
    buf_put_varint(out, line->count);
    for (size_t i = 0; i < line->count; i++) {
        const struct paced *place = &line->places[i];

        buf_put_zigzag(out, place->number - before);
        before = place->number;
        buf_put_u64(out, place->who);
        buf_put_varint(out, place->tier);
        put_bits(out, place->value);
        buf_put_zigzag(out, place->deadline_ms);
    }
}

void pace_encode(const struct pace_lines *lines, struct buf *out)
{
    if (lines->count == 0)
        return;
    buf_put_varint(out, lines->count);
    for (size_t i = 0; i < lines->count; i++)
        put_line(out, &lines->items[i]);
}

/* The numbers of places in a broken state may be anything: what they are added up to must not be. */
enum { PLACE_BITS = 60 };

static int64_t get_number(struct reader *r, int64_t before)
{
    int64_t distance = reader_zigzag(r), most = (int64_t)1 << PLACE_BITS;

    if (distance > most || distance < -most || before + distance > most ||
        before + distance < -most) {
        r->failed = true;
        return 0;
    }
    return before + distance;
}

static void get_line(struct reader *r, struct pace_line *line)
{
    int64_t before = 0;
    size_t count;

    *line = (struct pace_line){.last = NEVER};
    line->pace.id = reader_u32(r);
    line->pace.tasks = (uint32_t)reader_varint(r);
    line->pace.per_ms = (int64_t)reader_varint(r);
    if (reader_u8(r) != 0)
        line->last = before = get_number(r, 0);
    count = reader_count(r, 19);
    if (line->pace.tasks == 0 || line->pace.per_ms <= 0 || count > LIMIT_PACE_PLACES)
        r->failed = true;
    for (size_t i = 0; i < count && !r->failed; i++) {
        struct paced place = {.number = get_number(r, before)};

        if (i > 0 && place.number <= before)
            r->failed = true;
        before = place.number;
        place.who = reader_u64(r);
        place.tier = (uint32_t)reader_varint(r);
        place.value = get_bits(r);
        place.deadline_ms = reader_zigzag(r);
        insert_at(line, i, &place);
    }
}

enum err_code pace_decode(struct pace_lines *lines, struct str bytes, struct err *err)
{
    struct reader r = reader_of(bytes);
    size_t count = bytes.len != 0 ? reader_count(&r, 8) : 0;

    for (size_t i = 0; i < count && !r.failed; i++) {
        MEM_RESERVE(lines->items, lines->count, lines->capacity);
        get_line(&r, &lines->items[lines->count++]);
    }
    if (r.failed || r.at != r.end)
        return err_set(err, ERR_STATE, "the state's paces are broken");
    return ERR_NONE;
}
