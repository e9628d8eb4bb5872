/* A binary heap whose entries know their place, and a table from subject to entry.  Millions of
 * events move the timer of their customer; the entry is moved, not added again.
 */
#include "processors/worker/timers.h"

#include <stdlib.h>

#include "core/check.h"
#include "core/mem.h"

static int compare(int64_t a_ms, struct str a, int64_t b_ms, struct str b)
{
    if (a_ms != b_ms)
        return a_ms < b_ms ? -1 : 1;
    return str_compare(a, b);
}

bool timer_is_before(const struct timer *a, const struct timer *b)
{
    return compare(a->due_ms, a->node.key, b->due_ms, b->node.key) < 0;
}

static void put(struct timers *timers, size_t place, struct timer *t)
{
    timers->heap[place] = t;
    t->place = place;
}

static void sift_up(struct timers *timers, struct timer *t)
{
    size_t at = t->place;

    while (at > 0 && timer_is_before(t, timers->heap[(at - 1) / 2])) {
        put(timers, at, timers->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(timers, at, t);
}

static void sift_down(struct timers *timers, struct timer *t)
{
    size_t at = t->place;

    for (;;) {
        size_t child = 2 * at + 1;

        if (child + 1 < timers->count &&
            timer_is_before(timers->heap[child + 1], timers->heap[child]))
            child++;
        if (child >= timers->count || !timer_is_before(timers->heap[child], t))
            break;
        put(timers, at, timers->heap[child]);
        at = child;
    }
    put(timers, at, t);
}

static void heap_push(struct timers *timers, struct timer *t)
{
    MEM_RESERVE(timers->heap, timers->count, timers->capacity);
    put(timers, timers->count++, t);
    sift_up(timers, t);
}

static void heap_remove(struct timers *timers, struct timer *t)
{
    struct timer *last = timers->heap[--timers->count];

    if (last == t)
        return;
    put(timers, t->place, last);
    sift_up(timers, last);
    sift_down(timers, last);
}

static struct timer *timer_new(uint64_t hash, struct str subject, int64_t due_ms)
{
    struct timer *t = mem_alloc(sizeof *t + subject.len);
    char *text = (char *)(t + 1);

    memcpy(text, subject.data, subject.len);
    t->node = (struct table_node){hash, {text, subject.len}};
    t->due_ms = due_ms;
    return t;
}

static void forget(struct timers *timers, struct timer *t)
{
    heap_remove(timers, t);
    table_remove(&timers->table, &t->node);
    mem_free(t);
}

/* --- public -------------------------------------------------------------------------------- */

void timers_init(struct timers *timers)
{
    *timers = (struct timers){.edge_ms = INT64_MIN};
}

void timers_free(struct timers *timers)
{
    for (size_t i = 0; i < timers->count; i++)
        mem_free(timers->heap[i]);
    mem_free(timers->heap);
    mem_free(timers->edge_subject);
    table_free(&timers->table);
    *timers = (struct timers){0};
}

static bool in_memory(const struct timers *timers, int64_t due_ms, struct str subject)
{
    struct str edge = {timers->edge_subject, timers->edge_subject_bytes};

    return timers->whole || compare(due_ms, subject, timers->edge_ms, edge) <= 0;
}

void timers_set(struct timers *timers, uint64_t hash, struct str subject, int64_t due_ms)
{
    struct timer *t = (struct timer *)table_find(&timers->table, hash, subject);
    bool keep = due_ms != INT64_MAX && in_memory(timers, due_ms, subject);

    if (!keep) {
        if (t != NULL)
            forget(timers, t);
        return;
    }
    if (t == NULL) {
        t = timer_new(hash, subject, due_ms);
        table_add(&timers->table, &t->node);
        heap_push(timers, t);
        return;
    }
    t->due_ms = due_ms;
    sift_up(timers, t);
    sift_down(timers, t);
}

const struct timer *timers_first(const struct timers *timers)
{
    return timers->count > 0 ? timers->heap[0] : NULL;
}

bool timers_reach(const struct timers *timers, int64_t at_ms)
{
    return timers->whole || at_ms < timers->edge_ms;
}

void timers_edge(const struct timers *timers, int64_t *due_ms, struct str *subject)
{
    *due_ms = timers->edge_ms;
    *subject = (struct str){timers->edge_subject, timers->edge_subject_bytes};
}

void timers_add(struct timers *timers, struct str subject, int64_t due_ms)
{
    struct timer *t = timer_new(table_hash(subject), subject, due_ms);

    CHECK(table_find(&timers->table, t->node.hash, subject) == NULL);
    table_add(&timers->table, &t->node);
    heap_push(timers, t);
}

void timers_extend(struct timers *timers, int64_t due_ms, struct str subject, bool whole)
{
    mem_free(timers->edge_subject);
    timers->whole = whole;
    timers->edge_ms = due_ms;
    timers->edge_subject = whole ? NULL : mem_copy_text(subject.data, subject.len);
    timers->edge_subject_bytes = whole ? 0 : subject.len;
}

static int by_order(const void *a, const void *b)
{
    const struct timer *x = *(struct timer *const *)a, *y = *(struct timer *const *)b;

    return compare(x->due_ms, x->node.key, y->due_ms, y->node.key);
}

/* Sorted is also a heap. */
void timers_trim(struct timers *timers, size_t max)
{
    CHECK(max > 0);
    if (timers->count <= 2 * max)
        return;
    qsort(timers->heap, timers->count, sizeof timers->heap[0], by_order);
    for (size_t i = 0; i < timers->count; i++)
        timers->heap[i]->place = i;
    timers_extend(timers, timers->heap[max - 1]->due_ms, timers->heap[max - 1]->node.key, false);
    while (timers->count > max)
        forget(timers, timers->heap[timers->count - 1]);
}

/* Taken out in order and put back: the heap stays a heap, and few are due as a rule. */
size_t timers_due(struct timers *timers, int64_t at_ms, const struct timer **out, size_t max)
{
    size_t count = 0;

    while (count < max && timers->count > 0 && timers->heap[0]->due_ms <= at_ms) {
        out[count++] = timers->heap[0];
        heap_remove(timers, timers->heap[0]);
    }
    for (size_t i = 0; i < count; i++)
        heap_push(timers, (struct timer *)(uintptr_t)out[i]);
    return count;
}
