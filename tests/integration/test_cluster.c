/* A worker over a real Redis Cluster: slots move under it, primaries die, all of it is restarted; what
 * readers take and the states are those of an undisturbed run. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "connectors/redis/slots.h"
#include "core/clock.h"
#include "core/log.h"
#include "tests/support/probe.h"
#include "tests/support/redis_cluster.h"
#include "tests/support/scene.h"
#include "tests/support/suite.h"

enum { FAILOVER_MS = 20000 };

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
    char key[80];

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
    for (int i = 0; i < SCENE_INPUTS; i++) {
        int slot = slot_of(&s, i);
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
    redis_cluster_wait(cluster); /* the other nodes have heard of it */
}

static void restart(int node)
{
    server_restart(cluster, node); /* a replica from now on */
    redis_cluster_wait(cluster);
}

START_TEST(a_primary_that_dies_is_followed_by_its_replica)
{
    struct scene s;
    struct worker *w;
    int slot, primary;

    open_scene(&s, "dies");
    slot = slot_of(&s, 0);
    primary = redis_cluster_primary(cluster, slot);
    scene_feed(&s, 100, 1000);
    w = scene_worker(&s);
    scene_run_until_kept(&s, w);
    scene_feed(&s, 101, 1000);
    poll_for(w, 2); /* in the midst of it */
    server_kill(cluster, primary, SIGKILL);
    scene_feed(&s, 102, 500);
    wait_failover(w, slot, primary);
    scene_run_until_kept(&s, w);
    worker_close(w);
    restart(primary);
    scene_compare(&s);
}
END_TEST

/* The replica hears nothing any more, and takes the place of its primary with what it had. */
START_TEST(a_failover_that_loses_acknowledged_commits_loses_nothing)
{
    char answer[64];
    struct scene s;
    struct worker *w;
    int slot, primary, replica;

    open_scene(&s, "forgets");
    slot = slot_of(&s, 0);
    primary = redis_cluster_primary(cluster, slot);
    replica = (primary + REDIS_CLUSTER_PRIMARIES) % server_count(cluster);
    scene_feed(&s, 110, 1000);
    w = scene_worker(&s);
    scene_run_until_kept(&s, w);
    probe_redis_ask(server_port(cluster, primary), "WAIT 1 1500", answer, sizeof answer);
    ck_assert_str_eq(answer, ":1\r\n");
    server_kill(cluster, replica, SIGSTOP);
    probe_redis_ask(server_port(cluster, primary), "CLIENT KILL TYPE replica", answer,
                    sizeof answer);
    ck_assert_str_eq(answer, ":1\r\n");
    scene_feed(&s, 111, 1000);
    scene_run_until_kept(&s, w);
    server_kill(cluster, primary, SIGKILL);
    server_kill(cluster, replica, SIGCONT);
    wait_failover(w, slot, primary);
    scene_feed(&s, 112, 200);
    scene_run_until_kept(&s, w);
    worker_close(w);
    restart(primary);
    ck_assert_uint_gt(scene_compare(&s), 0); /* what was decided anew, readers have dropped */
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

/* What docs/running.md says that a user needs, and the keys of this test. */
START_TEST(a_user_needs_what_the_guide_says)
{
    char url[256];
    struct scene s;
    struct worker *w;

    tell_all("ACL SETUSER attent on >se:cr@t resetkeys ~{decide:* ~{identify:* ~attent:view:* "
             "~{user:* resetchannels -@all +@read +@write +@transaction -@dangerous +eval "
             "+evalsha +script|load +info +time +ping +asking +cluster|slots");
    open_scene(&s, "user");
    snprintf(url, sizeof url, "redis+cluster://attent:se%%3Acr@t@%s", server_address(cluster));
    s.config.redis.address = url;
    scene_feed(&s, 300, 300);
    w = scene_worker(&s);
    scene_run_until_kept(&s, w);
    worker_close(w);
    scene_compare(&s);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_slot_that_moves_under_a_worker_changes_nothing,
                                  a_primary_that_dies_is_followed_by_its_replica,
                                  a_failover_that_loses_acknowledged_commits_loses_nothing,
                                  a_cluster_that_was_restarted_goes_on_with_its_state,
                                  a_user_needs_what_the_guide_says};

    return suite_run_with("cluster", tests, sizeof tests / sizeof tests[0], 120, start, stop);
}
