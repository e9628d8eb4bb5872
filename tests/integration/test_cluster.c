/* A worker over a real Redis Cluster: slots move under it, primaries die, all of it is restarted; what
 * readers take and the states are those of an undisturbed run. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "connectors/redis/slots.h"
#include "core/clock.h"
#include "core/log.h"
#include "processors/worker/redis_store.h"
#include "tests/support/probe.h"
#include "tests/support/redis_cluster.h"
#include "tests/support/scene.h"
#include "tests/support/suite.h"

enum { FAILOVER_MS = 20000 };

#define MINE "0123456789abcdef0123456789abcdef"

static struct server *cluster;

static void start(void)
{
    log_setup(LOG_ERROR, LOG_LOGFMT, false);
    scene_kafka = kafka_start(1);
    cluster = redis_cluster_start((const char *const[]){"--appendfsync", "always", NULL});
    scene_redis = cluster;
}

static void stop(void)
{
    server_stop(scene_kafka);
    server_stop(cluster);
}

static void open_scene(struct scene *s, const char *name)
{
    scene_open(s, name);
    s->config.redis.address = redis_cluster_url(cluster);
}

static void poll_for(struct worker *w, int times)
{
    for (int i = 0; i < times; i++)
        worker_poll(w, 10, NULL);
}

static int slot_of(const struct scene *s, int partition)
{
    char key[64];

    snprintf(key, sizeof key, "{%s:%d}:meta", s->step, partition);
    return slots_of_key(str_of(key));
}

/* How often the nodes have answered with this error ("ASK", "TRYAGAIN", "MOVED") so far. */
static int answered(const char *error)
{
    char answer[8192], wanted[64], *at;
    int count = 0;

    snprintf(wanted, sizeof wanted, "errorstat_%s:count=", error);
    for (int i = 0; i < server_count(cluster); i++) {
        probe_redis_ask(server_port(cluster, i), "INFO errorstats", answer, sizeof answer);
        at = strstr(answer, wanted);
        count += at != NULL ? atoi(at + strlen(wanted)) : 0;
    }
    return count;
}

/* --- slots that move ------------------------------------------------------------------------------ */

/* A key after the other, as redis-cli does it, while records come in. */
static void move_slot(const struct scene *s, struct worker *w, int slot, int to, uint64_t seed)
{
    int from = redis_cluster_primary(cluster, slot);

    redis_cluster_move_begin(cluster, slot, from, to);
    for (uint64_t i = 0; redis_cluster_move_keys(cluster, slot, from, to, 25) > 0; i++) {
        if (i < 3)
            scene_feed(s, seed + i, 100);
        poll_for(w, 8);
    }
    poll_for(w, 20); /* all keys are there, and the slot is not yet */
    redis_cluster_move_end(cluster, slot, to);
}

START_TEST(a_slot_that_moves_under_a_worker_changes_nothing)
{
    int asked = answered("ASK"), later = answered("TRYAGAIN"), moved = answered("MOVED");
    struct scene s;
    struct worker *w;

    open_scene(&s, "moves");
    scene_feed(&s, 1, 2000);
    w = scene_worker(&s);
    scene_run_until_kept(&s, w);
    for (int i = 0; i < 3; i++) {
        int slot = slot_of(&s, i % SCENE_INPUTS);
        int to = (redis_cluster_primary(cluster, slot) + 1) % REDIS_CLUSTER_PRIMARIES;

        scene_feed(&s, 10 * (uint64_t)(i + 1), 500);
        move_slot(&s, w, slot, to, 10 * (uint64_t)(i + 1) + 1);
        scene_run_until_kept(&s, w);
    }
    worker_close(w);
    ck_assert_int_gt(answered("ASK"), asked);
    ck_assert_int_gt(answered("TRYAGAIN"), later);
    ck_assert_int_gt(answered("MOVED"), moved);
    scene_compare(&s);
}
END_TEST

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
    struct arena *arena = arena_new(0);
    struct store *s = open_store();
    struct store_claim claim;
    int64_t until_ms;

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
    ck_assert_int_eq(s->class->load(s, "half", 0, MINE, 1, arena, both, 2, NULL), STORE_DOWN);
    redis_cluster_move_keys(cluster, slot, from, to, 100);
    redis_cluster_move_end(cluster, slot, to);
    ck_assert_int_eq(s->class->commit_wait(s, "half", 0, NULL), STORE_DONE);
    ck_assert_int_eq(s->class->load(s, "half", 0, MINE, 2, arena, both, 2, NULL), STORE_DONE);
    ck_assert(str_is(both[0].blob, "2") && str_is(both[1].blob, "2"));
    s->class->close(s);
    arena_free(arena);
}
END_TEST

/* --- nodes that die ------------------------------------------------------------------------------- */

/* Until another node serves it. */
static void wait_failover(struct worker *w, int slot, int dead)
{
    int64_t until_ms = clock_mono_ms() + FAILOVER_MS;
    int now;

    do {
        poll_for(w, 5);
        now = redis_cluster_primary(cluster, slot);
        ck_assert(clock_mono_ms() < until_ms);
    } while (now < 0 || now == dead);
}

START_TEST(a_primary_that_dies_is_followed_by_its_replica)
{
    struct scene s;
    struct worker *w;
    uint64_t seed = 100;

    open_scene(&s, "dies");
    scene_feed(&s, seed++, 1000);
    w = scene_worker(&s);
    scene_run_until_kept(&s, w);
    for (int i = 0; i < 2; i++) {
        int slot = slot_of(&s, i), primary = redis_cluster_primary(cluster, slot);

        scene_feed(&s, seed++, 1000);
        poll_for(w, 2); /* in the midst of it */
        server_kill(cluster, primary, SIGKILL);
        scene_feed(&s, seed++, 500);
        wait_failover(w, slot, primary);
        scene_run_until_kept(&s, w);
        server_restart(cluster, primary); /* a replica from now on */
        redis_cluster_wait(cluster);
    }
    worker_close(w);
    scene_compare(&s);
}
END_TEST

START_TEST(a_cluster_that_was_restarted_goes_on_with_its_state)
{
    struct worker_partition_status status[SCENE_INPUTS];
    struct scene s;
    struct worker *w;

    open_scene(&s, "restarted");
    scene_feed(&s, 200, 1000);
    w = scene_worker(&s);
    scene_run_until_kept(&s, w);
    scene_feed(&s, 201, 2000);
    poll_for(w, 2);
    for (int i = 0; i < server_count(cluster); i++)
        server_kill(cluster, i, SIGKILL);
    do
        poll_for(w, 10);
    while (worker_status(w, status, SCENE_INPUTS) < SCENE_INPUTS ||
           status[0].state != WORKER_SUSPENDED || status[1].state != WORKER_SUSPENDED);
    for (int i = 0; i < server_count(cluster); i++)
        server_restart(cluster, i);
    scene_run_until_kept(&s, w);
    worker_close(w);
    redis_cluster_wait(cluster);
    scene_compare(&s);
}
END_TEST

/* --- who may come in --------------------------------------------------------------------------------- */

static void tell_all(const char *command)
{
    char answer[256];

    for (int i = 0; i < server_count(cluster); i++) {
        probe_redis_ask(server_port(cluster, i), command, answer, sizeof answer);
        ck_assert_str_eq(answer, "+OK\r\n");
    }
}

static void refused(const char *address, const char *why)
{
    const struct redis_settings settings = {.address = address};
    struct redis *r;
    struct err err = {0};

    ck_assert_int_eq(redis_open(&settings, &r, &err), ERR_CONFIG);
    ck_assert_msg(strstr(err.text, why) != NULL, "%s", err.text);
}

/* What docs/running.md says that a user needs is enough, and one who lacks something is told what. */
START_TEST(a_user_needs_what_the_guide_says)
{
    char url[256];
    struct scene s;
    struct worker *w;

    tell_all("ACL SETUSER attent on >se:cr@t resetkeys ~{decide:* ~{identify:* ~attent:view:* "
             "~{user:* resetchannels -@all +@read +@write +@transaction +eval +evalsha "
             "+script|load +info +time +asking +cluster|slots -@dangerous +info");
    tell_all("ACL SETUSER poor on >pw ~* -@all +info");
    open_scene(&s, "user");
    snprintf(url, sizeof url, "redis+cluster://attent:se%%3Acr@t@%s", server_address(cluster));
    s.config.redis.address = url;
    scene_feed(&s, 300, 300);
    w = scene_worker(&s);
    scene_run_until_kept(&s, w);
    worker_close(w);
    scene_compare(&s);
    snprintf(url, sizeof url, "redis+cluster://attent:wrong@%s", server_address(cluster));
    refused(url, "user and password");
    snprintf(url, sizeof url, "redis+cluster://poor:pw@%s", server_address(cluster));
    refused(url, "NOPERM");
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

int main(void)
{
    const TTest *const tests[] = {a_slot_that_moves_under_a_worker_changes_nothing,
                                  a_commit_into_a_slot_on_the_move_is_done_whole_or_not_at_all,
                                  a_primary_that_dies_is_followed_by_its_replica,
                                  a_cluster_that_was_restarted_goes_on_with_its_state,
                                  a_user_needs_what_the_guide_says,
                                  one_primary_that_evicts_is_one_too_many};

    return suite_run_with("cluster", tests, sizeof tests / sizeof tests[0], 120, start, stop);
}
