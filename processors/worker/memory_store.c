#include "processors/worker/memory_store.h"

#include <stdlib.h>
#include <string.h>

#include "core/check.h"
#include "core/mem.h"
#include "processors/worker/table.h"

#define NO_TIMER INT64_MAX

struct kept { /* one subject */
    struct table_node node;
    char *blob;
    size_t blob_bytes;
    int64_t due_ms;
    struct step_wait *waits;
    size_t wait_count, wait_capacity;
};

struct area { /* one partition of a step */
    char *step;
    int32_t partition;
    bool claimed;
    char token[STORE_TOKEN_SIZE];
    char *identity, *meta;
    size_t identity_bytes, meta_bytes;
    uint64_t commit;
    struct table subjects;
    enum store_result answer; /* of the commit that was sent */
};

struct memory_store {
    struct store store;
    struct area **areas;
    size_t count, capacity;
};

static struct area *area_of(struct store *s, const char *step, int32_t partition)
{
    struct memory_store *m = (struct memory_store *)s;
    struct area *a;

    for (size_t i = 0; i < m->count; i++)
        if (m->areas[i]->partition == partition && strcmp(m->areas[i]->step, step) == 0)
            return m->areas[i];
    MEM_RESERVE(m->areas, m->count, m->capacity);
    a = m->areas[m->count++] = MEM_NEW(struct area);
    a->step = mem_copy_text(step, strlen(step));
    a->partition = partition;
    return a;
}

static enum store_result check(const struct area *a, const char *token, uint64_t commit)
{
    if (!a->claimed || strcmp(a->token, token) != 0)
        return STORE_FENCED;
    return a->commit == commit ? STORE_DONE : STORE_GAP;
}

static struct kept *find(const struct area *a, struct str subject)
{
    return (struct kept *)table_find(&a->subjects, table_hash(subject), subject);
}

static struct kept *make(struct area *a, struct str subject)
{
    struct kept *k = mem_alloc(sizeof *k + subject.len);
    char *text = (char *)(k + 1);

    if (subject.len > 0)
        memcpy(text, subject.data, subject.len);
    k->node = (struct table_node){table_hash(subject), {text, subject.len}};
    k->due_ms = NO_TIMER;
    table_add(&a->subjects, &k->node);
    return k;
}

static void forget(struct kept *k)
{
    mem_free(k->blob);
    mem_free(k->waits);
    mem_free(k);
}

static void keep_text(char **text, size_t *bytes, struct str from)
{
    mem_free(*text);
    *text = mem_copy_text(from.len > 0 ? from.data : "", from.len);
    *bytes = from.len;
}

/* --- the class ------------------------------------------------------------------------------ */

static enum store_result memory_claim(struct store *s, const char *step, int32_t partition,
                                      const char *token, struct str identity, struct arena *arena,
                                      struct store_claim *out, struct err *err)
{
    struct area *a = area_of(s, step, partition);
    const struct kept *own;

    *out = (struct store_claim){.fresh = a->commit == 0};
    if (a->commit == 0)
        keep_text(&a->identity, &a->identity_bytes, identity);
    if (!str_equal((struct str){a->identity, a->identity_bytes}, identity)) {
        err_set(err, ERR_STATE, "state of %s/%d belongs to %s, not to %.*s", step, partition,
                a->identity, STR_ARG(identity));
        return STORE_REFUSED;
    }
    CHECK(strlen(token) == STORE_TOKEN_SIZE - 1);
    strcpy(a->token, token);
    a->claimed = true;
    own = find(a, STR_EMPTY);
    out->commit = a->commit;
    out->meta = arena_str(arena, (struct str){a->meta, a->meta_bytes});
    if (own != NULL)
        out->own = arena_str(arena, (struct str){own->blob, own->blob_bytes});
    return STORE_DONE;
}

static enum store_result memory_load(struct store *s, const char *step, int32_t partition,
                                     const char *token, uint64_t commit, struct arena *arena,
                                     struct store_subject *subjects, size_t count, struct err *err)
{
    const struct area *a = area_of(s, step, partition);
    enum store_result result = check(a, token, commit);

    (void)err;
    for (size_t i = 0; i < count && result == STORE_DONE; i++) {
        const struct kept *k = find(a, subjects[i].subject);

        subjects[i].blob =
            k != NULL ? arena_str(arena, (struct str){k->blob, k->blob_bytes}) : STR_EMPTY;
    }
    return result;
}

static int by_due(const void *a, const void *b)
{
    const struct store_subject *x = a, *y = b;

    if (x->due_ms != y->due_ms)
        return x->due_ms < y->due_ms ? -1 : 1;
    return str_compare(x->subject, y->subject);
}

static int64_t due_in(const struct kept *k, struct store_lane lane)
{
    if (!lane.of_lane)
        return k->due_ms;
    for (size_t i = 0; i < k->wait_count; i++)
        if (k->waits[i].lane == lane.id)
            return k->waits[i].due_ms;
    return NO_TIMER;
}

static enum store_result memory_due(struct store *s, const char *step, int32_t partition,
                                    const char *token, uint64_t commit, struct store_lane lane,
                                    int64_t due_ms, struct str after, size_t max,
                                    struct arena *arena, struct store_subject **out, size_t *count,
                                    bool *more, struct err *err)
{
    const struct area *a = area_of(s, step, partition);
    const struct store_subject edge = {.subject = after, .due_ms = due_ms};
    enum store_result result = check(a, token, commit);
    struct store_subject *all = ARENA_ARRAY(arena, struct store_subject, a->subjects.count);
    size_t found = 0;

    (void)err;
    for (size_t i = 0; i < a->subjects.capacity && result == STORE_DONE; i++) {
        const struct kept *k = (const struct kept *)a->subjects.slots[i].node;
        struct store_subject t;

        if (k == NULL || due_in(k, lane) == NO_TIMER)
            continue;
        t = (struct store_subject){.subject = k->node.key, .due_ms = due_in(k, lane)};
        if (by_due(&t, &edge) > 0)
            all[found++] = t;
    }
    if (found > 0)
        qsort(all, found, sizeof *all, by_due);
    *out = all;
    *count = found < max ? found : max;
    *more = found > max;
    for (size_t i = 0; i < *count; i++)
        all[i].subject = arena_str(arena, all[i].subject);
    return result;
}

static void write_wait(struct kept *k, struct step_wait wait)
{
    size_t at = 0;

    while (at < k->wait_count && k->waits[at].lane != wait.lane)
        at++;
    if (at == k->wait_count) {
        MEM_RESERVE(k->waits, k->wait_count, k->wait_capacity);
        k->wait_count++;
    }
    k->waits[at] = wait;
}

static void write_subject(struct area *a, const struct store_subject *subject)
{
    struct kept *k = find(a, subject->subject);

    if (subject->blob.len == 0) {
        if (k != NULL) {
            table_remove(&a->subjects, &k->node);
            forget(k);
        }
        return;
    }
    if (k == NULL)
        k = make(a, subject->subject);
    mem_free(k->blob);
    k->blob = mem_copy(subject->blob.data, subject->blob.len);
    k->blob_bytes = subject->blob.len;
    if (subject->due_changed)
        k->due_ms = subject->due_ms;
    for (size_t i = 0; i < subject->wait_count; i++)
        write_wait(k, subject->waits[i]);
}

static void memory_commit_send(struct store *s, const char *step, int32_t partition,
                               const char *token, uint64_t commit, struct str meta,
                               const struct store_subject *subjects, size_t count)
{
    struct area *a = area_of(s, step, partition);

    a->answer = check(a, token, commit);
    if (a->answer != STORE_DONE)
        return;
    for (size_t i = 0; i < count; i++)
        write_subject(a, &subjects[i]);
    keep_text(&a->meta, &a->meta_bytes, meta);
    a->commit++;
}

static enum store_result memory_commit_wait(struct store *s, const char *step, int32_t partition,
                                            struct err *err)
{
    enum store_result answer = area_of(s, step, partition)->answer;

    if (answer != STORE_DONE)
        err_set(err, ERR_FENCED, "%s/%d: %s", step, partition, store_result_text(answer));
    return answer;
}

static bool memory_commit_ready(struct store *s, const char *step, int32_t partition)
{
    (void)s, (void)step, (void)partition;
    return true;
}

static void memory_commit_drop(struct store *s, const char *step, int32_t partition)
{
    (void)s, (void)step, (void)partition;
}

static int memory_fd(const struct store *s)
{
    (void)s;
    return -1;
}

static enum store_result memory_meta(struct store *s, const char *step, int32_t partition,
                                     struct arena *arena, struct str *out, struct err *err)
{
    const struct area *a = area_of(s, step, partition);

    (void)err;
    *out = a->meta_bytes > 0 ? arena_str(arena, (struct str){a->meta, a->meta_bytes}) : STR_EMPTY;
    return STORE_DONE;
}

static enum store_result memory_list(struct store *s, const char *step, int32_t partition,
                                     struct arena *arena, struct store_subject **out, size_t *count,
                                     struct err *err)
{
    const struct area *a = area_of(s, step, partition);

    (void)err;
    *out = ARENA_ARRAY(arena, struct store_subject, a->subjects.count);
    *count = 0;
    for (size_t i = 0; i < a->subjects.capacity; i++) {
        const struct kept *k = (const struct kept *)a->subjects.slots[i].node;

        if (k != NULL)
            (*out)[(*count)++] = (struct store_subject){
                .subject = k->node.key, .blob = {k->blob, k->blob_bytes}, .due_ms = k->due_ms};
    }
    return STORE_DONE;
}

static void memory_close(struct store *s)
{
    struct memory_store *m = (struct memory_store *)s;

    if (m == NULL)
        return;
    for (size_t i = 0; i < m->count; i++) {
        struct area *a = m->areas[i];

        for (size_t j = 0; j < a->subjects.capacity; j++)
            if (a->subjects.slots[j].node != NULL)
                forget((struct kept *)a->subjects.slots[j].node);
        table_free(&a->subjects);
        mem_free(a->step);
        mem_free(a->identity);
        mem_free(a->meta);
        mem_free(a);
    }
    mem_free(m->areas);
    mem_free(m);
}

struct store *memory_store_open(void)
{
    static const struct store_class class = {
        .close = memory_close,
        .claim = memory_claim,
        .load = memory_load,
        .due = memory_due,
        .commit_send = memory_commit_send,
        .commit_ready = memory_commit_ready,
        .commit_wait = memory_commit_wait,
        .commit_drop = memory_commit_drop,
        .fd = memory_fd,
        .meta = memory_meta,
        .list = memory_list,
    };
    struct memory_store *m = MEM_NEW(struct memory_store);

    m->store.class = &class;
    return &m->store;
}
