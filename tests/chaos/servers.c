#include "tests/chaos/servers.h"

#include <stdio.h>
#include <stdlib.h>

#include "connectors/redis/slots.h"
#include "tests/support/probe.h"
#include "tests/support/redis_cluster.h"
#include "tests/support/scratch.h"
#include "tests/support/wait.h"

enum {
    WHOLE_MS_MAX = 120 * 1000,
    LOOK_MS = 50,
    KEYS = 50, /* moved at once */
    MOVE_PAUSE_MS = 20,
};

/* --- Kafka ---------------------------------------------------------------------------------- */

/* Each broker logs what it becomes in the quorum of controllers. */
static bool says_it_leads(const char *log_path)
{
    static const char mark[] = "Completed transition to ";
    char *text = scratch_read(log_path, NULL);
    const char *last = NULL;
    bool leads;

    for (const char *at = text; at != NULL && (at = strstr(at, mark)) != NULL; at++)
        last = at + strlen(mark);
    leads = last != NULL && str_starts(str_of(last), STR("Leader("));
    free(text);
    return leads;
}

int servers_kafka_controller(struct server *kafka)
{
    for (int i = 0; i < server_count(kafka); i++)
        if (server_pid(kafka, i) != 0 && says_it_leads(server_log(kafka, i)))
            return i;
    return -1;
}

/* --- Redis ---------------------------------------------------------------------------------- */

static int slot_of(uint64_t draw)
{
    char key[32];

    snprintf(key, sizeof key, "{decide:%d}", (int)(draw % CHAOS_PARTITIONS));
    return slots_of_key(str_of(key));
}

int servers_redis_primary(struct site *s, uint64_t draw)
{
    return redis_cluster_primary(s->redis, slot_of(draw));
}

void servers_redis_announce(struct site *s, int index)
{
    char command[64], answer[128] = "";

    snprintf(command, sizeof command, "CONFIG SET cluster-announce-port %d", s->redis_ports[index]);
    probe_redis_ask(server_port(s->redis, index), command, answer, sizeof answer);
    if (strncmp(answer, "+OK", 3) != 0)
        scratch_fail("Redis node %d: %s: %s", index, command, answer);
}

void servers_redis_restart(struct site *s, int index)
{
    server_restart(s->redis, index);
    servers_redis_announce(s, index);
}

static bool is_whole(int port)
{
    char answer[8192] = "";

    probe_redis_ask(port, "CLUSTER INFO", answer, sizeof answer);
    if (strstr(answer, "cluster_state:ok") == NULL)
        return false;
    probe_redis_ask(port, "INFO replication", answer, sizeof answer);
    return strstr(answer, "role:master") != NULL || strstr(answer, "master_link_status:up") != NULL;
}

bool servers_redis_is_whole(struct site *s)
{
    bool whole = true;

    for (int i = 0; i < s->redis_count && whole; i++)
        whole = is_whole(server_port(s->redis, i));
    return whole;
}

void servers_redis_wait_whole(struct site *s)
{
    int64_t until_ms = wait_now_ms() + WHOLE_MS_MAX;

    while (!servers_redis_is_whole(s)) {
        if (wait_now_ms() >= until_ms)
            scratch_fail("Redis is not a whole cluster");
        wait_pause_ms(LOOK_MS);
    }
}

bool servers_redis_move_slot(struct site *s, uint64_t draw)
{
    int slot = slot_of(draw), from = redis_cluster_primary(s->redis, slot), to = -1;

    for (uint64_t i = 1; i < CHAOS_PARTITIONS && (to < 0 || to == from); i++)
        to = redis_cluster_primary(s->redis, slot_of(draw + i));
    if (from < 0 || to < 0 || to == from)
        return false;
    redis_cluster_move_begin(s->redis, slot, from, to);
    while (redis_cluster_move_keys(s->redis, slot, from, to, KEYS) == KEYS)
        wait_pause_ms(MOVE_PAUSE_MS);
    redis_cluster_move_end(s->redis, slot, to);
    return true;
}
