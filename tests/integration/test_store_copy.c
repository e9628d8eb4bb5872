/* A partition is copied while its owner commits as fast as it can, and put back; on both stores.
 *
 * Each commit changes, makes and forgets some subjects, so that the state after commit K is a function
 * of K.  A copy says which K it is of. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "core/log.h"
#include "processors/worker/blob.h"
#include "processors/worker/memory_store.h"
#include "processors/worker/redis_store.h"
#include "tests/support/server.h"
#include "tests/support/suite.h"

#define MINE   "0123456789abcdef0123456789abcdef"
#define OTHERS "ffffffffffffffffffffffffffffffff"

enum { SUBJECTS = 4000, EVERY = 40, COPIES = 12, COMMITS_BEFORE = 80 };

static struct server *redis;

static void start(void)
{
    log_setup(LOG_ERROR, LOG_LOGFMT, false);
    redis = redis_start(NULL);
}

static void stop(void)
{
    server_stop(redis);
}

static struct store *open_redis(void)
{
    const struct redis_settings settings = {.address = server_address(redis)};
    struct store *s;
    struct err err = {0};

    ck_assert_msg(redis_store_open(&settings, &s, &err) == ERR_NONE, "%s", err.text);
    return s;
}

static struct store_claim claim(struct store *s, const char *step, const char *token,
                                const char *identity, struct arena *arena,
                                enum store_result expected)
{
    struct store_claim out;
    struct err err = {0};

    ck_assert_msg(s->class->claim(s, step, 1, token, str_of(identity), arena, &out, &err) ==
                      expected,
                  "%s", err.text);
    return out;
}

/* --- a state that is a function of the commit --------------------------------------------------------- */

static struct str name_of(struct arena *arena, int i)
{
    return i == 0 ? STR_EMPTY : arena_format(arena, "s%05d", i);
}

static bool touches(int i, int k)
{
    return (i + k) % EVERY == 0;
}

static bool forgets(int i, int k)
{
    return i != 0 && (i + k) / EVERY % 3 == 0;
}

/* What commit k leaves of subject i, if it touches it. */
static struct store_subject subject_after(struct arena *arena, int i, int k)
{
    struct store_subject subject = {
        .subject = name_of(arena, i), .due_ms = STEP_NO_TIMER, .due_changed = true};
    struct step_wait *wait = ARENA_NEW(arena, struct step_wait);
    struct buf blob = {0};

    *wait = (struct step_wait){7, forgets(i, k) ? STEP_NO_TIMER : k};
    subject.waits = wait;
    subject.wait_count = i % 5 == 1;
    if (forgets(i, k))
        return subject;
    subject.due_ms = i % 2 == 0 ? STEP_NO_TIMER : 1000 + k;
    blob_wrap(&blob, subject.subject,
              &(struct blob_timers){subject.due_ms, wait, subject.wait_count},
              arena_format(arena, "state of %d after %d", i, k));
    subject.blob = arena_str(arena, buf_str(&blob));
    buf_free(&blob);
    return subject;
}

static void commit(struct store *s, const char *step, int k)
{
    struct arena *arena = arena_new(0);
    struct store_subject subjects[SUBJECTS / EVERY + 1];
    size_t count = 0;
    char meta[16];

    for (int i = 0; i < SUBJECTS; i++)
        if (touches(i, k))
            subjects[count++] = subject_after(arena, i, k);
    snprintf(meta, sizeof meta, "meta %d", k);
    s->class->commit_send(s, step, 1, MINE, (uint64_t)k - 1, str_of(meta), subjects, count);
    ck_assert_int_eq(s->class->commit_wait(s, step, 1, NULL), STORE_DONE);
    arena_free(arena);
}

/* The copy is the state after its commit, to the byte. */
static void check_copy(const struct store_copy *copy)
{
    struct arena *arena = arena_new(0);
    size_t at = 0;

    ck_assert(str_equal(copy->meta, arena_format(arena, "meta %d", (int)copy->commit)));
    for (int i = 0; i < SUBJECTS; i++) {
        int k = (int)copy->commit;
        struct store_subject expected;

        while (k > 0 && !touches(i, k))
            k--;
        if (k == 0 || forgets(i, k))
            continue;
        expected = subject_after(arena, i, k);
        ck_assert_msg(at < copy->count && str_equal(copy->subjects[at].subject, expected.subject) &&
                          str_equal(copy->subjects[at].blob, expected.blob),
                      "subject %d of commit %d", i, (int)copy->commit);
        at++;
    }
    ck_assert_uint_eq(at, copy->count);
    arena_free(arena);
}

/* --- copies under load ------------------------------------------------------------------------------------ */

struct writer {
    atomic_bool stop;
    atomic_int commits;
};

static void *write_on(void *context)
{
    struct writer *w = context;
    struct store *s = open_redis();

    while (!atomic_load(&w->stop))
        commit(s, "load", atomic_fetch_add(&w->commits, 1) + 1);
    s->class->close(s);
    return NULL;
}

START_TEST(a_copy_is_of_one_moment_whatever_is_committed_meanwhile)
{
    struct store *s = open_redis();
    struct writer w = {0};
    pthread_t thread;
    int moved = 0;

    atomic_store(&w.commits, COMMITS_BEFORE);
    for (int i = 0; i < COPIES; i++) {
        struct arena *arena = arena_new(0);
        struct store_copy copy;
        struct err err = {0};
        int before;

        if (i == 0) {
            claim(s, "load", MINE, "me", arena, STORE_DONE);
            for (int k = 1; k <= COMMITS_BEFORE; k++)
                commit(s, "load", k);
            ck_assert_int_eq(pthread_create(&thread, NULL, write_on, &w), 0);
        }
        before = atomic_load(&w.commits);
        ck_assert_msg(s->class->copy(s, "load", 1, arena, &copy, &err) == STORE_DONE, "%s",
                      err.text);
        ck_assert(str_is(copy.identity, "me"));
        check_copy(&copy);
        moved += atomic_load(&w.commits) > before + 1;
        arena_free(arena);
    }
    atomic_store(&w.stop, true);
    pthread_join(thread, NULL);
    ck_assert_int_gt(moved, COPIES / 2); /* it was really going on */
    s->class->close(s);
}
END_TEST

static void ask(const struct str *args, size_t count, struct redis_reply **reply)
{
    const struct redis_settings settings = {.address = server_address(redis)};
    struct redis *r;

    ck_assert_int_eq(redis_open(&settings, &r, NULL), ERR_NONE);
    ck_assert_int_eq(redis_command(r, args, count, reply, NULL), ERR_NONE);
    redis_close(r);
}

/* Who copied has died, and the mark with it: the next commit takes the rest away. */
START_TEST(a_mark_that_has_expired_costs_one_commit)
{
    const struct str left[] = {STR("HSET"), STR("{expired:1}:meta"), STR("copying"), STR("id")};
    const struct str gone[] = {STR("HDEL"), STR("{expired:1}:meta"), STR("copying")};
    const struct str none[] = {STR("EXISTS"), STR("{expired:1}:before")};
    struct store *s = open_redis();
    struct arena *arena = arena_new(0);
    struct redis_reply *reply;

    claim(s, "expired", MINE, "me", arena, STORE_DONE);
    commit(s, "expired", 1);
    ask(left, 4, &reply);
    redis_reply_free(reply);
    commit(s, "expired", 2);
    ask(gone, 3, &reply);
    ck_assert_int_eq(redis_reply_integer(reply), 0);
    redis_reply_free(reply);
    ask(none, 2, &reply);
    ck_assert_int_eq(redis_reply_integer(reply), 0);
    redis_reply_free(reply);
    arena_free(arena);
    s->class->close(s);
}
END_TEST

START_TEST(two_copies_at_once_are_refused_and_nothing_is_left_behind)
{
    const struct str mark[] = {STR("HSET"), STR("{twice:1}:before"), STR("copy"), STR("another")};
    const struct str gone[] = {STR("DEL"), STR("{twice:1}:before")};
    struct store *s = open_redis();
    struct arena *arena = arena_new(0);
    struct redis_reply *reply;
    struct store_copy copy;
    struct err err = {0};

    claim(s, "twice", MINE, "me", arena, STORE_DONE);
    commit(s, "twice", 1);
    ask(mark, 4, &reply);
    redis_reply_free(reply);
    ck_assert_int_eq(s->class->copy(s, "twice", 1, arena, &copy, &err), STORE_GAP);
    ck_assert_ptr_nonnull(strstr(err.text, "somebody else copies twice/1"));
    ask(gone, 2, &reply);
    redis_reply_free(reply);
    ck_assert_int_eq(s->class->copy(s, "twice", 1, arena, &copy, &err), STORE_DONE);
    ask(gone, 2, &reply); /* it has taken its mark away itself */
    ck_assert_int_eq(redis_reply_integer(reply), 0);
    redis_reply_free(reply);
    arena_free(arena);
    s->class->close(s);
}
END_TEST

/* --- both stores -------------------------------------------------------------------------------------------- */

static void compare_timers(struct store *s, uint64_t number, const struct store_copy *copy,
                           struct store_lane lane, struct arena *arena)
{
    struct store_subject *list;
    size_t count, expected = 0;
    bool more;

    ck_assert_int_eq(s->class->due(s, "put", 1, MINE, number, lane, INT64_MIN, STR_EMPTY,
                                   2 * SUBJECTS, arena, &list, &count, &more, NULL),
                     STORE_DONE);
    for (size_t i = 0; i < copy->count; i++) {
        struct store_subject subject = copy->subjects[i];

        ck_assert_int_eq(store_timers(&subject, arena, NULL), STORE_DONE);
        expected += lane.of_lane ? subject.wait_count : subject.due_changed;
    }
    ck_assert_uint_eq(count, expected);
    ck_assert(!more && count > 0);
}

/* Back to commit 50 of 90: the owner loses it, the next one finds states and timers of 50. */
static void a_copy_is_put_back(struct store *s)
{
    struct arena *arena = arena_new(0);
    struct store_copy early, late, back;
    struct store_claim claimed;

    claim(s, "put", MINE, "me", arena, STORE_DONE);
    for (int k = 1; k <= 50; k++)
        commit(s, "put", k);
    ck_assert_int_eq(s->class->copy(s, "put", 1, arena, &early, NULL), STORE_DONE);
    ck_assert_uint_eq(early.commit, 50);
    for (int k = 51; k <= 90; k++)
        commit(s, "put", k);
    ck_assert_int_eq(s->class->replace(s, "put", 1, 50, &early, NULL), STORE_GAP);
    ck_assert_int_eq(s->class->copy(s, "put", 1, arena, &late, NULL), STORE_DONE);
    check_copy(&late);
    ck_assert_int_eq(s->class->replace(s, "put", 1, 90, &early, NULL), STORE_DONE);
    s->class->commit_send(s, "put", 1, MINE, 50, STR("m"), NULL, 0);
    ck_assert_int_eq(s->class->commit_wait(s, "put", 1, NULL), STORE_FENCED);
    claim(s, "put", MINE, "others", arena, STORE_REFUSED);
    claimed = claim(s, "put", MINE, "me", arena, STORE_DONE);
    ck_assert(!claimed.fresh && claimed.commit == 50 && str_is(claimed.meta, "meta 50"));
    ck_assert_int_eq(s->class->copy(s, "put", 1, arena, &back, NULL), STORE_DONE);
    check_copy(&back);
    compare_timers(s, 50, &back, (struct store_lane){0}, arena);
    compare_timers(s, 50, &back, (struct store_lane){true, 7}, arena);
    commit(s, "put", 51);
    arena_free(arena);
}

static void nothing_is_a_copy_too(struct store *s)
{
    const struct store_copy nothing = {0};
    struct arena *arena = arena_new(0);
    struct store_copy copy;

    ck_assert_int_eq(s->class->copy(s, "none", 1, arena, &copy, NULL), STORE_DONE);
    ck_assert(copy.commit == 0 && copy.count == 0);
    claim(s, "none", MINE, "me", arena, STORE_DONE);
    commit(s, "none", 1);
    ck_assert_int_eq(s->class->replace(s, "none", 1, 0, &nothing, NULL), STORE_GAP);
    arena_free(arena);
}

static void a_damaged_copy_is_refused_before_anything_is_written(struct store *s)
{
    struct arena *arena = arena_new(0);
    struct store_subject subject = {.subject = STR("a"), .blob = STR("no blob")};
    struct store_copy copy = {
        .identity = STR("me"), .commit = 9, .meta = STR("m"), .subjects = &subject, .count = 1};
    struct err err = {0};

    claim(s, "damaged", MINE, "me", arena, STORE_DONE);
    commit(s, "damaged", 1);
    ck_assert_int_eq(s->class->replace(s, "damaged", 1, 1, &copy, &err), STORE_REFUSED);
    commit(s, "damaged", 2); /* still the owner */
    arena_free(arena);
}

static void on_both(void (*contract)(struct store *s))
{
    struct store *stores[] = {memory_store_open(), open_redis()};

    for (size_t i = 0; i < 2; i++) {
        contract(stores[i]);
        stores[i]->class->close(stores[i]);
    }
}

START_TEST(what_was_copied_is_put_back)
{
    on_both(a_copy_is_put_back);
}
END_TEST

START_TEST(an_empty_partition_is_copied_as_nothing)
{
    on_both(nothing_is_a_copy_too);
}
END_TEST

START_TEST(a_copy_that_cannot_be_read_is_not_put_anywhere)
{
    struct store *s = open_redis();

    a_damaged_copy_is_refused_before_anything_is_written(s);
    s->class->close(s);
}
END_TEST

START_TEST(a_replacement_that_was_broken_off_belongs_to_nobody)
{
    const struct str broken[] = {
        STR("HSET"),     STR("{half:1}:meta"),
        STR("token"),    STR("0"),
        STR("commit"),   STR("0"),
        STR("identity"), STR("a restore that was broken off (do it again)")};
    struct store *s = open_redis();
    struct arena *arena = arena_new(0);
    struct redis_reply *reply;
    struct store_copy copy;

    claim(s, "half", MINE, "me", arena, STORE_DONE);
    commit(s, "half", 1);
    ck_assert_int_eq(s->class->copy(s, "half", 1, arena, &copy, NULL), STORE_DONE);
    ask(broken, 8, &reply);
    redis_reply_free(reply);
    claim(s, "half", OTHERS, "me", arena, STORE_REFUSED);
    ck_assert_int_eq(s->class->replace(s, "half", 1, 0, &copy, NULL), STORE_DONE);
    ck_assert_uint_eq(claim(s, "half", OTHERS, "me", arena, STORE_DONE).commit, 1);
    arena_free(arena);
    s->class->close(s);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_copy_is_of_one_moment_whatever_is_committed_meanwhile,
                                  a_mark_that_has_expired_costs_one_commit,
                                  two_copies_at_once_are_refused_and_nothing_is_left_behind,
                                  what_was_copied_is_put_back,
                                  an_empty_partition_is_copied_as_nothing,
                                  a_copy_that_cannot_be_read_is_not_put_anywhere,
                                  a_replacement_that_was_broken_off_belongs_to_nobody};

    return suite_run_with("store copy", tests, sizeof tests / sizeof tests[0], 60, start, stop);
}
