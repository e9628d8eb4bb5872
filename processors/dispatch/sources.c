/* `before` is a copy of the whole list, made when the first record after a commit is taken: a
 * partition has few sources (one per partition of decide).  Its names are those of `now`, which
 * only grows until the next commit or rollback. */
#include "processors/dispatch/sources.h"

#include "core/limit.h"
#include "core/mem.h"

struct sources {
    struct taken now;
    struct taken_source *before; /* as committed; used while changed */
    size_t before_count;
    bool changed;
    char **stopped; /* names */
    size_t stopped_count, stopped_capacity;
    struct gaps gaps;
    struct buf scratch;
};

struct sources *sources_new(void)
{
    return MEM_NEW(struct sources);
}

void sources_free(struct sources *s)
{
    if (s == NULL)
        return;
    taken_free(&s->now);
    for (size_t i = 0; i < s->stopped_count; i++)
        mem_free(s->stopped[i]);
    mem_free(s->stopped);
    mem_free(s->before);
    gaps_forget(&s->gaps);
    buf_free(&s->scratch);
    mem_free(s);
}

static bool is_stopped(const struct sources *s, struct str from)
{
    for (size_t i = 0; i < s->stopped_count; i++)
        if (str_is(from, s->stopped[i]))
            return true;
    return false;
}

static void stop(struct sources *s, struct str from)
{
    MEM_RESERVE(s->stopped, s->stopped_count, s->stopped_capacity);
    s->stopped[s->stopped_count++] = mem_copy_text(from.data, from.len);
}

static void advance(struct sources *s, const struct taken_source *source)
{
    if (!s->changed) {
        s->before = mem_resize(s->before, s->now.count + 1, sizeof *s->before);
        if (s->now.count != 0)
            memcpy(s->before, s->now.sources, s->now.count * sizeof *s->before);
        s->before_count = s->now.count;
        s->changed = true;
    }
    taken_advance(&s->now, source);
}

/* Names and generations come from outside: they must fit the ledger's JSON and our memory. */
static bool is_bearable(const struct sources *s, const struct taken_source *source)
{
    return source->generation <= INT64_MAX && str_is_utf8(source->from) &&
           (s->now.count < LIMIT_DISPATCH_SOURCES || taken_find(&s->now, source->from) != NULL);
}

enum taken_verdict sources_take(struct sources *s, const struct record *record, struct err *err)
{
    struct str from = record_header(record, STR(CHAIN_FROM_HEADER));
    struct taken_source next;
    enum taken_verdict verdict;

    if (from.len != 0 && is_stopped(s, from))
        return TAKEN_BROKEN;
    verdict = taken_look(&s->now, record, &s->scratch, &next, err);
    if (verdict == TAKEN_BROKEN && s->stopped_count < LIMIT_DISPATCH_SOURCES)
        stop(s, from);
    if (verdict == TAKEN_GAP)
        gaps_open(&s->gaps, &s->now, &next);
    if (verdict != TAKEN_NEXT)
        return verdict;
    if (!is_bearable(s, &next)) {
        err_set(err, ERR_LIMIT, "too many sources, or one with a strange name");
        return TAKEN_JUNK;
    }
    advance(s, &next);
    gaps_close(&s->gaps, next.from);
    return TAKEN_NEXT;
}

void sources_restore(struct sources *s, const struct taken_source *source)
{
    taken_advance(&s->now, source);
}

static const struct taken_source *find_before(const struct sources *s, struct str from)
{
    for (size_t i = 0; i < s->before_count; i++)
        if (str_equal(s->before[i].from, from))
            return &s->before[i];
    return NULL;
}

const struct taken_source *sources_next_change(const struct sources *s, size_t *at)
{
    while (s->changed && *at < s->now.count) {
        const struct taken_source *source = &s->now.sources[(*at)++];
        const struct taken_source *before = find_before(s, source->from);

        if (before == NULL || before->generation != source->generation ||
            before->number != source->number)
            return source;
    }
    return NULL;
}

size_t sources_stopped(const struct sources *s)
{
    return s->stopped_count;
}

struct gaps *sources_gaps(struct sources *s)
{
    return &s->gaps;
}

void sources_commit(struct sources *s)
{
    s->changed = false;
}

void sources_rollback(struct sources *s)
{
    struct taken restored = {0};

    if (!s->changed)
        return;
    for (size_t i = 0; i < s->before_count; i++)
        taken_advance(&restored, &s->before[i]); /* its name is one of now's */
    taken_free(&s->now);
    s->now = restored;
    s->changed = false;
}
