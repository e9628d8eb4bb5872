#include "processors/identify/owners.h"

/* The first change later than at_ms. */
static size_t after(const struct owners *o, int64_t at_ms)
{
    size_t i = 0;

    while (i < o->count && o->items[i].at_ms <= at_ms)
        i++;
    return i;
}

/* Behind the first `count` changes.  Empty: nobody. */
static struct str owner_behind(const struct owners *o, size_t count)
{
    struct str owner = STR_EMPTY;

    for (size_t i = 0; i < count; i++) {
        const struct owner_change *change = &o->items[i];

        if (change->bound)
            owner = change->customer;
        else if (change->customer.len == 0 || str_equal(change->customer, owner))
            owner = STR_EMPTY;
    }
    return owner;
}

enum owner_answer owners_at(const struct owners *o, int64_t at_ms, int64_t look_back_ms,
                            struct str *customer)
{
    size_t next = after(o, at_ms);

    *customer = STR_EMPTY;
    if (at_ms < o->known_from_ms)
        return OWNER_FORGOTTEN;
    *customer = owner_behind(o, next);
    if (customer->len == 0 && next < o->count &&
        at_ms >= o->items[next].at_ms - look_back_ms) /* who comes next, or gives it away next */
        *customer = o->items[next].customer;
    return customer->len != 0 ? OWNER_FOUND : OWNER_UNKNOWN;
}

/* --- changing -------------------------------------------------------------------------------------- */

static size_t bound_count(const struct owners *o)
{
    size_t count = 0;

    for (size_t i = 0; i < o->count; i++)
        count += o->items[i].bound;
    return count;
}

static void drop(struct owners *o, size_t count, int64_t known_from_ms)
{
    o->count -= count;
    memmove(o->items, o->items + count, o->count * sizeof *o->items);
    if (known_from_ms > o->known_from_ms)
        o->known_from_ms = known_from_ms;
}

/* An owner's time ends where he gives it away, else where the next one's begins. */
static void keep(struct owners *o, size_t most)
{
    while (bound_count(o) > most || o->count > 2 * most)
        drop(o, 1, o->items[0].bound ? o->items[1].at_ms : o->items[0].at_ms);
}

static void insert(struct owners *o, size_t at, struct owner_change change, size_t most,
                   struct arena *arena)
{
    struct owner_change *items = ARENA_ARRAY(arena, struct owner_change, o->count + 1);

    change.customer = arena_str(arena, change.customer);
    for (size_t i = 0; i < o->count; i++)
        items[i < at ? i : i + 1] = o->items[i];
    items[at] = change;
    o->items = items;
    o->count++;
    keep(o, most);
}

bool owners_bind(struct owners *o, struct str customer, int64_t at_ms, size_t most,
                 struct arena *arena)
{
    size_t next = after(o, at_ms);

    if (at_ms < o->known_from_ms || str_equal(owner_behind(o, next), customer))
        return false;
    if (next < o->count && o->items[next].bound && str_equal(o->items[next].customer, customer))
        o->items[next].at_ms = at_ms; /* since longer than was known */
    else
        insert(o, next, (struct owner_change){at_ms, true, customer}, most, arena);
    return true;
}

bool owners_unbind(struct owners *o, struct str customer, int64_t at_ms, size_t most,
                   struct arena *arena)
{
    size_t next = after(o, at_ms);

    if (at_ms < o->known_from_ms ||
        (next > 0 && !o->items[next - 1].bound && str_equal(o->items[next - 1].customer, customer)))
        return false;
    insert(o, next, (struct owner_change){at_ms, false, customer}, most, arena);
    return true;
}

bool owners_forget(struct owners *o, struct str customer, int64_t at_ms)
{
    size_t count = o->count;

    while (count > 0 && !str_equal(o->items[count - 1].customer, customer))
        count--;
    if (count == 0)
        return false;
    drop(o, count,
         count < o->count ? o->items[count].at_ms
         : o->items[count - 1].bound && at_ms > o->items[count - 1].at_ms
             ? at_ms
             : o->items[count - 1].at_ms);
    if (o->count ==
        0) /* nobody else's: the alias may say who it was, so nothing is kept under it */
        o->known_from_ms = INT64_MIN;
    return true;
}

bool owners_rename(struct owners *o, struct str from, struct str to, struct arena *arena)
{
    bool changed = false;

    for (size_t i = 0; i < o->count; i++) {
        if (!str_equal(o->items[i].customer, from))
            continue;
        o->items[i].customer = arena_str(arena, to);
        changed = true;
    }
    return changed;
}
