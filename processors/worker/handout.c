#include "processors/worker/handout.h"

#include <stdlib.h>

static int by_subject(const void *a, const void *b)
{
    return str_compare(((const struct store_subject *)a)->subject,
                       ((const struct store_subject *)b)->subject);
}

struct share {
    int32_t before, after, to;
};

static bool belongs(const struct share *share, int32_t from, const struct store_subject *subject)
{
    return subject->subject.len == 0
               ? from == share->to % share->before
               : hash_kafka_partition(subject->subject, share->after) == share->to;
}

/* subjects NULL: only count them. */
static size_t take(const struct share *share, const struct store_copy *old,
                   struct store_subject *subjects)
{
    size_t count = 0;

    for (int32_t from = 0; from < share->before; from++)
        for (size_t i = 0; i < old[from].count; i++) {
            if (!belongs(share, from, &old[from].subjects[i]))
                continue;
            if (subjects != NULL)
                subjects[count] = old[from].subjects[i];
            count++;
        }
    return count;
}

void handout(const struct store_copy *old, int32_t before, int32_t after, int32_t to,
             struct arena *arena, struct store_copy *out)
{
    const struct share share = {before, after, to};

    out->count = take(&share, old, NULL);
    out->subjects = ARENA_ARRAY(arena, struct store_subject, out->count);
    take(&share, old, out->subjects);
    if (out->count > 0)
        qsort(out->subjects, out->count, sizeof *out->subjects, by_subject);
}
