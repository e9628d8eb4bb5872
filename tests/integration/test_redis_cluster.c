/* Routing over a real Redis Cluster: pipelines, scans, commits and waiting, while slots move and nodes
 * die; and who is let in. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>

#include "connectors/redis/scan.h"
#include "connectors/redis/slots.h"
#include "core/clock.h"
#include "core/log.h"
#include "processors/worker/redis_store.h"
#include "tests/support/probe.h"
#include "tests/support/redis_cluster.h"
#include "tests/support/suite.h"
#include "tests/support/wait.h"

#define MINE "0123456789abcdef0123456789abcdef"

enum { KEYS = 300, WAIT_MS_MAX = 20000 };

static struct server *cluster;

static void start(void)
{
    log_setup(LOG_ERROR, LOG_LOGFMT, false);
    cluster = redis_cluster_start(NULL);
}

static void stop(void)
{
    server_stop(cluster);
}

static struct redis *open_cluster(void)
{
    const struct redis_settings settings = {.address = redis_cluster_url(cluster)};
    struct redis *r;
    struct err err = {0};

    ck_assert_msg(redis_open(&settings, &r, &err) == ERR_NONE, "%s", err.text);
    return r;
}

static void move_slot(int slot)
{
    int from = redis_cluster_primary(cluster, slot), to = from;

    for (int other = 100; to == from; other += 5461) /* one of each third */
        to = redis_cluster_primary(cluster, other % REDIS_CLUSTER_SLOTS);
    redis_cluster_move_begin(cluster, slot, from, to);
    redis_cluster_move_keys(cluster, slot, from, to, 1000);
    redis_cluster_move_end(cluster, slot, to);
}

/* --- commands --------------------------------------------------------------------------------------- */

static struct str key_of(char text[24], const char *prefix, int i)
{
    return (struct str){text, (size_t)snprintf(text, 24, "%s%d", prefix, i)};
}

static void set_all(struct redis *r, const char *prefix)
{
    struct redis_reply *reply;
    char text[24];

    for (int i = 0; i < KEYS; i++) {
        struct str key = key_of(text, prefix, i);

        redis_send(r, (const struct str[]){STR("SET"), key, key}, 3);
    }
    for (int i = 0; i < KEYS; i++) {
        ck_assert_int_eq(redis_receive(r, &reply, NULL), ERR_NONE);
        ck_assert_int_eq(redis_reply_kind(reply), REDIS_STATUS);
        redis_reply_free(reply);
    }
}

static void get_all(struct redis *r, const char *prefix)
{
    struct redis_reply *reply;
    struct err err = {0};
    char text[24];

    for (int i = 0; i < KEYS; i++)
        redis_send(r, (const struct str[]){STR("GET"), key_of(text, prefix, i)}, 2);
    for (int i = 0; i < KEYS; i++) {
        ck_assert_msg(redis_receive(r, &reply, &err) == ERR_NONE, "%s", err.text);
        ck_assert(str_equal(redis_reply_text(reply), key_of(text, prefix, i)));
        redis_reply_free(reply);
    }
}

/* Keys of all three, replies in the order of sending, also where some of them have moved since. */
START_TEST(a_pipeline_goes_to_all_primaries_and_follows_what_moves)
{
    struct redis *r = open_cluster();

    set_all(r, "p");
    get_all(r, "p");
    for (int i = 0; i < 5; i++) {
        char text[24];

        move_slot(slots_of_key(key_of(text, "p", 50 * i)));
    }
    get_all(r, "p");
    redis_close(r);
}
END_TEST

/* Where its key is, also when that server has forgotten it or the slot has moved. */
START_TEST(a_script_runs_where_its_key_is)
{
    struct redis_script script = {.text = "return redis.call('GET', KEYS[1]) .. ARGV[1]"};
    const struct str args[] = {STR("p1"), STR("!")};
    struct redis *r = open_cluster();
    struct redis_reply *reply;

    set_all(r, "p");
    ck_assert_int_eq(redis_script_learn(r, &script, NULL), ERR_NONE);
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < server_count(cluster); k++)
            probe_redis_ask(server_port(cluster, k), "SCRIPT FLUSH", (char[64]){0}, 64);
        ck_assert_int_eq(redis_script_run(r, &script, args, 1, 2, &reply, NULL), ERR_NONE);
        ck_assert(str_is(redis_reply_text(reply), "p1!"));
        redis_reply_free(reply);
        move_slot(slots_of_key(STR("p1")));
    }
    redis_close(r);
}
END_TEST

START_TEST(a_scan_finds_what_all_primaries_hold)
{
    struct redis *r = open_cluster();
    struct arena *arena = arena_new(0);
    struct redis_pair *pairs;
    size_t count;

    set_all(r, "scan:");
    ck_assert_int_eq(redis_scan(r, STR("scan:"), arena, &pairs, &count, NULL), ERR_NONE);
    ck_assert_uint_eq(count, KEYS);
    ck_assert(str_is(pairs[7].name, "104") && str_is(pairs[7].value, "scan:104"));
    set_all(r, "{one}:");
    ck_assert_int_eq(redis_scan(r, STR("{one}:"), arena, &pairs, &count, NULL), ERR_NONE);
    ck_assert_uint_eq(count, KEYS);
    arena_free(arena);
    redis_close(r);
}
END_TEST

/* --- commits ---------------------------------------------------------------------------------------- */

static struct store *open_store(void)
{
    const struct redis_settings settings = {.address = redis_cluster_url(cluster)};
    struct store *s;
    struct err err = {0};

    ck_assert_msg(redis_store_open(&settings, &s, &err) == ERR_NONE, "%s", err.text);
    return s;
}

static enum store_result commit(struct store *s, uint64_t number,
                                const struct store_subject *subjects, size_t count)
{
    s->class->commit_send(s, "half", 0, MINE, number, STR("m"), subjects, count);
    return s->class->commit_wait(s, "half", 0, NULL);
}

/* Emptying the set of timers and filling it again is two writes: the slot's old server would refuse the
 * second. */
START_TEST(a_commit_into_a_slot_on_the_move_is_done_whole_or_not_at_all)
{
    struct store_subject both[] = {
        {.subject = STR("a"), .blob = STR("1"), .due_ms = 5, .due_changed = true},
        {.subject = STR("b"), .blob = STR("1"), .due_ms = STEP_NO_TIMER}};
    int slot = slots_of_key(STR("{half:0}:meta")), from = redis_cluster_primary(cluster, slot);
    int to = (from + 1) % REDIS_CLUSTER_PRIMARIES;
    struct store_subject read[] = {{.subject = STR("a")}, {.subject = STR("b")}};
    struct arena *arena = arena_new(0);
    struct store *s = open_store();
    struct store_claim claim;
    int64_t until_ms;
    char answer[64];

    ck_assert_int_eq(s->class->claim(s, "half", 0, MINE, STR("g"), arena, &claim, NULL),
                     STORE_DONE);
    ck_assert_int_eq(commit(s, 0, both, 2), STORE_DONE);
    both[0].due_ms = STEP_NO_TIMER;
    both[0].blob = both[1].blob = STR("2");
    both[1].due_ms = 7;
    both[1].due_changed = true;
    redis_cluster_move_begin(cluster, slot, from, to);
    s->class->commit_send(s, "half", 0, MINE, 1, STR("m"), both, 2);
    until_ms = clock_mono_ms() + 300;
    while (clock_mono_ms() < until_ms)
        ck_assert(!s->class->commit_ready(s, "half", 0));
    probe_redis_ask(server_port(cluster, from), "GET {half:0}:s:a", answer, sizeof answer);
    ck_assert_str_eq(answer, "$1\r\n1\r\n"); /* not half of it */
    ck_assert_int_eq(s->class->load(s, "half", 0, MINE, 2, arena, read, 2, NULL), STORE_DOWN);
    redis_cluster_move_keys(cluster, slot, from, to, 100);
    redis_cluster_move_end(cluster, slot, to);
    ck_assert_int_eq(s->class->commit_wait(s, "half", 0, NULL), STORE_DONE);
    ck_assert_int_eq(s->class->load(s, "half", 0, MINE, 2, arena, read, 2, NULL), STORE_DONE);
    ck_assert(str_is(read[0].blob, "2") && str_is(read[1].blob, "2"));
    s->class->close(s);
    arena_free(arena);
}
END_TEST

/* A partition on each primary; one dies.  The others' commits are answered, that one's is when its
 * replica has taken over: a commit that had not landed is done there. */
START_TEST(a_dead_primary_holds_up_its_own_partitions_only)
{
    struct store *s = open_store();
    struct arena *arena = arena_new(0);
    struct store_claim claim;
    int64_t until_ms = clock_mono_ms() + WAIT_MS_MAX;
    int dead = redis_cluster_primary(cluster, slots_of_key(STR("{die:0}:meta"))), others = 0;

    for (int32_t p = 0; p < 9; p++)
        ck_assert_int_eq(s->class->claim(s, "die", p, MINE, STR("g"), arena, &claim, NULL),
                         STORE_DONE);
    probe_redis_ask(server_port(cluster, dead), "WAIT 1 5000", (char[64]){0}, 64);
    server_kill(cluster, dead, SIGKILL);
    for (int32_t p = 0; p < 9; p++)
        s->class->commit_send(s, "die", p, MINE, 0, STR("m"), NULL, 0);
    for (int32_t p = 1; p < 9; p++) {
        char key[24];
        int slot = slots_of_key(
            (struct str){key, (size_t)snprintf(key, sizeof key, "{die:%d}:meta", (int)p)});

        if (redis_cluster_primary(cluster, slot) < 0)
            continue;
        ck_assert_int_eq(s->class->commit_wait(s, "die", p, NULL), STORE_DONE);
        others++;
    }
    ck_assert_int_gt(others, 0);
    ck_assert_int_eq(s->class->commit_wait(s, "die", 0, NULL), STORE_DOWN);
    while (s->class->claim(s, "die", 0, MINE, STR("g"), arena, &claim, NULL) != STORE_DONE) {
        ck_assert(clock_mono_ms() < until_ms);
        wait_pause_ms(20);
    }
    ck_assert_uint_eq(claim.commit, 0);
    s->class->commit_send(s, "die", 0, MINE, 0, STR("m"), NULL, 0);
    ck_assert_int_eq(s->class->commit_wait(s, "die", 0, NULL), STORE_DONE);
    s->class->close(s);
    server_restart(cluster, dead);
    redis_cluster_wait(cluster);
    arena_free(arena);
}
END_TEST

/* Commits on all three: one descriptor tells of each answer, and of none when none is owed. */
START_TEST(one_descriptor_waits_for_all_primaries)
{
    struct store *s = open_store();
    struct arena *arena = arena_new(0);
    struct store_claim claim;

    for (int32_t p = 0; p < 6; p++)
        ck_assert_int_eq(s->class->claim(s, "wait", p, MINE, STR("g"), arena, &claim, NULL),
                         STORE_DONE);
    for (int32_t p = 0; p < 6; p++)
        s->class->commit_send(s, "wait", p, MINE, 0, STR("m"), NULL, 0);
    for (int32_t p = 0; p < 6; p++) {
        while (!s->class->commit_ready(s, "wait", p)) {
            struct pollfd fd = {.fd = s->class->fd(s), .events = POLLIN};

            ck_assert_int_eq(poll(&fd, 1, WAIT_MS_MAX), 1);
        }
        ck_assert_int_eq(s->class->commit_wait(s, "wait", p, NULL), STORE_DONE);
    }
    for (int i = 0; i < server_count(cluster); i++)
        probe_redis_ask(server_port(cluster, i), "CLIENT KILL TYPE normal", (char[64]){0}, 64);
    struct pollfd quiet = {.fd = s->class->fd(s), .events = POLLIN};
    ck_assert_int_eq(poll(&quiet, 1, 100), 0);
    s->class->close(s);
    arena_free(arena);
}
END_TEST

/* --- who may come in ---------------------------------------------------------------------------------- */

static void refused(const char *address, const char *why)
{
    const struct redis_settings settings = {.address = address};
    struct redis *r;
    struct err err = {0};

    ck_assert_int_eq(redis_open(&settings, &r, &err), ERR_CONFIG);
    ck_assert_msg(strstr(err.text, why) != NULL, "%s", err.text);
}

START_TEST(who_lacks_something_is_told_what)
{
    char url[256], answer[256];

    for (int i = 0; i < server_count(cluster); i++) {
        probe_redis_ask(server_port(cluster, i), "ACL SETUSER poor on >pw ~* -@all +info", answer,
                        sizeof answer);
        ck_assert_str_eq(answer, "+OK\r\n");
    }
    snprintf(url, sizeof url, "redis+cluster://poor:wrong@%s", server_address(cluster));
    refused(url, "user and password: WRONGPASS");
    snprintf(url, sizeof url, "redis+cluster://poor:pw@%s", server_address(cluster));
    refused(url, "NOPERM");
    snprintf(url, sizeof url, "rediss+cluster://%s", server_address(cluster));
    refused(url, "TLS");
}
END_TEST

START_TEST(one_primary_that_evicts_is_one_too_many)
{
    char answer[64], url[64];
    int one = redis_cluster_primary(cluster, 9000);

    probe_redis_ask(server_port(cluster, one), "CONFIG SET maxmemory-policy volatile-lru", answer,
                    sizeof answer);
    refused(redis_cluster_url(cluster), "maxmemory-policy volatile-lru");
    probe_redis_ask(server_port(cluster, one), "CONFIG SET maxmemory-policy noeviction", answer,
                    sizeof answer);
    snprintf(url, sizeof url, "127.0.0.1:%d", server_port(cluster, one));
    refused(url, "redis+cluster://127.0.0.1:");
}
END_TEST

START_TEST(who_does_not_append_is_warned)
{
    const char *const args[] = {"--appendonly", "no", NULL};
    struct server *single = redis_start(args);
    const struct redis_settings settings = {.address = server_address(single)};
    struct redis *r = open_cluster();

    ck_assert_str_eq(redis_advice(r), "");
    redis_close(r);
    ck_assert_int_eq(redis_open(&settings, &r, NULL), ERR_NONE);
    ck_assert_ptr_nonnull(strstr(redis_advice(r), "has appendonly no"));
    redis_close(r);
    server_stop(single);
}
END_TEST

START_TEST(a_single_server_is_no_cluster)
{
    struct server *single = redis_start(NULL);
    char url[64];

    snprintf(url, sizeof url, "redis+cluster://%s", server_address(single));
    refused(url, "cluster support disabled");
    server_stop(single);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_pipeline_goes_to_all_primaries_and_follows_what_moves,
                                  a_script_runs_where_its_key_is,
                                  a_scan_finds_what_all_primaries_hold,
                                  a_commit_into_a_slot_on_the_move_is_done_whole_or_not_at_all,
                                  a_dead_primary_holds_up_its_own_partitions_only,
                                  one_descriptor_waits_for_all_primaries,
                                  who_lacks_something_is_told_what,
                                  one_primary_that_evicts_is_one_too_many,
                                  who_does_not_append_is_warned,
                                  a_single_server_is_no_cluster};

    return suite_run_with("redis_cluster", tests, sizeof tests / sizeof tests[0], 60, start, stop);
}
