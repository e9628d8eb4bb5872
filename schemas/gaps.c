#include "schemas/gaps.h"

#include <string.h>

#include "core/mem.h"

static struct gap *find(struct gaps *gaps, struct str from)
{
    for (size_t i = 0; i < gaps->count; i++)
        if (str_is(from, gaps->items[i].from))
            return &gaps->items[i];
    return NULL;
}

/* Names come from outside, and this one is going to be said. */
static bool is_plain(struct str from)
{
    return str_is_utf8(from) && memchr(from.data, '\0', from.len) == NULL;
}

static uint64_t first_missing(const struct taken *taken, const struct taken_source *dropped)
{
    const struct taken_source *last = taken_find(taken, dropped->from);

    return last != NULL && last->generation == dropped->generation ? last->number + 1 : 1;
}

void gaps_open(struct gaps *gaps, const struct taken *taken, const struct taken_source *dropped)
{
    struct gap *gap = find(gaps, dropped->from);

    if (gap == NULL && (gaps->count == GAPS_MAX || !is_plain(dropped->from)))
        return;
    if (gap == NULL) {
        MEM_RESERVE(gaps->items, gaps->count, gaps->capacity);
        gap = &gaps->items[gaps->count++];
        *gap = (struct gap){.from = mem_copy_text(dropped->from.data, dropped->from.len),
                            .since_ms = -1};
    }
    if (gap->generation != dropped->generation || gap->missing != first_missing(taken, dropped))
        gap->bound = -1;
    gap->generation = dropped->generation;
    gap->missing = first_missing(taken, dropped);
}

void gaps_close(struct gaps *gaps, struct str from)
{
    struct gap *gap = gaps->count > 0 ? find(gaps, from) : NULL;

    if (gap == NULL)
        return;
    mem_free(gap->from);
    *gap = gaps->items[--gaps->count];
}

void gaps_forget(struct gaps *gaps)
{
    for (size_t i = 0; i < gaps->count; i++)
        mem_free(gaps->items[i].from);
    mem_free(gaps->items);
    *gaps = (struct gaps){0};
}

static bool lasts(const struct gap *gap, int64_t now_ms)
{
    return gap->since_ms >= 0 && now_ms - gap->since_ms >= GAPS_LAST_MS;
}

static void say(const struct gap *gap, const char *topic, int32_t partition, int64_t now_ms,
                struct err *out)
{
    err_set(
        out, ERR_STATE,
        "%s/%d: record %llu.%llu of %s has been missing for %lld s, and nothing of %s behind it is "
        "taken: does it run, and is nothing lost?",
        topic, partition, (unsigned long long)gap->generation, (unsigned long long)gap->missing,
        gap->from, (long long)(now_ms - gap->since_ms) / 1000, gap->from);
}

size_t gaps_look(struct gaps *gaps, const char *topic, int32_t partition, int64_t now_ms,
                 struct err *fresh, struct err *oldest)
{
    int64_t first_ms = INT64_MAX;

    gaps->lasting = 0;
    for (size_t i = 0; i < gaps->count; i++) {
        struct gap *gap = &gaps->items[i];

        if (gap->since_ms < 0)
            gap->since_ms = now_ms;
        if (!lasts(gap, now_ms))
            continue;
        gaps->lasting++;
        if (!gap->said && fresh->code == ERR_NONE) {
            say(gap, topic, partition, now_ms, fresh);
            gap->said = true;
        }
        if (gap->since_ms < first_ms)
            say(gap, topic, partition, now_ms, oldest);
        first_ms = gap->since_ms < first_ms ? gap->since_ms : first_ms;
    }
    return gaps->lasting;
}

struct gap *gaps_doubted(struct gaps *gaps, int64_t now_ms, size_t *at)
{
    while (*at < gaps->count) {
        struct gap *gap = &gaps->items[(*at)++];

        if (gap->bound < 0 && lasts(gap, now_ms))
            return gap;
    }
    return NULL;
}

bool gaps_lost(const struct gaps *gaps, const char *topic, int32_t partition, int64_t next,
               struct err *err)
{
    for (size_t i = 0; i < gaps->count; i++) {
        const struct gap *gap = &gaps->items[i];

        if (gap->bound < 0 || next < gap->bound)
            continue;
        err_set(
            err, ERR_STATE,
            "%s/%d: Kafka has lost record %llu.%llu of %s: its state counts it as acknowledged, and "
            "the log up to %lld does not hold it; take the state of %s back to a snapshot from "
            "before that record (`attent restore --force`), and start again",
            topic, partition, (unsigned long long)gap->generation, (unsigned long long)gap->missing,
            gap->from, (long long)next, gap->from);
        return true;
    }
    return false;
}
