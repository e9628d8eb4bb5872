/* One contract, three stores: memory, a real Redis and a real Redis Cluster. */
#include "processors/worker/memory_store.h"
#include "processors/worker/redis_store.h"
#include "processors/worker/step.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>

#include "core/clock.h"
#include "core/log.h"
#include "tests/support/redis_cluster.h"
#include "tests/support/suite.h"

#define MINE   "0123456789abcdef0123456789abcdef"
#define OTHERS "ffffffffffffffffffffffffffffffff"

static struct server *redis, *cluster;

static void start(void)
{
    const char *const args[] = {"--appendonly", "yes", "--appendfsync", "always", NULL};

    log_setup(LOG_ERROR, LOG_LOGFMT, false);
    redis = redis_start(args);
    cluster = redis_cluster_start(NULL);
}

static void stop(void)
{
    server_stop(redis);
    server_stop(cluster);
}

static struct store *open_at(const char *address)
{
    const struct redis_settings settings = {.address = address};
    struct store *s;
    struct err err = {0};

    ck_assert_msg(redis_store_open(&settings, &s, &err) == ERR_NONE, "%s", err.text);
    return s;
}

static struct store *open_redis(void)
{
    return open_at(server_address(redis));
}

static struct arena *arena;

static struct store_claim claim(struct store *s, const char *step, const char *token)
{
    struct store_claim out;
    struct err err = {0};

    ck_assert_msg(s->class->claim(s, step, 1, token, STR("group g"), arena, &out, &err) ==
                      STORE_DONE,
                  "%s", err.text);
    return out;
}

static enum store_result commit(struct store *s, const char *step, const char *token,
                                uint64_t number, const char *meta,
                                const struct store_subject *subjects, size_t count)
{
    s->class->commit_send(s, step, 1, token, number, str_of(meta), subjects, count);
    return s->class->commit_wait(s, step, 1, NULL);
}

static enum store_result load_one(struct store *s, const char *step, const char *token,
                                  uint64_t number, const char *name, struct str *blob)
{
    struct store_subject subject = {.subject = str_of(name)};
    enum store_result result = s->class->load(s, step, 1, token, number, arena, &subject, 1, NULL);

    *blob = subject.blob;
    return result;
}

/* --- the contract ------------------------------------------------------------------------------- */

static void what_is_committed_is_loaded(struct store *s)
{
    const struct store_subject subjects[] = {
        {.subject = STR("a"), .blob = {"\0b\r\n\xff", 5}, .due_ms = 50, .due_changed = true},
        {.subject = STR("b{}*"), .blob = STR("B"), .due_ms = STEP_NO_TIMER, .due_changed = true},
        {.subject = STR_EMPTY, .blob = STR("own"), .due_ms = STEP_NO_TIMER}};
    const struct store_subject forget = {
        .subject = STR("a"), .due_ms = STEP_NO_TIMER, .due_changed = true};
    struct store_claim c = claim(s, "load", MINE);
    struct store_subject *list;
    struct str blob;
    size_t count;
    bool more;

    ck_assert(c.fresh && c.commit == 0 && c.meta.len == 0 && c.own.len == 0);
    ck_assert_int_eq(load_one(s, "load", MINE, 0, "a", &blob), STORE_DONE);
    ck_assert_uint_eq(blob.len, 0);
    ck_assert_int_eq(commit(s, "load", MINE, 0, "m1", subjects, 3), STORE_DONE);
    ck_assert_int_eq(load_one(s, "load", MINE, 1, "a", &blob), STORE_DONE);
    ck_assert(str_equal(blob, (struct str){"\0b\r\n\xff", 5}));
    ck_assert_int_eq(s->class->meta(s, "load", 1, arena, &blob, NULL), STORE_DONE);
    ck_assert(str_is(blob, "m1"));
    ck_assert_int_eq(s->class->meta(s, "load", 2, arena, &blob, NULL), STORE_DONE);
    ck_assert_uint_eq(blob.len, 0);
    c = claim(s, "load", MINE);
    ck_assert(!c.fresh && c.commit == 1 && str_is(c.meta, "m1") && str_is(c.own, "own"));
    ck_assert_int_eq(s->class->list(s, "load", 1, arena, &list, &count, NULL), STORE_DONE);
    ck_assert_uint_eq(count, 3);
    ck_assert_int_eq(commit(s, "load", MINE, 1, "m2", &forget, 1), STORE_DONE);
    ck_assert_int_eq(load_one(s, "load", MINE, 2, "a", &blob), STORE_DONE);
    ck_assert_uint_eq(blob.len, 0);
    ck_assert_int_eq(s->class->due(s, "load", 1, MINE, 2, (struct store_lane){0}, INT64_MIN,
                                   STR_EMPTY, 10, arena, &list, &count, &more, NULL),
                     STORE_DONE);
    ck_assert(count == 0 && !more);
}

static void an_old_owner_reads_and_writes_nothing(struct store *s)
{
    const struct store_subject subject = {.subject = STR("a"), .blob = STR("A")};
    struct store_subject *list;
    struct str blob;
    size_t count;
    bool more;

    claim(s, "fence", MINE);
    ck_assert_int_eq(commit(s, "fence", MINE, 0, "m1", &subject, 1), STORE_DONE);
    ck_assert_int_eq(load_one(s, "fence", MINE, 0, "a", &blob), STORE_GAP);
    claim(s, "fence", OTHERS);
    ck_assert_int_eq(load_one(s, "fence", MINE, 1, "a", &blob), STORE_FENCED);
    ck_assert_int_eq(commit(s, "fence", MINE, 1, "m2", &subject, 1), STORE_FENCED);
    ck_assert_int_eq(s->class->due(s, "fence", 1, MINE, 1, (struct store_lane){0}, 0, STR_EMPTY, 1,
                                   arena, &list, &count, &more, NULL),
                     STORE_FENCED);
    ck_assert_int_eq(commit(s, "fence", OTHERS, 7, "m8", &subject, 1), STORE_GAP);
    ck_assert_uint_eq(claim(s, "fence", MINE).commit, 1);
}

static void timers_come_in_order_and_in_parts(struct store *s)
{
    static char names[40][8];
    struct store_subject subjects[40], *list;
    struct str after = STR_EMPTY;
    int64_t due_ms = INT64_MIN;
    size_t count, seen = 0;
    bool more = true;

    claim(s, "due", MINE);
    for (size_t i = 0; i < 40; i++) /* many are due at once */
        subjects[i] = (struct store_subject){
            .subject = {names[i], (size_t)snprintf(names[i], 8, "s%02zu", (i * 7) % 40)},
            .blob = STR("x"),
            .due_ms = i % 2 ? 1767225600000 : -5,
            .due_changed = true};
    ck_assert_int_eq(commit(s, "due", MINE, 0, "m", subjects, 40), STORE_DONE);
    while (more) {
        ck_assert_int_eq(s->class->due(s, "due", 1, MINE, 1, (struct store_lane){0}, due_ms, after,
                                       3, arena, &list, &count, &more, NULL),
                         STORE_DONE);
        for (size_t i = 0; i < count; i++) {
            ck_assert(list[i].due_ms > due_ms ||
                      (list[i].due_ms == due_ms && str_compare(list[i].subject, after) > 0));
            due_ms = list[i].due_ms;
            after = list[i].subject;
        }
        seen += count;
    }
    ck_assert_uint_eq(seen, 40);
}

static size_t due_in(struct store *s, uint64_t commit_number, struct store_lane lane,
                     struct store_subject **list)
{
    size_t count;
    bool more;

    ck_assert_int_eq(s->class->due(s, "lane", 1, MINE, commit_number, lane, INT64_MIN, STR_EMPTY, 9,
                                   arena, list, &count, &more, NULL),
                     STORE_DONE);
    ck_assert(!more);
    return count;
}

static void lanes_have_timers_of_their_own(struct store *s)
{
    static const struct step_wait both[] = {{7, 500}, {4000000000, -3}}, seven[] = {{7, 400}},
                                  none[] = {{7, STEP_NO_TIMER}};
    const struct store_lane lanes[] = {{0}, {true, 7}, {true, 4000000000}};
    struct store_subject *list;
    struct store_subject subjects[] = {
        {.subject = STR("a"),
         .blob = STR("A"),
         .due_ms = 9,
         .due_changed = true,
         .waits = both,
         .wait_count = 2},
        {.subject = STR("b"), .blob = STR("B"), .waits = seven, .wait_count = 1}};

    claim(s, "lane", MINE);
    ck_assert_int_eq(commit(s, "lane", MINE, 0, "m", subjects, 2), STORE_DONE);
    ck_assert_uint_eq(due_in(s, 1, lanes[0], &list), 1);
    ck_assert_int_eq(list[0].due_ms, 9);
    ck_assert_uint_eq(due_in(s, 1, lanes[1], &list), 2);
    ck_assert(str_is(list[0].subject, "b") && list[0].due_ms == 400);
    ck_assert(str_is(list[1].subject, "a") && list[1].due_ms == 500);
    ck_assert_uint_eq(due_in(s, 1, lanes[2], &list), 1);
    ck_assert_int_eq(list[0].due_ms, -3);
    subjects[1].waits = none;
    ck_assert_int_eq(commit(s, "lane", MINE, 1, "m", &subjects[1], 1), STORE_DONE);
    ck_assert_uint_eq(due_in(s, 2, lanes[1], &list), 1);
    ck_assert(str_is(list[0].subject, "a"));
}

static void another_identity_is_refused(struct store *s)
{
    struct store_claim out;
    struct err err;

    claim(s, "who", MINE);
    ck_assert_int_eq(s->class->claim(s, "who", 1, OTHERS, STR("group h"), arena, &out, &err),
                     STORE_DONE); /* nothing has been committed yet */
    ck_assert_int_eq(commit(s, "who", OTHERS, 0, "m", NULL, 0), STORE_DONE);
    ck_assert_int_eq(s->class->claim(s, "who", 1, MINE, STR("group g"), arena, &out, &err),
                     STORE_REFUSED);
    ck_assert_ptr_nonnull(strstr(err.text, "group h"));
    ck_assert_int_eq(commit(s, "who", OTHERS, 1, "m", NULL, 0), STORE_DONE); /* still the owner */
}

/* Sent, not answered: what is read next sees it, checked against the number that it writes. */
static void a_read_comes_behind_the_commit_before_it(struct store *s)
{
    const struct store_subject first = {
        .subject = STR("a"), .blob = STR("1"), .due_ms = 5, .due_changed = true};
    const struct store_subject second = {
        .subject = STR("a"), .blob = STR("2"), .due_ms = 7, .due_changed = true};
    struct store_subject *list;
    struct str blob;
    size_t count;
    bool more;

    claim(s, "behind", MINE);
    s->class->commit_send(s, "behind", 1, MINE, 0, STR("m"), &first, 1);
    ck_assert_int_eq(load_one(s, "behind", MINE, 1, "a", &blob), STORE_DONE);
    ck_assert(str_is(blob, "1"));
    ck_assert(s->class->commit_ready(s, "behind", 1)); /* it came before */
    ck_assert_int_eq(s->class->commit_wait(s, "behind", 1, NULL), STORE_DONE);
    s->class->commit_send(s, "behind", 1, MINE, 1, STR("m"), &second, 1);
    ck_assert_int_eq(s->class->due(s, "behind", 1, MINE, 2, (struct store_lane){0}, INT64_MIN,
                                   STR_EMPTY, 9, arena, &list, &count, &more, NULL),
                     STORE_DONE);
    ck_assert(count == 1 && list[0].due_ms == 7);
    ck_assert_int_eq(s->class->commit_wait(s, "behind", 1, NULL), STORE_DONE);
}

static void a_read_behind_a_refused_commit_is_refused(struct store *s)
{
    const struct store_subject subject = {.subject = STR("a"), .blob = STR("1")};
    struct str blob;

    claim(s, "refused", MINE);
    claim(s, "refused", OTHERS);
    s->class->commit_send(s, "refused", 1, MINE, 0, STR("m"), &subject, 1);
    ck_assert_int_eq(load_one(s, "refused", MINE, 1, "a", &blob), STORE_FENCED);
    ck_assert_int_eq(s->class->commit_wait(s, "refused", 1, NULL), STORE_FENCED);
    s->class->commit_send(s, "refused", 1, OTHERS, 4, STR("m"), &subject, 1);
    ck_assert_int_eq(load_one(s, "refused", OTHERS, 5, "a", &blob), STORE_GAP);
    ck_assert_int_eq(s->class->commit_wait(s, "refused", 1, NULL), STORE_GAP);
}

static void a_dropped_commit_is_nobodys(struct store *s)
{
    const struct store_subject subject = {.subject = STR("a"), .blob = STR("1")};
    struct str blob;

    claim(s, "drop", MINE);
    s->class->commit_send(s, "drop", 1, MINE, 0, STR("m"), &subject, 1);
    s->class->commit_drop(s, "drop", 1);
    s->class->commit_drop(s, "drop", 1);                   /* nothing there */
    ck_assert_uint_eq(claim(s, "drop", OTHERS).commit, 1); /* it was on its way */
    ck_assert_int_eq(commit(s, "drop", OTHERS, 1, "m", &subject, 1), STORE_DONE);
    ck_assert_int_eq(load_one(s, "drop", OTHERS, 2, "a", &blob), STORE_DONE);
}

static void on_all(void (*check)(struct store *s))
{
    struct store *stores[] = {memory_store_open(), open_redis(),
                              open_at(redis_cluster_url(cluster))};

    arena = arena_new(0);
    for (int i = 0; i < 3; i++) {
        check(stores[i]);
        stores[i]->class->close(stores[i]);
    }
    arena_free(arena);
}

START_TEST(what_is_committed_is_what_is_loaded)
{
    on_all(what_is_committed_is_loaded);
}
END_TEST

START_TEST(who_lost_the_partition_reads_and_writes_nothing)
{
    on_all(an_old_owner_reads_and_writes_nothing);
}
END_TEST

START_TEST(timers_come_in_the_order_of_time_and_name)
{
    on_all(timers_come_in_order_and_in_parts);
}
END_TEST

START_TEST(timers_of_a_lane_stand_apart)
{
    on_all(lanes_have_timers_of_their_own);
}
END_TEST

START_TEST(state_of_another_group_is_not_given_away)
{
    on_all(another_identity_is_refused);
}
END_TEST

START_TEST(what_is_read_with_a_commit_in_flight_comes_behind_it)
{
    on_all(a_read_comes_behind_the_commit_before_it);
}
END_TEST

START_TEST(what_is_read_behind_a_refused_commit_is_refused_with_it)
{
    on_all(a_read_behind_a_refused_commit_is_refused);
}
END_TEST

START_TEST(a_commit_that_nobody_waits_for_disturbs_nobody)
{
    on_all(a_dropped_commit_is_nobodys);
}
END_TEST

/* --- Redis alone -------------------------------------------------------------------------------- */

static void run_command(struct redis *r, const struct str *args, size_t count)
{
    struct redis_reply *reply;

    ck_assert_int_eq(redis_command(r, args, count, &reply, NULL), ERR_NONE);
    ck_assert_int_ne(redis_reply_kind(reply), REDIS_ERROR);
    redis_reply_free(reply);
}

START_TEST(several_commits_are_on_their_way_at_once)
{
    struct store *s = open_redis();
    struct store_claim out;

    arena = arena_new(0);
    for (int32_t p = 0; p < 5; p++)
        ck_assert_int_eq(s->class->claim(s, "pipe", p, MINE, STR("g"), arena, &out, NULL),
                         STORE_DONE);
    for (int32_t p = 0; p < 5; p++)
        s->class->commit_send(s, "pipe", p, p == 3 ? OTHERS : MINE, 0, STR("m"), NULL, 0);
    for (int32_t p = 4; p >= 0; p--)
        ck_assert_int_eq(s->class->commit_wait(s, "pipe", p, NULL),
                         p == 3 ? STORE_FENCED : STORE_DONE);
    s->class->close(s);
    arena_free(arena);
}
END_TEST

START_TEST(a_large_commit_is_loaded_whole)
{
    enum { MANY = 9000 };
    static struct store_subject subjects[MANY];
    static char names[MANY][12];
    struct store *s = open_redis();

    arena = arena_new(0);
    claim(s, "large", MINE);
    for (size_t i = 0; i < MANY; i++)
        subjects[i] =
            (struct store_subject){.subject = {names[i], (size_t)snprintf(names[i], 12, "c%zu", i)},
                                   .blob = {names[i], strlen(names[i])},
                                   .due_ms = (int64_t)i,
                                   .due_changed = true};
    ck_assert_int_eq(commit(s, "large", MINE, 0, "m", subjects, MANY), STORE_DONE);
    for (size_t i = 0; i < MANY; i++)
        subjects[i].blob = STR_EMPTY;
    ck_assert_int_eq(s->class->load(s, "large", 1, MINE, 1, arena, subjects, MANY, NULL),
                     STORE_DONE);
    for (size_t i = 0; i < MANY; i++)
        ck_assert(str_equal(subjects[i].blob, subjects[i].subject));
    s->class->close(s);
    arena_free(arena);
}
END_TEST

START_TEST(a_forgotten_script_is_sent_again)
{
    const struct redis_settings settings = {.address = server_address(redis)};
    const struct str forget[] = {STR("SCRIPT"), STR("FLUSH")};
    struct store *s = open_redis();
    struct redis *r;

    arena = arena_new(0);
    ck_assert_int_eq(redis_open(&settings, &r, NULL), ERR_NONE);
    claim(s, "script", MINE);
    run_command(r, forget, 2);
    ck_assert_int_eq(commit(s, "script", MINE, 0, "m", NULL, 0), STORE_DONE);
    run_command(r, forget, 2);
    ck_assert_uint_eq(claim(s, "script", MINE).commit, 1);
    redis_close(r);
    s->class->close(s);
    arena_free(arena);
}
END_TEST

START_TEST(a_read_behind_a_forgotten_script_waits_for_it)
{
    const struct redis_settings settings = {.address = server_address(redis)};
    const struct str forget[] = {STR("SCRIPT"), STR("FLUSH")};
    const struct store_subject subject = {.subject = STR("a"), .blob = STR("1")};
    struct store *s = open_redis();
    struct str blob;
    struct redis *r;

    arena = arena_new(0);
    ck_assert_int_eq(redis_open(&settings, &r, NULL), ERR_NONE);
    claim(s, "forgot", MINE);
    run_command(r, forget, 2);
    s->class->commit_send(s, "forgot", 1, MINE, 0, STR("m"), &subject, 1);
    ck_assert_int_eq(load_one(s, "forgot", MINE, 1, "a", &blob), STORE_DONE);
    ck_assert(str_is(blob, "1"));
    ck_assert_int_eq(s->class->commit_wait(s, "forgot", 1, NULL), STORE_DONE);
    redis_close(r);
    s->class->close(s);
    arena_free(arena);
}
END_TEST

/* Three on their way, answers lost with the connection: each is done once, whoever asks first. */
START_TEST(commits_in_flight_outlive_the_connection)
{
    const struct store_subject subject = {.subject = STR("a"), .blob = STR("1")};
    struct store *s = open_redis();
    struct store_claim out;
    struct store_subject wanted = {.subject = STR("a")};

    arena = arena_new(0);
    for (int32_t p = 0; p < 3; p++)
        ck_assert_int_eq(s->class->claim(s, "cut", p, MINE, STR("g"), arena, &out, NULL),
                         STORE_DONE);
    for (int32_t p = 0; p < 3; p++)
        s->class->commit_send(s, "cut", p, MINE, 0, STR("m"), &subject, 1);
    server_restart(redis, 0);
    while (!s->class->commit_ready(s, "cut", 1))
        clock_sleep_ms(1);
    ck_assert_int_eq(s->class->commit_wait(s, "cut", 1, NULL), STORE_DONE);
    s->class->commit_drop(s, "cut", 2);
    ck_assert_int_eq(s->class->load(s, "cut", 0, MINE, 1, arena, &wanted, 1, NULL), STORE_DONE);
    ck_assert(str_is(wanted.blob, "1"));
    ck_assert_int_eq(s->class->commit_wait(s, "cut", 0, NULL), STORE_DONE);
    ck_assert_int_eq(s->class->claim(s, "cut", 2, OTHERS, STR("g"), arena, &out, NULL), STORE_DONE);
    s->class->close(s);
    arena_free(arena);
}
END_TEST

START_TEST(an_answer_is_seen_without_waiting_for_it)
{
    struct store *s = open_redis();

    arena = arena_new(0);
    claim(s, "poll", MINE);
    s->class->commit_send(s, "poll", 1, MINE, 0, STR("m"), NULL, 0);
    ck_assert_int_ge(s->class->fd(s), 0);
    while (!s->class->commit_ready(s, "poll", 1)) {
        struct pollfd fd = {.fd = s->class->fd(s), .events = POLLIN};

        ck_assert_int_eq(poll(&fd, 1, 10000), 1);
    }
    ck_assert_int_eq(s->class->commit_wait(s, "poll", 1, NULL), STORE_DONE);
    s->class->close(s);
    arena_free(arena);
}
END_TEST

START_TEST(the_store_says_what_time_it_is)
{
    struct store *s = open_redis();
    int64_t before_ms = clock_wall_ms(), at_ms;

    ck_assert(s->class->clock(s, &at_ms));
    ck_assert(at_ms >= before_ms && at_ms <= clock_wall_ms());
    s->class->close(s);
}
END_TEST

START_TEST(a_redis_that_was_killed_is_used_again)
{
    struct store *s = open_redis();
    struct store_claim out;
    struct err err = {0};

    arena = arena_new(0);
    claim(s, "kill", MINE);
    ck_assert_int_eq(commit(s, "kill", MINE, 0, "m", NULL, 0), STORE_DONE);
    server_kill(redis, 0, SIGKILL);
    ck_assert_int_eq(s->class->claim(s, "kill", 1, MINE, STR("group g"), arena, &out, &err),
                     STORE_DOWN);
    s->class->commit_send(s, "kill", 1, MINE, 1, STR("m"), NULL, 0);
    ck_assert_int_eq(s->class->commit_wait(s, "kill", 1, &err), STORE_DOWN);
    server_restart(redis, 0);
    ck_assert_uint_eq(claim(s, "kill", MINE).commit, 1);
    s->class->commit_send(s, "kill", 1, MINE, 1, STR("m"), NULL, 0);
    server_restart(redis, 0); /* before or after it landed: sent again, it is done once */
    ck_assert_int_eq(s->class->commit_wait(s, "kill", 1, &err), STORE_DONE);
    ck_assert_uint_eq(claim(s, "kill", MINE).commit, 2);
    s->class->close(s);
    arena_free(arena);
}
END_TEST

/* The answer is lost, the commit is not. */
START_TEST(a_commit_that_had_landed_is_done_when_sent_again)
{
    struct store *s = open_redis();

    arena = arena_new(0);
    claim(s, "landed", MINE);
    ck_assert_int_eq(commit(s, "landed", MINE, 0, "m", NULL, 0), STORE_DONE);
    ck_assert_int_eq(commit(s, "landed", MINE, 0, "m", NULL, 0), STORE_DONE);
    ck_assert_uint_eq(claim(s, "landed", MINE).commit, 1);
    s->class->close(s);
    arena_free(arena);
}
END_TEST

START_TEST(a_redis_that_evicts_is_not_trusted)
{
    const struct redis_settings settings = {.address = server_address(redis)};
    const struct str evict[] = {STR("CONFIG"), STR("SET"), STR("maxmemory-policy"),
                                STR("allkeys-lru")};
    const struct str keep[] = {STR("CONFIG"), STR("SET"), STR("maxmemory-policy"),
                               STR("noeviction")};
    struct redis *r, *other;
    struct err err;

    ck_assert_int_eq(redis_open(&settings, &r, NULL), ERR_NONE);
    run_command(r, evict, 4);
    ck_assert_int_eq(redis_open(&settings, &other, &err), ERR_CONFIG);
    ck_assert_ptr_null(other);
    ck_assert_ptr_nonnull(strstr(err.text, "maxmemory-policy noeviction"));
    run_command(r, keep, 4);
    redis_close(r);
}
END_TEST

START_TEST(a_wrong_password_and_a_dead_port_are_told_apart)
{
    const struct redis_settings wrong = {.address = server_address(redis), .password = "x"};
    const struct redis_settings dead = {.address = "127.0.0.1:1"};
    const struct redis_settings socket = {.address = "unix:/nowhere/redis.sock"};
    struct redis *r;

    ck_assert_int_eq(redis_open(&wrong, &r, NULL), ERR_CONFIG);
    ck_assert_int_eq(redis_open(&dead, &r, NULL), ERR_DOWN);
    ck_assert_int_eq(redis_open(&socket, &r, NULL), ERR_DOWN);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {what_is_committed_is_what_is_loaded,
                                  who_lost_the_partition_reads_and_writes_nothing,
                                  timers_come_in_the_order_of_time_and_name,
                                  timers_of_a_lane_stand_apart,
                                  state_of_another_group_is_not_given_away,
                                  what_is_read_with_a_commit_in_flight_comes_behind_it,
                                  what_is_read_behind_a_refused_commit_is_refused_with_it,
                                  a_commit_that_nobody_waits_for_disturbs_nobody,
                                  several_commits_are_on_their_way_at_once,
                                  a_read_behind_a_forgotten_script_waits_for_it,
                                  commits_in_flight_outlive_the_connection,
                                  an_answer_is_seen_without_waiting_for_it,
                                  the_store_says_what_time_it_is,
                                  a_large_commit_is_loaded_whole,
                                  a_forgotten_script_is_sent_again,
                                  a_redis_that_was_killed_is_used_again,
                                  a_commit_that_had_landed_is_done_when_sent_again,
                                  a_redis_that_evicts_is_not_trusted,
                                  a_wrong_password_and_a_dead_port_are_told_apart};

    return suite_run_with("store", tests, sizeof tests / sizeof tests[0], 30, start, stop);
}
